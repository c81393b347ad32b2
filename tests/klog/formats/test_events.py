"""What is one event, and what is two: time that went by, and words that a debugger repeats."""

from __future__ import annotations

from collections.abc import Callable

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]

WARNED = (
    "[    9.456579] WARNING: CPU: 3 PID: 388 at drivers/quay.c:10 quay_probe+0x12/0x17 [quay]\n"
)
FAULT = "general protection fault, probably for non-canonical address 0xdead4ead00000000: 0000 [#1]"
RIP = "RIP: 0010:pier_poll+0x6e/0x3b0 [pier]"


def test_a_fault_an_hour_after_a_warning_is_no_part_of_it(read: Read) -> None:
    later = read(f"{WARNED}[ 5071.100038] {FAULT}\n[ 5071.100124] {RIP}\n").reports
    assert [r.kind for r in later] == [Kind.WARNING, Kind.GENERAL_PROTECTION]
    assert later[1].function == "pier_poll"
    (at_once,) = read(f"{WARNED}[    9.456600] {FAULT}\n[    9.456601] {RIP}\n").reports
    assert at_once.kind is Kind.WARNING


LBUG = """\
LustreError: 7:0:(quay_lock.c:839:quay_put()) LBUG
Call Trace:
 [<ffffffffc08a287c>] lbug_with_loc+0x4c/0xa0 [libcfs]
 [<ffffffffc0c1e6b2>] quay_put+0xa2/0xb0 [quay]
Kernel panic - not syncing: LBUG
"""
SYS = '       PANIC: "Kernel panic - not syncing: LBUG"\n'
STACK = """\
 #2 [ffff9aae3f56ba08] panic at ffffffff9597d7a8
 #3 [ffff9aae3f56ba88] quay_put at ffffffffc0c1e6b2 [quay]
"""


def test_what_a_debugger_repeats_of_the_log_is_no_event_beside_it(read: Read) -> None:
    (report,) = read(SYS + LBUG + STACK).reports
    assert (report.kind, report.function, report.module) == (Kind.KERNEL_BUG, "quay_put", "quay")
    assert [r.kind for r in read(SYS + STACK).reports] == [Kind.PANIC]
