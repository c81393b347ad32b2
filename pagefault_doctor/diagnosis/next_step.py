"""The next step to take, and why: the first row of `playbooks/next-steps.yaml` that fits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final, Protocol

from pagefault_doctor.model.diagnosis import NextStep
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.pattern import WordedPattern, regex
from pagefault_doctor.model.situation import SHAPES, Situation, Wanted, listed
from pagefault_doctor.playbook.next_steps import situations

_LOOKED_UP: Final = ("cause", "who", "kind", "origin", "arch", "place", "after_death")
"""Conditions that many rows have or few reports fulfil."""
_NAME: Final = regex(r"\{(\w+)\}")
_SAFE: Final = regex(r"[\w.:/@+~-]+")
"""What of a log may stand in a command."""


class Seen(Protocol):
    """What the table's conditions are held against; each condition is an attribute of its name."""

    def named(self, name: str) -> str | None:
        """Return what a `{name}` in a sentence stands for, None where it is not known."""

    def walk_fact(self, name: str) -> Fact | None:
        """Return a fact that a walk found out."""


def next_step(seen: Seen) -> NextStep | None:
    """Return what to do next in a situation; raises MissingError where there is no table."""
    looked_up = (getattr(seen, name, None) for name in _LOOKED_UP)
    rows = _rows(*looked_up)
    return next((step for row, rest in rows if (step := _step(row, rest, seen))), None)


Words = str | tuple[str, ...]
Rest = tuple[tuple[str, Wanted], ...]
"""Conditions of a row besides those that are looked up first."""


@lru_cache(256)
def _rows(*values: str | bool | None) -> tuple[tuple[Situation, Rest], ...]:
    """Return the rows that these values of what is looked up first do not rule out."""
    pairs = tuple(zip(_LOOKED_UP, values, strict=True))
    return tuple(
        (row, tuple(pair for pair in row.when.items() if pair[0] not in _LOOKED_UP))
        for row in situations()
        if all(_is(row.when[name], value) for name, value in pairs if name in row.when)
    )


def _step(row: Situation, rest: Rest, seen: Seen) -> NextStep | None:
    found: dict[str, str] = {}
    for name, wanted in rest:
        if not _holds(name, wanted, seen, found):
            return None
    if any(_holds(name, wanted, seen, {}) for name, wanted in row.unless.items()):
        return None
    asked = (name for text in (row.do, *row.command) for name in _NAME.findall(text))
    names = {name: found.get(name) or seen.named(name) or "" for name in asked}
    if not all(names.values()):
        return None
    command = _command(row, names) if _can_run(row, seen) else ()
    return NextStep(row.step, " ".join(_filled(row.do, names).split()), command, row.id)


def _can_run(row: Situation, seen: Seen) -> bool:
    return row.command[:1] != ("journalctl",) or getattr(seen, "journal", True)


def _command(row: Situation, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command, nothing where what fills it is not fit for one."""
    command = tuple(_filled(part, names) for part in row.command)
    pairs = zip(command, row.command, strict=True)
    return () if any(_is_unsafe(part, given) for part, given in pairs) else command


def _holds(name: str, wanted: Wanted, seen: Seen, found: dict[str, str]) -> bool:
    """Whether a condition is true. What its named groups match is added to `found`."""
    if isinstance(wanted, dict):
        facts = ((seen.walk_fact(fact), value) for fact, value in wanted.items())
        return all(fact is not None and fact.value == value for fact, value in facts)
    value: Any = getattr(seen, name, None)
    if name not in SHAPES:
        return _is(wanted, value)
    for shape in listed(wanted) if value else ():
        if match := _pattern(shape).search(value):
            found.update({group: text for group, text in match.groupdict().items() if text})
            return True
    return False


def _is(wanted: Wanted, value: Words | bool | None) -> bool:
    """Whether a sign is as wanted, or a word is among those of which one has to fit."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    return not set(listed(value or ())).isdisjoint(listed(wanted))


@cache
def _pattern(shape: str) -> WordedPattern | re.Pattern[str]:
    """Return an expression that is compiled only for a text with a word that it needs."""
    return regex(shape) if shape.startswith("(?i)") else WordedPattern(shape)


def _filled(text: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: names[match[1]], text)


def _is_unsafe(part: str, given: str) -> bool:
    """Whether an argument that is filled from the log is not a plain name, or passes for an option.

    A name from a log must not be able to do more than to be looked for.
    """
    return "{" in given and (not _SAFE.fullmatch(part) or part.startswith("-"))
