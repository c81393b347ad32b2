"""Overruns, garbage pointers, constant memory and flipped bits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diagnosis.conftest import make_report
from diagnosis.logs import page_fault, verdict
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.report import Access, Kind

Diagnose = Callable[..., Diagnosis]
NON_CANONICAL = "general protection fault, probably for non-canonical address 0x{}: 0000 [#1]"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Kind.SANITIZER, "BUG: KASAN: slab-out-of-bounds in fill+0x3a/0x50 [demo]"),
        (Kind.SANITIZER, "BUG: KFENCE: out-of-bounds write in fill+0x3a/0x50 [demo]"),
        (Kind.SANITIZER, "UBSAN: array-index-out-of-bounds in demo.c:10:4"),
        (Kind.SLAB, "BUG kmalloc-16 (Tainted: G    OE): Right Redzone overwritten"),
        (Kind.USERCOPY, "usercopy: Kernel memory exposure attempt detected from SLUB object 'x'"),
        (Kind.KERNEL_BUG, "detected buffer overflow in memcpy"),
        (Kind.STACK_CORRUPTED, "Kernel panic: stack-protector: Kernel stack is corrupted in: f"),
    ],
)
def test_the_kernels_own_checks_of_bounds(diagnosis: Diagnose, kind: Kind, line: str) -> None:
    found = diagnosis(kind, line)
    assert found.root_cause is RootCause.OUT_OF_BOUNDS
    assert found.confidence > 0.8


def test_a_shift_out_of_bounds_is_arithmetic(diagnosis: Diagnose) -> None:
    found = diagnosis(Kind.SANITIZER, "UBSAN: shift-out-of-bounds in demo.c:10:4")
    assert found.root_cause is RootCause.LOGIC_ERROR


def test_a_walk_off_the_end_of_a_page(diagnosis: Diagnose) -> None:
    found = diagnosis(
        address="0xffffc90000346000",
        access=Access.READ,
        registers={"rsi": "0xffffc90000345f00"},
    )
    assert found.root_cause is RootCause.OUT_OF_BOUNDS


def test_the_start_of_a_page_with_no_register_near_is_no_walk(diagnosis: Diagnose) -> None:
    found = diagnosis(
        address="0xffffc90000346000",
        access=Access.READ,
        registers={"rsi": "0xffff888000123400"},
    )
    assert RootCause.OUT_OF_BOUNDS not in {c.root_cause for c in found.candidates}


def test_the_middle_of_a_page_is_no_walk(diagnosis: Diagnose) -> None:
    found = diagnosis(address="0xffffc90000346800", registers={"rsi": "0xffffc90000345f00"})
    assert RootCause.OUT_OF_BOUNDS not in {c.root_cause for c in found.candidates}


def test_text_in_the_bad_pointer_is_an_overrun_and_elsewhere_it_is_only_data(
    diagnosis: Diagnose,
) -> None:
    text, line = "4141414141414141", NON_CANONICAL.format("4141414141414141")
    overrun = diagnosis(Kind.GENERAL_PROTECTION, line, address=f"0x{text}")
    passing = diagnosis(
        Kind.GENERAL_PROTECTION,
        NON_CANONICAL.format("12f3456789abcdef"),
        address="0x12f3456789abcdef",
        registers={"rdx": f"0x{text}"},
    )
    assert RootCause.OUT_OF_BOUNDS in {c.root_cause for c in overrun.candidates}
    assert RootCause.OUT_OF_BOUNDS not in {c.root_cause for c in passing.candidates}


def test_garbage_is_a_wild_pointer(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        NON_CANONICAL.format("12f3456789abcdef"),
        address="0x12f3456789abcdef",
    )
    assert found.root_cause is RootCause.WILD_POINTER
    assert found.confidence < 0.9


def test_a_jump_to_data_is_a_wild_pointer(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.PAGE_FAULT,
        "kernel tried to execute NX-protected page - exploit attempt? (uid: 0)",
        address="0xffff888004c12000",
        access=Access.EXECUTE,
        error_code="0x11",
    )
    assert found.root_cause is RootCause.WILD_POINTER


def test_an_address_that_is_not_the_pointer_of_the_fault_is_not_weighed(
    diagnosis: Diagnose,
) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        "general protection fault, maybe for address 0x0: 0000 [#1] SMP",
        address="0x0",
        code="<66> 0f 38 82 06",
        registers={"rsi": "0xffffc90000346800"},
    )
    assert RootCause.NULL_DEREF not in {c.root_cause for c in found.candidates}


def test_a_single_flipped_bit_is_hardware(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        NON_CANONICAL.format("dfff91a2c3d4e5f0"),
        address="0xdfff91a2c3d4e5f0",
        registers={"rdi": "0xdfff91a2c3d4e5f0", "rbx": "0xffff91a2c3d4e000"},
        module="demo",
    )
    assert found.root_cause is RootCause.HARDWARE
    assert found.attribution is Attribution.HARDWARE
    assert found.candidates[1].root_cause is RootCause.WILD_POINTER


def test_the_same_flip_in_a_virtual_machine_is_not_blamed_on_hardware(
    diagnosis: Diagnose,
) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        NON_CANONICAL.format("dfff91a2c3d4e5f0"),
        address="0xdfff91a2c3d4e5f0",
        registers={"rbx": "0xffff91a2c3d4e000"},
        hardware="QEMU Standard PC (Q35 + ICH9, 2009)",
    )
    assert found.root_cause is RootCause.WILD_POINTER


def test_one_flip_away_from_nothing_known_is_no_flip(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        NON_CANONICAL.format("dfff91a2c3d4e5f0"),
        address="0xdfff91a2c3d4e5f0",
        registers={"rbx": "0xffff888100000000"},
    )
    assert RootCause.HARDWARE not in {c.root_cause for c in found.candidates}


@pytest.mark.parametrize("address", ["0xffffffffc0a01000", "0xffff888004c12345"])
def test_a_refused_write_to_present_kernel_memory_is_a_write_to_constants(
    diagnosis: Diagnose, address: str
) -> None:
    found = diagnosis(address=address, access=Access.WRITE, error_code="0x3")
    assert found.root_cause is RootCause.READONLY_WRITE


@pytest.mark.parametrize(
    ("address", "error_code"),
    [("0xffffffffc0a01000", "0x2"), ("0x7ffe12345678", "0x3"), ("0xffffffffc0a01000", "0xb")],
)
def test_unmapped_memory_user_memory_and_bad_page_tables_are_not(
    diagnosis: Diagnose, address: str, error_code: str
) -> None:
    found = diagnosis(address=address, access=Access.WRITE, error_code=error_code)
    assert RootCause.READONLY_WRITE not in {c.root_cause for c in found.candidates}


def test_arm64_says_it_in_words(diagnosis: Diagnose) -> None:
    line = "Unable to handle kernel write to read-only memory at virtual address ffff800008a01000"
    found = diagnosis(Kind.PAGE_FAULT, line, address="0xffff800008a01000", arch="arm64")
    assert found.root_cause is RootCause.READONLY_WRITE


def test_an_arm64_instruction_abort_is_a_jump() -> None:
    """Exception class 0x21 of the ESR, of an abort at the kernel's own level."""
    report = make_report(
        Kind.PAGE_FAULT, arch="arm64", address="0xffff000012345678", error_code="0x86000004"
    )
    assert Context(report).is_jump
    data = make_report(
        Kind.PAGE_FAULT, arch="arm64", address="0xffff000012345678", error_code="0x96000044"
    )
    assert Context(data).access is Access.WRITE


@pytest.mark.parametrize(("arch", "is_said"), [("x86_64", True), ("arm", False), (None, False)])
def test_a_pointer_is_cut_only_where_pointers_are_known_to_be_longer(
    diagnosis: Diagnose, arch: str | None, is_said: bool
) -> None:
    found = diagnosis(address="0x9b8a6540", access=Access.READ, arch=arch)
    texts = [e.text for c in found.candidates for e in c.evidence]
    assert any("cut to 32 bits" in text for text in texts) is is_said


@pytest.mark.parametrize(
    ("address", "register", "cause"),
    [
        ("ffffc90004c26fff", "ffffc90004c27000", RootCause.OUT_OF_BOUNDS),
        ("ffffc90004c26fd8", "ffffc90004c27000", RootCause.OUT_OF_BOUNDS),
        ("ffffc90004c26f00", "ffffc90004c27000", RootCause.WILD_POINTER),  # Too far.
        ("ffffc90004c26fff", "ffffc90004c27010", RootCause.WILD_POINTER),  # No beginning.
        ("ffff888004c26fff", "ffff888004c27000", RootCause.WILD_POINTER),  # No area of its own.
    ],
)
def test_the_element_before_the_first_of_a_vmalloc_area(
    address: str, register: str, cause: RootCause
) -> None:
    found = verdict(page_fault(address, code=None, registers={"rax": register}))
    assert found.root_cause is cause
    known = found.next_step is not None and found.next_step.situation
    assert (known == "outside-overrun-in-vmalloc") is (cause is RootCause.OUT_OF_BOUNDS)
    assert cause is RootCause.WILD_POINTER or found.experiment is None
