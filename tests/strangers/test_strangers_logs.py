"""How right the diagnosis is about logs as strangers post them."""

from __future__ import annotations

from functools import cache

import pytest

from pagefault_doctor.model.diagnosis import RootCause
from strangers.logs import Answer, answer, strangers

HALVES = {"looked at": False, "never looked at": True}
RIGHT = {"looked at": 0.95, "never looked at": 0.89}
"""The part of the answers that has to be right."""
SILENT = {"looked at": 0.01, "never looked at": 0.02}
"""The part of the logs with a fault of which nothing may be said."""


@cache
def answers() -> tuple[Answer, ...]:
    """Return the answers to all logs."""
    return tuple(map(answer, strangers()))


def half(name: str) -> list[Answer]:
    """Return the answers to the logs of one half."""
    return [each for each in answers() if each.stranger.is_unseen is HALVES[name]]


@pytest.mark.parametrize("name", HALVES)
def test_cause_and_who_has_to_act_are_right_of_nine_in_ten(name: str) -> None:
    wrong = [each.stranger.name for each in half(name) if not each.right]
    assert len(wrong) <= (1 - RIGHT[name]) * len(half(name)), wrong


@pytest.mark.parametrize("name", HALVES)
def test_hardly_any_fault_is_passed_over(name: str) -> None:
    silent = [each.stranger.name for each in half(name) if each.silent]
    faulty = [each for each in half(name) if each.stranger.is_faulty]
    assert len(silent) <= SILENT[name] * len(faulty), silent


def test_of_what_is_said_with_certainty_nearly_all_are_right() -> None:
    sure = [each for each in answers() if each.sure]
    wrong = [each.stranger.name for each in sure if not each.right]
    assert len(sure) >= len(answers()) / 2
    assert len(wrong) <= len(sure) / 40, wrong


def test_a_log_without_a_fault_has_none() -> None:
    harmless = [each for each in answers() if not each.stranger.is_faulty]
    alarms = [e.stranger.name for e in harmless if not e.right]
    assert len(harmless) >= 24
    assert all(e.verdict.root_cause is not RootCause.UNKNOWN for e in harmless)
    assert len(alarms) <= 1, alarms
