"""The command line of the kernel, read key by key.

A key says what its value is: the table tells what identifies a machine and what an analyst needs.
The value of a key that is not in the table stays if it looks like a setting, such as a number, a
size or `on`; otherwise it is replaced while the key stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.search import FoundName, NamePattern

_LINE: Final = regex(
    r"(?m)(?:[Cc]ommand line(?: parameters)?[:=]?|/proc/cmdline:?|\bcmdline[:=]|--command-line=|"
    r"--append=)[ '\"]{0,3}([^\n]{1,8192})|^((?:BOOT_IMAGE|initrd)=[^\n]{1,8192})"
)
_ARGUMENT: Final = regex(r"([A-Za-z_][\w.,/+-]{0,80})=(\"[^\"\n]{0,2000}\"?|[^\s\"]{1,2000})")

_SETTING: Final = regex(
    r"(?:[-+]?(?:0x[\da-f]{1,16}|\d{1,12})[kmgtpe]?(?:us|ms|s|hz|%)?[-,:@/.!~^x+]?){1,64}"
    r"|(?:on|off|yes|no|y|n|true|false|auto|force|none|never|always|madvise|full|strict|lax|nopti|"
    r"performance|powersave|schedutil|ondemand|conservative|active|passive|guided|quiet|verbose|"
    r"enable|disable|enabled|disabled|default|text|graphical|single|ignore|relaxed|noop|deadline|"
    r"mq-deadline|bfq|kyber|tsc|hpet|jiffies|acpi_pm|poll|halt|mwait|warm|cold|bios|efi|pci|kbd|"
    r"permissive|enforcing|all|any|dhcp|dhcp6|ibft|both|panic|log|seccomp|nosmt|level|flush)"
    r"(?:,[\w.-]{1,20}){0,8}"
    r"|(?:/dev/)?(?:tty\w{0,8}|hvc\d|ttyS\d|sd[a-z]\d{0,2}|vd[a-z]\d{0,2}|xvd[a-z]\d{0,2}"
    r"|nvme\d{1,2}n\d{1,2}(?:p\d{1,2})?|mmcblk\d(?:p\d{1,2})?|md\d{1,3}|dm-\d{1,3}|ram\d|nfs|eth\d)"
    r"(?:,[\w]{1,12}){0,3}"
    r"|/(?:s?bin|usr/s?bin|usr/lib|lib)/[\w./-]{1,60}|/s?bin/\w{1,20}|/init|/linuxrc",
    re.IGNORECASE,
)
"""A value that identifies nobody: numbers, sizes, lists of CPUs, states, devices, programs."""

_KEPT: Final = frozenset(
    "BOOT_IMAGE initrd init rdinit console earlycon earlyprintk netdev_budget mitigations "
    "spectre_v2 crashkernel isolcpus nohz_full rcu_nocbs irqaffinity loglevel log_buf_len "
    "hugepagesz hugepages default_hugepagesz intel_iommu amd_iommu iommu iommu.passthrough pci "
    "pcie_aspm acpi apic mem memmap maxcpus nr_cpus possible_cpus clocksource tsc idle audit "
    "selinux apparmor security lsm slub_debug slab_debug page_poison page_owner panic oops "
    "nmi_watchdog rootfstype rootflags modprobe.blacklist module_blacklist rd.driver.blacklist "
    "rd.driver.pre rd.driver.post dyndbg ftrace ftrace_filter ftrace_dump_on_oops trace_event "
    "trace_clock kprobe_event video vga fbcon systemd.unit systemd.log_level systemd.show_status "
    "rd.break rd.shell net.ifnames biosdevname transparent_hugepage numa numa_balancing elevator "
    "cgroup_disable cgroup_enable lockdown module.sig_enforce kasan kasan.fault kasan_multi_shot "
    "kfence.sample_interval intel_pstate amd_pstate efi debug_pagealloc init_on_alloc "
    "init_on_free vsyscall swapaccount scsi_mod.scan memory_corruption_check mem_encrypt "
    "kvm-intel.nested usbcore.quirks usb-storage.quirks libata.force "
    "nvme_core.default_ps_max_latency_us plymouth.ignore-serial-consoles lang locale.LANG "
    "vconsole.keymap KEYTABLE keytable SYSFONT rd.locale.LANG acpi_osi acpi_backlight netconsole "
    "BOOTIF ifname nameserver rd.iscsi.initiator iscsi_initiator reboot edd printk.devkmsg "
    "rd.udev.log_level androidboot.hardware TERM HOME".split()
)
"""Keys whose value stays as it is; addresses and names that are known elsewhere go all the same."""

_ADDRESS: Final = regex(r"[\d.]{7,15}|\[[\da-f:.]+\]|0x[\da-f]+|", re.IGNORECASE)
_SOURCE: Final = regex(
    r"((?:PART)?(?:UUID|LABEL)(?:_FATBOOT)?=|zfs[:=]|live:(?:CDLABEL=|LABEL=|UUID=)?|block:)*",
    re.IGNORECASE,
)
_STANDARD_DEVICE: Final = regex(
    r"/dev/(?:nfs|ram\d|root|(?:sd|vd|xvd|hd)[a-z]\d*|nvme\d+n\d+(?:p\d+)?|mmcblk\d+(?:p\d+)?"
    r"|md\d+|dm-\d+|sr\d|cdrom|pmem\d+|mtdblock\d+|ubiblock\d+\w*)|nfs|overlay|\d+(?::\d+)?"
)

_Place = tuple[int, int, str]


def _whole(kind: str) -> Callable[[str], Iterator[_Place]]:
    def places(value: str) -> Iterator[_Place]:
        yield 0, len(value), kind

    return places


def _device(value: str) -> Iterator[_Place]:
    """Yield the name of a device: an id, a label, a volume, a pool."""
    start = len(found[0]) if (found := _SOURCE.match(value)) else 0
    name = value[start:]
    if not name or _STANDARD_DEVICE.fullmatch(name):
        return
    for folder in ("/dev/mapper/", "/dev/disk/by-label/", "/dev/disk/by-partlabel/", "/dev/"):
        if name.startswith(folder):
            start += len(folder)
            break
    yield start, len(value), "id" if "UUID" in value[:start].upper() else "volume"


def _interface(value: str) -> Iterator[_Place]:
    """Yield the names in `ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:...`, not `ip=DEVICE:on`."""
    fields = _fields(value)
    for number, (start, end) in enumerate(fields):
        word = value[start:end]
        if (number == 4 and word) or (
            number in (0, 1, 2, 7, 8) and len(fields) > 2 and word and not _ADDRESS.fullmatch(word)
        ):
            yield start, end, "host"


def _fields(value: str) -> list[tuple[int, int]]:
    """Return the places of the fields between colons; brackets hold an IPv6 address."""
    places, start, depth = [], 0, 0
    for position, character in enumerate(value):
        depth += (character == "[") - (character == "]")
        if character == ":" and depth <= 0:
            places.append((start, position))
            start = position + 1
    return [*places, (start, len(value))]


_ID, _HOST, _VALUE = _whole("id"), _whole("host"), _whole("value")
_VOLUME, _SECRET, _SERIAL = _whole("volume"), _whole("secret"), _whole("serial")
_MARKED: Final[dict[str, Callable[[str], Iterator[_Place]]]] = {
    **dict.fromkeys(("root", "resume", "real_root", "swap", "rootdev", "rd.zfs"), _device),
    **dict.fromkeys(("rd.luks.name", "rd.luks.uuid", "rd.luks.partuuid", "rd.md.uuid"), _ID),
    **dict.fromkeys(("luks.uuid", "luks.name", "rd.luks.allow-discards", "fsck.uuid"), _ID),
    **dict.fromkeys(("rd.lvm.lv", "rd.lvm.vg", "cryptdevice", "crypto", "rd.luks.data"), _VOLUME),
    **dict.fromkeys(("cryptopts", "zfs", "bootfs", "rd.luks.crypttab"), _VOLUME),
    **dict.fromkeys(("rd.luks.key", "rd.luks.options", "luks.key", "rootpw", "cryptkey"), _SECRET),
    **dict.fromkeys(("sshkey", "inst.rootpw", "inst.sshpw", "vnc_password", "password"), _SECRET),
    **dict.fromkeys(("hostname", "systemd.hostname", "host", "domain", "fqdn", "HOSTNAME"), _HOST),
    **dict.fromkeys(("netcfg/get_hostname", "netcfg/get_domain", "androidboot.host"), _HOST),
    **dict.fromkeys(("serial", "serialno", "androidboot.serialno"), _SERIAL),
    "ip": _interface,
    "nfsaddrs": _interface,
}
"""Keys whose value names a machine, a disk or a secret."""


def _line(match: re.Match[str]) -> Iterator[FoundName]:
    for group in (1, 2):
        if match[group]:
            start, end = match.span(group)
            # In JSON the next line of the log follows after an escape, which is two spaces here.
            stop = match.string.find("  [", start, end)
            for argument in _ARGUMENT.finditer(match.string, start, end if stop < 0 else stop):
                yield from _argument(argument)


def _argument(match: re.Match[str]) -> Iterator[FoundName]:
    key, value, start = match[1], match[2], match.start(2)
    inner = value.strip('"')
    start += value.find(inner) if inner else 0
    if key in _KEPT:
        return
    places = _MARKED.get(key)
    if places is None and not _SETTING.fullmatch(inner):
        places = _VALUE
    for begin, end, kind in places(inner) if places else ():
        if inner[begin:end]:
            yield FoundName(start + begin, start + end, kind, inner[begin:end])


KERNEL_COMMAND_LINE: Final = (
    NamePattern(("command", "cmdline", "append", "boot", "initrd"), _LINE, _line),
)
"""The pattern of the kernel's command line."""
