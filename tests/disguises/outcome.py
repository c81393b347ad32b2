"""What became of the answer to a log when it was cut or disguised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from disguises.cuts import CUTS
from disguises.forms import FORMS
from disguises.labelled import Answer, Paste, answer_to
from pagefault_doctor.model.diagnosis import RootCause

_MORE: Final = 0.02
"""By how much a confidence has to grow to count."""

SAME: Final = "same"
SURER: Final = "surer"
DOUBT: Final = "doubt"
UNKNOWN: Final = "unknown"
SILENT: Final = "silent"
SURELY_WRONG: Final = "surely wrong"
WRONG_BEFORE: Final = "wrong before"
OUTCOMES: Final = (SAME, SURER, DOUBT, UNKNOWN, SILENT, SURELY_WRONG, WRONG_BEFORE)
"""The same answer, the same but surer; another one in doubt, with a cause or without; no fault
found; something wrong said with certainty, and that also of the whole text."""
_NO_CAUSE: Final = getattr(RootCause, "UNKNOWN", "unknown")


class Outcome(msgspec.Struct, frozen=True):
    """The outcome, and the answers to the whole text and to what was made of it."""

    name: str
    before: Answer
    after: Answer

    def __str__(self) -> str:
        one, other = self.before, self.after
        return (
            f"{self.name}: {one.cause} {one.who} {one.confidence:.2f} -> "
            f"{other.cause} {other.who} {other.confidence:.2f}"
        )


def tried(paste: Paste, names: Iterable[str]) -> Iterator[tuple[str, Outcome]]:
    """Yield the outcome of each of these cuts and forms; a cut that leaves no line is none."""
    whole = {text: answer_to(text) for text in (paste.report, paste.context)}
    for name in names:
        text = paste.report if name in CUTS else paste.context
        changed = (CUTS.get(name) or FORMS[name])(text)
        if changed.strip():
            answer = whole.get(changed) or answer_to(changed)
            yield name, outcome_of(paste, whole[text], answer)


def outcome_of(paste: Paste, before: Answer, after: Answer) -> Outcome:
    """Return what became of an answer."""
    return Outcome(_name(paste, before, after), before, after)


def _name(paste: Paste, before: Answer, after: Answer) -> str:
    if after.is_silent and not before.is_silent:
        return SILENT
    if paste.is_surely_wrong(after):
        return WRONG_BEFORE if paste.is_surely_wrong(before) else SURELY_WRONG
    if (after.cause, after.who) == (before.cause, before.who):
        return SURER if after.confidence > before.confidence + _MORE else SAME
    return UNKNOWN if after.cause == _NO_CAUSE else DOUBT
