"""Makes the pictures in this folder from the recording of a real case.

Nothing runs but a replay, so the same recording gives the same pictures everywhere.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

os.environ |= {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_COLOR_SYSTEM": "truecolor", "TZ": "UTC"}

from textual.pilot import Pilot

from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog, read_events
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tui.app import WizardApp
from pagefault_doctor.tui.screens.viewers import ReportScreen

SCENARIO: Final = "null-deref-module"
NOON: Final = 1704110400.0
SIZES: Final = {"": (80, 24), "-wide": (120, 36)}
_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class HeldHost(RecordedHost):
    """A recording whose `stress-ng` goes on until it is let go, to be seen while it runs."""

    def __init__(self) -> None:
        super().__init__(read_events(shelf.recording_path(SCENARIO)))
        self.go_on = threading.Event()

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Give the recorded result."""
        if command.argv[0] == "stress-ng":
            self.go_on.wait(30)
        return super().run(command, on_output, cancel)


Shown = Callable[[WizardApp], bool]


def _running(app: WizardApp) -> bool:
    return app.running is not None and app.running.command.argv[0] == "stress-ng"


def _identified(app: WizardApp) -> bool:
    walk = app.walk
    return walk.view.step == "identify-module" and walk.suggestion is not None


PICTURES: Final[dict[str, tuple[Shown, tuple[str, ...]]]] = {
    "start": (lambda app: app.walk.proposed is not None, ()),
    "step": (_identified, ()),
    "running": (_running, ()),
    "diagnosis": (_identified, ("d",)),
    "evidence": (_identified, ("d", "down", "enter")),
    "report": (lambda app: isinstance(app.screen, ReportScreen), ()),
}
"""What is pictured: Enter is pressed until this is so, then these keys."""


def wizard() -> tuple[WizardApp, HeldHost]:
    """Return the wizard before the first step of the recorded case."""
    host = HeldHost()
    scenario = shelf.scenario(SCENARIO)
    started = SessionStarted(
        id="20240101-120000-demo",
        version="1",
        playbook=scenario.playbook,
        host=host.name,
        given=scenario.given,
    )
    walk = Walk.start(
        started,
        shelf.playbook(scenario.playbook),
        host=host,
        sink=MemoryLog(),
        tools=TOOLS,
        clock=lambda: NOON,
    )
    return WizardApp(walk, causes=shelf.causes(), theme="textual-dark", clock=lambda: NOON), host


async def picture(name: str, size: tuple[int, int]) -> str:
    """Return one picture as SVG."""
    app, host = wizard()
    shown, keys = PICTURES[name]
    if name != "running":
        host.go_on.set()
    async with app.run_test(size=size) as pilot:
        await _walk_until(shown, app, pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause()
        svg = app.export_screenshot(title="pfdoctor")
        app.exit(0)
        host.go_on.set()
    return _FONTS.sub("", svg)


async def _walk_until(shown: Shown, app: WizardApp, pilot: Pilot[int]) -> None:
    for _ in range(2000):
        await pilot.pause()
        if shown(app):
            await pilot.pause(0.1)
            return
        if app.running is None:
            await pilot.press("enter")
        await asyncio.sleep(0.01)
    raise SystemExit("the recording does not lead there")


def main() -> None:
    """Write all pictures, or those named on the command line."""
    folder = Path(__file__).parent
    for name in sys.argv[1:] or PICTURES:
        for suffix, size in SIZES.items():
            path = folder / f"{name}{suffix}.svg"
            path.write_text(asyncio.run(picture(name, size)), encoding="utf-8")
            print(path.name)


if __name__ == "__main__":
    main()
