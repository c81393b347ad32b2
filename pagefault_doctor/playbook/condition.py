"""Conditions on facts: data in, yes or no out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pagefault_doctor.model.fact import Fact, Value
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.playbook import Condition

_PLACE = regex(r"\{([a-z0-9_.-]+)\}")


def holds(condition: Condition, facts: Mapping[str, Fact]) -> bool:
    """Return whether the condition is true of the facts. A test on an unknown fact is false.

    For a fact with several values, `in` is true if any of them is listed.
    """
    if condition.all is not None:
        return all(holds(part, facts) for part in condition.all)
    if condition.any is not None:
        return any(holds(part, facts) for part in condition.any)
    if condition.not_ is not None:
        return not holds(condition.not_, facts)
    fact = facts.get(condition.fact or "")
    # Before the value: `present: false` is the only test that holds without a fact.
    if condition.present is not None:
        return (fact is not None) == condition.present
    return fact is not None and _matches(condition, fact.value)


def _matches(condition: Condition, value: Value) -> bool:
    if condition.is_ is not None:
        return _same(value, condition.is_)
    if condition.in_ is not None:
        values = value if isinstance(value, tuple) else (value,)
        return any(_same(one, listed) for one in values for listed in condition.in_)
    if condition.at_least is not None and isinstance(value, int | float):
        return value >= condition.at_least
    return False


def _same(value: Value, wanted: Value) -> bool:
    # True == 1 in Python, but for a playbook a count of one is not a yes.
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def places(text: str) -> tuple[tuple[str, ...], str]:
    """Return the names of the facts in braces in the text, and the text without them."""
    return tuple(_PLACE.findall(text)), _PLACE.sub("", text)


def fill(text: str, facts: Mapping[str, Fact]) -> str:
    """Return the text with `{fact.name}` replaced by the fact's value, `?` where it is unknown."""

    def value(match: re.Match[str]) -> str:
        fact = facts.get(match.group(1))
        if fact is None:
            return "?"
        return _in_words(fact.value)

    return _PLACE.sub(value, text)


def _in_words(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
