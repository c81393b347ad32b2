"""Faults and traps of x86, in the wording of several kernels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.model.report import Access, Kind, LinkedModule, Report

First = Callable[[str], Report]
Sample = Callable[[str], str]


def test_a_null_write_in_a_module_is_told_whole(first: First, sample: Sample) -> None:
    report = first(sample("x86_null_write"))
    assert report.kind is Kind.NULL_POINTER
    assert report.title == "BUG: unable to handle kernel NULL pointer dereference in pfd_store"
    assert report.alt_titles == ("bad-access in pfd_store",)
    assert report.type == "NULL-POINTER-DEREFERENCE"
    assert not report.corrupted
    assert (report.function, report.offset, report.size) == ("pfd_store", 0x11, 0x40)
    assert report.module == "pfd_demo"
    assert report.fault is not None
    assert report.fault.address == "0x18"
    assert report.fault.access is Access.WRITE
    assert report.fault.mode == "kernel"
    assert report.fault.reason == "not-present page"
    assert report.fault.error_code == "0x2"
    assert (report.cpu, report.pid, report.comm) == (1, 812, "insmod")
    assert report.tainted == ("O", "E")
    assert report.kernel_release == "6.1.0-13-amd64"
    assert report.arch == "x86_64"
    assert report.die_count == 1
    assert report.timestamp == 10.2
    assert report.hardware is not None
    assert report.hardware.startswith("QEMU Standard PC")


def test_the_faulting_frame_comes_first_and_guesses_are_marked(
    first: First, sample: Sample
) -> None:
    frames = first(sample("x86_null_write")).frames
    assert [f.function for f in frames[:3]] == ["pfd_store", "__die", "pfd_init"]
    assert [f.reliable for f in frames[:3]] == [True, False, True]
    assert frames[2].context == "TASK"
    assert frames[2].module == "pfd_demo"


def test_modules_registers_and_code_are_read(first: First, sample: Sample) -> None:
    report = first(sample("x86_null_write"))
    assert report.modules[0] == LinkedModule("pfd_demo", "OE+")
    assert [m.name for m in report.modules] == ["pfd_demo", "loop", "virtio_net", "crc32c_intel"]
    assert report.last_unloaded == "pfd_old"
    assert report.registers["rip"] == "pfd_store+0x11/0x40"
    assert report.register("rax") == 0
    assert report.register("CR2") == 0x18
    assert report.code is not None
    assert "<c7>" in report.code


def test_every_citation_points_at_the_line_that_says_it(first: First, sample: Sample) -> None:
    text = sample("x86_null_write")
    report = first(text)
    lines = text.splitlines()
    said = {
        "headline": "BUG: kernel NULL",
        "fault": "address: 0000000000000018",
        "function": "RIP: 0010:pfd_store",
        "registers": "RSP: 0018",
        "code": "Code: ",
        "modules": "Modules linked in",
        "process": "Comm: insmod",
        "trace": "__die",
    }
    for field, words in said.items():
        assert words in lines[report.cited[field] - 1], field
    assert report.excerpt[0].text.startswith("BUG: kernel NULL")
    assert report.span.first_line == 2


def test_the_wording_of_an_old_kernel_is_the_same_fault(first: First, sample: Sample) -> None:
    report = first(sample("x86_old_paging"))
    assert report.title == "BUG: unable to handle kernel paging request in pfd_walk"
    assert report.kind is Kind.PAGE_FAULT
    assert report.fault is not None
    assert report.fault.address == "0xffffc90000a45001"
    assert report.fault.access is Access.READ
    assert report.kernel_release == "3.16.0-4-amd64"
    assert report.registers["rip"] == "0xffffffffa0123456"
    assert [f.function for f in report.frames if f.reliable][:2] == ["pfd_walk", "pfd_parse"]


def test_a_general_protection_fault_gives_its_own_address(first: First, sample: Sample) -> None:
    report = first(sample("x86_gpf"))
    assert report.title == "general protection fault in pfd_unlink"
    assert report.type == "DoS"
    assert report.fault is not None
    assert report.fault.address == "0xdead000000000108"
    assert [f.context for f in report.frames] == [None, "IRQ", "TASK", "TASK"]


RIP = "RIP: 0010:pfd_f+0x1/0x10 [pfd]\nCall Trace:\n pfd_g+0x2/0x20 [pfd]\n kthread+0x1/0x2\n"


@pytest.mark.parametrize(
    ("headline", "title", "kind"),
    [
        (
            "BUG: unable to handle page fault for address: ffffffffc0a01000",
            "BUG: unable to handle kernel paging request in pfd_f",
            Kind.PAGE_FAULT,
        ),
        (
            "BUG: unable to handle kernel NULL pointer dereference at           (null)",
            "BUG: unable to handle kernel NULL pointer dereference in pfd_f",
            Kind.NULL_POINTER,
        ),
        (
            "Oops: general protection fault, maybe for address 0xffff888000000000: 0000 [#1] SMP",
            "general protection fault in pfd_f",
            Kind.GENERAL_PROTECTION,
        ),
        ("stack segment: 0000 [#1] SMP", "stack segment fault in pfd_f", Kind.TRAP),
        ("divide error: 0000 [#1] SMP", "divide error in pfd_f", Kind.TRAP),
        ("Oops: invalid opcode: 0000 [#1] SMP", "invalid opcode in pfd_f", Kind.TRAP),
        ("int3: 0000 [#1] SMP", "int3 in pfd_f", Kind.TRAP),
        ("PANIC: double fault, error_code: 0x0", "PANIC: double fault in pfd_f", Kind.DOUBLE_FAULT),
        ("kernel BUG at drivers/pfd.c:42!", "kernel BUG in pfd_f", Kind.KERNEL_BUG),
        ("Oops: 0002 [#1] PREEMPT SMP", "Oops in pfd_f", Kind.PAGE_FAULT),
    ],
)
def test_each_trap_has_its_title(first: First, headline: str, title: str, kind: Kind) -> None:
    report = first(f"{headline}\n{RIP}")
    assert (report.title, report.kind) == (title, kind)
    assert (report.function, report.module) == ("pfd_f", "pfd")


def test_a_hit_guard_page_tells_the_range_of_the_stack(first: First) -> None:
    report = first(
        "BUG: TASK stack guard page was hit at ffffc90000e07ff8"
        " (stack is ffffc90000e08000..ffffc90000e0bfff)\n" + RIP
    )
    assert report.kind is Kind.STACK_GUARD
    assert report.details["stack"] == "ffffc90000e08000..ffffc90000e0bfff"
    assert report.details["stack_kind"] == "TASK"
    assert report.title == "BUG: stack guard page was hit in pfd_g"


@pytest.mark.parametrize(
    ("rest", "address"),
    [("c0: 0000 [#1] SMP", "0x18ec8413d84c0"), ("000c0", "0x18ec8413d84000c0"), ("c0", None)],
)
def test_an_address_that_a_cut_line_ends_in_is_not_known(
    first: First, rest: str, address: str | None
) -> None:
    head = "general protection fault, probably for non-canonical address 0x18ec8413d84"
    report = first(f"{head}{rest}\nRIP: 0010:pfd_g+0x2/0x20 [pfd]\n")
    assert (report.fault.address if report.fault else None) == address
