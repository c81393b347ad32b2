"""Logs as they come: lines lost, mixed, cut off, of several boots."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

First = Callable[[str], Report]
Read = Callable[[str], KernelLog]
Sample = Callable[[str], str]

WARNING = "WARNING: CPU: 0 PID: 1 at drivers/pfd.c:42 pfd_g+0x2/0x20 [pfd]"
TRACE = ("Call Trace:", " pfd_g+0x2/0x20 [pfd]", " pfd_read+0x2/0x20 [pfd]", " vfs_read+0x2/0x20")


def _at(seconds: float, *lines: str, caller: str = "") -> str:
    return "".join(f"[{seconds:12.6f}]{caller} {line}\n" for line in lines)


def test_a_clock_that_falls_back_is_another_boot(read: Read) -> None:
    log = read(_at(900.5, WARNING, *TRACE) + _at(12.25, WARNING, *TRACE))
    assert [(r.boot, r.number) for r in log.reports] == [(0, 1), (1, 1)]
    assert log.boots == 2


def test_lines_a_little_out_of_order_are_of_one_boot(read: Read) -> None:
    log = read(_at(900.5, WARNING, *TRACE) + _at(899.9, WARNING, *TRACE))
    assert {r.boot for r in log.reports} == {0}


def test_a_banner_counts_once_though_the_clock_fell_back_too(read: Read) -> None:
    banner = _at(0.0, "Linux version 6.1.0 (b@h) (gcc) #1 SMP")
    log = read(_at(900.5, WARNING, *TRACE) + banner + _at(9.0, WARNING, *TRACE))
    assert log.booted == (None, "6.1.0")
    assert [r.kernel_release for r in log.reports] == [None, "6.1.0"]


def test_two_tasks_at_once_are_told_apart(read: Read) -> None:
    one = _at(5.0, WARNING, *TRACE, caller="[   T81]").splitlines(keepends=True)
    other = _at(5.0, WARNING.replace("pfd_g", "pfd_h"), *TRACE, caller="[   T82]")
    mixed = [
        line for pair in zip(one, other.splitlines(keepends=True), strict=True) for line in pair
    ]
    reports = read("".join(mixed)).reports
    assert [r.title for r in reports] == ["WARNING in pfd_g", "WARNING in pfd_g"]
    assert {len(r.excerpt) for r in reports} == {5}


def test_a_report_with_most_lines_lost_is_not_trusted(first: First) -> None:
    lines = _at(5.0, WARNING, *TRACE).splitlines(keepends=True)
    report = first(
        "".join(f"** {n} printk messages dropped ** {x}" for n, x in enumerate(lines, 7))
    )
    assert report.corrupted_reason == "most lines of the report were dropped"
    assert report.title == "WARNING in pfd_g"


def test_a_trace_without_frames_is_not_trusted(first: First) -> None:
    report = first(_at(5.0, "BUG: Bad page map in process a  pte:1 pmd:2", "Call Trace:", "x", "y"))
    assert report.corrupted_reason == "the call trace is cut off"


def test_what_other_cpus_answer_belongs_to_the_report_that_asked(first: First) -> None:
    report = first(
        _at(5.0, "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]", caller="[    C0]")
        + _at(5.1, "Sending NMI from CPU 0 to CPUs 1:", caller="[    C0]")
        + _at(5.2, "NMI backtrace for cpu 1", "RIP: 0010:pfd_spin+0x1/0x2", caller="[    C1]")
        + _at(5.3, "words of a task", caller="[   T81]")
    )
    texts = [line.text for line in report.excerpt]
    assert "RIP: 0010:pfd_spin+0x1/0x2" in texts
    assert "words of a task" not in texts


def test_modules_named_by_the_next_report_of_the_boot_count_for_both(read: Read) -> None:
    log = read(
        _at(5.0, "BUG: sleeping function called from invalid context at mm/slab.h:42", *TRACE)
        + _at(5.1, "BUG: scheduling while atomic: a/1/0x2", "Modules linked in: pfd(OE) loop")
        + _at(5.1, *TRACE)
    )
    assert [[m.name for m in r.modules] for r in log.reports] == [["pfd", "loop"]] * 2
    assert log.reports[0].span.last_line == 5


@pytest.mark.parametrize(
    "lines",
    [
        ("kernel BUG at drivers/pfd.c:7!", "invalid opcode: 0000 [#1] SMP NOPTI"),
        ("kernel BUG at drivers/pfd.c:7!", "Oops: invalid opcode: 0000 [#1] SMP NOPTI"),
        ("BUG: kernel NULL pointer dereference, address: 0000000000000018", "Oops: 0002 [#1] SMP"),
        ("kernel BUG at drivers/pfd.c:7!", "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP"),
        ("kernel BUG at drivers/pfd.c:7!", "Kernel BUG [#1]"),
        ("Machine check in kernel mode.", "Oops: Machine check, sig: 7 [#1]"),
        ("irq 16: nobody cared (try booting with the \"irqpoll\" option)",),
    ],
)  # fmt: skip
def test_one_event_told_in_several_parts_is_one_report(read: Read, lines: tuple[str, ...]) -> None:
    log = read(
        _at(5.0, *lines, "RIP: 0010:pfd_g+0x2/0x20 [pfd]", *TRACE)
        + _at(5.1, "Kernel panic - not syncing: Fatal exception")
    )
    assert len(log.reports) == 1


def test_a_headline_whose_report_is_missing_is_said_as_it_stands(first: First) -> None:
    report = first(_at(5.0, "WARNING: suspicious RCU usage", "6.1.0 #1 Not tainted"))
    assert (report.title, report.type) == ("WARNING: suspicious RCU usage", "WARNING")
    assert report.corrupted


def test_a_report_goes_on_among_the_lines_of_other_programs(first: First) -> None:
    lines = _at(5.0, WARNING, *TRACE).splitlines(keepends=True)
    said = "".join(f"Jan 13 10:20:30 host app[{n}]: served a page\n" for n in range(20))
    report = first(said.join(f"Jan 13 10:20:30 host kernel: {line}" for line in lines))
    assert len(report.excerpt) == len(lines)


def test_a_report_ends_where_only_other_programs_go_on(first: First) -> None:
    said = "".join(f"Jan 13 10:20:30 host app[{n}]: served a page\n" for n in range(100))
    late = _at(5.0, " pfd_late+0x2/0x20 [pfd]")
    report = first(_at(5.0, WARNING, *TRACE) + said + late)
    assert [frame.function for frame in report.frames][-1] == "vfs_read"
