"""Where a text tells that a word names a host or a user, though it looks like any other word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.signs import Place, Sign, plain, search

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


def told(text: str) -> Iterator[Place]:
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


def _named(kind: str) -> Callable[[re.Match[str]], Iterator[Place]]:
    def places(match: re.Match[str]) -> Iterator[Place]:
        for group in range(1, match.re.groups + 1):
            if match[group] and not _says_nothing(match[group]):
                yield Place(*match.span(group), kind, match[group])

    return places


def _at_place(match: re.Match[str]) -> Iterator[Place]:
    """Both names in `user@host`, where it is no unit, node or symbol."""
    if _NO_HOST.fullmatch(match[2]) or match[1] in _NODES or is_public(match[2]):
        return
    for group, kind in ((1, "user"), (2, "host")):
        if not _says_nothing(match[group]):
            yield Place(*match.span(group), kind, match[group])


def _domain(match: re.Match[str]) -> Iterator[Place]:
    if not is_public(match[0]) and not match[0][0].isdigit():
        yield Place(*match.span(), "host", match[0])


_SIGNS: Final = (
    *(Sign(words, regex(source), _named("user")) for words, source in _USERS),
    *(Sign(words, regex(source), _named("host")) for words, source in _HOSTS),
    Sign(("@",), _AT, _at_place),
    Sign(tuple(f".{top}" for top in (*_TOP.split(), *_COUNTRY.split())), _DOMAIN, _domain),
)
