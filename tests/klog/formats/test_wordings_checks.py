"""Sanitizers, warnings and other checks as every age of the kernel words them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel_messages import (
    ARM,
    ARM64,
    PLACE,
    PPC,
    READ,
    RISCV,
    RULE,
    S390,
    TRACE,
    WRITE,
    X86,
    X86_OLD,
    Row,
    assert_told,
    headline,
    stamped,
)
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]

_MEM = "MEMORY_SAFETY_BUG"


def _kasan(kind: str, access: str) -> Row:
    word = access.split()[0]
    known = {
        "use-after-free": f"KASAN-USE-AFTER-FREE-{word.upper()}",
        "slab-use-after-free": f"KASAN-USE-AFTER-FREE-{word.upper()}",
        "null-ptr-deref": f"KASAN-NULL-POINTER-DEREFERENCE-{word.upper()}",
    }
    return (
        f"BUG: KASAN: {kind} in {PLACE}\n" + (READ if word == "Read" else WRITE),
        f"KASAN: {kind} {word} in {{f}}",
        known.get(kind, f"KASAN-{word.upper()}"),
        Kind.SANITIZER,
    )


SANITIZERS: tuple[Row, ...] = (
    *(
        _kasan(kind, access)
        for kind in (
            "use-after-free", "slab-use-after-free", "out-of-bounds", "slab-out-of-bounds",
            "global-out-of-bounds", "stack-out-of-bounds", "alloca-out-of-bounds",
            "vmalloc-out-of-bounds", "null-ptr-deref", "user-memory-access",
            "wild-memory-access", "use-after-scope", "unknown-crash", "invalid-access",
        )
        for access in ("Read of size", "Write of size")
    ),
    # mm/kasan/report.c (kasan_report_invalid_free) of every era
    ("BUG: KASAN: double-free or invalid-free in " + PLACE + "\n\n" + TRACE,
     "KASAN: invalid-free in {f}", "KASAN-INVALID-FREE", Kind.SANITIZER),
    ("BUG: KASAN: double-free in " + PLACE + "\nFree of addr ffff88800a1b2c40 by task demo/812\n\n"
     + TRACE, "KASAN: invalid-free in {f}", "KASAN-INVALID-FREE", Kind.SANITIZER),
    ("BUG: KASAN: invalid-free in " + PLACE + "\nFree of addr ffff88800a1b2c40 by task demo/812\n\n"
     + TRACE, "KASAN: invalid-free in {f}", "KASAN-INVALID-FREE", Kind.SANITIZER),
    # before 4.10: "in f at addr", and the older "on address"
    ("BUG: KASAN: use-after-free in pfd_f+0x12/0x40 [pfd] at addr ffff88003d3a2000\n"
     "Read of size 4 by task demo/812\n" + TRACE, "KASAN: use-after-free Read in {f}",
     "KASAN-USE-AFTER-FREE-READ", Kind.SANITIZER),
    ("BUG: KASAN: user-memory-access on address 00000000000000a0\n"
     "Write of size 8 by task demo/812\n" + TRACE, "KASAN: user-memory-access Write",
     "KASAN-WRITE", Kind.SANITIZER),
    # tag-based modes
    ("BUG: KASAN: slab-use-after-free in " + PLACE + "\nRead at addr f0ff00000a1b2c40 by task"
     " demo/812\nPointer tag: [f0], memory tag: [fe]\n\n" + TRACE,
     "KASAN: slab-use-after-free Read in {f}", "KASAN-USE-AFTER-FREE-READ", Kind.SANITIZER),
    # mm/kfence/report.c
    *(
        (f"BUG: KFENCE: {bug} in {PLACE}\n\n{what}\n pfd_f+0x12/0x40 [pfd]\n pfd_g+0x8/0x20"
         " [pfd]\n do_syscall_64+0x3a/0x90\n\nkfence-#12: 0xffff8880a1b2c000-0xffff8880a1b2c03f,"
         " size=64, cache=kmalloc-64\n", f"KFENCE: {bug} in {{f}}", kind, Kind.SANITIZER)
        for bug, what, kind in (
            ("use-after-free read", "Use-after-free read at 0x0000000012345678 (in kfence-#12):",
             "KFENCE-USE-AFTER-FREE-READ"),
            ("use-after-free write", "Use-after-free write at 0x0000000012345678 (in kfence-#12):",
             "KFENCE-USE-AFTER-FREE-WRITE"),
            ("out-of-bounds read", "Out-of-bounds read at 0x0000000012345678 (1B left of"
             " kfence-#12):", "KFENCE-READ"),
            ("out-of-bounds write", "Out-of-bounds write at 0x0000000012345678 (64B right of"
             " kfence-#12):", "KFENCE-WRITE"),
            ("invalid read", "Invalid read at 0x0000000012345678:", "KFENCE-READ"),
            ("invalid write", "Invalid write at 0x0000000012345678:", "KFENCE-WRITE"),
            ("invalid free", "Invalid free of 0x0000000012345678 (in kfence-#12):",
             "KFENCE-INVALID-FREE"),
            ("memory corruption", "Corrupted memory at 0x0000000012345678 [ ! . . ]"
             " (in kfence-#12):", "KFENCE-MEMORY-CORRUPTION"),
        )
    ),
    # mm/kmsan/report.c
    *(
        (f"BUG: KMSAN: {bug} in {PLACE}\n pfd_f+0x12/0x40 [pfd]\n pfd_g+0x8/0x20 [pfd]\n"
         " do_syscall_64+0x3a/0x90\n\nUninit was created at:\n slab_post_alloc_hook+0x1/0x2\n"
         " kmem_cache_alloc_node+0x1/0x2\n pfd_open+0x1/0x2 [pfd]\n", f"KMSAN: {bug} in {{f}}",
         kind, Kind.SANITIZER)
        for bug, kind in (
            ("uninit-value", "KMSAN-UNINIT-VALUE"),
            ("kernel-infoleak", "KMSAN-INFO-LEAK"),
            ("kernel-usb-infoleak", "KMSAN-INFO-LEAK"),
            ("kernel-infoleak-after-free", "KMSAN-INFO-LEAK"),
            ("use-after-free", "KMSAN-USE-AFTER-FREE-READ"),
        )
    ),
    # kernel/kcsan/report.c
    ("BUG: KCSAN: data-race in pfd_f / pfd_g\n\nwrite to 0xffff88800a1b2c40 of 4 bytes by task"
     " 812 on cpu 1:\n pfd_g+0x8/0x20 [pfd]\n", "KCSAN: data-race in {f} / pfd_g",
     "KCSAN-DATARACE", Kind.SANITIZER),
    ("BUG: KCSAN: data-race in pfd_f+0x12/0x40\n\nrace at unknown origin, with read to"
     " 0xffff88800a1b2c40 of 4 bytes by task 812 on cpu 1:\n pfd_f+0x12/0x40 [pfd]\n",
     "KCSAN: data-race in {f}", "KCSAN-DATARACE", Kind.SANITIZER),
    ("BUG: KCSAN: assert: race in pfd_f / pfd_g\n\nassert no accesses to 0xffff88800a1b2c40 of 4"
     " bytes by task 812 on cpu 1:\n pfd_g+0x8/0x20 [pfd]\n", "KCSAN: assert: race in {f} / pfd_g",
     "KCSAN-ASSERT", Kind.SANITIZER),
    # lib/ubsan.c
    (RULE + "UBSAN: Undefined behaviour in drivers/pfd.c:10:5\nsigned integer overflow:\n" + TRACE,
     "UBSAN: undefined-behaviour in {f}", "UBSAN", Kind.SANITIZER),
    ("UBSAN: array-index-out-of-bounds in drivers/pfd.c:10:5\nindex 9 is out of range for type"
     " 'int [4]'\n" + TRACE, "UBSAN: array-index-out-of-bounds in {f}", "MEMORY_SAFETY_UBSAN",
     Kind.SANITIZER),
    *(
        (f"------------[ cut here ]------------\nUBSAN: {bug} in drivers/pfd.c:10:5\nsomething"
         f" wrong\n{TRACE}", f"UBSAN: {bug} in {{f}}", "UBSAN", Kind.SANITIZER)
        for bug in ("shift-out-of-bounds", "signed-integer-overflow", "unsigned-integer-overflow",
                    "misaligned-access", "null-ptr-deref", "object-size-mismatch", "invalid-load",
                    "division-overflow", "negation-overflow", "implicit-conversion",
                    "pointer-overflow", "alignment-assumption")
    ),
)  # fmt: skip

_OBJ = "WARNING: ODEBUG bug in {f}"
CHECKS: tuple[Row, ...] = (
    ("WARNING: at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]()\n" + TRACE, "WARNING in {f}", "WARNING",
     Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]()\n" + X86_OLD,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]\n" + X86,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]\n" + ARM64,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]\n" + ARM,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]\n" + PPC,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("WARNING: drivers/pfd.c:42 at pfd_f+0x12/0x40 [pfd], CPU#3: insmod/812\n" + X86,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("WARNING: at pfd_f+0x12/0x40 [pfd], CPU#3: insmod/812\n" + X86, "WARNING in {f}", "WARNING",
     Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at pfd_f+0x12/0x40 [pfd]\n" + X86, "WARNING in {f}", "WARNING",
     Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at rust/kernel/pfd.rs:42 pfd_f+0x12/0x40 [pfd]\n" + X86,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("skbuff: skb_over_panic: text:ffffffffa0123012 len:100 put:100 head:ffff88800a1b2c40"
     " data:ffff88800a1b2c40 tail:0x64 end:0x40 dev:eth0\nkernel BUG at net/core/skbuff.c:104!\n"
     "invalid opcode: 0000 [#1] SMP\n"
     + X86.replace("pfd_f+0x12/0x40 [pfd]", "skb_panic+0x1/0x2").replace(
         " pfd_g", " skb_over_panic+0x1/0x2\n skb_put+0x1/0x2\n pfd_f+0x12/0x40\n pfd_g"),
     "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
    ("refcount_t: underflow; use-after-free.\nWARNING: CPU: 0 PID: 812 at lib/refcount.c:28"
     " refcount_warn_saturate+0xba/0x110\n" + X86, "WARNING: refcount bug in {f}",
     "REFCOUNT_WARNING", Kind.REFCOUNT),
    ("refcount_t: addition on 0; use-after-free.\nWARNING: lib/refcount.c:25 at"
     " refcount_warn_saturate+0xba/0x110, CPU#1: demo/812\n" + X86, "WARNING: refcount bug in {f}",
     "REFCOUNT_WARNING", Kind.REFCOUNT),
    ("refcount_t: increment on 0; use-after-free.\nWARNING: CPU: 0 PID: 812 at lib/refcount.c:153"
     " refcount_inc_checked+0x2b/0x30\n" + X86, "WARNING: refcount bug in {f}",
     "REFCOUNT_WARNING", Kind.REFCOUNT),
    ("ODEBUG: free active (active state 0) object: 1 object type: timer_list hint: pfd_t+0x0/0x1\n"
     "WARNING: CPU: 0 PID: 812 at lib/debugobjects.c:514 debug_print_object+0x6e/0x90\n" + X86,
     _OBJ, "WARNING", Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at lib/kobject.c:718 kobject_put+0x1f/0x30\n" + X86,
     "WARNING: kobject bug in {f}", "WARNING", Kind.WARNING),
    ("proc_dir_entry 'pfd/x' already registered\nWARNING: CPU: 0 PID: 812 at"
     " fs/proc/generic.c:382 proc_register+0x2f/0x40\n" + X86,
     "WARNING: proc registration bug in {f}", "WARNING", Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at mm/usercopy.c:102 usercopy_warn+0x2f/0x40\n" + X86,
     "WARNING: bad usercopy in {f}", "WARNING", Kind.USERCOPY),
    ("WARNING: CPU: 0 PID: 812 at mm/util.c:600 kvmalloc_node+0x2f/0x40\n" + X86,
     "WARNING: kmalloc bug in {f}", "WARNING", Kind.WARNING),
    ("WARNING: CPU: 0 PID: 812 at kernel/locking/lockdep.c:4700 __lock_acquire+0x2f/0x40\n" + X86,
     "WARNING: locking bug in {f}", "LOCKDEP", Kind.LOCKDEP),
    ("WARNING: CPU: 0 PID: 812 at drivers/usb/core/urb.c:503 usb_submit_urb+0x2f/0x40\n" + X86,
     "WARNING in {f}/usb_submit_urb", "WARNING", Kind.WARNING),
    ("memcpy: detected field-spanning write (size 65) of single field \"x->y\" at drivers/pfd.c:42"
     " (size 64)\nWARNING: CPU: 0 PID: 812 at drivers/pfd.c:42 pfd_f+0x12/0x40 [pfd]\n" + X86,
     "WARNING in {f}", "WARNING", Kind.WARNING),
    ("kernel BUG at drivers/pfd.c:42!\ninvalid opcode: 0000 [#1] SMP\n" + X86, "kernel BUG in {f}",
     "BUG", Kind.KERNEL_BUG),
    ("kernel BUG at drivers/pfd.c:42!\nOops: invalid opcode: 0000 [#1] SMP NOPTI\n" + X86,
     "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
    ("kernel BUG at /home/demo/pfd/pfd.c:42!\ninvalid opcode: 0000 [#1] SMP\n" + X86_OLD,
     "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
    ("kernel BUG at drivers/pfd.c:42!\nInternal error: Oops - BUG: 00000000f2000800 [#1] SMP\n"
     + ARM64, "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
    ("kernel BUG at drivers/pfd.c:42!\nInternal error: Oops - BUG: 0 [#1] SMP ARM\n" + ARM,
     "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
    ("kernel BUG at drivers/pfd.c:42!\nKernel BUG [#1]\n" + RISCV, "kernel BUG in {f}", "BUG",
     Kind.KERNEL_BUG),
    ("kernel BUG at drivers/pfd.c:42!\nOops: Exception in kernel mode, sig: 5 [#1]\n" + PPC,
     "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
    ("kernel BUG at drivers/pfd.c:42!\nmonitor event: 0040 ilc:2 [#1] SMP\n" + S390,
     "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
    ("usercopy: Kernel memory exposure attempt detected from SLUB object 'kmalloc-64' (offset 0,"
     " size 100)!\nkernel BUG at mm/usercopy.c:102!\ninvalid opcode: 0000 [#1] SMP\n" + X86,
     "BUG: bad usercopy in {f}", "BUG", Kind.USERCOPY),
    ("list_del corruption. prev->next should be ffff88800a1b2c40, but was dead000000000100\n"
     "kernel BUG at lib/list_debug.c:62!\ninvalid opcode: 0000 [#1] SMP\n" + X86,
     "BUG: corrupted list in {f}", _MEM, Kind.LIST_CORRUPTION),
    ("list_add corruption. next->prev should be prev (ffff88800a1b2c40), but was"
     " 0000000000000000. (next=ffff88800a1b2c80).\nkernel BUG at lib/list_debug.c:25!\n"
     "invalid opcode: 0000 [#1] SMP\n" + X86, "BUG: corrupted list in {f}", _MEM,
     Kind.LIST_CORRUPTION),
)  # fmt: skip

ROWS = (*SANITIZERS, *CHECKS)


@pytest.mark.parametrize("row", ROWS, ids=headline)
def test_a_wording_is_told_by_title_type_and_kind(read: Read, row: Row) -> None:
    assert_told(read(row[0]), row)
    assert_told(read(stamped(row[0])), row)
