"""Names that people give to disks, volumes, pools, shares and wireless networks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.search import FoundName, NamePattern, each_group

_NAME: Final = r"[^\W_](?:[\w.+-]{0,126}[^\W_])?"
_SPACED: Final = r"(?:'([^'\n]{1,64})'|\"([^\"\n]{1,64})\"|([^\s'\",;)]{1,64}))"

_GENERIC: Final = frozenset(
    "root swap home var usr tmp opt boot efi log srv data lv vg dm esp control live linux system "
    "default none null unknown rootfs base rw ro".split()
)
"""Names of volumes that are equal on many machines."""
_STANDARD_FOLDERS: Final = frozenset(
    "disk pts shm input net snd dri bus char block cpu vfio md mapper zvol hugepages infiniband "
    "usb i2c fd mqueue bsg kvm cciss rd ida loop raw fb dvb v4l serial tty dma_heap nvidia-caps "
    "dax pmem null zero full random urandom mem port console nfs ram sda sdb vda xvda nvme0n1 "
    "cdrom gpu accel iio media uio oprofile misc binderfs crypto drbd gpmctl fuse".split()
)
"""Folders and devices in /dev that are no volume groups."""

_VOLUMES: Final = (
    (("mapper",), rf"/dev/mapper/({_NAME})"),
    (("volume",), rf"(?i)\bvolume group\s['\"]?({_NAME})(?<!volume)"),
    (("volume",), rf"(?i)\b(?:logical volume|volume label)\s['\"]({_NAME}(?:/{_NAME})?)['\"]"),
    (("volume",), rf"(?i)\blogical volume ({_NAME})/({_NAME})"),
    (("multipath", "multipathd"),
     rf"\bmultipathd?(?:\[\d+\])?: (?!sd[a-z]+:|dm-\d|nvme\d)({_NAME}): "),
    (("name",), rf"(?m)^\s{{0,4}}(?:VG|LV) Name {{2,30}}({_NAME})\s*$"),
    (("name",), rf"(?m)^\s{{0,4}}VG Name\s{{1,30}}({_NAME})\s*$"),
    (("thin",), rf"\b[Tt]hin(?: pool)?(?: volume)? ({_NAME}-{_NAME})"),
    (("pool",), rf"(?i)\b(?:z?pool)(?:[=:]\s?|\s)['\"]({_NAME})['\"]"),
    (("pool",), rf"(?m)(?:^|: )\s{{0,4}}pool: ({_NAME})"),
    (("zpool", "zfs"),
     rf"\bzpool (?:import|export|status|scrub|create|list|clear|online)(?: -\w+)* ({_NAME})"),
    (("zfs",), rf"\bzfs[:=]({_NAME}(?:/{_NAME}){{0,6}})"),
    (("drbd",), rf"\bdrbd ({_NAME})(?:/\d+)?[ :]"),
    (("drbd", "resource"), rf"\bdrbd\d*:? (?:resource|res) ({_NAME})"),
    (("label",), rf"(?i)(?<![a-z])(?:part|fs)?label=['\"]?{_SPACED}"),
    (("label",), rf"(?i)\b(?:device|volume|disk|fs|filesystem) label:? {_SPACED}"),
    (("fsid",), rf"\bfsid=['\"]?({_NAME}:{_NAME})"),
    (("/dev/md",), rf"/dev/md/({_NAME}(?::{_NAME})?)"),
    (("ost", "mdt", "mgs"), rf"\b({_NAME})-(?:OST|MDT)[0-9a-f]{{4}}\b"),
    ((" type ",), r"(?m)(?<=[\w.\]]):(/[^\s,]{1,200}) on /\S* type "),
    (("mounting", "mounted"), rf"\bmount(?:ing|ed)(?:\(nfs\):)?(?: mounted)? {_NAME}:"
     r"(/\S{1,200})"),
    (("nfsroot",), r"\bnfsroot=(?:[^\s,:]{1,80}:)?(/[^\s,]{1,200})"),
    (("//", "\\\\"), rf"(?<![:\w/\\])(?://|\\\\\\\\|\\\\){_NAME}[/\\]+([^\W_][\w$.-]{{0,79}})"),
)  # fmt: skip
"""Words of a label and the pattern of a volume, a pool, a file system or a share after it."""

_NETWORKS: Final = (
    (("ssid",), rf"(?i)ssid['\"]?\s?(?:value |[:=]\s?|(?=['\"])){_SPACED}"),
    (("connection",), r"\bconnection '([^'\n]{1,64})'"),
    (("connection",), r"\bconnection \"([^\"\n]{1,64})\""),
    (("connected",), r"\bwl\w{1,14}: connected to ([^\n]{1,64})"),
    (("policy",), r"\bset '([^'\n]{1,64})' \(wl\w{1,14}\)"),
    (("network",), r"\b(?:wireless|wifi|wi-fi) network ['\"]([^'\"\n]{1,64})['\"]"),
)  # fmt: skip
"""Words of a label and the pattern of a wireless network after it."""

_VOLUME_PATH: Final = regex(rf"/dev/({_NAME})/({_NAME})")


def _is_generic(name: str) -> bool:
    return name.lower() in _GENERIC or name.isdigit()


def _volume_path(match: re.Match[str]) -> Iterator[FoundName]:
    """Yield the volume group and the volume in `/dev/GROUP/VOLUME`."""
    if match[1].rstrip("0123456789") in _STANDARD_FOLDERS:
        return
    yield from each_group("volume", _is_generic)(match)


STORAGE: Final = (
    *(
        NamePattern(words, regex(source), each_group("volume", _is_generic))
        for words, source in _VOLUMES
    ),
    *(NamePattern(words, regex(source), each_group("ssid")) for words, source in _NETWORKS),
    NamePattern(("/dev/",), _VOLUME_PATH, _volume_path),
)
"""Patterns of volumes, shares and wireless networks."""
