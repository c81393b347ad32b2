"""The names of hosts and users that a session told somewhere, found wherever else they stand.

A name is a word like any other: of a session with a user `demo` and a module `demo`, the module
must stay what it is. So names of functions, modules and processes are taken from the text first.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.name_signs import OWN_TOP, UNTELLING, is_public
from pagefault_doctor.session.redact.signs import Place, plain

_CODE: Final = (
    regex(r"(?<![\w.$])([A-Za-z_][\w.$]*)\+0x[0-9a-f]+/0x"),
    regex(r"\+0x[0-9a-f]+(?:/0x[0-9a-f]+)? \[([\w-]+)"),
    regex(r"\bComm: (\S+)"),
    regex(r"(?m)^(\w+) {2,}\d+ +\d+(?: [\w,-]*)?$"),
    regex(r"(?m)^name:\s+(\w+)$|^filename:\s+\S*?([\w-]+)\.ko"),
    regex(r"\b([\w-]+): (?:loading out-of-tree|module verification|module license)"),
    regex(r"(?<![\w.-])([2-9]\.\d{1,2}\.\d{1,3}[-+.][\w.+-]+)"),
)
"""Functions, modules, processes and releases, as reports, lsmod and modinfo print them."""
_LINKED: Final = regex(r"Modules linked in:([^\n]*)")
_WORD: Final = regex(r"[^\W_]+")

_COMMON: Final = frozenset(
    "bug kernel null pointer dereference pf supervisor write access error code not present oops "
    "preempt smp cpu pid comm tainted hardware name rip rsp rbp call trace task irq modules linked "
    "end general protection fault slab cache object freed allocated by module function list debug "
    "sshd example www mail ftp test driver server host demo system unknown "
    "at in ip sp pc lr sr cr is of on or to as be do "
    "go he if it me my no so up us we am an and for from with ok id vs hw sw os fs gs cs ss ds es "
    "mm vm ax bx cx dx si di bp error warning panic stack call trap init exit read main i o g e p "
    "x s".split()
)
"""Words that a report consists of. A name that is one goes where a sign tells that it is a name."""

_BEHIND_BACKSLASH: Final = regex(r"(?<=\\)[nrt][^\W_]*")
_RUN: Final = regex(r"([^\W_]+)|[._-]+")
_MOST_PARTS: Final = 10
_MOST_NAMES: Final = 50_000
"""So that no text can make this slow: parts of one name, names of one session."""
_HEX_BEFORE: Final = regex(r"\b[0-9a-fA-F]{2} $")
_HEX_AFTER: Final = regex(r" [0-9a-fA-F]{2}\b")


class Names:
    """What was learned of one session. `kept` are names that had to stay: code bears them too.

    `phrases` are names of several words, such as those of people.
    """

    def __init__(self) -> None:
        self._users: set[str] = set()
        self._hosts: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._code: set[str] = set()
        self._parts: set[str] = set()
        self._firsts: set[str] = set()
        self._domains: set[str] = set()
        self.phrases: set[str] = set()
        self.kept: set[str] = set()

    def learn_code(self, text: str) -> None:
        """Learn what a text calls a function, a module, a process or a release."""
        for pattern in _CODE:
            for match in pattern.finditer(text):
                self._code.add(match[match.lastindex or 0])
        for match in _LINKED.finditer(text):
            self._code |= {word.partition("(")[0] for word in match[1].split()}

    def learn(self, places: Iterable[Place]) -> None:
        """Learn the names and numbers that were told, after all code was learned."""
        self._parts = {part for word in self._code for part in _WORD.findall(word)}
        for place in places:
            if len(self._users) + len(self._hosts) + len(self._others) < _MOST_NAMES:
                self._add(place.kind, place.key)
        self._join_hosts()
        names = (*self._users, *self._hosts, *self._domains, *self._others)
        self._firsts = {match[0].lower() for name in names if (match := _WORD.search(name))}

    def _add(self, kind: str, name: str) -> None:
        lower = name.lower()
        if lower in UNTELLING:
            return
        if kind not in ("user", "host"):
            self._others[lower] = kind
        elif re.search(r"\s", name):
            self.phrases.add(lower)
        elif name in self._code or lower in _COMMON:
            self.kept.add(lower)
        elif kind == "user":
            self._users.add(name)
        else:
            self._hosts[lower] = lower

    def _join_hosts(self) -> None:
        """Let a host have one name, whether it is called in short or in full."""
        full: dict[str, set[str]] = {}
        for name in list(self._hosts):
            short, dot, domain = name.partition(".")
            if dot and not short.isdigit() and ("." in domain or domain in OWN_TOP):
                full.setdefault(short, set()).add(name)
                if "." in domain and not is_public(domain):
                    self._domains.add(domain)
        for short, names in full.items():
            if short not in self._hosts and short not in self._code and short not in _COMMON:
                self._hosts[short] = short
            if len(names) == 1:
                self._hosts[names.pop()] = short

    def key(self, kind: str, name: str) -> str:
        """Return what all spellings of a name have in common."""
        return self._hosts.get(name.lower(), name.lower()) if kind == "host" else name

    def found(self, text: str) -> Iterator[Place]:
        """Give every place where a name that was learned stands as a word of its own."""
        if not self._firsts:
            return
        blanked = plain(text)
        for match in _WORD.finditer(blanked):
            if match[0].lower() in self._firsts:
                yield from self._at(blanked, match.start())
        # `DOMAIN\\name` looks like an escape of JSON, and may be either.
        for match in _BEHIND_BACKSLASH.finditer(text):
            if match[0].lower() in self._firsts:
                yield from self._at(text, match.start())

    def _at(self, text: str, begin: int) -> Iterator[Place]:
        """Give the longest name that begins here, if any."""
        end, ends = begin, list[int]()
        for part in _RUN.finditer(text, begin, begin + 255):
            if part.start() != end or len(ends) == _MOST_PARTS:
                break
            end = part.end()
            if part[1]:
                ends.append(end)
        places = (self._named(text, begin, end) for end in reversed(ends))
        yield from itertools.islice(filter(None, places), 1)

    def _named(self, text: str, begin: int, end: int) -> Place | None:
        name = text[begin:end]
        lower = name.lower()
        if name in self._users:
            kind = "user"
        elif lower in self._hosts or lower in self._domains:
            kind = "host"
        elif lower in self._others:
            return Place(begin, end, self._others[lower], lower)
        else:
            return None
        if self._is_code(text, begin, end, name):
            return None
        if lower in self._domains:
            begin = _whole_domain(text, begin)
        return Place(begin, end, kind, self.key(kind, text[begin:end]))

    def _is_code(self, text: str, begin: int, end: int, name: str) -> bool:
        """Return whether a name is here part of an identifier, or a byte in a row of bytes."""
        if name in self._parts:
            left, right = text[begin - 1 : begin], text[end : end + 2]
            if left in ("_", ".") or right[:1] == "_" or re.match(r"\.\w", right):
                return True
            run = re.search(r"[\w.+-]*$", text[max(begin - 64, 0) : begin])
            if run and re.match(r"[2-9]\.\d{1,2}\.\d{1,3}-", run[0]):
                return True
        if len(name) == 2 and re.fullmatch("[0-9a-fA-F]{2}", name):
            around = _HEX_BEFORE.search(text[max(begin - 3, 0) : begin])
            return bool(around or _HEX_AFTER.match(text[end : end + 3]))
        return False


def _whole_domain(text: str, begin: int) -> int:
    """Return where a name begins of which only the domain was known."""
    before = re.search(r"(?:[^\W_](?:[\w-]{0,62})\.)+$", text[max(begin - 255, 0) : begin])
    return begin - len(before[0]) if before else begin
