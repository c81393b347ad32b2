"""A program that died: which of several, what it was doing, and what can still be done."""

from __future__ import annotations

import pytest

from diagnosis.logs import stamped, verdict
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose

DUMP = "systemd-coredump[841]: "
FRAMES = (
    f"{DUMP}Process 731 (quayd) of user 0 dumped core.",
    f"{DUMP}Stack trace of thread 731:",
    f"{DUMP}#0  0x000073c605eabbe2 n/a (libc.so.6 + 0x9dbe2)",
    DUMP + "#1  0x000073c605f27d85 {} (libc.so.6 + 0x119d85)",
)
OFF = f"{DUMP}Due to PID 1 having crashed coredump collection will now be turned off."
DUMPER = (
    "systemd-coredum[841]: segfault at 0 ip 00007fee1 sp 00007ffd8 error 4 in libc.so[7fee0+195]"
)
CAUGHT = "systemd[1]: Caught <ABRT>, dumped core as pid 840."


@pytest.mark.parametrize(
    ("function", "situation"),
    [
        ("epoll_wait", "died-while-it-waited"),
        ("__poll", "died-while-it-waited"),
        ("clock_nanosleep", "died-while-it-waited"),
        ("poll_the_tide_x", "program-core-of-pid"),
        ("quay_epoll", "program-core-of-pid"),
    ],
)
def test_a_program_that_waited_was_killed_by_another(function: str, situation: str) -> None:
    if function.startswith("poll_the"):
        function = f"tide_{function}"
    step = verdict(stamped(*FRAMES).format(function)).next_step
    assert step is not None
    assert step.situation == situation
    assert "quayd" in step.why


@pytest.mark.parametrize("lines", [(OFF, DUMPER, CAUGHT), (DUMPER, CAUGHT), (CAUGHT, DUMPER)])
def test_the_first_process_leads_before_what_dumps_it(lines: tuple[str, ...]) -> None:
    log = klog.read(stamped(*lines).encode(), "log")
    opinion = diagnose((log,), {})
    assert opinion.report is not None
    assert "systemd-coredum[" not in log.reports[opinion.report].title
    assert opinion.verdict.next_step is not None
    assert opinion.verdict.next_step.situation == "first-process-crashed"
    assert "coredumpctl" not in " ".join(opinion.verdict.next_step.command)


def test_another_program_that_died_leads_before_a_service_that_says_so() -> None:
    died = "quayd[731]: segfault at 18 ip 00007fee1 sp 00007ffd8 error 4 in q.so[7fee0+195]"
    for lines in ((died, DUMPER), (DUMPER, died)):
        opinion = diagnose((klog.read(stamped(*lines).encode(), "log"),), {})
        assert opinion.report == lines.index(died)


def test_a_crash_of_the_kernel_leads_before_the_first_process() -> None:
    oops = "BUG: kernel NULL pointer dereference, address: 0000000000000018"
    assert verdict(stamped(CAUGHT, oops)).root_cause != "user-space"


STOPPED = (
    f"{DUMP}Process 731 (quayd) of user 0 dumped core.",
    f"{DUMP}#0  0x00007f11e36ab834 __pthread_kill_implementation (libc.so.6 + 0x8e834)",
    f"{DUMP}#1  0x00007f11e36598ee raise (libc.so.6 + 0x3c8ee)",
    f"{DUMP}#2  0x00007f11e36418ff abort (libc.so.6 + 0x248ff)",
    f"{DUMP}#3  0x00007f11e3d0a1f8 g_assertion_message (libglib-2.0.so.0 + 0x1d1f8)",
    f"{DUMP}#4  0x00007f11e2f10a61 tide_rise (libtide.so.0 + 0x110a61)",
)


def test_a_program_that_stopped_itself_is_told_by_its_own_function() -> None:
    found = verdict(stamped(*STOPPED))
    assert found.next_step is not None
    assert found.next_step.situation == "program-stopped-itself"
    assert "at a check in tide_rise" in found.next_step.why
    assert any("tide_rise" in fact.text for fact in found.facts)


def test_a_program_that_did_not_stop_itself_crashed() -> None:
    crashed = (STOPPED[0], STOPPED[-1].replace("#4", "#0"))
    step = verdict(stamped(*crashed)).next_step
    assert step is not None
    assert step.situation == "program-core-of-pid"


BOARD = (
    "quayd[602]: unhandled level 2 translation fault (11) at 0x00000038, esr 0x92000006,"
    " in libtide.so[7f8a1c0000+2b4000]",
    "CPU: 3 PID: 602 Comm: quayd Tainted: G         C O      4.19.193 #1",
    "Hardware name: {}",
    "pstate: 60000000 (nZCv daif -PAN -UAO)",
    "pc : 0000007f8a2b94f0",
)


@pytest.mark.parametrize(
    ("hardware", "situation"),
    [("ACME Board (DT)", "program-of-board"), ("ACME PowerEdge Server", "program-in-library")],
)
def test_a_program_of_a_board_has_no_core_dump_to_read(hardware: str, situation: str) -> None:
    found = verdict(stamped(*BOARD).format(hardware))
    assert found.next_step is not None
    assert any("libtide.so+0xf94f0" in fact.means for fact in found.facts)
    assert (found.next_step.situation == "program-of-board") is (situation == "program-of-board")
