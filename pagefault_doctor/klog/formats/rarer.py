"""Faults as the rarer architectures report them, and Xen, each with the words of its own."""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, Format, fault, paging_request
from pagefault_doctor.model.report import Kind

_oops = partial(paging_request, title="Oops in {f}", alike="oops")
_xen = partial(Format, ways=FAULT, alike="Xen")

FORMATS: Final = (
    _oops(
        start=r"^.{1,40}\(\d+\): Oops \[#\d+\]",
        source="arch/sparc/kernel/traps_64.c (die_if_kernel)",
    ),
    _oops(
        start=r"^.{1,40}\(\d+\): Oops -?\d+(?:\n|$)|^.{1,40}\[\d+\]: Oops \d+ \[\d+\]"
        r"|^Oops#: [0-9a-f]{4}",
        needles=(": Oops ", "Oops#: "),
        source="arch/alpha/mm/fault.c, arch/ia64/kernel/traps.c (die), arch/openrisc (die)",
    ),
    _oops(
        start=r"^.{1,40} \(pid \d+\): .{3,60} (?:at [0-9a-f]{8,16} )?\(code \d+\)(?! at )",
        needles=("(code ",),
        source="arch/parisc/kernel/traps.c (parisc_terminate, die_if_kernel)",
    ),
    _oops(
        start=r"^Kernel Fault: Code=\d+ \(.*\) at addr",
        source="arch/parisc/kernel/traps.c (parisc_terminate), before 5.10",
    ),
    _oops(
        start=r"^\*\*\* (?:BUS ERROR|ADDRESS ERROR|ILLEGAL INSTRUCTION) \*\*\*|^Oops: 0{8}(?:\n|$)",
        source="arch/m68k/kernel/traps.c (bad_super_trap)",
    ),
    _oops(
        start=r"^(?:Invalid (?:Read|Write|Exec)|[\w /]+) @ 0x[0-9a-f]+ by insn @ ",
        source="arch/arc/kernel/troubleshoot.c (show_ecr_verbose)",
    ),
    fault(
        start=r"^(?:CPU\[\d+\]: )?(NON-RESUMABLE|RESUMABLE) ERROR: Reporting on cpu \d+",
        title="{1} ERROR in {f}",
        kind=Kind.HARDWARE,
        source="arch/sparc/kernel/traps_64.c (sun4v_log_error)",
    ),
    _xen(
        start=r"^Xen BUG at \S+:\d+",
        pattern=r"(?:----\[ Xen-[\s\S]*?)?Xen BUG at \S+:\d+",
        title="Xen BUG in {f}",
        kind=Kind.KERNEL_BUG,
        source="xen/arch/x86/traps.c (do_invalid_op)",
    ),
    _xen(
        start=r"^Assertion '.*' failed at \S+:\d+",
        pattern=r"Assertion '(.*)' failed at (\S+)",
        title="Xen: assertion {1} failed",
        kind=Kind.KERNEL_BUG,
        source="xen/include/xen/lib.h (assert_failed)",
    ),
    _xen(
        start=r"^FATAL PAGE FAULT(?:\n|$)|^Faulting linear address: [0-9a-f]{16}|^FATAL TRAP: vec",
        pattern=r"(?:----\[ Xen-[\s\S]*?)?(?:FATAL PAGE FAULT|Faulting linear|FATAL TRAP: vec)",
        title="Xen: fatal fault in {f}",
        kind=Kind.PAGE_FAULT,
        source="xen/arch/x86/traps.c (do_page_fault, fatal_trap)",
    ),
    _xen(
        start=r"^Watchdog timer (?:detects that CPU\d+|fired)",
        title="Xen: a processor is stuck in {f}",
        kind=Kind.LOCKUP,
        source="xen/arch/x86/nmi.c (nmi_watchdog_tick)",
    ),
    _xen(
        start=r"^----\[ Xen-\d|^Panic on CPU \d+:",
        follows=True,
        pattern=r"(?:----\[ Xen-[\s\S]*?)?Panic on CPU \d+:\s*(.*)|----\[ Xen-",
        title="Xen panic: {1}",
        kind=Kind.PANIC,
        source="xen/drivers/char/console.c (panic)",
    ),
    _xen(
        start=r"^domain_crash called from|^Domain \d+ \(vcpu#\d+\) crashed on cpu#"
        r"|^d\d+v\d+ .*[Uu]nhandled",
        title="Xen: a guest crashed",
        kind=Kind.PANIC,
        plain=True,
        source="xen/common/domain.c (__domain_crash), xen/arch/x86/traps.c",
    ),
)
