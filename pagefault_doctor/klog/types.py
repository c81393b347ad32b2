"""The class of a report by the beginning of its title, as syzbot classes them."""

from __future__ import annotations

from typing import Final

_TYPES: Final = (
    ("KASAN: use-after-free Read", "KASAN-USE-AFTER-FREE-READ"),
    ("KASAN: slab-use-after-free Read", "KASAN-USE-AFTER-FREE-READ"),
    ("KASAN: use-after-free Write", "KASAN-USE-AFTER-FREE-WRITE"),
    ("KASAN: slab-use-after-free Write", "KASAN-USE-AFTER-FREE-WRITE"),
    ("KASAN: use-after-free", "KASAN-USE-AFTER-FREE-READ"),
    ("KASAN: slab-use-after-free", "KASAN-USE-AFTER-FREE-READ"),
    ("KASAN: null-ptr-deref Read", "KASAN-NULL-POINTER-DEREFERENCE-READ"),
    ("KASAN: null-ptr-deref Write", "KASAN-NULL-POINTER-DEREFERENCE-WRITE"),
    ("KASAN: invalid-free", "KASAN-INVALID-FREE"),
    ("KFENCE: use-after-free read", "KFENCE-USE-AFTER-FREE-READ"),
    ("KFENCE: use-after-free write", "KFENCE-USE-AFTER-FREE-WRITE"),
    ("KFENCE: invalid free", "KFENCE-INVALID-FREE"),
    ("KFENCE: memory corruption", "KFENCE-MEMORY-CORRUPTION"),
    ("KFENCE: out-of-bounds read", "KFENCE-READ"),
    ("KFENCE: invalid read", "KFENCE-READ"),
    ("KFENCE: out-of-bounds write", "KFENCE-WRITE"),
    ("KFENCE: invalid write", "KFENCE-WRITE"),
    ("KMSAN: uninit-value", "KMSAN-UNINIT-VALUE"),
    ("KMSAN: kernel-infoleak", "KMSAN-INFO-LEAK"),
    ("KMSAN: kernel-usb-infoleak", "KMSAN-INFO-LEAK"),
    ("KMSAN: use-after-free", "KMSAN-USE-AFTER-FREE-READ"),
    ("KMSAN:", "KMSAN-UNKNOWN"),
    ("KCSAN: data-race", "KCSAN-DATARACE"),
    ("KCSAN: assert: race", "KCSAN-ASSERT"),
    ("KCSAN:", "KCSAN-UNKNOWN"),
    ("BUG: unable to handle kernel NULL pointer dereference", "NULL-POINTER-DEREFERENCE"),
    ("BUG: unable to handle kernel paging request", "MEMORY_SAFETY_BUG"),
    ("BUG: corrupted list", "MEMORY_SAFETY_BUG"),
    ("WARNING: refcount bug", "REFCOUNT_WARNING"),
    ("UBSAN: array-index", "MEMORY_SAFETY_UBSAN"),
    ("UBSAN:", "UBSAN"),
    ("possible deadlock", "LOCKDEP"),
    ("inconsistent lock state", "LOCKDEP"),
    ("BUG: bad unlock balance", "LOCKDEP"),
    ("WARNING: bad unlock balance", "LOCKDEP"),
    ("BUG: held lock freed", "LOCKDEP"),
    ("WARNING: held lock freed", "LOCKDEP"),
    ("BUG: still has locks held", "LOCKDEP"),
    ("WARNING: still has locks held", "LOCKDEP"),
    ("BUG: lock held when returning", "LOCKDEP"),
    ("WARNING: lock held when returning", "LOCKDEP"),
    ("WARNING: nested lock was not taken", "LOCKDEP"),
    ("WARNING: locking bug", "LOCKDEP"),
    ("WARNING: suspicious RCU usage in", "LOCKDEP"),
    ("BUG: spinlock", "LOCKDEP"),
    ("BUG: rwlock", "LOCKDEP"),
    ("BUG: using ", "LOCKDEP"),
    ("BUG: sleeping function", "ATOMIC_SLEEP"),
    ("BUG: scheduling while atomic", "ATOMIC_SLEEP"),
    ("memory leak", "LEAK"),
    ("BUG: bad usercopy", "BUG"),
    ("kernel BUG", "BUG"),
    ("BUG: soft lockup", "HANG"),
    ("INFO: rcu detected stall", "HANG"),
    ("INFO: task hung", "HANG"),
    ("INFO: task can't die", "HANG"),
    ("WARNING: kernel stack regs has bad", None),
    ("WARNING: kernel stack frame pointer has bad", None),
    ("WARNING:", "WARNING"),
    ("WARNING in", "WARNING"),
    ("general protection fault", "DoS"),
    ("kernel panic:", "DoS"),
    ("panic:", "DoS"),
    ("divide error", "DoS"),
    ("invalid opcode", "DoS"),
    ("int3", "DoS"),
    ("stack segment", "DoS"),
    ("PANIC: double fault", "DoS"),
    ("kernel stack overflow", "DoS"),
    ("Internal error", "DoS"),
    ("Unhandled fault", "DoS"),
    ("Alignment trap", "DoS"),
    ("BUG: Object already free", "DoS"),
    ("VFS: ", "DoS"),
    ("unregister_netdevice", "DoS"),
    ("go runtime error", "DoS"),
    ("trusty", "DoS"),
    ("unexpected kernel reboot", "REBOOT"),
    ("SYZFAIL", "SYZ_FAILURE"),
    ("SYZFATAL", "SYZ_FAILURE"),
)
_BY_BEGINNING: Final = dict(_TYPES)
_LENGTHS: Final = sorted({len(beginning) for beginning in _BY_BEGINNING}, reverse=True)


def type_of(title: str) -> str | None:
    """Return the type that the longest matching beginning of the title gives, or None."""
    for length in _LENGTHS:
        if title[:length] in _BY_BEGINNING:
            return _BY_BEGINNING[title[:length]]
    if title.startswith("KASAN:"):
        if " Write" in title:
            return "KASAN-WRITE"
        return "KASAN-READ" if " Read" in title or "-of-bounds" in title else "KASAN-UNKNOWN"
    return None
