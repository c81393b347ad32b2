"""What the confidence is worth: of what is called nearly certain, nine in ten are right."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from diagnosis.logs import page_fault, verdict
from pagefault_doctor.model.diagnosis import RootCause

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


def share_of_the_sure(said: Sequence[tuple[float, bool]]) -> tuple[float, int]:
    """Return the share of right causes among those with 90 % or more, and their number."""
    sure = [right for confidence, right in said if confidence >= 0.9]
    return sum(sure) / len(sure), len(sure)


def test_what_is_said_of_the_scenarios_with_90_percent_is_right_nine_times_in_ten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PFDOCTOR_CORPUS", raising=False)
    weights = bench()
    cases = list(weights.cases())
    share, count = share_of_the_sure(weights.judged(weights.Model(), cases))
    assert share >= 0.9
    assert count >= 20
    whole = [case for case in cases if case.form == weights.WHOLE]
    assert all(right for _, right in weights.judged(weights.Model(), whole))


def test_what_is_said_of_public_logs_with_90_percent_is_right_nine_times_in_ten(
    monkeypatch: pytest.MonkeyPatch, corpus: Path
) -> None:
    monkeypatch.setenv("PFDOCTOR_CORPUS", str(corpus))
    weights = bench()
    cases = list(weights.cases())
    for form in (weights.WHOLE, *weights.DEGRADED):
        some = [case for case in cases if case.form == form]
        share, _ = share_of_the_sure(weights.judged(weights.Model(), some))
        assert share >= 0.9, form


def test_the_model_of_the_bench_is_that_of_the_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PFDOCTOR_CORPUS", raising=False)
    weights = bench()
    text = page_fault("0000000000000008", 2, code="90 <c6> 40 08 41 c3", registers={"rax": "0"})
    case = weights.judge("made", weights.WHOLE, text, frozenset({"null-deref"}))
    found = verdict(text)
    best, confidence = weights.Model().best(case)
    assert (best, round(confidence, 3)) == (found.root_cause, found.confidence)


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
