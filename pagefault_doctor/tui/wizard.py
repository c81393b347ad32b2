"""What a screen may read of the app it belongs to, and ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from textual.screen import Screen

from pagefault_doctor.model.command import Command
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tui import keys
from pagefault_doctor.tui.pages.consent import CommandHost
from pagefault_doctor.tui.row import Glyphs
from pagefault_doctor.tui.running import Running


class Wizard(Protocol):
    """The app as screens know it; `WizardApp` is the only one, and it alone imports them all.

    Screens call it instead of posting messages: a message would wait behind keys that were typed
    ahead, and those would reach the screen that is about to be covered.
    """

    walk: Walk
    glyphs: Glyphs
    scenario: Scenario | None
    causes: Mapping[str, Cause]
    session_path: Path | None
    running: Running | None

    @property
    def read_only(self) -> bool:
        """Whether only commands that observe may run."""

    def vitals_text(self, ask: bool) -> str:
        """Return the vitals, as they are now if `ask`, else as they last were."""

    def where(self, command: Command) -> CommandHost:
        """Return where a command would run."""

    def changed(self) -> None:
        """Show the walk as it is now."""

    def enter(self, step: str) -> None:
        """Go to a step; `end` is the report."""

    def offer(self, command: Command) -> None:
        """Run a command, after consent where it needs one."""

    def at_leisure(self, deed: Callable[[], None]) -> bool:
        """Do something to the walk now, or once the running command has ended; whether now."""

    def cancel_command(self) -> None:
        """End the running command and everything it started."""

    def action_leave(self) -> None:
        """Leave; ask first if a command runs."""

    def show_report(self) -> None:
        """Show the report, after the score of a training walk."""

    def show_help(self) -> None:
        """Show the help of the step that is looked at."""

    def show_search(self) -> None:
        """Search all logs and output."""

    def show_palette(self, screen: Screen[Any], offered: tuple[keys.PaletteAction, ...]) -> None:
        """Offer actions of a screen by name, and do the chosen one there."""
