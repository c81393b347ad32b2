"""What checkers of the source found at the very line that faulted."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.model.diagnosis import Evidence

_CHECKERS: Final = (
    ("fix.cocci_cause", "coccinelle finds a pattern that brings it"),
    ("fix.analyser_cause", "gcc -fanalyzer warns of it"),
    ("fix.sparse_cause", "sparse warns of it"),
)


def hints(scene: Scene) -> dict[str, list[Evidence]]:
    """Return what speaks for each cause, by its name, where the report is of the suspect's code."""
    found: dict[str, list[Evidence]] = {}
    suspect = scene.fact("suspect.module")
    if suspect is None or scene.report.module != suspect.value:
        return found
    for name, text in _CHECKERS:
        if fact := scene.fact(name):
            said = scene.knows("checker.pattern", f"{text}, at the line that faulted", fact)
            found.setdefault(str(fact.value), []).append(said)
    return found
