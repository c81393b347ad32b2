"""A callback that is missing: the owner of the table is to blame, not who called through it."""

from __future__ import annotations

import msgspec
import pytest

from diagnosis.logs import page_fault, verdict
from pagefault_doctor import klog
from pagefault_doctor.diagnosis.callbacks import owned
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis
from pagefault_doctor.model.report import Frame, Report


def report(*frames: Frame) -> Report:
    """Return a report with a call trace of these frames."""
    (one,) = klog.read(page_fault("0000000000000000").encode(), "log").reports
    return msgspec.structs.replace(one, frames=frames)


def called_from(function: str, tainted: str, modules: str = "") -> Diagnosis:
    log = page_fault(
        "0000000000000000", 0x10, place="0x0", code=None, tainted=tainted, modules=modules,
        trace=(f"{function}+0x45/0x80", "ksys_lseek+0x7d/0xb0"),
    )  # fmt: skip
    return verdict("\n".join(x for x in log.split("\n") if modules or "linked in" not in x))


def test_the_cause_names_what_kind_of_owner_it_is() -> None:
    found = called_from("proc_reg_llseek", "Tainted: G           O     ")
    assert (found.attribution, found.module) == (Attribution.MODULE, None)
    assert "in a module from outside the kernel, the owner of a file below /proc" in found.summary


def test_the_modules_that_may_be_meant_are_named() -> None:
    found = called_from("proc_reg_llseek", "Tainted: G           O     ", "quay(O) buoy(O) ext4")
    assert "from outside the kernel (quay, buoy), the owner of a file" in found.summary


@pytest.mark.parametrize(
    ("function", "tainted", "modules"),
    [
        ("proc_reg_llseek", "Not tainted", ""),
        ("proc_reg_llseek", "Tainted: G        W     ", ""),
        ("proc_reg_llseek", "Tainted: G           O     ", "ext4 jbd2"),  # Its list has none.
        ("tcp_ack", "Tainted: G           O     ", ""),  # A table of the kernel's own.
    ],
)
def test_without_a_sign_of_such_a_module_it_is_the_kernel(
    function: str, tainted: str, modules: str
) -> None:
    found = called_from(function, tainted, modules)
    assert found.attribution is Attribution.KERNEL
    assert "in the kernel" in found.summary
    assert "in a module" not in found.summary


@pytest.mark.parametrize(
    ("function", "what"),
    [
        ("dev_attr_show", "a file below /sys"),
        ("process_one_work", "a work item"),
        ("call_timer_fn", "a timer"),
        ("blocking_notifier_call_chain", "a notifier"),
        ("really_probe", "a driver"),
        ("chrdev_open", "a device file"),
        ("tcp_ack", None),
    ],
)
def test_what_a_function_is_called_for(function: str, what: str | None) -> None:
    assert owned(report(Frame(None), Frame(function))) == what
    assert owned(report(Frame("residue", reliable=False), Frame(function))) == what
    assert owned(report(Frame(function, module="quay"))) is None
