"""Reports that tasks print at the same time, each line with its task or CPU, are read whole."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.klog.line import split
from pagefault_doctor.model.report import Report


def oops(function: str, number: int) -> list[str]:
    return [
        "BUG: unable to handle page fault for address: ffffc900deadb000",
        "#PF: supervisor read access in kernel mode",
        "#PF: error_code(0x0000) - not-present page",
        f"Oops: 0000 [#{number}] PREEMPT SMP",
        f"CPU: {number} PID: 7{number} Comm: quay{number} Not tainted 6.1.0 #1",
        f"RIP: 0010:{function}+0x12/0x40",
        "RSP: 0018:ffffc900000e8e98 EFLAGS: 00010286",
        "RAX: ffffc900deadb000 RBX: 0000000000000001 RCX: 0000000000000000",
        "Call Trace:",
        " vfs_read+0x9f/0x190",
        "---[ end trace 0000000000000000 ]---",
    ]


def at_once(first: list[str], second: list[str], prefixes: tuple[str, str]) -> list[Report]:
    """Return the reports of a log in which two contexts print line after line in turn."""
    pairs = zip(first, second, strict=True)
    lines = [
        f"[   50.100000]{p}{text}" for pair in pairs for p, text in zip(prefixes, pair, strict=True)
    ]
    return list(klog.read("\n".join(lines).encode() + b"\n", "log").reports)


@pytest.mark.parametrize("prefixes", [("[  T71] ", "[  T72] "), ("[   C1] ", "[  T72] ")])
def test_two_oopses_at_once_are_both_read_to_their_end(prefixes: tuple[str, str]) -> None:
    first, second = at_once(oops("quay_poll", 1), oops("pier_read", 2), prefixes)
    for report, function, comm in ((first, "quay_poll", "quay1"), (second, "pier_read", "quay2")):
        assert (report.function, report.comm) == (function, comm)
        assert report.registers["rax"] == "0xffffc900deadb000"
        assert [frame.function for frame in report.frames] == [function, "vfs_read"]


@pytest.mark.parametrize(
    ("line", "text", "task"),
    [
        ("<1>[   50.100000] (3)[2211:kworker/u8:3]quay: lost", "quay: lost", "T2211"),
        ("[   50.100000] [1:  kworker/1:2: 2211] quay: lost", "quay: lost", "T2211"),
        ("[   50.100000] [drm:quay_init [quay]] lost", "[drm:quay_init [quay]] lost", None),
        ("[   50.100000] [12:34:56] lost", "[12:34:56] lost", None),
        ("[   50.100000] [<ffffffff81000010>] f+0x1/0x2", "[<ffffffff81000010>] f+0x1/0x2", None),
    ],
)
def test_the_task_that_vendors_print_is_no_part_of_the_text(
    line: str, text: str, task: str | None
) -> None:
    found = split(line)
    assert (found.text, found.caller) == (text, task)


def test_an_oops_of_a_vendor_s_kernel_is_read_among_the_lines_of_others() -> None:
    prefixes = ("(1)[71:quay]", "(2)[72:pier]")
    others = ["DISP: frame skipped"] * len(oops("quay_poll", 1))
    (report,) = at_once(oops("quay_poll", 1), others, prefixes)
    assert report.function == "quay_poll"
    assert report.registers


def test_the_further_lines_of_a_message_belong_to_it() -> None:
    head = [
        "Unable to handle kernel pointer dereference in virtual kernel address space",
        "Oops: 0038 ilc:3 [#1] SMP",
        "Krnl PSW : 0704c00180000000 000003ff8012a4b6 (quay_clear+0x5e/0x110 [quay])",
    ]
    values = "0000000000000000 000003ff8013a000 0000000000000007 0000000000000001"
    further = f"               Krnl GPRS: {values}"
    log = "".join(f"[   50.100000] {line}\n" for line in head) + f"{further}\n"
    (report,) = klog.read(log.encode(), "log").reports
    assert report.registers["r2"] == "0x0000000000000007"
