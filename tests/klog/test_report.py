"""One report of every family and architecture: its title, its function and its fields."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.main_report import main_report
from pagefault_doctor.model.report import Access, Kind, Report

First = Callable[[str], Report]
Read = Callable[[str], KernelLog]
Sample = Callable[[str], str]

LOGS = sorted((Path(__file__).parent / "logs").glob("*.log"))
_NULL = "BUG: unable to handle kernel NULL pointer dereference in "
_PAGING = "BUG: unable to handle kernel paging request in "

REPORTS: tuple[tuple[str, Kind, str, str | None], ...] = (
    ("riscv", Kind.NULL_POINTER, _NULL + "pfd_init", "pfd_init"),
    ("ppc64", Kind.NULL_POINTER, _NULL + "pfd_init", "pfd_init"),
    ("s390", Kind.NULL_POINTER, _PAGING + "pfd_init", "pfd_init"),
    ("loongarch", Kind.NULL_POINTER, _PAGING + "pfd_init", "pfd_init"),
    ("mips", Kind.NULL_POINTER, _PAGING + "pfd_init", "pfd_init"),
    ("x86_32", Kind.PAGE_FAULT, _PAGING + "pfd_init", "pfd_init"),
    ("x86_truncated", Kind.NULL_POINTER, "Oops in pfd_store", "pfd_store"),
    ("x86_execute", Kind.PAGE_FAULT, _PAGING + "call_timer_fn", "call_timer_fn"),
    ("arm64_poison", Kind.PAGE_FAULT, _PAGING + "pfd_remove", "pfd_remove"),
    ("riscv_bug", Kind.KERNEL_BUG, "kernel BUG in pfd_init", "pfd_init"),
    ("s390_trap", Kind.TRAP, "specification exception in pfd_read", "pfd_read"),
    ("kasan_gpf", Kind.GENERAL_PROTECTION, "general protection fault in pfd_write", "pfd_write"),
    ("stack_guard", Kind.STACK_GUARD, "BUG: stack guard page was hit in pfd_ioctl", "pfd_recurse"),
    ("cfi", Kind.TRAP, "invalid opcode in pfd_call", "pfd_call"),
    ("slub_redzone", Kind.SLAB, "BUG pfd_cache: Right Redzone overwritten", "pfd_release"),
    ("kfence", Kind.SANITIZER, "KFENCE: use-after-free read in pfd_read", "pfd_read"),
    ("kcsan", Kind.SANITIZER, "KCSAN: data-race in pfd_read / pfd_write", "pfd_write"),
    ("kmsan", Kind.SANITIZER, "KMSAN: uninit-value in pfd_check", "pfd_check"),
    ("kmemleak", Kind.LEAK, "memory leak in pfd_init", "pfd_init"),
    ("odebug", Kind.WARNING, "WARNING: ODEBUG bug in pfd_exit", "debug_print_object"),
    ("usercopy", Kind.USERCOPY, "BUG: bad usercopy in pfd_read", "usercopy_abort"),
    ("fortify", Kind.KERNEL_BUG, "kernel BUG in pfd_write", "fortify_panic"),
    ("netdev_watchdog", Kind.WARNING, "WARNING in dev_watchdog", "dev_watchdog"),
    ("nobody_cared", Kind.WARNING, "irq: nobody cared", "dump_stack_lvl"),
    ("bad_page", Kind.BAD_PAGE, "BUG: Bad page state in corrupted", "dump_stack_lvl"),
    ("bad_map", Kind.BAD_PAGE, "BUG: Bad page map", "unmap_page_range"),
    ("lockdep", Kind.LOCKDEP, "possible deadlock in pfd_take", "pfd_take"),
    ("hung_task", Kind.HUNG_TASK, "INFO: task hung in pfd_read", "pfd_read"),
    ("rcu_stall", Kind.STALL, "INFO: rcu detected stall in pfd_ioctl", "pfd_loop"),
    ("serror", Kind.HARDWARE, "kernel panic: Asynchronous SError Interrupt", "pfd_poke"),
    ("mce", Kind.HARDWARE, "machine check exception", None),
)


@pytest.mark.parametrize(("name", "kind", "title", "function"), REPORTS, ids=lambda x: str(x)[:20])
def test_each_family_is_told_by_its_kind_title_and_function(
    first: First, sample: Sample, name: str, kind: Kind, title: str, function: str | None
) -> None:
    report = first(sample(name))
    assert (report.kind, report.title, report.function) == (kind, title, function)


@pytest.mark.parametrize(
    ("name", "arch", "address", "access", "code"),
    [
        ("riscv", "riscv64", "0x10", Access.WRITE, "0xf"),
        ("ppc64", "ppc64", "0x18", Access.WRITE, "0x42000000"),
        ("s390", "s390x", "0x0", Access.WRITE, "0x4"),
        ("loongarch", "loongarch64", "0x8", None, None),
        ("mips", "mips", "0x8", Access.WRITE, "0x3"),
        ("x86_32", "i386", "0xf8a01004", Access.WRITE, "0x3"),
        ("x86_truncated", "x86_64", "0x18", Access.WRITE, "0x2"),
        ("x86_execute", "x86_64", "0xffffffffc0a1b000", Access.EXECUTE, "0x11"),
        ("arm64_poison", "arm64", "0xdead000000000108", Access.WRITE, "0x96000044"),
    ],
)
def test_each_machine_tells_the_access_in_its_own_words(
    first: First, sample: Sample, name: str, arch: str, address: str, access: Access, code: str
) -> None:
    report = first(sample(name))
    assert report.fault is not None
    assert report.arch == arch
    assert (report.fault.address, report.fault.access, report.fault.error_code) == (
        address,
        access,
        code,
    )
    assert report.die_count == 1
    assert not report.corrupted


@pytest.mark.parametrize(
    ("name", "register", "value"),
    [
        ("riscv", "badaddr", 0x10),
        ("riscv", "sp", 0xFF20000000B23B50),
        ("ppc64", "gpr03", 0x1D),
        ("ppc64", "gpr05", 0xC00000000A1B36B0),
        ("s390", "r2", 0x2A),
        ("s390", "r15", 0x000003800093BA60),
        ("loongarch", "a1", 0x900000010A3BFA50),
        ("mips", "r3", 0x2A),
        ("mips", "r5", 0x80A1B2C4),
        ("x86_32", "esi", 0xF8A01000),
        ("x86_truncated", "cr2", 0x18),
        ("arm64_poison", "x2", 0xDEAD000000000122),
    ],
)
def test_registers_of_every_machine_are_read(
    first: First, sample: Sample, name: str, register: str, value: int
) -> None:
    assert first(sample(name)).register(register) == value


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("riscv", "link", "do_one_initcall+0x5c/0x1b0"),
        ("riscv", "taint_words", "[O]=OOT_MODULE, [E]=UNSIGNED_MODULE"),
        ("riscv", "uid", "0"),
        ("ppc64", "link", "pfd_init+0x3c/0x78 [pfd_demo]"),
        ("s390", "failing_mode", "home space mode"),
        ("mips", "link", "pfd_init+0x10/0x40 [pfd_demo]"),
        ("x86_execute", "page_walk_stop", "pte"),
        ("x86_execute", "last_unloaded_flags", "OE"),
        ("x86_truncated", "preempt", "PREEMPT"),
        ("kasan_gpf", "preempt", "PREEMPT(voluntary)"),
        ("kasan_gpf", "range", "0x0000000000000018-0x000000000000001f"),
        ("arm64_poison", "exception_class", "DABT (current EL)"),
        ("arm64_poison", "link", "pfd_exit+0x18/0x30 [pfd_demo]"),
        ("cfi", "cfi_target", "pfd_cb+0x0/0x10 [pfd_demo]"),
        ("slub_redzone", "expected_byte", "0xcc"),
        ("slub_redzone", "allocated_module", "pfd_demo"),
        ("kfence", "freed_by", "pfd_release"),
        ("kcsan", "value_after", "0x00000002"),
        ("kmsan", "created_by", "pfd_open"),
        ("kmsan", "local_variable", "buf"),
        ("kmemleak", "object_size", "64"),
        ("odebug", "hint", "pfd_timer+0x0/0x20 [pfd_demo]"),
        ("usercopy", "file_line", "102"),
        ("fortify", "check", "detected buffer overflow in memcpy"),
        ("netdev_watchdog", "driver", "pfd_net"),
        ("nobody_cared", "handler", "pfd_irq [pfd_demo]"),
        ("bad_page", "because", "nonzero _refcount"),
        ("bad_map", "pte", "8000000012345867"),
        ("lockdep", "lock", "&pfd_a"),
        ("hung_task", "owner", "holder"),
        ("rcu_stall", "jiffies", "21000"),
        ("mce", "bank", "7"),
        ("mce", "kernel_offset", "0x1a000000"),
    ],
)
def test_what_only_some_reports_say_is_kept(
    first: First, sample: Sample, name: str, key: str, value: str
) -> None:
    assert first(sample(name)).details[key] == value


def test_the_trace_goes_on_below_an_interrupt(first: First, sample: Sample) -> None:
    assert [f.function for f in first(sample("rcu_stall")).frames][-2:] == [
        "__x64_sys_ioctl",
        "do_syscall_64",
    ]


def test_hardware_tells_its_troubles_one_by_one(read: Read, sample: Sample) -> None:
    reports = read(sample("hardware")).reports
    assert [r.title for r in reports] == [
        "corrected memory error",
        "DMAR fault: DMA Write",
        "AMD-Vi: IO_PAGE_FAULT",
        "hardware error from APEI",
        "uncorrected PCIe error (Fatal)",
        "ATA error",
        "memory failure",
        "Core temperature above threshold",
        "IOMMU fault",
    ]
    assert {r.kind for r in reports} == {Kind.HARDWARE}
    assert reports[1].details["dma_reason"] == "PTE Write access is not set"
    assert reports[3].details["error_type"] == "single-bit ECC"
    assert reports[5].details["sector"] == "207726776"


def test_programs_fault_on_every_machine(read: Read, sample: Sample) -> None:
    reports = read(sample("programs")).reports
    assert [(r.comm, r.pid) for r in reports] == [
        ("demo", 812),
        ("foo", 813),
        ("bar", 814),
        ("baz", None),
        (None, None),
        ("pop", 815),
        ("pip", 816),
    ]
    assert not any(r.is_kernel_fault for r in reports)
    assert reports[0].details["object"] == "demo"


def test_a_notice_counts_only_where_nothing_worse_is_told(read: Read, sample: Sample) -> None:
    notice = "[    5.000001] demo: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL)\n"
    assert [r.kind for r in read(notice).reports] == [Kind.INFO]
    assert [r.kind for r in read(notice + sample("x86_null_write")).reports] == [Kind.NULL_POINTER]


@pytest.mark.parametrize("path", LOGS, ids=lambda p: p.stem)
def test_a_report_may_break_off_after_any_line(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    for end in range(len(lines)):
        log = klog.read(b"".join(lines[:end]), "x")
        assert all(r.span.last_line <= log.lines for r in log.reports)


BOOT_WARNING = "[    0.580728] WARNING: tide table damaged: 0-length entry\n"
OTHERS = "".join(f"[    0.6{n:05}] pfd{n}: registered\n" for n in range(40))
SHOWN = "[    7.1] NMI backtrace\n[    7.1] CPU: 0 PID: 7 Comm: sh Not tainted 6.12.0 #1\n"
STACK = "[    7.100000] Call Trace:\n[    7.100000]  pfd_show+0x1/0x20 [pfd]\n"


def test_what_a_driver_warns_of_in_words_has_no_part_in_a_stack_far_below(first: First) -> None:
    report = first(BOOT_WARNING + OTHERS + SHOWN + STACK)
    assert (report.function, report.frames, report.span.last_line) == (None, (), 1)
    assert report.is_words_alone


def test_a_warning_in_words_has_the_stack_that_follows_at_once(first: First) -> None:
    report = first(BOOT_WARNING + "[    0.6] pfd: why\n" + SHOWN + STACK)
    assert report.frames
    assert not report.is_words_alone


def test_a_stack_far_below_is_still_that_of_a_headline_no_driver_prints(first: First) -> None:
    report = first("[    0.5] Internal error: Oops - pfd: 0 [#1]\n" + OTHERS + SHOWN + STACK)
    assert report.frames


def test_a_warning_in_words_is_not_what_a_log_is_about(read: Read) -> None:
    real = "[    7.0] WARNING: CPU: 0 PID: 1 at pfd.c:42 pfd_g+0x2/0x20 [pfd]\n" + SHOWN + STACK
    log = read(BOOT_WARNING + OTHERS + real)
    assert main_report((log,)) == 1
