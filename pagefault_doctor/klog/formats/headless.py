"""Reports whose headline is not in the log, as people paste them from the instruction pointer on.

They count only in a boot that has nothing else; `headless` is a detail of theirs. What the kernel
prints of its processors on request has an instruction pointer, too, but no headline to lose.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import ONLY_RIP, Format
from pagefault_doctor.model.report import Kind

_RIP: Final = r"^\s*RIP: (?:0010|e030):(?:\[<[0-9a-f]+>\]\s*){0,2}[\w.]+\+0x"
"""In the kernel, by the selectors of its code, the second under Xen."""
_WARNED: Final = r"\b__warn(?:_printk|_thunk)?\+|warn_slowpath|<67> 48 0f b9"
_BUG: Final = "<0f> 0b"
_headless = partial(
    Format,
    start=_RIP,
    needles=("RIP: ",),
    fragment=True,
    follows=True,
    lost=True,
    details=(r"(?P<headless>RIP: )",),
    alike="headless",
    ways=ONLY_RIP,
    source="arch/x86/kernel/process_64.c (__show_regs); its headline is not in the log",
)

FORMATS: Final = (
    Format(
        start=r"^(?:NMI backtrace for cpu \d+|sysrq: (?:SysRq : )?Show )",
        needles=("NMI backtrace for cpu ", ": Show "),
        silent=True,
        alike="state",
        title="state of the processors",
        kind=Kind.INFO,
        plain=True,
        source="lib/nmi_backtrace.c (nmi_cpu_backtrace), drivers/tty/sysrq.c",
    ),
    _headless(
        pattern=rf"{_RIP}(?=[\s\S]*(?:{_WARNED}))", title="WARNING in {f}", kind=Kind.WARNING
    ),
    _headless(pattern=rf"{_RIP}(?=[\s\S]*{_BUG})", title="kernel BUG in {f}", kind=Kind.KERNEL_BUG),
    _headless(title="Oops in {f}", kind=Kind.PAGE_FAULT),
)
