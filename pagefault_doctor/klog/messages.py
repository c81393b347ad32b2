"""Messages of the kernel that a report of any kind may hold: each is one of the report's details.

A report often holds more than its own kind prints: what led to it stands before its headline, a
panic after it. So these are looked for in every report, and what only one kind prints is in
`klog/formats/`.

The value of a detail in `_MESSAGES` is the line that holds the message. Those in `_VALUES` are
`out_of_bounds`, such a line; `link_expected` and `link_found`, what the link of a list should be
and is, in hex without `0x` (`lib/list_debug.c`); `usercopy_cache`, the slab cache of an object that
a copy is refused of, and `usercopy_pages` where it is of pages that are no slab's
(`mm/usercopy.c`, usercopy_abort; before 4.16 report_usercopy); `field_size`, in bytes, of a field
that a copy was too long for (`include/linux/fortify-string.h`); `hung_task`, the name of a task
(`kernel/hung_task.c`, check_hung_task); `slab_unreclaimable` and `ram_pages`, in pages
(`mm/show_mem.c`, show_free_areas and __show_mem).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.pattern import regex

_MESSAGES: Final = (
    # mm/kasan/report.c, report_generic.c and report_tags.c; mm/kfence/report.c;
    # mm/kmsan/report.c; kernel/kcsan/report.c
    ("kasan_double_free", "KASAN: double-free"),
    ("kasan_invalid_free", "KASAN: invalid-free"),
    ("kasan_tag_mismatch", "KASAN: invalid-access"),
    ("null_ptr_deref", "KASAN: null-ptr-deref", "UBSAN: null-ptr-deref"),
    ("user_memory_access", "user-memory-access"),
    ("wild_memory_access", "wild-memory-access"),
    ("use_after_free", "use-after-free in"),
    ("use_after_return", "stack-use-after"),
    ("kfence_use_after_free_read", "use-after-free read in"),
    ("kfence_use_after_free_write", "use-after-free write in"),
    ("kfence_out_of_bounds_read", "out-of-bounds read in"),
    ("kfence_out_of_bounds_write", "out-of-bounds write in"),
    ("kfence_memory_corruption", "KFENCE: memory corruption"),
    ("kfence_invalid_free", "KFENCE: invalid free"),
    ("kfence_invalid_read", "KFENCE: invalid read"),
    ("kfence_invalid_write", "KFENCE: invalid write"),
    ("kmsan_uninit_value", "KMSAN: uninit-value"),
    ("kmsan_infoleak", "infoleak"),
    ("kcsan_race", "BUG: KCSAN"),
    # arch/x86/kernel/dumpstack.c (__die_header)
    ("kasan_kernel", "SMP KASAN", "PREEMPT KASAN", "] KASAN"),
    # lib/ubsan.c
    ("array_index_out_of_bounds", "array-index-out-of-bounds", "is out of range for type"),
    ("flexible_array", "[1]'", "[0]'", "[*]'"),
    ("shift_out_of_bounds", "UBSAN: shift-out-of-bounds", "shift exponent"),
    ("integer_overflow", "UBSAN: signed-integer", "integer overflow"),
    ("division_by_zero", "UBSAN: division", "ivision by zero"),
    ("ubsan_invalid_load", "UBSAN: invalid-load"),
    ("ubsan_misaligned", "UBSAN: misaligned"),
    # kernel/time/sleep_timeout.c (schedule_timeout)
    ("wrong_timeout", "wrong timeout value"),
    # mm/slub.c, mm/slab.c and mm/slab_common.c; the BUG_ON of mm/slab.h
    ("object_already_free", "Object already free"),
    ("invalid_object_pointer", "Invalid object pointer", "outside of slab"),
    ("more_freed_than_allocated", "are to be freed"),
    ("slab_double_free", "double free detected"),
    ("wrong_slab_cache", "Wrong slab cache", "object belongs to different cache"),
    ("not_a_slab_page", "Object is not a Slab page"),
    ("slab_bug", "kernel BUG at mm/slub.c", "kernel BUG at mm/slab.c", "kernel BUG at mm/slab.h"),
    ("poison_overwritten", "Poison overwritten", "Slab corruption"),
    ("redzone_overwritten", "edzone overwritten", "memory outside object was overwritten"),
    ("padding_overwritten", "padding overwritten"),
    ("objects_remaining", "Objects remaining "),
    ("cache_still_has_objects", "Slab cache still has objects"),
    # mm/vmalloc.c (__vunmap), lib/idr.c (ida_free), fs/buffer.c (__brelse), fs/open.c (filp_close),
    # fs/super.c (generic_shutdown_super)
    ("vfree_bad_address", "Trying to vfree() "),
    ("ida_free_unallocated", "ida_free called for id="),
    ("brelse_free_buffer", "Trying to free free buffer"),
    ("file_count_zero", "file count is 0"),
    ("busy_inodes", "Busy inodes after unmount"),
    # lib/refcount.c, lib/percpu-refcount.c, include/linux/mm.h, lib/debugobjects.c
    ("refcount_freed", "; use-after-free."),
    ("refcount_leak", "leaking memory"),
    ("percpu_ref_underflow", "after switching to atomic"),
    ("page_ref_count_zero", "ref_count(page) == 0", "ref_count(folio) == 0"),
    ("odebug_free_active", "ODEBUG: free active"),
    ("odebug_assert_init", "ODEBUG: assert_init"),
    ("odebug_activate", "ODEBUG: activate"),
    ("odebug_init_active", "ODEBUG: init active"),
    # lib/list_debug.c, and lib/bug.c (report_bug)
    ("list_corruption", "list_del corruption", "list_add corruption", "list_add double add"),
    ("list_inconsistent", "list corruption"),
    ("list_debug", "lib/list_debug.c"),
    ("kernel_bug", "kernel BUG at"),
    # mm/usercopy.c (usercopy_abort), lib/string_helpers.c (__fortify_report),
    # mm/maccess.c (__copy_overflow), net/core/skbuff.c (skb_panic),
    # kernel/panic.c (__stack_chk_fail)
    ("usercopy_exposure", "kernel memory exposure attempt", "Kernel memory exposure attempt",
     "kernel memory leak attempt"),
    ("usercopy_overwrite", "kernel memory overwrite attempt", "Kernel memory overwrite attempt"),
    ("usercopy_whitelist", "missing usercopy whitelist"),
    ("fortify_overflow", "etected buffer overflow", "buffer overflow detected"),
    ("copy_overflow", "Buffer overflow detected ("),
    ("field_spanning_write", "field-spanning write"),
    ("skb_over_panic", "skb_over_panic"),
    ("skb_under_panic", "skb_under_panic"),
    ("stack_protector", "stack is corrupted in"),
    # Where the assertions stand that check memory, and what they print
    ("memory_assertion", "lib/list_debug.c", "mm/slub.c", "mm/slab", "mm/usercopy.c",
     "kernel/cet.c", "lib/string", "buffer overflow", "skb_over_panic", "skb_under_panic",
     "ref_count(page) == 0", "ref_count(folio) == 0"),
    # arch/x86/mm/fault.c and arch/x86/kernel (traps.c, dumpstack_64.c, irq_64.c);
    # arch/arm64/mm/fault.c and mm/physaddr.c; arch/powerpc/mm/fault.c;
    # arch/riscv/mm/fault.c; kernel/sched/core.c (schedule_debug)
    ("access_outside_uaccess", "access to user memory outside uaccess",
     "user space memory outside uaccess"),
    ("access_without_uaccess", "access to user memory without uaccess",
     "Kernel attempted to read user page", "Kernel attempted to write user page"),
    ("read_only_write", "write to read-only memory"),
    ("nx_page", "NX-protected page", "execute from non-executable"),
    ("userspace_execute", "execute userspace code"),
    ("non_canonical_address", "for non-canonical"),
    ("maybe_for_address", "maybe for address"),
    ("xen_pv", "RIP: e030:", "EIP: e019:"),
    ("divide_error", "divide error", "divide_error"),
    ("invalid_opcode", "invalid opcode", "Undefined instr", "undefined instr",
     "Reserved instruction in kernel code", "Exception in kernel mode, sig: 4"),
    ("int3", "int3"),
    ("stack_segment", "stack segment"),
    ("unreadable_code", "Bad RIP value", "Unable to access opcode bytes", "Code: (Bad",
     "(Bad address)"),
    ("return_thunk", "Unpatched return thunk", ":__warn_thunk+0x"),
    ("indirect_branch_check", "Missing ENDBR", "CFI failure"),
    ("non_linear_address", "used for non-linear address"),
    ("stack_guard_page", "stack guard page"),
    ("stack_overrun", "Thread overran stack"),
    ("stack_end_corrupted", "corrupted stack end detected"),
    ("stack_overflow", "kernel stack overflow", "Kernel stack overflow"),
    ("irq_stack_overflow", "has overflown the kernel stack"),
    ("insufficient_stack", "Insufficient stack space"),
    # mm/memory.c (print_bad_pte), mm/pgtable-generic.c, kernel/fork.c (check_mm),
    # mm/filemap.c (filemap_unaccount_folio), mm/page_alloc.c (bad_page)
    ("bad_page_map", "Bad page map"),
    ("corrupted_page_table", "orrupted page table", "Bad pagetable"),
    ("rss_counter", "Bad rss-counter"),
    ("page_tables_left", "non-zero pgtables_bytes", "non-zero nr_p"),
    ("bad_page_table_entry", "bad pmd", "bad pud"),
    ("bad_page_cache", "Bad page cache"),
    ("bad_page_state", "Bad page state"),
    ("page_flags_at_free", "CHECK_AT_FREE flag(s) set"),
    ("page_refcount_at_free", "nonzero _refcount"),
    ("page_mapcount_at_free", "nonzero mapcount"),
    # mm/oom_kill.c, mm/page_alloc.c (warn_alloc), mm/util.c (__kvmalloc_node)
    ("out_of_memory", "Out of memory", "deadlocked on memory", "out of memory"),
    ("page_allocation_failure", "page allocation failure", "page allocation stall",
     "vmalloc error: size", "allocation failure: page order", "vmap allocation for size",
     "vmalloc: allocation failure", "cma_alloc: "),
    ("allocator_warning", "mm/page_alloc.c:", "mm/util.c:", "kmalloc_slab+"),
    # kernel/locking/lockdep.c, mutex.c and spinlock_debug.c; kernel/rcu/tree_plugin.h
    ("circular_locking", "ossible circular locking"),
    ("recursive_locking", "ossible recursive locking"),
    ("irq_unsafe_lock", "irq lock inversion", "unsafe lock order", "inconsistent lock state"),
    ("unlock_balance", "bad unlock balance"),
    ("locks_held", "still has locks held", "lock held when returning"),
    ("held_lock_freed", "held lock freed"),
    ("invalid_wait_context", "Invalid wait context"),
    ("non_static_key", "non-static key"),
    ("lock_magic", "lock->magic != lock"),
    ("spinlock_bug", "BUG: spinlock"),
    ("rwlock_bug", "BUG: rwlock"),
    ("suspicious_rcu_usage", "suspicious RCU usage"),
    ("rcu_context_switch", "Voluntary context switch within RCU"),
    # kernel/sched/core.c, kernel/workqueue.c, kernel/watchdog.c, kernel/hung_task.c,
    # kernel/rcu/tree_stall.h, net/core/dev.c (netdev_wait_allrefs_any)
    ("scheduling_while_atomic", "scheduling while atomic"),
    ("blocking_ops", "do not call blocking ops when"),
    ("workqueue_lockup", "workqueue lockup"),
    ("waiting_for", ": waiting for", "still waiting for"),
    ("soft_lockup_panic", "softlockup: hung"),
    ("hard_lockup_panic", "Hard LOCKUP", "detected hard LOCKUP"),
    ("hung_task_panic", "hung_task: blocked"),
    ("rcu_stall_panic", "RCU Stall"),
    # arch/x86/kernel/cpu/mce, drivers/edac, drivers/firmware/efi/cper.c, mm/slub.c, HW_ERR and
    # FW_BUG of include/linux/printk.h, arch/arm64/kernel/traps.c, arch/arm/mm/fsr-2level.c,
    # arch/mips/kernel/traps.c (do_be)
    ("machine_check", "Machine check"),
    ("machine_check_bank", "Machine Check"),
    ("hardware_error_log", "[Hardware Error]"),
    ("single_bit_error", "single bit error", "single-bit error"),
    ("firmware_bug", "BIOS is broken", "[Firmware Bug]"),
    ("external_abort", "SError Interrupt", "synchronous external abort", "external abort on",
     "imprecise external abort", "Data bus error", "Instruction bus error",
     "type [precise nonresumable]"),
    # drivers/tty/sysrq.c, kernel/exit.c (do_exit), kernel/irq/manage.c (__free_irq)
    ("sysrq_crash", "sysrq triggered crash", "sysrq: Trigger a crash", "SysRq : Trigger a crash"),
    ("init_killed", "Attempted to kill init"),
    ("already_free_irq", "already-free IRQ"),
    # init/do_mounts.c (mount_root_generic), init/main.c (kernel_init)
    ("no_root", "Unable to mount root fs", "Cannot open root device", "Gave up waiting for root",
     "Please append a correct \"root=\"", "dracut: Refusing to continue",
     "dracut-initqueue timeout", "does not exist.  Dropping to a shell"),
    ("no_init", "No working init found", "No init found.", "Requested init "),
)  # fmt: skip
"""The name of a detail, and words of which its line holds one."""
_SIGNS: Final = ("memory", "page", "lock", "free", "over", "list", "count", "stack", "SAN: ", "")
"""What many of the words hold: where it is absent, one search stands for all of theirs."""


def _by_sign() -> dict[str, tuple[tuple[str, str], ...]]:
    """Return each word and its detail, under the first sign that the word holds."""
    rows: dict[str, list[tuple[str, str]]] = {sign: [] for sign in _SIGNS}
    for name, *words in _MESSAGES:
        for word in words:
            rows[next(filter(word.__contains__, _SIGNS))].append((word, name))
    return {sign: tuple(found) for sign, found in rows.items()}


_BY_SIGN: Final = _by_sign()
_VALUES: Final = tuple(
    (word, regex(expression))
    for word, expression in (
        # Of UBSAN's reports with such a name, one is about an index, the other about arithmetic.
        ("out-of-bounds in", r"(?P<out_of_bounds>.*(?<!shift-)(?<!index-)out-of-bounds in.*)"),
        (
            "should be ",
            r"should be (?:prev |next )?\(?(?P<link_expected>[0-9a-f]{8,16})\)?, "
            r"but was \(?(?P<link_found>[0-9a-f]{8,16})",
        ),
        ("field-spanning", r"field-spanning write .*\(size (?P<field_size>\d{1,9})\)"),
        ("B object '", r"usercopy: .* SL[AU]B object '(?P<usercopy_cache>[^']{1,64})'"),
        (
            "attempt detected",
            r"attempt detected (?:from|to) [0-9a-f]{8,16} \((?P<usercopy_cache>[\w.-]{1,64})\)",
        ),
        (
            "attempt detected",
            r"attempt detected (?:from|to)? ?(?P<usercopy_pages>spans multiple pages)",
        ),
        (" blocked", r"task (?P<hung_task>\S+):\d+ (?:<[^>]*> )?blocked"),
        # The first is of all memory, those of the nodes have a unit.
        ("slab_unreclaimable:", r"slab_unreclaimable:(?P<slab_unreclaimable>\d{1,12})(?!\d|kB)"),
        (" pages RAM", r"(?P<ram_pages>\d{1,12}) pages RAM"),
    )
)
_FRAME: Final = regex(r"\s*+(?:\[<[0-9a-f]++>\]\s*+)?+(?:\? )?+[\w.$]++\+0x[0-9a-f]++/0x", re.ASCII)


def messages_of(body: ReportText, last: int) -> tuple[dict[str, str], dict[str, int]]:
    """Return the details that the lines hold up to line `last`, and the line of each."""
    found: dict[str, str] = {}
    cited: dict[str, int] = {}
    text = body.text
    rows = [row for sign, rows in _BY_SIGN.items() if sign in text for row in rows]
    for word, name in [row for row in rows if row[0] in text]:
        line = next(_holding(body, word, last), None)
        if line and line.number < cited.get(name, last + 1):
            found[name], cited[name] = line.text.strip(), line.number
    for word, pattern in _VALUES:
        for line in _holding(body, word, last) if word in text else ():
            if match := pattern.search(line.text):
                for name, value in match.groupdict().items():
                    if value is None:
                        continue
                    found[name], cited[name] = value.strip(), line.number
                break
    return found, cited


def _holding(body: ReportText, word: str, last: int) -> Iterator[LogLine]:
    """Yield the lines that hold a word, but no frames: a function's name is no message."""
    for line in body.holding(word):
        if line.number <= last and not ("+0x" in line.text and _FRAME.match(line.text)):
            yield line
