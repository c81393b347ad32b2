"""The names in one session, found everywhere once they are known.

A name can also be an ordinary word: in a session with a user `demo` and a module `demo`, the module
must keep its name. So the names of functions, modules and processes are collected first, and the
text before a word decides whether it names a host or a user.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.common_names import (
    COMMON_NAMES,
    REPORT_WORDS,
    is_public_site,
)
from pagefault_doctor.session.redact.hosts import LOCAL_DOMAINS
from pagefault_doctor.session.redact.search import (
    FoundName,
    NamePattern,
    PatternSearch,
    checked,
    chunks,
    each_group,
)

_CODE: Final = (
    (("+0x",), r"\+0x[0-9a-f]+(?:/0x[0-9a-f]+)? \[([\w-]+)"),
    (("comm:",), r"\bComm: (\S+)"),
    (("  ",), r"(?m)^(\w+) {2,}\d+ +\d+(?: [\w,-]*)?$"),
    (("name:",), r"(?m)^name:\s+(\w+)$"),
    (("name:",), r"(?m)^filename:\s+\S{0,400}?([\w-]{1,64})\.ko"),
    (("loading out-of-tree", "module verification", "module license"),
     r"\b([\w-]{1,64}): (?:loading out-of-tree|module verification|module license)"),
    ((".",), r"([2-9](?<![\w.-].)\.\d{1,2}\.\d{1,3}[-+.][\w.+-]+)"),
)  # fmt: skip
"""Functions, modules, processes and releases in reports and in the output of lsmod and modinfo."""
_OFFSET: Final = regex(r"\+0x[0-9a-f]+/0x")
_FUNCTION_BACK: Final = regex(r"[\w.$]{0,300}[A-Za-z_](?![\w.$])")


def _function(match: re.Match[str]) -> FoundName | None:
    """Return the function before an offset. A search for it from the left would take far longer."""
    end = match.start()
    before = _FUNCTION_BACK.match(match.string[max(end - 302, 0) : end][::-1])
    return FoundName(end - len(before[0]), end, "code", before[0][::-1]) if before else None


_MODULE_LIST: Final = regex(r"Modules linked in:([^\n]*)")
_WORD: Final = regex(r"[^\W_]+")

_IN_ESCAPE: Final = regex(r"(?<=\\)[nrt][^\W_]*|(?<=%)[0-9A-F]{2}[^\W_]*")
_NAME_PARTS: Final = regex(r"([^\W_]+)|[._-]+")
_LABELS_BACK: Final = regex(r"(?:\.[\w-]{0,62}[^\W_])+")
_MAX_PARTS: Final = 10
_MAX_NAMES: Final = 50_000
_MAX_PHRASES: Final = 50
"""Limits of the parts of a name, the names of a session and those that begin with the same word, so
that no text can make this slow."""
_ONE_NAME: Final = regex(r"[\w.-]+")
_RELEASE_BACK: Final = regex(r"[\w.+-]*")
_HEX_BEFORE: Final = regex(r"\b[0-9a-fA-F]{2} $")
_HEX_AFTER: Final = regex(r" [0-9a-fA-F]{2}\b")


class _Phrase(NamedTuple):
    """A name that is no single word: its text, the position of its first word, its kind."""

    text: str
    offset: int
    kind: str


class SessionNames:
    """The names in one session. `kept` are those that are also names of code, and so stay."""

    def __init__(self) -> None:
        self._users: set[str] = set()
        self._hosts: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._code: set[str] = set()
        self._code_search = PatternSearch(
            [
                NamePattern(("+0x",), _OFFSET, checked(_function)),
                *(NamePattern(signs, regex(source), each_group("code")) for signs, source in _CODE),
            ]
        )
        self._code_words: set[str] = set()
        self._first_words: set[str] = set()
        self._domains: set[str] = set()
        self._phrases: dict[str, list[_Phrase]] = {}
        self.kept: set[str] = set()

    def learn_code(self, text: str) -> None:
        """Learn the names of functions, modules, processes and releases in a text."""
        self._code.update(found.key for found in self._code_search.find(text))
        for match in _MODULE_LIST.finditer(text):
            self._code |= {word.partition("(")[0] for word in match[1].split()}

    def learn(self, kinds: Iterable[tuple[str, str]]) -> None:
        """Learn names, each with its kind; all code has to be learned before."""
        self._code_words = {part for word in self._code for part in _WORD.findall(word)}
        for kind, name in itertools.islice(kinds, _MAX_NAMES):
            self._add(kind, name)
        self._join_hosts()
        names = (*self._users, *self._hosts, *self._domains, *self._others)
        self._first_words = {match[0].lower() for name in names if (match := _WORD.search(name))}
        self._first_words |= self._phrases.keys()

    def _add(self, kind: str, name: str) -> None:
        lower = name.lower()
        if lower in COMMON_NAMES:
            return
        if not _ONE_NAME.fullmatch(name):
            self._add_phrase(kind, lower)
        elif kind not in ("user", "host"):
            if name not in self._code and lower not in REPORT_WORDS:
                self._others.setdefault(lower, kind)
        elif name in self._code or lower in REPORT_WORDS:
            self.kept.add(lower)
        elif kind == "user":
            self._users.add(name)
        else:
            self._hosts[lower] = lower

    def _add_phrase(self, kind: str, lower: str) -> None:
        """Remember a name of several words or with signs in it by its first word."""
        first = _WORD.search(lower)
        if first and len(same := self._phrases.setdefault(first[0], [])) < _MAX_PHRASES:
            same.append(_Phrase(lower, first.start(), kind))

    def _join_hosts(self) -> None:
        """Give the short and the full name of a host the same key."""
        full: dict[str, set[str]] = {}
        for name in list(self._hosts):
            short, dot, domain = name.partition(".")
            if dot and not short.isdigit() and ("." in domain or domain in LOCAL_DOMAINS):
                full.setdefault(short, set()).add(name)
                if "." in domain and not is_public_site(domain):
                    self._domains.add(domain)
        for short, names in full.items():
            if short not in self._hosts and short not in self._code and short not in REPORT_WORDS:
                self._hosts[short] = short
            if len(names) == 1:
                self._hosts[names.pop()] = short

    def key(self, kind: str, name: str) -> str:
        """Return the key of a name, which all its spellings have in common."""
        lower = name.lower()
        return (
            name if kind == "user" else self._hosts.get(lower, lower) if kind == "host" else lower
        )

    def find(self, text: str, blanked: str) -> Iterator[FoundName]:
        """Yield every position where a learned name is a word of its own.

        `blanked` is the text without escapes.
        """
        if not self._first_words:
            return
        for begin, chunk in chunks(blanked):
            if not self._first_words.isdisjoint(_WORD.findall(chunk.lower())):
                yield from self._find(_WORD, blanked, begin, begin + len(chunk))
        if "\\" in text or "%" in text:
            # `DOMAIN\name` contains `\n`, an escape of JSON, and `%DB7` one of URLs.
            yield from self._find(_IN_ESCAPE, text, 0, len(text))

    def _find(self, word: re.Pattern[str], text: str, begin: int, end: int) -> Iterator[FoundName]:
        for match in word.finditer(text, begin, end):
            first = match[0].lower()
            if first in self._first_words:
                yield from self._longest_name(text, match.start())
                for phrase in self._phrases.get(first, ()):
                    start = match.start() - phrase.offset
                    stop = start + len(phrase.text)
                    if start >= 0 and text[start:stop].lower() == phrase.text:
                        yield FoundName(start, stop, phrase.kind, phrase.text)

    def _longest_name(self, text: str, begin: int) -> Iterator[FoundName]:
        """Yield the longest learned name that begins here, if any."""
        end, ends = begin, list[int]()
        for part in _NAME_PARTS.finditer(text, begin, begin + 255):
            if part.start() != end or len(ends) == _MAX_PARTS:
                break
            end = part.end()
            if part[1]:
                ends.append(end)
        places = (self._name_at(text, begin, end) for end in reversed(ends))
        yield from itertools.islice(filter(None, places), 1)

    def _name_at(self, text: str, begin: int, end: int) -> FoundName | None:
        name = text[begin:end]
        lower = name.lower()
        if name in self._users:
            kind = "user"
        elif lower in self._hosts or lower in self._domains:
            kind = "host"
        elif lower in self._others:
            return FoundName(begin, end, self._others[lower], lower)
        else:
            return None
        if self._is_code(text, begin, end, name):
            return None
        if lower in self._domains:
            begin = _whole_domain(text, begin)
        return FoundName(begin, end, kind, self.key(kind, text[begin:end]))

    def _is_code(self, text: str, begin: int, end: int, name: str) -> bool:
        """Return whether a name here is part of an identifier, or a byte in a hex dump."""
        if name in self._code_words:
            left, right = text[begin - 1 : begin], text[end : end + 2]
            if left in ("_", ".") or right[:1] == "_" or re.match(r"\.\w", right):
                return True
            run = _RELEASE_BACK.match(text[max(begin - 64, 0) : begin][::-1])
            if run and re.match(r"[2-9]\.\d{1,2}\.\d{1,3}-", run[0][::-1]):
                return True
        if len(name) == 2 and re.fullmatch("[0-9a-fA-F]{2}", name):
            around = _HEX_BEFORE.search(text[max(begin - 3, 0) : begin])
            return bool(around or _HEX_AFTER.match(text[end : end + 3]))
        return False


def _whole_domain(text: str, begin: int) -> int:
    """Return where a name starts if only its domain was learned."""
    # Backwards, because a search forwards would begin anew at each character.
    before = _LABELS_BACK.match(text[max(begin - 255, 0) : begin][::-1])
    return begin - before.end() if before else begin
