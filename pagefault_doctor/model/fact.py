"""Facts and findings: what was learned, and from where."""

from __future__ import annotations

from enum import StrEnum

import msgspec

Value = str | int | float | bool | tuple[str, ...]


class Source(msgspec.Struct, frozen=True):
    """Where something was read: the command or file that said it, and the line (from 1)."""

    origin: str
    line: int | None = None


class Fact(msgspec.Struct, frozen=True):
    """One typed value under a dotted name, such as `module.out_of_tree`, with its provenance."""

    name: str
    value: Value
    source: Source


class Mark(StrEnum):
    """How a finding bears on the case."""

    BAD = "bad"
    GOOD = "good"
    NEUTRAL = "neutral"


class Finding(msgspec.Struct, frozen=True):
    """A fact that matters, in a sentence."""

    text: str
    mark: Mark
    source: Source
