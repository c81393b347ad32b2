"""Every headline of a catalogue of reports is known for what it is.

The catalogue is a list of lines in `catalogue_lines.json`, in the folder PFDOCTOR_KNOWLEDGE names.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]

KINDS: tuple[tuple[str, Kind], ...] = (
    (r"^Internal error: (?:Oops - BUG|BRK)|monitor event|kernel BUG at|^Kernel BUG|skb_\w+_panic",
     Kind.KERNEL_BUG),
    (r"^Internal error: synchronous|[Mm]achine check|Machine Check|SError|^EDAC|APEI|AER:",
     Kind.HARDWARE),
    (r"^Memory failure|NMI: |NMI received", Kind.HARDWARE),
    (r"^Internal error: Oops: ", Kind.PAGE_FAULT),
    (r"^Internal error: |invalid opcode: |ENDBR|CFI failure|control protection", Kind.TRAP),
    (r"\w\[\d+\]: segfault", Kind.USER_SEGFAULT),
    (r"^traps: \w+\[\d+\]", Kind.USER_TRAP),
    (r"general protection fault", Kind.GENERAL_PROTECTION),
    (r"NULL pointer", Kind.NULL_POINTER),
    (r"outside uaccess|Kernel attempted to", Kind.USER_ACCESS),
    (r"stack guard page|Insufficient stack|stack overflow", Kind.STACK_GUARD),
    (r"corrupted stack|stack is corrupted", Kind.STACK_CORRUPTED),
    (r"double fault,", Kind.DOUBLE_FAULT),
    (r"BUG: K[A-Z]+: |^UBSAN", Kind.SANITIZER),
    (r"^BUG kmalloc|double free detected", Kind.SLAB),
    (r"^list_", Kind.LIST_CORRUPTION),
    (r"^refcount_t", Kind.REFCOUNT),
    (r"^usercopy", Kind.USERCOPY),
    (r"Bad page|Bad rss|Corrupted page table", Kind.BAD_PAGE),
    (r"soft lockup|hard LOCKUP|workqueue lockup", Kind.LOCKUP),
    (r"^rcu: ", Kind.STALL),
    (r"^INFO: task ", Kind.HUNG_TASK),
    (r"oom-killer|^(?:Out|Memory cgroup out) of memory: Kill", Kind.OOM_KILL),
    (r"Kernel panic|Trigger a crash", Kind.PANIC),
    (r"while atomic|sleeping function", Kind.ATOMIC_SLEEP),
    (r"circular locking|spinlock|DEBUG_LOCKS", Kind.LOCKDEP),
    (r"^unreferenced", Kind.LEAK),
    (r"page allocation failure", Kind.INFO),
    (r"paging request|page fault|execute|Oops|data access|write to|pointer deref", Kind.PAGE_FAULT),
    (r"^WARNING|detected |^ODEBUG|NETDEV|nobody cared", Kind.WARNING),
)  # fmt: skip
"""What tells the kind of a line, the more special before the more general."""

EVENTS = (
    ("symbol-version", r"disagrees about"),
    ("version-magic", r"version magic"),
    ("unknown-symbol", r"Unknown symbol"),
    ("out-of-tree", r"out-of-tree"),
)
"""Lines that are facts about modules and no reports."""

ONE_OF_EACH = (
    "BUG: kernel NULL pointer dereference, address: 0000000000000018",
    "kernel tried to execute NX-protected page - exploit attempt? (uid: 1000)",
    "CFI failure at pfd_call+0x1/0x2 [pfd] (target: pfd_cb+0x0/0x10 [pfd]; expected type: 0x1)",
    "ODEBUG: free active (active state 0) object: 1 object type: timer_list hint: pfd_t+0x0/0x1",
    "EDAC MC0: 1 CE memory read error on DIMM_A1 (channel:1 slot:0 page:0x1 offset:0x0 grain:32)",
    "sysrq: Trigger a crash",
    "NETDEV WATCHDOG: eth0 (pfd): transmit queue 0 timed out 5000 ms",
    "DEBUG_LOCKS_WARN_ON(1)",
    "Uhhuh. NMI received for unknown reason 3d on CPU 1.",
)


def _lines() -> list[str]:
    named = os.environ.get("PFDOCTOR_KNOWLEDGE")
    path = Path(named) / "catalogue_lines.json" if named else None
    return json.loads(path.read_text()) if path and path.is_file() else []


@pytest.mark.parametrize("line", [*_lines(), *ONE_OF_EACH])
def test_a_headline_alone_tells_the_kind(read: Read, line: str) -> None:
    log = read(f"[   12.345678] {line}\n")
    event = next((what for what, words in EVENTS if words in line), None)
    if event:
        assert [e.what for e in log.module_events] == [event]
        assert not log.reports
        return
    kind = next(kind for words, kind in KINDS if re.search(words, line))
    assert [r.kind for r in log.reports] == [kind]
