"""The part of the kernel that a fault is in, in plain words: by its function, or by who called it.

A fault in a helper, such as the code of trees and lists, is of who called it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import freelist, function_roles, source_path
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.driver_names import driver_of
from pagefault_doctor.diagnosis.provenance import folder_of
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.symbols.function_files import file_of

_WORDS: Final = {
    "arch/x86/kvm": "virtual machines (KVM)",
    "arch/arm64/kvm": "virtual machines (KVM)",
    "block": "block layer",
    "crypto": "crypto code",
    "drivers/acpi": "ACPI code",
    "drivers/ata": "ATA code (libata)",
    "drivers/base/power": "suspend and resume of devices (drivers/base/power)",
    "drivers/base/regmap": "access to device registers (regmap)",
    "drivers/block": "block drivers",
    "drivers/char/tpm": "TPM code",
    "drivers/clk": "clocks of devices (clk)",
    "drivers/cpufreq": "CPU frequency code",
    "drivers/cpuidle": "CPU idle code",
    "drivers/dma-buf": "shared buffers (dma-buf)",
    "drivers/firmware/efi": "EFI code",
    "drivers/gpu/drm": "graphics code (DRM)",
    "drivers/gpio": "GPIO code",
    "drivers/hid": "input device code (HID)",
    "drivers/hv": "Hyper-V code",
    "drivers/i2c": "I2C code",
    "drivers/input": "input code",
    "drivers/iommu": "IOMMU code",
    "drivers/media": "camera and TV code (media)",
    "drivers/md": "RAID and device mapper (md)",
    "drivers/mmc": "MMC and SD card code",
    "drivers/net": "network drivers",
    "drivers/nvme": "NVMe code",
    "drivers/of": "device tree code",
    "drivers/pci": "PCI code",
    "drivers/pinctrl": "pin control code",
    "drivers/regulator": "voltage regulator code",
    "drivers/scsi": "SCSI code",
    "drivers/spi": "SPI code",
    "drivers/thermal": "thermal code",
    "drivers/tty": "terminal and serial code (tty)",
    "drivers/usb": "USB code",
    "drivers/vfio": "VFIO code",
    "drivers/video": "frame buffer and video code",
    "drivers/virtio": "virtio code",
    "drivers/xen": "Xen code",
    "fs": "file-system layer (VFS)",
    "fs/jbd2": "journal of ext4 (jbd2)",
    "fs/proc": "/proc code",
    "fs/smb": "SMB file system (cifs)",
    "fs/sysfs": "sysfs code",
    "io_uring": "io_uring code",
    "ipc": "System V and POSIX IPC code",
    "kernel/bpf": "BPF code",
    "kernel/cgroup": "control group code",
    "kernel/events": "perf event code",
    "kernel/exit.c": "end of processes (kernel/exit.c)",
    "kernel/fork.c": "start of processes (kernel/fork.c)",
    "kernel/futex": "futex code",
    "kernel/irq": "interrupt code",
    "kernel/module": "module loader",
    "kernel/power": "suspend and hibernate code",
    "kernel/rcu": "RCU code",
    "kernel/sched": "scheduler",
    "kernel/signal.c": "signal code",
    "kernel/time": "timer code",
    "kernel/trace": "tracing code",
    "kernel/workqueue.c": "workqueue code",
    "lib": "library code",
    "mm": "memory management",
    "net": "network stack",
    "net/bluetooth": "Bluetooth code",
    "net/bridge": "network bridge",
    "net/mac80211": "Wi-Fi layer (mac80211)",
    "net/netfilter": "packet filter (netfilter)",
    "net/sched": "traffic control (net/sched)",
    "net/sunrpc": "RPC code of NFS (sunrpc)",
    "net/tls": "TLS code",
    "net/wireless": "Wi-Fi layer (cfg80211)",
    "net/xfrm": "IPsec code (xfrm)",
    "security": "security code",
    "security/apparmor": "AppArmor",
    "security/keys": "key code",
    "security/selinux": "SELinux",
    "sound": "sound code",
    "virt/kvm": "virtual machines (KVM)",
}
"""Folders and files of the kernel's tree, the longest that fits counts."""
_PREFIXES: Final = {
    **dict.fromkeys(("dapm", "snd_soc"), "sound/soc/soc-dapm.c"),
    **dict.fromkeys(("bfq", "bfqg"), "block/bfq-iosched.c"),
    **dict.fromkeys(("regmap",), "drivers/base/regmap/"),
    **dict.fromkeys(("i2c", "i2c_smbus"), "drivers/i2c/i2c-core-base.c"),
    **dict.fromkeys(("hid", "hidraw", "hidinput"), "drivers/hid/hid-core.c"),
    **dict.fromkeys(("usb", "usb_hcd", "hub"), "drivers/usb/core/hub.c"),
    **dict.fromkeys(("drm", "drm_atomic", "drm_gem"), "drivers/gpu/drm/drm_drv.c"),
    **dict.fromkeys(("dma_fence", "dma_buf", "dma_resv"), "drivers/dma-buf/dma-buf.c"),
    **dict.fromkeys(("regulator",), "drivers/regulator/core.c"),
    **dict.fromkeys(("clk",), "drivers/clk/clk.c"),
    **dict.fromkeys(("gpiod", "gpiochip"), "drivers/gpio/gpiolib.c"),
    **dict.fromkeys(("spi",), "drivers/spi/spi.c"),
    **dict.fromkeys(("media", "v4l2", "vb2"), "drivers/media/v4l2-core/"),
    **dict.fromkeys(("mmc", "mmc_blk"), "drivers/mmc/core/core.c"),
    **dict.fromkeys(("idempotent", "load_module"), "kernel/module/main.c"),
}
"""Where functions lie whose names begin so, of what that one kernel has as modules or lacks."""
_FILE_SYSTEM: Final = regex(r"fs/([a-z][\w-]*)(?:/|$)")
_HELPERS: Final = regex(
    r"lib/|mm/(?:kasan|kfence|kmsan|slub\.|slab|usercopy|dmapool|mempool|percpu|util\.|debug|"
    r"vmalloc\.|maccess)|mm/$|kernel/(?:locking|panic|kcsan|softirq\.|workqueue\.|smp\.|printk|"
    r"notifier|kthread|entry)|drivers/base/(?:regmap/|[\w.-]*$)|"
    r"fs/(?:kernfs|sysfs|debugfs)/|arch/\w+/(?:entry|kernel|lib|mm)/|net/core/(?:skbuff|sock|datagram|utils)|include/|init/|"
    r"kernel/sched/(?:core|wait|swait|completion)|kernel/(?:time|rcu)/|"
    r"kernel/(?:fork\.c|exit\.c|$)"
)
"""Where code lies that works with what its callers give it, or carries them."""
_DEEP: Final = 8
"""Frames that are looked at for a caller of a helper."""
_FAR: Final = 12
"""Frames within which a driver is looked for that called code which serves many."""
_DRIVERS: Final = regex(r"(?:drivers|sound)/")
_SERVING: Final = regex(
    r"drivers/(?:clk/clk|gpio/gpiolib|i2c/i2c-core|iommu/|media/(?:mc|v4l2-core|common)|mmc/core|of/|"
    r"pci/|phy/phy-core|pinctrl/core|pwm/core|regulator/core|reset/core|spi/spi\.|usb/core|"
    r"dma-buf/|hid/hid-core|input/input\.|tty/(?:tty_|$)|thermal/thermal_core)|"
    r"kernel/(?:irq|dma|trace|module)/|net/(?:core|ethtool|sched)/|block/|fs/[\w-]+\.c|fs/proc/|mm/"
)
"""Code that many drivers call, or that programs reach them through."""


class Area(msgspec.Struct, frozen=True):
    """A part of the kernel in words, the file or folder that tells it, and a function of it.

    The path is empty where only a line of the log names the part.
    `caller` is whether that function called the one that faulted. `asker` is the function of a
    driver or a file system that called into it, where it is code that serves many, else None.
    """

    words: str
    path: str
    function: str
    caller: bool
    asker: str | None = None


def area_of(context: Context, function: str | None) -> Area | None:
    """Return the part of the kernel that a report is of, None where no name tells it.

    `function` is the one that the report is about, its own or that of who failed a check. Whoever
    called a helper counts in its stead, but not of an allocator whose memory others damaged. A call
    through a bad pointer is of who set it.
    """
    report = context.report
    if context.is_jump or freelist.is_broken(context) or report.message.startswith(_HYPERVISOR):
        return None
    callers = islice(_callers(report, function), _DEEP)
    own = next((f.module for f in report.frames if f.function == function), report.module)
    for number, (name, module) in enumerate([(function or "", own), *callers]):
        path = _path(name, module, report)
        if path and (words := _words(path, name, module)) and not _HELPERS.match(path):
            asker = _asker(report, name) if _SERVING.match(path) else None
            return Area(words, path, name, caller=number > 0, asker=asker)
        if path is None and not function_roles.only_passes_on(name):
            break
    return _of_speaker(report, function)


def caller_in(area: Area | None) -> str | None:
    """Return the function to name as who called: a driver's, else that of the area itself."""
    if area is None:
        return None
    return area.asker or (area.function if area.caller else None)


def caller_of_helper(context: Context, function: str | None) -> str | None:
    """Return who called a function that only passes on what it is given, whatever part that is.

    None where it is of nobody: an allocator that others damaged, a call to where no code is.
    """
    is_helper = function is not None and function_roles.only_passes_on(function)
    if not is_helper or context.is_jump or freelist.is_broken(context):
        return None
    outer = islice(_callers(context.report, function), _DEEP)
    return next((name for name, _ in outer if not function_roles.only_passes_on(name)), None)


_HYPERVISOR: Final = "----[ Xen"
"""How a report of Xen's begins, whose functions are none of the kernel (`xen/arch/x86/traps.c`)."""


def _of_speaker(report: Report, function: str | None) -> Area | None:
    """Return the driver that spoke just before a device failed it, or while one was (un)bound.

    `dev_printk` begins a line with the driver and the device (`drivers/base/core.c`).
    """
    if function is None:
        return None
    binds = any(f.function in _BINDING for f in report.frames if f.reliable)
    if not binds and not function_roles.touches_registers(function):
        return None
    found = (_SPEAKER.match(line.text) for line in reversed(report.before))
    names = (match["driver"] for match in found if match)
    driver = next((name for name in names if name not in _BUSES), None)
    words = f"driver {driver} (it spoke just before)"
    return Area(words, "", function, caller=False) if driver else None


_BINDING: Final = frozenset({"really_probe", "device_unbind_cleanup", "devres_release_all"})
"""Functions that run a driver's code to take a device, or what it left (`drivers/base/dd.c`)."""
_BUSES: Final = frozenset(
    {"pci", "usb", "hub", "spi", "i2c", "platform", "scsi", "pcieport", "acpi"}
)
"""Who speaks of a device that has no driver yet."""
_SPEAKER: Final = regex(r"(?P<driver>[a-z][\w-]{2,31}) [\w@.:/-]*[\d.:][\w@.:/-]*: ")


def _words(path: str, name: str, module: str | None) -> str | None:
    driver = None if module else driver_of(name)
    return f"driver {driver[0]}" if driver and _DRIVERS.match(path) else words_of(path)


def _asker(report: Report, function: str) -> str | None:
    """Return the first function of a driver or a file system further out."""
    outer = islice(_callers(report, function), _FAR)
    return next((name for name, module in outer if module or _is_driver_s(name)), None)


def _is_driver_s(function: str) -> bool:
    driver = driver_of(function)
    return driver is not None and not driver[1].startswith("net/")


def words_of(path: str) -> str | None:
    """Return a file or folder of the tree in words, None where there are none for it."""
    known = path.rstrip("/")
    if (found := _FILE_SYSTEM.match(path)) and known != "fs" and found[1] not in _LAYERS:
        return f"file system {found[1]}"
    while known:
        if words := _WORDS.get(known):
            return words
        known = known.rpartition("/")[0]
    return None


_LAYERS: Final = ("jbd2", "proc", "sysfs", "smb", "notify", "crypto", "verity", "iomap", "quota")


def _callers(report: Report, function: str | None) -> Iterator[tuple[str, str | None]]:
    frames = [f for f in report.frames if f.reliable and f.function]
    names = [frame.function for frame in frames]
    below = names.index(function) + 1 if function in names else 0
    for frame in frames[below:]:
        if function_roles.is_entry_point(frame.function):
            return
        yield frame.function or "", frame.module


def _path(name: str, module: str | None, report: Report) -> str | None:
    if module:
        folder = folder_of(module, report)
        return f"{folder}/" if folder else None
    if function_roles.is_entry_point(name):
        return None
    if known := source_path.of_function(name) or file_of(name):
        return known
    driver = driver_of(name)
    return source_path.of_module(*driver, report) if driver else _by_prefix(name)


def _by_prefix(name: str) -> str | None:
    words = name.lstrip("_").split("_")
    return _PREFIXES.get("_".join(words[:2])) or _PREFIXES.get(words[0])
