"""What helps where a program died, a drive was silent or the kernel was still starting."""

from __future__ import annotations

import pytest

from diagnosis.logs import page_fault, stamped, verdict


def situation(text: str) -> str | None:
    step = verdict(text).next_step
    return step.situation if step else None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cc1plus: internal compiler error: Segmentation fault", "compiler-died"),
        ("#  SIGSEGV (0xb) at pc=0x00007f1234567890, pid=731, tid=732", "java-died"),
        ("SUMMARY: AddressSanitizer: heap-use-after-free tide.c:5 in main", "memory-checker"),
        ("==731== Invalid read of size 4", "memory-checker"),
        ("double free or corruption (!prev)", "heap-damaged"),
        ("*** stack smashing detected ***: terminated", "heap-damaged"),
        ("audit: type=1326 audit(1.2:3): pid=731 sig=31 arch=c0 syscall=334", "forbidden-call"),
        ("quayd: tide.c:3: main: Assertion `x > 0' failed.", "program-ended-itself"),
        ("wine: Unhandled page fault on read access to 00000000 at address 7B", "windows-program"),
        ("Segmentation fault (core dumped)", "program"),
    ],
)  # fmt: skip
def test_the_step_is_for_the_kind_of_program(line: str, expected: str) -> None:
    assert situation(f"{line}\n") == expected


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ("Emask 0x0 SAct 0x1 SErr 0x0 action 0x6 frozen", "sata-timeout"),
        ("Emask 0x10 SAct 0x1 SErr 0x400100 action 0x6 frozen", "sata-link"),
        ("Emask 0x0 SAct 0x1 SErr 0x0 action 0x0", "sata-link"),
    ],
)
def test_a_silent_drive_on_a_clean_link_is_the_drive_first(bits: str, expected: str) -> None:
    text = stamped(f"ata1.00: exception {bits}", "ata1.00: failed command: READ FPDMA QUEUED")
    assert situation(text) == expected


def test_hardware_is_not_asked_for_the_version_of_the_kernel() -> None:
    text = stamped("ata1.00: exception Emask 0x0 SAct 0x1 SErr 0x0 action 0x6 frozen")
    assert not any("uname" in part.how for part in verdict(text).missing)


def test_an_allocation_that_failed_killed_nothing() -> None:
    found = verdict(
        "Aug 18 12:20:03 kernel: __alloc_pages: 0-order allocation failed (gfp=0x20/0)\n"
    )
    assert found.next_step is not None
    assert found.next_step.situation == "interrupt-found-no-page"
    assert not any("killed" in evidence.text for evidence in found.candidates[0].evidence)


@pytest.mark.parametrize(("comm", "pid", "is_early"), [("swapper/0", 1, True), ("cat", 9, False)])
def test_before_init_there_is_no_journal(comm: str, pid: int, is_early: bool) -> None:
    text = stamped(
        "Oops: 0000 [#1] PREEMPT SMP NOPTI",
        f"CPU: 0 PID: {pid} Comm: {comm} Not tainted 4.19.5 #1",
        "RIP: 0010:tide_walk+0x1fd/0x490",
    )
    found = verdict(text)
    assert found.next_step is not None
    assert any("no journal runs yet" in part.how for part in found.missing) is is_early
    assert ("journalctl" in found.next_step.command) is not is_early


def test_a_whole_report_misses_nothing() -> None:
    assert not verdict(page_fault("0000000000000008", code=None)).missing
