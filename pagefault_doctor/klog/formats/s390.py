"""Faults as s390 reports them: `arch/s390/mm/fault.c`, `arch/s390/kernel/traps.c`.

A fault's headline is one that the ARM family shares; a program check stands for itself.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, Continuation, Format
from pagefault_doctor.model.report import Kind

FORMATS: Final = (
    Format(
        pattern=r"monitor event: [0-9a-f]{4} ilc:\d \[#",
        title="kernel BUG in {f}",
        kind=Kind.KERNEL_BUG,
        ways=FAULT,
        source="arch/s390/kernel/traps.c (monitor_event_exception); its headline is not in the log",
    ),
    Format(
        start=r"^([a-z][a-z -]+): [0-9a-f]{4} ilc:\d \[#\d+\]",
        title="{1} in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="arch/s390/kernel/traps.c (do_trap)",
    ),
    Format(
        start=r"^Kernel stack overflow\.?$",
        pattern=r"Kernel stack overflow",
        title="kernel stack overflow in {f}",
        kind=Kind.STACK_GUARD,
        ways=FAULT,
        alts=("stack-overflow in {f}",),
        source="arch/s390/kernel/traps.c (kernel_stack_overflow)",
    ),
    Continuation(
        lead=r"[Ff]ailing address: [0-9a-f]", source="arch/s390/mm/fault.c (dump_fault_info)"
    ),
)
