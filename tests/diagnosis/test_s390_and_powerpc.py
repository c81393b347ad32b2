"""What s390 and powerpc print of a fault, on logs made for these tests."""

from __future__ import annotations

from collections.abc import Mapping

from diagnosis.logs import stamped, verdict
from pagefault_doctor import klog
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.report import Report

_FAULT = "Unable to handle kernel pointer dereference in virtual kernel address space"
_MODULES = "Modules linked in: quay(OE) abacus(OE)"
_TAINT = "Tainted: G           OE     "


def _four(registers: Mapping[int, int]) -> list[str]:
    values = [f"{registers.get(n, 0x2A):016x}" for n in range(32)]
    return [" ".join(values[n : n + 4]) for n in range(0, 32, 4)]


def s390_state(
    place: str = "quay_read+0x32/0x58 [quay]",
    code: str = "e31010000004\tlg\t%r1,0(%r1)",
    registers: Mapping[int, int] | None = None,
    trace: tuple[str, ...] = ("quay_read+0x32/0x58 [quay]", "vfs_read+0x1fe/0x310"),
) -> list[str]:
    """Return what show_regs prints (arch/s390/kernel/dumpstack.c)."""
    first, *rest = _four({15: 0x37FFE9AFAC8, **(registers or {})})[:4]
    return [
        f"CPU: 0 PID: 196 Comm: cat {_TAINT} 6.12.0 #1",
        f"Krnl PSW : 0704c00180000000 000003ff7e8760a2 ({place})",
        "           R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:0 PM:0 RI:0 EA:3",
        f"Krnl GPRS: {first}",
        *(f"           {row}" for row in rest),
        "Krnl Code: 000003ff7e876098: b90400b2\t\tlgr\t%r11,%r2",
        "          #000003ff7e87609c: a718ffff\t\tlhi\t%r1,-1",
        f"          >000003ff7e8760a2: {code}",
        "           000003ff7e8760a8: b904002b\t\tlgr\t%r2,%r11",
        "Call Trace:",
        *(f" [<000003ff7e8760a2>] {frame} " for frame in trace),
        "Last Breaking-Event-Address:",
        " [<000003ff7e876000>] quay_open+0x2a/0x30 [quay]",
    ]


def s390_fault(address: int, teid: int = 0x803, code: int = 0x11, **state: object) -> str:
    """Return a fault as s390 reports it (arch/s390/mm/fault.c): the page of the address alone."""
    page = address & 0xFFFFFFFFFFFFF000
    return stamped(
        _FAULT,
        f"Failing address: {page:016x} TEID: {page | teid:016x}",
        "Fault in home space mode while using kernel ASCE.",
        "AS:0000000002040007 R3:00000000163a4007 S:0000000016398000 P:00000000020ff13d ",
        f"Oops: {code:04x} ilc:3 [#1] SMP ",
        _MODULES,
        *s390_state(**state),  # type: ignore[arg-type]
    )


def report_of(text: str) -> Report:
    """Return the only report of a log."""
    (report,) = klog.read(text.encode(), "serial.log").reports
    return report


def test_a_stack_overflow_of_s390() -> None:
    text = stamped(
        "Kernel stack overflow.",
        *s390_state(trace=()),
        "Kernel panic - not syncing: Corrupt kernel stack, can't continue.",
        "Call Trace:",
        " [<000003ffff3f4ed8>] panic+0x118/0x318 ",
        " [<000003fffe8f8ce6>] kernel_stack_overflow+0x56/0x58 ",
    )
    found = verdict(text)
    assert (found.root_cause, found.module) == (RootCause.STACK_OVERFLOW, "quay")
    assert report_of(text).function == "quay_read"


def test_other_words_of_a_stack_are_no_overflow() -> None:
    text = stamped("quay: kernel stack overflowing soon", *s390_state())
    assert klog.read(text.encode(), "serial.log").reports == ()
