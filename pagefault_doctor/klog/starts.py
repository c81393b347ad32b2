"""Which lines start a report, and which only look as if they did.

Matching is case-sensitive. The first words are the kernel's own: `arch/x86/mm/fault.c`,
`arch/arm64/mm/fault.c`, `kernel/panic.c`, `lib/bug.c`, `kernel/locking/lockdep.c`,
`kernel/rcu/tree_stall.h`, `kernel/hung_task.c`, `mm/kasan/report.c` and their like. A few are said
by fuzzers' programs on the same console.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pagefault_doctor.klog import own
from pagefault_doctor.model.pattern import Sought, regex

HEADERS: Final = (
    "BUG:",
    "WARNING:",
    "INFO:",
    "Unable to handle kernel",
    "general protection fault",
    "stack segment: ",
    "Kernel panic",
    "PANIC: double fault",
    "rust_kernel: panicked",
    "kernel BUG",
    "Kernel BUG",
    "BUG kmalloc-",
    "divide error:",
    "divide_error:",
    "invalid opcode:",
    "int3:",
    "UBSAN:",
    "Booting the kernel.",
    "unregister_netdevice: waiting for",
    "VFS: Close: file count is 0",
    "VFS: Busy inodes after unmount",
    "Internal error:",
    "Unhandled fault:",
    "Alignment trap:",
    "trusty: panic",
    "fatal error:",
    "SYZFAIL:",
    "SYZFATAL:",
    "panic:",
)
"""What a line that starts a report contains, by the naming convention of syzbot."""

NOT_A_START: Final = (
    r"[\w]DEBUG:|\bDEBUG:",
    r"_INFO:|_BUG:|_WARNING:|_panic:|\w:INFO:",
    r"\w+log_status:",
    r"general protection (?:fault)?.*?\bip:[0-9a-f]+ sp:",
    r"segfault at [0-9a-f]+ ip ",
    r"INFO: lockdep is turned off",
    r"INFO: Stall ended before state dump start",
    r"INFO: NMI handler .*? took p?too? ?|INFO: NMI handler \(",
    r"(?:INFO|WARNING): recovery required on readonly filesystem|recovery required on readonly",
    r"WARNING: (?:workqueue cpumask|.*cpumask.*workqueue)|workqueue: .*cpumask",
    r"mand mount option|mount \S+ 'mand'",
    r"DT_FLAGS_1",
    r"eBPF (?:is )?enabled with eIBRS|Unprivileged eBPF",
    r"(?:Spectre|Speculative|Spectre V2|MDS|TAA|MMIO Stale|SRSO|L1TF|RETBleed|SRBDS|VMSCAPE|ITS"
    r"|TSA)[^:]*: WARNING:",
    r"fbcon.*virtual screen size|virtual screen size",
    r"wireless extensions|deprecated v2 capab|[Dd]eprecated.*capabilit",
    r"(?<!not syncing: )(?:EXT4-fs .*(?:WARNING|BUG|INFO|panic)|XFS \(|bcachefs \(.*?\): )",
    r"/etc/ssh/moduli",
    r"ALSA:? .*fatal error:|snd.*fatal error:",
    r"ACPI (?:Warning|Error|BIOS)|ACPI: .*WARNING",
    r"(?:option|mount|parameter).*Booting the kernel\.",
    r"WARNING: no SELinux|WARNING! power/level",
    r"end Kernel panic",
)
"""Lines that contain such words and are no reports: notices, user programs, other loggers."""

_RANKED: Final = ("Kernel panic", "Internal error:", *HEADERS)
"""The first two quote others: `Internal error: Oops - BUG: 0`."""
_SIGNS: Final = (
    "BUG", "ING:", "INFO:", "ernel", "fault", "error:", "panic", "segment: ", "opcode:", "int3:",
    "UBSAN:", "netdevice: ", "VFS: ", "trap:", "SYZF",
)  # fmt: skip
"""Half as many words, of which every header holds one: most lines are ruled out by them."""
_BARE: Final = regex(r"(?:WARNING|INFO|fatal error|panic|BUG):")
_OTHER_PROGRAM: Final = regex(
    r"(?:<\d+>)?(?:\d{4}-\d\d-\d\d[T ]\S+|[^\W\d]{3,9}\.? +\d+ \d\d:\d\d:\d\d\S*) \S+ "
    r"(?!kernel)[\w./@()-]+(?:\[\d+\])?: "
)


@cache
def _not() -> tuple[tuple[Sought, ...], tuple[str, ...]]:
    """Return the expressions, and all words that they need."""
    each = tuple(map(Sought, NOT_A_START))
    return each, tuple({word for sought in each for word in sought.words})


def _is_no_start(text: str) -> bool:
    each, words = _not()
    # Most lines hold none of the words, which one look tells.
    return any(map(text.__contains__, words)) and any(sought.search(text) for sought in each)


def header_of(text: str) -> str | None:
    """Return the header of HEADERS that starts a report in this line, or None."""
    if not any(map(text.__contains__, _SIGNS)):
        return None
    header = next(filter(text.__contains__, _RANKED), None)
    if header is None or _is_no_start(text) or _OTHER_PROGRAM.match(text):
        return None
    return header


def own_start(text: str) -> bool:
    """Whether the line starts a report that only pfdoctor looks for."""
    return own.starts(text) and not _OTHER_PROGRAM.match(text)


def is_bare(header: str) -> bool:
    """Whether the header is a word that programs other than the kernel print as well."""
    return _BARE.fullmatch(header) is not None or header in ("SYZFAIL:", "SYZFATAL:")
