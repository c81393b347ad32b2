"""The question before a command that may do harm."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from pagefault_doctor.model.command import Command
from pagefault_doctor.tui.pages import consent
from pagefault_doctor.tui.screens.page import PageScreen, QuietInput


class ConsentScreen(PageScreen):
    """Returns how the person consented: `asked`, `typed` or `replay`; None for no."""

    BINDINGS = [
        ("y", "accept(False)", "yes"),
        ("enter", "accept(True)", "yes, in a replay"),
        ("n,q,b,escape", "back", "no"),
    ]

    def __init__(self, command: Command) -> None:
        super().__init__()
        self._command = command

    @property
    def _where(self) -> consent.CommandHost:
        return self.wizard.where(self._command)

    @property
    def _typed(self) -> bool:
        return consent.is_typed(self._command, self._where)

    def compose(self) -> ComposeResult:
        """Yield the command, what it may do, and how to answer."""
        return self.page_layout(
            "Your consent is needed",
            consent.rows(self._command, self._where),
            field=QuietInput(id="field") if self._typed else None,
            keys=consent.prompt(self._command, self._where),
        )

    def on_mount(self) -> None:
        """Let the person answer."""
        self.query_one("#field" if self._typed else "#page").focus()

    def action_accept(self, by_enter: bool) -> None:
        """Consent; Enter does so only where nothing really runs."""
        live = self.wizard.walk.host.live
        if not live:
            self.dismiss("replay")
        elif by_enter:
            self.show_notice("y runs it. Enter alone does not, so that nothing runs by accident.")
        else:
            self.dismiss("asked")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        name = self.wizard.walk.host.name
        if event.value.strip() == name:
            self.dismiss("typed")
        else:
            self.show_notice(f"That is not the name of the host. It is {name}.")

    def selected_text(self) -> str:
        """Return the command."""
        return self._command.text
