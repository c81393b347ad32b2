"""Addresses that MIPS refuses: `arch/mips/kernel/unaligned.c`.

An address error is what a misaligned address raises, and one outside the kernel's segments. The
kernel says "unaligned" of both.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import paging_request

FORMATS: Final = (
    paging_request(
        start=r"Unhandled kernel unaligned access|Kernel unaligned instruction access",
        title="kernel unaligned access in {f}",
        source="arch/mips/kernel/unaligned.c (emulate_load_store_insn, do_ade)",
    ),
)
