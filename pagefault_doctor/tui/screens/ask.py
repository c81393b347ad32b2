"""Small questions: a line of text, a command to edit, yes or no."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from pagefault_doctor.model.command import Command, typed
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.session.edited_command import edited
from pagefault_doctor.tui.row import Row, Tone
from pagefault_doctor.tui.safe_text import plain
from pagefault_doctor.tui.screens.page import PageScreen, QuietInput
from pagefault_doctor.tui.widgets.rows import Rows, Rule


class LineScreen(PageScreen):
    """Asks for one line; returns it, or None."""

    BINDINGS = [("escape", "back", "back")]

    def __init__(self, title: str, value: str, enter: str) -> None:
        super().__init__()
        self._title = title
        self._value = plain(value)
        self._enter = enter

    def compose(self) -> ComposeResult:
        """Yield a title and the line."""
        yield Rows((Row(self._title, tone=Tone.TITLE),), id="title")
        yield Rule(self.wizard.glyphs.rule)
        yield QuietInput(self._value, id="field")
        yield Rule(self.wizard.glyphs.rule)
        yield Rows(id="notice")
        yield Rows((Row(f"Enter: {self._enter}   Esc: do not", tone=Tone.DIM),), id="hints")

    def on_mount(self) -> None:
        """Let the person type."""
        self.query_one("#field").focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.take(event.value)

    def take(self, text: str) -> None:
        """Return the text."""
        self.dismiss(text)


class EditScreen(LineScreen):
    """Lets a command be changed; returns the new one."""

    def __init__(self, command: Command) -> None:
        root = ", as root through sudo" if command.as_root else ""
        title = f"Edit the command (risk: {command.risk}{root})"
        super().__init__(title, typed(command.argv), "run it")
        self._command = command

    def take(self, text: str) -> None:
        """Return the command, or show what is wrong with it."""
        try:
            command = edited(self._command, text)
        except UsageError as error:
            self.show_notice(str(error))
            return
        self.dismiss(command)


class ConfirmScreen(PageScreen):
    """Asks yes or no."""

    BINDINGS = [("y,enter", "answer(True)", "yes"), ("n,escape,q,b", "answer(False)", "no")]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Yield the question."""
        yield Rows((Row(self._question, tone=Tone.TITLE),), id="title")
        yield Rule(self.wizard.glyphs.rule)
        yield Rows(id="notice")
        hint = f"y or Enter: {self._yes}   n or Esc: stay"
        yield Rows((Row(hint, tone=Tone.DIM),), id="hints")

    def action_answer(self, yes: bool) -> None:
        """Return the answer."""
        self.dismiss(yes)
