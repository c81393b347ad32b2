"""The names of hosts and users in a session, found everywhere once they are known.

A name can also be an ordinary word: in a session with a user `demo` and a module `demo`, the module
must keep its name. So the names of functions, modules and processes are collected first, and the
text before a word decides whether it names a host or a user.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.identifiers import (
    FoundName,
    NamePattern,
    search,
    without_escapes,
)

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
"""Patterns of users: a group for each name. `author:` is from modinfo, `:/` from passwd(5)."""

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
"""Patterns of hosts: prefixes of logs, labels, URLs, mounts, `uname -a`."""

_USER_AT_HOST: Final = regex(rf"(?:(?<![\w.+/-])|(?<=//))({_USER})(?: {{2}})?@({_HOST})")
_NO_HOST: Final = regex(
    r"(?:\d[\dA-Fa-f,]*|[\dA-Fa-f]{6,}|tty\w*|\d+|plt|entry|got\w*|tpoff|Base|page\w*|lo|hi"
    r"|function|object|progbits|nobits|note|(?:GLIBC|GCC|CXXABI|LIB)[\w.]*"
    r"|.*\.(?:service|socket|mount|slice|timer|device|scope|target|path|swap|[chS]|rs|py|ko|so))"
)
"""What can follow `@` and is no host: units, device tree addresses, symbol versions."""
_DEVICE_TREE_NODES: Final = frozenset(
    "cpu memory i2c spi uart serial pci pcie usb gpio mmc ethernet soc bus dma timer flash eth phy "
    "watchdog gpu sram clock interrupt-controller port endpoint partition".split()
)

_TOP: Final = (
    "com org net edu gov mil local localdomain lan internal intranet corp home example test invalid"
    " biz arpa de uk fr nl ch eu jp cn ru au ca br"
)
LOCAL_DOMAINS: Final = frozenset(
    "local localdomain lan internal intranet home corp test invalid".split()
)
"""Top-level domains of local networks."""
_COUNTRY: Final = "at be it es pt se no fi dk cz ua us mx nz kr tw hk sg tr gr hu ro bg sk ie il za"
_DOMAIN: Final = regex(
    rf"(?<![\w.-])(?:[^\W_][\w-]{{0,62}}\.){{1,8}}(?:{'|'.join(_TOP.split())})(?![\w-]|\.\w|\()"
    rf"|(?<![\w.-])(?:[^\W_][\w-]{{0,62}}\.){{2,8}}(?:{'|'.join(_COUNTRY.split())})(?![\w-]|\.\w|\()",
    re.IGNORECASE,
)
PUBLIC_SITES: Final = (
    *("kernel.org", "debian.org", "ubuntu.com", "redhat.com", "fedoraproject.org", "suse.com"),
    *("opensuse.org", "github.com", "gitlab.com", "freedesktop.org", "launchpad.net", "kvack.org"),
    *("infradead.org", "gnu.org", "python.org", "wikipedia.org", "linuxfoundation.org"),
)
"""Sites that a kernel, a program or pfdoctor mentions; they identify nobody."""


def find_names(text: str) -> Iterator[FoundName]:
    """Yield the words in a text that are recognizable as the name of a user or a host."""
    return search(without_escapes(text), _PATTERNS)


def is_public_site(name: str) -> bool:
    """Return whether a domain is public and does not identify a machine's owner."""
    return any(name.lower() == site or name.lower().endswith(f".{site}") for site in PUBLIC_SITES)


def _identifies_nobody(word: str) -> bool:
    """Return whether a word cannot be a name, or names a public site or every machine."""
    plain = word.lower()
    return plain in COMMON_NAMES or is_public_site(plain) or not any(map(str.isalpha, word))


COMMON_NAMES: Final = frozenset(
    "root localhost localhost.localdomain lab recording kernel nobody nogroup daemon systemd user "
    "the this a an any all none null unknown debian ubuntu fedora linux lost+found console tty "
    "space mode memory pages page access pointer stack data process processes program programs "
    "regs address addresses task tasks namespace namespaces land input request".split()
)
"""Names that every machine has, and words that follow `user` in kernel messages."""


def _named(kind: str) -> Callable[[re.Match[str]], Iterator[FoundName]]:
    def places(match: re.Match[str]) -> Iterator[FoundName]:
        for group in range(1, match.re.groups + 1):
            if match[group] and not _identifies_nobody(match[group]):
                yield FoundName(*match.span(group), kind, match[group])

    return places


def _user_at_host(match: re.Match[str]) -> Iterator[FoundName]:
    """Yield both names in `user@host`, unless it is a unit, a device tree node or a symbol."""
    if _NO_HOST.fullmatch(match[2]) or match[1] in _DEVICE_TREE_NODES or is_public_site(match[2]):
        return
    for group, kind in ((1, "user"), (2, "host")):
        if not _identifies_nobody(match[group]):
            yield FoundName(*match.span(group), kind, match[group])


def _domain(match: re.Match[str]) -> Iterator[FoundName]:
    if not is_public_site(match[0]) and not match[0][0].isdigit():
        yield FoundName(*match.span(), "host", match[0])


_PATTERNS: Final = (
    *(NamePattern(words, regex(source), _named("user")) for words, source in _USERS),
    *(NamePattern(words, regex(source), _named("host")) for words, source in _HOSTS),
    NamePattern(("@",), _USER_AT_HOST, _user_at_host),
    NamePattern(tuple(f".{top}" for top in (*_TOP.split(), *_COUNTRY.split())), _DOMAIN, _domain),
)


_CODE_PATTERNS: Final = (
    regex(r"(?<![\w.$])([A-Za-z_][\w.$]*)\+0x[0-9a-f]+/0x"),
    regex(r"\+0x[0-9a-f]+(?:/0x[0-9a-f]+)? \[([\w-]+)"),
    regex(r"\bComm: (\S+)"),
    regex(r"(?m)^(\w+) {2,}\d+ +\d+(?: [\w,-]*)?$"),
    regex(r"(?m)^name:\s+(\w+)$|^filename:\s+\S*?([\w-]+)\.ko"),
    regex(r"\b([\w-]+): (?:loading out-of-tree|module verification|module license)"),
    regex(r"(?<![\w.-])([2-9]\.\d{1,2}\.\d{1,3}[-+.][\w.+-]+)"),
)
"""Functions, modules, processes and releases in reports and in the output of lsmod and modinfo."""
_MODULE_LIST: Final = regex(r"Modules linked in:([^\n]*)")
_WORD: Final = regex(r"[^\W_]+")

_REPORT_WORDS: Final = frozenset(
    "bug kernel null pointer dereference pf supervisor write access error code not present oops "
    "preempt smp cpu pid comm tainted hardware name rip rsp rbp call trace task irq modules linked "
    "end general protection fault slab cache object freed allocated by module function list debug "
    "sshd example www mail ftp test driver server host demo system unknown "
    "at in ip sp pc lr sr cr is of on or to as be do "
    "go he if it me my no so up us we am an and for from with ok id vs hw sw os fs gs cs ss ds es "
    "mm vm ax bx cx dx si di bp error warning panic stack call trap init exit read main i o g e p "
    "x s".split()
)
"""Words in any report. A name that is one of them is only replaced where a pattern finds it."""

_AFTER_BACKSLASH: Final = regex(r"(?<=\\)[nrt][^\W_]*")
_NAME_PARTS: Final = regex(r"([^\W_]+)|[._-]+")
_MAX_PARTS: Final = 10
_MAX_NAMES: Final = 50_000
"""Limits of parts in a name and names in a session, so that no text can make this slow."""
_HEX_BEFORE: Final = regex(r"\b[0-9a-fA-F]{2} $")
_HEX_AFTER: Final = regex(r" [0-9a-fA-F]{2}\b")


class SessionNames:
    """The names in one session. `kept` are names that are also names of code, and therefore stay.

    `phrases` are names of several words, such as those of people.
    """

    def __init__(self) -> None:
        self._users: set[str] = set()
        self._hosts: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._code: set[str] = set()
        self._code_words: set[str] = set()
        self._first_words: set[str] = set()
        self._domains: set[str] = set()
        self.phrases: set[str] = set()
        self.kept: set[str] = set()

    def learn_code(self, text: str) -> None:
        """Learn the names of functions, modules, processes and releases in a text."""
        for pattern in _CODE_PATTERNS:
            for match in pattern.finditer(text):
                self._code.add(match[match.lastindex or 0])
        for match in _MODULE_LIST.finditer(text):
            self._code |= {word.partition("(")[0] for word in match[1].split()}

    def learn(self, found_names: Iterable[FoundName]) -> None:
        """Learn names and numbers; all code has to be learned before."""
        self._code_words = {part for word in self._code for part in _WORD.findall(word)}
        for found in found_names:
            if len(self._users) + len(self._hosts) + len(self._others) < _MAX_NAMES:
                self._add(found.kind, found.key)
        self._join_hosts()
        names = (*self._users, *self._hosts, *self._domains, *self._others)
        self._first_words = {match[0].lower() for name in names if (match := _WORD.search(name))}

    def _add(self, kind: str, name: str) -> None:
        lower = name.lower()
        if lower in COMMON_NAMES:
            return
        if kind not in ("user", "host"):
            self._others[lower] = kind
        elif re.search(r"\s", name):
            self.phrases.add(lower)
        elif name in self._code or lower in _REPORT_WORDS:
            self.kept.add(lower)
        elif kind == "user":
            self._users.add(name)
        else:
            self._hosts[lower] = lower

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
            if short not in self._hosts and short not in self._code and short not in _REPORT_WORDS:
                self._hosts[short] = short
            if len(names) == 1:
                self._hosts[names.pop()] = short

    def key(self, kind: str, name: str) -> str:
        """Return the key of a name, which all its spellings have in common."""
        return self._hosts.get(name.lower(), name.lower()) if kind == "host" else name

    def find(self, text: str) -> Iterator[FoundName]:
        """Yield every position where a learned name is a word of its own."""
        if not self._first_words:
            return
        blanked = without_escapes(text)
        for match in _WORD.finditer(blanked):
            if match[0].lower() in self._first_words:
                yield from self._longest_name(blanked, match.start())
        # `DOMAIN\name` contains `\n`, which is also an escape of JSON.
        for match in _AFTER_BACKSLASH.finditer(text):
            if match[0].lower() in self._first_words:
                yield from self._longest_name(text, match.start())

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
            run = re.search(r"[\w.+-]*$", text[max(begin - 64, 0) : begin])
            if run and re.match(r"[2-9]\.\d{1,2}\.\d{1,3}-", run[0]):
                return True
        if len(name) == 2 and re.fullmatch("[0-9a-fA-F]{2}", name):
            around = _HEX_BEFORE.search(text[max(begin - 3, 0) : begin])
            return bool(around or _HEX_AFTER.match(text[end : end + 3]))
        return False


def _whole_domain(text: str, begin: int) -> int:
    """Return where a name starts if only its domain was learned."""
    before = re.search(r"(?:[^\W_](?:[\w-]{0,62})\.)+$", text[max(begin - 255, 0) : begin])
    return begin - len(before[0]) if before else begin
