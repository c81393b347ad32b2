"""Where in the kernel's tree a report's code is: by the file it names, its module, its function."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.symbols import in_tree

_TOP: Final = (
    "arch|block|crypto|drivers|fs|init|io_uring|ipc|kernel|lib|mm|net|rust|security|sound|virt"
)
"""Folders of the tree with code. Not `include`: what a header checks, its caller did."""
_OF_TREE: Final = regex(
    rf"(?:(?:\.{{1,2}}/)*|/(?:.*/)?(?:linux|kernel|source)[^/]*/)((?:{_TOP})/(?:[^/]+/)*[\w.+-]+)"
)
"""A path as the compiler was given it: from the root of the tree on, or an absolute one."""
_CHECKERS: Final = regex(
    r"lib/(?:list_debug|refcount|ref_tracker|debugobjects|kobject|ubsan|usercopy|bug|fault-inject)|"
    r"mm/(?:kasan|kfence|kmsan|slub\.|slab|usercopy|debug|page_alloc\.|util\.)|"
    r"kernel/(?:panic|kcsan|locking|softirq\.|workqueue\.|rcu|time/timer\.|sched/core\.)|"
    r"fs/(?:sysfs|proc|kernfs)/|drivers/usb/core/urb\."
)
"""Files that check what others did, or do as others ask."""
_REPORTING: Final = regex(
    r"(?:asm_|exc_)?(?:dump_stack|show_|_*warn|report_bug|handle_bug|_*ubsan|do_error|do_trap|"
    r"(?:do_)?invalid_op|fixup_bug|do_invalid)"
)
"""How the names of functions begin that print a report, in the trace above the code that asked."""
_NAMES_A_CALLEE: Final = frozenset(
    {Kind.ATOMIC_SLEEP, Kind.LIST_CORRUPTION, Kind.REFCOUNT, Kind.SLAB, Kind.USERCOPY}
)
"""Kinds of reports whose file is that of the check, not of who did wrong."""

_BY_PREFIX: Final = {
    "apparmor": "security/apparmor/",
    "blk": "block/",
    "blk_mq": "block/blk-mq.c",
    "bpf": "kernel/bpf/",
    "cfg80211": "net/wireless/",
    "cgroup": "kernel/cgroup/",
    "cifs": "fs/smb/client/",
    "efi": "drivers/firmware/efi/",
    "ftrace": "kernel/trace/",
    "futex": "kernel/futex/",
    "hci": "net/bluetooth/",
    "hugetlb": "mm/hugetlb.c",
    "ieee80211": "net/mac80211/",
    "inet6": "net/ipv6/",
    "io_uring": "io_uring/",
    "ip6": "net/ipv6/",
    "ipv6": "net/ipv6/",
    "jbd2": "fs/jbd2/",
    "khugepaged": "mm/khugepaged.c",
    "ksm": "mm/ksm.c",
    "kvm": "virt/kvm/",
    "l2cap": "net/bluetooth/",
    "mem_cgroup": "mm/memcontrol.c",
    "nf": "net/netfilter/",
    "nfs4": "fs/nfs/",
    "nft": "net/netfilter/",
    "nvme": "drivers/nvme/host/",
    "ovl": "fs/overlayfs/",
    "scsi": "drivers/scsi/",
    "selinux": "security/selinux/",
    "serial8250": "drivers/tty/serial/8250/",
    "shmem": "mm/shmem.c",
    "smb2": "fs/smb/client/",
    "snd": "sound/core/",
    "svm": "arch/x86/kvm/svm/",
    "tcp": "net/ipv4/tcp.c",
    "tty": "drivers/tty/",
    "udp": "net/ipv4/udp.c",
    "vmx": "arch/x86/kvm/vmx/",
    "xhci": "drivers/usb/host/xhci.c",
    "zswap": "mm/zswap.c",
}
"""Where functions lie whose names begin so and go on with `_`.

Left out is what drivers call: a fault there is often of the driver."""
_ARCHITECTURES: Final = {
    **{"x86_64": "x86", "i386": "x86", "arm64": "arm64", "arm": "arm", "riscv": "riscv"},
    **{"s390x": "s390", "powerpc": "powerpc", "mips": "mips", "loongarch": "loongarch"},
}


def from_root(file: str) -> str:
    """Return a path from the root of the kernel's tree on; one that is not of it stays as it is.

    Kernels built in another folder than that of their source name the whole path.
    """
    found = _OF_TREE.fullmatch(file)
    return found[1] if found else file


def of_module(module: str, folder: str, report: Report) -> str:
    """Return the file or folder of a module of the tree, which lies in `folder`.

    It is a file where the report or its debug information names one in there. Else it is the one
    that bears the module's name: patterns of a single driver have it, and in a folder of its own it
    matches the folder's pattern.
    """
    named = (report.source_line.file if report.source_line else "", report.details.get("file", ""))
    for file in named:
        _, found, rest = f"/{file}".rpartition(f"/{folder}/")
        if found and rest:
            return f"{folder}/{rest}"
    if folder == "arch":
        folder = f"arch/{_ARCHITECTURES.get(report.arch or '', '')}/{module}"
    return f"{folder}/{module}.c"


def named_in(report: Report) -> str | None:
    """Return the file that a report of the kernel's own code names as the place of the fault.

    `WARNING: ... at`, `kernel BUG at` and `UBSAN: ... in` name one (`kernel/panic.c`, `lib/bug.c`,
    `lib/ubsan.c`). None where it is that of a check, and what is checked was done elsewhere.
    """
    found = _OF_TREE.fullmatch(report.details.get("file", ""))
    if found is None or report.kind in _NAMES_A_CALLEE or _CHECKERS.match(found[1]):
        return None
    trace = (f.function for f in report.frames if f.function and f.reliable)
    asked = next((f for f in trace if not _REPORTING.match(f)), report.function)
    # Of a check that others make in vain, the title names its caller.
    is_checker = report.function is not None and asked != report.function
    passes_on = asked is not None and function_roles.only_passes_on(asked)
    return None if is_checker or passes_on else found[1]


def of_function(function: str | None) -> str | None:
    """Return the file or folder of a function that is built into the kernel, by its name."""
    name = (function or "").lstrip("_")
    if function_roles.only_passes_on(function) or function_roles.is_entry_point(function):
        return None
    words = name.split("_")
    for count in (2, 1):
        prefix = "_".join(words[:count])
        if len(words) > count and (path := _BY_PREFIX.get(prefix) or _namesake(prefix)):
            return path
    return None


def is_of_check(path: str) -> bool:
    """Whether a file of the tree only checks what others did, or does as others ask."""
    return _CHECKERS.match(path) is not None


def is_of_tree(file: str) -> bool:
    """Whether a path leads into the kernel's tree, from its root on or from that of a disk."""
    return _OF_TREE.fullmatch(file) is not None


def is_beside(file: str, path: str) -> bool:
    """Whether a file lies where a path leads to, or in a folder of that name elsewhere."""
    folder = path.rpartition("/")[0].rpartition("/")[2]
    return folder in file.split("/")[:-1]


def _namesake(prefix: str) -> str | None:
    """Return the folder that bears the name of its module: its functions begin with it."""
    folder = in_tree.path_of(prefix) if len(prefix) > 2 else None
    return f"{folder}/" if folder and folder.rpartition("/")[2] == prefix else None
