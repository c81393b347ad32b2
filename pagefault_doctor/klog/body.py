"""The lines of a report, searched as one text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

from pagefault_doctor.klog.prefix import LogLine


class Body:
    """Lines and their text as one: what few lines hold is looked for once, in all of them."""

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self.lines = lines
        self.text = "\n".join([line.text for line in lines])
        self._heads: dict[int, Body] = {}

    @cached_property
    def _ends(self) -> list[int]:
        """Where the line after each line begins."""
        return list(accumulate([len(line.text) + 1 for line in self.lines]))

    def places(self, *words: str) -> list[int]:
        """Return the indexes of the lines that hold one of the words, in order."""
        text = self.text
        present = [word for word in words if word in text]
        if not present:
            return []
        ends = self._ends
        found: set[int] = set()
        for word in present:
            place = text.find(word)
            while place >= 0:
                index = bisect_right(ends, place)
                found.add(index)
                place = text.find(word, ends[index])
        return sorted(found)

    def holding(self, *words: str) -> list[LogLine]:
        """Return the lines that hold one of the words, in order."""
        return [self.lines[index] for index in self.places(*words)]

    def head(self, most: int) -> Body:
        """Return the first lines."""
        if len(self.lines) <= most:
            return self
        if most not in self._heads:
            self._heads[most] = Body(self.lines[:most])
        return self._heads[most]
