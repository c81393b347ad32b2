"""Each cause on three logs: one that is it, a near miss that is another, one in which it is not.

A cause without all three fails here, and so does a weight that no log of this package brings up.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from diagnosis.logs import gpf, of, oops, page_fault, stamped, verdict
from pagefault_doctor.model.diagnosis import RootCause

VMALLOC = "ffffc90000346000"
DIRECT = "ffff888004c12340"
LOAD = "90 <48> 8b 06 c3"  # mov (%rsi),%rax
MEMBER = "90 <48> 8b 46 18 c3"  # mov 0x18(%rsi),%rax
STORE = "90 <48> 89 46 08 c3"  # mov %rax,0x8(%rsi)
TRACE = (
    "Call Trace:",
    " <TASK>",
    " dump_stack_lvl+0x44/0x5c",
    " demo_poll+0x24/0x90 [demo]",
    " vfs_read+0x9f/0x190",
    " ksys_read+0x6b/0xf0",
    " </TASK>",
)
CPU = "CPU: 1 PID: 52 Comm: cat Tainted: G           OE      6.1.0-1-amd64 #1"


def kasan(kind: str, access: str = "Read") -> str:
    """Return a report of KASAN."""
    return stamped(
        "=" * 66,
        f"BUG: KASAN: {kind} in demo_poll+0x24/0x90 [demo]",
        f"{access} of size 8 at addr {DIRECT} by task cat/52",
        "",
        CPU,
        *TRACE,
    )


def says(*head: str) -> str:
    """Return a report that begins with these lines and ends with a trace."""
    return stamped(*head, CPU, *TRACE)


def bug(at: str, *before: str, place: str = "demo_poll+0x24/0x90 [demo]") -> str:
    """Return a failed assertion of the kernel at a source line."""
    head = (*before, "------------[ cut here ]------------", f"kernel BUG at {at}!")
    return oops(*head, "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", place=place, code=None)


def warning(at: str, *before: str) -> str:
    """Return a warning of the kernel at a source line."""
    first = f"WARNING: CPU: 1 PID: 52 at {at} demo_poll+0x24/0x90 [demo]"
    return oops(*before, "------------[ cut here ]------------", first, code=None)


NULL = page_fault("0000000000000018", code=MEMBER, registers={"rsi": "0"})
ERROR = page_fault("fffffffffffffff4", code=LOAD, registers={"rsi": "fffffffffffffff4"})
WILD = gpf("1f3e5d7c9b8a6543", code=LOAD, registers={"rsi": "1f3e5d7c9b8a6543"})
UNMAPPED = page_fault("ffff888004c12340", code=LOAD, registers={"rsi": DIRECT})
POISONED = gpf("6b6b6b6b6b6b6b83", code=MEMBER, registers={"rsi": "6b" * 8})
NEVER_SET = gpf("5a5a5a5a5a5a5a72", code=MEMBER, registers={"rsi": "5a" * 8})
USER = page_fault("00007ffe12345678", 1, code=LOAD, registers={"rsi": "7ffe12345678"})
USER_UNMAPPED = page_fault("0000123412345678", code=LOAD, registers={"rsi": "123412345678"})
CONSTANT = page_fault("ffffffffc0b72010", 3, code=STORE, registers={"rsi": "ffffffffc0b72008"})
RESERVED = page_fault("ffffffffc0b72010", 0xB, code=STORE, registers={"rsi": "ffffffffc0b72008"})
GUARD = oops("BUG: TASK stack guard page was hit at 00000000abcdef12 (stack is 00..00)",
             "stack guard page: 0000 [#1] PREEMPT SMP NOPTI")  # fmt: skip
BELOW_STACK = page_fault("ffffc900000e8008", code=None)
CANARY = says("Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: "
              "demo_poll+0x90/0x90 [demo]")  # fmt: skip
DELETED_TWICE = bug("lib/list_debug.c:47",
    f"list_del corruption, {DIRECT}->next is LIST_POISON1 (dead000000000100)",
    place="__list_del_entry_valid.cold+0xf/0x6f")  # fmt: skip
DELETED_READ = gpf("dead000000000118", code=MEMBER, registers={"rsi": "dead000000000100"})
DELETED_WRITE = gpf("dead000000000108", code=STORE, registers={"rsi": "dead000000000100"})
BAD_MAP = says("BUG: Bad page map in process app  pte:8000000012345025 pmd:10abc067",
               "addr:00007f0000001000 vm_flags:00000075 anon_vma:0 mapping:0 index:5")  # fmt: skip
BAD_PAGE = says("BUG: Bad page state in process app  pfn:12345",
                "page dumped because: nonzero _refcount")  # fmt: skip
FORCED = "demo: no symbol version for module_layout"
ASSERTION = bug("fs/demo/super.c:77")
DIVIDE = oops("divide error: 0000 [#1] PREEMPT SMP NOPTI", code="90 <f7> f9 c3")
HUNG = stamped(
    "INFO: task app:71 blocked for more than 120 seconds.",
    "      Tainted: G           OE      6.1.0-1-amd64 #1",
    '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
    "task:app             state:D stack:0     pid:71    ppid:1      flags:0x00000002",
    "Call Trace:", " <TASK>", " __schedule+0x34d/0x9e0", " schedule+0x5a/0xd0",
    " demo_wait+0x44/0xa0 [demo]", " vfs_read+0x9f/0x190", " </TASK>",
)  # fmt: skip
WAITS_FOR_DISK = HUNG.replace("demo_wait+0x44/0xa0 [demo]", "io_schedule+0x12/0x40")
KILLED = stamped(
    "app invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0",
    CPU, "Call Trace:", " <TASK>", " dump_header+0x4a/0x201", " oom_kill_process+0xf3/0x110",
    " out_of_memory+0x1f1/0x500", " </TASK>", "Mem-Info:",
    "Out of memory: Killed process 71 (app) total-vm:2000000kB, anon-rss:1900000kB",
)  # fmt: skip
NO_PAGES = says("app: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL), nodemask=(null)")
FLIPPED = gpf("dfff91a2c3d4e5f0", code=LOAD,
              registers={"rsi": "dfff91a2c3d4e5f0", "rbx": "ffff91a2c3d4e000"})  # fmt: skip
FLIPPED_GUEST = gpf("dfff91a2c3d4e5f0", code=LOAD, hardware="QEMU Standard PC",
              registers={"rsi": "dfff91a2c3d4e5f0", "rbx": "ffff91a2c3d4e000"})  # fmt: skip
SEGFAULT = stamped("app[71]: segfault at 18 ip 0000555555555131 sp 00007ffe12345678 error 4 "
                   "in app[555555555000+1000] likely on CPU 1 (core 1, socket 0)")  # fmt: skip
INIT = says("Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b")
ASKED = says("sysrq: Trigger a crash", "Kernel panic - not syncing: sysrq triggered crash")


class Logs(NamedTuple):
    """The logs of a cause: one that is it, a near miss with what that is, one without it."""

    it: str
    near: str
    is_rather: RootCause
    without: str


CAUSES = {
    RootCause.NULL_DEREF: Logs(NULL, ERROR, RootCause.ERR_PTR, WILD),
    RootCause.ERR_PTR: Logs(
        ERROR,
        page_fault("fffffffffffffff0", 2, code="90 <f0> ff 48 f0 0f", registers={"rax": "0"}),
        RootCause.NULL_DEREF,
        NULL,
    ),
    RootCause.USE_AFTER_FREE: Logs(POISONED, NEVER_SET, RootCause.WILD_POINTER, NULL),
    RootCause.DOUBLE_FREE: Logs(
        bug("mm/slub.c:4321", place="kfree+0x1f/0x130"),
        bug("fs/demo/super.c:77", place="kfree+0x1f/0x130"),
        RootCause.LOGIC_ERROR,
        POISONED,
    ),
    RootCause.OUT_OF_BOUNDS: Logs(
        page_fault(VMALLOC, code=LOAD, registers={"rsi": VMALLOC, "rdi": "ffffc90000345f00"}),
        page_fault("ffffc90000346800", code=LOAD, registers={"rsi": "ffffc90000346800"}),
        RootCause.WILD_POINTER,
        NULL,
    ),
    RootCause.WILD_POINTER: Logs(WILD, POISONED, RootCause.USE_AFTER_FREE, NULL),
    RootCause.USER_ACCESS: Logs(USER, USER_UNMAPPED, RootCause.WILD_POINTER, UNMAPPED),
    RootCause.READONLY_WRITE: Logs(CONSTANT, RESERVED, RootCause.PAGE_TABLE, USER),
    RootCause.STACK_OVERFLOW: Logs(GUARD, CANARY, RootCause.OUT_OF_BOUNDS, UNMAPPED),
    RootCause.LIST_CORRUPTION: Logs(DELETED_TWICE, DELETED_READ, RootCause.USE_AFTER_FREE, NULL),
    RootCause.PAGE_TABLE: Logs(BAD_MAP, BAD_PAGE, RootCause.USE_AFTER_FREE, UNMAPPED),
    RootCause.API_MISMATCH: Logs(
        stamped(FORCED, at=40) + warning("demo.c:7"),
        stamped(FORCED.replace("demo", "other"), at=40) + warning("demo.c:7"),
        RootCause.LOGIC_ERROR,
        warning("demo.c:7"),
    ),
    RootCause.LOGIC_ERROR: Logs(
        ASSERTION,
        bug("mm/slub.c:4321", place="kfree+0x1f/0x130"),
        RootCause.DOUBLE_FREE,
        NULL,
    ),
    RootCause.LOCKUP_HANG: Logs(
        HUNG, says("INFO: trying to register non-static key."), RootCause.LOGIC_ERROR, KILLED
    ),
    RootCause.OOM: Logs(KILLED, SEGFAULT, RootCause.USER_SPACE, HUNG),
    RootCause.HARDWARE: Logs(FLIPPED, FLIPPED_GUEST, RootCause.WILD_POINTER, WILD),
    RootCause.USER_SPACE: Logs(SEGFAULT, KILLED, RootCause.OOM, NULL),
    RootCause.UNKNOWN: Logs(
        stamped("Kernel panic - not syncing: Fatal exception"),
        says("Kernel panic - not syncing: demo cannot go on"),
        RootCause.LOGIC_ERROR,
        ASSERTION,
    ),
    RootCause.NONE: Logs(
        ASKED,
        says("Kernel panic - not syncing: hung_task: blocked tasks"),
        RootCause.LOCKUP_HANG,
        ASSERTION,
    ),
}
EACH = pytest.mark.parametrize("cause", RootCause)


@EACH
def test_it_is_found(cause: RootCause) -> None:
    found = verdict(CAUSES[cause].it)
    assert found.root_cause is cause
    assert (found.confidence > 0.5) is (cause is not RootCause.UNKNOWN)


@EACH
def test_a_near_miss_is_called_what_it_is(cause: RootCause) -> None:
    assert verdict(CAUSES[cause].near).root_cause is CAUSES[cause].is_rather


@EACH
def test_it_is_not_seen_where_it_is_not(cause: RootCause) -> None:
    found = verdict(CAUSES[cause].without)
    assert found.candidates
    assert of(found, cause) is None


def test_the_logs_of_a_cause_differ() -> None:
    assert all(len({logs.it, logs.near, logs.without}) == 3 for logs in CAUSES.values())
