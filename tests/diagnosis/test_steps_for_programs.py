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


EPC = (
    "[61210.110291] do_page_fault(): sending SIGSEGV to quayd for invalid read access from 00004\n"
    "[61210.118911] epc = 77d8f5a0 in libtide.so.8[77d60000+4f000]\n"
    "[61210.124800] ra  = 77d8f57c in {}\n"
)


def test_a_program_of_a_router_is_named_with_its_library() -> None:
    found = verdict(EPC.format("libtide.so.8[77d60000+4f000]"))
    assert found.next_step is not None
    assert found.next_step.situation == "program-in-library-of-box"
    assert found.next_step.why.startswith("quayd died in libtide.so.8")
    means = [fact.means for fact in found.facts]
    assert any("libtide.so.8+0x2f5a0" in text for text in means)
    assert "who called" in means


def test_a_line_of_a_program_that_was_broken_off_is_no_fault_of_the_kernel() -> None:
    text = (
        "traps: ld.lld[61820] general protection fault\nip:5581f0a3b7c1 sp:7ffca1b0e4f0 error:0\n"
    )
    assert verdict(text).root_cause == "user-space"
    kernels = (
        "general protection fault, probably for non-canonical address 0xdead000000000122: 0000\n"
    )
    assert verdict(kernels).root_cause != "user-space"


JOB = "[drm:amdgpu_job_timedout [amdgpu]] *ERROR* "


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (
                f"{JOB}ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=3",
                f"{JOB}Process information: process quay-game pid 731 thread quay:cs0 pid 732",
            ),
            "graphics-ring-of-program",
        ),
        ((f"{JOB}ring gfx_0.0.0 timeout, signaled seq=1, emitted seq=3",), "graphics-ring"),
        (("watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [ring:731]",), "soft-lockup"),
    ],
)
def test_a_graphics_chip_that_hangs_is_no_stuck_processor(
    lines: tuple[str, ...], expected: str
) -> None:
    found = verdict(stamped(*lines))
    if expected != "soft-lockup":
        assert situation(stamped(*lines)) == expected
        assert not any("call trace" in part.what for part in found.missing)
    told = found.candidates[0].evidence[0].text
    assert ("processor" in told) is (expected == "soft-lockup")


HUNG = (
    "INFO: task cp:731 blocked for more than 120 seconds.",
    "Call Trace:",
    " io_schedule+0x18/0x20",
    " nfs_file_fsync+0x9a/0x1d0 [nfs]",
)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("nfs: server 10.20.0.8 not responding, still trying", "hang-on-file-server"),
        ("nfs: server 10.20.0.8 OK", "hang-on-storage"),
    ],
)
def test_a_file_server_that_does_not_answer_is_named(before: str, expected: str) -> None:
    assert situation(stamped(before, *HUNG)) == expected
