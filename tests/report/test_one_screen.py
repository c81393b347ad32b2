"""The answer to a log of many faults: the one that leads, and a line for each of the rest."""

from __future__ import annotations

import pytest
from msgspec import structs

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.model.consequence import follows_from
from pagefault_doctor.model.diagnosis import Experiment, NextStep, RootCause
from pagefault_doctor.model.known_case import KnownCase
from pagefault_doctor.report.diagnosis import SCREEN, diagnosis_text

OOPS = """\
BUG: kernel NULL pointer dereference, address: 0000000000000010
#PF: supervisor read access in kernel mode
Oops: 0000 [#{number}] SMP
CPU: 1 PID: 5 Comm: cat {taint}      6.1.0-1-amd64 #1
RIP: 0010:pfd_poll{name}+0x51/0x90 [pfd]
Call Trace:
 vfs_read+0x1/0x9
 ksys_read+0x1/0x9
---[ end trace 0000000000000000 ]---
"""
FIRST = OOPS.format(number=1, taint="Tainted: G           O", name="")
SECOND = OOPS.format(number=2, taint="Tainted: G      D    O", name="_two")
PANIC = "Kernel panic - not syncing: Fatal exception in interrupt\n"
STALL = """\
rcu: INFO: rcu_preempt self-detected stall on CPU
rcu:     1-....: (21000 ticks this GP) idle=0/1/0x4
CPU: 1 PID: 9 Comm: sh Not tainted 6.1.0-1-amd64 #1
RIP: 0010:pfd_spin+0x1/0x9 [pfd]
Call Trace:
 vfs_write+0x1/0x9
"""
WARNING = """\
------------[ cut here ]------------
WARNING: CPU: 1 PID: 5 at drivers/other/{name}.c:88 other_{name}+0x10/0x20 [other]
CPU: 1 PID: 5 Comm: sh Not tainted 6.1.0-1-amd64 #1
RIP: 0010:other_{name}+0x10/0x20 [other]
Call Trace:
 vfs_write+0x1/0x9
---[ end trace 0000000000000000 ]---
"""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def log_of(*parts: str) -> bytes:
    """Return a log of the parts, a minute apart."""
    return "".join(
        f"[{60 * (n + 1)}.000000] {line}\n"
        for n, part in enumerate(parts)
        for line in part.splitlines()
    ).encode()


def told(*parts: str, whole: bool = False) -> str:
    log = klog.read(log_of(*parts), "kern.log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    return diagnosis_text("kern.log", log.reports, opinion, whole=whole)


def test_what_followed_has_one_line_below_its_cause() -> None:
    text = told(FIRST, SECOND, STALL)
    assert text.startswith("kern.log:1  BUG: kernel NULL pointer dereference")
    assert "\n  then       10  BUG: kernel NULL pointer dereference" in text
    assert "\n  then       19  rcu: INFO: rcu_preempt self-detected stall on CPU" in text
    assert text.count("\n  cause ") == 1


def test_what_came_before_and_is_no_consequence_is_also_there() -> None:
    text = told(WARNING.format(name="start"), FIRST)
    assert text.startswith("kern.log:8  BUG: ")
    assert "\n  also        2  WARNING: CPU: 1 PID: 5 at drivers/other/start.c:88" in text
    assert "\n  then" not in text


def test_a_report_before_is_told_once() -> None:
    parts = (WARNING.format(name="start"), FIRST)
    assert "earlier in this boot" not in told(*parts)
    assert told(*parts, whole=True).count("earlier in this boot") == 1


def test_the_same_report_again_is_one_report_several_times() -> None:
    text = told(*[WARNING.format(name="start")] * 5)
    assert "\n  often   5 times, lines 2 to 34, over 240.0 s\n" in text
    assert text.count("WARNING: ") == 1


def test_many_reports_fit_a_screen_and_all_are_there_when_asked_for() -> None:
    many = [WARNING.format(name=letter * 3) for letter in LETTERS]
    text = told(FIRST, *many)
    assert len(text.splitlines()) <= SCREEN
    shown = text.count("\n  also ")
    assert f"\n  more    {len(many) - shown} more reports: pfdoctor diagnose --all\n" in text
    whole = told(FIRST, *many, whole=True)
    assert whole.startswith("kern.log:1  BUG: ")
    assert whole.count("\n  cause ") == len(many) + 1
    assert "--all" not in whole


@pytest.mark.parametrize(
    ("parts", "followed"),
    [
        ((FIRST, SECOND), True),
        ((FIRST, STALL), True),
        ((FIRST, WARNING.format(name="late")), False),
        ((WARNING.format(name="early"), STALL), False),
        ((STALL, STALL.replace("pfd_spin", "pfd_wait")), False),
        ((FIRST, "sh[7]: segfault at 8 ip 00007f0000401234 sp 00007ffc00000000 error 4\n"), False),
    ],
)
def test_a_consequence_is_of_the_same_boot_and_of_a_killed_task(
    parts: tuple[str, ...], followed: bool
) -> None:
    first, last = klog.read(log_of(*parts), "kern.log").reports
    assert follows_from(last, first) is followed
    assert not follows_from(first, last)


def test_a_fault_of_another_boot_is_no_consequence() -> None:
    first, last = klog.read(log_of(FIRST, STALL), "kern.log").reports
    assert not follows_from(structs.replace(last, boot=1), first)


def test_the_suspect_and_not_the_check_is_where_it_happened() -> None:
    text = told(
        "list_del corruption. next->prev should be ffff888012345678, but was dead000000000122\n"
        "------------[ cut here ]------------\n"
        "kernel BUG at lib/list_debug.c:62!\n"
        "invalid opcode: 0000 [#1] SMP\n"
        "CPU: 1 PID: 5 Comm: cat Tainted: G           O      6.1.0-1-amd64 #1\n"
        "RIP: 0010:__list_del_entry_valid+0x1/0x9\n"
        "Call Trace:\n pfd_release+0x1/0x9 [pfd]\n __fput+0x1/0x9\n"
        "Modules linked in: pfd(OE)\n"
    )
    assert "\n  where   module pfd (out-of-tree, unsigned), function pfd_release, cat[5]" in text
    assert text.startswith("kern.log:3  kernel BUG at lib/list_debug.c:62!\n")


def test_a_stall_tells_no_pointer_of_what_the_processor_did_meanwhile() -> None:
    stalled = STALL.replace(
        "Call Trace",
        "Code: 90 90 90 90 90 90 90 90 90 90 90 90 <8b> 02 90 90 90 90 90 90\n"
        "RSP: 0018:ffffc90000123d60 EFLAGS: 00010246\n"
        "RAX: 0000000000000000 RBX: 0000000000000000 RDX: 00007ffc12345678\nCall Trace",
    )
    assert "RDX" not in told(stalled)


def test_a_program_reads_and_not_the_kernel() -> None:
    text = told(
        "sh[7]: segfault at 8 ip 00007f0000401234 sp 00007ffc00000000 error 4 in sh[400+2]\n"
    )
    assert "The program sh read from 0x8" in text
    assert "the kernel read" not in text


UNSURE = """\
general protection fault, maybe for address 0x20: 0000 [#1] SMP
CPU: 1 PID: 5 Comm: cat Not tainted 6.1.0-1-amd64 #1
RIP: 0010:__dec_node_page+0x13/0x60
Call Trace:
 unmap_pages+0x1/0x9
"""


def test_weak_causes_and_what_repeats_the_next_step_are_left_for_all() -> None:
    log = klog.read(log_of(UNSURE), "kern.log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    others = [
        structs.replace(opinion.by_report[0].candidates[0], root_cause=cause, confidence=part)
        for cause, part in ((RootCause.USE_AFTER_FREE, 0.2), (RootCause.HARDWARE, 0.14))
    ]
    tells = ((RootCause.USE_AFTER_FREE, "6b6b"), (RootCause.WILD_POINTER, "nothing"))
    changed = structs.replace(
        opinion.by_report[0],
        root_cause=RootCause.WILD_POINTER,
        confidence=0.5,
        candidates=(opinion.by_report[0].candidates[0], *others),
        next_step=NextStep("reproduce", "Do the same with CONFIG_KASAN=y."),
        experiment=Experiment("it", "reproduce", "boot with slub_debug=FZPU", (), tells),
    )
    changed_opinion = structs.replace(opinion, by_report=(changed,))
    text = diagnosis_text("kern.log", log.reports, changed_opinion)
    assert "\n  or      20% use-after-free" in text
    assert "hardware" not in text
    assert "or try" not in text
    whole = diagnosis_text("kern.log", log.reports, changed_opinion, whole=True)
    assert "\n  or      14% hardware" in whole
    assert "\n  or try  to tell the causes apart" in whole
    other = structs.replace(changed, next_step=NextStep("check-logs", "Update the kernel."))
    text = diagnosis_text("kern.log", log.reports, structs.replace(opinion, by_report=(other,)))
    assert "\n  or try  to tell the causes apart" in text


def test_of_what_is_known_to_be_harmless_the_book_alone_says_what_to_do() -> None:
    log = klog.read(log_of(UNSURE), "kern.log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    assert "\n  next " in diagnosis_text("kern.log", log.reports, opinion)
    case = KnownCase(id="quay", says="The sum is as it should be.", do="Leave it.", harmless=True)
    known = structs.replace(opinion.by_report[0], known=(case,))
    changed = structs.replace(opinion, by_report=(known,))
    text = diagnosis_text("kern.log", log.reports, changed)
    assert "\n  next    Leave it.\n" in text
    assert text.count("\n  next ") == 1
    assert "The sum is as it should be." in text


def test_of_a_harmless_report_without_advice_nothing_has_to_be_done() -> None:
    log = klog.read(log_of(UNSURE), "kern.log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    cases = (
        KnownCase(id="quay", says="The sum is as it should be.", harmless=True),
        KnownCase(id="wharf", says="Met in old builds."),
    )
    known = structs.replace(opinion.by_report[0], known=cases)
    changed = structs.replace(opinion, by_report=(known,))
    text = diagnosis_text("kern.log", log.reports, changed)
    assert "cause   most likely harmless (quay): The sum is as it should be." in text
    assert "known   wharf: Met in old builds." in text
    assert "next    Nothing has to be done." in text
    assert known.summary not in text


def test_a_known_case_does_not_repeat_the_advice_of_the_next_step() -> None:
    log = klog.read(log_of(UNSURE), "kern.log")
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    case = KnownCase(id="quay", says="A group is full.", do="Raise the limit.", command="top")
    step = NextStep("check-logs", "The group met its limit: raise it.")
    known = structs.replace(opinion.by_report[0], known=(case,), next_step=step)
    text = diagnosis_text("kern.log", log.reports, structs.replace(opinion, by_report=(known,)))
    assert "known   quay: A group is full.\n" in text
    other = structs.replace(known, next_step=NextStep("check-logs", "Update the kernel."))
    text = diagnosis_text("kern.log", log.reports, structs.replace(opinion, by_report=(other,)))
    assert "known   quay: A group is full. Raise the limit. Try: top" in text
