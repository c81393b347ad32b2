"""A log from the clipboard."""

from __future__ import annotations

from typing import Final

from textual import on, work
from textual.app import ComposeResult
from textual.events import Paste
from textual.message import Message
from textual.widgets import TextArea

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.tui.row import Row, Tone
from pagefault_doctor.tui.running import LogParsed
from pagefault_doctor.tui.safe_text import block
from pagefault_doctor.tui.screens.page import PageScreen
from pagefault_doctor.tui.terminal_input import MOST_PASTED
from pagefault_doctor.tui.widgets.rows import Rows, Rule

_EDITED: Final = (20_000, 2_000)
"""Characters and lines that the text area takes: it lays out all of them, which takes long."""


class PasteArea(TextArea):
    """A text area that shows what was pasted, and obeys nothing in it.

    What is too much to be laid out is only kept, up to the limit of one paste.
    """

    class Kept(Message):
        """A large paste was kept."""

    def __init__(self, text: str) -> None:
        large = _is_large(text)
        super().__init__(
            "" if large else block(text), soft_wrap=True, tab_behavior="focus", id="area"
        )
        self.cursor_blink = False
        self.large = text if large else ""

    @property
    def whole(self) -> str:
        """All that was typed and pasted, not yet made harmless."""
        return self.text + self.large

    async def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        event.stop()
        if self.large or _is_large(self.text + event.text):
            self.large = (self.large + event.text)[:MOST_PASTED]
            self.post_message(self.Kept())
        else:
            await super()._on_paste(Paste(block(event.text)))


def _is_large(text: str) -> bool:
    return len(text) > _EDITED[0] or _lines(text) > _EDITED[1]


def _lines(text: str) -> int:
    """Return how many lines there are; a paste has CR at their ends."""
    return max(text.count("\n"), text.count("\r")) + (not text.endswith(("\n", "\r")))


class PasteScreen(PageScreen):
    """Takes a pasted log and has it read; gives that back, or None."""

    BINDINGS = [("escape", "back", "back"), ("tab,f2", "read", "read it")]

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Give a title, room for the text, and the hints."""
        yield Rows((Row("Paste a kernel log below", tone=Tone.TITLE),), id="title")
        yield Rule(self.wizard.glyphs.rule)
        yield PasteArea(self._text)
        yield Rule(self.wizard.glyphs.rule)
        yield Rows(id="notice")
        yield Rows((Row("Tab or F2: read it   Esc: back", tone=Tone.DIM),), id="hints")

    def on_mount(self) -> None:
        """Let the person paste."""
        self.query_one("#area").focus()
        self.show_size()

    @on(PasteArea.Kept)
    def show_size(self) -> None:
        """Say what was pasted where it is too much to be shown."""
        large = self.query_one("#area", PasteArea).large
        if not large:
            return
        said = f"Pasted: {_lines(large)} lines, too many to show. Tab or F2 reads them."
        if len(large) >= MOST_PASTED:
            said += f" Cut at {MOST_PASTED >> 20} MB; a file has no limit: --log FILE."
        self.query_one("#title", Rows).show(Row(said, tone=Tone.TITLE))

    def action_read(self) -> None:
        """Have the text read, in a thread."""
        text = self.query_one("#area", PasteArea).whole
        if not text.strip():
            self.show_notice("There is nothing here yet. Paste with the terminal's own key.")
            return
        self.show_notice("Reading it.")
        self._read(text)

    @work(thread=True, exit_on_error=False, group="paste", exclusive=True)
    def _read(self, text: str) -> None:
        from pagefault_doctor import klog

        try:
            self.post_message(LogParsed(klog.read(block(text).encode("utf-8", "replace"), "paste")))
        except Exception as error:
            # Reading never raises; should it, the person must learn of it.
            self.post_message(LogParsed(None, f"{type(error).__name__}: {error}"))

    @on(LogParsed)
    def _parsed(self, message: LogParsed) -> None:
        if message.log is None:
            self.show_notice(f"pfdoctor could not read it ({message.problem}).")
        else:
            self.dismiss(message.log)

    def action_back(self) -> None:
        """Go back without reading."""
        self.dismiss(None)


def found(log: KernelLog) -> str:
    """Return what to say about a log that was read."""
    main = Case(logs=(log,)).main_report
    if main is None:
        return f"Read {log.lines} lines: no fault in them. {log.note or ''}".strip()
    count = len(log.reports)
    reports = "1 report" if count == 1 else f"{count} reports, the main one"
    return f"Read {log.lines} lines: {reports}: {main.headline}"
