"""Which playbook a case belongs in: the table, and the suggestions that lead there."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.event import StepEntered, StepFinished
from pagefault_doctor.model.fact import Fact, Source, Value
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.model.report import USER_SIDE, Kind
from pagefault_doctor.playbook import shelf
from pagefault_doctor.playbook.choice import DEFAULT_PLAYBOOK, playbook_for
from pagefault_doctor.playbook.engine import OutputLearned, Suggest, advance, start
from pagefault_doctor.session.chosen_playbook import playbook_of
from session.logs_from_elsewhere import LOGS

BOOKS = {name: shelf.playbook(name) for name in shelf.playbook_ids()}
CASES = [(kind, cause) for kind in Kind for cause in RootCause if kind is not Kind.HARDWARE]


def suggested(playbook_id: str, kind: Kind, cause: RootCause, elsewhere: bool) -> Suggest:
    """Return where the first step of a playbook leads in a case."""
    values: dict[str, Value] = {
        "report.kind": kind.value,
        "report.headline": "it",
        "report.title": "it",
        "report.is_kernel_fault": kind not in USER_SIDE,
        "verdict.root_cause": cause.value,
        "log.of": "another" if elsewhere else "this-box",
    }
    facts = tuple(Fact(name, value, Source("x")) for name, value in values.items())
    first = BOOKS[playbook_id].steps[0].id
    state, _ = advance(start(BOOKS[playbook_id]), StepEntered(step=first))
    state, _ = advance(state, OutputLearned(facts))
    _, (suggestion,) = advance(state, StepFinished(step=first, status=StepStatus.DONE))
    assert isinstance(suggestion, Suggest)
    return suggestion


@pytest.mark.parametrize("name", LOGS)
def test_the_log_decides(name: str) -> None:
    text, expected = LOGS[name]
    assert playbook_of((klog.read(text.encode(), "case.log"),)) == expected


def test_without_a_report_it_is_the_usual_one() -> None:
    assert playbook_of(()) == DEFAULT_PLAYBOOK
    assert playbook_of((klog.read(b"usb 1-1: new device\n", "x"),)) == DEFAULT_PLAYBOOK


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_usual_playbook_leads_where_the_table_says(elsewhere: bool) -> None:
    for kind, cause in CASES:
        found = suggested(DEFAULT_PLAYBOOK, kind, cause, elsewhere).playbook or DEFAULT_PLAYBOOK
        assert found == playbook_for(kind, cause), (kind, cause)


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("playbook_id", BOOKS)
def test_no_two_playbooks_send_a_case_to_and_fro(playbook_id: str, elsewhere: bool) -> None:
    for kind, cause in [*CASES, (Kind.HARDWARE, RootCause.HARDWARE)]:
        there = suggested(playbook_id, kind, cause, elsewhere)
        if there.playbook:
            back = suggested(there.playbook, kind, cause, elsewhere).playbook
            assert back is None, (kind, cause, there.playbook)


def test_no_text_tells_a_person_to_quit_and_type_a_playbook() -> None:
    for name in BOOKS:
        assert "--playbook" not in shelf.text_of(f"{name}.yaml")
