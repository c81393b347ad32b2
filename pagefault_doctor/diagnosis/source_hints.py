"""What checkers of the source found at the very line that faulted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.scene import Scene
from pagefault_doctor.model.diagnosis import Evidence, RootCause

_CHECKERS: Final = (
    ("fix.cocci_cause", "coccinelle finds a pattern that brings it"),
    ("fix.analyser_cause", "gcc -fanalyzer warns of it"),
    ("fix.sparse_cause", "sparse warns of it"),
)


def hints(cause: RootCause, scene: Scene) -> Iterator[Evidence]:
    """Yield the hints that speak for a cause, where the report is about the suspect's own code."""
    suspect = scene.fact("suspect.module")
    if suspect is None or scene.report.module != suspect.value:
        return
    for name, text in _CHECKERS:
        fact = scene.fact(name)
        if fact and fact.value == cause.value:
            yield scene.knows("checker.pattern", f"{text}, at the line that faulted", fact)
