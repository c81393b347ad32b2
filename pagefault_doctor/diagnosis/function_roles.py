"""What a function or a module is for: core code that its callers misuse, subsystems, entry points.

A bad pointer handed to `list_del`, `memcpy` or `kfree` faults there, and the fault is the caller's.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report

_PASSING_ON: Final = regex(
    r"^(?:"
    # the reporting machinery
    r"dump_stack|show_stack|dump_backtrace|dump_header|print_|panic|__?warn|warn_|report_bug|"
    r"check_panic|kasan_|__kasan|__asan|__hwasan|kmsan_|__msan|kcsan_|__ubsan|ubsan_|ubsan|"
    r"__fortify|fortify_|__stack_chk|kfence_|__die|die|oops_|refcount_|debug_|__debug|"
    r"nmi_|rcu_dump_|rcu_check_|rcu_sched_clock|watchdog_|abort$|arm64_serror|do_serror|do_sea|"
    r"arch_trigger_|trigger_|lbug_|libcfs_(?:call_trace|debug_)|spl_(?:panic|dumpstack)|"
    r"lockdep|__lock_|lock_acquire|lock_release|mark_|usercopy_|__check_|check_|"
    # entry into the fault handlers
    r"asm_|exc_|do_page_fault|__do_page_fault|page_fault|do_trap|do_error|do_invalid|invalid_op|"
    r"general_protection|async_page|do_user_addr|bad_area|no_context|__bad_area|do_mem_abort|"
    r"do_translation|do_kern|__do_kern|el[01]|do_DataAbort|__dabt|do_kernel_cp|handle_bug|"
    r"do_general|do_double|double_fault|stack_segment|error_entry|"
    # allocation and freeing
    r"kfree|kvfree|vfree|__vfree|kmem_cache|__kmem|kmalloc|__kmalloc|krealloc|kzfree|"
    r"__slab|slab_|___slab|___cache|free_|__free|put_page|__put_page|get_page|alloc_|__alloc|"
    r"kfree_skb|__kfree_skb|skb_|__skb_|consume_skb|dma_pool|mempool|ida_|idr_|devm_k|"
    # memory and strings
    r"mem(?:cpy|cmp|set|chr|move|scan|dup)|__mem|__pi_|rep_|str[a-z]+$|__str|_?copy_|__copy|__arch_copy|"
    r"_raw_copy|copyin|copyout|get_user|put_user|__get_user|__put_user|clear_|csum_|crc|sg_|"
    r"vsnprintf|snprintf|scnprintf|sprintf|string|pointer|number|format_|vprintk|printk|_printk|"
    r"dev_(?:printk|info|warn|err)|kasprintf|kvasprintf|__dynamic|"
    # locks, atomics, counts
    r"_raw_|__raw_|raw_spin|spin_|native_|queued_|pv_|mutex_|__mutex|rt_mutex|down|up|__down|__up|"
    r"rwsem|osq_|percpu_|atomic|__atomic|arch_atomic|kref_|test_|set_bit|__refcount|"
    r"do_raw|read_lock|write_lock|__wake|wake_|try_to_wake|complete|swake|wait_|__wait|prepare_to|"
    r"finish_wait|schedule|__schedule|preempt|_cond|__cond|__might|___might|might_|io_schedule|"
    # lists, trees, tables
    r"list_|__list|hlist|klist|plist|rb_|__rb_|rbt_|xa_|xas_|__xa|radix_|__radix|rht_|rhash|"
    r"llist|bsearch|sort|find_next|_find|bitmap|__bitmap|assoc_|interval_|mas_|mt_|mtree|"
    # work, timers, device model, module and bus helpers
    r"__queue|queue_|insert_work|flush_|__flush|cancel_|__cancel|del_timer|__mod_timer|mod_timer|"
    r"add_timer|timer_delete|detach_|hrtimer|notifier_|__notifier|blocking_notifier|raw_notifier|"
    r"kobject|kset_|device_|put_device|get_device|devres|__devres|driver_|bus_|sysfs_|kernfs|"
    r"module_put|try_module|debugfs_|proc_|iput|dput|"
    r"read[bwlq]$|write[bwlq]$|ioread|iowrite|io(?:un)?map|__x86_indirect|__x86_return|"
    r"retpoline|__phys_addr|virt_to|kthread_stop|kthread_should"
    r")"
)

_DETECTING: Final = regex(
    r"^(?:update_process_times|tick_|sched_tick|scheduler_tick|__hrtimer_run|hrtimer_|"
    r"local_apic_timer|__sysvec_|sysvec_|smp_apic|apic_timer|perf_event_|__perf_event|"
    r"handle_pmi|intel_pmu|amd_pmu|x86_pmu|nmi_handle|default_do_nmi|end_repeat_nmi|"
    r"arch_timer_handler|handle_percpu|gic_handle|timekeeping_|rcu_|machine_kexec|__?crash_kexec|"
    r"panic$|oops_end|watchdog_|do_nmi$|exc_nmi|asm_exc_nmi|nmi_|dump_stack|show_stack)"
)
"""How the names of functions begin between the interrupt that finds a hang and its report."""
_ENTRY_POINTS: Final = regex(
    r"^(?:do_syscall|entry_SYSCALL|ret_from|kthread$|worker_thread|process_one|process_sched|"
    r"do_one_initcall|do_init_module|load_module|__(?:do|se|x64|ia32|arm64)_|sys_|SyS_|ksys_|"
    r"vfs_|new_sync|do_softirq|__do_softirq|handle_softirqs|irq_exit|call_timer_fn|__run_timers|"
    r"run_timer|secondary_start|start_kernel|cpu_startup|do_idle|invoke_syscall|el0|"
    r"smpboot|run_ksoftirqd|system_call|handle_irq|__handle_irq|generic_handle|do_IRQ|"
    r"common_interrupt|x64_sys|cpuidle|arch_cpu_idle|default_idle|rest_init|swapper)"
)


def only_passes_on(function: str | None) -> bool:
    """Whether the function only passes on what its caller gave it."""
    return function is None or _PASSING_ON.match(function) is not None


def is_detector(function: str | None) -> bool:
    """Whether the function is on the way from an interrupt to who finds a hang."""
    return function is not None and _DETECTING.match(function) is not None


def touches_registers(function: str) -> bool:
    """Whether the function reads or writes a register of a device."""
    return TOUCHING_REGISTERS.match(function) is not None


def is_entry_point(function: str | None) -> bool:
    """Whether the function is where a thread, a system call or an interrupt begins."""
    return function is not None and _ENTRY_POINTS.match(function) is not None


def begins_thread(function: str | None) -> bool:
    """Whether the function runs the code of others: a thread, work, a timer, a softirq."""
    return function is not None and _RUNNERS.match(function) is not None


_RUNNERS: Final = regex(
    r"ret_from_|kthread$|worker_thread|process_one_work|process_scheduled_works|call_timer_fn|"
    r"__run_timers|__run_hrtimer|handle_softirqs|__do_softirq|do_softirq|run_ksoftirqd|"
    r"smpboot_thread_fn|rcu_do_batch|rcu_core|irq_exit|do_syscall_64|entry_SYSCALL|tasklet_action"
)
SLEEPING: Final = regex(
    r"(?:__?schedule|schedule|preempt_schedule|__switch_to|context_switch|io_schedule|"
    r"asm_|sysvec_)"
)
"""How the names of scheduler functions begin, above the one that a sleeping task waits in."""
LOCKING: Final = regex(
    r"(?:__)?(?:mutex_lock|ww_mutex_lock|rt_mutex|rtlock|down_|down$|rwsem_|percpu_down|"
    r"percpu_rwsem|rwlock|lock_sock|lock_page|folio_lock|inode_lock|rtnl_lock|device_lock|"
    r"lock_two|lock_rename)"
)
"""How the names of functions begin that wait until another task releases a lock."""
WAITING_FOR_DISK: Final = ("io_schedule", "bit_wait_io", "blk_", "jbd2_")
ALLOCATING: Final = regex(
    r"(?:__)?kmem_cache_alloc\w*|__kmalloc\w*|kmalloc_\w+|_*slab_alloc\w*|get_freepointer\w*|"
    r"__kmem_cache_alloc\w*|get_partial_node\w*|deactivate_slab\w*"
)
"""Whole names of what follows the list of free objects of a slab cache (`mm/slub.c`)."""
FREEING: Final = ("kfree", "kmem_cache_free", "__kmem_cache_free", "__slab_free", "set_freepointer")
TOUCHING_REGISTERS: Final = regex(
    r"_?regmap_|(?:__)?(?:raw_)?(?:read|write)[bwlq](?:_relaxed)?$|io(?:read|write)(?:8|16|32|64)|"
    r"(?:\w+_)?(?:mmio|reg|register|readl|writel)(?:_\w+)?$|"
    r"(?:\w+_)?(?:rd|wr|read|write)_(?:own_|other_)?conf(?:ig)?(?:_\w+)?$|"
    r"(?:\w+_)?conf(?:ig)?_(?:read|write)(?:_\w+)?$|(?:__)?pci_\w*msix?_|msix_\w+"
)
"""Functions that read or write a register of a device (`include/asm-generic/io.h`,
`drivers/base/regmap`, `drivers/pci/access.c` and `msi/`), by how drivers name them as well."""
RUNNING_TIMERS: Final = ("call_timer_fn", "__run_hrtimer", "__hrtimer_run_queues")

_SUBSYSTEMS: Final = regex(
    r"^(?:drm|drm_\w+|ttm|gpu_sched|i2c_algo_bit|cec|"
    r"snd|snd_(?:pcm|timer|seq\w*|rawmidi|hwdep|compress|hda_core|hda_codec|soc_core|ac97_codec)|"
    r"soundcore|ac97_bus|usbcore|usb_common|usb_storage|usbserial|usbnet|mii|libphy|phylink|"
    r"mac80211|cfg80211|rfkill|libarc4|scsi_mod|scsi_common|scsi_transport_\w+|libata|libahci|"
    r"libsas|libfc|libfcoe|libiscsi|nvme_core|nvme_fabrics|mmc_core|cdrom|"
    r"bluetooth|btintel|btrtl|btbcm|videodev|mc|media|v4l2_\w+|videobuf2_\w+|dvb_core|rc_core|"
    r"hid|industrialio|regmap_\w+|ptp|pps_core|mdio|ib_core|rdma_cm|target_core_mod|"
    r"vhost|virtio|virtio_ring|fscache|netfs|sunrpc|lockd|fat|jbd2|mbcache|dm_mod|md_mod|libcrc32c|"
    r"nf_conntrack|nf_nat|nf_tables|x_tables|ip_tables|rpcrdma|thermal|backlight|video)$"
)
"""Modules that exist to serve other modules."""


_ASSERTING: Final = frozenset({"libcfs", "spl"})
"""Modules from outside, too, that print what the assertions of others found."""


_SERVED: Final = dict.fromkeys(("cfg80211", "mac80211"), "drivers/net/wireless")
"""Where in the tree the drivers are that a layer serves."""


def serves(layer: str | None) -> str | None:
    """Return the folder of the drivers that a module of the tree checks and carries for."""
    return _SERVED.get(layer or "")


def is_subsystem(module: str) -> bool:
    """Whether a module of the tree serves many drivers."""
    return _SUBSYSTEMS.match(module) is not None


def calls_into(caller: str, module: str, report: Report) -> bool:
    """Whether a module is a driver, and the module that it called its subsystem.

    True where the driver is from outside the tree and the other is not; else the names decide. The
    list of modules has the newest first, and what a driver needs is loaded before it.
    """
    foreign = report.out_of_tree
    if module in _ASSERTING:
        return caller not in _ASSERTING
    if module in foreign or is_subsystem(caller):
        return False
    names = [linked.name for linked in report.modules]
    if caller in names and module in names and names.index(caller) > names.index(module):
        return False
    return caller in foreign or is_subsystem(module)
