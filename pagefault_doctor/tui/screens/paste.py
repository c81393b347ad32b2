"""A log from the clipboard."""

from __future__ import annotations

from textual import on, work
from textual.app import ComposeResult
from textual.events import Paste
from textual.widgets import TextArea

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.tui.row import Row, Tone
from pagefault_doctor.tui.running import LogParsed
from pagefault_doctor.tui.safe_text import block
from pagefault_doctor.tui.screens.page import PageScreen
from pagefault_doctor.tui.widgets.rows import Rows, Rule


class PasteArea(TextArea):
    """A text area that shows what was pasted, and obeys nothing in it."""

    async def _on_paste(self, event: Paste) -> None:
        await super()._on_paste(Paste(block(event.text)))
        event.prevent_default()
        event.stop()


class PasteScreen(PageScreen):
    """Takes a pasted log and has it read; gives that back, or None."""

    BINDINGS = [("escape", "back", "back"), ("tab,f2", "read", "read it")]

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = block(text)

    def compose(self) -> ComposeResult:
        """Give a title, room for the text, and the hints."""
        yield Rows((Row("Paste a kernel log below", tone=Tone.TITLE),), id="title")
        yield Rule(self.wizard.glyphs.rule)
        area = PasteArea(self._text, soft_wrap=True, tab_behavior="focus", id="area")
        area.cursor_blink = False
        yield area
        yield Rule(self.wizard.glyphs.rule)
        yield Rows(id="notice")
        yield Rows((Row("Tab or F2: read it   Esc: back", tone=Tone.DIM),), id="hints")

    def on_mount(self) -> None:
        """Let the person paste."""
        self.query_one("#area").focus()

    def action_read(self) -> None:
        """Have the text read, in a thread."""
        text = self.query_one("#area", PasteArea).text
        if not text.strip():
            self.show_notice("There is nothing here yet. Paste with the terminal's own key.")
            return
        self.show_notice("Reading it.")
        self._read(text)

    @work(thread=True, exit_on_error=False, group="paste", exclusive=True)
    def _read(self, text: str) -> None:
        from pagefault_doctor import klog

        try:
            self.post_message(LogParsed(klog.read(text.encode("utf-8", "replace"), "paste")))
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
    return f"Read {log.lines} lines: {reports}: {main.title}"
