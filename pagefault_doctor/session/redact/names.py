"""The names of hosts and users that a session mentions somewhere, found wherever else they stand.

A name is a word like any other: of a session with a user `demo` and a module `demo`, the module
must stay what it is. So names of functions, modules and processes are taken from the text first;
what stands before a word shows whether it names a host or a user.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.identifiers import FoundName, NameSign, plain, search

_USER: Final = r"[^\W\d][\w.-]{0,62}(?<![.-])"
_HOST: Final = r"[^\W_](?:[\w.-]{0,251}[^\W_])?"

_USERS: Final = (
    (("/home", "/users/"), rf"/(?:home|homes|Users)/(?:local/|corp/)?({_USER})"),
    (("/mail/", "/cron", "/media/"),
     rf"/(?:var/mail|spool/mail|spool/cron|spool/cron/crontabs|run/media)/({_USER})"),
    (("~",), r"(?<![\w~/])~([a-z_][\w.-]{0,62})(?=[/:\s'\")\],]|[.;]?$)"),
    (("user", "name", "login", "acct", "account", "owner"),
     rf"(?i:(?<![a-z])(?:sudo_user|user|username|logname|login|ruser|luser|acct|account|owner))"
     rf"['\"]?(?:=|: )['\"]?({_USER})"),
    (("user ",),
     rf"(?:\b(?:for|of|by) (?:invalid )?user|[Ii]nvalid user|(?:authenticating|from) user) "
     rf"['\"]?({_USER})"),
    (("accepted", "failed", "postponed"),
     rf"(?:Accepted|Failed|Postponed) [\w/-]+ for (?:invalid user )?({_USER})"),
    (("by ", "sudo"),
     rf"\bby ({_USER})\(uid=|\bLOGIN ON \S+ BY ({_USER})|\bsudo(?:\[\d+\])?: +({_USER}) : "),
    ((": (to ", ") "),
     rf"\bsu(?:\[\d+\])?: \(to ({_USER})\) ({_USER}) on |\(({_USER})\) (?:CMD|RELOAD|END)\b"),
    (("id=", "groups="),
     rf"\buid=\d+\(({_USER})\)|\bgid=\d{{4,}}\(({_USER})\)|[,=]\d{{4,}}\(({_USER})\)"),
    (("-r", "dr"), rf"(?m)^[-dlbcps][-rwxsStT]{{9}}[.+@]?\s+\d+\s+({_USER})\s"),
    ((":/",), rf"(?m)^({_USER}):[^:\n]*:\d+:\d+:[^:\n]*:/[^:\n]*:/\S*$"),
    ((":/",), r"(?m)^[^\W\d][\w.-]*:[^:\n]*:\d+:\d+:([^:,\n]{2,80})[^:\n]*:/[^:\n]*:/\S*$"),
    (("author:",), r"(?m)^author:\s+(\S[^\n]{0,200}\S)$"),
)  # fmt: skip
"""Signs of a user: a group for each name. `author:` is modinfo's, the fields are passwd(5)'s."""

_STAMP: Final = r"^(?:[ >|]{0,3})(?:<\d{1,3}>)?(?:1 )?"
_TIME: Final = (
    r"(?:[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?"
    r"(?:Z|[+-]\d\d:?\d\d)?)"
)
_HOSTS: Final = (
    ((":",),
     rf"(?m){_STAMP}{_TIME} ({_HOST}) (?:[A-Za-z][\w./()@-]*(?:\[\d+\])?:|last message |kernel )"),
    (("kernel", "systemd", "sshd", "sudo", "cron", "dbus"),
     rf"(?m){_STAMP}(?:\[ *\d+\.\d+\]|{_TIME}|\d{{4}}-\S{{10,30}}) ({_HOST}) "
     rf"(?:kernel|systemd|sshd|sudo|CRON|dbus-daemon|systemd-\w+)(?:\[\d+\])?:"),
    (("name=",), rf"(?m)^name=({_HOST})$"),
    (("name", "fqdn", "host", "server"),
     rf"(?i:(?<![a-z])(?:_?hostname|host_name|fqdn|nodename|node_name|rhost|server|host))"
     rf"['\"]?(?:=|: ?)\s{{0,20}}['\"]?({_HOST})"),
    (("hostname ",), rf"[Hh]ostname (?:set )?to ['\"<]?({_HOST})"),
    (("server ",), rf"\bserver ({_HOST})(?:,| not responding| OK\b| timed out)"),
    (("://",),
     rf"(?i:https?|ssh|s?ftp|nfs|rsync|git|smb|cifs|ldaps?|wss?|tcp|udp)://(?:[^\s/@]{{1,200}}@)?"
     rf"({_HOST})"),
    (("//", "\\\\"), rf"(?<![:\w/\\])(?://|\\\\\\\\|\\\\)({_HOST})[/\\]\w"),
    ((" type ",), rf"(?m)(?:^|(?<=\s))({_HOST}):/\S* on /\S* type "),
    ((" to ", " from "),
     rf"\b(?:[Cc]onnect(?:ed|ing)?|[Cc]onnection|[Ll]ogin|ssh|scp|ping) (?:to|from) ({_HOST})"
     r"(?= port|:|\.?$)"),
    ((" login:",), rf"(?m)^({_HOST}) login:"),
    (("linux ",), rf"\bLinux ({_HOST}) \d+\.\d+\.\d+\S* #\d"),
)  # fmt: skip
"""Signs of a host: prefixes of logs, labels, URLs, mounts, uname -a."""

_AT: Final = regex(rf"(?:(?<![\w.+/-])|(?<=//))({_USER})(?: {{2}})?@({_HOST})")
_NO_HOST: Final = regex(
    r"(?:\d[\dA-Fa-f,]*|[\dA-Fa-f]{6,}|tty\w*|\d+|plt|entry|got\w*|tpoff|Base|page\w*|lo|hi"
    r"|function|object|progbits|nobits|note|(?:GLIBC|GCC|CXXABI|LIB)[\w.]*"
    r"|.*\.(?:service|socket|mount|slice|timer|device|scope|target|path|swap|[chS]|rs|py|ko|so))"
)
"""What stands behind `@` and is no host: units, nodes of a device tree, symbols' versions."""
_NODES: Final = frozenset(
    "cpu memory i2c spi uart serial pci pcie usb gpio mmc ethernet soc bus dma timer flash eth phy "
    "watchdog gpu sram clock interrupt-controller port endpoint partition".split()
)

_TOP: Final = (
    "com org net edu gov mil local localdomain lan internal intranet corp home example test invalid"
    " biz arpa de uk fr nl ch eu jp cn ru au ca br"
)
OWN_TOP: Final = frozenset("local localdomain lan internal intranet home corp test invalid".split())
"""Domains of a single word in which machines are, not organisations."""
_COUNTRY: Final = "at be it es pt se no fi dk cz ua us mx nz kr tw hk sg tr gr hu ro bg sk ie il za"
_DOMAIN: Final = regex(
    rf"(?<![\w.-])(?:[^\W_][\w-]{{0,62}}\.){{1,8}}(?:{'|'.join(_TOP.split())})(?![\w-]|\.\w|\()"
    rf"|(?<![\w.-])(?:[^\W_][\w-]{{0,62}}\.){{2,8}}(?:{'|'.join(_COUNTRY.split())})(?![\w-]|\.\w|\()",
    re.IGNORECASE,
)
PUBLIC: Final = (
    *("kernel.org", "debian.org", "ubuntu.com", "redhat.com", "fedoraproject.org", "suse.com"),
    *("opensuse.org", "github.com", "gitlab.com", "freedesktop.org", "launchpad.net", "kvack.org"),
    *("infradead.org", "gnu.org", "python.org", "wikipedia.org", "linuxfoundation.org"),
)
"""Sites that a kernel, a program or pfdoctor itself refers to, and that tell nothing."""


def told(text: str) -> Iterator[FoundName]:
    """Give the places where a text tells that a word names a user or a host."""
    return search(plain(text), _SIGNS)


def is_public(name: str) -> bool:
    """Return whether a domain tells nothing of whose machine this is."""
    return any(name.lower() == site or name.lower().endswith(f".{site}") for site in PUBLIC)


def _says_nothing(word: str) -> bool:
    """Return whether a word cannot be a name, or is that of a public site or of every machine."""
    plain = word.lower()
    return plain in UNTELLING or is_public(plain) or not any(map(str.isalpha, word))


UNTELLING: Final = frozenset(
    "root localhost localhost.localdomain lab recording kernel nobody nogroup daemon systemd user "
    "the this a an any all none null unknown debian ubuntu fedora linux lost+found console tty "
    "space mode memory pages page access pointer stack data process processes program programs "
    "regs address addresses task tasks namespace namespaces land input request".split()
)
"""Names that every machine has, and words that follow `user` in what a kernel says."""


def _named(kind: str) -> Callable[[re.Match[str]], Iterator[FoundName]]:
    def places(match: re.Match[str]) -> Iterator[FoundName]:
        for group in range(1, match.re.groups + 1):
            if match[group] and not _says_nothing(match[group]):
                yield FoundName(*match.span(group), kind, match[group])

    return places


def _at_place(match: re.Match[str]) -> Iterator[FoundName]:
    """Both names in `user@host`, where it is no unit, node or symbol."""
    if _NO_HOST.fullmatch(match[2]) or match[1] in _NODES or is_public(match[2]):
        return
    for group, kind in ((1, "user"), (2, "host")):
        if not _says_nothing(match[group]):
            yield FoundName(*match.span(group), kind, match[group])


def _domain(match: re.Match[str]) -> Iterator[FoundName]:
    if not is_public(match[0]) and not match[0][0].isdigit():
        yield FoundName(*match.span(), "host", match[0])


_SIGNS: Final = (
    *(NameSign(words, regex(source), _named("user")) for words, source in _USERS),
    *(NameSign(words, regex(source), _named("host")) for words, source in _HOSTS),
    NameSign(("@",), _AT, _at_place),
    NameSign(tuple(f".{top}" for top in (*_TOP.split(), *_COUNTRY.split())), _DOMAIN, _domain),
)


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


class SessionNames:
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

    def learn(self, places: Iterable[FoundName]) -> None:
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

    def found(self, text: str) -> Iterator[FoundName]:
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

    def _at(self, text: str, begin: int) -> Iterator[FoundName]:
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

    def _named(self, text: str, begin: int, end: int) -> FoundName | None:
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
