"""Where a bad pointer came from, by the bytes before the faulting instruction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.playbook import shelf
from pagefault_doctor.symbols.value_origin import OriginKind, ValueOrigin, origin

NOPS = "90 90 90 90 90 90 90 90 "
"""Enough for several left cuts to land."""


def told(code: str, register: str, offset: int | None = None, arch: str = "x86_64") -> ValueOrigin:
    found = origin(code, arch, register, offset)
    assert found is not None
    return found


def test_a_load_just_before_names_the_place_the_value_was_kept_at() -> None:
    found = told(NOPS + "48 8b 43 10 48 89 df <48> 8b 00", "rax")
    assert (found.how, found.base, found.displacement) == (OriginKind.LOADED, "rbx", 0x10)
    assert (found.text, found.distance) == ("movq 0x10(%rbx),%rax", 7)


def test_the_result_of_a_call_is_told_also_through_a_copy() -> None:
    assert told(NOPS + "e8 11 22 33 44 <c6> 00 41", "rax").how is OriginKind.RETURNED
    copied = told(NOPS + "e8 11 22 33 44 48 89 c3 <c6> 03 41", "rbx")
    assert (copied.how, copied.distance) == (OriginKind.RETURNED, 8)


def test_an_argument_is_told_where_the_function_begins_within_the_bytes() -> None:
    code = "cc cc cc 0f 1f 44 00 00 55 48 89 e5 <8b> 46 78"
    found = told(code, "rsi", offset=9)
    assert (found.how, found.number) == (OriginKind.PASSED, 2)
    assert origin(code, "x86_64", "rsi", 0x200) is None


def test_a_register_that_was_just_cleared() -> None:
    assert told(NOPS + "31 d2 <48> 8b 02", "rdx").how is OriginKind.CLEARED


def test_the_only_jump_to_the_instruction_is_followed() -> None:
    # xor eax,eax; test rdx,rdx; jne to the mark; ret; int3 x4
    code = "0f 1f 44 00 00 31 c0 48 85 d2 75 05 c3 cc cc cc cc <0f> be 0e"
    assert told(code, "rsi", offset=17).number == 2


@pytest.mark.parametrize(
    ("code", "register", "why"),
    [
        (NOPS + "e8 11 22 33 44 <8b> 46 78", "rsi", "a call may have changed it"),
        (NOPS + "c3 cc cc cc <8b> 46 78", "rsi", "the code before does not lead there"),
        (NOPS + "48 01 d0 <8b> 00", "rax", "it was computed"),
        (NOPS + "4c 8b 04 c5 00 00 00 00 <41> 8b 00", "r8", "the place was indexed"),
        ("<48> 8b 00", "rax", "nothing is shown before"),
        ("48 8b 43 10 48 89 df", "rax", "nothing is marked"),
    ],
)
def test_where_the_bytes_do_not_tell_nothing_is_said(code: str, register: str, why: str) -> None:
    assert origin(code, "x86_64", register, None) is None, why


def test_a_base_that_changed_since_is_not_named() -> None:
    found = told(NOPS + "48 8b 43 10 48 8b 1b <48> 8b 00", "rax")
    assert (found.how, found.base) == (OriginKind.LOADED, None)
    itself = told(NOPS + "48 8b 40 08 <48> 8b 00", "rax")
    assert (itself.how, itself.base) == (OriginKind.LOADED, None)


def test_arm64_words() -> None:
    loaded = told("aa0003f3 f9400a60 (f9400001)", "x0", arch="arm64")
    assert (loaded.how, loaded.base, loaded.displacement) == (OriginKind.LOADED, "x19", 0x10)
    assert told("94000010 (f9400001)", "x0", arch="arm64").how is OriginKind.RETURNED
    assert told("d503201f a9bf7bfd (f9400021)", "x1", offset=8, arch="arm64").number == 2


@pytest.mark.parametrize(
    ("scenario_id", "register", "how"),
    [
        ("err-ptr", "rax", OriginKind.RETURNED),
        ("null-deref-module", "rax", OriginKind.RETURNED),
        ("use-after-free-timer", "rax", OriginKind.LOADED),
        ("user-pointer", "rsi", OriginKind.PASSED),
    ],
)
def test_real_crashes(scenario_id: str, register: str, how: OriginKind) -> None:
    log = klog.read((shelf.scenario_folder(scenario_id) / "serial.log").read_bytes(), "serial.log")
    report = next(report for report in log.reports if report.code)
    assert report.code is not None
    assert told(report.code, register, report.offset).how is how


@given(
    st.text(alphabet="0123456789abcdef <>()", max_size=400),
    st.sampled_from(["x86_64", "arm64", "i386", "s390x"]),
    st.sampled_from(["rax", "rdi", "x0", "w9", "eax", ""]),
    st.none() | st.integers(-5, 5000),
)
def test_any_text_is_an_answer_or_none(
    code: str, arch: str, register: str, offset: int | None
) -> None:
    found = origin(code, arch, register, offset)
    assert found is None or found.how in OriginKind
