"""The signature of a report: equal for the same bug, whatever differs from time to time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pagefault_doctor import klog
from pagefault_doctor.model.report import Kind, Report, Span
from pagefault_doctor.model.signature import signature, signatures, without_noise
from pagefault_doctor.model.untrusted import is_clean

OOPS = """\
[{at}] BUG: unable to handle page fault for address: ffff{address:012x}
[{at}] #PF: supervisor read access in kernel mode
[{at}] #PF: error_code(0x0000) - not-present page
[{at}] Oops: 0000 [#1] PREEMPT SMP
[{at}] CPU: {cpu} PID: {pid} Comm: cat Tainted: G           O       6.1.0 #1
[{at}] RIP: 0010:demo_read{part}+0x{offset:x}/0x1000 [demo]
[{at}] RAX: ffff{address:012x} RBX: {value:016x} RCX: {value:016x}
[{at}] Call Trace:
[{at}]  <TASK>
[{at}]  vfs_read+0x{offset:x}/0x300
[{at}]  </TASK>
"""
USUAL = {"at": "   10.500000", "address": 0x88800000, "cpu": 1, "pid": 7, "offset": 0x11}
numbers = st.integers(1, 0xFFF)


def read(**values: object) -> Report:
    """Return the report of the oops with these values."""
    text = OOPS.format(**(USUAL | {"value": 5, "part": ""} | values))
    return klog.read(text.encode(), "test.log").reports[0]


def report(title: str, **fields: object) -> Report:
    """Return a report with this title."""
    made = Report(kind=Kind.WARNING, title=title, span=Span(1, 1))
    return replace(made, **fields)


WANTED = "BUG: unable to handle kernel paging request in demo_read [demo]"


@given(
    address=st.integers(0x80000000, 0xFFFFFFFFFF),
    cpu=st.integers(0, 255),
    pid=st.integers(1, 99999),
    offset=numbers,
    value=st.integers(0, 2**63),
    seconds=st.integers(0, 99999),
    part=st.sampled_from(("", ".isra.0", ".constprop.12", ".part.3", ".cold")),
)
def test_noise_does_not_change_the_signature(
    address: int, cpu: int, pid: int, offset: int, value: int, seconds: int, part: str
) -> None:
    noisy = read(
        address=address, cpu=cpu, pid=pid, offset=offset, value=value, part=part,
        at=f"{seconds:5}.{value % 1000000:06}",
    )  # fmt: skip
    assert signature(noisy) == WANTED


def test_another_function_module_or_kind_is_another_signature() -> None:
    same = read()
    others = [
        read(part="_other"),
        replace(same, module="other"),
        replace(same, title="general protection fault in demo_read"),
    ]
    assert len({signature(each) for each in (same, *others)}) == 4


@given(
    number=st.integers(0, 10**9),
    address=st.integers(0x10000000, 2**64 - 1),
    line=st.integers(1, 99999),
    offset=numbers,
)
def test_numbers_in_a_title_are_no_part_of_it(
    number: int, address: int, line: int, offset: int
) -> None:
    titles = (
        "kernel BUG at mm/demo.c:{line}!",
        "INFO: task hung for more than {number} seconds",
        "soft lockup - CPU#{number} stuck",
        "object 0x{address:x} is in use",
        "bad address {address:016x}",
        "WARNING: demo_open+0x{offset:x}/0x{offset:x}",
        "demo[{number}] died",
        "[ {number}.{line}] Oops",
    )
    for title in titles:
        told = without_noise(title.format(number=number, address=address, line=line, offset=offset))
        plain = without_noise(title.format(number=3, address=0x12345678, line=9, offset=4))
        assert told == plain
        assert not re.search(r"\d", told)


@pytest.mark.parametrize("title", ["segfault in php8", "bad page of ext4", "usb3-1 of x86_64"])
def test_numbers_that_are_part_of_a_name_stay(title: str) -> None:
    assert without_noise(title) == title


@given(st.text(max_size=400), st.text(max_size=200))
def test_it_is_one_short_harmless_line_whatever_the_log_says(title: str, module: str) -> None:
    told = signature(report(title, module=module or None))
    assert len(told) <= 800
    assert is_clean(told)
    assert "\n" not in told


@given(st.text(max_size=300))
def test_taking_the_noise_out_twice_changes_nothing(title: str) -> None:
    once = without_noise(without_noise(title))
    assert without_noise(once) == once


def test_the_function_stands_in_for_one_that_the_title_lacks() -> None:
    lost = report("BUG: Bad page state in corrupted", function="free_demo")
    assert signature(lost) == "BUG: Bad page state in free_demo"
    printer = report("irq: nobody cared", function="dump_stack_lvl")
    assert signature(printer) == "irq: nobody cared"


def test_other_titles_give_signatures_too() -> None:
    assert signatures(read()) == (WANTED, "bad-access in demo_read [demo]")
