"""The faulting function and its module come first in the frames, whatever the form they have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel_messages import ARM64, I386, PPC, RISCV, S390, TRACE, X86, X86_OLD, stamped
from pagefault_doctor.model.log import KernelLog

Read = Callable[[str], KernelLog]

NULL = "BUG: kernel NULL pointer dereference, address: 0000000000000018\n"
ARM_NULL = "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018\n"
TWO_EXTRAS = ARM64.replace("pfd_f+0x12/0x40 [pfd] (P)", "pfd_f+0x12/0x40 [pfd] (PL)")
SPARC_NULL = "Unable to handle kernel NULL pointer dereference\n"
NEITHER = ARM64.replace(" (P)", "")
BUILD_ID = X86.replace("[pfd]", "[pfd 0123456789abcdef0123456789abcdef01234567]")


@pytest.mark.parametrize(
    ("headline", "body"),
    [
        (NULL, X86),
        (NULL, X86_OLD),
        (NULL, I386),
        (NULL, BUILD_ID),
        (ARM_NULL, ARM64),
        (ARM_NULL, TWO_EXTRAS),
        (ARM_NULL, NEITHER),
        ("BUG: Kernel NULL pointer dereference on read at 0x00000018\n", PPC),
        ("Unable to handle kernel paging request at virtual address 0000000000000010\n", RISCV),
        ("Unable to handle kernel pointer dereference in virtual kernel address space\n", S390),
    ],
    ids=(
        "x86,x86 before 4.10,i386,build id,arm64 (P),arm64 (PL),arm64 old,powerpc,riscv,s390"
    ).split(","),
)
def test_the_faulting_function_comes_first(read: Read, headline: str, body: str) -> None:
    report = read(stamped(headline + body)).reports[0]
    first, caller = report.frames[0], report.frames[1:]
    assert (first.function, first.offset, first.size, first.module) == ("pfd_f", 0x12, 0x40, "pfd")
    assert (report.function, report.module) == ("pfd_f", "pfd")
    assert "pfd_g" in [frame.function for frame in caller]


@pytest.mark.parametrize(
    ("headline", "pointer", "function"),
    [
        (NULL, "RIP: 0010:pfd_f+0x12/0x40 [pfd]", "pfd_f"),
        (NULL, "RIP: e030:pfd_f+0x12/0x40 [pfd]", "pfd_f"),
        (NULL, "RIP: e030:0x0", "pfd_g"),
        (SPARC_NULL, "TPC: <pfd_f+0x12/0x40 [pfd]>", "pfd_f"),
        (NULL, "no pointer at all", "corrupted"),
    ],
)  # fmt: skip
def test_a_title_names_the_instruction_under_xen_and_on_sparc_too(
    read: Read, headline: str, pointer: str, function: str
) -> None:
    body = X86.replace("RIP: 0010:pfd_f+0x12/0x40 [pfd]", pointer)
    (report,) = read(stamped(headline + body)).reports
    assert report.title.rpartition(" in ")[2] == function


@pytest.mark.parametrize("kept", range(1, 40))
def test_a_headline_followed_by_less_is_told_the_same_way(read: Read, kept: int) -> None:
    text = "".join((NULL + X86 + "---[ end trace 0000000000000000 ]---\n").splitlines(True)[:kept])
    report = read(stamped(text)).reports[0]
    lost_rip = "RIP: " not in text
    assert report.title.endswith(" in corrupted" if lost_rip else " in pfd_f")
    # Three lines below the head of the trace tell that it was not cut off.
    after = text.partition("Call Trace:\n")[2]
    assert report.corrupted == (after.count("\n") < 3)


def test_lines_of_another_task_in_a_trace_do_not_make_it_corrupted(read: Read) -> None:
    own = stamped("WARNING: CPU: 0 PID: 1 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]\n" + TRACE)
    tagged = own.replace("] ", "][  T812] ", 1).replace(
        "\n[   12.345678] ", "\n[   12.345678][  T812] "
    )
    mixed = tagged.replace("\n", "\n[   12.345679][  T999]  other+0x1/0x2\n")
    report = read(mixed).reports[0]
    assert (report.title, report.corrupted) == ("WARNING in pfd_f", False)
    assert "other" not in [frame.function for frame in report.frames]


def test_a_trace_that_another_report_interrupts_is_corrupted(read: Read) -> None:
    head, _, rest = (NULL + X86).partition(" pfd_g")
    reports = read(
        stamped(f"{head}WARNING: CPU: 1 PID: 2 at a.c:1 other+0x1/0x2\n pfd_g{rest}")
    ).reports
    assert reports[0].title.endswith(" in pfd_f")
    assert reports[0].corrupted_reason == "the call trace is cut off"


def test_a_disconnected_console_makes_every_report_doubtful(read: Read) -> None:
    text = stamped(NULL + X86) + "serialport: VM disconnected.\n"
    assert read(text).reports[0].corrupted


def test_the_panic_after_a_long_report_does_not_name_it(read: Read) -> None:
    head = NULL + "CPU: 1 PID: 812 Comm: demo Not tainted 6.1.0 #1\nRIP: 0010:0x0\n"
    registers = "".join(f"R{n:02}: 000000000000{n:04x}\n" for n in range(25))
    panic = "Kernel panic - not syncing: Fatal exception\nCall Trace:\n panic+0x1/0x2\n"
    tail = " other_a+0x1/0x2\n other_b+0x1/0x2\n"
    title = "BUG: unable to handle kernel NULL pointer dereference in "
    long = read(stamped(head + registers + panic + tail)).reports
    assert [r.title for r in long] == [title + "corrupted"]
    short = read(stamped(head + panic + tail)).reports
    assert [r.title for r in short] == [title + "other_a"]


@pytest.mark.parametrize("program", ["demo", "syz-executor.3", "syz.1.17", "syzkaller12"])
def test_programs_of_fuzzers_may_fault_and_starve(read: Read, program: str) -> None:
    lines = (
        f"{program}[812]: segfault at 8 ip 0000000000005581 sp 00007ffc0000 error 4 in x[5581+10]",
        f"traps: {program}[812] general protection fault ip:5581 sp:7ffc error:0 in x[5581+10]",
        f"{program} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=1000",
        f"Out of memory: Killed process 812 ({program}) total-vm:1kB, anon-rss:1kB",
        f"Memory cgroup out of memory: Killed process 813 ({program}) total-vm:1kB, anon-rss:1kB",
        f"Out of memory: Kill process 814 ({program}) score 1000 or sacrifice child",
    )
    reports = [read(stamped(line)).reports for line in lines]
    assert [len(found) for found in reports] == [1 if program == "demo" else 0] * len(lines)
