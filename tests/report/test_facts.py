"""The facts of a report: the log's own words, their line, and what they mean."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.diagnosis import Quote

TRACE = """\
Call Trace:
 pfd_write+0x1/0x9 [pfd]
 vfs_write+0x1/0x9
"""
OOPS = """\
BUG: kernel NULL pointer dereference, address: 0000000000000010
#PF: supervisor read access in kernel mode
Oops: 0000 [#1] SMP
CPU: 1 PID: 5 Comm: cat Tainted: G        W  OE      6.1.0-1-amd64 #1
RIP: 0010:pfd_poll+0x51/0x90 [pfd]
Code: 90 90 90 90 90 90 90 90 90 90 90 90 90 90 48 8b 40 08 <48> 8b 40 10 5d c3 00 00
RSP: 0018:ffffc90000123d60 EFLAGS: 00010246
RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000
Modules linked in: pfd(OE) other(E)
"""
VM_BUG = """\
page:ffffea0000e8d000 refcount:1 mapcount:-128 mapping:0000000000000000 index:0x2e pfn:0x3a340
flags: 0x4000000000000000(zone=1)
page dumped because: VM_BUG_ON_FOLIO(!folio_test_locked(folio))
------------[ cut here ]------------
kernel BUG at mm/pfd.c:1499!
invalid opcode: 0000 [#1] SMP
CPU: 1 PID: 5 Comm: cat Not tainted 6.1.0-1-amd64 #1
RIP: 0010:pfd_unlock+0xb3/0xd0
"""
WARNED = """\
------------[ cut here ]------------
pfd: queue 3 still has 7 entries
WARNING: CPU: 1 PID: 5 at drivers/pfd/queue.c:88 pfd_stop+0x10/0x20 [pfd]
Modules linked in: pfd(O)
CPU: 1 PID: 5 Comm: cat Tainted: G           O      6.1.0-1-amd64 #1
RIP: 0010:pfd_stop+0x10/0x20 [pfd]
"""
WARNED_LONG_AGO = """\
------------[ cut here ]------------
WARNING: at drivers/pfd/queue.c:88 pfd_stop+0x10/0x20()
Hardware name: To be filled in
queue 3 still has 7 entries
Modules linked in: pfd
Pid: 5, comm: cat Not tainted 2.6.32 #1
"""
SLAB = """\
BUG: KASAN: slab-out-of-bounds in pfd_write+0x1/0x9 [pfd]
Write of size 4 at addr ffff888012345640 by task cat/5
Allocated by task 4:
 kmalloc+0x1/0x9
 pfd_open+0x1/0x9 [pfd]
The buggy address belongs to the object at ffff888012345600
 which belongs to the cache kmalloc-64 of size 64
The buggy address is located 0 bytes to the right of
"""
OOM = """\
java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=2, oom_score_adj=0
memory: usage 524288kB, limit 524288kB, failcnt 7
Node 0 Normal free:20kB boost:0kB min:40kB low:50kB high:60kB
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    100]     0   100     5000      200    65536        0             0 sh
[    101]     0   101   900000   700000    65536        0             0 java
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task_memcg=/box,task=java,pid=101,uid=0
Memory cgroup out of memory: Killed process 101 (java) total-vm:3600000kB, anon-rss:2800000kB
"""
INIT = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x{}\n"
PROGRAM = (
    "pfd[7]: segfault at 8 ip 00007f0000401234 sp 00007ffc00000000 error 4 in "
    "libpfd.so[7f0000400000+2000]\n"
)
MAPPED = PROGRAM.replace("libpfd.so[", "libpfd.so[9234,")
HUNG = """\
INFO: task pfd_sync:31 blocked for more than 120 seconds.
      Not tainted 6.1.0 #1
task:pfd_sync        state:D stack:0     pid:31    ppid:1      flags:0x00000000
Call Trace:
 __schedule+0x1/0x9
 schedule+0x1/0x9
 schedule_timeout+0x1/0x9
 wait_for_completion+0x1/0x9
 pfd_flush+0x1/0x9 [pfd]
 vfs_fsync+0x1/0x9
"""
LIST = """\
list_del corruption. next->prev should be ffff888012345678, but was {}
------------[ cut here ]------------
kernel BUG at lib/list_debug.c:62!
invalid opcode: 0000 [#1] SMP
RIP: 0010:__list_del_entry_valid+0x1/0x9
"""
DISK = """\
[1.0] ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x0
[1.0] ata1.00: failed command: READ FPDMA QUEUED
[1.0] ata1.00: status: { DRDY ERR }
[1.0] ata1.00: error: { UNC }
"""


MCE = """\
mce: [Hardware Error]: CPU 0: Machine Check Exception: 4 Bank 5: b200000080060001
mce: [Hardware Error]: TSC 2db9f8ee73 ADDR 3fff1f40
mce: [Hardware Error]: PROCESSOR 0:306a9 TIME 1700000000 SOCKET 0 APIC 0 microcode 21
mce: [Hardware Error]: Machine check: Processor context corrupt
"""
AMD = """\
mce: [Hardware Error]: Machine check events logged
[Hardware Error]: Corrected error, no action required.
[Hardware Error]: CPU:0 (17:71:0) MC17_STATUS[-|CE|MiscV|AddrV|-|-|SyndV|CECC]: 0x9c2041000000011b
[Hardware Error]: Error Addr: 0x00000003ff1f40
[Hardware Error]: Unified Memory Controller Ext. Error Code: 0, DRAM ECC error.
"""
DUMPED = """\
systemd-coredump[9]: Process 7 (pfd) of user 0 dumped core.
systemd-coredump[9]: #0  0x00007f0000401234 n/a (libpfd.so + 0x9dbe2)
"""
STALL = """\
rcu: INFO: rcu_preempt self-detected stall on CPU
rcu:     1-....: (21000 ticks this GP) idle=125c/1/0x4
rcu:     (t=21002 jiffies g=204277 q=1309 ncpus=8)
RIP: 0010:pfd_spin+0x1/0x9 [pfd]
"""
MAP = """\
BUG: Bad page map in process cat  pte:6353826300000000 pmd:00000000
addr:00007f50cab1d000 vm_flags:08100073 anon_vma:ffff9eea335603f0 mapping:0 index:7f50cab1d
"""
FAILED = """\
cat: page allocation failure: order:4, mode:0xc0(GFP_KERNEL), nodemask=(null)
CPU: 1 PID: 5 Comm: cat Not tainted 6.1.0-1-amd64 #1
Call Trace:
 pfd_write+0x1/0x9 [pfd]
Node 0 Normal free:9020kB boost:0kB min:4000kB low:5000kB high:6000kB
"""
SCSI = """\
sd 0:0:0:0: [sda] tag#3 Sense Key : Medium Error [current]
sd 0:0:0:0: [sda] tag#3 Add. Sense: Unrecovered read error
"""
LBUG = """\
LustreError: 99:0:(pfd.c:77:pfd_put()) ASSERTION( atomic_read(&p->ref) > 0 ) failed:
LustreError: 99:0:(pfd.c:77:pfd_put()) LBUG
"""


def facts(text: str) -> dict[str, Quote]:
    """Return the facts of the last report of a log, by their words."""
    stamped = "".join(f"[   10.000000] {line}\n" for line in text.splitlines())
    log = klog.read((text if text.startswith("[") else stamped).encode(), "kern.log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    return {quote.text: quote for quote in opinion.by_report[-1].facts}


@pytest.mark.parametrize(
    ("log", "text", "line", "means"),
    [
        (OOPS, "RIP: 0010:pfd_poll+0x51/0x90 [pfd]", 5, ""),
        (OOPS, "Tainted: G        W  OE", 4, "W a warning before, O out-of-tree (pfd), "),
        (OOPS, "<48> 8b 40 10", 6, "movq 0x10(%rax),%rax, with RAX = 0x0, from movq 8(%rax)"),
        (VM_BUG, "page dumped because: VM_BUG_ON_FOLIO(!folio_test_locked(folio))", 3, ""),
        (VM_BUG, VM_BUG.splitlines()[0], 1, ""),
        (VM_BUG, "kernel BUG at mm/pfd.c:1499!", 5, ""),
        (WARNED, "pfd: queue 3 still has 7 entries", 2, ""),
        (WARNED_LONG_AGO, "queue 3 still has 7 entries", 4, ""),
        (SLAB, "which belongs to the cache kmalloc-64 of size 64", 7, ""),
        (SLAB, "The buggy address is located 0 bytes to the right of", 8, ""),
        (SLAB, "pfd_open+0x1/0x9 [pfd]", 5, "who allocated it"),
        (SLAB, "Allocated by task 4:", 3, ""),
        (OOM, "memory: usage 524288kB, limit 524288kB, failcnt 7", 2, ""),
        (OOM, OOM.splitlines()[5], 6, "the largest process of the list"),
        (OOM, OOM.splitlines()[6], 7, "the limit of a control group was hit"),
        (OOM, OOM.splitlines()[7], 8, ""),
        (OOM, OOM.splitlines()[0], 1, "4 pages in one piece were asked for"),
        (
            INIT.format("00007f00"),
            INIT.format("00007f00").strip(),
            1,
            "status 127: the program",
        ),
        (INIT.format("0000000b"), INIT.format("0000000b").strip(), 1, "signal 11 (SIGSEGV)"),
        (INIT.format("00000100"), INIT.format("00000100").strip(), 1, "ended itself with status 1"),
        (PROGRAM, PROGRAM.strip(), 1, "libpfd.so+0x1234"),
        (MAPPED, MAPPED.strip(), 1, "addr2line -fe libpfd.so 0x9234"),
        (HUNG, "wait_for_completion+0x1/0x9", 8, "where it waits"),
        (HUNG, "pfd_flush+0x1/0x9 [pfd]", 9, "where it waits"),
        (DISK, "ata1.00: error: { UNC }", 4, ""),
        (MCE, MCE.splitlines()[0], 1, ""),
        (MCE, MCE.splitlines()[1], 2, ""),
        (MCE, MCE.splitlines()[2], 3, ""),
        (MCE, MCE.splitlines()[3], 4, ""),
        (AMD, AMD.splitlines()[2], 3, ""),
        (AMD, AMD.splitlines()[4], 5, ""),
        (DUMPED, DUMPED.splitlines()[1], 2, "where it died"),
        (STALL, STALL.splitlines()[1], 2, ""),
        (STALL, STALL.splitlines()[2], 3, ""),
        (MAP, MAP.splitlines()[1], 2, ""),
        (FAILED, FAILED.splitlines()[0], 1, "16 pages in one piece were asked for"),
        (FAILED, FAILED.splitlines()[4], 5, ""),
        (SCSI, SCSI.splitlines()[1], 2, ""),
        (LBUG, LBUG.splitlines()[0], 1, ""),
        (DISK, "ata1.00: failed command: READ FPDMA QUEUED", 2, ""),
    ],
)
def test_what_decides_is_quoted(log: str, text: str, line: int, means: str) -> None:
    found = facts(log)
    (quote,) = (quote for words, quote in found.items() if words.startswith(text))
    assert quote.line == line
    assert means in quote.means


def test_what_stands_in_a_broken_link_is_told() -> None:
    deleted = LIST.format("dead000000000122")
    assert "deleted list entry" in facts(deleted)[deleted.splitlines()[0]].means
    flipped = LIST.format("ffff888012345278")
    assert "differ in one bit" in facts(flipped)[flipped.splitlines()[0]].means
    other = LIST.format("ffff888011111111")
    assert facts(other)[other.splitlines()[0]].means == ""


def test_a_field_of_the_current_task_is_named_as_such() -> None:
    current = OOPS.replace("48 8b 40 08 <", "65 48 8b 04 25 40 7d 01 00 <")
    (instruction,) = (q for q in facts(current).values() if q.text.startswith("<48>"))
    assert "of the current task" in instruction.means
    (ordinary,) = (q for q in facts(OOPS).values() if q.text.startswith("<48>"))
    assert "current task" not in ordinary.means


def test_who_is_blamed_is_shown_where_the_fault_is_in_other_code() -> None:
    blamed = LIST.format("dead000000000122") + (
        "Workqueue: pfd_wq pfd_work [pfd]\nCall Trace:\n pfd_work+0x1/0x9 [pfd]\n"
        " process_one_work+0x1/0x9\nModules linked in: pfd(OE)\n"
    )
    found = facts(blamed)
    assert found["pfd_work+0x1/0x9 [pfd]"].means == "the first of module pfd in the trace"
    assert "Workqueue: pfd_wq pfd_work [pfd]" in found
    assert not any("the first of module" in quote.means for quote in facts(OOPS).values())


def test_an_address_that_is_the_instruction_itself_is_told() -> None:
    jump = (
        "BUG: unable to handle page fault for address: ffffffffc0a1b2c3\n"
        "#PF: supervisor instruction fetch in kernel mode\n"
        "Oops: 0010 [#1] SMP\n"
        "CPU: 1 PID: 5 Comm: cat Not tainted 6.1.0-1-amd64 #1\n"
        "RIP: 0010:0xffffffffc0a1b2c3\n"
        "RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000\n"
        "CR2: {} CR3: 0000000101f2c000 CR4: 00000000000006e0\n"
        "Call Trace:\n vfs_read+0x1/0x9\n"
    )
    fetched = facts(jump.format("ffffffffc0a1b2c3"))
    assert "the instruction itself" in fetched["CR2: ffffffffc0a1b2c3"].means
    assert not any("CR2" in text for text in facts(jump.format("ffffffffc0a1b299")))


def test_an_allocator_is_not_who_allocated() -> None:
    passed_on = SLAB.replace("pfd_open+0x1/0x9 [pfd]", "kmemdup+0x1/0x9")
    assert "who allocated it" not in {quote.means for quote in facts(passed_on).values()}


def test_a_limit_is_not_told_where_the_whole_machine_ran_out() -> None:
    whole = OOM.replace("CONSTRAINT_MEMCG", "CONSTRAINT_NONE")
    assert "no limit was hit" in facts(whole)[whole.splitlines()[6]].means


def test_one_page_is_no_piece() -> None:
    single = OOM.replace("order=2", "order=0")
    assert facts(single)[single.splitlines()[0]].means == ""


def test_an_entry_point_is_not_what_a_task_waits_in() -> None:
    asleep = HUNG.replace(" wait_for_completion", " kthread").replace(
        " pfd_flush", " ret_from_fork"
    )
    assert "where it waits" not in {quote.means for quote in facts(asleep).values()}


def test_the_headline_comes_first_and_no_line_twice() -> None:
    for log in (OOPS, VM_BUG, WARNED, SLAB, OOM, HUNG, DISK):
        lines = [quote.line for quote in facts(log).values()]
        assert len(lines) == len(set(lines))
    assert next(iter(facts(VM_BUG))) == "kernel BUG at mm/pfd.c:1499!"


def test_an_earlier_report_of_the_boot_is_quoted_but_not_one_of_another() -> None:
    first = "".join(f"[   10.000000] {line}\n" for line in WARNED.splitlines())
    later = "".join(f"[   12.500000] {line}\n" for line in OOPS.splitlines())
    headline = WARNED.splitlines()[2]
    assert "earlier in this boot, 2.5 s before" in facts(first + later)[headline].means
    boot = "[    0.000000] Linux version 6.1.0-1-amd64 (a@b) (gcc) #1 SMP\n"
    assert headline not in facts(first + boot + later)


def test_a_long_line_is_cut_to_what_matters() -> None:
    long = INIT.format("0000000b").replace("init!", "init! " + "x " * 100)
    (text,) = [text for text in facts(long) if "exitcode" in text or "Attempted" in text]
    assert len(text) <= 160
    unbroken = PROGRAM.replace("libpfd", "lib" + "p" * 300)
    assert all(0 < len(text) <= 160 for text in facts(unbroken))


PLACES = "./include/linux/pfd.h:15 ./fs/pfd/log.h:138 ./fs/pfd/log.c:579"


@pytest.mark.parametrize(
    ("places", "last"),
    [(PLACES, "./fs/pfd/log.c:579"), (f"{PLACES} (discriminator 3)", "./fs/pfd/log.c:579")],
)
def test_the_line_of_an_overrun_stack_is_told_however_long_the_headline(
    places: str, last: str
) -> None:
    head = "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: pfd_log"
    log = klog.read(f"{head} ({places}) pfd\n".encode(), "log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    assert opinion.verdict.facts[0].means == f"at {last}"
