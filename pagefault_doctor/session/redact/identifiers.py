"""What names a machine, a network, a disk or a person and is known by its shape or its label.

Each finder returns places in a text. Where a shape may also be what an analyst needs, such as a
version of four numbers or an address of a program, the words around it decide. An expression is
tried only on pieces of a text that hold one of its words, so that large texts take bounded time.
Escapes, of a terminal, of JSON, of a URL and of udev, are blanked first, so that what is glued to
them stands alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pagefault_doctor.model.pattern import regex

PIECE: Final = 4096
"""Characters of a piece, which ends with a line wherever that is possible."""

_ESCAPE: Final = regex(
    r"\\x1b\[[0-9;?]{0,12}[A-Za-z]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrt]|%[0-9A-F]{2}"
)
_MEANT: Final = {"%40": "@", "%2F": "/", "%3A": ":", "\\x2d": "-"}
"""What some escapes stand for; in a plain text it comes last, so that places stay the same."""


class FoundName(NamedTuple):
    """A place in a text that names somebody. `key` is the same for all spellings of one thing."""

    start: int
    end: int
    kind: str
    key: str


class NameSign(NamedTuple):
    """An expression, words of which its matches hold one (in small letters), and what it finds.

    Without words it is tried everywhere.
    """

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    places: Callable[[re.Match[str]], Iterator[FoundName]]


def plain(text: str) -> str:
    """Return a text of the same length in which escapes are blanks and what they stand for."""
    if "\\" not in text and "%" not in text:
        return text
    return _ESCAPE.sub(lambda m: _MEANT.get(m[0], " ").rjust(len(m[0])), text)


def search(text: str, signs: tuple[NameSign, ...]) -> Iterator[FoundName]:
    """Give all places that the signs find in a plain text."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin + PIECE) + 1 or len(text)
        piece = text[begin:end]
        lower = piece.lower()
        for sign in signs:
            if sign.words and not any(word in lower for word in sign.words):
                continue
            for match in sign.pattern.finditer(piece):
                for place in sign.places(match):
                    yield place._replace(start=place.start + begin, end=place.end + begin)
        begin = end


BEGIN: Final = r"(?<![^\W_])"
END: Final = r"(?![^\W_])"

_IP4: Final = regex(r"\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
_IP4_DASHED: Final = regex(BEGIN + r"ip-(\d{1,3}(?:-\d{1,3}){3})(?!\d)")
_VERSION_BEFORE: Final = regex(
    r"(?i)(?:(?<![a-z])(?:version|ver|rev|revision|release|firmware|fw|bios|driver|microcode|nvm)"
    r"[ \t:=,(/-]{0,4}|(?<![a-z])v|\d\.)\Z"
)
_GLUED_AFTER: Final = regex(r"-?[A-Za-z]|-\d(?!\d{0,2}\.\d{1,3}\.\d{1,3}\.\d)")
_GROUP: Final = r"[0-9A-Fa-f]{1,4}(?![^\W_])"
_IP6: Final = regex(
    rf"(?:(?<![\w:])|(?<=_)|(?<=[0-9A-Za-z]:))(?:{_GROUP})?(?::(?:{_GROUP})?){{2,8}}"
    r"(?:(?<=\d)(?:\.\d{1,3}){3})?"
)

_MAC: Final = regex(rf"{BEGIN}[0-9A-Fa-f]{{2}}(?:[:-][0-9A-Fa-f]{{2}}){{5,}}{END}")
_MAC_PAIRS: Final = frozenset((6, 7, 8, 9, 14))
"""Of hardware addresses: Ethernet, EUI-64, `MAC=` of netfilter. Signatures have more."""
_MAC_DOTTED: Final = regex(rf"{BEGIN}[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}{END}")
_MAC_BARE: Final = regex(rf"(?:{BEGIN}|(?<=enx)|(?<=wlx)|(?<=wwx))[0-9A-Fa-f]{{12}}{END}")
_MAC_SAID_BEFORE: Final = regex(
    r"(?i)(?:\b(?:enx|wlx|wwx)|(?:mac|hw|hwaddr|ether|lladdr|bssid|hardware)"
    r"(?:[ _-]?addr(?:ess)?)?[\s:='\"(\[<]{1,4})\Z"
)
_MAYBE_MAC: Final = "mac?"
_NO_MAC_BEFORE: Final = regex(
    r"(?i)(?:commit|fixes:|upstream|git)[\s:]{1,3}\Z|-g\Z|\b[0-9a-f]{8,16}: ?\Z"
)
"""A commit of git, an instruction of s390."""

_HEX: Final = "[0-9A-Fa-f]"
_UUID: Final = regex(
    rf"(?<!{_HEX}){_HEX}{{8}}(?:(?: {{3}})?-{_HEX}{{4}}){{3}}(?: {{3}})?-{_HEX}{{12}}(?!{_HEX})"
)
_UUID_BARE: Final = regex(rf"{_HEX}{{32}}(?<![^\W_]{_HEX}{{32}}){END}")
_PUBLIC_UUIDS: Final = frozenset(("8be4df6193ca11d2aa0d00e098032b8c",))
"""The same on every machine: EFI's own variables (linux/efi.h, EFI_GLOBAL_VARIABLE_GUID)."""

_MAIL: Final = regex(
    r"(?<![\w.+-])[\w.+-]{1,64}(?: {2})?@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"
    r"\.[A-Za-z]{2,24}(?![\w-]|\.\w)"
)
_LISTS: Final = ("@lists.", "@vger.kernel.org")
"""Public addresses: Debian's kernels have one in their banner."""

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
"""What a word before it gives away: the kind, words of the label, and what comes behind it."""
_NO_SERIAL: Final = regex(
    r"(?i:\d{1,3}|0+|8250.*|n/a|none|null|not|to|default|system|unknown|driver|ports?|console|"
    r"number|device|(?:bus|line|link|interface)s?|amba|tty\w*|serial\w*|.*\.usb)"
    r"|[A-Z]?[a-z]{2,}"
)
"""`SerialNumber=3` of usbcore is an index, `Serial: 8250/16550 driver` no number at all."""


def found(text: str, seen: frozenset[str] = frozenset()) -> Iterator[FoundName]:
    """Give every place whose shape or label tells. `seen` are hardware addresses met elsewhere."""
    for place in search(plain(text), _SIGNS):
        if place.kind != _MAYBE_MAC:
            yield place
        elif place.key in seen:
            yield place._replace(kind="mac")


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
    """Return whether four numbers are rather a version, by what stands around them."""
    if _VERSION_BEFORE.search(before) or re.match(r"\.\d", after):
        return True
    glued = re.search(r"[A-Za-z]-?\Z", before) or _GLUED_AFTER.match(after)
    return first < 10 and glued is not None


def _ip4_dashed(match: re.Match[str]) -> FoundName | None:
    """Names such as `ip-10-0-0-5`, which clouds give to their machines."""
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
    """Twelve digits may also be an address of a program, a commit or a time."""
    digits = match[0].replace(".", "").lower()
    start, end = match.span()
    before = match.string[max(start - 24, 0) : start]
    mixed = not digits.isdigit() and not digits.isalpha()
    unicast = int(digits[:2], 16) % 2 == 0
    program = digits[0] == "7" or digits.startswith(("55", "56", "aaaa", "ffff"))
    likely = mixed and unicast and not program and not _NO_MAC_BEFORE.search(before)
    kind = "mac" if likely or _MAC_SAID_BEFORE.search(before) else _MAYBE_MAC
    return FoundName(start, end, kind, digits)


def _uuid(match: re.Match[str]) -> FoundName | None:
    digits = re.sub("[- ]", "", match[0]).lower()
    if digits in _PUBLIC_UUIDS or len(set(digits)) < 3:
        return None
    return FoundName(*match.span(), "id", digits)


def _mail(match: re.Match[str]) -> FoundName | None:
    word = match[0].lower()
    if any(public in word for public in _LISTS) or word.endswith(_NO_DOMAIN):
        return None
    return FoundName(*match.span(), "mail", word)


_NO_DOMAIN: Final = (
    *(".service", ".socket", ".mount", ".slice", ".timer", ".device", ".scope", ".target"),
    *(".path", ".swap", ".automount", ".so", ".ko"),
)
"""Ends of what looks like an address of mail and is a unit of systemd, or a file."""

_Judge = Callable[[re.Match[str]], FoundName | None]

_JUDGED: Final[tuple[tuple[tuple[str, ...], re.Pattern[str], _Judge], ...]] = (
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


def _of_shape(judge: _Judge) -> Callable[[re.Match[str]], Iterator[FoundName]]:
    def places(match: re.Match[str]) -> Iterator[FoundName]:
        if place := judge(match):
            yield place

    return places


def _of_label(kind: str) -> Callable[[re.Match[str]], Iterator[FoundName]]:
    def places(match: re.Match[str]) -> Iterator[FoundName]:
        group = match.lastindex or 0
        if kind != "serial" or not _NO_SERIAL.fullmatch(match[group]):
            yield FoundName(*match.span(group), kind, match[group].lower())

    return places


_SIGNS: Final = (
    *(NameSign(words, pattern, _of_shape(judge)) for words, pattern, judge in _JUDGED),
    *(NameSign(words, regex(source), _of_label(kind)) for kind, words, source in _LABELLED),
)
