"""Whom the title of each kind names: who used a lock, a timer, memory; not what served him."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel_messages import stamped
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Report

First = Callable[[str], Report]
Read = Callable[[str], KernelLog]

_END = "do_syscall_64 entry_SYSCALL_64_after_hwframe"


def _trace(names: str, head: str = "Call Trace:\n") -> str:
    return head + "".join(f" {name}+0x12/0x40\n" for name in f"{names} {_END}".split())


def _warning(at: str, names: str) -> str:
    first, _, rest = names.partition(" ")
    return (
        f"WARNING: CPU: 0 PID: 812 at {at} {first}+0x12/0x40\nModules linked in: pfd\n"
        f"RIP: 0010:{first}+0x12/0x40\n{_trace(rest)}"
    )


def _unlocked(at: str, trace: str) -> str:
    return (
        "WARNING: bad unlock balance detected!\n6.1.0 #1 Not tainted\n"
        "demo/812 is trying to release lock (pfd_lock) at:\n"
        f"[<ffffffff81adc671>] {at}+0xe1/0x130\nbut there are no more locks to release!\n\n"
        "1 lock held by demo/812:\n"
        f" #0: ffff88801abcd0a8 (&f->lock){{+.+.}}-{{3:3}}, at: pfd_other+0x1/0x2\n\n{trace}"
    )


def _held(at: str, trace: str) -> str:
    return (
        "WARNING: demo/812 still has locks held!\n6.1.0 #1 Not tainted\n1 lock held by demo/812:\n"
        f" #0: ffff88801abcd0a8 (&pfd->lock){{+.+.}}-{{3:3}}, at: {at}+0x1a/0x40\n\n{trace}"
    )


_NO_TRACE = "random: crng init done\n" * 3
_EXITING = _trace("dump_stack_lvl debug_check_no_locks_held do_exit")
_UNLOCKING = "dump_stack_lvl print_unlock_imbalance_bug lock_release "


@pytest.mark.parametrize(
    ("text", "function", "corrupted"),
    [
        (_held("pfd_take", _EXITING), "pfd_take", False),
        (_held("pfd_submit_lock", _EXITING), "pfd_submit_lock", False),
        (_held("pfd_take", _NO_TRACE), "pfd_take", True),
        (_held("mutex_lock", _EXITING), "do_exit", False),
        (_unlocked("pfd_stop", _trace(_UNLOCKING + "up_read pfd_stop")), "pfd_stop", False),
        (_unlocked("pfd_stop", _NO_TRACE), "pfd_stop", True),
        (_unlocked("pfd_stop", "Call Trace:\n dump_stack_lvl+0x1/0x2\n"), "pfd_stop", True),
        (_unlocked("__might_fault", _trace(_UNLOCKING + "__might_fault pfd_x")), "pfd_x", False),
    ],
)  # fmt: skip
def test_lockdep_says_who_used_the_lock_whatever_became_of_the_trace(
    first: First, text: str, function: str, corrupted: bool
) -> None:
    report = first(stamped(text))
    assert (report.title.rpartition(" in ")[2], report.corrupted) == (function, corrupted)


def test_locks_held_without_a_list_are_named_by_the_trace(first: First) -> None:
    text = "[ BUG: demo/812 still has locks held! ]\n" + _EXITING
    assert first(stamped(text)).title == "BUG: still has locks held in do_exit"


@pytest.mark.parametrize(
    ("names", "function"),
    [
        ("spin_dump do_raw_spin_lock _raw_spin_lock pfd_run", "pfd_run"),
        ("do_raw_spin_lock _raw_spin_lock_bh lock_sock_nested pfd_run", "pfd_run"),
        ("do_raw_spin_lock raw_spin_rq_lock_nested __task_rq_lock pfd_run", "pfd_run"),
        ("do_raw_spin_lock _raw_spin_lock pfd_lock_it pfd_run", "pfd_lock_it"),
        ("do_raw_spin_lock _raw_spin_lock pfd_block pfd_run", "pfd_block"),
    ],
)  # fmt: skip
def test_a_spin_lock_misused_is_named_by_its_user(first: First, names: str, function: str) -> None:
    text = "BUG: spinlock recursion on CPU#0, demo/812\n" + _trace("dump_stack_lvl " + names)
    assert first(stamped(text)).title == f"BUG: spinlock recursion in {function}"


@pytest.mark.parametrize(
    ("names", "function"),
    [
        ("debug_check_no_obj_freed kfree pfd_free", "pfd_free"),
        ("debug_check_no_obj_freed free_pages_prepare __free_pages pfd_free", "pfd_free"),
        ("debug_check_no_obj_freed vunmap vfree pfd_free", "pfd_free"),
        ("debug_object_activate __mod_timer add_timer pfd_start", "pfd_start"),
        ("debug_object_activate enqueue_hrtimer hrtimer_start_range_ns pfd_start", "pfd_start"),
        ("debug_object_activate __queue_work queue_work_on pfd_start", "pfd_start"),
        ("debug_object_activate kvfree_call_rcu pfd_start", "pfd_start"),
        ("debug_object_assert_init del_timer try_to_grab_pending cancel_work_sync pfd_x", "pfd_x"),
        ("__debug_object_init percpu_counter_init pfd_x", "pfd_x"),
        ("debug_check_no_obj_freed kmem_cache_free rcu_do_batch rcu_core handle_softirqs",
         "handle_softirqs"),
        ("debug_check_no_obj_freed kfree pfd_timeout", "pfd_timeout"),
        ("debug_check_no_obj_freed kfree pfd_rxtimer", "pfd_rxtimer"),
        ("__debug_object_init __init_work pfd_x", "__init_work"),
    ],
)  # fmt: skip
def test_a_debugged_object_is_named_by_its_owner(first: First, names: str, function: str) -> None:
    text = _warning("lib/debugobjects.c:514", f"debug_print_object {names}")
    assert first(stamped(text)).title == f"WARNING: ODEBUG bug in {function}"


@pytest.mark.parametrize(
    ("names", "function"),
    [
        ("kmem_cache_alloc_noprof sk_prot_alloc sk_alloc pfd_create", "pfd_create"),
        ("__kmalloc_track_caller kmemdup_nul pfd_set", "pfd_set"),
        ("radix_tree_node_alloc idr_get_free idr_alloc pfd_id", "pfd_id"),
        ("__kmalloc __list_lru_init alloc_super pfd_mount", "pfd_mount"),
        ("pcpu_create_chunk pcpu_alloc_noprof __alloc_percpu pfd_init", "pfd_init"),
        ("pcpu_alloc_noprof percpu_ref_init pfd_init", "percpu_ref_init"),
        ("kmem_cache_alloc dup_fd copy_process", "dup_fd"),
        ("kmem_cache_alloc skb_clone pfd_rx", "skb_clone"),
    ],
)
def test_a_leak_is_named_by_who_asked_for_the_memory(
    first: First, names: str, function: str
) -> None:
    text = (
        "BUG: memory leak\nunreferenced object 0xffff888112345640 (size 32):\n"
        '  comm "demo", pid 812, jiffies 4294942725 (age 13.180s)\n'
        + _trace(names, "  backtrace:\n")
    )
    assert first(text).title == f"memory leak in {function}"


@pytest.mark.parametrize(
    ("place", "names", "title"),
    [
        ("lib/refcount.c:28", "refcount_warn_saturate kobject_put device_del pfd_x",
         "WARNING: refcount bug in pfd_x"),
        ("lib/kobject.c:728", "kobject_get kobject_init_and_add pfd_x",
         "WARNING: kobject bug in pfd_x"),
        ("mm/util.c:602", "kvmalloc_node kvmalloc_array_noprof pfd_x",
         "WARNING: kmalloc bug in pfd_x"),
        ("fs/proc/generic.c:377", "proc_register proc_create pfd_x",
         "WARNING: proc registration bug in pfd_x"),
        ("fs/proc/generic.c:717", "remove_proc_entry pfd_x", "WARNING in remove_proc_entry"),
        ("kernel/workqueue.c:1100", "try_to_grab_pending cancel_work_sync pfd_x",
         "WARNING in pfd_x"),
        ("net/core/dev.c:8200", "rollback_registered_many unregister_netdevice_queue pfd_x",
         "WARNING in pfd_x"),
        ("drivers/usb/core/urb.c:503", "usb_submit_urb usb_start_wait_urb usb_bulk_msg pfd_x",
         "WARNING in pfd_x/usb_submit_urb"),
        ("lib/stackdepot.c:410", "__stack_depot_save pfd_x", "WARNING in __stack_depot_save"),
    ],
)  # fmt: skip
def test_a_warning_is_named_by_whom_the_helpers_served(
    first: First, place: str, names: str, title: str
) -> None:
    assert first(stamped(_warning(place, names))).title == title


@pytest.mark.parametrize(
    ("kind", "names", "function"),
    [
        ("kernel-infoleak", "copyout _copy_to_iter simple_copy_to_iter pfd_recv", "pfd_recv"),
        ("kernel-infoleak", "instrument_copy_to_user _copy_to_user pfd_ioctl", "pfd_ioctl"),
        ("kernel-infoleak", "_copy_to_user pfd_usercopy pfd_ioctl", "pfd_usercopy"),
        ("kernel-usb-infoleak", "usb_submit_urb usb_start_wait_urb usb_control_msg pfd_tx",
         "pfd_tx"),
        ("kernel-usb-infoleak", "usb_submit_urb usb_pfd_transfer pfd_tx", "usb_pfd_transfer"),
        ("uninit-value", "aes_encrypt crypto_skcipher_encrypt pfd_seal", "pfd_seal"),
    ],
)  # fmt: skip
def test_memory_never_written_is_named_by_who_passed_it_on(
    first: First, kind: str, names: str, function: str
) -> None:
    text = _trace(names, f"BUG: KMSAN: {kind} in {names.split()[0]}+0x12/0x40\n")
    assert first(stamped(text)).title == f"KMSAN: {kind} in {function}"


@pytest.mark.parametrize(
    "words",
    [
        "kernel stack regs at 00000000a0bb1d96 in demo:812 has bad 'bp' value 000000009caa7d9f",
        "kernel stack regs at         (ptrval) in demo:812 has bad 'bp' value           (null)",
        "kernel stack frame pointer at ffff8801db207ef8 in demo:812 has bad value ffff8801db207f00",
    ],
)
def test_an_unwinder_that_lost_its_way_has_one_title(first: First, words: str) -> None:
    dump = "unwind stack type:0 next_sp:          (null) mask:0x6 graph_idx:0\n"
    report = first(stamped(f"WARNING: {words}\n{dump}"))
    assert report.title == "WARNING: kernel stack regs has bad value"
    assert (report.type, report.corrupted) == (None, False)


def test_a_work_that_leaks_a_lock_is_named_by_its_function(first: First) -> None:
    report = first(
        stamped(
            "BUG: workqueue leaked lock or atomic: kworker/0:1/0x00000001/12\n"
            "     last function: pfd_work [pfd]\n" + _trace("dump_stack process_one_work")
        )
    )
    assert report.title == "BUG: workqueue leaked lock or atomic in pfd_work"


_INLINED = "BUG: {} in instrument_read include/linux/instrumented.h:68 [inline]\n"


@pytest.mark.parametrize("caller", ["", "[ T812]"])
@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("KASAN: use-after-free", "KASAN: use-after-free Read in pfd_f"),
        ("KMSAN: uninit-value", "KMSAN: uninit-value in pfd_f"),
    ],
)
def test_a_headline_that_a_symbolizer_unfolds_is_one(
    read: Read, kind: str, title: str, caller: str
) -> None:
    text = (
        _INLINED.format(kind) * 2
        + f"BUG: {kind} in pfd_f+0x12/0x40 drivers/pfd.c:42\n"
        + ("Read of size 4 at addr ffff88807a1b2c40 by task demo/812\n" if "KASAN" in kind else "")
        + _trace("pfd_f pfd_g", "Call Trace:\n" if "KASAN" in kind else "")
    )
    text = stamped(text).replace("] ", f"]{caller} ")
    assert [report.title for report in read(text).reports] == [title]
    assert len(read(text + text).reports) == 2
    assert len(read(text.replace(" [inline]", "")).reports) == 3


_GOROUTINE = "\ngoroutine 12 [running]:\nmain.main()\n\t/go/src/main.go:12 +0x1f\n"


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("SYZFAIL: wrong response packet\n", "SYZFAIL: wrong response packet"),
        ("2022/10/02 11:34:15 SYZFATAL: no executor\n", "SYZFATAL: no executor"),
        ("panic: runtime error: index out of range\n" + _GOROUTINE,
         "panic: runtime error: index out of range"),
        ("fatal error: all goroutines are asleep - deadlock!\n" + _GOROUTINE, "go runtime error"),
        ("grub: panic: no such partition\n", None),
        ("fatal error: pfd.h: No such file or directory\n", None),
        ("panic: again\n" + "x\n" * 400 + _GOROUTINE, None),
    ],
)  # fmt: skip
def test_a_fuzzer_or_a_program_in_go_dies_among_the_lines_of_the_kernel(
    read: Read, words: str, title: str | None
) -> None:
    reports = read(stamped("random: crng init done") + words).reports
    assert [report.title for report in reports] == ([title] if title else [])
