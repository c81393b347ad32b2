"""Addresses of machines, found by their form: IP and hardware addresses in every notation.

If an address looks like something that an analyst needs, such as a version of four numbers or an
address in a program, the words around it decide. A pattern begins with a set of characters, and
what is before is tested only after it, which is many times faster.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.search import BEGIN, END, FoundName, NamePattern, checked

_IP4: Final = regex(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\d)")
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
_IP6_COLONS: Final = regex(r":(?::|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){4}:[0-9A-Fa-f]{1,4}[.:])")
"""Two colons in a row, or as many as an address has that leaves out nothing."""
_BEFORE_COLON: Final = regex(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{1,4}){0,7}:?")
_IP4_END: Final = regex(r"\d{1,3}::")
"""The end of an IPv4 address before an empty field, as in `ip=10.0.0.5::10.0.0.1`."""
_PAIRS: Final = regex(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7}")
"""Bytes, as of a signature or a hardware address."""
_HEX_IP: Final = regex(
    r"(?i)(?:\b(?:ip|ipv4|inet)[ _-]?addr(?:ess)?|\b[sd]addr|\bsrc[ _]?ip|\bdst[ _]?ip)"
    r"['\"]?\s?[:=]?\s?(?:0x)?([0-9a-f]{8})\b"
)
_PROC_NET: Final = regex(r"([0-9A-F]{8}):[0-9A-F]{4} ([0-9A-F]{8}):[0-9A-F]{4} [0-9A-F]{2}\b")
_PROC_INET6: Final = regex(r"\b([0-9a-f]{32})(?: [0-9a-f]{2}){4} {1,12}\S")
_PROC_ROUTE: Final = regex(r"(?m)^[\w.@-]+\t([0-9A-F]{8})\t([0-9A-F]{8})\t")

_MAC: Final = regex(
    rf"[0-9A-Fa-f]{{2}}(?<![^\W_]..)[:-][0-9A-Fa-f]{{2}}(?:[:-][0-9A-Fa-f]{{2}}){{4,}}{END}"
)
_MAC_PAIRS: Final = frozenset((6, 7, 8, 9, 14))
"""Bytes in a hardware address: Ethernet, EUI-64, `MAC=` of netfilter. Signatures have more."""
_FINGERPRINT_BEFORE: Final = regex(r"(?i)(?:md5[: ]|fingerprint\W{1,3}|\b\d{3,5} )\Z")
_MAC_DOTTED: Final = regex(rf"[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}{END}")
_MAC_BARE: Final = regex(
    rf"[0-9A-Fa-f]{{12}}{END}(?:(?<![^\W_][0-9A-Fa-f]{{12}})|(?<=[enlw][nlw]x[0-9A-Fa-f]{{12}}))"
)
_MAC_LABEL_BEFORE: Final = regex(
    r"(?i)(?:\b(?:enx|wlx|wwx)|(?:mac|hw|hwaddr|ether|lladdr|bssid|hardware)"
    r"(?:[ _-]?addr(?:ess)?)?[\s:='\"(\[<]{1,4}|RTL\d\w+/?\w*, )\Z"
)
MAYBE_MAC: Final = "mac?"
"""The kind of twelve hexadecimal digits that are an address only if it is seen elsewhere."""
_NO_MAC_BEFORE: Final = regex(
    r"(?i)(?:commit|fixes:|upstream|git)[\s:]{1,3}\Z|-g\Z|\b[0-9a-f]{8,16}: ?\Z"
    r"|\bcontainer[ _-]?(?:id|name)?['\" =:]{1,3}\Z|[0-9a-f]{4}-[0-9a-f]{4}-\Z"
    r"|\b(?:TSC|ADDR|MISC|STATUS|PPIN) \Z"
)
"""Before a git commit, an s390 instruction, a register of a machine check, the
id of a container, the end of a UUID."""
_LINK_HEADER: Final = regex(r"ll header: [0-9a-f]{8}: ((?:[0-9a-f]{2} ){11}[0-9a-f]{2})\b")


@lru_cache(maxsize=4096)
def _numbers(word: str) -> tuple[int, str, bool] | None:
    """Return the first number of an address, the address itself, and whether it is private.

    Return None if these four numbers identify no machine.
    """
    parts = word.split(".")
    if not all(len(part) == 3 for part in parts) and any(
        part[0] == "0" and part != "0" for part in parts
    ):
        return None
    numbers = tuple(map(int, parts))
    if max(numbers) > 255 or numbers[0] in (0, 127, 255):
        return None
    address = ipaddress.IPv4Address(bytes(numbers))
    return numbers[0], str(address), address.is_private


def _ip4(match: re.Match[str]) -> FoundName | None:
    start, end = match.span()
    known = _numbers(match[0])
    if known is None or match.string[start - 1 : start].isdigit():
        return None
    first, address, private = known
    before, after = match.string[max(start - 24, 0) : start], match.string[end : end + 12]
    if not private and _is_version(first, before, after):
        return None
    return FoundName(start, end, "ip", address)


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
    """Return the address around these colons, of which the first may be of a word before it."""
    colons = (match.start() + place for place, sign in enumerate(match[0]) if sign == ":")
    return next(filter(None, (_ip6_around(match.string, colon) for colon in colons)), None)


def _ip6_around(text: str, colon: int) -> FoundName | None:
    before = text[max(colon - 40, 0) : colon]
    run = _BEFORE_COLON.match(before[::-1])
    first = colon - (run.end() if run else 0)
    for start in range(first, colon + 1):
        if first < start < colon and text[start - 1] != ":":
            continue
        whole = _IP6.match(text, start)
        if whole and whole.end() > colon and (found := _ip6_in(whole)):
            return found
    return None


def _ip6_in(match: re.Match[str]) -> FoundName | None:
    word, start = match[0], match.start()
    if word.startswith(":") and not word.startswith("::"):
        word, start = word[1:], start + 1
    while word.count(":") > 1:
        try:
            address = ipaddress.IPv6Address(word)
        except ValueError:
            word = _shorter(word)
            continue
        if address.is_unspecified or address.is_loopback:
            return None
        if _PAIRS.fullmatch(word):
            return None
        if _IP4_END.match(word) and match.string[start - 1 : start] == ".":
            return None
        return FoundName(start, start + len(word), "ip", address.compressed)
    return None


def _shorter(word: str) -> str:
    """Return the word without what may not belong to the address: a sign, a number, a group."""
    if word.endswith((":", ".")):
        return word[:-1]
    return word.rpartition("." if "." in word.rpartition(":")[2] else ":")[0]


def _hex_ip(match: re.Match[str]) -> FoundName | None:
    """Return the address in hexadecimal digits after a label, in network order."""
    return _hex_found(match, 1, bytes.fromhex(match[1]))


def _hex_found(match: re.Match[str], group: int, numbers: bytes) -> FoundName | None:
    address = ipaddress.IPv4Address(numbers)
    if address.is_unspecified or address.is_loopback:
        return None
    return FoundName(*match.span(group), "ip", str(address))


def _proc_net(match: re.Match[str]) -> list[FoundName]:
    """Return the addresses in a line of /proc/net, in the order of bytes of most machines."""
    found = (_hex_found(match, group, bytes.fromhex(match[group])[::-1]) for group in (1, 2))
    return [name for name in found if name]


def _proc_inet6(match: re.Match[str]) -> FoundName | None:
    address = ipaddress.IPv6Address(bytes.fromhex(match[1]))
    return None if address.is_loopback else FoundName(*match.span(1), "ip", address.compressed)


def _mac(match: re.Match[str]) -> FoundName | None:
    digits = re.sub("[:-]", "", match[0]).lower()
    pairs = len(digits) // 2
    if len(set(digits)) == 1:
        return None
    before = match.string[max(match.start() - 24, 0) : match.start()]
    if pairs == 16 and _FINGERPRINT_BEFORE.search(before):
        return FoundName(*match.span(), "id", digits)
    infiniband = pairs == 20 and before.endswith("infiniband ")
    return FoundName(*match.span(), "mac", digits) if pairs in _MAC_PAIRS or infiniband else None


def _mac_dotted(match: re.Match[str]) -> FoundName | None:
    before = match.string[match.start() - 1 : match.start()]
    return None if before.isalnum() else _mac_bare(match)


def _mac_bare(match: re.Match[str]) -> FoundName | None:
    """Return the address, marked as uncertain if it may be a program address, commit or time."""
    digits = match[0].replace(".", "").lower()
    start, end = match.span()
    before = match.string[max(start - 24, 0) : start]
    mixed = not digits.isdigit() and not digits.isalpha()
    unicast = int(digits[:2], 16) % 2 == 0
    program = digits[0] == "7" or digits.startswith(("55", "56", "aaaa", "ffff"))
    likely = mixed and unicast and not program and not _NO_MAC_BEFORE.search(before)
    kind = "mac" if likely or _MAC_LABEL_BEFORE.search(before) else MAYBE_MAC
    return FoundName(start, end, kind, digits)


def _link_header(match: re.Match[str]) -> FoundName:
    return FoundName(*match.span(1), "mac", match[1].replace(" ", ""))


ADDRESSES: Final = (
    NamePattern((":", "-"), _MAC, checked(_mac)),
    NamePattern((".",), _MAC_DOTTED, checked(_mac_dotted)),
    NamePattern((), _MAC_BARE, checked(_mac_bare)),
    NamePattern((":",), _IP6_COLONS, checked(_ip6)),
    NamePattern((".",), _IP4, checked(_ip4)),
    NamePattern(("ip-",), _IP4_DASHED, checked(_ip4_dashed)),
    NamePattern(("ip", "ipv", "inet", "addr"), _HEX_IP, checked(_hex_ip)),
    NamePattern((":",), _PROC_NET, lambda match: iter(_proc_net(match))),
    NamePattern(("\t",), _PROC_ROUTE, lambda match: iter(_proc_net(match))),
    NamePattern((" 80 ", " 40 ", " 20 ", " 00 "), _PROC_INET6, checked(_proc_inet6)),
    NamePattern(("header",), _LINK_HEADER, checked(_link_header)),
)
"""Patterns of addresses."""
