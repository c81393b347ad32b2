"""What was tried in the walk, and what it showed: the trigger, the load, the change, the proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.diagnosis.explanation.sentence import by_command
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.fact import Value

_SHOWN: Final[tuple[tuple[str, Value, str], ...]] = (
    ("reproduce.reproduced", True, "it comes when it is called: new reports after the trigger"),
    ("reproduce.reproduced", False, "it did not come back when it was called"),
    ("memtest.passed", True, "a memory test passed, which does not clear the memory"),
    ("memtest.passed", False, "a memory test failed"),
    ("fix.changed", True, "the source was changed"),
    ("fix.built", True, "the changed module was built"),
    ("fix.built", False, "the changed module did not build"),
    ("validate.verdict", "fixed", "with it the trigger, the load and unloading brought no report"),
    ("validate.verdict", "not-fixed", "with it the fault came again"),
    ("validate.verdict", "inconclusive", "the proof is not complete: see the last step"),
)
"""A fact of the walk, its value, and what that means."""


def tried(scene: Scene) -> Iterator[Evidence]:
    """Give what was tried, in the order of the steps."""
    for name, value, text in _SHOWN:
        fact = scene.of_walk(name)
        if fact and fact.value == value:
            yield by_command(text, fact)
