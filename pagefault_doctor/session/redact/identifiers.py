"""Serial numbers, ids of machines and disks, phone numbers: found by their form or their label."""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.search import (
    END,
    FoundName,
    NamePattern,
    checked,
    each_group,
)

_HEX: Final = "[0-9A-Fa-f]"
_UUID: Final = regex(
    rf"{_HEX}{{8}}(?:(?: {{3}})?[-_]{_HEX}{{4}}){{3}}(?: {{3}})?[-_]{_HEX}{{12}}(?!{_HEX})"
)
_LONG: Final = regex(
    rf"{_HEX}{{32}}(?<![^\W_]{_HEX}{{32}})(?:{END}|{_HEX}{{32}}{END})"
    rf"|(?<=pod){_HEX}{{32}}{END}"
)
"""32 hexadecimal digits are a UUID, 64 the id of a container or the digest of an image."""
_MEMORY: Final = regex(r"0{8}|f{8}")
"""In the contents of memory, but in no number that is drawn by chance."""
_PUBLIC_UUIDS: Final = frozenset(("8be4df6193ca11d2aa0d00e098032b8c",))
"""UUIDs that are equal on all machines: EFI_GLOBAL_VARIABLE_GUID (linux/efi.h)."""

_MAIL: Final = regex(
    r"(?<![\w.+-])[\w.+-]{1,64}(?: {2})?@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"
    r"\.[A-Za-z]{2,24}(?![\w-]|\.\w)"
)
_PUBLIC_MAIL: Final = ("@lists.", "@vger.kernel.org")
"""Public mail addresses; Debian kernels have one in their banner."""
_NO_DOMAIN: Final = (
    *(".service", ".socket", ".mount", ".slice", ".timer", ".device", ".scope", ".target"),
    *(".path", ".swap", ".automount", ".so", ".ko"),
)
"""Suffixes of systemd units and files, which look like mail addresses."""

_SERIAL: Final = r"(?:/(?=[A-Z\d]{5,10}/)|\.\.)?[^\W_][\w.+:/-]{2,63}(?<![.:/])"
_PHONE: Final = r"['\"]?(\+?\d[\d ()-]{3,20}\d)"
_LABELLED: Final = (
    ("serial", ("serial",),
     r"(?i)serial(?:_short|_?no)?(?:[ _-]?(?:number|num|no\b\.?))?['\"]?\s{0,3}[:=]\s{0,30}['\"]?"
     rf"({_SERIAL})"),
    ("serial", ("s/n", "sn", "tag"),
     r"(?i)(?<![a-z])(?:s/n|sn|(?:service|asset)[ _]?tag)\s?(?:[:=]\s?|\s(?=\S{0,60}\d))['\"]?"
     rf"({_SERIAL})"),
    ("serial", ("serial", "s/n"),
     r"(?i)(?<![a-z])(?:s/n|serial(?: number| no\.?)?) (?=\S{0,60}\d)([^\W_][\w-]{4,63})"),
    ("serial", ("iserial",), r"(?i)iserial {1,20}\d{1,3} ([\w.-]{3,64})"),
    ("serial", ("vmware-",), r"\b(VMware-(?:[0-9a-f]{2}[ -]?){16})"),
    ("id", ("wwn", "wwpn", "wwnn", "naa.", "eui."),
     r"(?i)(?:ww[pn]?n(?:-|\W{1,3})|naa\.|eui\.)((?:0x)?[0-9a-f]{16,32}"
     r"|[0-9a-f]-[0-9a-f]{6}-[0-9a-f]{9}(?![0-9a-f]))"),
    ("id", ("wwn",), r"(?i)wwn device id: ([0-9a-f](?: ?[0-9a-f]){15})\b"),
    ("id", ("by-",),
     r"by-(?:id|uuid|partuuid|label|partlabel)/([^\s/'\"<>]{1,128}?)"
     r"(?:-part\d+)?(?=[\s/'\"<>,;:)\]]|\.?$|\. |$)"),
    ("id", ("uuid=",),
     r"UUID=['\"]?([0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}|[0-9a-f]{8}-[0-9a-f]{2})\b(?!-)"),
    ("id", ("iqn.", "nqn."), r"\b((?:iqn|nqn)\.\d{4}-\d\d\.[\w.:-]{1,200}(?<![.:-]))"),
    ("id", ("uuid",), r"\b([0-9a-f]{8}(?::[0-9a-f]{8}){3})\b"),
    ("phone", ("imei", "imsi", "iccid", "msisdn", "meid", "esn"),
     rf"(?i)(?<![a-z])(?:imei|imsi|iccid|msisdn|meid|esn)(?:sv)?['\"]?\W{{1,4}}{_PHONE}"),
    ("phone", ("cgsn", "cimi", "ccid", "cnum"), rf"\+(?:CGSN|CIMI|CCID|CNUM):\s?{_PHONE}"),
    ("phone", ("number",),
     rf"(?i)\b(?:own|phone|telephone|subscriber|mobile) number['\"]?\s?[:=]\s?{_PHONE}"),
)  # fmt: skip
"""Identifiers after a label: the kind, words of the label, and the pattern."""
_NO_SERIAL: Final = regex(
    r"(?i:\d{1,3}|0+|8250.*|n/a|none|null|not|to|default|system|unknown|driver|ports?|console|"
    r"number|device|(?:bus|line|link|interface)s?|amba|tty\w*|serial\w*|.*\.usb)"
    r"|[A-Z]?[a-z]{2,}"
)
"""Not a serial number: `SerialNumber=3` of usbcore is an index, `Serial: 8250/16550` a driver."""


_IGNORED: Final = {"serial": _NO_SERIAL.fullmatch}


def _uuid(match: re.Match[str]) -> FoundName | None:
    digits = re.sub("[-_ ]", "", match[0]).lower()
    before = match.string[max(match.start() - 3, 0) : match.start()]
    if digits in _PUBLIC_UUIDS or len(set(digits)) < 3:
        return None
    if re.match(_HEX, before[-1:]) and before != "pod":
        return None
    return FoundName(*match.span(), "id", digits)


def _long(match: re.Match[str]) -> FoundName | None:
    digits = match[0].lower()
    if digits in _PUBLIC_UUIDS or len(set(digits)) < 3 or _MEMORY.search(digits):
        return None
    return FoundName(*match.span(), "container" if len(digits) == 64 else "id", digits)


def _mail(match: re.Match[str]) -> FoundName | None:
    word = match[0].lower()
    if any(public in word for public in _PUBLIC_MAIL) or word.endswith(_NO_DOMAIN):
        return None
    return FoundName(*match.span(), "mail", word)


IDENTIFIERS: Final = (
    NamePattern(("@",), _MAIL, checked(_mail)),
    NamePattern(("-", "_"), _UUID, checked(_uuid)),
    NamePattern((), _LONG, checked(_long)),
    *(
        NamePattern(words, regex(source), each_group(kind, _IGNORED.get(kind)))
        for kind, words, source in _LABELLED
    ),
)
"""Patterns of identifiers."""
