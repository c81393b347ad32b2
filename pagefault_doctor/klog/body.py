"""The lines of a report, searched as one text."""

from __future__ import annotations

from collections.abc import Sequence

from pagefault_doctor.klog.line import LogLine


class Body:
    """Lines and their text as one: what few lines hold is looked for once, in all of them.

    Of a call trace, which makes up half of most reports, the `text` has empty lines: names of
    functions are no messages.
    """

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self.lines = lines
        self.text = "\n".join(["" if line.frame else line.text for line in lines])
        self._heads: dict[int, Body] = {}

    def places(self, *words: str) -> list[int]:
        """Return the indexes of the lines of `text` that hold one of the words, in order."""
        text = self.text
        present = [word for word in words if word in text]
        if not present:
            return []
        found: set[int] = set()
        for word in present:
            index = done = 0
            while (place := text.find(word, done)) >= 0:
                index += text.count("\n", done, place)
                found.add(index)
                done = text.find("\n", place)
                if done < 0:
                    break
        return sorted(found)

    def holding(self, *words: str) -> list[LogLine]:
        """Return the lines of `text` that hold one of the words, in order."""
        return [self.lines[index] for index in self.places(*words)]

    def head(self, most: int) -> Body:
        """Return the first lines."""
        if len(self.lines) <= most:
            return self
        if most not in self._heads:
            self._heads[most] = Body(self.lines[:most])
        return self._heads[most]
