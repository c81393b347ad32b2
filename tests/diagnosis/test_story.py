"""What the task was doing, from where its trace begins to the fault."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from diagnosis.logs import NULL, diagnosed, oops
from pagefault_doctor.diagnosis.explanation.story import story
from pagefault_doctor.model.report import Frame, Kind, Report

MakeReport = Callable[..., Report]
CALL = ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")


def told(report: Report) -> str | None:
    found = story(report)
    return found.text if found else None


@pytest.mark.parametrize(
    ("trace", "text"),
    [
        (
            ("unlink_anon_vmas", "free_pgtables", "exit_mmap", "mmput", "do_exit", *CALL),
            "ending, giving back its memory",
        ),
        (
            ("pfd_poll", "dpm_resume.part.0", "suspend_devices_and_enter", "kernfs_fop_write_iter",
             "ksys_write", *CALL),
            "writing to a file of /sys, suspending the machine, resuming devices",
        ),
        (("pfd_poll", "__x64_sys_lseek", *CALL), "system call lseek"),
        (("pfd_poll", "SyS_fsync", "system_call"), "system call fsync"),
        # The phrase tells the call.
        (("pfd_sync", "vfs_fsync_range", "SyS_fsync", "system_call"), "writing a file out (fsync)"),
        # A guess is no part of it.
        (("pfd_poll", "? do_exit", "ksys_read", *CALL), "system call read"),
        # What is below the begin of a stack is of another one.
        (("pfd_poll", "__fput", *CALL, "do_exit", "do_syscall_64"), "closing a file"),
        (("pfd_poll", "do_syscall_64"), None),
        ((), None),
    ],
)  # fmt: skip
def test_the_trace_is_told_from_its_outermost_function_on(
    report: MakeReport, trace: tuple[str, ...], text: str | None
) -> None:
    assert told(report(trace=trace)) == text


def test_what_an_interrupt_interrupted_is_not_told(report: MakeReport) -> None:
    frames = (
        Frame("pfd_irq", context="IRQ"),
        Frame("handle_irq_event", context="IRQ"),
        Frame("do_exit", context="TASK"),
    )
    one = msgspec.structs.replace(report(), frames=frames)
    assert told(one) == "handling a device's interrupt"


@pytest.mark.parametrize(
    ("comm", "text"),
    [
        ("kworker/3:1", "work pfd_work of module pfd (queue events)"),
        (None, "work pfd_work of module pfd (queue events)"),
        # The line is of another task, whose report runs through this one.
        ("cat", None),
    ],
)
def test_a_worker_is_told_by_its_work(
    report: MakeReport, comm: str | None, text: str | None
) -> None:
    assert told(report(comm=comm, workqueue="events pfd_work [pfd]")) == text


@pytest.mark.parametrize(
    ("comm", "text"),
    [
        ("kswapd0", "reclaiming memory in the background"),
        ("irq/55-xhci_hcd", "handling interrupts of xhci_hcd in a thread"),
        ("jbd2/sda1-8", "committing the journal of sda1"),
        ("kswapd-like", None),
        ("cat", None),
    ],
)
def test_without_a_trace_a_task_of_the_kernel_is_told_by_its_name(
    report: MakeReport, comm: str, text: str | None
) -> None:
    assert told(report(comm=comm)) == text
    assert told(report(comm=comm, trace=("__fput", *CALL))) == "closing a file"


def test_a_lock_that_the_task_may_hold_itself_is_told(report: MakeReport) -> None:
    trace = ("mutex_lock", "pfd_update", "pfd_set", "pfd_update", "process_one_work")
    assert "pfd_update is twice in the trace" in (told(report(trace=trace)) or "")
    once = ("mutex_lock", "pfd_update", "pfd_set", "process_one_work")
    assert told(report(trace=once)) is None
    nmi = ("_raw_spin_lock_irqsave", "machine_kexec", "panic", "do_nmi", "_raw_spin_lock_irqsave")
    found_by_nmi = (*nmi, "pfd_update", "pfd_set", "pfd_update.isra.0")
    assert "pfd_update is twice" in (told(report(trace=found_by_nmi)) or "")
    # Nobody waits there.
    free = ("pfd_read", "pfd_update", "pfd_set", "pfd_update")
    assert told(report(trace=free)) is None


def test_a_broken_part_is_no_matter_of_the_task(report: MakeReport) -> None:
    assert told(report(kind=Kind.HARDWARE, comm="kswapd0")) is None


def test_the_answer_tells_it_with_the_line() -> None:
    text = oops(NULL.format("0000000000000008"), trace=("pfd_a+0x1/0x9", "do_exit+0x1/0x9"))
    account = diagnosed(text)[0].account
    assert account
    assert account.story
    assert account.story.text == "ending"
    assert account.story.line
