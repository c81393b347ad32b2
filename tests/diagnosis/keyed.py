"""Weights that remember their key, so that a test sees which evidence a log brings up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pagefault_doctor.diagnosis import context, weights


class Keyed(float):
    """A weight that remembers its key."""

    key: str


class _Table(dict[str, float]):
    def __missing__(self, key: str) -> float:
        weight = Keyed(weights.WEIGHT[key])
        weight.key = key
        return weight


@contextmanager
def keyed() -> Iterator[dict[str, float]]:
    """Make every piece of evidence remember the key of its weight. Yields the table of weights."""
    table = _Table()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context, "WEIGHT", table)
        yield table
