"""Faults as ARM and arm64 report them: `arch/arm64/mm/fault.c`, `arch/arm/mm/fault.c`."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, FAULT, OWN, Format
from pagefault_doctor.model.report import Kind

_HEADER: Final = "Unable to handle kernel"


def _internal(what: str, kind: Kind) -> Format:
    return Format(
        header="Internal error:",
        says=rf"Internal error: ?(?:{what})",
        title="Internal error in {f}",
        kind=kind,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="die (arch/arm64/kernel/traps.c, arch/arm/kernel/traps.c)",
    )


FORMS: Final = (
    Format(
        header=_HEADER,
        says=r"Unable to handle kernel NULL pointer dereference",
        title="BUG: unable to handle kernel NULL pointer dereference in {f}",
        kind=Kind.NULL_POINTER,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="die_kernel_fault",
    ),
    Format(
        header=_HEADER,
        says=r"Unable to handle kernel access to user memory",
        title="BUG: unable to handle kernel access to user memory in {f}",
        kind=Kind.USER_ACCESS,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="do_page_fault (arm64), riscv no_context",
    ),
    Format(
        header=_HEADER,
        says=r"Unable to handle kernel (?:paging request|pointer dereference|write to read-only"
        r"|execute from|read from|access to hyp|[\w ]+? at virtual)",
        title="BUG: unable to handle kernel paging request in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="die_kernel_fault",
    ),
    _internal(r"Oops - BUG|BRK handler|Oops - UBSAN", Kind.KERNEL_BUG),
    _internal(
        r"synchronous (?:external abort|parity|ECC)|.*(?:external abort|parity|ECC) ?\(?",
        Kind.HARDWARE,
    ),
    _internal(
        r"Oops: |Accessing user space|Unhandled fault|: [0-9a-f]+ \[|.*abort: ", Kind.PAGE_FAULT
    ),
    _internal(r"", Kind.TRAP),
    Format(
        header="Unhandled fault:",
        says=r"Unhandled fault:",
        title="Unhandled fault in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="do_DataAbort (arch/arm/mm/fault.c)",
    ),
    Format(
        header="Alignment trap:",
        says=r"Alignment trap:",
        title="Alignment trap in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="do_alignment (arch/arm/mm/alignment.c)",
    ),
    Format(
        header=OWN,
        says=r"Unhandled prefetch abort: ",
        title="Unhandled prefetch abort in {f}",
        kind=Kind.PAGE_FAULT,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="do_PrefetchAbort (arch/arm/mm/fault.c)",
    ),
)
