"""What the crashes of tests/crashes taught: one rule each, on logs made for these tests."""

from __future__ import annotations

from typing import Any

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.log import KernelLog

MODULES = "Modules linked in: quay(OE) abacus(OE) qemu_fw_cfg"
RELEASE = "CPU: 0 PID: 199 Comm: cat Tainted: G           OE     6.1.0-1-amd64 #1"


def log_of(*texts: str) -> KernelLog:
    """Return a log of these lines, with the kernel's clock."""
    lines = (f"[   40.{100 + n:06}] {text}" for n, text in enumerate(texts))
    return klog.read("\n".join(lines).encode(), "serial.log")


def verdict_on(*texts: str) -> Diagnosis:
    return diagnose((log_of(*texts),), {}).verdict


@pytest.mark.parametrize(
    "reason",
    [
        "VFS: Unable to mount root fs on unknown-block(0,0)",
        "No working init found.  Try passing init= option to kernel.",
        "Requested init /sbin/start failed (error -2).",
    ],
)
def test_a_kernel_without_root_or_first_process_is_no_fault_of_the_kernel(reason: str) -> None:
    verdict = verdict_on(
        f"Kernel panic - not syncing: {reason}",
        "CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0-1-amd64 #1",
        "Call Trace:",
        " panic+0x107/0x2f1",
        " kernel_init+0x16/0x130",
    )
    assert verdict.root_cause is RootCause.USER_SPACE


def test_a_panic_for_another_reason_is_still_one_of_the_kernel() -> None:
    verdict = verdict_on(
        "Kernel panic - not syncing: the tide is out", "Call Trace:", " panic+0x1/0x2"
    )
    assert verdict.root_cause is not RootCause.USER_SPACE


@pytest.mark.parametrize(
    ("who", "title"),
    [
        ("quern: quern: ", "fatal signal in quern"),
        ("quern/321: ", "fatal signal in quern"),
        ("", "fatal signal in a program"),
    ],
)
def test_a_program_that_dies_of_a_signal(who: str, title: str) -> None:
    log = log_of(
        f"{who}potentially unexpected fatal signal 6.", RELEASE, "RIP: 0033:0x7fd6d3c453a7"
    )
    (report,) = log.reports
    assert report.title == title
    assert diagnose((log,), {}).verdict.root_cause is RootCause.USER_SPACE


@pytest.mark.parametrize(
    "line",
    [
        "sh: vmalloc error: size 8388608000, exceeds total pages, mode:0xcc0(GFP_KERNEL)",
        "sh: vmalloc size 4096 allocation failure: page order 0 failed",
        "schedule_timeout: wrong timeout value ffffffffffffffc3",
    ],
)
def test_a_complaint_with_a_stack_is_reported(line: str) -> None:
    log = log_of(
        line, RELEASE, "Call Trace:", " dump_stack_lvl+0x5d/0x80", " quay_set+0x6b/0x90 [quay]"
    )
    assert [report.span.first_line for report in log.reports] == [1]
    assert diagnose((log,), {}).verdict.root_cause is not RootCause.NONE


def test_the_module_that_mapped_a_page_is_named() -> None:
    verdict = verdict_on(
        "BUG: Bad page map in process stty  pte:8000000017734225 pmd:1778f067",
        "addr:00007f5d69f1b000 vm_flags:0d0400d1 anon_vma:0000000000000000 index:0",
        "file:quay fault:0x0 mmap:quay_mmap [quay] read_folio:0x0",
        RELEASE,
        "Call Trace:",
        " print_bad_pte.cold+0x73/0xd6",
        " unmap_page_range+0x54a/0x1420",
    )
    assert (verdict.root_cause, verdict.module) == (RootCause.PAGE_TABLE, "quay")


def test_a_mapping_of_the_kernel_names_no_module() -> None:
    verdict = verdict_on(
        "BUG: Bad page map in process stty  pte:8000000017734225 pmd:1778f067",
        "file:zero fault:0x0 mmap:mmap_zero read_folio:0x0",
        "Call Trace:",
        " print_bad_pte.cold+0x73/0xd6",
    )
    assert verdict.module is None


UNLOADING = (
    "list_del corruption, ffffffffc05f4048->prev is LIST_POISON2 (dead000000000122)",
    "------------[ cut here ]------------",
    "kernel BUG at lib/list_debug.c:59!",
    "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
    RELEASE,
    "RIP: 0010:__list_del_entry_valid.cold+0xf/0x6f",
    "RAX: 000000000000004e RBX: ffffffffc05f4040 RCX: 0000000000000027",
    "Call Trace:",
    " <TASK>",
    " free_module+0x78/0x140",
    " __do_sys_delete_module.constprop.0+0x273/0x330",
    " </TASK>",
)


def test_a_module_that_is_just_being_removed_is_the_one_unloaded_last() -> None:
    verdict = verdict_on(*UNLOADING, "Modules linked in: abacus(OE) [last unloaded: quay(OE)]")
    assert verdict.module == "quay"


def test_one_that_was_unloaded_earlier_is_not() -> None:
    other = tuple(line for line in UNLOADING if "free_module" not in line)
    verdict = verdict_on(*other, "Modules linked in: abacus(OE) [last unloaded: quay(OE)]")
    assert verdict.module != "quay"


def removed(*frames: str, modules: str = "") -> Diagnosis:
    return verdict_on(
        "BUG kmalloc-96 (Tainted: G           OE    ): Object already free",
        "CPU: 0 PID: 129 Comm: rmmod Tainted: G    B      OE     5.10.0-1-amd64 #1",
        "Call Trace:",
        " dump_stack+0x6b/0x83",
        *frames,
        " do_syscall_64+0x33/0x40",
        modules,
    )


def test_what_an_exit_function_led_to_is_a_modules_even_if_no_list_names_it() -> None:
    verdict = removed(" kfree+0x410/0x490", " __do_sys_delete_module+0x194/0x300")
    assert (verdict.attribution, verdict.module) == (Attribution.MODULE, None)


def test_the_kernels_own_work_after_the_exit_function_is_not() -> None:
    verdict = removed(
        " kfree+0x410/0x490", " trace_module_remove+0x1/0x2", " __do_sys_delete_module+0x194/0x300"
    )
    assert verdict.attribution is Attribution.KERNEL


def freeing(argument: str) -> Diagnosis:
    return verdict_on(
        "BUG: unable to handle page fault for address: fffff9ec41ffffc8",
        "#PF: supervisor read access in kernel mode",
        "#PF: error_code(0x0000) - not-present page",
        "Oops: 0000 [#1] SMP NOPTI",
        RELEASE,
        "RIP: 0010:kfree+0x70/0x490",
        f"RAX: 0000000000000000 RBX: 0000000000000001 RDI: {argument}",
        "Call Trace:",
        " quay_write+0x25/0x40 [quay]",
        " vfs_write+0xc0/0x2f0",
        MODULES,
    )


def test_an_error_code_that_was_freed() -> None:
    assert freeing("ffffffffffffffea").root_cause is RootCause.ERR_PTR


def test_another_bad_pointer_that_was_freed_is_no_error_code() -> None:
    assert freeing("dead4ead00000000").root_cause is not RootCause.ERR_PTR


def near_the_end(rbx: str) -> Diagnosis:
    return verdict_on(
        "BUG: unable to handle page fault for address: fffffffffffffff0",
        "#PF: supervisor read access in kernel mode",
        "#PF: error_code(0x0000) - not-present page",
        "Oops: 0000 [#1] SMP NOPTI",
        RELEASE,
        "RIP: 0010:quay_show+0x5/0x20 [quay]",
        "Code: Unable to access opcode bytes at RIP 0xffffffffc0b70036.",
        f"RAX: 0000000000000000 RBX: {rbx} RDI: ffff888004c12340",
        "Call Trace:",
        " seq_read_iter+0x25/0x40",
        MODULES,
    )


def test_an_address_near_the_end_that_no_register_holds_was_worked_out_from_null() -> None:
    assert near_the_end("ffff888004c12340").root_cause is RootCause.NULL_DEREF


def test_one_that_a_register_holds_is_an_error_code() -> None:
    assert near_the_end("fffffffffffffff0").root_cause is RootCause.ERR_PTR


def jump(*residue: str) -> Diagnosis:
    return verdict_on(
        "general protection fault: 0000 [#1] SMP NOPTI",
        RELEASE,
        "RIP: 0010:0x3030303030303030",
        "Code: Unable to access opcode bytes at RIP 0x3030303030303006.",
        "RAX: 3030303030303030 RBX: ffff888004c12340 RDI: ffff888004c12340",
        "Call Trace:",
        *residue,
        " ? quay_read+0x25/0x40 [quay]",
        " ? vfs_read+0x9f/0x190",
        MODULES,
    )


HANDLING = (
    " ? __die_body.cold+0x1a/0x1f",
    " ? exc_general_protection+0x1be/0x400",
    " ? asm_exc_general_protection+0x1e/0x30",
)


def test_the_caller_stands_behind_the_frames_of_handling_the_fault() -> None:
    assert jump().module == jump(*HANDLING).module == "quay"


def walking(function: str) -> Diagnosis:
    return verdict_on(
        "general protection fault, maybe for address 0x3030303030303038: 0000 [#1] SMP",
        RELEASE,
        f"RIP: 0010:{function}+0x1b8/0x280",
        "RAX: 3030303030303030 RBX: ffff8906d4223940 RDI: 0000000000000200",
        "Call Trace:",
        " <IRQ>",
        " run_timer_softirq+0x8c/0xf0",
        " </IRQ>",
        MODULES,
    )


def test_a_bad_link_between_timers_is_one_that_was_freed_while_it_was_set() -> None:
    assert walking("__run_timers").root_cause is RootCause.USE_AFTER_FREE


def test_a_bad_pointer_elsewhere_tells_nothing_of_the_kind() -> None:
    assert walking("quay_copy").root_cause is not RootCause.USE_AFTER_FREE


def called_with(argument: str) -> Diagnosis:
    return verdict_on(
        "BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "#PF: supervisor instruction fetch in kernel mode",
        "#PF: error_code(0x0010) - not-present page",
        "Oops: 0010 [#1] PREEMPT SMP NOPTI",
        RELEASE,
        "RIP: 0010:0x0",
        "Code: Unable to access opcode bytes at 0xffffffffffffffd6.",
        f"RDX: ffff8c1101143800 RSI: 0000000000000001 RDI: {argument}",
        "Call Trace:",
        " <TASK>",
        " blocking_notifier_call_chain+0x5c/0x80",
        " __inet_insert_ifa+0x20e/0x2e0",
        " rtnetlink_rcv_msg+0x14e/0x3b0",
        " </TASK>",
        MODULES,
    )


def test_a_callback_without_a_target_is_of_the_module_whose_object_it_got() -> None:
    its = called_with("ffffffffc05513c0")
    assert (its.attribution, its.confidence > 0.9) == (Attribution.MODULE, True)
    other = called_with("ffff8c1101143800")
    assert (other.module, other.confidence < 0.9) == (None, True)


def test_a_driver_that_prints_the_word_warning_reports_no_fault() -> None:
    line = "gauge: WARNING: pressure 970 is low, a storm is likely"
    assert verdict_on(line).root_cause is RootCause.NONE


def test_a_warning_with_its_place_is_one_of_the_kernel() -> None:
    line = "WARNING: CPU: 0 PID: 179 at net/core/dev.c:99 dev_open+0x19/0x20"
    assert verdict_on(line).root_cause is RootCause.LOGIC_ERROR


def jumped_from(link: str) -> Diagnosis:
    return verdict_on(
        "Unable to handle kernel paging request at virtual address 000004e2000003e8",
        "Mem abort info:",
        "  ESR = 0x0000000086000004",
        "  EC = 0x21: IABT (current EL), IL = 32 bits",
        "Internal error: Oops: 0000000086000004 [#1] SMP",
        "Modules linked in: quay(OE) abacus(OE) qemu_fw_cfg",
        "CPU: 0 PID: 13 Comm: ksoftirqd/0 Tainted: G           OE      6.1.0-1-arm64 #1",
        "pc : 0x4e2000003e8",
        f"lr : {link}",
        "sp : ffff8000080a3cf0",
        "x2 : 0000000000000000 x1 : 000004e2000003e8 x0 : ffff016f821e3ce0",
        "Call trace:",
        " 0x4e2000003e8",
        " tasklet_action_common.constprop.0+0x13c/0x2c4",
        " handle_softirqs+0x118/0x300",
        "Code: bad PC value",
    )


def test_the_link_register_names_who_called_to_where_no_code_is() -> None:
    assert jumped_from("quay_blow+0x2c/0x50 [quay]").module == "quay"
    assert jumped_from("tasklet_action_common+0x13c/0x2c4").module is None


def test_a_callback_that_jumps_astray_is_no_broken_queue() -> None:
    verdict = jumped_from("tasklet_action_common+0x13c/0x2c4")
    assert verdict.root_cause is not RootCause.USE_AFTER_FREE


WORDS = "WARNING: tide table damaged: 0-length entry"
WARNED = "WARNING: CPU: 0 PID: 1 at lib/tide.c:42 tide_read+0x2/0x20"
REFUSED = "quay: disagrees about version of symbol module_layout"
TIMEOUT = ("schedule_timeout: wrong timeout value ffffffffffffffc3", RELEASE, "Call Trace:",
           " schedule_timeout+0x1/0x2", " quay_pump+0x6b/0x90 [quay]")  # fmt: skip


def test_a_refused_module_counts_more_than_a_drivers_words() -> None:
    verdict = verdict_on(WORDS, REFUSED)
    assert (verdict.root_cause, verdict.module) == (RootCause.API_MISMATCH, "quay")
    opinion = diagnose((log_of(WORDS, REFUSED),), {})
    assert (len(opinion.by_report), opinion.report) == (1, None)


def test_a_refused_module_counts_less_than_a_warning_of_the_kernel() -> None:
    assert verdict_on(WARNED, RELEASE, REFUSED).module is None


def test_a_notice_counts_beside_a_drivers_words_but_not_beside_a_warning() -> None:
    assert verdict_on(WORDS, *TIMEOUT).module == "quay"
    (report,) = log_of(WARNED, RELEASE, *TIMEOUT).reports
    assert report.span.first_line == 1


def handed_over(function: str, flags: str) -> Diagnosis:
    """Return the verdict on a list check that failed in a module that another one called."""
    return verdict_on(
        "list_del corruption, ffffffffc059d3c0->next is NULL",
        "kernel BUG at lib/list_debug.c:49!",
        "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
        RELEASE,
        "RIP: 0010:__list_del_entry_valid.cold+0xf/0x6f",
        "RAX: 0000000000000033 RBX: ffffffffc059d3c0 RCX: 0000000000000000",
        "Call Trace:",
        " <TASK>",
        f" {function}+0x1d/0x60 [quay]",
        " pier_exit+0x3f/0xff1 [pier]",
        " do_syscall_64+0x5d/0x90",
        " </TASK>",
        f"Modules linked in: pier({flags}) quay(OE) abacus(OE)",
    )


@pytest.mark.parametrize(
    ("function", "flags", "module"),
    [
        ("quay_unregister", "OE-", "pier"),
        ("quay_register", "OE+", "pier"),
        ("quay_register", "OE", "quay"),
        ("quay_walk", "OE-", "quay"),
    ],
)
def test_who_comes_or_goes_hands_its_own_object_over(
    function: str, flags: str, module: str
) -> None:
    assert handed_over(function, flags).module == module


DENTRY = "BUG: Dentry (____ptrval____){i=2,n=bale}  still in use (1) [unmount of quay quay]"
UMOUNT = (
    "------------[ cut here ]------------",
    "WARNING: CPU: 1 PID: 142 at fs/dcache.c:1683 umount_check.cold+0x2f/0x3b",
    "Modules linked in: quay(OE) abacus(OE)",
    RELEASE,
    "RIP: 0010:umount_check.cold+0x2f/0x3b",
    "Call Trace:",
    " <TASK>",
    " d_walk+0xd6/0x2c0",
    " kill_anon_super+0x14/0x30",
    " quay_kill+0xa/0x20 [quay]",
    " </TASK>",
)


def test_a_line_without_a_trace_is_of_the_module_in_the_report_right_after_it() -> None:
    assert verdict_on(DENTRY, *UMOUNT).module == "quay"
    assert verdict_on(DENTRY, *("eth0: link up",) * 5, *UMOUNT).module is None


def unloaded(flags: str) -> Diagnosis:
    """Return the verdict on a walk of module quay into an unmapped part of the modules' area."""
    return verdict_on(
        "BUG: unable to handle page fault for address: ffffffffc04f6020",
        "#PF: supervisor read access in kernel mode",
        "#PF: error_code(0x0000) - not-present page",
        "Oops: 0000 [#1] PREEMPT SMP NOPTI",
        RELEASE,
        "RIP: 0010:quay_show+0x3f/0x90 [quay]",
        "Call Trace:",
        " <TASK>",
        " seq_read_iter+0x122/0x450",
        " </TASK>",
        f"Modules linked in: quay(OE) abacus(OE) [last unloaded: pier{flags}]",
    )


def test_what_a_module_from_outside_left_behind_is_its_fault_and_not_of_who_met_it() -> None:
    assert unloaded("(OE)").module == "pier"
    assert unloaded("").module == "quay"
    assert unloaded("(E)").module == "quay"


def int3(place: str) -> Diagnosis:
    return verdict_on(
        "Oops: int3: 0000 [#1] SMP NOPTI",
        RELEASE,
        f"RIP: 0010:{place}",
        "Code: cc cc cc cc cc cc cc cc <cc> cc cc cc",
        "RSP: 0018:ffffd08f8045f910 EFLAGS: 00000282",
        "RAX: 0000000000000001 RBX: ffff8c1101143800 RCX: 0000000000000000",
        "Call Trace:",
        " <TASK>",
        " ? __dev_queue_xmit+0x39c/0x1340",
        " </TASK>",
        "Modules linked in: quay(OE) abacus(OE) [last unloaded: pier(OE)]",
    )


def test_code_that_is_int3_from_end_to_end_was_a_modules() -> None:
    gone = int3("0xffffffffc0404011")
    assert (gone.root_cause, gone.module) == (RootCause.USE_AFTER_FREE, "pier")
    assert int3("quay_seen+0x11/0x40 [quay]").root_cause is not RootCause.USE_AFTER_FREE


def refused_write(at: str) -> RootCause:
    return verdict_on(
        f"Unable to handle kernel write to read-only memory at virtual address {at}",
        "Mem abort info:",
        "  ESR = 0x000000009600004f",
        "Internal error: Oops: 000000009600004f [#1] SMP",
        "Modules linked in: quay(OE) abacus(OE)",
        "CPU: 0 PID: 16 Comm: kworker/0:1 Tainted: G           OE      6.1.0-1-arm64 #1",
        "pc : quay_warm+0x28/0x40 [quay]",
        "lr : process_one_work+0x1f4/0x460",
        "Call trace:",
        " quay_warm+0x28/0x40 [quay]",
        " process_one_work+0x1f4/0x460",
    ).root_cause


def test_a_page_of_a_program_that_arm64_may_not_write_to_is_no_constant() -> None:
    assert refused_write("0000ffffd19d6638") is RootCause.USER_ACCESS
    assert refused_write("ffff800001234000") is RootCause.READONLY_WRITE


def of_text(rdx: str) -> RootCause:
    return verdict_on(
        "general protection fault, probably for non-canonical address 0x6161616161616169: 0000"
        " [#1] PREEMPT SMP NOPTI",
        RELEASE,
        "RIP: 0010:quay_insert+0x24/0x90 [quay]",
        "Code: 48 89 c3 90 <48> 8b 46 08 c3 90",  # mov 0x8(%rsi),%rax
        f"RAX: 0000000000000001 RSI: 6161616161616161 RDX: {rdx}",
        "Call Trace:",
        " <TASK>",
        " quay_write+0x9f/0x190 [quay]",
        " </TASK>",
        MODULES,
    ).root_cause


def test_an_object_of_which_several_members_are_text_was_freed_and_filled_again() -> None:
    assert of_text("6161616161626364") is RootCause.USE_AFTER_FREE
    assert of_text("ffff8c1101143800") is RootCause.OUT_OF_BOUNDS


def out_of_memory(
    *then: str, held: int = 60086, cache: str = "quay_cell", size: int = 231874
) -> Diagnosis:
    """Return the verdict on a lack of memory; of 98174 pages the kernel's own objects hold some."""
    return verdict_on(
        "quay invoked oom-killer: gfp_mask=0x40cc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "CPU: 0 PID: 125 Comm: quay Tainted: G           OE      6.1.0-1-amd64 #1",
        "Call Trace:",
        " <TASK>",
        " dump_header+0x4c/0x22b",
        " out_of_memory+0x1fd/0x4c0",
        " kmem_cache_alloc+0x2b8/0x300",
        " quay_gather+0x18/0x50 [quay]",
        " kthread+0xda/0x100",
        " </TASK>",
        "Mem-Info:",
        f" slab_reclaimable:2358 slab_unreclaimable:{held}",
        "98174 pages RAM",
        "Unreclaimable slab info:",
        "Name                      Used          Total",
        "RAWv6                     15KB         15KB",
        f"{cache}          {size}KB     {size}KB",
        "kernfs_node_cache       1224KB       1224KB",
        "Out of memory: Killed process 1 (init) total-vm:2120kB, anon-rss:4kB",
        *then,
    )


def test_the_module_acts_whose_slab_cache_holds_the_memory() -> None:
    verdict = out_of_memory()
    who = (verdict.root_cause, verdict.attribution, verdict.module)
    assert who == (RootCause.OOM, Attribution.MODULE, "quay")
    verdict = out_of_memory(
        "Kernel panic - not syncing: System is deadlocked on memory",
        RELEASE,
        "Call Trace:",
        " panic+0x107/0x2f1",
        " out_of_memory+0x4bb/0x4c0",
        " __alloc_pages_slowpath.constprop.0+0x67f/0xe70",
    )
    assert (verdict.root_cause, verdict.attribution, verdict.module) == who


@pytest.mark.parametrize(
    "log",
    [{"held": 2000}, {"cache": "kmalloc-4k"}, {"size": 1000}],
    ids=["the kernel holds little", "a cache that all use", "another cache holds more"],
)
def test_otherwise_a_lack_of_memory_is_of_no_module(log: dict[str, Any]) -> None:
    assert out_of_memory(**log).attribution is Attribution.MEMORY_PRESSURE


def registered(caller: str, flags: str) -> RootCause:
    return verdict_on(
        "general protection fault, probably for non-canonical address 0x206e69206d6f6f72: 0000"
        " [#1] PREEMPT SMP NOPTI",
        RELEASE,
        "RIP: 0010:strlen+0x0/0x20",
        "Code: 48 89 c3 90 <80> 3f 00 74 14",  # cmpb $0x0,(%rdi)
        "RAX: 0000000000000001 RSI: ffff8c1101143800 RDI: 206e69206d6f6f72",
        "Call Trace:",
        " <TASK>",
        f" {caller}+0x13/0x73 [quay]",
        " pier_init+0x3b/0x1000 [pier]",
        " do_one_initcall+0x59/0x220",
        " </TASK>",
        f"Modules linked in: pier({flags}) quay(OE) abacus(OE)",
    ).root_cause


def test_text_in_an_object_that_is_just_handed_over_is_another_layout() -> None:
    assert registered("quay_register", "OE+") is RootCause.API_MISMATCH
    assert registered("quay_register", "OE") is RootCause.OUT_OF_BOUNDS
    assert registered("quay_walk", "OE+") is RootCause.OUT_OF_BOUNDS


@pytest.mark.parametrize(
    ("place", "freed"),
    [("kmem_cache_free+0x340/0x550", True), ("register_netdevice+0x70/0x810", False)],
)
def test_an_assertion_without_a_place_is_that_of_its_function(place: str, freed: bool) -> None:
    verdict = verdict_on(
        "Kernel bug detected[#1]:",
        "CPU: 0 PID: 125 Comm: rmmod Tainted: G           OE      6.1.0-1-5kc-malta #1",
        f"epc   : ffffffff82328ea8 {place}",
        "ra    : ffffffffc0006040 quay_exit+0x40/0x60 [quay]",
        "Cause : 10800034 (ExcCode 0d)",
        "Modules linked in: quay(OE-) abacus(OE)",
        "Call Trace:",
        f"[<ffffffff82328ea8>] {place}",
        "[<ffffffffc0006040>] quay_exit+0x40/0x60 [quay]",
    )
    assert (RootCause.DOUBLE_FREE in {c.root_cause for c in verdict.candidates}) == freed


def kobject(*lines: str) -> Diagnosis:
    return verdict_on(
        *lines,
        "CPU: 0 PID: 134 Comm: sh Tainted: G           OE      6.1.0-1-amd64 #1",
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x44/0x5c",
        " kobject_init.cold+0x31/0x3f",
        " kobject_init_and_add+0x4f/0xc0",
        " quay_write+0xe/0x20 [quay]",
        " vfs_write+0xc7/0x3f0",
        " </TASK>",
    )


@pytest.mark.parametrize(
    "line",
    [
        "kobject ((____ptrval____)): tried to init an initialized object, something is seriously"
        " wrong.",
        "kobject: 'quay' ((____ptrval____)): tried to add an uninitialized object, something is"
        " seriously wrong.",
        "sysfs: cannot create duplicate filename '/kernel/quay'",
    ],
)
def test_what_kobjects_complain_of_with_a_stack_is_a_fault(line: str) -> None:
    verdict = kobject(line)
    assert (verdict.root_cause, verdict.module) == (RootCause.LOGIC_ERROR, "quay")
    crash = kobject(line, "kernel BUG at lib/quay.c:7!", "invalid opcode: 0000 [#1] SMP")
    assert "kernel BUG" in crash.summary or crash.confidence > verdict.confidence


def wrong_cache(line: str, modules: str) -> Diagnosis:
    return verdict_on(
        "------------[ cut here ]------------",
        line,
        "WARNING: CPU: 1 PID: 0 at mm/slab.h:665 cache_from_obj+0xa1/0x120",
        f"Modules linked in: {modules}",
        "CPU: 1 PID: 0 Comm: swapper/1 Tainted: G           OE      6.1.0-1-amd64 #1",
        "RIP: 0010:cache_from_obj+0xa1/0x120",
        "Call Trace:",
        " <IRQ>",
        " kmem_cache_free+0x15/0x310",
        " call_timer_fn+0x27/0x130",
        " </IRQ>",
    )


@pytest.mark.parametrize(
    "line",
    [
        "cache_from_obj: Wrong slab cache. quay_pot but object is from quay_pan",
        "kmem_cache_free(quay_pot, 000000005bc20ed8): object belongs to different cache quay_pan",
    ],
)
def test_a_slab_cache_is_of_the_module_after_which_it_is_named(line: str) -> None:
    verdict = wrong_cache(line, "quay(OE) abacus(OE)")
    assert (verdict.root_cause, verdict.module) == (RootCause.DOUBLE_FREE, "quay")
    assert wrong_cache(line.replace("quay", "other"), "quay(OE) abacus(OE)").module is None


def left_behind(*, flags: str, x16: str) -> Diagnosis:
    return verdict_on(
        "Unable to handle kernel paging request at virtual address ffffb89092f5e020",
        "Mem abort info:",
        "  ESR = 0x0000000096000007",
        "Internal error: Oops: 0000000096000007 [#1] SMP",
        f"Modules linked in: quay(OE) abacus(OE) [last unloaded: pier{flags}]",
        "CPU: 0 PID: 152 Comm: cat Tainted: G           OE      6.1.0-1-arm64 #1",
        "pc : quay_show+0x64/0xc0 [quay]",
        "lr : quay_show+0x50/0xc0 [quay]",
        "sp : ffff800008243b90",
        f"x19: ffffb89092f5e010 x16: {x16} x15: 0000000000000000",
        "Call trace:",
        " quay_show+0x64/0xc0 [quay]",
        " seq_read_iter+0x16c/0x48c",
        "Code: eb16027f 54000220 b0000017 910222f7 (a9410a74) ",
    )


def test_arm64_has_modules_within_reach_of_the_kernel_wherever_that_is() -> None:
    gone = left_behind(flags="(OE)", x16="ffffb890a9bdc1c0")
    assert (gone.root_cause, gone.module) == (RootCause.USE_AFTER_FREE, "pier")
    assert left_behind(flags="(OE)", x16="ffff0e6009e81040").module == "quay"
    assert left_behind(flags="", x16="ffffb890a9bdc1c0").module == "quay"
