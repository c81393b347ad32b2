"""Facts and findings: what was read, and from where."""

from __future__ import annotations

from enum import StrEnum

import msgspec

Value = str | int | float | bool | tuple[str, ...]


class Source(msgspec.Struct, frozen=True):
    """Where something was read: the command or file, and the line (from 1)."""

    origin: str
    line: int | None = None


class Fact(msgspec.Struct, frozen=True):
    """One typed value under a dotted name, such as `module.out_of_tree`, with its source.

    Facts are for conditions, plans and rules; findings are for the person.
    """

    name: str
    value: Value
    source: Source


class Mark(StrEnum):
    """What a finding means for the machine: a problem, a good sign, or neither."""

    BAD = "bad"
    GOOD = "good"
    NEUTRAL = "neutral"


class Finding(msgspec.Struct, frozen=True):
    """A sentence for the person about something that matters. One marked `bad` turns its step to
    `attention`.
    """

    text: str
    mark: Mark
    source: Source
