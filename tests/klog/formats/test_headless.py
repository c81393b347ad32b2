"""Reports from the instruction pointer on: their headline is not in the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.klog.formats import headless
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]

RIP = "RIP: 0010:pfd_poll+0x24/0x90 [pfd]\n"
TRACE = "Call Trace:\n <TASK>\n vfs_read+0x9f/0x190\n ksys_read+0x6b/0xf0\n </TASK>\n"
CODE = "Code: 48 89 c3 90 <48> 8b 43 18 c3 90\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (RIP, Kind.PAGE_FAULT),
        (RIP + CODE + TRACE, Kind.PAGE_FAULT),
        ("[   10.669443] " + RIP + TRACE, Kind.PAGE_FAULT),
        ("RIP: e030:pfd_poll+0x24/0x90 [pfd]\n" + TRACE, Kind.PAGE_FAULT),
        ("RIP: 0010:[<ffffffffa0123456>]  [<ffffffffa0123456>] pfd_poll+0x24/0x90 [pfd]\n",
         Kind.PAGE_FAULT),
        (RIP + "Code: 48 89 c3 90 <0f> 0b 43 18 c3 90\n" + TRACE, Kind.KERNEL_BUG),
        (RIP + "Call Trace:\n <TASK>\n __warn+0x81/0x130\n report_bug+0x171/0x1a0\n", Kind.WARNING),
    ],
)  # fmt: skip
def test_a_report_without_its_headline_is_one(read: Read, text: str, kind: Kind) -> None:
    (report,) = read(text).reports
    assert (report.kind, report.function, report.module) == (kind, "pfd_poll", "pfd")
    assert report.corrupted_reason == "the headline of the report is lost"
    assert report.fault is None


@pytest.mark.parametrize(
    "text",
    [
        "RIP: 0033:0x7f4052883350\nRSP: 002b:00007ffd1a2b3c40 EFLAGS: 00000246\n",
        "NMI backtrace for cpu 1\nCPU: 1 PID: 0 Comm: swapper/1\n" + RIP + TRACE,
        "sysrq: Show backtrace of all active CPUs\nCPU: 0 PID: 9 Comm: sh\n" + RIP + TRACE,
        "the manual says what RIP: 0010:pfd_poll means\n",
    ],
    ids=["of a program", "of another processor", "on request", "in a sentence"],
)
def test_what_has_an_instruction_pointer_for_another_reason_is_none(read: Read, text: str) -> None:
    assert read(text).reports == ()


def test_beside_another_report_it_is_a_part_of_that_or_nothing(read: Read) -> None:
    head = "BUG: kernel NULL pointer dereference, address: 0000000000000018\nOops: 0000 [#1] SMP\n"
    (report,) = read(head + RIP + TRACE).reports
    assert (report.kind, report.corrupted_reason) == (Kind.NULL_POINTER, None)
    killed = "Out of memory: Killed process 7 (app) total-vm:2120kB, anon-rss:4kB\n"
    assert [r.kind for r in read(killed + "eth0: link up\n" * 600 + RIP).reports] == [Kind.OOM_KILL]


def test_a_silent_row_is_never_a_report(read: Read) -> None:
    assert any(row.silent for row in headless.FORMATS)
    assert read("NMI backtrace for cpu 1\n").reports == ()


def test_a_broadcast_to_terminals_is_no_frame(read: Read) -> None:
    text = "Internal error: Oops: 5 [#1] SMP ARM\n" + (
        "Message from syslogd@host at Mar 19 12:42:09 ...\nStack: (0x8bd73d58 to 0x8bd74000)\n" * 9
    )
    (report,) = read(text).reports
    assert report.frames == ()


@pytest.mark.parametrize("clock", ["", "[    1.000000] "])
def test_the_name_of_a_module_may_begin_with_a_digit(read: Read, clock: str) -> None:
    lines = (
        "BUG: kernel NULL pointer dereference, address: 0000000000000018",
        RIP.strip().replace("[pfd]", "[88x2bu]"),
        "Call Trace:",
        " rtw_probe+0x9f/0x190 [8190p]",
        " really_probe+0x9f/0x190",
    )
    (report,) = read("".join(f"{clock}{line}\n" for line in lines)).reports
    assert report.module == "88x2bu"
    assert "8190p" in {frame.module for frame in report.frames}
