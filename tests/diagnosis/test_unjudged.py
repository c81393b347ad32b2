"""A rule or another part of the diagnosis that fails is told, and the rest of it is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from diagnosis.logs import diagnosed, page_fault, verdict
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose, explanation, ranking
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.diagnosis.rules import RULES
from pagefault_doctor.model.diagnosis import Attribution, RootCause
from pagefault_doctor.model.fence import STRICT
from pagefault_doctor.report.diagnosis import diagnosis_text
from pagefault_doctor.report.document import diagnosis_document

LOG = page_fault("0", registers={"rbx": "0"}, code="48 89 c3 90 <8b> 03 c3 90")
HOSTILE = "a\x1b[2J"


def fails(*_: object) -> Any:
    """Fail, as a rule with a mistake does, before it says anything."""
    raise KeyError(HOSTILE)


def begins_and_fails(*arguments: object) -> Iterator[Any]:
    """Fail in the middle, as a generator does."""
    yield from ()
    fails(arguments)


@pytest.fixture
def forgiving(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As a person runs it: a mistake is fenced in."""
    monkeypatch.delenv(STRICT, raising=False)
    return monkeypatch


@pytest.mark.parametrize("mistake", [fails, begins_and_fails])
@pytest.mark.parametrize("cause", [cause for cause, _ in RULES])
def test_a_rule_that_fails_leaves_the_others(
    forgiving: pytest.MonkeyPatch, cause: RootCause, mistake: Any
) -> None:
    whole = {c.root_cause for c in diagnosed(LOG)[0].candidates} - {cause}
    rules = tuple((c, mistake if c is cause else weigh) for c, weigh in RULES)
    forgiving.setattr(ranking, "RULES", rules)
    (found,) = diagnosed(LOG)
    assert {c.root_cause for c in found.candidates} >= whole
    (note,) = found.notes
    assert "could not be worked out (KeyError" in note
    assert "\x1b" not in note
    assert found.account is not None


PARTS = {
    "attribute": "whose code it is",
    "_next_step": "the next step",
    "_experiment": "what to try",
    "candidates": "the cause",
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_the_ranking_that_fails_is_told(forgiving: pytest.MonkeyPatch, name: str) -> None:
    forgiving.setattr(ranking, name, fails)
    (found,) = diagnosed(LOG)
    assert found.notes[0].startswith(f"{PARTS[name]} could not be worked out")
    assert found.candidates
    assert found.attribution is not Attribution.MODULE or name in ("_next_step", "_experiment")


@pytest.mark.parametrize(
    "name", ["crux", "happened", "background", "unknown", "fix_location", "register_notes"]
)
def test_a_part_of_the_explanation_that_fails_leaves_the_cause(
    forgiving: pytest.MonkeyPatch, name: str
) -> None:
    forgiving.setattr(explanation, name, fails)
    found = verdict(LOG)
    assert found.root_cause is RootCause.NULL_DEREF
    assert found.module == "demo"
    assert len(found.notes) == 1
    assert found.account is not None


def test_text_and_json_tell_what_could_not_be_worked_out(forgiving: pytest.MonkeyPatch) -> None:
    forgiving.setattr(ranking, "_next_step", fails)
    logs = (klog.read(LOG.encode(), "made.log"),)
    opinion = with_explanations(diagnose(logs, {}), logs, {})
    text = diagnosis_text("made.log", logs[0].reports, opinion)
    assert "note    the next step could not be worked out" in text
    (report,) = diagnosis_document("made.log", logs[0].reports, opinion)["reports"]
    assert report["diagnosis"]["notes"][0].startswith("the next step")


def test_a_diagnosis_without_a_failure_has_no_notes() -> None:
    logs = (klog.read(LOG.encode(), "made.log"),)
    opinion = with_explanations(diagnose(logs, {}), logs, {})
    assert opinion.verdict.notes == ()
    (report,) = diagnosis_document("made.log", logs[0].reports, opinion)["reports"]
    assert "notes" not in report["diagnosis"]


@pytest.mark.parametrize("name", PARTS)
def test_in_the_tests_a_mistake_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(ranking, name, fails)
    with pytest.raises(KeyError):
        diagnosed(LOG)
