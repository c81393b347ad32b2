"""What a module that is gone left in a list of the kernel, where nothing names the module."""

from __future__ import annotations

from typing import Any, Final

import pytest

from diagnosis.logs import page_fault, stamped, verdict
from klog.test_printed_otherwise import OLD
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause

STALE: Final = "ffffffffc0631180"
SHADOW: Final = "fffffbfff80c6230"
"""KASAN's shadow of `STALE`: a right shift by 3, plus 0xdffffc0000000000."""
CORE: Final[dict[str, Any]] = {
    "place": "percpu_counter_walk+0xf7/0x2a0",
    "trace": ("mmdrop+0x209/0x350",),
}
PLAIN: Final[dict[str, Any]] = {"tainted": "Not tainted", "modules": "ext4", "code": None}


def is_of_nobody(found: Diagnosis) -> bool:
    who = (found.root_cause, found.attribution, found.module)
    said = "in a module that was unloaded before" in found.summary
    assert said == (who == (RootCause.USE_AFTER_FREE, Attribution.MODULE, None))
    return said


def test_core_code_that_walks_to_where_a_module_was() -> None:
    assert is_of_nobody(verdict(page_fault(STALE, **CORE, **PLAIN)))


@pytest.mark.parametrize(
    "other",
    [
        page_fault("ffff888012345670", **CORE, **PLAIN),
        page_fault(STALE, **CORE | {"trace": ("quay_walk+0x9/0x50 [quay]",)}, **PLAIN),
        page_fault(STALE, **CORE | {"place": "quay_walk+0xf7/0x2a0 [quay]"}, **PLAIN),
        page_fault(STALE, **CORE, **PLAIN | {"modules": "ext4 [last unloaded: quay]"}),
        page_fault(STALE, 0x10, **CORE | {"place": f"0x{STALE}"}, **PLAIN),
    ],
)
def test_other_faults_are_not_of_a_module_that_is_gone(other: str) -> None:
    assert not is_of_nobody(verdict(other))


def shadowed(flags: str) -> str:
    return stamped(
        f"BUG: unable to handle page fault for address: {SHADOW}",
        f"Oops: 0000 [#1] {flags}",
        "CPU: 1 PID: 7 Comm: kthreadd Not tainted 6.9.0 #1",
        "RIP: 0010:percpu_counter_walk+0xf7/0x2a0",
        "Call Trace:",
        " mmdrop+0x209/0x350",
    )


def test_a_kernel_with_kasan_faults_in_the_shadow_of_the_address() -> None:
    found = verdict(shadowed("PREEMPT SMP KASAN NOPTI"))
    assert is_of_nobody(found)
    assert any(f"0x{STALE}" in evidence.text for evidence in found.candidates[0].evidence)
    assert not is_of_nobody(verdict(shadowed("PREEMPT SMP NOPTI")))


def test_who_registers_beside_an_entry_of_a_module_that_is_gone() -> None:
    found = verdict(OLD)
    assert is_of_nobody(found)
    assert found.experiment is None
    for part, other in (
        ("f8a1b670", "c8a1b670"),  # Ordinary memory.
        ("kobject_add+0x83", "vsnprintf+0x83"),  # No list.
    ):
        assert not is_of_nobody(verdict(OLD.replace(part, other)))


def test_the_module_that_is_known_to_be_gone_is_named() -> None:
    gone = OLD.replace("ext3 jbd", "ext3 jbd [last unloaded: buoy]")
    assert not is_of_nobody(verdict(gone))
