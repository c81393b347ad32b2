"""Faults as arm64 and ARM print them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.model.report import Access, Kind, Report

First = Callable[[str], Report]
Sample = Callable[[str], str]


def test_an_arm64_null_write_is_told_whole(first: First, sample: Sample) -> None:
    report = first(sample("arm64_null_write"))
    assert report.title == "BUG: unable to handle kernel NULL pointer dereference in pfd_init"
    assert report.arch == "arm64"
    assert report.fault is not None
    assert report.fault.address == "0x10"
    assert report.fault.access is Access.WRITE
    assert report.fault.reason == "level 0 translation fault"
    assert report.fault.error_code == "0x96000044"
    assert (report.function, report.module) == ("pfd_init", "pfd_demo")
    assert report.register("x1") == 0x2A
    assert report.registers["pc"] == "pfd_init+0x1c/0x1000"
    assert report.comm == "modprobe"


def test_internal_error_is_part_of_the_same_report(
    read: Callable[[str], object], first: First, sample: Sample
) -> None:
    assert first(sample("arm64_null_write")).number == 1
    assert len(read(sample("arm64_null_write")).reports) == 1  # type: ignore[attr-defined]


def test_an_arm_null_write_is_told_by_its_fault_status(first: First, sample: Sample) -> None:
    report = first(sample("arm_null"))
    assert report.title == "BUG: unable to handle kernel NULL pointer dereference in pfd_poke"
    assert report.arch == "arm"
    assert report.fault is not None
    assert report.fault.access is Access.WRITE
    assert report.module == "pfd_demo"
    assert [f.function for f in report.frames][1:] == ["pfd_poke", "vfs_write", "ksys_write"]


PC = "pc : pfd_f+0x1/0x10 [pfd]\nlr : g+0x1/0x2\nCall trace:\n pfd_g+0x2/0x20 [pfd]\n h+0x1/0x2\n"


@pytest.mark.parametrize(
    ("headline", "title", "kind"),
    [
        (
            "Unable to handle kernel paging request at virtual address dead000000000108",
            "BUG: unable to handle kernel paging request in pfd_f",
            Kind.PAGE_FAULT,
        ),
        (
            "Unable to handle kernel write to read-only memory at virtual address ffff800012345678",
            "BUG: unable to handle kernel paging request in pfd_f",
            Kind.PAGE_FAULT,
        ),
        (
            "Unable to handle kernel access to user memory outside uaccess routines at virtual"
            " address 0000aaaad0001000",
            "BUG: unable to handle kernel access to user memory in pfd_f",
            Kind.USER_ACCESS,
        ),
        (
            "Internal error: synchronous external abort: 0000000096000010 [#1] SMP",
            "Internal error in pfd_f",
            Kind.HARDWARE,
        ),
        (
            "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP",
            "Internal error in pfd_f",
            Kind.KERNEL_BUG,
        ),
        (
            "Internal error: Oops - Undefined instruction: 0000000002000000 [#1] SMP",
            "Internal error in pfd_f",
            Kind.TRAP,
        ),
        (
            "Internal error: Oops: 0000000096000004 [#1] SMP",
            "Internal error in pfd_f",
            Kind.PAGE_FAULT,
        ),
        (
            "Unhandled prefetch abort: unknown 16 (0x010) at 0x00000000",
            "Unhandled prefetch abort in pfd_f",
            Kind.PAGE_FAULT,
        ),
        (
            "Unhandled fault: page domain fault (0x01b) at 0x00000e30",
            "Unhandled fault in pfd_f",
            Kind.PAGE_FAULT,
        ),
        (
            "SError Interrupt on CPU1, code 0x00000000be000011 -- SError",
            "SError in pfd_f",
            Kind.HARDWARE,
        ),
    ],
)
def test_each_headline_has_its_title(first: First, headline: str, title: str, kind: Kind) -> None:
    report = first(f"{headline}\n{PC}")
    assert (report.title, report.kind) == (title, kind)


@pytest.mark.parametrize(
    ("words", "access"),
    [
        ("write to read-only memory", Access.WRITE),
        ("execute from non-executable memory", Access.EXECUTE),
        ("read from unreadable memory", Access.READ),
    ],
)
def test_the_headline_itself_may_tell_the_access(first: First, words: str, access: Access) -> None:
    report = first(f"Unable to handle kernel {words} at virtual address ffff800012345678\n{PC}")
    assert report.fault is not None
    assert report.fault.access is access


@pytest.mark.parametrize(("digits", "address"), [(16, "0xdead000000000122"), (12, None)])
def test_an_address_that_a_cut_line_ends_in_is_not_known(
    first: First, digits: int, address: str | None
) -> None:
    at = "dead000000000122"[:digits]
    head = f"Unable to handle kernel paging request at virtual address {at}\n"
    report = first(head + "Internal error: Oops: 96000004 [#1] SMP\npc : pfd_g+0x2/0x20 [pfd]\n")
    assert report.kind is Kind.PAGE_FAULT
    assert (report.fault.address if report.fault else None) == address
