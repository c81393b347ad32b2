"""What people paste around the kernel's lines: crash's bt below, a place in their own words."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.report import Kind, Report

HEAD = """\
    [  633.378672] BUG: unable to handle kernel NULL pointer dereference at           (null)
    [  633.472809] IP: [<ffffffff8ee11acb>] dma_pool_alloc+0x1ab/0x280
"""
CRASH = """\

    crash> bt
    PID: 318   TASK: ffff8924108f2100  CPU: 3   COMMAND: "agent x"
    ...
     #9 [ffff89240e1a38b0] page_fault at ffffffff8f38c778
        [exception RIP: dma_pool_alloc+0x1ab]
        RIP: ffffffff8ee11acb  RSP: ffff89240e1a3968  RFLAGS: 00010046
    #10 [ffff89240e1a39c8] quay_read at ffffffffc04680f3 [quay]
    #11 [ffff89240e1a3a18] vfs_read at ffffffff8046ad62
"""
OTHER = """\

    It happens each time when
    quay_read+0x12/0x34 [quay]
    is asked for its state.
"""


def reports(text: str) -> tuple[Report, ...]:
    return klog.read(text.encode(), "pasted").reports


def test_the_trace_that_crash_prints_below_the_log_belongs_to_the_report() -> None:
    (found,) = reports(HEAD + CRASH)
    assert [f.function for f in found.frames if f.module] == ["quay_read"]
    assert (found.comm, found.pid, found.cpu) == ("agent x", 318, 3)


def test_other_lines_without_a_time_below_it_do_not() -> None:
    (found,) = reports(HEAD + OTHER)
    assert not [f.function for f in found.frames if f.module]


def test_a_trace_of_crash_far_below_is_of_something_else() -> None:
    (found,) = reports(HEAD + "    and so on\n" * 70 + CRASH)
    assert found.comm is None


NULL = "BUG: kernel NULL pointer dereference, address 00...00b8\n"


@pytest.mark.parametrize(
    ("before", "function"),
    [
        ("It stops while booting at quay_probe+0x12/0x210:\n\nThe screen:\n", "quay_probe"),
        # Two places: it is not told which.
        ("It stops at quay_probe+0x12/0x210\nor hangs in quay_open+0x1/0x2\n", None),
        # No words, but a line of another trace.
        (" quay_probe+0x12/0x210\n", None),
    ],
)
def test_a_place_in_words_above_a_headline_that_stands_alone_is_its_place(
    before: str, function: str | None
) -> None:
    assert reports(before + NULL)[-1].function == function


BAD_PAGE = """\
Bad page state at free_hot_cold_page (in process 'sh', page ffff8100049d0f40)
flags:0x8000000000000004 mapping:0000000000000000 mapcount:1 count:0
Backtrace:

Call Trace:<ffffffff8014ef8c>{bad_page+115} <ffffffff8014f71f>{free_hot_cold_page+120}
       <ffffffff80154ecc>{release_pages+369} <ffffffff8015b14f>{__handle_mm_fault+680}
Trying to fix it up, but a reboot is needed
sh[17637]: segfault at 0000000000000028 rip 000000000042c830 rsp 00007fffffa8bad8 error 4
Kernel BUG at mm/swap.c:218
invalid operand: 0000 [1] SMP
Pid: 17486, comm: cc1 Tainted: G    B 2.6.15-rc2 #3
RIP: 0010:[<ffffffff80154db0>] <ffffffff80154db0>{release_pages+85}
Call Trace:<ffffffff80162597>{free_pages_and_swap_cache+116} <ffffffff80159aa6>{unmap_vma
s+1484}
"""


def test_a_bad_page_of_an_old_kernel_is_a_report() -> None:
    bad, program, bug = reports(BAD_PAGE)
    assert (bad.kind, bad.comm) == (Kind.BAD_PAGE, "sh")
    assert bad.title == "BUG: Bad page state in free_hot_cold_page"
    assert program.kind is Kind.USER_SEGFAULT
    assert bug.message == "Kernel BUG at mm/swap.c:218"


def test_a_report_without_a_release_has_that_of_its_boot() -> None:
    bad, _, bug = reports(BAD_PAGE)
    assert bad.kernel_release == bug.kernel_release == "2.6.15-rc2"


def test_the_release_of_another_boot_is_not_taken() -> None:
    banner = "Linux version 6.1.0-1-amd64 (a@b) (gcc 12) #1 SMP\n"
    later = banner + "BUG: kernel NULL pointer dereference, address: 0000000000000008\n"
    first = reports(BAD_PAGE.partition("Kernel BUG")[0] + later)[0]
    assert first.kernel_release != "6.1.0-1-amd64"
