"""Stacks, lists, page tables, modules that do not fit, logic, hangs, memory, programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.model.log import KernelLog, ModuleEvent
from pagefault_doctor.model.report import Access, Kind, Line, Report

Diagnose = Callable[..., Diagnosis]
MakeReport = Callable[..., Report]


@pytest.mark.parametrize(
    ("kind", "line", "cause"),
    [
        (Kind.STACK_GUARD, "BUG: TASK stack guard page was hit at ffffc9", "stack-overflow"),
        (Kind.PANIC, "Kernel panic: corrupted stack end detected inside", "stack-overflow"),
        (Kind.DOUBLE_FAULT, "PANIC: double fault, error_code: 0x0", "stack-overflow"),
        (Kind.PANIC, "Insufficient stack space to handle exception!", "stack-overflow"),
        (Kind.BAD_PAGE, "BUG: Bad page map in process app  pte:80", "page-table"),
        (Kind.BAD_PAGE, "page dumped because: PAGE_FLAGS_CHECK_AT_FREE flag(s) set", "page-table"),
        (Kind.BAD_PAGE, "BUG: Bad page cache in process app  pfn:12345", "page-table"),
        (Kind.BAD_PAGE, "BUG: Bad rss-counter state mm:00 type:MM_ANONPAGES", "page-table"),
        (Kind.PAGE_FAULT, "app: Corrupted page table at address 7f0000", "page-table"),
        (Kind.KERNEL_BUG, "kernel BUG at fs/demo/super.c:77!", "logic-error"),
        (Kind.TRAP, "divide error: 0000 [#1] SMP", "logic-error"),
        (Kind.WARNING, "WARNING: CPU: 0 PID: 1 at fs/demo/super.c:7 f", "logic-error"),
        (Kind.LEAK, "BUG: memory leak", "logic-error"),
        (Kind.LOCKUP, "watchdog: BUG: soft lockup - CPU#1 stuck for 22s!", "lockup-hang"),
        (Kind.STALL, "rcu: INFO: rcu_sched self-detected stall on CPU", "lockup-hang"),
        (Kind.HUNG_TASK, "INFO: task app:71 blocked for more than 120 s", "lockup-hang"),
        (Kind.ATOMIC_SLEEP, "BUG: sleeping function called from invalid", "lockup-hang"),
        (Kind.LOCKDEP, "WARNING: possible circular locking dependency", "lockup-hang"),
        (Kind.PANIC, "Kernel panic - not syncing: RCU Stall", "lockup-hang"),
        (Kind.OOM_KILL, "Out of memory: Killed process 4 (app)", "oom"),
        (Kind.PANIC, "Kernel panic: System is deadlocked on memory", "oom"),
        (Kind.HARDWARE, "mce: [Hardware Error]: CPU 1: Machine Check: 0", "hardware"),
        (Kind.WARNING, "Your BIOS is broken; DMAR reported at address 7!", "hardware"),
        (Kind.USER_SEGFAULT, "app[7]: segfault at 0 ip 0 sp 0 error 4", "user-space"),
        (Kind.PANIC, "Kernel panic - not syncing: sysrq triggered crash", "none"),
    ],
)
def test_what_the_headline_says_is_believed(
    diagnosis: Diagnose, kind: Kind, line: str, cause: str
) -> None:
    found = diagnosis(kind, line)
    assert found.root_cause == cause
    assert found.confidence > 0.5


@pytest.mark.parametrize(
    ("cause", "attribution"),
    [
        ((Kind.OOM_KILL, "Out of memory: Killed process 4 (app)"), Attribution.MEMORY_PRESSURE),
        ((Kind.USER_SEGFAULT, "app[7]: segfault at 0"), Attribution.USER_SPACE),
        ((Kind.HARDWARE, "mce: [Hardware Error]: CPU 1"), Attribution.HARDWARE),
        ((Kind.PANIC, "Kernel panic: sysrq triggered crash"), Attribution.NONE),
    ],
)
def test_some_causes_say_who_has_to_act(
    diagnosis: Diagnose, cause: tuple[Kind, str], attribution: Attribution
) -> None:
    found = diagnosis(*cause, module="demo")
    assert (found.attribution, found.module) == (attribution, None)


def test_a_fault_just_below_the_stack_pointer(diagnosis: Diagnose) -> None:
    near = diagnosis(address="0xffffc90000347ff8", registers={"rsp": "0xffffc90000348010"})
    far = diagnosis(address="0xffffc90000307ff8", registers={"rsp": "0xffffc90000348010"})
    assert near.root_cause is RootCause.STACK_OVERFLOW
    assert RootCause.STACK_OVERFLOW not in {c.root_cause for c in far.candidates}


def test_a_function_again_and_again_is_a_recursion(diagnosis: Diagnose) -> None:
    fault = {"kind": Kind.DOUBLE_FAULT}
    deep = diagnosis(**fault, trace=("walk",) * 9)
    flat = diagnosis(**fault, trace=tuple(f"walk_{i}" for i in range(9)))
    assert deep.confidence > flat.confidence


def test_a_strange_complaint_right_before_an_overrun_stack_is_explained_by_it(
    report: MakeReport,
) -> None:
    odd = report(Kind.ATOMIC_SLEEP, "BUG: sleeping function called from invalid context")
    oops = report(
        Kind.PAGE_FAULT,
        "BUG: unable to handle kernel paging request",
        "Thread overran stack, or stack corrupted",
        first_line=2,
        number=2,
    )
    later = report(Kind.PAGE_FAULT, "Thread overran stack", first_line=90, number=2)
    assert verdict(odd, oops).root_cause is RootCause.STACK_OVERFLOW
    apart = diagnose((KernelLog(source="made", reports=(odd, later)),), {})
    assert apart.by_report[0].root_cause is RootCause.LOCKUP_HANG


def verdict(*reports: Report, events: tuple[ModuleEvent, ...] = ()) -> Diagnosis:
    """Return the verdict on a log with these reports and events."""
    return diagnose((KernelLog(source="made", reports=reports, module_events=events),), {}).verdict


def test_a_list_check_is_list_corruption(diagnosis: Diagnose) -> None:
    line = "list_del corruption. prev->next should be ffff888004c12340, but was ffff888004c99900"
    found = diagnosis(Kind.LIST_CORRUPTION, line, trace=("__list_del_entry_valid", "drop [demo]"))
    assert (found.root_cause, found.module) == (RootCause.LIST_CORRUPTION, "demo")
    assert RootCause.HARDWARE not in {c.root_cause for c in found.candidates}


def test_one_different_bit_in_a_link_makes_hardware_a_candidate(diagnosis: Diagnose) -> None:
    line = "list_del corruption. prev->next should be ffff888004c12340, but was ffff888004c12350"
    found = diagnosis(Kind.LIST_CORRUPTION, line)
    assert found.root_cause is RootCause.LIST_CORRUPTION
    assert RootCause.HARDWARE in {c.root_cause for c in found.candidates}


def test_noise_in_a_link_is_a_hardened_freelist_pointer_so_freed_memory(
    diagnosis: Diagnose,
) -> None:
    line = "list_del corruption. next->prev should be ffff888004c12340, but was 5a3c71e98b2fd046"
    found = diagnosis(Kind.LIST_CORRUPTION, line)
    causes = [c.root_cause for c in found.candidates]
    assert RootCause.USE_AFTER_FREE in causes
    assert RootCause.HARDWARE not in causes


def test_a_reserved_bit_in_a_page_table(diagnosis: Diagnose) -> None:
    found = diagnosis(address="0x7f0012345000", access=Access.READ, error_code="0x9")
    assert found.root_cause is RootCause.PAGE_TABLE


def test_a_module_of_another_kernel_that_faults(report: MakeReport) -> None:
    oops = report(Kind.WARNING, "WARNING: odd", function="demo_open", module="demo")
    event = ModuleEvent("forced", "demo", Line(3, "demo: no symbol version for module_layout"))
    other = ModuleEvent("forced", "other", Line(3, "other: no symbol version"))
    assert verdict(oops, events=(event,)).root_cause is RootCause.API_MISMATCH
    assert verdict(oops, events=(other,)).root_cause is RootCause.LOGIC_ERROR


def test_a_refused_module_without_any_fault_is_the_verdict() -> None:
    event = ModuleEvent("symbol-version", "demo", Line(3, "demo: disagrees about version"))
    found = verdict(events=(event,))
    assert (found.root_cause, found.module) == (RootCause.API_MISMATCH, "demo")
    assert found.candidates[0].evidence[0].line == 3


def test_an_ordinary_taint_notice_is_no_fault() -> None:
    event = ModuleEvent("out-of-tree", "demo", Line(3, "demo: loading out-of-tree module"))
    found = verdict(events=(event,))
    assert (found.root_cause, found.summary) == (RootCause.NONE, "no fault found")


def test_a_wrong_vermagic_speaks_for_a_mismatch(report: MakeReport) -> None:
    oops = report(Kind.WARNING, "WARNING: odd", function="demo_open", module="demo")
    fact = Fact("module.vermagic_fits", False, Source("modinfo demo", 9))
    log = KernelLog(source="made", reports=(oops,))
    found = diagnose((log,), {fact.name: fact}).verdict
    assert found.root_cause is RootCause.API_MISMATCH
    assert found.candidates[0].evidence[0].origin == "modinfo demo"


def test_a_call_that_branch_tracking_forbids(diagnosis: Diagnose) -> None:
    line = "Missing ENDBR: demo_hidden_call+0x0/0x80"
    outside = diagnosis(Kind.KERNEL_BUG, line, "kernel BUG at arch/x86/kernel/cet.c:99!",
                        tainted=("O",))  # fmt: skip
    inside = diagnosis(Kind.KERNEL_BUG, line, "kernel BUG at fs/demo/super.c:7!", tainted=())
    assert outside.root_cause is RootCause.API_MISMATCH
    assert outside.attribution is Attribution.MODULE
    assert inside.root_cause is not RootCause.API_MISMATCH


def test_memtester_decides_about_hardware(report: MakeReport) -> None:
    oops = report(
        Kind.GENERAL_PROTECTION,
        "general protection fault, probably for non-canonical address 0xdfff91a2c3d4e5f0",
        address="0xdfff91a2c3d4e5f0",
        registers={"rbx": "0xffff91a2c3d4e000"},
    )
    log = KernelLog(source="made", reports=(oops,))
    clean = Fact("memtest.passed", True, Source("memtester"))
    bad = Fact("memtest.failures", 3, Source("memtester"))
    shares = [
        diagnose((log,), {f.name: f for f in facts}).verdict.candidates[0].confidence
        for facts in ((clean,), (), (bad,))
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[2]


def test_a_report_that_says_nothing_gets_no_guess(diagnosis: Diagnose) -> None:
    found = diagnosis(Kind.SLAB, "BUG kmalloc-8: something new")
    assert found.root_cause is RootCause.UNKNOWN
    assert found.confidence < 0.5


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("90 <0f> 0b 31 c0 c3", RootCause.LOGIC_ERROR),  # ud2
        ("90 <06> 31 c0 c3", RootCause.WILD_POINTER),  # no instruction of 64-bit mode
    ],
)
def test_code_that_stops_itself_is_no_garbage(
    diagnosis: Diagnose, code: str, cause: RootCause
) -> None:
    assert diagnosis(Kind.TRAP, "invalid opcode: 0000 [#1] SMP", code=code).root_cause is cause


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("skbuff: skb_over_panic: text:ffffffffc0a1b2c3 len:2000 put:1500", "out-of-bounds"),
        ("skbuff: skb_under_panic: text:ffffffffc0a1b2c3 len:200 put:14", "out-of-bounds"),
        ("page dumped because: VM_BUG_ON_PAGE(page_ref_count(page) == 0)", "use-after-free"),
        ("page dumped because: VM_BUG_ON_FOLIO(folio_ref_count(folio) == 0)", "use-after-free"),
        ("page dumped because: VM_BUG_ON_PAGE(PageWriteback(page))", "logic-error"),
    ],
)
def test_what_is_said_before_an_assertion(diagnosis: Diagnose, line: str, cause: str) -> None:
    found = diagnosis(Kind.KERNEL_BUG, line, "kernel BUG at include/linux/demo.h:7!")
    assert found.root_cause == cause
    assert found.confidence > 0.5


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("VFS: brelse: Trying to free free buffer", "use-after-free"),
        ("Buffer overflow detected (64 < 4096)!", "out-of-bounds"),
        ("percpu ref (demo_release) <= 0 (-1) after switching to atomic", "use-after-free"),
        ("cache_from_obj: Wrong slab cache. kmalloc-512 but object is from demo", "double-free"),
        ("Trying to vfree() nonexistent vm area (00000000abcdef12)", "double-free"),
        ("virt_to_cache: Object is not a Slab page!", "double-free"),
        ("Voluntary context switch within RCU read-side critical section!", "lockup-hang"),
        ("do not call blocking ops when !TASK_RUNNING; state=1 set at", "lockup-hang"),
        ("DEBUG_LOCKS_WARN_ON(lock->magic != lock)", "logic-error"),
        ("Trying to free already-free IRQ 17", "logic-error"),
        ("WARNING: CPU: 0 PID: 7 at mm/page_alloc.c:5214 __alloc_pages+0x45d/0x500", "logic-error"),
        ("virt_to_phys used for non-linear address: 0000000022abe3fe", "logic-error"),
        ("do_IRQ(): app has overflown the kernel stack (cur:ffff88806e810000", "stack-overflow"),
        ("ida_free called for id=8192 which is not allocated.", "double-free"),
        ("ODEBUG: assert_init not available (active state 0)", "logic-error"),
        ("ODEBUG: free active (active state 0)", "use-after-free"),
    ],
)
def test_what_a_warning_says_before_its_place(diagnosis: Diagnose, line: str, cause: str) -> None:
    found = diagnosis(Kind.WARNING, line, "WARNING: CPU: 0 PID: 1 at lib/demo.c:238 f")
    assert found.root_cause == cause
    assert found.confidence > 0.5
    assert "a state that should not be" not in found.candidates[0].evidence[0].text
