"""Conditions on facts, and texts that name facts."""

from __future__ import annotations

import msgspec
import pytest

from pagefault_doctor.model.fact import Fact, Source, Value
from pagefault_doctor.model.playbook import Condition
from pagefault_doctor.playbook.condition import fill, holds, places

VALUES: dict[str, Value] = {
    "report.module": "faulty",
    "report.count": 2,
    "verdict.confidence": 0.5,
    "module.loaded": True,
    "dump.complete": False,
    "taint.letters": ("O", "E"),
    "taint.mask": 0,
}
FACTS = {name: Fact(name, value, Source("test")) for name, value in VALUES.items()}


def condition(**test: object) -> Condition:
    return msgspec.convert(test, Condition)


@pytest.mark.parametrize(
    ("fact", "test", "value", "expected"),
    [
        ("report.module", "is", "faulty", True),
        ("report.module", "is", "other", False),
        ("report.unknown", "is", "faulty", False),
        ("dump.complete", "is", False, True),
        ("dump.unknown", "is", False, False),
        ("module.loaded", "is", True, True),
        ("module.loaded", "is", 1, False),
        ("taint.mask", "is", False, False),
        ("taint.mask", "is", 0, True),
        ("taint.letters", "is", ["O", "E"], True),
        ("taint.letters", "is", "O", False),
        ("report.module", "in", ["other", "faulty"], True),
        ("report.module", "in", ["other"], False),
        ("report.module", "in", [], False),
        ("report.count", "in", [True, 2], True),
        ("taint.letters", "in", ["E", "F"], True),
        ("taint.letters", "in", ["F"], False),
        ("report.unknown", "in", ["faulty"], False),
        ("report.module", "present", True, True),
        ("report.module", "present", False, False),
        ("report.unknown", "present", True, False),
        ("report.unknown", "present", False, True),
        ("report.count", "at_least", 2, True),
        ("report.count", "at_least", 3, False),
        ("verdict.confidence", "at_least", 0.5, True),
        ("verdict.confidence", "at_least", 0.51, False),
        ("report.module", "at_least", 1, False),
        ("report.unknown", "at_least", 0, False),
    ],
)
def test_a_single_test(fact: str, test: str, value: object, expected: bool) -> None:
    assert holds(condition(**{"fact": fact, test: value}), FACTS) is expected


YES = {"fact": "report.module", "present": True}
NO = {"fact": "report.unknown", "present": True}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"all": [YES, YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"any": [NO, YES]}, True),
        ({"any": [NO, NO]}, False),
        ({"not": NO}, True),
        ({"not": YES}, False),
        ({"not": {"any": [NO, {"all": [YES, {"not": YES}]}]}}, True),
    ],
)
def test_tests_can_be_joined(test: dict[str, object], expected: bool) -> None:
    assert holds(condition(**test), FACTS) is expected


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("It is in {report.module}.", "It is in faulty."),
        ("{report.count} reports", "2 reports"),
        ("loaded: {module.loaded}, complete: {dump.complete}", "loaded: yes, complete: no"),
        ("tainted {taint.letters}", "tainted O, E"),
        ("{report.unknown} is not known", "? is not known"),
        ("no place here", "no place here"),
    ],
)
def test_facts_are_filled_in(text: str, filled: str) -> None:
    assert fill(text, FACTS) == filled


def test_a_value_is_not_filled_in_again() -> None:
    value: Value = "{taint.mask}"
    facts = FACTS | {"report.module": Fact("report.module", value, Source("test"))}
    assert fill("{report.module}", facts) == "{taint.mask}"


def test_the_places_of_a_text() -> None:
    assert places("{a.b} and {c.d-e} {") == (("a.b", "c.d-e"), " and  {")
