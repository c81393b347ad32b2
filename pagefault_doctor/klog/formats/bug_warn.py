"""BUG and WARN: `kernel/panic.c` (__warn), `lib/bug.c`, `include/asm-generic/bug.h`.

A WARNING has had three forms: `at FILE:LINE f()` before 3.11, `CPU: N PID: N at FILE:LINE f+0x..`
until 2025, `FILE:LINE at f+0x.., CPU#N: comm/pid` since.

Details: `file` and `file_line` of the check; `check` the words of a list, reference count, copy or
object check; `entry`, `expected`, `found` of a list check; `object_type`, `hint` of ODEBUG;
`missing_endbr`, `cfi_caller`, `cfi_target` of control-flow checks; `device` and `driver` of a
transmit queue that timed out; `irq` that nobody cared for, and its `handler`.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, FAULT, OWN, TRACED, Format
from pagefault_doctor.klog.guilty_function import CALL, RIP, TRACE
from pagefault_doctor.model.report import Kind

_AT: Final = r"WARNING: (?:CPU: \d+ PID: \d+ )?(?:at )?"
_OBJECTS: Final = "debug_|work_fixup|timer|free_obj|percpu_counter"
_WARNED: Final = ((RIP, TRACE), (CALL, TRACE))
"""After the RIP line of the trap; kernels before 4.11 have none."""


def _warning(where: str, title: str, kind: Kind, skip: str = "", source: str = "") -> Format:
    return Format(
        header="WARNING:",
        says=_AT + where,
        title=title,
        kind=kind,
        ways=_WARNED,
        skip=skip,
        source=source,
    )


FORMS: Final = (
    _warning(
        r"lib/debugobjects\.c",
        "WARNING: ODEBUG bug in {f}",
        Kind.WARNING,
        skip=_OBJECTS,
        source="debug_print_object",
    ),
    _warning(r"mm/usercopy\.c", "WARNING: bad usercopy in {f}", Kind.USERCOPY, "usercopy|__check"),
    _warning(r"lib/kobject\.c", "WARNING: kobject bug in {f}", Kind.WARNING, "kobject_"),
    _warning(r"fs/proc/generic\.c", "WARNING: proc registration bug in {f}", Kind.WARNING, "proc_"),
    _warning(
        r"lib/refcount\.c", "WARNING: refcount bug in {f}", Kind.REFCOUNT, "refcount|kobject_"
    ),
    _warning(
        r"kernel/locking/lockdep\.c:\d+ (?:at )?\S*lock_",
        "WARNING: locking bug in {f}",
        Kind.LOCKDEP,
        "lock_sock|release_sock",
    ),
    _warning(
        r"[a-zA-Z0-9_/.-]+:\d+ (?:at )?usb_submit_urb",
        "WARNING in {f}/usb_submit_urb",
        Kind.WARNING,
        "usb_submit_urb|usb_start_wait_urb|usb_bulk_msg|usb_interrupt_msg|usb_control_msg",
    ),
    _warning(
        r"mm/vmalloc\.c:\d+ (?:at )?__vmalloc_node_range",
        "WARNING: zero-size vmalloc in {f}",
        Kind.WARNING,
        source="__vmalloc_node_range",
    ),
    _warning(
        r"mm/.*\.c:\d+ (?:at )?k?.?malloc",
        "WARNING: kmalloc bug in {f}",
        Kind.WARNING,
        "kmalloc|kcalloc|kzalloc|krealloc|kvmalloc|vmalloc|__alloc_pages|mem_alloc",
    ),
    _warning(
        r"[a-zA-Z0-9_/.-]+:\d+ (?:at )?[a-zA-Z0-9_]+",
        "WARNING in {f}",
        Kind.WARNING,
        source="__warn",
    ),
    Format(
        header="WARNING:",
        says=r"WARNING: at [a-zA-Z0-9_/.-]+:\d+ *(?:\n|$)",
        title="WARNING in {f}",
        kind=Kind.WARNING,
        ways=_WARNED,
        source="__warn of an address without a symbol",
    ),
    Format(
        header="WARNING:",
        says=r"WARNING: (?:CPU: \d+ PID: \d+ )?at ([a-zA-Z0-9_]+)[+.]",
        title="WARNING in {f}",
        kind=Kind.WARNING,
        ways=_WARNED,
        source="__warn without CONFIG_DEBUG_BUGVERBOSE",
    ),
    Format(
        header="WARNING:",
        says=r"WARNING: kernel stack regs .* has bad '.*' value",
        title="WARNING: kernel stack regs has bad value",
        kind=Kind.WARNING,
        plain=True,
        source="arch/x86/kernel/unwind_frame.c",
    ),
    Format(
        header="WARNING:",
        says=r"WARNING: kernel stack frame pointer .* has bad value",
        title="WARNING: kernel stack regs has bad value",
        kind=Kind.WARNING,
        plain=True,
        source="arch/x86/kernel/unwind_frame.c",
    ),
    Format(
        header="kernel BUG",
        says=r"kernel BUG at mm/usercopy\.c",
        title="BUG: bad usercopy in {f}",
        kind=Kind.USERCOPY,
        ways=FAULT,
        skip="usercopy|__check_object_size|check_",
        source="usercopy_abort",
    ),
    Format(
        header="kernel BUG",
        says=r"kernel BUG at lib/list_debug\.c",
        title="BUG: corrupted list in {f}",
        kind=Kind.LIST_CORRUPTION,
        ways=FAULT,
        alts=(BAD_ACCESS,),
        source="CHECK_DATA_CORRUPTION",
    ),
    Format(
        header="kernel BUG",
        says=r"kernel BUG at (.*)",
        title="kernel BUG in {f}",
        kind=Kind.KERNEL_BUG,
        ways=FAULT,
        skip="^skb_",
        source="lib/bug.c (report_bug)",
    ),
    Format(
        header="Kernel BUG",
        says=r"Kernel BUG (.*)",
        title="kernel BUG {1}",
        kind=Kind.KERNEL_BUG,
        source="arch/riscv, arch/s390",
    ),
    Format(
        header="BUG:",
        says=r"BUG: corrupted list in",
        title="BUG: corrupted list in {f}",
        kind=Kind.LIST_CORRUPTION,
        ways=TRACED,
    ),
    Format(
        header=OWN,
        says=r"Kernel memory (?:exposure|overwrite) attempt detected",
        title="BUG: bad usercopy in {f}",
        kind=Kind.USERCOPY,
        ways=FAULT,
        skip="usercopy|__check_object_size|check_",
        source="usercopy_abort",
    ),
    Format(
        header=OWN,
        says=r"detected buffer overflow|detected field-spanning",
        title="WARNING: buffer overflow in {f}",
        kind=Kind.WARNING,
        ways=FAULT,
        source="__fortify_report",
    ),
    Format(
        header=OWN,
        says=r"ODEBUG: \w+ ",
        title="WARNING: ODEBUG bug in {f}",
        kind=Kind.WARNING,
        ways=((CALL, TRACE), (r"hint: (?P<f>[A-Za-z0-9_]+)[+.]",)),
        skip=_OBJECTS,
        source="debug_print_object; its headline is not in the log",
    ),
    Format(
        header=OWN,
        says=r"skb_(?:over|under)_panic: text:",
        title="kernel BUG in {f}",
        kind=Kind.KERNEL_BUG,
        ways=FAULT,
        skip="^skb_",
        source="net/core/skbuff.c (skb_panic)",
    ),
    Format(
        header=OWN,
        says=r"NETDEV WATCHDOG: ",
        title="NETDEV WATCHDOG: transmit queue timed out",
        kind=Kind.WARNING,
        plain=True,
        source="net/sched/sch_generic.c (dev_watchdog)",
    ),
    Format(
        header=OWN,
        says=r"irq \d+: nobody cared",
        title="irq: nobody cared",
        kind=Kind.WARNING,
        plain=True,
        source="kernel/irq/spurious.c (__report_bad_irq)",
    ),
)

DETAILS: Final = (
    r"kernel BUG at (?P<file>\S+?):(?P<file_line>\d+)!",
    r"WARNING: (?:CPU: \d+ PID: \d+ )?(?:at )?(?P<file>[^\s:]+\.\w):(?P<file_line>\d+) ",
    r"(?P<check>list_(?:add|del) (?:corruption|double add)[.:,]? ?.*)",
    r"list_\w+ corruption.*? should be (?:next|prev)? ?\(?(?P<expected>[0-9a-f]{8,16})\)?, but was"
    r" (?P<found>[0-9a-f]{8,16})",
    r"list_del corruption, (?P<entry>[0-9a-f]{8,16})->(?:next|prev) is"
    r" (?P<found>NULL|LIST_POISON[12])",
    r"refcount_t: (?P<check>.+)",
    r"usercopy: (?P<check>Kernel memory .+)",
    r"(?P<check>detected buffer overflow in \w+|\w+: detected (?:buffer overflow"
    r"|field-spanning).*)",
    r"ODEBUG: (?P<check>\w+ \w+).*object type: (?P<object_type>\w+)(?: hint: (?P<hint>\S+"
    r"(?: \[[\w-]+\])?))?",
    r"Missing ENDBR: (?P<missing_endbr>\S+(?: \[[\w-]+\])?)",
    r"NETDEV WATCHDOG: (?P<device>\S+)(?: \((?P<driver>[\w-]+)\))?",
    r"irq (?P<irq>\d+): nobody cared",
    r"^\[<[0-9a-f]+>\] (?P<handler>\w+(?: \[[\w-]+\])?)(?: threaded .*)?$",
    r"skb_(?P<check>(?:over|under)_panic: .*)",
    r"CFI failure at (?P<cfi_caller>\S+(?: \[[\w-]+\])?) \(target: (?P<cfi_target>[^;]{1,80})",
)
