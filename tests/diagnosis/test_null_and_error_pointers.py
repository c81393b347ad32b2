"""NULL, container_of(NULL), error codes and user pointers: which of them was it?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diagnosis.logs import page_fault, verdict
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause
from pagefault_doctor.model.report import Access, Kind

Diagnose = Callable[..., Diagnosis]
LOCK_DECL = "48 89 <f0> ff 48 f0 90"  # lock decl -0x10(%rax)
LOCK_DECL_PLAIN = "48 89 <f0> ff 08 90"  # lock decl (%rax)
STORE = "90 <c6> 00 41 c3"  # movb $0x41,(%rax)


def test_a_write_through_null_is_told_with_the_instruction_and_the_register(
    diagnosis: Diagnose,
) -> None:
    found = diagnosis(
        Kind.NULL_POINTER,
        address="0x0",
        access=Access.WRITE,
        code=STORE,
        registers={"rax": "0x0000000000000000"},
    )
    assert found.root_cause is RootCause.NULL_DEREF
    assert found.confidence > 0.9
    assert any("movb $0x41,(%rax) with RAX = 0" in e.text for e in found.candidates[0].evidence)


def test_the_same_address_is_container_of_null_or_an_error_code_by_its_base_register(
    diagnosis: Diagnose,
) -> None:
    fault = {"address": "0xfffffffffffffff0", "access": Access.WRITE}
    null = diagnosis(code=LOCK_DECL, registers={"rax": "0x0"}, **fault)
    error = diagnosis(code=LOCK_DECL_PLAIN, registers={"rax": "0xfffffffffffffff0"}, **fault)
    assert (null.root_cause, error.root_cause) == (RootCause.NULL_DEREF, RootCause.ERR_PTR)
    assert min(null.confidence, error.confidence) > 0.9
    assert any("-EBUSY" in e.text for e in error.candidates[0].evidence)


def test_an_error_code_without_its_instruction_is_likely_but_not_certain(
    diagnosis: Diagnose,
) -> None:
    found = diagnosis(address="0xfffffffffffffff4", access=Access.READ)
    assert found.root_cause is RootCause.ERR_PTR
    assert 0.5 < found.confidence < 0.9


def test_an_error_code_plus_an_offset_that_wraps_to_a_small_address_is_no_null(
    diagnosis: Diagnose,
) -> None:
    found = diagnosis(
        Kind.NULL_POINTER,
        address="0x14",
        access=Access.READ,
        code="<48> 8b 40 20 c3",  # mov 0x20(%rax),%rax
        registers={"rax": "0xfffffffffffffff4"},
    )
    assert found.root_cause is RootCause.ERR_PTR


def test_an_odd_errno_that_fits_a_member_offset_leaves_it_open(diagnosis: Diagnose) -> None:
    found = diagnosis(
        address="0xffffffffffffffd8",
        access=Access.READ,
        code="<48> 8b 07 c3",  # mov (%rdi),%rax
        registers={"rdi": "0xffffffffffffffd8"},
    )
    causes = {c.root_cause for c in found.candidates[:2]}
    assert causes == {RootCause.ERR_PTR, RootCause.NULL_DEREF}
    assert found.confidence < 0.7


def test_an_error_code_in_another_register_says_nothing(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.NULL_POINTER,
        address="0x8",
        code="<48> 8b 40 08 c3",
        registers={"rax": "0x0", "rcx": "0xfffffffffffffff4"},
    )
    assert found.root_cause is RootCause.NULL_DEREF
    assert RootCause.ERR_PTR not in {c.root_cause for c in found.candidates}


def test_a_copy_from_null_is_told_by_its_source(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.NULL_POINTER,
        address="0x0",
        access=Access.READ,
        code="<f3> a4 c3",  # rep movsb
        registers={"rdi": "0xffff888012345678", "rsi": "0x0"},
    )
    assert found.root_cause is RootCause.NULL_DEREF
    assert any("RSI = 0" in e.text for e in found.candidates[0].evidence)


def test_a_call_through_null_is_a_null_dereference(diagnosis: Diagnose) -> None:
    found = diagnosis(Kind.NULL_POINTER, address="0x0", access=Access.EXECUTE, function=None)
    assert found.root_cause is RootCause.NULL_DEREF


def test_the_shadow_of_null_in_a_bare_general_protection_fault_is_null(
    diagnosis: Diagnose,
) -> None:
    found = diagnosis(
        Kind.GENERAL_PROTECTION,
        "general protection fault: 0000 [#1] SMP KASAN",
        code="<80> 3c 02 00 75 7b",  # cmpb $0x0,(%rdx,%rax,1)
        registers={"rax": "0xdffffc0000000000", "rdx": "0x3"},
    )
    assert found.root_cause is RootCause.NULL_DEREF
    assert any("offset 0x18 of NULL" in e.text for e in found.candidates[0].evidence)


def test_a_kernel_address_is_no_null(diagnosis: Diagnose) -> None:
    found = diagnosis(address="0xffff888012345678", access=Access.READ)
    assert RootCause.NULL_DEREF not in {c.root_cause for c in found.candidates}


@pytest.mark.parametrize(
    ("error_code", "likeliest"),
    [("0x1", RootCause.USER_ACCESS), ("0x3", RootCause.USER_ACCESS)],
)
def test_a_present_user_page_refused_to_the_kernel_is_a_user_pointer(
    diagnosis: Diagnose, error_code: str, likeliest: RootCause
) -> None:
    found = diagnosis(address="0x7ffe12345678", access=Access.READ, error_code=error_code)
    assert found.root_cause is likeliest
    assert found.confidence > 0.7


def test_an_unmapped_user_address_is_not_called_a_user_pointer_with_confidence(
    diagnosis: Diagnose,
) -> None:
    found = diagnosis(address="0x7ffe12345678", access=Access.READ, error_code="0x0")
    user = [c for c in found.candidates if c.root_cause is RootCause.USER_ACCESS]
    assert not user or user[0].confidence < 0.6


def test_a_kernel_address_is_no_user_pointer(diagnosis: Diagnose) -> None:
    found = diagnosis(address="0xffffc90000123000", access=Access.READ, error_code="0x1")
    assert RootCause.USER_ACCESS not in {c.root_cause for c in found.candidates}


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("ffffffffffffffff", RootCause.WILD_POINTER),
        ("fffffffffffffff4", RootCause.ERR_PTR),
    ],
)
def test_all_bits_set_in_some_register_is_no_error_code(value: str, cause: RootCause) -> None:
    text = page_fault(
        "ffff888004c12340",
        code=None,
        place="virt_to_slab+0x14/0x30",
        trace=("kfree+0x52/0x130", "demo_exit+0x24/0x90 [demo]"),
        registers={"rcx": value},
    )
    assert verdict(text).root_cause is cause
