"""The part of the kernel that a fault is in, by its function or by who called it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diagnosis.logs import GPF, diagnosed, oops
from pagefault_doctor.diagnosis.area import area_of, words_of
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.report import Kind, Report

MakeReport = Callable[..., Report]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("mm/rmap.c", "memory management"),
        ("fs/dcache.c", "file-system layer (VFS)"),
        ("fs/reiserfs/", "file system reiserfs"),
        ("fs/jbd2/", "journal of ext4 (jbd2)"),
        ("drivers/base/power/main.c", "suspend and resume of devices (drivers/base/power)"),
        ("net/netfilter/", "packet filter (netfilter)"),
        ("net/ipv4/tcp.c", "network stack"),
        ("drivers/nothing/here.c", None),
    ],
)
def test_folders_and_files_have_words(path: str, words: str | None) -> None:
    assert words_of(path) == words


def test_the_fault_of_a_helper_is_of_who_called_it(report: MakeReport) -> None:
    trace = ("__rb_erase_color", "kfree", "? ext4_sync_file", "unlink_anon_vmas", "exit_mmap")
    found = area_of(Context(report(trace=trace)), "__rb_erase_color")
    assert found is not None
    assert (found.words, found.function, found.caller) == (
        "memory management",
        "unlink_anon_vmas",
        True,
    )


def test_a_function_of_a_part_needs_no_caller(report: MakeReport) -> None:
    found = area_of(Context(report(trace=("shrink_slab", "ext4_sync_file"))), "shrink_slab")
    assert found is not None
    assert (found.path, found.caller) == ("mm/vmscan.c", False)


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("no_name_that_is_known",),
        # It need not be a helper.
        ("no_name_that_is_known", "unlink_anon_vmas"),
        # What lies below where a thread begins has no part in it.
        ("kthread", "unlink_anon_vmas"),
    ],
)
def test_where_no_name_tells_it_none_is_told(report: MakeReport, names: tuple[str, ...]) -> None:
    one = report(trace=("__rb_erase_color", *names))
    assert area_of(Context(one), "__rb_erase_color") is None


OOPS = """\
[  9.1] BUG: kernel NULL pointer dereference, address: 0000000000000008
[  9.1] #PF: supervisor write access in kernel mode
[  9.1] Oops: 0002 [#1] SMP
[  9.1] CPU: 1 PID: 5 Comm: cat Not tainted 6.1.0-1-amd64 #1
[  9.1] RIP: 0010:{function}+0x51/0x90
[  9.1] Call Trace:
[  9.1]  {caller}+0x10/0x90
[  9.1]  do_syscall_64+0x1/0x9
"""


@pytest.mark.parametrize(
    ("function", "caller", "place"),
    [
        ("unlink_anon_vmas", "exit_mmap", "the kernel's memory management, at unlink_anon_vmas"),
        (
            "__rb_erase_color",
            "unlink_anon_vmas",
            "the kernel's memory management, at __rb_erase_color, called by unlink_anon_vmas",
        ),
        ("pfd_not_known", "pfd_neither", "the kernel itself, at pfd_not_known"),
    ],
)
def test_the_cause_says_which_part_of_the_kernel(function: str, caller: str, place: str) -> None:
    found = diagnosed(OOPS.format(function=function, caller=caller))[0]
    assert found.summary.endswith(f"in {place}")


def test_who_asks_a_damaged_allocator_has_no_part_in_it() -> None:
    text = oops(
        GPF.format("3fa0c91b77e2d415", 1),
        place="kmem_cache_alloc+0x112/0x390",
        code="90 90 <49> 8b 1c 04 90",
        registers={"r12": "3fa0c91b77e2d3b5", "rax": "0000000000000060"},
        trace=("alloc_empty_file+0x1/0x9", "path_openat+0x1/0x9"),
        modules="ext4",
        tainted="Not tainted",
    )
    found = diagnosed(text)[0]
    assert "alloc_empty_file" not in found.summary
    assert found.owner is None


def test_a_function_of_the_hypervisor_is_none_of_the_kernel(report: MakeReport) -> None:
    head = "----[ Xen-4.17.2  x86_64  debug=n  Not tainted ]----"
    one = report(Kind.TRAP, head, trace=("unlink_anon_vmas",))
    assert area_of(Context(one), "unlink_anon_vmas") is None
