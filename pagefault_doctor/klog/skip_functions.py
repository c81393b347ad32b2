"""Functions that show nothing about the cause, by name.

They report, allocate, copy, lock, queue or wait on behalf of the code that went wrong. WORDS,
PATTERNS, ANCHORS and VICTIM are the convention by which titles are made; a title must not change
with them. The other tables belong to one question each, and hold only what its answer needs:
`diagnosis/function_roles.py` has those that only the diagnosis asks.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex

WORDS: Final = tuple(
    """
    kasan kmsan kcsan kfence hwasan asan_ __msan_ __tsan_ __sanitizer check_memory
    print_report print_trailer
    print_address_description dump_stack show_stack dump_backtrace unwind_backtrace
    nmi_panic report_bug fixup_bug invalid_op do_error warn_slowpath warn_alloc
    print_usage_bug lockdep lock_acquire lock_release mark_lock mark_held_locks debug_object
    debug_check_no_locks reacquire_held_locks find_held_lock match_held_lock look_up_lock_class
    assign_lock_key print_freed print_held_locks print_bad_irq print_irq check_wait_context
    timer_is_static_object work_is_static_object check_kcov_mode write_comp_data
    ref_tracker __fortify_report fortify_panic stack_trace_save arch_stack_walk
    print_tainted validate_chain check_prev check_noncircular check_deadlock register_lock_class
    __ubsan ubsan_ handle_bug asm_exc_ __might_ report_cfi
    cleanup_srcu hlock_class debug_smp_proc check_preemption perf_trace trace_hardirqs
    cov_trace walk_stackframe panic_saved check_panic assertfail seqprop seqcount
    show_trace cpu_backtrace cpumask_backtrace
    program_check monitor_event pgm_check break_hook brk_handler do_el1_brk do_debug_exception
    malloc zalloc calloc krealloc vrealloc kmem_cache slab_ allocate_slab new_slab
    alloc_page alloc_frozen_page folio_alloc alloc_folio page_cache_alloc get_free_pages
    get_zeroed_page
    kmemdup kstrdup vmemdup memdup __filemap_get_folio find_or_create_page
    do_read_cache_folio pagecache_get_page grab_cache_page_write_begin read_cache_page
    kfree_skb ida_free
    __free_pages free_unref free_frozen_page free_pages_prepare free_large_kmalloc
    __free_slab discard_slab sk_skb_reason_drop fail_dump
    copy_user get_user put_user string pointer sprintf nprintf rep_movs_alternative
    rep_stos_alternative read_word_at_a_time __read_once __write_once __dynamic_
    printk hex_dump hexdump va_format crc32c check_object check_heap
    check_stack_object check_kernel_text_object check_bogus_address check_page_span
    _trylock _unlock mutex_ rt_mutex osq_ queued_spin owner_on_cpu rwsem_ spin_dump spin_bug
    cmpxchg __lock_acquire __wake_up bh_enable bh_disable
    csd_lock klist_ rhashtable_lookup
    del_timer __mod_timer lock_timer_base finish_wait kthread_stop
    kobject_ get_device_parent __unregister_client devres_release_all add_uevent_var
    sysfs_remove i2c_del_adapter unregister_netdev usb_control_msg usb_hcd_submit_urb
    drop_nlink mark_buffer_dirty truncate_inode_pages_range
    do_mem_abort do_kernel_fault do_translation_fault do_tag_check_fault do_alignment_fault
    do_bad_area die_kernel_fault el1_abort el1_sync el1h_64_sync __phys_addr retpoline
    indirect_thunk die_kernel
    """.split()
)
"""Generic wherever they stand in a name: found faster than any expression is compiled."""

PATTERNS: Final = (
    # reporting
    r"kfence_(?:report|handle)",
    r"panic",
    r"_trap$",
    r"^do_trap(?!_ecall)",
    r"^die$",
    r"^__?warn(?:$|_printk)",
    r"^get_taint$",
    r"print_(?:circular|deadlock|unlock|lock)",
    r"exc_(?:invalid_op|general_protection|page_fault)",
    r"^dump_header$",
    r"^show_regs",
    r"^__die",
    r"^oops_end",
    r"^handle_(?:overflow|null_ptr_deref|misaligned_access|object_size_mismatch)",
    r"^object_err$",
    r"^assfail$",
    r"^bug_(?:brk_)?handler",
    r"^BUG$",  # arch/mips/include/asm/bug.h: a function, where gcc does not inline it
    r"^save_stack",
    r"^kernel_text_address",
    # allocating and freeing
    r"^slab",
    r"^_*(?:do_)?cache_(?:alloc|free)",
    r"^kv?free$",
    # memory and strings
    r"mem(?:cpy|cmp|set|chr|move|dup|scan|mem$|zero_explicit)|^_*bcmp$",
    r"(?:^|_)str(?:n|l|s|r|nr|c)?(?:len|cpy|cmp|cat|chr|str|dup|pbrk|spn|sep|casecmp|im)",
    r"copy_(?:to|from)_(?:user|iter)",
    r"copy_(?:page|folio)_to_iter",
    r"copy_(?:in|out)_?user",
    r"^copy(?:in|out)$",
    r"^usercopy_",
    r"might_(?:fault|sleep|resched)",
    r"^(?:net|_)?dev_(?:info|notice|warn|err|alert|crit|emerg)",
    r"(?:^|_)crc",
    # locks and atomics
    r"(?:spin|read|write)_(?:lock|trylock|unlock)",
    r"^mutex",
    r"(?:^|_)(?:down|up)_(?:read|write|interruptible|killable|trylock|timeout)",
    r"^_*(?:down|up)(?:_common)?$",
    r"^downgrade_write",
    r"^raw_spin_rq_",
    r"^_*lock_(?:contended|downgrade|set_class|pin_lock|unpin_lock|repin_lock)",
    r"^_*(?:instrument_|raw_|arch_)?atomic(?:64|_long)?_"
    r"(?:read|set|inc|dec|add|sub|and|or|xor|cmp|fetch|try|xchg|long)",
    r"(?:set|clear|change|test)_bit",
    r"^_*(?:refcount|kref)_",
    # lists and trees
    r"list_(?:add|del|replace|move|splice)",
    r"(?:^|_)rb_(?:erase|insert|next|first|last|prev|link|replace|add|find|rotate)",
    r"xas_(?:start|load|find)",
    # work, timers, waiting
    r"^_*timer_(?:delete|shutdown)",
    r"(?:flush|cancel|queue|insert)_(?:delayed_|rcu_)?work",
    r"^disable_(?:delayed_)?work",
    r"^(?:try_to|work)_grab_pending",
    r"(?:flush|drain|destroy)_workqueue",
    r"wait_for_(?:common|completion)",
    r"^complete(?:_with_flags)?$",
    # devices and buses
    r"device_(?:add|del|unregister|destroy|release|remove|for_each_child)",
    r"^(?:hwrng_unregister|rollback_registered|tty_(?:port_)?unregister_device)",
    r"usb_(?:submit|kill)(?:_anchored)?_urb",
    r"_urb_enqueue$",
    r"^(?:logic_)?(?:in|out)s?[bwl]$",
    r"^(?:__)?(?:raw_)?(?:read|write)[bwlq](?:_relaxed)?$",
    r"^io(?:read|write)(?:8|16|32|64)",
    r"^put_device$",
    # files
    r"^iput$",
    r"^iput_final$",
    r"^ihold$",
    r"dput",
    r"(?:^|_)(?:un|try)?lock_page",
    r"(?:^|_)folio_lock(?:_killable|_or_retry)?$",
    # entry into the fault handlers
    r"do_sea$",
    r"^error_entry",
    r"^el1(?:[ht]_64)?_(?:sync|abort|da|ia|dbg|undef|brk64|pc)",
    r"^do_(?:el1_)?undef",
    r"^do_(?:dat|protection)_exception",
)
"""Generic names that no plain word matches."""

ANCHORS: Final = (
    "do_syscall(?:_|$)|do_fast_syscall_|do_int80|sysenter|system_call|entry_SYSCALL",
    "do_trap_ecall|ret_from_syscall|syscall_common|handle_syscall",
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

USB_MESSAGES: Final = (
    r"usb_submit_urb|usb_start_wait_urb|usb_(?:bulk|interrupt|control|internal_control)_msg"
)
"""Who sends what a USB driver wants sent: `drivers/usb/core/message.c`."""

FINDERS: Final = regex(
    r"print_bad_pte|check_bytes|debug_processing|consistency_checks|bad_page|object_err"
    r"|_bad_irq|note_interrupt|get_page_from_freelist|slab|dump_header|oom_kill|warn_alloc"
    r"|irqentry_|stack_depot|^vfree$"
    r"|^(?:number|format_decode|special_hex_number|ptr_to_id|(?:file_)?dentry_name|bdev_name)$"
    r"|^put_dec"
)
"""Functions that found the trouble or stand between it and its cause, looked for in a name. A title
may name them, so they are not among the generic ones."""

ALLOCATING: Final = (
    "kasan", "save_stack", "stack_trace", "set_track", "slab", "kmem_cache", "kmalloc", "kzalloc",
    "kfree", "kvfree", "kcalloc", "kvmalloc", "__alloc", "alloc_skb", "kfence", "kmemdup",
    "kstrdup", "call_rcu", "poison", "rcu_", "unreferenced",
)  # fmt: skip
"""Parts of names above the owner of an object, where the stack of its allocation or freeing is
printed. RCU is here: who called call_rcu freed the object."""

EXCEPTION_ENTRY: Final = regex(
    r"asm_(?:exc|sysvec)_\w+|el1h?_\w+|handle_exception|ret_from_exception"
)
"""Whole names of the entries from kernel code, right above the frame that was interrupted."""

CRASHING: Final = regex(
    r"(?:asm_)?exc_\w+|panic|__?die\w*|die|oops_\w+|page_fault_oops|\w*crash_kexec\w*|"
    r"handle_page_fault|do_user_addr_fault|__?bad_area\w*|no_context|handle_bug|do_error_trap"
)
"""Whole names from the entry to the crash kernel: in a dump they stand above the fault."""

BELOW_ALL: Final = (
    *("do_syscall", "entry_", "asm_", "ret_from", "kthread", "worker_thread", "process_one_work"),
    *("_raw_", "__x64_sys", "__se_sys", "__do_sys", "ksys_", "do_one_initcall", "secondary_"),
    *("start_secondary", "cpu_startup", "do_idle", "dump_stack", "die", "panic"),
)
"""How names begin that stand below every fault, or report it: no change of a kernel names them for
that fault."""
