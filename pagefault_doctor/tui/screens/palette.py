"""Every action by name."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from pagefault_doctor.tui import keys
from pagefault_doctor.tui.row import Row, Tone
from pagefault_doctor.tui.screens.page import PageScreen, QuietInput
from pagefault_doctor.tui.widgets.row_view import RowView
from pagefault_doctor.tui.widgets.rows import Rows, Rule


class PaletteScreen(PageScreen):
    """A list to type in; returns the action that was chosen."""

    BINDINGS = [("escape", "back", "back"), ("down", "move(1)", "down"), ("up", "move(-1)", "up")]

    def __init__(self, offered: tuple[keys.PaletteAction, ...]) -> None:
        super().__init__()
        self._offered = offered

    def compose(self) -> ComposeResult:
        """Yield the line to type in and the list."""
        yield Rows((Row("What do you want to do?", tone=Tone.TITLE),), id="title")
        yield QuietInput(id="field")
        yield Rule(self.wizard.glyphs.rule, id="above")
        yield RowView(id="page")
        yield Rule(self.wizard.glyphs.rule, id="below")
        yield Rows(id="notice")
        hint = "Type to search   Up, Down: choose   Enter: do it   Esc: back"
        yield Rows((Row(hint, tone=Tone.DIM),), id="hints")

    def on_mount(self) -> None:
        """Show everything."""
        self.query_one("#field").focus()
        self._filter("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._filter(event.value)

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        rows = [
            Row(f"{label:10} {key.help}", cap, hang=11, ref=action)
            for action, label, cap, key in self._offered
            if all(word in f"{label} {key.help}".casefold() for word in words)
        ]
        page = self.query_one("#page", RowView)
        page.show(rows, keep_cursor=False)
        if rows:
            page.choose(0)
        else:
            self.show_notice("No action is called that.")

    def action_move(self, by: int) -> None:
        """Choose the next or previous action."""
        self.query_one("#page", RowView).action_move(by)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        chosen = self.query_one("#page", RowView).chosen
        self.dismiss(str(chosen.ref) if chosen else None)
