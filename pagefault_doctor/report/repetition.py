"""Whether a sentence says anything that is not said already: an answer tells each thing once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pagefault_doctor.model.diagnosis import Experiment
from pagefault_doctor.model.pattern import regex

_WORD: Final = regex(r"0x[0-9a-f]+|[a-z_]\w+|\d+")
_IDLE: Final = frozenset(
    "address an and as at by call calls fault for held in is it kernel not of on the this through "
    "to used was went where which with".split()
)
"""Words that tell nothing by themselves."""
_MEANS: Final = tuple(
    regex(shape)
    for shape in (
        r"slub_debug|slab_debug|KASAN",
        r"memtest|memtester|test the memory",
        r"[Dd]isassemble|faddr2line",
        r"lockdep|PROVE_LOCKING",
        r"page_owner",
    )
)
"""Ways to find out more; two sentences with one of the same kind ask for the same."""


def adds(text: str, said: Iterable[str]) -> bool:
    """Return whether a text has a word or a number that none of what was said has.

    What stands behind a colon explains what stands before it, and is enough to have been said.
    """
    others = tuple(said)
    known = {word for other in others for word in _words(other)}
    _, colon, meaning = text.partition(": ")
    is_explained = bool(colon) and any(meaning in other for other in others)
    return not (is_explained or _words(text) <= known)


def _words(text: str) -> frozenset[str]:
    words = _WORD.findall(text.lower())
    return frozenset("0" if word == "0x0" else word for word in words) - _IDLE


def asks_for_the_same(experiment: Experiment, step: str) -> bool:
    """Return whether an experiment needs what the next step asks for already."""
    return any(means.search(experiment.do) and means.search(step) for means in _MEANS)
