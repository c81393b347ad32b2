"""What a log is searched for: one of these stands in every line that matters."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog import boots, module_events, own

NEEDLES: Final = (
    b"BUG", b"WARNING:", b"INFO:", b"Unable to handle kernel", b"general protection fault",
    b"stack segment: ", b"Kernel panic", b"PANIC: double fault", b"rust_kernel: panicked",
    b"divide error:", b"divide_error:", b"invalid opcode:", b"int3:", b"UBSAN:",
    b"Booting the kernel.", b"unregister_netdevice: waiting", b"VFS: Close", b"VFS: Busy",
    b"Internal error:", b"Alignment trap:", b"trusty: panic", b"fatal error:",
    b"SYZFA", b"panic:", b"unreferenced object", b"hard LOCKUP",
    b"from APEI", b"SError Interrupt", b"Bad mode in", b"kthread starved", b"kthread timer wakeup",
    b"Insufficient stack",
    b"list_add ", b"list_del ", b"stack overflow (", b"Corrupted page table",
    b"control protection", b"Kernel attempted to", b"Kernel memory ", b": detected ",
    b"detected buffer over", b"double free detected", b"AER: ", b"EDAC ",
    b"Memory failure: 0x", b"NMI: ", b"refcount_t: ", b"segfault ", b"traps: ",
    b"oom-killer: ", b"ut of memory: Kill", b"ut of memory (",
    *own.NEEDLES,
    *boots.NEEDLES,
    *module_events.NEEDLES,
)  # fmt: skip

COMMON: Final = (
    b"module", b"error", b"panic", b"memory", b"version ", b"stack", b"list_", b" symbol", b"trap",
    b"tection", b"alloc", b"nhandle", b"-- ",
)  # fmt: skip
"""What several needles have in common: a text without it holds none of those."""
