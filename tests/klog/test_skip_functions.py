"""Functions that no title names, family by family, and functions that titles must name."""

from __future__ import annotations

import pytest

from pagefault_doctor.klog.guilty_function import (
    CALL,
    TRACE,
    Choice,
    is_generic,
    is_uninformative,
    name_function,
)
from pagefault_doctor.klog.line import lines_of

GENERIC = {
    "mm/kasan/report.c": "kasan_report print_address_description check_memory_region",
    "mm/kfence/report.c": "kfence_report_error kfence_handle_page_fault",
    "the compiler's calls": "__asan_load8 __hwasan_store4 __msan_warning __tsan_read8"
    " __sanitizer_cov_trace_pc __ubsan_handle_shift_out_of_bounds handle_overflow",
    "lib/dump_stack.c": "dump_stack dump_stack_lvl __dump_stack show_stack show_trace_log_lvl"
    " show_regs nmi_cpu_backtrace nmi_trigger_cpumask_backtrace",
    "kernel/panic.c": "panic vpanic nmi_panic __warn __warn_printk warn_slowpath_fmt print_tainted"
    " get_taint",
    "lib/bug.c": "report_bug fixup_bug handle_bug bug_handler",
    "mm/slub.c": "kmem_cache_alloc kmem_cache_free_bulk ___slab_alloc allocate_slab new_slab"
    " __slab_free discard_slab __free_slab object_err print_trailer kmalloc_trace"
    " __kmalloc_node_track_caller kfree",
    "mm/slab.c": "____cache_alloc cache_alloc_refill __do_cache_alloc __cache_free",
    "mm/util.c": "kvmalloc_node kvzalloc kvfree memdup_user vmemdup_user kstrdup kstrdup_const"
    " kmemdup"
    " krealloc kvrealloc_noprof kcalloc devm_kzalloc sock_kmalloc",
    "mm/vmalloc.c": "vmalloc __vmalloc_node_range vzalloc",
    "mm/page_alloc.c": "__alloc_pages __alloc_pages_nodemask __alloc_frozen_pages_noprof"
    " alloc_pages_mpol vma_alloc_folio __get_free_pages get_zeroed_page __free_pages"
    " free_unref_page free_frozen_pages free_pages_prepare __folio_alloc",
    "mm/filemap.c": "lock_page __lock_page_killable unlock_page trylock_page __folio_lock"
    " folio_unlock __page_cache_alloc pagecache_get_page find_or_create_page"
    " __filemap_get_folio read_cache_page"
    " grab_cache_page_write_begin",
    "lib/string.c": "strlen strnlen strcpy strncpy strscpy strlcpy strcat strncat strlcat strcmp"
    " strncmp strcasecmp strncasecmp strchr strnchr strrchr strchrnul strstr strnstr strpbrk"
    " strspn strcspn strsep strim memcpy memset memmove memcmp memchr memchr_inv memscan bcmp"
    " memcpy_erms memset_orig __pi_memcpy strnlen_user strncpy_from_user memzero_explicit"
    " read_word_at_a_time",
    "lib/vsprintf.c": "vsnprintf snprintf sprintf scnprintf vscnprintf kasprintf kvasprintf"
    " kvasprintf_const string_nocheck pointer symbol_string va_format",
    "kernel/printk/printk.c": "printk _printk vprintk_emit dev_printk_emit _dev_err netdev_warn"
    " print_hex_dump __dynamic_dev_dbg",
    "arch/*/lib": "copy_user_generic rep_movs_alternative __copy_user_nocache _copy_to_user"
    " raw_copy_from_user copyin copyout"
    " copy_page_to_iter _copy_from_iter __get_user_4 __put_user_nocheck_8",
    "mm/usercopy.c": "__check_object_size check_heap_object usercopy_abort check_stack_object",
    "kernel/locking": "_raw_spin_lock_irqsave _raw_spin_unlock_irqrestore _raw_spin_lock_nested"
    " _raw_spin_trylock_bh do_raw_spin_lock native_queued_spin_lock_slowpath"
    " queued_read_lock_slowpath _raw_read_lock_bh _raw_write_lock_irq rt_spin_lock mutex_lock"
    " mutex_lock_interruptible_nested __mutex_lock ww_mutex_lock mutex_trylock"
    " rt_mutex_slowlock down down_interruptible __down_common up down_read down_write_killable"
    " up_read percpu_down_write rwsem_down_write_slowpath downgrade_write osq_lock"
    " mutex_spin_on_owner",
    "kernel/locking/lockdep.c": "__lock_acquire lock_release validate_chain check_prevs_add"
    " check_noncircular print_circular_bug print_deadlock_bug print_usage_bug mark_lock_irq"
    " register_lock_class assign_lock_key reacquire_held_locks debug_check_no_locks_held"
    " debug_check_no_locks_freed print_freed_lock_bug find_held_lock lock_downgrade",
    "include/linux/atomic": "atomic_inc atomic64_add_return arch_atomic_dec_and_test cmpxchg"
    " _atomic_dec_and_lock_irqsave raw_atomic64_sub atomic_long_read instrument_atomic_read_write"
    " test_bit __set_bit test_and_clear_bit",
    "lib/refcount.c": "refcount_warn_saturate refcount_inc_checked __refcount_add kref_put"
    " kref_get",
    "lib/list_debug.c": "__list_add_valid __list_del_entry_valid_or_report list_del_init"
    " hlist_del_rcu list_splice_init plist_del klist_put llist_add_batch",
    "lib/rbtree.c": "rb_erase rb_insert_color __rb_erase_color __rb_insert_augmented rb_next"
    " rb_first_postorder rb_replace_node",
    "lib/debugobjects.c": "debug_object_activate __debug_object_init debug_object_assert_init",
    "kernel/time/timer.c": "del_timer_sync try_to_del_timer_sync __mod_timer lock_timer_base"
    " timer_delete_sync __timer_delete timer_shutdown_sync try_to_del_timer_sync",
    "kernel/workqueue.c": "__flush_work flush_work __flush_workqueue cancel_work_sync"
    " cancel_delayed_work_sync __cancel_work_timer queue_work_on queue_delayed_work_on"
    " insert_work drain_workqueue destroy_workqueue try_to_grab_pending work_grab_pending"
    " disable_work_sync disable_delayed_work kthread_cancel_work_sync kthread_queue_work",
    "kernel/sched/completion.c": "wait_for_completion wait_for_common complete",
    "drivers/base": "device_add device_del device_unregister put_device kobject_put"
    " kobject_uevent_env sysfs_remove_group add_uevent_var hwrng_unregister"
    " tty_unregister_device tty_port_unregister_device",
    "net/core/dev.c": "rollback_registered_many unregister_netdevice_queue",
    "drivers/usb/core": "usb_submit_urb usb_kill_urb usb_control_msg usb_hcd_submit_urb"
    " dummy_urb_enqueue xhci_urb_enqueue",
    "include/asm-generic/io.h": "readl __raw_readl readl_relaxed writeq inb ioread32 logic_outb",
    "fs/inode.c": "iput ihold dput drop_nlink",
    "arch/arm64": "el1_abort el1h_64_sync el1h_64_sync_handler do_mem_abort do_translation_fault"
    " do_kernel_fault do_debug_exception brk_handler el1_sync",
    "arch/x86": "exc_invalid_op asm_exc_invalid_op exc_page_fault invalid_op do_invalid_op"
    " do_error_trap __phys_addr"
    " __x86_indirect_thunk_rax",
    "other machines": "program_check_exception monitor_event_exception"
    " walk_stackframe unwind_backtrace dump_backtrace do_undefinstr",
    "net/core/skbuff.c": "kfree_skb kfree_skb_reason __kfree_skb kfree_skbmem sk_skb_reason_drop",
}  # fmt: skip

TELLING = (
    "remove_wait_queue prepare_to_wait try_to_wake_up hrtimer_active mod_timer"
    " hrtimer_forward enqueue_timer __bad_area_nosemaphore"
    " lock_sock_nested kernfs_remove get_device vfs_read ext4_iget kvm_put_kvm skb_put consume_skb"
    " process_one_work rcu_sync_enter do_user_addr_fault handle_mm_fault idr_remove xa_load"
    " netdev_freemem driver_probe_device pfd_probe upload_firmware downlink_start numbers_show"
    " insbx el0_irq_handler free_netdev console_device complete_all"
)
NEAR_MISSES = {
    "a driver's own lock, work or timer": "pfd_disable_work snd_timer_delete posix_timer_delete",
    "reference counts kept on disk": "xfs_refcount_adjust ocfs2_try_remove_refcount_tree"
    " btrfs_backref_release_cache",
    "atomic modesetting, atomic opens, notifiers": "drm_atomic_add_affected_planes atomic_open"
    " atomic_notifier_call_chain",
    "a ring buffer": "rb_advance_reader rb_move_tail",
    "lists of reclaim": "__list_lru_walk_one list_lru_walk_node",
    "caches that are no slabs": "fscache_alloc_cookie mb_cache_entry_create",
    "a block is no lock": "block_page_mkwrite folio_lock_anon_vma_read",
    "copies of media": "video_usercopy",
    "other devices": "input_unregister_device tty_register_device usb_hcd_giveback_urb",
    "what may be named, and stands between trouble and cause": "__stack_depot_save format_decode"
    " number irqentry_exit debug_check_no_obj_freed vfree",
}


@pytest.mark.parametrize("family", GENERIC)
def test_what_a_family_of_helpers_holds_is_never_blamed(family: str) -> None:
    assert [name for name in GENERIC[family].split() if not is_generic(name)] == []


@pytest.mark.parametrize("why", NEAR_MISSES)
def test_a_name_that_only_resembles_a_helper_is_blamed(why: str) -> None:
    assert [name for name in NEAR_MISSES[why].split() if is_generic(name)] == []


@pytest.mark.parametrize("name", ["__stack_depot_save", "format_decode", "irqentry_exit", "vfree"])
def test_what_a_title_may_name_is_no_suspect_all_the_same(name: str) -> None:
    assert is_uninformative(name)


def test_what_has_a_cause_of_its_own_is_blamed() -> None:
    assert [name for name in TELLING.split() if is_generic(name)] == []


@pytest.mark.parametrize(
    "entry",
    [
        "do_syscall_64",
        "__do_syscall",
        "do_fast_syscall_32",
        "do_trap_ecall_u",
        "system_call_exception",
        "el0_svc_common.constprop.0",
        "invoke_syscall",
        "ret_fast_syscall",
        "call_timer_fn",
        "__run_timers",
        "process_one_work",
        "kthread",
        "do_page_fault",
        "__fput",
    ],
)
def test_a_stalled_stack_is_named_by_what_its_entry_called(entry: str) -> None:
    names = ("pfd_random", "pfd_deeper", "pfd_entry", entry, "pfd_below")
    lines = lines_of("\n".join(["Call Trace:", *(f" {name}+0x1/0x20" for name in names)]), 1)
    assert name_function(lines, ((CALL, TRACE),), take=Choice.STALL).function == "pfd_entry"
