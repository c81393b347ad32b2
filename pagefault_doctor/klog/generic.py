"""Functions that say nothing about the cause: every pattern is looked for anywhere in a name.

They report, allocate, copy, lock, queue or wait on behalf of the code that went wrong.
"""

from __future__ import annotations

from typing import Final

_REPORTING: Final = (
    "kasan|kmsan|kcsan|hwasan|kfence_(?:report|handle)|asan_|check_memory_region|check_memory",
    "print_report|print_address_description|dump_stack|show_stack|dump_backtrace|unwind_backtrace",
    "^panic$|^vpanic$|nmi_panic|report_bug|fixup_bug|invalid_op|do_error|_trap$|^do_trap|^die$",
    "warn_slowpath|^__?warn(?:$|_printk)|warn_alloc|print_usage_bug|lockdep|lock_acquire",
    "lock_release|mark_lock|mark_held_locks|debug_object|ref_tracker|__fortify_report",
    "fortify_panic|stack_trace_save|arch_stack_walk|print_tainted|^get_taint$|validate_chain",
    "print_(?:circular|deadlock|unlock|lock)|check_prev_add|check_noncircular|register_lock_class",
    "__ubsan|ubsan_|handle_bug|exc_(?:invalid_op|general_protection|page_fault)|asm_exc_",
    "^dump_header$|^show_regs|^__die|^oops_end|refcount_warn|refcount_error|__might_",
    "report_cfi|cleanup_srcu|hlock_class|debug_smp_proc|check_preemption|perf_trace|trace_hardirqs|cov_trace|walk_stackframe|^__panic|panic_saved|check_panic|assertfail|^handle_overflow|__seqprop|^__read_once|^save_stack|^kernel_text_address|stack_depot",
)
_ALLOCATING: Final = (
    "(?:^|_)(?:[kv]|kv)(?:m|z|c)?alloc|malloc|krealloc|kmem_cache|slab_|^slab|alloc_page|folio_alloc",
    "alloc_skb|skb_alloc|__alloc_object|kmemdup|kstrdup|vmemdup|memdup",
    "__filemap_get_folio|find_or_create_page|pagecache_get_page|grab_cache_page_write_begin|read_cache_page",
    "^kv?free$|^vfree$|kfree_skb|ida_free|cache_free|__free_pages|free_unref|percpu_alloc|^pcpu_",
    "kmalloc|kzalloc|kcalloc|vmalloc|vzalloc|kvmalloc|___cache|cache_alloc|fail_dump|alloc_buf",
)
_MEMORY: Final = (
    "mem(?:cpy|cmp|set|chr|move|dup)|(?:^|_)str[nlsr]?(?:len|cpy|cmp|cat|chr|str|dup|pbrk|spn|sep|casecmp)",
    "copy_(?:to|from)_(?:user|iter)|copy_(?:page|folio)_to_iter|copy_user|get_user|put_user",
    "copy_(?:in|out)_?user|might_(?:fault|sleep|resched)|string|pointer|snprintf|scnprintf",
    "kasprintf|kvasprintf|printk|^_?dev_(?:info|notice|warn|err|alert|crit|emerg)|hex_dump",
    "hexdump|va_format|^crc|_crc\\d|crc32c|usercopy|check_object|__check_heap",
)
_LOCKING: Final = (
    "(?:spin|read|write)_(?:lock|trylock|unlock)|_trylock|_unlock|mutex_|^mutex|rt_mutex",
    "(?:^|_)(?:down|up)_(?:read|write|interruptible|killable|trylock|timeout)|^(?:down|up)$|osq_",
    "queued_spin|owner_on_cpu|rwsem_|spin_dump|spin_bug|arch_atomic|^atomic|atomic(?:64)?_"
    "(?:read|set|inc|dec|add|sub|cmp|fetch|xchg|long)|cmpxchg",
    "(?:set|clear|change|test)_bit|__lock_acquire|^refcount|refcount_|kref_|__wake_up|bh_enable",
    "bh_disable|lock_sock|csd_lock|irqentry_|rcu_read_(?:un)?lock|_raw_",
)
_LISTS: Final = (
    "list_(?:add|del|replace|move|splice)|__list_|rb_(?:erase|insert|next|first|last|prev|link)",
    "klist_|xas_(?:start|load|find)|rhashtable_lookup|hlist_(?:add|del)",
)
_WORKING: Final = (
    "del_timer|__mod_timer|mod_timer|lock_timer_base|try_to_del_timer|timer_delete",
    "(?:flush|cancel|queue|insert)_(?:delayed_)?work|(?:flush|drain|destroy)_workqueue",
    "finish_wait|wait_for_(?:common|completion)|^complete$|kthread_stop",
)
_DEVICES: Final = (
    "kobject_|device_(?:add|del|unregister|destroy|release|remove|for_each_child)|get_device_parent|__unregister_client|devres_release_all|add_uevent_var",
    "sysfs_remove|i2c_del_adapter|unregister_netdev|usb_(?:submit|kill)(?:_anchored)?_urb|^logic_(?:in|out)[bwl]|usb_control_msg",
    "usb_hcd_submit_urb|^(?:__)?(?:raw_)?(?:read|write)[bwlq]$|^put_device$|^get_device$",
)
_FILES: Final = (
    "^iput$|^iput_final$|^ihold$|^(?:fast_|__)?dput|drop_nlink|mark_buffer_dirty|(?:un)?lock_page$",
    "truncate_inode_pages_range",
)
_ENTRY: Final = (
    "do_mem_abort|do_kernel_fault|do_translation_fault|do_tag_check_fault|do_alignment_fault|do_sea$|do_bad_area|die_kernel_fault|el1_abort|el1_sync|el1h_64_sync|__phys_addr",
    "retpoline|indirect_thunk|^error_entry|do_page_fault$|^page_fault$|die_kernel",
)
GENERIC: Final = (
    *_REPORTING, *_ALLOCATING, *_MEMORY, *_LOCKING, *_LISTS, *_WORKING, *_DEVICES, *_FILES, *_ENTRY,
)  # fmt: skip

ANCHORS: Final = (
    "do_syscall_|do_fast_syscall_|do_int80|sysenter|system_call|entry_SYSCALL|el0_svc_handler",
    "el0_svc|invoke_syscall|ret_fast_syscall|do_softirq|call_timer_fn|run_timers|hrtimer_run",
    "run_ksoftirqd|tasklet_action|process_one_work|^kthread$|ret_from_fork|start_secondary",
    "cpu_startup_entry|netif_receive_skb|vfs_(?:read|write|ioctl|open)|new_sync_(?:read|write)",
    "call_(?:read|write)_iter|(?:vfs|ksys|sock_do|compat_sock|blkdev|compat|compat_sys|compat_SyS|SyS|SYSC|sys)_ioctl",
    "mmap_region|do_mmap|do_dentry_open|sock_(?:sendmsg|recvmsg|release|ioctl|sendpage)",
    "^__sock_(?:sendmsg|release)|setsockopt|rtnetlink_rcv_msg|nfnetlink_rcv_msg|netlink_dump",
    "^page_fault$|do_page_fault|exc_page_fault|__fput|^fput|task_work_run|exit_to_usermode|exit_to_user_mode",
)
"""Functions below which a stalled stack is the same each time: its entries."""

VICTIM: Final = (
    "sched", "_lock", "_slowlock", "down", "rwsem", "completion", "kthread", "wait",
    "synchronize", "context_switch", "__switch_to", "cancel_delayed_work", "rcu_barrier",
)  # fmt: skip
"""Parts of the names of functions that merely wait: a hung task is a victim."""
