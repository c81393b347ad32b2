"""A report that is cut or disguised is never called no fault, nor surely something wrong."""

from __future__ import annotations

from functools import cache

import pytest

from disguises.cuts import CUTS
from disguises.forms import FORMS
from disguises.labelled import Answer, Paste, is_chosen, pastes
from disguises.outcome import (
    DOUBT,
    SAME,
    SILENT,
    SURELY_WRONG,
    SURER,
    UNKNOWN,
    WRONG_BEFORE,
    Outcome,
    outcome_of,
    tried,
)

ONE_IN = {"scenarios": 2, "crashes": 60}
"""Which part of the logs is tried; `bench/disguises.py` tries all of them."""


STILL_SILENT: dict[str, int] = {
    **{"headline lost": 4, "four lines lost": 3, "last screen": 1},
    **{"trace only": 3, "frames only": 3},
}
STILL_SURE: dict[str, int] = {
    **{"headline lost": 6, "four lines lost": 2, "from RIP on": 2, "behind RIP": 3},
    **{"to the RIP line": 1, "headline alone": 3, "first three lines": 1},
}
STILL_SURER: dict[str, int] = {
    **{"headline lost": 1, "four lines lost": 1, "from RIP on": 1, "no trace": 1},
}
"""Of how many logs of the sample it is so yet: numbers that may only become less."""
LOST: dict[str, float] = {
    "cut at 80": 0.2,
    "photo": 0.15,
    "broadcasts alone": 0.15,
    "one line, no clock": 0.15,
}
"""Which part of the answers a form may lose that loses or mixes up parts of the report."""


@cache
def outcomes() -> tuple[tuple[str, str, Outcome], ...]:
    """Return the paste, the cut or form and what became of the answer, for a sample of logs."""
    sample = [p for source, n in ONE_IN.items() for p in pastes(source) if is_chosen(p.name, n)]
    return tuple(
        (paste.name, name, outcome)
        for paste in sample
        for name, outcome in tried(paste, (*CUTS, *FORMS))
    )


def found(name: str, *unwanted: str) -> list[str]:
    """Return the outcomes of a cut or form that are unwanted."""
    return [f"{p}: {o}" for p, n, o in outcomes() if n == name and o.name in unwanted]


@pytest.mark.parametrize("name", [*CUTS, *FORMS])
def test_no_fault_becomes_silent(name: str) -> None:
    assert len(found(name, SILENT)) <= STILL_SILENT.get(name, 0), found(name, SILENT)


@pytest.mark.parametrize("name", [*CUTS, *FORMS])
def test_nothing_wrong_becomes_sure(name: str) -> None:
    assert len(found(name, SURELY_WRONG)) <= STILL_SURE.get(name, 0), found(name, SURELY_WRONG)


@pytest.mark.parametrize("name", CUTS)
def test_what_is_cut_makes_no_answer_surer(name: str) -> None:
    assert len(found(name, SURER)) <= STILL_SURER.get(name, 0), found(name, SURER)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_keeps_nearly_every_answer(name: str) -> None:
    lost = found(name, DOUBT, UNKNOWN)
    assert len(lost) <= LOST.get(name, 0.04) * sum(n == name for _, n, _ in outcomes()), lost


PASTE = Paste("one", "x", "x", frozenset({"null-deref"}), frozenset({"module"}))
RIGHT, DOUBTFUL = Answer("null-deref", "module", 0.8), Answer("oom", "module", 0.5)


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (RIGHT, RIGHT, SAME),
        (RIGHT, Answer("null-deref", "module", 0.7), SAME),
        (RIGHT, Answer("null-deref", "module", 0.9), SURER),
        (RIGHT, Answer("null-deref", "kernel", 0.8), DOUBT),
        (RIGHT, Answer("null-deref", "kernel", 0.9), SURELY_WRONG),
        (RIGHT, DOUBTFUL, DOUBT),
        (RIGHT, Answer("unknown", "module", 0.2), UNKNOWN),
        (RIGHT, Answer("none", "none", 0.9), SILENT),
        (Answer("none", "none", 0.9), Answer("none", "none", 0.9), WRONG_BEFORE),
        (Answer("oom", "module", 0.95), Answer("oom", "kernel", 0.95), WRONG_BEFORE),
    ],
)
def test_the_outcome_of_a_cut(before: Answer, after: Answer, outcome: str) -> None:
    assert outcome_of(PASTE, before, after).name == outcome


def test_a_paste_has_the_report_and_what_stands_around_it() -> None:
    paste = next(p for p in pastes("scenarios") if p.name == "scenarios/null-deref-module")
    assert paste.report.startswith("[")
    assert "NULL pointer dereference" in paste.report.splitlines()[0]
    assert paste.report in paste.context
    assert paste.causes == {"null-deref"}
    assert paste.who == {"module"}
