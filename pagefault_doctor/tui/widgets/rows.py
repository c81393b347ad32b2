"""Rows that are always fully visible."""

from __future__ import annotations

from collections.abc import Iterable

from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from pagefault_doctor.tui.row import Row, ScreenLine, Tone, layout
from pagefault_doctor.tui.widgets.paint import paint


class Rows(Widget):
    """A few rows, as high as they need to be; only lines that changed are drawn again."""

    def __init__(self, rows: Iterable[Row] = (), *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.rows = tuple(rows)
        self._lines: list[ScreenLine] = []

    def show(self, *rows: Row) -> None:
        """Replace the rows."""
        if rows == self.rows:
            return
        self.rows = rows
        if not self.size.width:
            self.refresh(layout=True)
            return
        before, self._lines = self._lines, layout(rows, max(self.size.width, 8))
        if len(before) != len(self._lines):
            self.refresh(layout=True)
            return
        changed = [n for n, pair in enumerate(zip(before, self._lines, strict=True)) if
                   pair[0] != pair[1]]  # fmt: skip
        if changed:
            self.refresh(*(Region(0, y, self.outer_size.width, 1) for y in changed))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines the rows take at this width."""
        self._lines = layout(self.rows, max(width, 8))
        return len(self._lines)

    def on_resize(self) -> None:
        """Lay the rows out for the new width."""
        self._lines = layout(self.rows, max(self.size.width, 8))
        # With a fixed height nothing else asks for a paint, and the first one may come before this.
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the rows."""
        line = self._lines[y] if y < len(self._lines) else ScreenLine("", "", Tone.PLAIN, -1)
        return paint(self, line, self.size.width)


class Rule(Widget):
    """A horizontal line with a text in it."""

    def __init__(self, sign: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._sign = sign
        self._text = ""

    def show_text(self, text: str) -> None:
        """Show this text in the line."""
        if text != self._text:
            self._text = text
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        width = self.size.width
        text = f"{self._sign * 2} {self._text} " if self._text else ""
        whole = (text + self._sign * width)[:width]
        return paint(self, ScreenLine(whole, "", Tone.DIM, -1), width)
