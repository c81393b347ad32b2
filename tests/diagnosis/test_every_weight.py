"""Each weight is brought up by a log: a weight that nothing brings up fails here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import pytest

from diagnosis.keyed import Keyed, keyed
from diagnosis.logs import BANNER, gpf, oops, page_fault, stamped
from diagnosis.test_every_cause import (
    CAUSES,
    DIRECT,
    FLIPPED,
    LOAD,
    MEMBER,
    STORE,
    VMALLOC,
    WAITS_FOR_DISK,
    bug,
    kasan,
    says,
    warning,
)
from diagnosis.test_hard_pairs import INVPCID, broken_list, poison_overwritten
from diagnosis.test_history import boots, ever_others, in_a_row, segfault
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import ranking, weights
from pagefault_doctor.diagnosis.contexts import context_of
from pagefault_doctor.diagnosis.weights import WEIGHT
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Fact, Source, Value

CHECKED = "Missing ENDBR: demo_hidden_call+0x0/0x80"
MCE = stamped("mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 4: b200000000070f0f", at=9)
NX = "kernel tried to execute NX-protected page - exploit attempt? (uid: 0)"
LOADED = "66 2e 0f 1f 84 00 00 00 00 00 0f 1f 00 90 90 90 90 0f 1f 44 00 00 48 8b 43 08 <48> 8b 10"
"""What reads through RAX, which it had read from memory."""
STACK = {"rsp": "ffffc900000e8e98"}


HEADLESS = stamped(
    "RIP: 0010:demo_poll+0x24/0x90 [demo]",
    "Code: 48 89 c3 90 <48> 8b 43 18 c3 90",
    "RAX: 0000000000000001 RBX: ffff888004c12000 RCX: 0000000000000000",
    "Call Trace:", " <TASK>", " vfs_read+0x9f/0x190", " </TASK>",
)  # fmt: skip


def slab(words: str) -> str:
    """Return a report of the slab checks."""
    return says("=" * 77, f"BUG kmalloc-64 (Tainted: G           OE     ): {words}", "-" * 77)


def kfence(words: str) -> str:
    """Return a report of KFENCE."""
    return says("=" * 66, f"BUG: KFENCE: {words} in demo_poll+0x24/0x90 [demo]")


def refused(event: str) -> str:
    """Return a complaint about a module, then a warning in it."""
    return stamped(f"demo: {event}", at=40) + warning("demo.c:7")


def riscv(words: str, at: int, cause: str) -> str:
    """Return a fault as riscv64 reports it; its cause is the number of the exception."""
    return stamped(
        f"{words} at virtual address {at:016x}",
        "Oops [#1]",
        "CPU: 1 PID: 52 Comm: cat Tainted: G           OE      6.1.0-1-riscv64 #1",
        "epc : demo_poll+0x24/0x90 [demo]",
        " ra : vfs_read+0x9f/0x190",
        "epc : ffffffff01e8a024 ra : ffffffff80a8a024 sp : ff2000000032bbd0",
        " gp : ffffffff81db6e50 tp : ff60000009508000 t0 : ff60000002fac000",
        f"status: 0000000200000120 badaddr: {at:016x} cause: 000000000000000{cause}",
        "[<ffffffff01e8a024>] demo_poll+0x24/0x90 [demo]",
        "[<ffffffff80a8a024>] vfs_read+0x9f/0x190",
    )


def panic(words: str) -> str:
    """Return a panic."""
    return says(f"Kernel panic - not syncing: {words}")


def repeated(frame: str, times: int) -> str:
    """Return a double fault with a trace of one function."""
    return oops("PANIC: double fault, error_code: 0x0", trace=(frame,) * times, code=None)


MAYBE = "general protection fault, maybe for address 0xffffc90000346800: 0000 [#1] SMP"
LOGS = {
    "oom.kernels-own": says(
        "cat invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0",
        "CPU: 0 PID: 12 Comm: cat Not tainted 6.1.0-1-amd64 #1",
        "Call Trace:",
        " dump_header+0x1/0x9",
        " oom_kill_process+0x1/0x9",
        "Mem-Info:",
        " slab_reclaimable:400 slab_unreclaimable:40000",
        "62000 pages RAM",
        "Out of memory: Killed process 12 (cat) total-vm:2000kB, anon-rss:100kB, file-rss:0kB",
    ),
    "null.sanitizer": kasan("null-ptr-deref"),
    "null.odd-offset": page_fault("1e", code=None),
    "null.near-address": page_fault("0000000000002008", code=None),
    "null.container-maybe": page_fault("ffffffffffffffd8", code=LOAD,
                                       registers={"rsi": "ffffffffffffffd8"}),
    "null.call": page_fault("0", 0x10, place="0x0", code=None),
    "null.base-unknown": page_fault("fffffffffffffff0", code=None),
    "null.base-not-zero": page_fault("0000000000002008", code=LOAD, registers={"rsi": "2008"}),
    "null.base-error": page_fault("1e", code="90 <48> 8b 46 20 c3",
                                  registers={"rsi": "fffffffffffffffe"}),
    "null.base-loaded": page_fault("400", code=LOADED, registers={"rax": "400"}),
    "error.filling": page_fault("f" * 16, code=None),
    "error.base-rare": page_fault("ffffffffffffffd8", code=LOAD,
                                  registers={"rsi": "ffffffffffffffd8"}),
    "error.address-rare": page_fault("ffffffffffffffd8", code=None),
    "error.register": page_fault("1e", code=None, registers={"rax": "fffffffffffffffe"}),
    "error.freed": page_fault("ffffe9ec41ffffc8", place="kfree+0x70/0x490", code=None,
                              registers={"rdi": "ffffffffffffffea"}),
    "wild.just-below-zero": page_fault("fffffffffffffe1c", code="90 <48> 8b 06 c3",
                                       registers={"rsi": "fffffffffffffe1c"}),
    "hard.refused": oops("invalid opcode: 0000 [#1] SMP", code="90 <48> 8b 06 c3"),
    "hard.no-division": oops("divide error: 0000 [#1] SMP", code="90 <48> 8b 06 c3"),
    "api.copied-pages": bug("mm/usercopy.c:99", "usercopy: Kernel memory exposure attempt detected "
                            "from spans multiple pages (offset 0, size 5120)!"),
    "user.mapped": stamped(
        "Unable to handle kernel paging request at virtual address b6f2c004",
        "pgd = c2b54000",
        "[b6f2c004] *pgd=62a1b831, *pte=5f2d175f, *ppte=5f2d1c7f",
        "Internal error: Oops: 80f [#1] ARM",
        "CPU: 0 PID: 52 Comm: cat Tainted: G           O      4.4.0 #1",
        "PC is at demo_ioctl+0x24/0x90 [demo]", "LR is at do_vfs_ioctl+0x28/0x44",
        "pc : [<bf0040a4>]    lr : [<c00c4b5c>]    psr: 60000013"),
    "error.in-no-register": page_fault("ffffffffffffffd8", code=None, registers={"rax": "0"}),
    "freed.queued": gpf("3030303030303038", place="__run_timers+0x1b8/0x280", code=None),
    "freed.sanitizer": kasan("slab-use-after-free"),
    "freed.poison-register": page_fault(DIRECT, code=LOAD,
                                        registers={"rsi": DIRECT, "rdi": "6b" * 8}),
    "freed.refcount": warning("lib/refcount.c:28", "refcount_t: underflow; use-after-free."),
    "freed.count": warning("lib/refcount.c:28"),
    "freed.text-members": gpf("6161616161616169", code=LOAD,
                              registers={"rsi": "61" * 8, "rdx": "6161616161626364"}),
    "freed.poison-overwritten": slab("Poison overwritten"),
    "freed.object-active": warning(
        "lib/debugobjects.c:502",
        "ODEBUG: free active (active state 0) object type: timer_list hint: demo_tick+0x0/0x40"),
    "freed.unloaded": page_fault("ffffffffc0b70060", 0x10, place="0xffffffffc0b70060", code=None,
                                 modules="ext4 [last unloaded: gone]"),
    "freed.module-range": page_fault("ffffffffc0b70060", 0x10, place="0xffffffffc0b70060",
                                     code=None, modules="ext4"),
    "freed.module-data": page_fault("ffffffffc0b72010", code=None,
                                    modules="ext4 [last unloaded: gone]"),
    "freed.init-section": page_fault("ffffffffc0b71024", 0x11,
                                     place="demo_init+0x24/0x1000 [demo]", modules="demo(OE)"),
    "freed.tag": kasan("invalid-access"),
    "freed.list-value": broken_list("6b6b6b6b6b6b6b6b"),
    "freed.freelist-value": broken_list("5a3c71e98b2fd046"),
    "freed.decrement": poison_overwritten(0x6A),
    "freed.words": says("VFS: Busy inodes after unmount of sda1. Self-destruct in 5 seconds."),
    "double.sanitizer": kasan("double-free", "Free"),
    "double.slab": slab("Object already free"),
    "bounds.sanitizer": kasan("slab-out-of-bounds"),
    "bounds.index": says("UBSAN: array-index-out-of-bounds in demo.c:10:4",
                         "index 9 is out of range for type 'int [4]'"),
    "bounds.flexible-array": says("UBSAN: array-index-out-of-bounds in demo.c:10:4",
                                  "index 9 is out of range for type 'int [1]'"),
    "bounds.redzone": slab("Right Redzone overwritten"),
    "bounds.usercopy": bug("mm/usercopy.c:99", "usercopy: Kernel memory exposure attempt detected "
                           "from SLUB object 'x' (offset 0, size 99)!"),
    "bounds.fortify": bug("lib/string_helpers.c:1027", "detected buffer overflow in memcpy"),
    "bounds.field-spanning": warning("demo.c:7", "memcpy: detected field-spanning write (size 9) "
                                     "of single field \"x\" at demo.c:7 (size 4)"),
    "bounds.page-edge": stamped(
        "BUG: unable to handle page fault for address: ffffc90000346000",
        "#PF: supervisor read access in kernel mode",
        "#PF: error_code(0x0000) - not-present page"),
    "bounds.tag": kasan("invalid-access"),
    "bounds.text-pointer": gpf("6f6c2f7273752f2e", code=LOAD,
                               registers={"rsi": "6f6c2f7273752f2e"}),
    "bounds.redzone-pointer": gpf("bb" * 8, code=LOAD, registers={"rsi": "bb" * 8}),
    "bounds.text-jump": gpf("6b63616a206f6c6c", place="0x6b63616a206f6c6c", code=None,
                            registers={"rbx": "6b63616a206f6c6c"}),
    "wild.small-loaded": page_fault("400", code=LOADED, registers={"rax": "400"}),
    "wild.filling": page_fault("f" * 16, code=None),
    "wild.fresh": gpf("6b6b6b6b6b6b6b83", code=MEMBER, registers={"rsi": "6b" * 8}),
    "wild.sanitizer": kasan("wild-memory-access"),
    "wild.jump": page_fault("ffff888004c12000", 0x10, place="0xffff888004c12000", code=None),
    "wild.jump-module": page_fault("ffffffffc0b70060", 0x10, place="0xffffffffc0b70060",
                                   code=None, modules="ext4"),
    "wild.not-executable": stamped(NX) + page_fault("ffff888004c12000", 0x11, code=None),
    "wild.kmsan": says("BUG: KMSAN: uninit-value in demo_poll+0x24/0x90 [demo]"),
    "wild.truncated": page_fault("000000009b8a6540", code=None),
    "wild.invalid-code": oops("invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", code=None),
    "wild.struct-page": page_fault("ffffea0000123440", code=None),
    "wild.unseen": HEADLESS,
    "wild.plain": oops("stack segment: 0000 [#1] PREEMPT SMP NOPTI", code=None),
    "wild.valid-address": oops(MAYBE, code=INVPCID, registers={"rsi": VMALLOC}),
    "user.headline": stamped(
        "Unable to handle kernel access to user memory outside uaccess routines at virtual "
        "address 0000ffff9b8a6540",
        "Mem abort info:", "  ESR = 0x000000009600004f",
        "Internal error: Oops: 000000009600004f [#1] PREEMPT SMP",
        "CPU: 1 PID: 52 Comm: cat Tainted: G           OE      6.1.0-1-arm64 #1",
        "pc : demo_poll+0x24/0x90 [demo]", "lr : vfs_read+0x9f/0x190",
        "Call trace:", " demo_poll+0x24/0x90 [demo]", " vfs_read+0x9f/0x190", " ksys_read+0x6/0x9"),
    "api.layout": gpf("206e69206d6f6f72", code=LOAD, registers={"rsi": "206e69206d6f6f72"},
                      place="strlen+0x0/0x20",
                      trace=("demo_register+0x1/0x9 [demo]", "pier_init+0x3/0x9 [pier]"),
                      modules="pier(OE+) demo(OE)"),
    "api.privileged": oops("general protection fault: 0000 [#1] SMP", code="90 <0f> 22 c0 c3"),
    "api.return-thunk": oops("------------[ cut here ]------------",
                             "Unpatched return thunk in use. This should not happen!",
                             "WARNING: CPU: 1 PID: 9 at bugs.c:7 __warn_thunk+0x27/0x40"),
    "api.field": warning("demo.c:7", "memcpy: detected field-spanning write (size 9) "
                         "of single field \"x\" at demo.c:7 (size 4)"),
    "api.flexible-array": stamped(
        "UBSAN: array-index-out-of-bounds in demo.c:10:4",
        "index 9 is out of range for type 'int [1]'",
        "CPU: 1 PID: 912 Comm: cat Tainted: G           OE      6.5.0-14-generic #14",
        "Call Trace:", " demo_poll+0x24/0x90 [demo]", " vfs_read+0x9f/0x190"),
    "api.whitelist": bug("mm/usercopy.c:99", "usercopy: Kernel memory exposure attempt detected "
                         "from SLUB object 'demo_ring' (offset 0, size 99)!"),
    "freed.init-code": page_fault("ffffffff82d1e5a0", 0x11, place="set_up+0x0/0x60", code=None),
    "table.code": page_fault("ffffffff82d1e5a0", 0x11, place="set_up+0x0/0x60", code=None),
    "stack.outside": page_fault(VMALLOC, code=None).replace(
        "Hardware name:", "Process cat (pid: 9, threadinfo ffffc900000e8e00, task ffff88801)\n"
        "[   50.100000] Hardware name:"),
    "logic.unpowered": stamped(
        "Internal error: synchronous external abort: 0000000096000010 [#1] PREEMPT SMP",
        "CPU: 1 PID: 52 Comm: cat Not tainted 6.1.0-1-arm64 #1",
        "pc : readl+0x24/0x90", "lr : vfs_read+0x9f/0x190",
        "Call trace:", " readl+0x24/0x90", " vfs_read+0x9f/0x190", " ksys_read+0x6/0x9"),
    "user.refused": riscv(
        "Unable to handle kernel access to user memory without uaccess routines", 0x12345678, "d"),
    "user.text": page_fault("0000646e65707375", registers={"rbx": "0000646e65707375"}),
    "user.area": page_fault("00007ffc12345678", code=None),
    "user.sanitizer": kasan("user-memory-access"),
    "constant.image": riscv("Unable to handle kernel paging request", 0xFFFFFFFF810F4BA8, "f"),
    "constant.module": riscv("Unable to handle kernel paging request", 0xFFFFFFFF01E90000, "f"),
    "constant.headline": stamped(
        "Unable to handle kernel write to read-only memory at virtual address ffff800001234000",
        "Mem abort info:", "  ESR = 0x000000009600004f",
        "Internal error: Oops: 000000009600004f [#1] PREEMPT SMP",
        "CPU: 1 PID: 52 Comm: cat Tainted: G           OE      6.1.0-1-arm64 #1",
        "pc : demo_poll+0x24/0x90 [demo]", "lr : vfs_read+0x9f/0x190",
        "Call trace:", " demo_poll+0x24/0x90 [demo]", " vfs_read+0x9f/0x190", " ksys_read+0x6/0x9"),
    "stack.overran": page_fault(DIRECT, code=None).replace(
        "Oops:", "Thread overran stack, or stack corrupted\n[   50.100000] Oops:"),
    "stack.end-magic": panic("corrupted stack end detected inside scheduler"),
    "stack.overflow-words": panic("kernel stack overflow"),
    "stack.double-fault": repeated("walk+0x1/0x20 [demo]", 1),
    "stack.near-pointer": page_fault("ffffc900000e7ff8", code=None),
    "stack.recursion": repeated("walk+0x1/0x20 [demo]", 9),
    "stack.trampled": stamped(
        *("BUG: Unable to handle kernel data access at 0xbee86ed5eab56900",
          "Faulting instruction address: 0xc000000000080120") * 5),
    "stack.neighbour": stamped(
        "BUG: sleeping function called from invalid context at mm/slab.h:400",
        "in_atomic(): 1, irqs_disabled(): 1, pid: 52, name: cat")
    + page_fault(DIRECT, code=None).replace(
        "Oops:", "Thread overran stack, or stack corrupted\n[   50.100000] Oops:"),
    "list.poison": gpf("dead000000000108", code=STORE, registers={"rsi": "dead000000000100"}),
    "list.bug": bug("lib/list_debug.c:47", place="__list_add_valid.cold+0xf/0x6f"),
    "table.corrupted": stamped("app: Corrupted page table at address 7f0000001000")
    + page_fault("00007f0000001000", 9, code=None),
    "table.counter": says("BUG: Bad rss-counter state mm:00000000abcdef12 type:MM_ANONPAGES val:3"),
    "table.swap-entry": stamped("get_swap_device: Bad swap offset entry 808000000", at=50.0)
    + page_fault("00000001108ca000"),
    "table.freed-in-use": says("BUG: Bad page state in process app  pfn:12345",
                               "page dumped because: PAGE_FLAGS_CHECK_AT_FREE flag(s) set"),
    "api.symbol-version": refused("disagrees about version of symbol module_layout"),
    "api.version-magic": refused("version magic '6.0.0 SMP' should be '6.1.0-1-amd64 SMP'"),
    "api.unknown-symbol": refused("Unknown symbol old_helper (err -2)"),
    "api.indirect-branch": bug("arch/x86/kernel/cet.c:99", CHECKED),
    "logic.divide": oops("divide error: 0000 [#1] PREEMPT SMP NOPTI", code="90 <f7> f9 c3"),
    "logic.instruction": oops(MAYBE, code=INVPCID, registers={"rsi": VMALLOC}),
    "logic.trap": oops("invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", code="90 <0f> 0b 31 c0 c3"),
    "logic.misuse": warning("lib/debugobjects.c:7", "ODEBUG: activate active (active state 1)"),
    "logic.arithmetic": says("UBSAN: shift-out-of-bounds in demo.c:10:4",
                             "shift exponent 99 is too large for 32-bit type 'int'"),
    "logic.race": says("BUG: KCSAN: data-race in demo_open / demo_poll"),
    "logic.leak": stamped("BUG: memory leak", "unreferenced object 0xffff888004c12340 (size 64):",
                          "  comm \"cat\", pid 52, jiffies 4294", "  backtrace:",
                          "    [<00000000abcdef12>] demo_open+0x24/0x90 [demo]",
                          "    [<00000000abcdef13>] vfs_open+0x24/0x90"),
    "logic.rcu": says("WARNING: suspicious RCU usage", "demo.c:7 suspicious usage!"),
    "logic.information": oops("invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", code=None),
    "hang.lockup": says("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [cat:52]"),
    "hang.stall": says("rcu: INFO: rcu_preempt self-detected stall on CPU"),
    "hang.atomic": says("BUG: sleeping function called from invalid context at demo.c:7"),
    "hang.deadlock": says("WARNING: possible circular locking dependency detected"),
    "hang.spinlock": says("BUG: spinlock bad magic on CPU#1, cat/52"),
    "hang.device": panic("VFS: still waiting for the root device"),
    "oom.panic": panic("System is deadlocked on memory"),
    "oom.allocation": says("app: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL)"),
    "hard.machine-check": MCE,
    "hard.event": says("Uhhuh. NMI received for unknown reason 3d on CPU 1."),
    "hard.before": stamped(BANNER, at=0) + MCE + page_fault(VMALLOC),
    "hard.taint": page_fault(VMALLOC, tainted="Tainted: G   M  "),
    "hard.one-bit": broken_list("ffff888004c12360"),
    "hard.high-bit": broken_list("ffff88800cc12340"),
    "hard.entry-bit": says("BUG: Bad page map in process app  pte:200000000000 pmd:10a5f1067"),
    "hard.null-bit": page_fault("200000", code=LOAD, registers={"rsi": "200000"}),
    "hard.impossible-bit": broken_list("dfff888004c12340"),
    "hard.poison-bit": poison_overwritten(0x2B),
    "hard.poison-decrement": poison_overwritten(0x6A),
    "hard.single-bit": says("BUG: Bad page state in process app  pfn:12345",
                            "pagealloc: single bit error"),
    "hard.firmware": says(
        "------------[ cut here ]------------",
        "WARNING: CPU: 0 PID: 1 at drivers/iommu/dmar.c:7 warn_invalid_dmar+0x7/0x90",
        "Your BIOS is broken; DMAR reported at address 0!"),
    "hard.external-abort": stamped(
        "Internal error: synchronous external abort: 0000000096000010 [#1] PREEMPT SMP",
        "CPU: 1 PID: 52 Comm: cat Tainted: G   M       OE      6.1.0-1-arm64 #1",
        "pc : demo_poll+0x24/0x90 [demo]", "lr : vfs_read+0x9f/0x190",
        "Call trace:", " demo_poll+0x24/0x90 [demo]", " vfs_read+0x9f/0x190", " ksys_read+0x6/0x9"),
    "hard.store": stamped("EXT4-fs error (device sda1): ext4_lookup:77: inode #2: deleted"),
    "hard.unrelated": in_a_row(ever_others()),
    "hard.unrelated-boots": boots(*ever_others()),
    "hard.same-place": boots(FLIPPED, FLIPPED),
    "hard.one-processor": "".join(segfault(name, 3) for name in ("bash", "gcc", "python3")),
    "hard.specification": page_fault(VMALLOC, tainted="Tainted: G S "),
    "hard.io-wait": WAITS_FOR_DISK,
    "space.init": panic("Attempted to kill init! exitcode=0x0000000b"),
    "space.told": panic("Attempted to kill init! exitcode=0x00007f00"),
    "space.boot": panic("VFS: Unable to mount root fs on unknown-block(0,0)"),
    "none.words": stamped("gauge: WARNING: pressure 970 is low"),
    "none.reboot": stamped("systemd[1]: up", at=90) + stamped(BANNER, at=0),
    "logic.panic": panic("something new"),
    "hang.panic": panic("hung_task: blocked tasks"),
    "wild.uninitialised": gpf("5a5a5a5a5a5a5a72", code=MEMBER, registers={"rsi": "5a" * 8}),
}  # fmt: skip
FACTS: Mapping[str, tuple[str, Value]] = {
    "api.fact-vermagic": ("module.vermagic_fits", False),
    "api.fact-srcversion": ("module.srcversion_fits", False),
    "hard.memtest-failed": ("memtest.failures", 3),
    "hard.memtest-passed": ("memtest.passed", True),
    "checker.pattern": ("fix.cocci_cause", "wild-pointer"),
}
"""Weights that a command's fact brings up, for a wild pointer in the suspect module."""
ELSEWHERE = {
    "test_dump_memory.py": (
        *("bounds.dump-past", "bounds.dump-redzone", "double.dump-free", "freed.dump-live"),
        *("freed.dump-no-module", "freed.dump-object", "freed.dump-owner", "freed.dump-pending"),
        *("stack.dump-guard", "wild.dump-freed", "wild.dump-nothing", "wild.dump-owner"),
    ),
    "test_freelist.py": (
        *("bounds.freelist-crash", "double.freelist-crash", "freed.freelist-crash"),
    ),
    "test_other_builds.py": ("api.fact-build", "api.fact-checksums", "hard.text-bit"),
    "test_pointer_evidence.py": ("error.returned", "null.member", "null.around"),
}
"""Weights that need more than a log, and the file of this folder that brings them up."""
UNSEEN = {
    "none.reboot": "klog tells a plain reboot only of syzkaller's own logs",
}


def fired(text: str, facts: Mapping[str, Fact] | None = None) -> set[str]:
    """Return the keys of the evidence of a log's reports."""
    log, found = klog.read(text.encode(), "made"), set()
    with keyed():
        for report in log.reports:
            weighed, _ = ranking.evidence_by_cause(report, context_of(report, log, facts or {}))
            found |= {getattr(e.weight, "key", "") for each in weighed.values() for e in each}
    return found


@pytest.mark.parametrize("key", [key for key in LOGS if key not in UNSEEN])
def test_a_log_brings_up_the_weight(key: str) -> None:
    assert key in fired(LOGS[key])


SUSPECT = gpf("dfff91a2c3d4e5f0", registers={"rbx": "ffff91a2c3d4e000"}, code=None)


def with_fact(key: str) -> Mapping[str, Fact]:
    """Return the fact that brings up a weight, and the suspect that it is about."""
    name, value = FACTS[key]
    return {
        name: Fact(name, value, Source("made", 1)),
        "suspect.module": Fact("suspect.module", "demo", Source("made", 1)),
    }


@pytest.mark.parametrize("key", FACTS)
def test_a_fact_brings_up_the_weight(key: str) -> None:
    assert key in fired(SUSPECT, with_fact(key))
    assert key not in fired(SUSPECT)


AGAINST = {
    *("null.odd-offset", "null.base-not-zero", "null.base-error", "null.base-loaded"),
    *("error.base-zero", "error.in-no-register"),
    *("freed.dump-live", "bounds.flexible-array", "wild.valid-address", "wild.dump-freed"),
    "user.text",
    *("hard.same-place", "hard.virtual", "hard.memtest-passed"),
}
"""Weights that speak against their cause; each other one speaks for it."""


@pytest.mark.parametrize("key", WEIGHT)
def test_each_weight_speaks_for_its_cause_or_against_it(key: str) -> None:
    assert WEIGHT[key] < 0 if key in AGAINST else WEIGHT[key] > 0


@cache
def logs_of_causes() -> dict[str, str]:
    """Return a log of the causes for each weight that one of them brings up."""
    texts = (log for logs in CAUSES.values() for log in (logs.it, logs.near, logs.without))
    return {key: text for text in texts for key in fired(text)}


class Weighed(NamedTuple):
    """How likely a cause of a report is, and the weights that its evidence has."""

    share: float
    keys: frozenset[str]


def weighed(
    text: str, facts: Mapping[str, Fact], without: str = ""
) -> list[dict[RootCause, Weighed]]:
    """Return the causes of each report of a log; evidence `without` weight counts nothing."""
    log, found = klog.read(text.encode(), "made"), []
    with pytest.MonkeyPatch.context() as patch, keyed() as table:
        patch.setitem(table, without, Keyed(0.0))
        for report in log.reports:
            each, _ = ranking.evidence_by_cause(report, context_of(report, log, facts))
            shares = ranking._confidences(each, weights.UNKNOWN)
            keys = {c: frozenset(getattr(e.weight, "key", "") for e in each[c]) for c in each}
            found.append({cause: Weighed(shares[cause], keys[cause]) for cause in each})
    return found


@pytest.mark.parametrize("key", [key for key in WEIGHT if key not in UNSEEN])
def test_without_the_weight_its_cause_is_less_likely_or_more(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(key in keys for keys in ELSEWHERE.values()):
        return
    monkeypatch.setattr(weights, "HIGHEST", 1.0)
    text = SUSPECT if key in FACTS else LOGS.get(key) or logs_of_causes()[key]
    facts = with_fact(key) if key in FACTS else {}
    nothing = Weighed(0.0, frozenset())
    both = zip(weighed(text, facts), weighed(text, facts, key), strict=True)
    changes = [
        has.share - left.get(cause, nothing).share
        for whole, left in both
        for cause, has in whole.items()
        if key in has.keys
    ]
    assert changes
    assert all(change < 0 if key in AGAINST else change > 0 for change in changes)


def test_no_weight_is_left_without_a_log() -> None:
    causes = (log for logs in CAUSES.values() for log in (logs.it, logs.near, logs.without))
    of_causes = {key for log in causes for key in fired(log)}
    elsewhere = {key for keys in ELSEWHERE.values() for key in keys}
    assert set(WEIGHT) <= {*LOGS, *FACTS, *of_causes, *elsewhere}
    assert not elsewhere & {*LOGS, *FACTS, *of_causes}
    assert set(UNSEEN) <= set(WEIGHT)
