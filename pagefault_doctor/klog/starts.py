"""Which lines start a report, and which only look as if they did.

Matching is case-sensitive. The headers are the kernel's own words: `arch/x86/mm/fault.c`,
`arch/arm64/mm/fault.c`, `kernel/panic.c`, `lib/bug.c`, `kernel/locking/lockdep.c`,
`kernel/rcu/tree_stall.h`, `kernel/hung_task.c`, `mm/kasan/report.c`; a few come from fuzzers'
programs on the same console. Starts that the naming convention of syzbot does not know are in a
table of their own: `arch/*/kernel/traps.c`, `lib/list_debug.c`, `lib/refcount.c`, `mm/slub.c`,
`mm/usercopy.c`, `mm/kmemleak.c`, `mm/oom_kill.c`, `mm/page_alloc.c`, `kernel/watchdog.c`,
`kernel/irq/spurious.c`, `drivers/edac/`, `drivers/pci/pcie/aer.c`, `drivers/iommu/`,
`drivers/ata/libata-eh.c`, `block/blk-core.c`, `drivers/tty/sysrq.c`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from pagefault_doctor.model.pattern import WordedPattern, regex

# Fuzzers kill and fault their own programs (syz-executor, syz.1.2) on purpose.
_PROGRAM: Final = r"^(?!syz)[\w.@/+:()# -]{1,40}\[\d+\]: "

_STARTS: Final = (
    ("Oops", r"Oops: (?:[0-9a-f]{4,16} \[#\d+\]|[0-9a-f]{4} ilc:\d|Oops: |Kernel access|Exception"
             r"|Machine check, sig|Unrecoverable|Bad kernel stack|Weird page fault)"),
    ("Oops", r"^Oops(?: - [\w ()/-]+)? ?\[#\d+\]"),
    (" ilc:", r"^[a-z][a-z -]+: [0-9a-f]{4} ilc:\d \[#\d+\]"),
    ("BUG ", r"^BUG [\w.:-]+ \((?:Not tainted|Tainted: )"),
    ("stack overflow (", r"kernel stack overflow \((?:double-fault|page fault)\): "),
    ("tried to execute", r"kernel tried to execute (?:NX-protected|exec-protected|user) page"),
    ("unable to execute", r"unable to execute userspace code \(SMEP\?\)"),
    ("Corrupted page", r"Corrupted page table at address [0-9a-f]+"),
    ("control protection", r"control protection fault"),
    ("Missing ENDBR", r"Missing ENDBR: "),
    ("CFI failure", r"CFI failure (?:at|\(target: )"),
    ("attempted to", r"Kernel attempted to (?:read|write|execute|access) user page \("),
    ("attempt detected", r"Kernel memory (?:exposure|overwrite) attempt detected"),
    ("detected ", r"detected buffer overflow in \w+|\w+: detected (?:buffer overflow|field-span)"),
    ("double free", r"slab: double free detected in cache"),
    ("unreferenced", r"unreferenced object 0x[0-9a-f]+ \(size \d+\):"),
    ("hard LOCKUP", r"Watchdog detected hard LOCKUP on cpu|CPU \d+ self-detected hard LOCKUP"),
    ("hard LOCKUP", r"CPU \d+ detected hard LOCKUP on other CPUs"),
    ("Machine Check", r"Machine Check(?: Exception)?: +[0-9a-f]+ (?:Bank|\S+)"),
    ("Machine check", r"Machine check events logged|^Machine check in kernel mode"),
    ("from APEI", r"Hardware error from APEI Generic Hardware Error Source"),
    ("EDAC ", r"EDAC [\w#]+: (?:\d+ )?[CU]E "),
    ("Memory failure", r"^(?:MCE: |mce: )?Memory failure: 0x[0-9a-f]+: "),
    ("AER: ", r"AER: (?:Multiple )?(?:Unc|C)orrect(?:ed|able)[^:]* (?:error|\(|message)"),
    ("PCIe Bus Error", r"PCIe Bus Error: severity="),
    ("DMAR: ", r"DMAR: \[(?:DMA|INTR-REMAP)[^\]]*\] Request device \["),
    ("AMD-Vi", r"AMD-Vi: Event logged \["),
    ("arm-smmu", r"arm-smmu[\w-]* \S+: Unhandled context fault"),
    ("NMI", r"NMI: (?:IOCK|PCI system) error|NMI received for unknown reason"),
    ("above threshold", r"(?:Core|Package) temperature (?:is )?above threshold"),
    ("exception Emask", r"^ata\d[\d.]*: exception Emask 0x"),
    (" error, dev ", r"(?:I/O|critical (?:medium|target|nexus)|protection|device resource|timeout)"
                     r" error, dev \w+, sector \d+"),
    ("SError Int", r"SError Interrupt on CPU\d+, code"),
    ("Bad mode in", r"Bad mode in [\w ]+ handler detected"),
    (", ESR 0x", r"Unhandled [\w -]+ exception(?: on CPU\d+)?, ESR 0x[0-9a-f]+"),
    ("prefetch abort", r"Unhandled prefetch abort: "),
    ("kthread", r"rcu_\w+ kthread (?:timer wakeup didn't|starved for \d+ jiffies)"),
    ("Insufficient", r"Insufficient stack space to handle exception!"),
    ("list_", r"list_(?:add|del) (?:corruption[.,]|double add:)"),
    ("refcount_t", r"refcount_t: (?:underflow|addition on 0|increment on 0|saturated|decrement)"),
    ("ODEBUG: ", r"^ODEBUG: \w+ .*object type: "),
    ("DEBUG_LOCKS", r"^DEBUG_LOCKS_WARN_ON\("),
    ("pagealloc: ", r"pagealloc: (?:memory corruption|single bit error)"),
    ("Bad swap", r"\w+: Bad swap (?:file entry|offset entry) [0-9a-f]+"),
    ("Slab cache still", r"kmem_cache_destroy \S+: Slab cache still has objects"),
    ("_panic: text", r"skb_(?:over|under)_panic: text:"),
    ("segfault ", _PROGRAM + r"segfault at [0-9a-f]+ ip [0-9a-f]+ sp "),
    ("segfault ", _PROGRAM + r"segfault \(\d+\) at [0-9a-f]+ nip "),
    ("traps: ", r"^traps: (?!syz)[^\[\]]+\[\d+\] [a-z][\w /-]*? ip:[0-9a-f]+ sp:[0-9a-f]+ error:"),
    ("unhandled ", _PROGRAM + r"unhandled .{3,60}? (?:\(\d+\) )?(?:at|code) (?:0x)?[0-9a-f]+"),
    ("unhandled ", r"^(?!syz)[\w.@/+:()# -]{1,40}: unhandled page fault \(\d+\) at "),
    ("process fault", r"^User process fault: interruption code "),
    (" nip ", _PROGRAM + r"(?:bad frame|illegal inst|trap|bus error).* nip [0-9a-f]+ lr [0-9a-f]+"),
    ("oom-killer", r"^(?!syz).*invoked oom-killer: gfp_mask="),
    ("ut of memory", r"[Oo]ut of memory(?: \([^)]*\))?: Kill(?:ed)? process \d+\b(?! \(syz)"),
)  # fmt: skip

_NOTICES: Final = (
    ("NETDEV WATCHDOG", r"NETDEV WATCHDOG: "),
    ("nobody cared", r"^irq \d+: nobody cared"),
    ("Trigger a crash", r"^sysrq: (?:SysRq : )?Trigger a crash|^SysRq : Trigger a crash"),
    ("page allocation", r"^(?!syz)(?:.{1,40}: )?page allocation (?:failure: order:\d|stalls for)"),
    ("suspected memory", r"^kmemleak: \d+ new suspected memory leaks"),
)

NEEDLES: Final = (
    b" to execute ", b"Missing ENDBR", b"CFI failure", b"Machine ", b"PCIe Bus Error", b"DMAR: [",
    b"AMD-Vi: Event", b"Unhandled ", b"Uhhuh", b"above threshold", b"exception Emask",
    b" error, dev ", b"pagealloc: ", b"Bad swap ", b"Slab cache still", b"_panic: text", b" ilc:",
    b"NETDEV WATCHDOG", b"nobody cared", b"Trigger a crash", b"page allocation ",
    b"suspected memory", b"Oops", b" unhandled ", b" nip ",
)  # fmt: skip
"""What a first search looks for besides the headers, so that these starts are found."""

_TABLE: Final = tuple((word, regex(pattern)) for word, pattern in _STARTS)
_QUIET: Final = tuple((word, regex(pattern)) for word, pattern in _NOTICES)
_GROUPS: Final = (
    ("Machine Check", "Machine check", "from APEI", "EDAC ", "Memory failure"),
    ("AER: ", "PCIe Bus Error"),
    ("exception Emask", " error, dev "),
)
"""Words of starts that tell of one and the same trouble."""


def starts(text: str) -> bool:
    """Whether a report that only pfdoctor looks for starts with this line."""
    return _word(_TABLE, text) is not None or is_notice(text)


def is_notice(text: str) -> bool:
    """Whether the line is trouble only as long as nothing worse stands in the log."""
    return _word(_QUIET, text) is not None


def is_alike(text: str, other: str) -> bool:
    """Whether two such lines tell of the same sort of trouble."""
    word = _word(_TABLE, text) or _word(_QUIET, text) or text
    group = next((g for g in _GROUPS if word in g), (word,))
    return any(each in other for each in group)


def _word(table: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str | None:
    return next((word for word, pattern in table if word in text and pattern.search(text)), None)


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
def _not() -> tuple[tuple[WordedPattern, ...], tuple[str, ...]]:
    """Return the expressions, and all words that they need."""
    each = tuple(map(WordedPattern, NOT_A_START))
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
    return starts(text) and not _OTHER_PROGRAM.match(text)


def is_bare(header: str) -> bool:
    """Whether the header is a word that programs other than the kernel print as well."""
    return _BARE.fullmatch(header) is not None or header in ("SYZFAIL:", "SYZFATAL:")
