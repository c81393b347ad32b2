"""Identifiers of machines, networks, disks and people, found by their form or their label.

Each finder yields positions in a text. If an identifier looks like something that an analyst needs,
such as a version of four numbers or an address in a program, the words around it decide. A pattern
is only tried on chunks that contain one of its words, so the time for large texts is bounded.
Escapes of terminals, JSON, URLs and udev are replaced by spaces first, because they would be read
as part of the word next to them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pagefault_doctor.model.pattern import regex

CHUNK_CHARS: Final = 4096
"""Characters of a chunk; it extends to the end of a line."""

_ESCAPE: Final = regex(
    r"\\x1b\[[0-9;?]{0,12}[A-Za-z]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrt]|%[0-9A-F]{2}"
)
_ESCAPED: Final = {"%40": "@", "%2F": "/", "%3A": ":", "\\x2d": "-"}
"""Characters that some escapes stand for; padded on the left, so that positions do not change."""


class FoundName(NamedTuple):
    """The position of a name in a text. `key` is equal for all spellings of one name."""

    start: int
    end: int
    kind: str
    key: str


class NamePattern(NamedTuple):
    """A pattern, lower-case words of which every match contains one, and a function of a match.

    `find` yields the names in a match. Without words the pattern is tried everywhere.
    """

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    find: Callable[[re.Match[str]], Iterator[FoundName]]


def without_escapes(text: str) -> str:
    """Return a text of the same length with escapes replaced by spaces and their character."""
    if "\\" not in text and "%" not in text:
        return text
    return _ESCAPE.sub(lambda m: _ESCAPED.get(m[0], " ").rjust(len(m[0])), text)


def search(text: str, patterns: tuple[NamePattern, ...]) -> Iterator[FoundName]:
    """Yield all names that the patterns find in a text without escapes."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin + CHUNK_CHARS) + 1 or len(text)
        chunk = text[begin:end]
        lower = chunk.lower()
        for pattern in patterns:
            if pattern.words and not any(word in lower for word in pattern.words):
                continue
            for match in pattern.pattern.finditer(chunk):
                for found in pattern.find(match):
                    yield found._replace(start=found.start + begin, end=found.end + begin)
        begin = end


BEGIN: Final = r"(?<![^\W_])"
"""Matches the beginning of a word; `_` is no part of it."""
END: Final = r"(?![^\W_])"
"""Matches the end of a word; `_` is no part of it."""

_IP4: Final = regex(r"\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
_IP4_DASHED: Final = regex(BEGIN + r"ip-(\d{1,3}(?:-\d{1,3}){3})(?!\d)")
_VERSION_BEFORE: Final = regex(
    r"(?i)(?:(?<![a-z])(?:version|ver|rev|revision|release|firmware|fw|bios|driver|microcode|nvm)"
    r"[ \t:=,(/-]{0,4}|(?<![a-z])v|\d\.)\Z"
)
_JOINED_AFTER: Final = regex(r"-?[A-Za-z]|-\d(?!\d{0,2}\.\d{1,3}\.\d{1,3}\.\d)")
_GROUP: Final = r"[0-9A-Fa-f]{1,4}(?![^\W_])"
_IP6: Final = regex(
    rf"(?:(?<![\w:])|(?<=_)|(?<=[0-9A-Za-z]:))(?:{_GROUP})?(?::(?:{_GROUP})?){{2,8}}"
    r"(?:(?<=\d)(?:\.\d{1,3}){3})?"
)

_MAC: Final = regex(rf"{BEGIN}[0-9A-Fa-f]{{2}}(?:[:-][0-9A-Fa-f]{{2}}){{5,}}{END}")
_MAC_PAIRS: Final = frozenset((6, 7, 8, 9, 14))
"""Bytes in a hardware address: Ethernet, EUI-64, `MAC=` of netfilter. Signatures have more."""
_MAC_DOTTED: Final = regex(rf"{BEGIN}[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}{END}")
_MAC_BARE: Final = regex(rf"(?:{BEGIN}|(?<=enx)|(?<=wlx)|(?<=wwx))[0-9A-Fa-f]{{12}}{END}")
_MAC_LABEL_BEFORE: Final = regex(
    r"(?i)(?:\b(?:enx|wlx|wwx)|(?:mac|hw|hwaddr|ether|lladdr|bssid|hardware)"
    r"(?:[ _-]?addr(?:ess)?)?[\s:='\"(\[<]{1,4})\Z"
)
_MAYBE_MAC: Final = "mac?"
_NO_MAC_BEFORE: Final = regex(
    r"(?i)(?:commit|fixes:|upstream|git)[\s:]{1,3}\Z|-g\Z|\b[0-9a-f]{8,16}: ?\Z"
)
"""Before a git commit, or an s390 instruction."""

_HEX: Final = "[0-9A-Fa-f]"
_UUID: Final = regex(
    rf"(?<!{_HEX}){_HEX}{{8}}(?:(?: {{3}})?-{_HEX}{{4}}){{3}}(?: {{3}})?-{_HEX}{{12}}(?!{_HEX})"
)
_UUID_BARE: Final = regex(rf"{_HEX}{{32}}(?<![^\W_]{_HEX}{{32}}){END}")
_PUBLIC_UUIDS: Final = frozenset(("8be4df6193ca11d2aa0d00e098032b8c",))
"""UUIDs that are equal on all machines: EFI_GLOBAL_VARIABLE_GUID (linux/efi.h)."""

_MAIL: Final = regex(
    r"(?<![\w.+-])[\w.+-]{1,64}(?: {2})?@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"
    r"\.[A-Za-z]{2,24}(?![\w-]|\.\w)"
)
_PUBLIC_MAIL: Final = ("@lists.", "@vger.kernel.org")
"""Public mail addresses; Debian kernels have one in their banner."""

_SERIAL: Final = r"[^\W_][\w.+:/-]{2,63}(?<![.:/])"
_LABELLED: Final = (
    ("serial", ("serial",),
     r"(?i)serial(?:_short)?(?:[ _-]?(?:number|num|no\b\.?))?['\"]?\s{0,3}[:=]\s{0,30}['\"]?"
     rf"({_SERIAL})"),
    ("serial", ("s/n", "sn", "tag"),
     rf"(?i)(?<![a-z])(?:s/n|sn|(?:service|asset)[ _]tag)\s?[:=]\s?['\"]?({_SERIAL})"),
    ("serial", ("serial", "s/n"),
     r"(?i)(?<![a-z])(?:s/n|serial(?: number| no\.?)?) (?=\S{0,60}\d)([^\W_][\w-]{4,63})"),
    ("serial", ("iserial",), r"(?i)iserial {1,20}\d{1,3} ([\w.-]{3,64})"),
    ("serial", ("vmware-",), r"\b(VMware-(?:[0-9a-f]{2}[ -]?){16})"),
    ("id", ("wwn", "wwpn", "wwnn", "naa.", "eui."),
     r"(?i)(?:ww[pn]?n(?:-|\W{1,3})|naa\.|eui\.)((?:0x)?[0-9a-f]{16,32})"),
    ("id", ("by-",),
     r"by-(?:id|uuid|partuuid|label|partlabel)/([^\s/'\"<>]{1,128}?)"
     r"(?:-part\d+)?(?=[\s/'\"<>,;:)\]]|\.?$|\. |$)"),
    ("id", ("uuid=",), r"UUID=([0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}|[0-9a-f]{8}-[0-9a-f]{2})\b(?!-)"),
    ("id", ("iqn.", "nqn."), r"\b((?:iqn|nqn)\.\d{4}-\d\d\.[\w.:-]{1,200}(?<![.:-]))"),
    ("ssid", ("ssid",),
     r"(?i)ssid['\"]?\s?[:=]\s?(?:'([^'\n]{1,64})'|\"([^\"\n]{1,64})\"|([^\s'\",]{1,64}))"),
    ("secret", ("pass", "token", "secret", "key"),
     r"(?i)(?<![a-z])(?:password|passwd|passphrase|pass|token|secret|api[_-]?key)"
     r"['\"]?(?:=|: ?)['\"]?([^\s'\",;&]{3,200})"),
    ("secret", ("://",), r"://[^\s:/@]{1,64}:([^\s/@]{1,200})@"),
)  # fmt: skip
"""Identifiers after a label: the kind, words of the label, and the pattern."""
_NO_SERIAL: Final = regex(
    r"(?i:\d{1,3}|0+|8250.*|n/a|none|null|not|to|default|system|unknown|driver|ports?|console|"
    r"number|device|(?:bus|line|link|interface)s?|amba|tty\w*|serial\w*|.*\.usb)"
    r"|[A-Z]?[a-z]{2,}"
)
"""Not a serial number: `SerialNumber=3` of usbcore is an index, `Serial: 8250/16550` a driver."""


def find_identifiers(text: str, seen: frozenset[str] = frozenset()) -> Iterator[FoundName]:
    """Yield every identifier in a text, by its form or label.

    `seen` are hardware addresses found elsewhere: twelve hexadecimal digits alone are ambiguous.
    """
    for found in search(without_escapes(text), _PATTERNS):
        if found.kind != _MAYBE_MAC:
            yield found
        elif found.key in seen:
            yield found._replace(kind="mac")


def _ip4(match: re.Match[str]) -> FoundName | None:
    word, (start, end) = match[0], match.span()
    parts = word.split(".")
    if all(len(part) == 3 for part in parts):
        parts = [part.lstrip("0") or "0" for part in parts]
    try:
        address = ipaddress.IPv4Address(".".join(parts))
    except ValueError:
        return None
    if address.is_loopback or parts[0] in ("0", "255"):
        return None
    if match.string[start - 1 : start].isdigit():
        return None
    before, after = match.string[max(start - 24, 0) : start], match.string[end : end + 12]
    if not address.is_private and _is_version(int(parts[0]), before, after):
        return None
    return FoundName(start, end, "ip", str(address))


def _is_version(first: int, before: str, after: str) -> bool:
    """Return whether four numbers are a version, judging by the text around them."""
    if _VERSION_BEFORE.search(before) or re.match(r"\.\d", after):
        return True
    joined = re.search(r"[A-Za-z]-?\Z", before) or _JOINED_AFTER.match(after)
    return first < 10 and joined is not None


def _ip4_dashed(match: re.Match[str]) -> FoundName | None:
    """Return the address in names such as `ip-10-0-0-5`, which clouds give to machines."""
    try:
        address = ipaddress.IPv4Address(match[1].replace("-", "."))
    except ValueError:
        return None
    return FoundName(match.start(), match.end(), "ip", str(address))


def _ip6(match: re.Match[str]) -> FoundName | None:
    word, start = match[0], match.start()
    if word.startswith(":") and not word.startswith("::"):
        word, start = word[1:], start + 1
    while word.count(":") > 1:
        try:
            address = ipaddress.IPv6Address(word)
        except ValueError:
            word = word[:-1] if word.endswith((":", ".")) else word.rpartition(":")[0]
            continue
        if address.is_unspecified or address.is_loopback:
            return None
        return FoundName(start, start + len(word), "ip", address.compressed)
    return None


def _mac(match: re.Match[str]) -> FoundName | None:
    digits = re.sub("[:-]", "", match[0]).lower()
    pairs = len(digits) // 2
    infiniband = pairs == 20 and match.string[: match.start()].endswith("infiniband ")
    if not (pairs in _MAC_PAIRS or infiniband) or len(set(digits)) == 1:
        return None
    return FoundName(*match.span(), "mac", digits)


def _mac_bare(match: re.Match[str]) -> FoundName | None:
    """Return the address, marked as uncertain if it may be a program address, commit or time."""
    digits = match[0].replace(".", "").lower()
    start, end = match.span()
    before = match.string[max(start - 24, 0) : start]
    mixed = not digits.isdigit() and not digits.isalpha()
    unicast = int(digits[:2], 16) % 2 == 0
    program = digits[0] == "7" or digits.startswith(("55", "56", "aaaa", "ffff"))
    likely = mixed and unicast and not program and not _NO_MAC_BEFORE.search(before)
    kind = "mac" if likely or _MAC_LABEL_BEFORE.search(before) else _MAYBE_MAC
    return FoundName(start, end, kind, digits)


def _uuid(match: re.Match[str]) -> FoundName | None:
    digits = re.sub("[- ]", "", match[0]).lower()
    if digits in _PUBLIC_UUIDS or len(set(digits)) < 3:
        return None
    return FoundName(*match.span(), "id", digits)


def _mail(match: re.Match[str]) -> FoundName | None:
    word = match[0].lower()
    if any(public in word for public in _PUBLIC_MAIL) or word.endswith(_NO_DOMAIN):
        return None
    return FoundName(*match.span(), "mail", word)


_NO_DOMAIN: Final = (
    *(".service", ".socket", ".mount", ".slice", ".timer", ".device", ".scope", ".target"),
    *(".path", ".swap", ".automount", ".so", ".ko"),
)
"""Suffixes of systemd units and files, which look like mail addresses."""

_Check = Callable[[re.Match[str]], FoundName | None]

_CHECKED: Final[tuple[tuple[tuple[str, ...], re.Pattern[str], _Check], ...]] = (
    (("@",), _MAIL, _mail),
    (("-",), _UUID, _uuid),
    ((), _UUID_BARE, _uuid),
    ((":", "-"), _MAC, _mac),
    ((), _MAC_DOTTED, _mac_bare),
    ((), _MAC_BARE, _mac_bare),
    ((":",), _IP6, _ip6),
    ((".",), _IP4, _ip4),
    (("ip-",), _IP4_DASHED, _ip4_dashed),
)


def _find_checked(check: _Check) -> Callable[[re.Match[str]], Iterator[FoundName]]:
    def find(match: re.Match[str]) -> Iterator[FoundName]:
        if found := check(match):
            yield found

    return find


def _find_labelled(kind: str) -> Callable[[re.Match[str]], Iterator[FoundName]]:
    def find(match: re.Match[str]) -> Iterator[FoundName]:
        group = match.lastindex or 0
        if kind != "serial" or not _NO_SERIAL.fullmatch(match[group]):
            yield FoundName(*match.span(group), kind, match[group].lower())

    return find


_PATTERNS: Final = (
    *(NamePattern(words, pattern, _find_checked(check)) for words, pattern, check in _CHECKED),
    *(NamePattern(words, regex(source), _find_labelled(kind)) for kind, words, source in _LABELLED),
)
