"""Names of machines: in prefixes of logs, after a label, in addresses of the web, in mounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.common_names import identifies_nobody, is_public_site
from pagefault_doctor.session.redact.search import FoundName, NamePattern, each_group
from pagefault_doctor.session.redact.users import USER

_HOST: Final = r"[^\W_](?:[\w.-]{0,251}[^\W_])?"

_CLEAR: Final = rf"(?=[^\W_]\S{{0,60}}[\d.-]){_HOST}"
"""A name that is no ordinary word, for labels after which one can stand too."""

_STAMP: Final = r"^(?:[ >|]{0,3})(?:<\d{1,3}>)?(?:1 )?"
_TIME: Final = (
    r"(?:[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?"
    r"(?:Z|[+-]\d\d:?\d\d)?)"
)
_MONTHS: Final = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_HOSTS: Final = (
    ((*_MONTHS, "t"),
     rf"(?m){_STAMP}{_TIME} ({_HOST}) "
     r"(?:[A-Za-z][\w./()@-]*(?:\[\S{1,80}\])?:|last message |kernel )"),
    (("kernel", "systemd", "sshd", "sudo", "cron", "dbus"),
     rf"(?m){_STAMP}(?:\[ *\d+\.\d+\]|{_TIME}|\d{{4}}-\S{{10,30}}) ({_HOST}) "
     rf"(?:kernel|systemd|sshd|sudo|CRON|dbus-daemon|systemd-\w+)(?:\[\d+\])?:"),
    (("dhcp",),
     rf"\bDHCP[A-Z]+\(\S{{1,15}}\) \S{{7,40}} (?:[0-9a-f]{{2}}:){{5}}[0-9a-f]{{2}} ({_HOST})"),
    (("name=",), rf"(?m)^name=({_HOST})$"),
    (("name", "fqdn", "host", "server"),
     rf"(?i:(?<![a-z])(?:_?hostname|host[_ ]name|fqdn|nodename|node_name|rhost|server|host))"
     rf"['\"]?\s?(?:=|: ?)\s{{0,20}}['\"]?({_HOST})"),
    (("hostname", "host_name"), rf"(?:[Hh]ostname (?:set )?to|host_name) ['\"<]?({_HOST})"),
    (("hostname",), rf"\bhostname changed from ['\"]({_HOST})['\"] to ['\"]({_HOST})['\"]"),
    (("remote", "lookup", "resolve", "address", "peer"),
     rf"\b(?:remote host|dial tcp: lookup|lookup|resolve host(?: address)?:?|address for|peer)"
     rf" ['\"]?({_CLEAR})(?=['\"]|[\s,;:)]|\.?$)"),
    (("server ",), rf"\bserver ({_HOST})(?:,| not responding| OK\b| timed out| offset)"),
    (("://",),
     rf"(?i:https?|ssh|s?ftp|nfs|rsync|git|smb|cifs|ldaps?|wss?|tcp|udp|amqps?|rediss?|mysql|"
     rf"postgres(?:ql)?|mongodb(?:\+srv)?|mqtts?|nats|iscsi)://(?:[^\s/@]{{1,200}}@)?({_HOST})"),
    (("//", "\\\\"), rf"(?:(?<![:\w/\\])//|(?<![:\w/\\])\\\\\\\\|(?<![:\w/\\])\\\\)({_HOST})"
                     r"(?:[/\\]+\w| has not responded| Error\b|$)"),
    ((":/",), rf"(?m)^({_HOST}):/\S* +\d"),
    ((" type ",), rf"(?m)(?:^|(?<=\s))({_HOST}):/\S* on /\S* type "),
    (("mounting", "mounted"), rf"\bmount(?:ing|ed)(?:\(nfs\):)?(?: mounted)? ({_HOST}):/"),
    (("to", "from"),
     rf"\b(?:[Cc]onnect(?:ed|ing)?|[Cc]onnection|[Ll]ogin|ssh|scp|ping) (?:to|from) ({_HOST})"
     r"(?= port|:|\.?$)"),
    (("connect",), rf"\bconnect(?:ion)?(?: to)? ({_CLEAR})(?=:\d| closed| refused| port)"),
    ((" login:",), rf"(?m)^({_HOST}) login:"),
    (("linux ",), rf"\bLinux ({_HOST}) \d+\.\d+\.\d+\S* #\d"),
    (("/dev/md",), rf"/dev/md/({_HOST}):"),
    (("cn",), rf"(?i)\bcn ?= ?({_CLEAR})"),
)  # fmt: skip
"""Patterns of hosts: prefixes of logs, labels, URLs, mounts, `uname -a`."""

_HOSTS_FILE: Final = regex(
    r"(?m)^(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[0-9a-f:]{0,30}::)[0-9a-f:]{2,39})(?:[ \t]{1,30})"
    rf"({_CLEAR})(?:[ \t]{{1,8}}({_HOST}))?(?:[ \t]{{1,8}}({_HOST}))?[ \t]*$"
)
_ORGANIZATION: Final = regex(
    r"(?i)(?<![a-z])(?:ou?|l|st|organization) ?= ?([^,/=\n'\"]{2,80})(?=,|/|\n|$|'|\")"
)
_SUBJECT: Final = regex(r"(?i)\b(?:subject|issuer)\b[:=]? ?([^\n]{2,600})")
_CERTIFICATE: Final = regex(r"X\.509 (?:cert|certificate) '([^'\n]{2,120}?)(?:: ([0-9a-f]{40}))?'")
_PUBLIC_SIGNERS: Final = regex(
    r"(?i)build time|debian|ubuntu|canonical|red hat|fedora|suse|centos|rocky|alma|oracle|microsoft"
    r"|arch linux|amazon|google|wireless-regdb|sforshee|wens:|seth|chen-yu|dell inc|lenovo|hewlett"
)
"""Signers that a distribution or a maker of machines puts into every kernel or firmware."""

_USER_AT_HOST: Final = regex(rf"({USER})(?: {{2}})?@({_HOST})")
_JOINED_BEFORE: Final = regex(r"[\w.+-]|(?<!/)/")
_NO_HOST: Final = regex(
    r"(?:\d[\dA-Fa-f,]*|0x[\dA-Fa-f]+|[\dA-Fa-f]{6,}|tty\w*|\d+|plt|entry|got\w*|tpoff|Base|page\w*|lo|hi"
    r"|function|object|progbits|nobits|note|(?:GLIBC|GCC|CXXABI|LIB)[\w.]*"
    r"|.*\.(?:service|socket|mount|slice|timer|device|scope|target|path|swap|[chS]|rs|py|ko|so))"
)
"""What can follow `@` and is no host: units, device tree addresses, symbol versions."""
_DEVICE_TREE_NODES: Final = frozenset(
    "cpu memory i2c spi uart serial pci pcie usb gpio mmc ethernet soc bus dma timer flash eth "
    "phy watchdog gpu sram clock interrupt-controller port endpoint partition".split()
)

_TOP: Final = frozenset(
    "com org net edu gov mil local localdomain lan internal intranet corp home example test "
    "invalid biz arpa de uk fr nl ch eu jp cn ru au ca br dev cloud io app svc consul network "
    "online digital".split()
)
LOCAL_DOMAINS: Final = frozenset(
    "local localdomain lan internal intranet home corp test invalid".split()
)
"""Top-level domains of local networks."""
_WORDS_TOO: Final = frozenset(
    "at be it es pt se no fi dk cz ua us mx nz kr tw hk sg tr gr hu ro bg sk ie il za "
    "me tv co ai gg info name pro site tech xyz top systems services solutions "
    "software group company agency global world host hosting page blog shop store email energy "
    "bank health science engineering academy institute private priv intra localnet domain mgmt "
    "onion zone space live news media studio design team works build tools run int aero edu "
    "localhost".split()
)
"""Top-level domains that are ordinary words too: only after a name of two parts."""
_TOP_LABEL: Final = regex(r"\.([A-Za-z]{2,12})(?![\w-]|\.\w|\(|\+0x)")
_LABELS_BACK: Final = regex(r"(?:[\w-]{0,62}[^\W_](?:\.|(?![\w.-]))){1,9}")


def _domain(match: re.Match[str]) -> Iterator[FoundName]:
    """Yield the name that ends with this top-level domain."""
    top, end = match[1].lower(), match.start()
    if top not in _TOP and top not in _WORDS_TOO:
        return
    back = match.string[max(end - 255, 0) : end][::-1]
    run = _LABELS_BACK.match(back)
    if not run or run[0].endswith(".") or re.match(r"[\w-]", back[run.end() : run.end() + 1]):
        return
    start = end - run.end()
    name = match.string[start : match.end()]
    parts = name.count(".")
    if parts < 2 and (name[0].isdigit() or top not in _TOP):
        return
    if is_public_site(name) or re.match(r"\d+\.\d", name):
        return
    yield FoundName(start, match.end(), "host", name)


def _user_at_host(match: re.Match[str]) -> Iterator[FoundName]:
    """Yield both names in `user@host`, unless it is a unit, a device tree node or a symbol."""
    start = match.start()
    before = match.string[max(start - 2, 0) : start]
    if before and _JOINED_BEFORE.match(before, len(before) - 1):
        return
    if _NO_HOST.fullmatch(match[2]) or match[1] in _DEVICE_TREE_NODES or is_public_site(match[2]):
        return
    for group, kind in ((1, "user"), (2, "host")):
        if not identifies_nobody(match[group]):
            yield FoundName(*match.span(group), kind, match[group])


def _subject(match: re.Match[str]) -> Iterator[FoundName]:
    for part in _ORGANIZATION.finditer(match.string, *match.span(1)):
        if not _PUBLIC_SIGNERS.search(part[1]):
            yield FoundName(*part.span(1), "org", part[1].strip())


def _certificate(match: re.Match[str]) -> Iterator[FoundName]:
    if not _PUBLIC_SIGNERS.search(match[1]):
        yield from each_group("org")(match)


_FIND_HOST: Final = each_group("host", identifies_nobody)

HOSTS: Final = (
    *(NamePattern(words, regex(source), _FIND_HOST) for words, source in _HOSTS),
    NamePattern(("\t", " "), _HOSTS_FILE, _FIND_HOST),
    NamePattern(("@",), _USER_AT_HOST, _user_at_host),
    NamePattern((".",), _TOP_LABEL, _domain),
    NamePattern(("subject", "issuer"), _SUBJECT, _subject),
    NamePattern(("cert", "certificate"), _CERTIFICATE, _certificate),
    NamePattern(("signer",), regex(r"(?m)^signer: +([^\n]{2,120})$"), _certificate),
)
"""Patterns of hosts and the organizations in certificates."""
