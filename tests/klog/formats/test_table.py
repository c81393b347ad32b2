"""Reports that are no page faults: checks, sanitizers, hangs, panics, programs, memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Access, Kind, Report

First = Callable[[str], Report]
Read = Callable[[str], KernelLog]
Sample = Callable[[str], str]

TRACE = (
    "Call Trace:\n dump_stack+0x1/0x2\n pfd_g+0x2/0x20 [pfd]\n worker_f+0x1/0x2\n kthread+0x1/0x9\n"
)


@pytest.mark.parametrize(
    "headline",
    [
        "WARNING: at drivers/pfd.c:42 pfd_g+0x2/0x20()",
        "WARNING: CPU: 0 PID: 1 at drivers/pfd.c:42 pfd_g+0x2/0x20 [pfd]",
        "WARNING: drivers/pfd.c:42 at pfd_g+0x2/0x20 [pfd], CPU#3: insmod/812",
    ],
)
def test_a_warning_of_each_era_is_the_same_report(first: First, headline: str) -> None:
    report = first(f"------------[ cut here ]------------\n{headline}\n{TRACE}")
    assert (report.title, report.kind) == ("WARNING in pfd_g", Kind.WARNING)
    assert report.type == "WARNING"
    assert (report.function, report.module) == ("pfd_g", "pfd")
    assert report.details["file"] == "drivers/pfd.c"


def test_a_headline_alone_still_tells_the_function(first: First) -> None:
    report = first("WARNING: CPU: 0 PID: 1 at drivers/pfd.c:42 pfd_g+0x2/0x20 [pfd]\n")
    assert report.corrupted
    assert (report.function, report.offset, report.module) == ("pfd_g", 2, "pfd")


def test_list_corruption_bug_trap_and_panic_are_one_report(read: Read, sample: Sample) -> None:
    reports = read(sample("list_corruption")).reports
    assert len(reports) == 1
    report = reports[0]
    assert report.title == "BUG: corrupted list in pfd_remove"
    assert report.kind is Kind.LIST_CORRUPTION
    assert report.function == "__list_del_entry_valid_or_report"
    assert report.details["found"] == "LIST_POISON1"
    assert report.details["entry"] == "ffff888012345678"
    assert report.cited["check"] == 1
    assert report.modules[0].flags == "O-"


def test_kasan_names_access_and_both_owners(first: First, sample: Sample) -> None:
    report = first(sample("kasan_uaf"))
    assert report.title == "KASAN: slab-use-after-free Read in pfd_read"
    assert report.type == "KASAN-USE-AFTER-FREE-READ"
    assert report.fault is not None
    assert (report.fault.address, report.fault.access) == ("0xffff88800a1b2c40", Access.READ)
    assert report.details["access_size"] == "4"
    assert (report.details["freed_by"], report.details["freed_module"]) == (
        "pfd_release",
        "pfd_demo",
    )
    assert report.details["allocated_by"] == "pfd_open"
    assert report.details["where"] == "inside of"
    assert not any("other message" in line.text for line in report.excerpt)


@pytest.mark.parametrize(
    ("headline", "title"),
    [
        ("BUG: KASAN: double-free in pfd_g+0x2/0x20 [pfd]", "KASAN: invalid-free in pfd_g"),
        (
            "BUG: KFENCE: out-of-bounds read in pfd_g+0x2/0x20 [pfd]",
            "KFENCE: out-of-bounds read in pfd_g",
        ),
        ("BUG: KMSAN: uninit-value in pfd_g+0x2/0x20 [pfd]", "KMSAN: uninit-value in pfd_g"),
        ("BUG: KCSAN: data-race in pfd_g / pfd_h", "KCSAN: data-race in pfd_g / pfd_h"),
        (
            "UBSAN: array-index-out-of-bounds in drivers/pfd.c:10:5",
            "UBSAN: array-index-out-of-bounds in pfd_g",
        ),
        ("BUG: scheduling while atomic: a/1/0x2", "BUG: scheduling while atomic in pfd_g"),
        (
            "BUG: sleeping function called from invalid context at mm/slab.h:42",
            "BUG: sleeping function called from invalid context in pfd_g",
        ),
        (
            "BUG: using smp_processor_id() in preemptible [00000000] code: a/1",
            "BUG: using smp_processor_id() in preemptible code in pfd_g",
        ),
        ("BUG: spinlock bad magic on CPU#1, a/812", "BUG: spinlock bad magic in pfd_g"),
        ("INFO: task insmod:812 blocked for more than 122 seconds.", "INFO: task hung in pfd_g"),
        (
            "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in:"
            " pfd_g+0x2/0x20 [pfd]",
            "kernel panic: stack is corrupted in pfd_g",
        ),
        (
            "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b",
            "kernel panic: Attempted to kill init!",
        ),
        (
            "Kernel panic - not syncing: Fatal machine check",
            "kernel panic: Fatal machine check",
        ),
        ("WARNING: CPU: 1 PID: 2 at lib/refcount.c:28 refcount_warn_saturate+0x1/0x2",
         "WARNING: refcount bug in pfd_g"),
        ("BUG: Bad rss-counter state mm:1 type:MM_ANONPAGES val:1", "BUG: Bad rss-counter state"),
        ("unregister_netdevice: waiting for lo to become free. Usage count = 2",
         "unregister_netdevice: waiting for DEV to become free"),
    ],
)  # fmt: skip
def test_each_family_has_its_title(first: First, headline: str, title: str) -> None:
    assert first(f"[    1.000001] {headline}\n" + _stamped(TRACE)).title == title


def _stamped(text: str) -> str:
    return "".join(f"[    1.000002] {line}\n" for line in text.splitlines())


def test_a_lockup_is_named_by_the_entry_it_came_through(first: First, sample: Sample) -> None:
    report = first(sample("soft_lockup"))
    assert report.title == "BUG: soft lockup in pfd_ioctl"
    assert report.alt_titles == ("stall in pfd_ioctl",)
    assert report.function == "pfd_loop"
    assert report.details["seconds"] == "22"


def test_a_deadlock_is_named_by_the_lock_being_taken(first: First) -> None:
    report = first(
        "WARNING: possible circular locking dependency detected\n"
        "6.6.1 #1 Not tainted\n"
        "cat/812 is trying to acquire lock:\n"
        "ffff888 (&a->lock){+.+.}-{3:3}, at: pfd_take+0x12/0x40 [pfd]\n\n"
        "but task is already holding lock:\n"
        "ffff889 (&b->lock){+.+.}-{3:3}, at: pfd_hold+0x12/0x40 [pfd]\n" + TRACE
    )
    assert (report.title, report.kind) == ("possible deadlock in pfd_take", Kind.LOCKDEP)
    assert report.details["task"] == "cat/812"


@pytest.mark.parametrize(
    ("line", "title", "address", "access", "thing"),
    [
        (
            "demo[812]: segfault at 8 ip 000055810000113c sp 00007ffc00001000 error 6 in"
            " demo[558100001000+1000] likely on CPU 3 (core 3, socket 0)",
            "segfault in demo",
            "0x8",
            Access.WRITE,
            "demo",
        ),
        (
            "traps: my app[7] general protection fault ip:7f0000001967 sp:7ffe00000000 error:0 in"
            " libc-2.32.so[7f0000000000+14f000]",
            "general protection fault in my app",
            None,
            None,
            "libc-2.32.so",
        ),
        (
            "traps: demo[8] trap invalid opcode ip:401136 sp:7ffe0 error:0 in demo[401000+1000]",
            "invalid opcode in demo",
            None,
            None,
            "demo",
        ),
    ],
)
def test_a_fault_of_a_program_is_no_fault_of_the_kernel(
    first: First, line: str, title: str, address: str | None, access: Access | None, thing: str
) -> None:
    report = first(f"[   12.345678] {line}\n[   12.345679] Code: 00 01 <02> 03\n")
    assert report.title == title
    assert not report.is_kernel_fault
    assert report.fault is not None
    assert (report.fault.address, report.fault.access, report.fault.mode) == (
        address,
        access,
        "user",
    )
    assert report.details["object"] == thing
    assert report.pid in (812, 7, 8)


def test_an_oom_kill_tells_who_and_why(read: Read, sample: Sample) -> None:
    reports = read(sample("oom")).reports
    assert len(reports) == 1
    report = reports[0]
    assert (report.kind, report.title) == (
        Kind.OOM_KILL,
        "out of memory: killed process stress-ng-vm",
    )
    assert report.details["constraint"] == "CONSTRAINT_NONE"
    assert report.details["killed_pid"] == "4242"
    assert report.details["anon_rss"] == "1800000kB"


def test_an_injected_fault_is_not_blamed_on_its_victim(first: First) -> None:
    report = first(
        "WARNING: CPU: 0 PID: 1 at drivers/pfd.c:42 pfd_g+0x2/0x20\n"
        "Call Trace:\n dump_stack+0x1/0x2\n should_fail+0x1/0x2\n pfd_g+0x2/0x20\n a+0x1/0x2\n"
    )
    assert report.title == "WARNING in corrupted"
    assert report.corrupted


def test_a_slab_report_without_an_agreed_title_says_so(
    read: Callable[[str], KernelLog], sample: Callable[[str], str]
) -> None:
    (report,) = read(sample("slub_redzone").replace("pfd_cache", "kmalloc-8")).reports
    assert report.title == "BUG kmalloc-NUM (Tainted: G B OE ): Right Redzone overwritten"
    assert report.corrupted_reason == "the naming convention has no title for this kind of report"
    assert report.details["allocated_in"].startswith("pfd_alloc")
