"""Values that are read for the person: entries of page tables, registers, and whence they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diagnosis.logs import NULL, diagnosed, gpf, oops, page_fault, stamped
from pagefault_doctor.diagnosis import address
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.explanation.decoded import (
    bus_error,
    disk_words,
    page_counts,
    page_table_entry,
    tainted,
)
from pagefault_doctor.diagnosis.machine_check import meaning
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.report import Kind, Report

MakeReport = Callable[..., Report]


@pytest.mark.parametrize(
    ("pte", "words"),
    [
        # In memory: 00 00 00 00 63 82 53 63.
        ("6353826300000000", "the mark of a DHCP message"),
        ("00000000464c457f", "a program file (ELF)"),
        ("2064657269757120", "the text"),
        ("ffff888012345678", "a pointer of the kernel"),
        ("a1b2c3d4e5f60718", "not one flipped bit"),
        # A mapped page, a flipped bit, an entry that is too short or too long to tell.
        ("8000000012345025", ""),
        ("0000200000000000", ""),
        ("80", ""),
        ("6353826300000000ff", ""),
    ],
)
def test_an_entry_of_a_page_table_is_read(report: MakeReport, pte: str, words: str) -> None:
    found = page_table_entry(report(details={"pte": pte}), Context(report()))
    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0x0200000000040068, True),
        (0x17FFFFC000010020, True),
        # A pointer, a pointer with a flipped bit, text, noise, a plain number.
        (0xFFFF888012345678, False),
        (0xFFFB888012345678, False),
        (0x2F656D6F682F2E2E, False),
        (0xCA53E83F5E8CF5A8, False),
        (0x40068, False),
    ],
)
def test_flags_of_a_struct_page_are_told_from_pointers(value: int, *, expected: bool) -> None:
    assert address.is_page_flags(value) is expected


def test_an_entry_that_points_far_above_its_own_table_is_told(report: MakeReport) -> None:
    def read(pte: str, pmd: str) -> str:
        headline = f"BUG: Bad page map in process quay  pte:{pte} pmd:{pmd}"
        found = report(Kind.BAD_PAGE, headline, details={"pte": pte}, cited={"headline": 1})
        return page_table_entry(found, Context(found))

    assert "maps memory at 132 GiB, and its own table lies at 4.2 GiB" in read(
        "8000002133b21867", "10a7cc067"
    )
    assert read("8000000133b21867", "10a7cc067") == ""
    assert "GiB" not in read("8000002133b21866", "10a7cc067")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("page:0 refcount:1 mapcount:-1 mapping:0", "taken out of page tables more often"),
        ("page:0 refcount:-1 mapcount:0 mapping:0", "gave it back once too often"),
        ("page:0 count:0 mapcount:2 mapping:0", "freed (count 0) while page tables"),
        ("page:0 refcount:3 mapcount:1 mapping:0", ""),
    ],
)
def test_the_counters_of_a_page_are_read(report: MakeReport, line: str, words: str) -> None:
    found = page_counts(report(details={"page_dump": line}), Context(report()))
    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize(
    ("headline", "words"),
    [
        ("SError Interrupt on CPU1, code 0x00000000bf000002 -- SError", "the chip's own"),
        ("SError Interrupt on CPU1, code 0x00000000be000411 -- SError", "not recoverable"),
        ("Unhandled fault: imprecise external abort (0x1406) at 0x00000000", "came late"),
        ("Unhandled fault: external abort on linefetch (0x1008) at 0x00000000", ""),
    ],
)
def test_the_code_of_a_bus_error_is_read(report: MakeReport, headline: str, words: str) -> None:
    found = report(Kind.HARDWARE, headline, cited={"headline": 1})
    assert words in bus_error(found, Context(found))
    assert bool(words) == bool(bus_error(found, Context(found)))


def test_the_address_of_a_late_bus_error_is_not_told() -> None:
    late = "Unhandled fault: {}external abort (0x1406) at 0x00000000"
    rest = (
        "Internal error: : 1406 [#1] SMP ARM",
        "PC is at quay_host_init+0x1c4/0x5a0",
        "pc : [<c0411c2c>]    lr : [<c0411c20>]    psr: 60000013",
        "r3 : f0d80728  r2 : 00000000  r1 : 00000000  r0 : 00000000",
    )
    diagnosis = diagnosed(stamped(late.format("imprecise "), *rest))[0]
    assert diagnosis.account
    assert "the kernel read from" not in diagnosis.account.crux.text
    # A driver that first touches its device met one without power or clock, built in or not.
    assert diagnosis.root_cause is RootCause.LOGIC_ERROR
    assert "a device that did not answer" in diagnosis.summary


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("bus_error", "SError: { PHYRdyChg 10B8B }", "the link went down or up, garbled words"),
        ("ata_error", "error: { UNC }", "sectors that cannot be read"),
        ("ata_error", "error: { QUAY }", ""),
    ],
)
def test_the_words_of_a_disk_are_read(report: MakeReport, name: str, text: str, words: str) -> None:
    found = disk_words(report(details={name: text}), Context(report()))
    assert words in found
    assert bool(words) == bool(found)


def test_the_unit_of_a_machine_check_is_named(report: MakeReport) -> None:
    status = {"status": "bea0000000000108", "bank": "5"}
    assert "execution unit: its watchdog ran out" in meaning(
        report(details={**status, "ipid": "500b000000000"})
    )
    assert "level-3 cache" in meaning(report(details={**status, "ipid": "700b000000000"}))
    assert "unit" not in meaning(report(details=status))


def facts_of(text: str) -> list[str]:
    return [quote.words for quote in diagnosed(text)[0].facts]


REGISTERS = {"rax": "00000000ffffffff", "rcx": "0200000000040068"}


def test_of_an_access_that_is_not_read_the_register_without_a_valid_address_is_named() -> None:
    # The base, RDX, is not printed.
    text = gpf("0", code="90 <65> 0f c0 02 90", registers=REGISTERS).replace(
        ", probably for non-canonical address 0x0", ""
    )
    text = text[: text.index("[   50.100000] RDX")]
    words = "RCX: 0200000000040068: no valid address: like the flags of a struct page"
    assert any(fact.startswith(words) for fact in facts_of(text))
    valid = text.replace(REGISTERS["rcx"], "ffff888012345678")
    assert not any("no valid address" in fact for fact in facts_of(valid))


def test_of_a_pointer_that_was_passed_its_argument_is_told() -> None:
    code = "90 90 90 f3 0f 1e fa 0f 1f 44 00 00 <48> 8b 47 60 c3"
    text = oops(
        NULL.format("0000000000000060"),
        "#PF: supervisor read access in kernel mode",
        place="demo_name+0x9/0x40 [demo]",
        code=code,
        registers={"rax": "0000000000000001", "rdi": "0000000000000000"},
    )
    told = [fact for fact in facts_of(text) if "RDI = 0x0" in fact]
    assert told
    assert told[0].endswith("argument 1 of demo_name: its caller passed that")


def test_a_bad_swap_entry_just_before_tells_of_the_page_table() -> None:
    bad = stamped("get_swap_device: Bad swap offset entry 808000000", at=50.0)
    fault = page_fault(
        "00000001108ca000", place="lookup_it+0x40/0x80", trace=("exit_mmap+0x1/0x9",)
    )
    assert diagnosed(bad + fault)[0].root_cause is RootCause.PAGE_TABLE
    other = stamped("app_get_device: Bad swap of drives", at=50.0)
    assert diagnosed(other + fault)[0].root_cause is not RootCause.PAGE_TABLE


def test_a_warning_that_came_before_is_looked_for_where_it_would_be(report: MakeReport) -> None:
    one = report(tainted=("W",))
    assert "journalctl -k -g WARNING" in tainted(one, Context(one))
    seen = Context(one, others=(report(kind=Kind.WARNING),))
    assert "journalctl" not in tainted(one, seen)
    oopsed = report(tainted=("D",))
    assert "journalctl" not in tainted(oopsed, Context(oopsed))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0x646E65707375, "uspend"),
        (0x746F6F6C62, "bloot"),
        # Addresses of programs, of their stack, of libraries; a pointer; a number; four letters.
        (0x55D2C0A41230, None),
        (0x7FFC12345678, None),
        (0x7F31AC0C7000, None),
        (0xFFFF888012345678, None),
        (0x1234, None),
        (0x64636261, None),
    ],
)
def test_the_end_of_a_text_is_told_from_an_address(value: int, text: str | None) -> None:
    assert address.end_of_text(value) == text


def test_a_text_in_a_pointer_is_told_and_is_no_pointer_of_a_program() -> None:
    text = page_fault("0000646e65707375", registers={"rbx": "0000646e65707375"})
    assert any("the end of a text, 'uspend'" in fact for fact in facts_of(text))
    found = diagnosed(text)[0]
    assert found.root_cause is RootCause.WILD_POINTER
    (user,) = [c for c in found.candidates if c.root_cause is RootCause.USER_ACCESS]
    assert any("end of a text" in evidence.text for evidence in user.opposing)


def test_a_register_with_the_poison_of_fresh_memory_is_quoted_where_no_code_tells() -> None:
    poisoned = {"rbx": "5a5a5a5a5a5a5a5a"}
    said = facts_of(page_fault("ffffc90012345678", code=None, registers=poisoned))
    assert any("in RBX: POISON_INUSE" in fact for fact in said)
    # Where the code tells which pointer was bad, others are data in flight.
    known = {**poisoned, "rax": "ffffc90012345678"}
    coded = facts_of(page_fault("ffffc90012345678", code="90 <48> 8b 00 c3", registers=known))
    assert not any("POISON_INUSE" in fact for fact in coded)
