"""The corpus of real crashes: what it holds, and how right the diagnosis is about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from crashes.corpus import LOGS, Case, Judged, cases, judge, kernels, pack
from pagefault_doctor.model.diagnosis import RootCause

MOST_BYTES = 8 << 20
"""What all logs may take in the repository."""

UNSEEN = ("x86_64-7.2", "i386-6.1")
"""Kernels whose logs no rule was written with."""

AT_LEAST = {"cause": 0.96, "who": 0.98, "module": 0.98, "spoken": 1.0}
"""The part of the answers that is right about kernels whose logs the rules were written with."""

LESS = 0.04
"""By how much the others may be less."""


def least(kernel: str, column: str) -> float:
    """Return the part of the answers about a kernel that has to be right."""
    return AT_LEAST[column] - LESS * (kernel in UNSEEN)


@pytest.mark.parametrize("kernel", kernels())
@pytest.mark.parametrize("column", AT_LEAST)
def test_the_diagnosis_is_right_about_most_crashes(kernel: str, column: str) -> None:
    judged = [(case, getattr(answer, column)) for case, answer in answers(kernel)]
    asked = [(case, right) for case, right in judged if right is not None]
    wrong = [case.name for case, right in asked if not right]
    assert len(wrong) <= round((1 - least(kernel, column)) * len(asked), 6), wrong


@cache
def answers(kernel: str) -> tuple[tuple[Case, Judged], ...]:
    """Return the cases of a kernel, and how right the answers are."""
    return tuple((case, judge(case)) for case in cases(kernel))


def test_it_holds_what_it_promises() -> None:
    assert sum(path.stat().st_size for path in LOGS.iterdir()) <= MOST_BYTES
    every = [case for kernel in kernels() for case in cases(kernel)]
    assert len(every) >= 700
    assert {case.cause for case in every} == set(RootCause) - {RootCause.UNKNOWN}
    assert all(case.made["kernel"] and case.made["arch"] == case.arch for case in every)


def test_no_log_has_what_only_this_machine_knows() -> None:
    for kernel in kernels():
        for case in cases(kernel):
            assert b"/tmp/" not in case.log.replace(b"/tmp/source", b""), case.name


def case_of(expected: dict[str, object], log: bytes, *, silent: bool = False) -> Case:
    blank: dict[str, object] = {
        "root_cause_also": [], "attribution_also": [], "module_also": [], "function_also": []
    }  # fmt: skip
    return Case("x86_64-1.0", "one", log, blank | expected, {"seed": "none/one", "silent": silent})


OOPS = b"""\
[   10.642146] BUG: kernel NULL pointer dereference, address: 0000000000000008
[   10.646919] Oops: 0000 [#1] PREEMPT SMP NOPTI
[   10.648346] CPU: 0 PID: 195 Comm: cat Tainted: G           OE      6.12.0 #1
[   10.651887] RIP: 0010:tray_open+0x9/0x20 [tray]
[   10.653898] Code: 48 8b 05 <48> 8b 40 08
[   10.659363] Call Trace:
[   10.661102]  misc_open+0xab/0x160
[   10.683636] Modules linked in: tray(OE)
"""
RIGHT: dict[str, object] = {
    "root_cause_class": "null-deref",
    "attribution": "module",
    "module": "tray",
    "function": "tray_open",
}


def test_a_right_answer_is_right_in_all_that_is_asked() -> None:
    judged = judge(case_of(RIGHT, OOPS))
    assert _told(judged) == (True, True, True, True, True, True)


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        ({"root_cause_class": "oom"}, "cause"),
        ({"attribution": "kernel"}, "who"),
        ({"module": "spoon"}, "module"),
        ({"module": None}, "module"),
        ({"function": "tray_close"}, "function"),
    ],
)
def test_a_wrong_answer_is_wrong_in_one_thing(wrong: dict[str, object], column: str) -> None:
    judged = judge(case_of(RIGHT | wrong, OOPS))
    assert getattr(judged, column) is False
    assert [_told(judged).count(False)] == [1]


def test_another_answer_that_an_expert_accepts_is_right() -> None:
    truth = RIGHT | {"root_cause_class": "oom", "root_cause_also": ["null-deref"]}
    assert judge(case_of(truth, OOPS)).cause


def test_a_fault_called_none_is_not_spoken_of() -> None:
    judged = judge(case_of(RIGHT, b"[    1.0] all is well\n"))
    assert (judged.spoken, judged.detected, judged.cause) == (False, False, False)


def test_of_a_silent_log_nothing_may_be_said() -> None:
    assert _told(judge(case_of(RIGHT, b"[    1.0] all is well\n", silent=True))) == (
        None, True, True, True, None, None
    )  # fmt: skip
    assert not judge(case_of(RIGHT, OOPS, silent=True)).cause


def _told(judged: Judged) -> Sequence[bool | None]:
    fields = ("detected", "cause", "who", "module", "function", "spoken")
    return tuple(getattr(judged, field) for field in fields)


def test_an_archive_gives_back_what_was_packed_and_is_the_same_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "x86_64-1.0"
    folder.mkdir()
    (folder / "one.log").write_bytes(OOPS)
    told = {"id": "one", "expected": RIGHT, "made": {"seed": "null-deref/one"}}
    (folder / "one.json").write_text(json.dumps(told))
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        pack(folder, ["one"], tmp_path / name / "x86_64-1.0.tar.xz")
    first, second = (tmp_path / name / "x86_64-1.0.tar.xz" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    assert kernels(first.parent) == ("x86_64-1.0",)
    (case,) = cases("x86_64-1.0", first.parent)
    assert (case.name, case.arch, case.cause, case.log) == ("one", "x86_64", "null-deref", OOPS)
