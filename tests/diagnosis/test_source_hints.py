"""What checkers of the source add to a diagnosis."""

from __future__ import annotations

import pytest

from diagnosis.conftest import diagnose_one, make_report
from pagefault_doctor.model.diagnosis import Candidate, RootCause
from pagefault_doctor.model.fact import Fact, Source, Value
from pagefault_doctor.model.report import Kind

FINDING = Source("spatch", 4)


def candidate(facts: dict[str, Value], cause: RootCause) -> Candidate:
    report = make_report(Kind.PAGE_FAULT, address="0xffffc90000123000", module="wobble")
    known = {name: Fact(name, value, FINDING) for name, value in facts.items()}
    found = diagnose_one(report, known).candidates
    return next(c for c in found if c.root_cause is cause)


@pytest.mark.parametrize("checker", ["cocci", "analyser", "sparse"])
def test_a_hint_at_the_faulty_line_strengthens_its_cause(checker: str) -> None:
    suspect: dict[str, Value] = {"suspect.module": "wobble"}
    before = candidate(suspect, RootCause.WILD_POINTER)
    hint: dict[str, Value] = {f"fix.{checker}_cause": "wild-pointer"}
    after = candidate(suspect | hint, RootCause.WILD_POINTER)
    assert after.confidence > before.confidence
    assert [(e.origin, e.line) for e in after.supporting if "at the line" in e.text] == [
        ("spatch", 4)
    ]


def test_a_hint_at_one_cause_says_nothing_of_another() -> None:
    facts: dict[str, Value] = {"suspect.module": "wobble", "fix.cocci_cause": "double-free"}
    assert all(
        "coccinelle" not in e.text for e in candidate(facts, RootCause.WILD_POINTER).evidence
    )


def test_a_hint_in_the_suspects_source_is_not_of_another_modules_report() -> None:
    facts: dict[str, Value] = {"suspect.module": "other", "fix.cocci_cause": "wild-pointer"}
    assert all(
        "coccinelle" not in e.text for e in candidate(facts, RootCause.WILD_POINTER).evidence
    )
