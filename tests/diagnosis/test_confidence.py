"""What the confidence is worth: of what is called nearly certain, nineteen in twenty are right."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from diagnosis.logs import page_fault, stamped, verdict
from pagefault_doctor.diagnosis.confidence import confidence
from pagefault_doctor.diagnosis.weights import CONFIDENCE
from pagefault_doctor.model.diagnosis import Attribution, RootCause

BENCH = Path(__file__).parents[2] / "bench/weights.py"


@cache
def bench() -> ModuleType:
    """Return `bench/weights.py` as a module."""
    spec = importlib.util.spec_from_file_location("bench_weights", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def share_of_the_sure(answers: Sequence[tuple[float, Any]]) -> tuple[float, int]:
    """Return the share of right answers among those with 90 % or more, and their number."""
    sure = [case for chance, case in answers if chance >= 0.9]
    return sum(case.weight * case.right for case in sure) / sum(c.weight for c in sure), len(sure)


def test_of_what_is_said_with_90_percent_nineteen_in_twenty_are_right(
    monkeypatch: pytest.MonkeyPatch, corpus: Path
) -> None:
    monkeypatch.setenv("PFDOCTOR_CORPUS", str(corpus))
    weights = bench()
    logs = [each for each in weights.labelled() if each.family != "crashes"]
    cases = [
        case
        for each in logs
        for form, text in weights.forms(each.text)
        if (case := weights.judge(each, form, text, 1.0))
    ]
    answers = [(weights.said(CONFIDENCE, case), case) for case in cases]
    share, count = share_of_the_sure(answers)
    assert share >= 0.95
    assert count >= 100
    assert weights.brier(answers) <= 0.1


def test_the_model_of_the_bench_is_that_of_the_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PFDOCTOR_CORPUS", raising=False)
    weights = bench()
    text = page_fault("0000000000000008", 2, code="90 <c6> 40 08 41 c3", registers={"rax": "0"})
    truth = weights.Truth(frozenset({"null-deref"}), frozenset({"module"}))
    case = weights.judge(weights.Labelled("made", "made", 1.0, text, truth), "whole", text, 1.0)
    assert case.right
    assert round(weights.said(CONFIDENCE, case), 3) == verdict(text).confidence


@pytest.mark.parametrize("key", [key for key in CONFIDENCE if key.startswith("lacks.")])
def test_what_is_missing_never_makes_an_answer_surer(key: str) -> None:
    assert confidence(0.8, (key,)) <= confidence(0.8, ())


WHOLE = page_fault("ffff888004c12340", code=None)


@pytest.mark.parametrize(
    "poorer",
    [
        pytest.param("\n".join(WHOLE.splitlines()[:1]) + "\n", id="the headline alone"),
        pytest.param(WHOLE[WHOLE.index("RIP:") :], id="from the RIP line on"),
        pytest.param(WHOLE[: WHOLE.index("Call Trace")], id="no trace"),
    ],
)
def test_a_part_of_a_report_is_diagnosed_with_more_doubt(poorer: str) -> None:
    assert verdict(poorer).confidence < verdict(WHOLE).confidence


def test_the_kernel_itself_is_doubtful_among_modules_from_outside_the_tree() -> None:
    own: dict[str, Any] = {"place": "vfs_poll+0x24/0x90", "code": None}
    tree: dict[str, Any] = {"modules": "ext4", "tainted": "Not tainted"}
    alone = verdict(page_fault("0000000000000008", **own, **tree))
    among = verdict(page_fault("0000000000000008", **own, modules="vboxdrv(OE) zfs(POE) ext4"))
    assert alone.attribution is among.attribution is Attribution.KERNEL
    assert among.confidence < alone.confidence


def test_nothing_found_is_surer_of_a_log_from_its_boot_on() -> None:
    part = stamped("e1000: eth0 NIC Link is Up")
    whole = stamped("Linux version 6.1.0-1-amd64 (gcc 12)", "e1000: eth0 NIC Link is Up", at=0)
    assert verdict(part).root_cause is verdict(whole).root_cause is RootCause.NONE
    assert verdict(part).confidence < 0.75 < verdict(whole).confidence


class TestAWrappedErrorCode:
    """ERR_PTR(-ENOENT) with a member at 0x20: the kernel calls address 0x1e a NULL pointer."""

    AT = "000000000000001e"
    CODE = "90 <48> 8b 40 20 c3"  # mov 0x20(%rax),%rax

    def test_with_the_register_it_is_certain(self) -> None:
        found = verdict(page_fault(self.AT, code=self.CODE, registers={"rax": "fffffffffffffffe"}))
        assert (found.root_cause, found.confidence > 0.9) == (RootCause.ERR_PTR, True)

    def test_without_registers_the_instruction_gives_the_base(self) -> None:
        found = verdict(page_fault(self.AT, code=self.CODE))
        assert found.root_cause is RootCause.ERR_PTR
        assert any("RAX = 0xfffffffffffffffe" in e.text for e in found.candidates[0].evidence)

    def test_without_the_instruction_a_register_explains_the_odd_address(self) -> None:
        found = verdict(page_fault(self.AT, code=None, registers={"rax": "fffffffffffffffe"}))
        assert found.root_cause is RootCause.ERR_PTR

    def test_an_error_code_that_does_not_explain_the_address_says_nothing(self) -> None:
        found = verdict(page_fault("18", code=None, registers={"rax": "fffffffffffffffe"}))
        assert found.root_cause is RootCause.NULL_DEREF


class TestNoEntryAsAPointer:
    """-ENOENT is an error code where a call is seen to return it; else it may be any garbage."""

    AT = "fffffffffffffffe"
    CALLED = "55 48 89 e5 e8 11 22 33 44 <48> 8b 00 c3"  # call; mov (%rax),%rax
    UNSEEN = "90 90 90 90 <48> 8b 03 c3"  # mov (%rbx),%rax

    def test_behind_a_call_it_is_certain(self) -> None:
        found = verdict(page_fault(self.AT, code=self.CALLED, registers={"rax": self.AT}))
        assert (found.root_cause, found.confidence > 0.9) == (RootCause.ERR_PTR, True)

    def test_where_the_code_shows_no_call_nothing_is_certain(self) -> None:
        found = verdict(page_fault(self.AT, code=self.UNSEEN, registers={"rbx": self.AT}))
        assert found.confidence < 0.9
        assert RootCause.ERR_PTR in [each.root_cause for each in found.candidates]

    def test_another_error_code_needs_no_call(self) -> None:
        invalid = "ffffffffffffffea"
        found = verdict(page_fault(invalid, code=self.UNSEEN, registers={"rbx": invalid}))
        assert (found.root_cause, found.confidence > 0.9) == (RootCause.ERR_PTR, True)
