"""Each tool reads its own recorded outputs with a little damage, and plans on from there."""

from __future__ import annotations

import random
from functools import cache
from typing import Final, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klog.mutations import mutate
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.event import CommandFinished, SessionStarted
from pagefault_doctor.model.untrusted import clean, is_clean
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import read_events
from pagefault_doctor.session.view import Fold
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.tool import next_command

_LONGEST: Final = 40_000
"""Characters of an output that are damaged; longer ones are logs, which klog's tests damage."""
RECORDED: Final = ("null-deref-module", "use-after-free-timer", "program-segfault")


class Reading(NamedTuple):
    """A result of a recording, and the case that its tool read it in."""

    result: Result
    case: Case


@cache
def readings() -> dict[str, tuple[Reading, ...]]:
    """Return what each tool read in the recordings, by its id."""
    found: dict[str, list[Reading]] = {}
    for name in RECORDED:
        events = read_events(shelf.recording_path(name))
        started = events[0]
        assert isinstance(started, SessionStarted)
        fold = Fold(TOOLS)
        view = fold.begin(started, shelf.playbook(started.playbook))
        for event in events[1:]:
            before, view = view, fold.apply(view, event)
            if isinstance(event, CommandFinished):
                record = next(c for c in view.commands if c.number == event.number)
                if record.result and len(event.output) < _LONGEST and event.output:
                    found.setdefault(record.command.tool, []).append(
                        Reading(record.result, before.case)
                    )
    return {tool: tuple(each) for tool, each in found.items()}


def damaged(text: str, seed: int) -> str:
    """Return the output as a host would hand it over after the damage."""
    data = mutate(text.encode("utf-8", "replace"), random.Random(seed))
    return clean(data.decode("utf-8", "replace"))


@pytest.mark.parametrize("tool_id", sorted(readings()))
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), errors=st.booleans())
def test_a_tool_reads_its_own_output_with_damage(tool_id: str, seed: int, errors: bool) -> None:
    tool = TOOLS[tool_id]
    each = readings()[tool_id]
    result, case = each[seed % len(each)]
    result = msgspec.structs.replace(
        result,
        output=damaged(result.output, seed),
        errors=damaged(result.errors, seed) if errors else result.errors,
    )
    reading = tool.read(result, case)
    assert {fact.name for fact in reading.facts} <= set(tool.facts)
    assert all(is_clean(finding.text) for finding in reading.findings)
    facts = case.facts | {fact.name: fact for fact in reading.facts}
    results = case.results | {tool_id: (*case.done(tool_id), result)}
    wanted = next_command(tool, msgspec.structs.replace(case, facts=facts, results=results))
    assert wanted is None or not isinstance(wanted, Command) or wanted.tool == tool_id


def test_most_tools_are_in_the_recordings() -> None:
    assert len(readings()) > 15
