"""BUG and WARN: `kernel/panic.c` (__warn), `lib/bug.c`, `include/asm-generic/bug.h`.

A WARNING has had three forms: `at FILE:LINE f()` before 3.11, `CPU: N PID: N at FILE:LINE f+0x..`
until 2025, `FILE:LINE at f+0x.., CPU#N: comm/pid` since.

Details: `file` and `file_line` of the check; `check` the words of a list, reference count, copy or
object check; `entry`, `expected`, `found` of a list check; `object_type`, `hint` of ODEBUG;
`missing_endbr`, `cfi_caller`, `cfi_target` of control-flow checks; `device` and `driver` of a
transmit queue that timed out; `irq` that nobody cared for, and its `handler`; the slab `cache` that
an object was freed to; `assertion` as printed (libcfs, OpenZFS), `because` and `page_dump` of a
VM_BUG_ON (`mm/debug.c`, dump_page); `said` and `said_next`, a warning's own words
(`klog/details.py`).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import (
    BAD_ACCESS,
    FAULT,
    TRACED,
    Continuation,
    Format,
    Lead,
)
from pagefault_doctor.klog.guilty_function import CALL, RIP, TRACE
from pagefault_doctor.klog.skip_functions import USB_MESSAGES
from pagefault_doctor.model.report import Kind

_AT: Final = r"WARNING: (?:CPU: \d+ PID: \d+ )?(?:at )?"
_OBJECTS: Final = (
    "debug_|free_obj|timer_|(?:add|mod|enqueue|detach|run)_(?:hr)?timer|work_|rcu|percpu_"
    "|vunmap|vfree|vm_area"
)
"""Who keeps its objects in the tables of `lib/debugobjects.c`, and who frees memory with them."""
_COPY: Final = "usercopy|__check"
_WARNED: Final = ((RIP, TRACE), (CALL, TRACE))
"""After the RIP line of the trap; kernels before 4.11 have none."""


PAGE_DUMP: Final = r"^(?P<page_dump>page: ?(?:[0-9a-f]+ )?(?:ref)?count:.*)"
"""With the page's counters, mapping and index."""

DETAILS: Final = (
    r"kernel BUG at (?P<file>\S+?):(?P<file_line>\d+)!",
    _AT + r"(?P<file>[^\s:]+\.\w):(?P<file_line>\d+) ",
    r"(?P<check>list_(?:add|del) (?:corruption|double add)[.:,]? ?.*)",
    r"list_\w+ corruption.*? should be (?:next|prev)? ?\(?(?P<expected>[0-9a-f]{8,16})\)?, but was"
    r" (?P<found>[0-9a-f]{8,16})",
    r"list_del corruption, (?P<entry>[0-9a-f]{8,16})->(?:next|prev) is"
    r" (?P<found>NULL|LIST_POISON[12])",
    r"refcount_t: (?P<check>.+)",
    r"Wrong slab cache\. (?P<cache>[\w-]+) but object is from (?P<other_cache>[\w-]+)",
    r"kmem_cache_free\((?P<cache>[\w-]+), \S+\): object belongs to different cache",
    r"usercopy: (?P<check>Kernel memory .+)",
    r"(?P<check>detected buffer overflow in \w+|\b\w+: detected (?:buffer overflow"
    r"|field-spanning).*)",
    r"ODEBUG: (?P<check>\w+ \w+).*object type: (?P<object_type>\w+)(?: hint: (?P<hint>\S+"
    r"(?: \[[\w-]+\])?))?",
    r"Missing ENDBR: (?P<missing_endbr>\S+(?: \[[\w-]+\])?)",
    r"(?P<driver>[\w-]{2,32}) \S+ (?P<device>\S+): NETDEV WATCHDOG: CPU",
    r"NETDEV WATCHDOG: (?P<device>\S+)(?: \((?P<driver>[\w-]+)\))?",
    r"irq (?P<irq>\d+): nobody cared",
    r"^\[<[0-9a-f]+>\] (?P<handler>\w+(?: \[[\w-]+\])?)(?: threaded .*)?$",
    r"skb_(?P<check>(?:over|under)_panic: .*)",
    r"(?P<assertion>ASSERTION ?\(.*\) failed.*|(?:VERIFY|ASSERT)\w*\(.*\) failed.*)",
    r"page dumped because: (?P<because>.+)",
    PAGE_DUMP,
    r"CFI failure \(target: (?P<cfi_target>[^);]{1,80})\)",
    r"CFI failure at (?P<cfi_caller>\S+(?: \[[\w-]+\])?) \(target: (?P<cfi_target>[^;]{1,80})",
)

_warned = partial(Format, header="WARNING:", kind=Kind.WARNING, ways=_WARNED)
_checked = partial(Format, ways=FAULT)
_bug = partial(_checked, header="kernel BUG")
_complained = partial(Format, notice=True, kind=Kind.WARNING, ways=TRACED, skip="kobject_|sysfs_")
_notice = partial(Format, notice=True, lead=Lead.DROPPED, kind=Kind.WARNING, plain=True)

FORMATS: Final = (
    _complained(
        start=r"kobject.*: tried to (?:init|add) an (?:un)?initialized object",
        title="WARNING: kobject initialized wrongly in {f}",
        source="lib/kobject.c (kobject_init, kobject_add)",
    ),
    _complained(
        start=r"sysfs: cannot create duplicate filename '",
        title="WARNING: duplicate filename in sysfs in {f}",
        source="fs/sysfs/dir.c (sysfs_warn_dup)",
    ),
    _warned(
        pattern=_AT + r"lib/debugobjects\.c",
        title="WARNING: ODEBUG bug in {f}",
        skip=_OBJECTS,
        source="lib/debugobjects.c (debug_print_object)",
    ),
    _warned(
        pattern=_AT + r"(?:/\S+/)?mm/usercopy\.c",
        title="WARNING: bad usercopy in {f}",
        kind=Kind.USERCOPY,
        skip=_COPY,
        source="mm/usercopy.c (usercopy_warn)",
    ),
    _warned(
        pattern=_AT + r"lib/kobject\.c",
        title="WARNING: kobject bug in {f}",
        source="lib/kobject.c",
    ),
    _warned(
        pattern=_AT + r"fs/proc/generic\.c:\d+ (?:at )?_*proc_",
        title="WARNING: proc registration bug in {f}",
        skip="proc_",
        source="fs/proc/generic.c (proc_register, __proc_create)",
    ),
    _warned(
        pattern=_AT + r"lib/refcount\.c",
        title="WARNING: refcount bug in {f}",
        kind=Kind.REFCOUNT,
        source="lib/refcount.c (refcount_warn_saturate)",
    ),
    _warned(
        pattern=_AT + r"kernel/locking/lockdep\.c:\d+ (?:at )?\S*lock_",
        title="WARNING: locking bug in {f}",
        kind=Kind.LOCKDEP,
        skip="lock_sock|release_sock",
        source="kernel/locking/lockdep.c",
    ),
    _warned(
        pattern=_AT + r"[a-zA-Z0-9_/.-]+:\d+ (?:at )?usb_submit_urb",
        title="WARNING in {f}/usb_submit_urb",
        skip=USB_MESSAGES,
        source="drivers/usb/core/urb.c (usb_submit_urb)",
    ),
    _warned(
        pattern=_AT + r"mm/vmalloc\.c:\d+ (?:at )?__vmalloc_node_range",
        title="WARNING: zero-size vmalloc in {f}",
        source="mm/vmalloc.c (__vmalloc_node_range)",
    ),
    _warned(
        pattern=_AT + r"mm/.*\.c:\d+ (?:at )?k?.?malloc",
        title="WARNING: kmalloc bug in {f}",
        source="mm/util.c, mm/slab_common.c",
    ),
    _warned(
        pattern=_AT + r"[a-zA-Z0-9_/.-]+:\d+ (?:at )?[a-zA-Z0-9_]+",
        title="WARNING in {f}",
        vague=True,
        source="kernel/panic.c (__warn)",
    ),
    _warned(
        pattern=r"WARNING: at [a-zA-Z0-9_/.-]+:\d+ *(?:\n|$)",
        title="WARNING in {f}",
        source="kernel/panic.c (__warn), of an address without a symbol",
    ),
    _warned(
        pattern=r"WARNING: (?:CPU: \d+ PID: \d+ )?at ([a-zA-Z0-9_]+)[+.]",
        title="WARNING in {f}",
        source="kernel/panic.c (__warn), without CONFIG_DEBUG_BUGVERBOSE",
    ),
    Format(
        header="WARNING:",
        pattern=r"WARNING: kernel stack (?:regs .* has bad '.*' value"
        r"|frame pointer .* has bad value)",
        title="WARNING: kernel stack regs has bad value",
        kind=Kind.WARNING,
        plain=True,
        source="arch/x86/kernel/unwind_frame.c (unwind_next_frame)",
    ),
    _bug(
        pattern=r"kernel BUG at (?:/\S+/)?mm/usercopy\.c",
        title="BUG: bad usercopy in {f}",
        kind=Kind.USERCOPY,
        skip=_COPY,
        source="mm/usercopy.c (usercopy_abort)",
    ),
    _bug(
        pattern=r"kernel BUG at (?:/\S+/)?lib/list_debug\.c",
        title="BUG: corrupted list in {f}",
        kind=Kind.LIST_CORRUPTION,
        alts=(BAD_ACCESS,),
        source="lib/list_debug.c, with CONFIG_BUG_ON_DATA_CORRUPTION",
    ),
    _bug(
        pattern=r"kernel BUG at (.*)",
        title="kernel BUG in {f}",
        kind=Kind.KERNEL_BUG,
        skip="^skb_",
        source="lib/bug.c (report_bug)",
    ),
    Format(
        header="Kernel BUG [#",
        follows=True,
        pattern=r"Kernel BUG (\[#.*)",
        title="kernel BUG {1}",
        kind=Kind.KERNEL_BUG,
        source="arch/riscv/kernel/traps.c (handle_break)",
    ),
    Format(
        header="Kernel BUG",
        pattern=r"Kernel BUG (.*)",
        title="kernel BUG {1}",
        kind=Kind.KERNEL_BUG,
        source="lib/bug.c (report_bug), without CONFIG_DEBUG_BUGVERBOSE",
    ),
    Format(
        header="BUG:",
        pattern=r"BUG: corrupted list in",
        title="BUG: corrupted list in {f}",
        kind=Kind.LIST_CORRUPTION,
        ways=TRACED,
        source="lib/list_debug.c, as fuzzers repeat it",
    ),
    _checked(
        start=r"list_(?:add|del) (?:corruption[.,]|double add:)",
        needles=("list_add ", "list_del "),
        lead=Lead.KEPT,
        follows=True,
        pattern=r"list_(?:add|del) (?:corruption|double add)",
        title="BUG: corrupted list in {f}",
        kind=Kind.LIST_CORRUPTION,
        alts=(BAD_ACCESS,),
        source="lib/list_debug.c, without CONFIG_BUG_ON_DATA_CORRUPTION",
    ),
    _checked(
        start=r"refcount_t: (?:underflow|addition on 0|increment on 0|saturated|decrement)",
        lead=Lead.KEPT,
        follows=True,
        pattern=r"refcount_t: ",
        title="WARNING: refcount bug in {f}",
        kind=Kind.REFCOUNT,
        source="lib/refcount.c (refcount_warn_saturate); its headline is not in the log",
    ),
    _checked(
        start=r"[Kk]ernel memory (?:exposure|overwrite|leak) attempt detected",
        needles=("ernel memory ",),
        lead=Lead.DROPPED,
        title="BUG: bad usercopy in {f}",
        kind=Kind.USERCOPY,
        skip=_COPY,
        source="mm/usercopy.c (usercopy_abort)",
    ),
    _checked(
        start=r"detected buffer overflow in \w+|\b\w+: detected (?:buffer overflow|field-span)",
        lead=Lead.KEPT,
        pattern=r"detected buffer overflow|detected field-spanning",
        title="WARNING: buffer overflow in {f}",
        kind=Kind.WARNING,
        source="lib/string_helpers.c (__fortify_report), include/linux/fortify-string.h",
    ),
    Format(
        start=r"^ODEBUG: \w+ .*object type: ",
        needles=("BUG",),
        lead=Lead.DROPPED,
        pattern=r"ODEBUG: \w+ ",
        title="WARNING: ODEBUG bug in {f}",
        kind=Kind.WARNING,
        ways=((CALL, TRACE), (r"hint: (?P<f>[A-Za-z0-9_]+)[+.]",)),
        skip=_OBJECTS,
        source="lib/debugobjects.c (debug_print_object); its headline is not in the log",
    ),
    _checked(
        start=r"skb_(?:over|under)_panic: text:",
        lead=Lead.KEPT,
        title="kernel BUG in {f}",
        kind=Kind.KERNEL_BUG,
        skip="^skb_",
        source="net/core/skbuff.c (skb_panic)",
    ),
    _notice(
        start=r"NETDEV WATCHDOG: ",
        title="NETDEV WATCHDOG: transmit queue timed out",
        source="net/sched/sch_generic.c (dev_watchdog)",
    ),
    _notice(
        start=r"^irq \d+: nobody cared",
        title="irq: nobody cared",
        source="kernel/irq/spurious.c (__report_bad_irq)",
    ),
    Continuation(
        lead=r"^page: ?(?:[0-9a-f]+ )?(?:ref)?count:|^page dumped because: ",
        source="mm/debug.c (dump_page), before a VM_BUG_ON_PAGE or VM_BUG_ON_FOLIO",
    ),
    Continuation(lead=r"cut here", source="kernel/panic.c (__warn_printk), lib/bug.c (report_bug)"),
    Continuation(lead=r"Missing ENDBR: ", source="arch/x86/kernel/cet.c (do_kernel_cp_fault)"),
    Continuation(lead=r"usercopy: ", source="mm/usercopy.c (usercopy_abort)"),
    Continuation(lead=r"ODEBUG: ", source="lib/debugobjects.c (debug_print_object)"),
)
