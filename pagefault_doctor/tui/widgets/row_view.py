"""A scrolling page of rows, with a cursor on rows that have a reference."""

from __future__ import annotations

from collections.abc import Sequence

from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pagefault_doctor.tui.row import Row, ScreenLine, Tone, layout
from pagefault_doctor.tui.widgets.paint import paint

_GUTTER = 1


class RowView(ScrollView, can_focus=True):
    """A page of rows. It only draws visible lines, so a page may be very long."""

    BINDINGS = [
        ("down,j", "move(1)", "down"),
        ("up,k", "move(-1)", "up"),
        ("pagedown,space", "page(1)", "page down"),
        ("pageup", "page(-1)", "page up"),
        ("home", "edge(-1)", "first"),
        ("end", "edge(1)", "last"),
    ]

    class Moved(Message):
        """The page was scrolled, changed or resized, or its cursor moved."""

    def __init__(self, rows: Sequence[Row] = (), *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.rows: Sequence[Row] = rows
        self.cursor: int | None = None
        self._lines: list[ScreenLine] = []
        self._starts: list[int] = []

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor is not None else None

    @property
    def above(self) -> int:
        """The number of lines above the visible part."""
        return self.scroll_offset.y

    @property
    def below(self) -> int:
        """The number of lines below the visible part."""
        return max(len(self._lines) - self.scroll_offset.y - self.size.height, 0)

    def show(self, rows: Sequence[Row], keep_cursor: bool = True) -> None:
        """Replace the rows, and draw only the lines that changed."""
        ref = self.chosen.ref if keep_cursor and self.chosen else None
        before = self._lines
        self.rows = rows
        self.cursor = next((n for n, row in enumerate(rows) if ref and row.ref == ref), None)
        if not self.size.width:
            return
        self._lay_out()
        top = self.scroll_offset.y
        for y in range(top, top + self.size.height):
            if before[y : y + 1] != self._lines[y : y + 1]:
                self.refresh_line(y)
        self.post_message(self.Moved())

    def choose(self, row: int) -> None:
        """Move the cursor to a row and scroll it into view."""
        old, self.cursor = self.cursor, row
        for number in {old, row} - {None}:
            for y in self._lines_of(number or 0):
                self.refresh_line(y)
        self.reveal(row)
        self.post_message(self.Moved())

    def reveal(self, row: int, at_top: bool = False) -> None:
        """Scroll until a row is fully visible, or is the first visible row."""
        span = self._lines_of(row)
        height = max(self.size.height, 1)
        top = self.scroll_offset.y
        if at_top or span.start < top:
            self.scroll_to(y=span.start, animate=False)
        elif span.stop > top + height:
            self.scroll_to(y=min(span.stop - height, span.start), animate=False)

    def _lay_out(self) -> None:
        width = max(self.size.width - _GUTTER, 8)
        self._lines = layout(self.rows, width)
        self._starts = []
        for number, line in enumerate(self._lines):
            if line.row == len(self._starts):
                self._starts.append(number)
        self.virtual_size = Size(self.size.width, len(self._lines))

    def _lines_of(self, row: int) -> range:
        if row >= len(self._starts):
            return range(len(self._lines), len(self._lines))
        end = self._starts[row + 1] if row + 1 < len(self._starts) else len(self._lines)
        return range(self._starts[row], end)

    def on_resize(self) -> None:
        """Lay the rows out for the new width."""
        self._lay_out()
        if self.cursor is not None:
            self.reveal(self.cursor)
        self.post_message(self.Moved())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw the page at its new position."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def on_click(self, event: Click) -> None:
        """Move the cursor to the clicked row."""
        y = event.y + self.scroll_offset.y
        if y < len(self._lines) and self.rows[self._lines[y].row].ref is not None:
            self.choose(self._lines[y].row)

    def action_move(self, by: int) -> None:
        """Move the cursor to the next row that can be selected, else scroll by one line."""
        start = self._first_visible(by) if self.cursor is None else self.cursor + by
        stop = len(self.rows) if by > 0 else -1
        refs = (n for n in range(start, stop, by) if self.rows[n].ref is not None)
        following = next(refs, None)
        if following is None:
            self.scroll_relative(y=by, animate=False)
        else:
            self.choose(following)

    def _first_visible(self, by: int) -> int:
        lines = self._lines[self.above : self.above + self.size.height]
        if not lines:
            return 0 if by > 0 else -1
        return lines[0 if by > 0 else -1].row

    def action_page(self, by: int) -> None:
        """Scroll by a page; the cursor follows."""
        target = self.above + by * max(self.size.height - 1, 1)
        self._jump(max(min(target, len(self._lines) - 1), 0), by)

    def action_edge(self, by: int) -> None:
        """Go to the first or the last line."""
        self._jump(0 if by < 0 else len(self._lines) - 1, by)

    def _jump(self, y: int, by: int) -> None:
        if not self._lines:
            return
        self.scroll_to(y=y, animate=False)
        if self.cursor is not None:
            rows = range(self._lines[y].row, -1 if by > 0 else len(self.rows), -by)
            found = next((n for n in rows if self.rows[n].ref is not None), None)
            if found is not None:
                self.choose(found)

    def render_line(self, y: int) -> Strip:
        """Return one visible line."""
        number = y + self.scroll_offset.y
        if self.rows and not self._lines:
            # The first paint happens before the resize event, which computes the layout.
            self._lines = layout(self.rows, max(self.size.width - _GUTTER, 8))
        if number >= len(self._lines):
            return paint(self, ScreenLine("", "", Tone.PLAIN, -1), self.size.width)
        line = self._lines[number]
        chosen = line.row == self.cursor
        return paint(self, line, self.size.width, gutter=">" if chosen else " ", chosen=chosen)
