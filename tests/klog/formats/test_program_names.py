"""A process may have any name of fifteen bytes (include/linux/sched.h, TASK_COMM_LEN)."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.report import Kind

NAMES = (
    *("vlc:disk$3", "Chrome_~dThread", "it's", "Isolated Web Co", "x\\x0ay", "a=b&c"),
    *("(sd-pam)", "ZeroMQ->IO", "100%"),
)
WORDS = (
    "{}[5012]: segfault at 28 ip 00007f5b9cd4a7d0 sp 00007f5b68bfdd20 error 4 "
    "in a.so[7f5b9cd02000+9a000]",
    "traps: {}[5012] general protection fault ip:7f5b9cd4a7d0 sp:7ffe0 "
    "error:0 in a.so[7f5b9cd02000+9a000]",
)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_found_whatever_the_programs_name(name: str, words: str) -> None:
    log = f"[  310.221008] {words.format(name)}\n"
    (report,) = klog.read(log.encode(), "log").reports
    assert report.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP)
    assert report.details["program"] == name


@pytest.mark.parametrize("words", WORDS)
def test_the_programs_of_a_fuzzer_fault_on_purpose(words: str) -> None:
    log = f"[  310.221008] {words.format('syz-executor.3')}\n"
    assert klog.read(log.encode(), "log").reports == ()


def test_a_program_that_stops_itself_does_not_lead_before_one_that_crashed() -> None:
    stops = "traps: calc[6120] trap int3 ip:7f1e0b44a7d7 sp:7ffe7 error:0 in g.so[7f1e0b407000+9b]"
    for lines in ((stops, WORDS[0].format("vlc")), (WORDS[0].format("vlc"), stops)):
        log = "".join(f"[  {at}.221008] {text}\n" for at, text in enumerate(lines, 310))
        opinion = diagnose((klog.read(log.encode(), "log"),), {})
        assert opinion.report == [*lines].index(WORDS[0].format("vlc"))
