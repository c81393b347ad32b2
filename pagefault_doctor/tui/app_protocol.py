"""The attributes and methods of the app that screens use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from textual.screen import Screen

from pagefault_doctor.model.command import Command
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tui import keys
from pagefault_doctor.tui.pages.consent import CommandHost
from pagefault_doctor.tui.row import Glyphs
from pagefault_doctor.tui.running import Running


class Wizard(Protocol):
    """What screens use of `WizardApp`, which imports them all and so cannot be imported by them.

    Screens call it instead of posting messages: a message would wait behind keys that were typed
    ahead, and those would reach the screen that is about to be covered. The methods are documented
    in `WizardApp`.
    """

    walk: Walk
    glyphs: Glyphs
    scenario: Scenario | None
    causes: Mapping[str, Cause]
    session_path: Path | None
    running: Running | None
    move_walk: Callable[[Walk, str], None] | None
    read_logs: Callable[[str], tuple[KernelLog, ...]] | None

    @property
    def read_only(self) -> bool: ...

    def vitals_text(self, ask: bool) -> str: ...
    def where(self, command: Command) -> CommandHost: ...
    def changed(self) -> None: ...
    def enter(self, step: str) -> None: ...
    def offer(self, command: Command) -> None: ...
    def when_idle(self, action: Callable[[], None]) -> bool: ...
    def on_terminal(self, action: Callable[[], None]) -> bool: ...
    def cancel_command(self) -> None: ...
    def action_leave(self) -> None: ...
    def show_report(self) -> None: ...
    def show_help(self) -> None: ...
    def show_search(self) -> None: ...
    def show_palette(
        self, screen: Screen[Any], offered: tuple[keys.PaletteAction, ...]
    ) -> None: ...
