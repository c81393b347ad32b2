"""Which cause: what the parts of a report mean, one sentence each, with a near miss beside it.

The logs are made for these tests, in the words of several kernels and architectures.
"""

from __future__ import annotations

import pytest

from diagnosis.logs import gpf, page_fault, verdict
from diagnosis.test_crashes_of_many_kernels import verdict_on
from diagnosis.test_hard_pairs import broken_list
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause

BEGIN = "66 66 2e 0f 1f 84 00 00 00 00 00 0f 1f 00 90 90 90 90 90 90 90 90 90 90 0f 1f 44 00 00 53 "
THROUGH_RAX = "<48> 8b 10 c3 90"


def causes(found: Diagnosis) -> list[RootCause]:
    return [candidate.root_cause for candidate in found.candidates]


# -1 and -2 are ERR_PTR only where the instruction and the other registers agree.


def through(value: str, before: str) -> RootCause:
    """Return the cause of an access through RAX, which the code before it had set."""
    return verdict(
        page_fault(value, code=BEGIN + before + THROUGH_RAX, registers={"rax": value})
    ).root_cause


RETURNED, LOADED, ADDED = "e8 11 22 33 44 ", "48 8b 43 08 ", "48 8d 43 08 "


@pytest.mark.parametrize("value", ["ffffffffffffffff", "fffffffffffffffe"])
def test_what_a_function_just_returned_is_an_error_code(value: str) -> None:
    assert through(value, RETURNED) is RootCause.ERR_PTR


@pytest.mark.parametrize("value", ["ffffffffffffffff", "fffffffffffffffe"])
def test_all_bits_set_in_memory_is_no_error_code(value: str) -> None:
    assert through(value, LOADED) is RootCause.WILD_POINTER


@pytest.mark.parametrize("value", ["fffffffffffffff3", "ffffffffffffffef", "ffffffffffffffed"])
def test_other_error_codes_are_so_wherever_they_were(value: str) -> None:
    assert through(value, LOADED) is RootCause.ERR_PTR
    assert verdict(page_fault(value, code=None)).root_cause is RootCause.ERR_PTR


def test_an_address_of_all_bits_set_alone_is_memory_full_of_ff() -> None:
    found = verdict(page_fault("ffffffffffffffff", code=None))
    assert found.root_cause is RootCause.WILD_POINTER
    assert RootCause.ERR_PTR in causes(found)


# A small value just loaded from memory is garbage, not NULL plus an offset.


def test_a_small_number_that_was_just_loaded_is_garbage() -> None:
    assert through("400", LOADED) is RootCause.WILD_POINTER


def test_a_small_number_that_was_added_to_null_is_a_member_of_null() -> None:
    assert through("400", ADDED) is RootCause.NULL_DEREF


def test_null_that_was_loaded_is_still_null() -> None:
    member = BEGIN + LOADED + "<48> 8b 90 00 04 00 00 c3"
    found = verdict(page_fault("400", code=member, registers={"rax": "0"}))
    assert found.root_cause is RootCause.NULL_DEREF


# One differing bit, at bit 12 or above, is the hardware first; sixteen are software.


def test_one_high_bit_in_a_link_is_the_hardware() -> None:
    assert verdict(broken_list("ffff88800cc12340")).root_cause is RootCause.HARDWARE


@pytest.mark.parametrize("link", ["ffff888004c12360", "ffff88819a3d7e00"])
def test_a_low_bit_or_many_bits_in_a_link_are_software(link: str) -> None:
    assert verdict(broken_list(link)).root_cause is RootCause.LIST_CORRUPTION


def bad_entry(pte: str) -> RootCause:
    return verdict_on(
        f"BUG: Bad page map in process editor  pte:{pte} pmd:10a5f1067",
        "addr:00007f1234567000 vm_flags:08100073 anon_vma:ffff888101234567 index:7f1234567",
        "CPU: 1 PID: 912 Comm: editor Not tainted 5.10.0-20-amd64 #1",
        "Call Trace:",
        " print_bad_pte+0x190/0x220",
        " unmap_page_range+0x6b/0x83",
    ).root_cause


def test_an_empty_entry_of_a_page_table_with_one_bit_set_is_the_hardware() -> None:
    assert bad_entry("0000200000000000") is RootCause.HARDWARE
    assert (
        verdict_on("mm/pgtable-generic.c:50: bad pmd ffff888104a5d1c0(0000000000800000)").root_cause
        is RootCause.HARDWARE
    )


@pytest.mark.parametrize("pte", ["0000000000000020", "8000000412345867"])
def test_other_bad_entries_are_page_tables(pte: str) -> None:
    assert bad_entry(pte) is RootCause.PAGE_TABLE


def test_null_with_one_bit_set_is_the_hardware() -> None:
    one, two = "0000000000200000", "0000000000210000"
    found = [
        verdict(page_fault(value, code=BEGIN + "53 <48> 8b 03 c3", registers={"rbx": value}))
        for value in (one, two)
    ]
    assert found[0].root_cause is RootCause.HARDWARE
    assert RootCause.HARDWARE not in causes(found[1])


# POISON_FREE is freed memory, or memory of a checking allocator that nobody filled.


def test_poison_of_freed_memory_may_be_memory_that_was_never_set() -> None:
    code = "90 90 <48> 8b 43 10 c3"
    found = verdict(gpf("6b6b6b6b6b6b6b7b", code=code, registers={"rbx": "6b" * 8}))
    assert causes(found)[:2] == [RootCause.USE_AFTER_FREE, RootCause.WILD_POINTER]


def test_other_poison_of_freed_memory_is_that_alone() -> None:
    found = verdict(gpf("aaaaaaaaaaaaaaba", code="90 <48> 8b 43 10", registers={"rbx": "aa" * 8}))
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert RootCause.WILD_POINTER not in causes(found)


# Text in PC or registers, not only in the address, is an overrun.


def arm_jump(pc: str, fp: str) -> Diagnosis:
    return verdict_on(
        f"Unable to handle kernel paging request at virtual address {pc}",
        "pgd = c0004000",
        "Internal error: Oops: 80000005 [#1] SMP ARM",
        "CPU: 0 PID: 412 Comm: sh Tainted: G           O      5.4.83-v7 #1",
        f"PC is at 0x{pc}",
        f"LR is at 0x{pc}",
        f"pc : [<{pc}>]    lr : [<{pc}>]    psr: 60000013",
        f"sp : b9d4be20  ip : 00000000  fp : {fp}",
        "r10: 00000000  r9 : b9d4a000  r8 : 00000000",
    )


def test_a_jump_to_text_is_an_overrun_stack() -> None:
    text = "6b63616a206f6c6c"
    assert verdict(gpf(text, place=f"0x{text}", code=None)).root_cause is RootCause.OUT_OF_BOUNDS
    assert arm_jump("6c6c6568", "64636261").root_cause is RootCause.OUT_OF_BOUNDS


def test_a_jump_to_a_filled_pattern_or_to_one_text_of_four_letters_is_less_sure() -> None:
    for found in (arm_jump("6c6c6568", "b9d4be24"), arm_jump("61616161", "61616161")):
        texts = [e.text for c in found.candidates for e in c.evidence]
        assert not any("overran the stack" in text for text in texts)
