"""Make the pictures in this folder.

Most show a replay: the same recording gives the same pictures everywhere. Those named lab-* show
the wizard on a virtual machine that really crashes, from its boot to the proof of the fix.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

os.environ |= {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_COLOR_SYSTEM": "truecolor", "TZ": "UTC"}

from textual.pilot import Pilot

from pagefault_doctor.cli.lab_commands.host import lab_host
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.lab.host import LabHost
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.event import LabCase, SessionStarted
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog, read_events
from pagefault_doctor.session.walk import NO_CONSENT, Walk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tui import app as app_module
from pagefault_doctor.tui.app import WizardApp
from pagefault_doctor.tui.screens.consent import ConsentScreen
from pagefault_doctor.tui.screens.viewers import ReportScreen

SCENARIO: Final = "null-deref-module"
NOON: Final = 1704110400.0
SIZES: Final = {"": (80, 24), "-wide": (120, 36)}
_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class HeldHost(RecordedHost):
    """A recording whose `stress-ng` runs until it is released, so that a picture can show it."""

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
"""Each picture: press Enter until the condition holds, then these keys."""


def _boots(app: WizardApp) -> bool:
    now = app.running
    return now is not None and now.is_preparing_lab and len(now.tail) > 2


def _reboots(app: WizardApp) -> bool:
    now = app.running
    return (
        now is not None
        and now.command.tool == "reboot"
        and now.is_preparing_lab
        and now.seconds > 1
    )


def _asks(app: WizardApp, program: str) -> bool:
    return isinstance(app.screen, ConsentScreen) and app.screen.selected_text().startswith(program)


def _proven(app: WizardApp) -> bool:
    return app.walk.view.step == "validate" and app.walk.suggestion is not None


LAB_PICTURES: Final[dict[str, Shown]] = {
    "lab-boot": _boots,
    "lab-consent": lambda app: _asks(app, "modprobe"),
    "lab-crash": lambda app: app.walk.view.step == "reproduce" and not _busy(app),
    "lab-dump": lambda app: app.walk.view.step == "analyse-crash-dump" and not _busy(app),
    "lab-debug": lambda app: app.walk.view.step == "debug-module" and not _busy(app),
    "lab-fix": lambda app: app.walk.view.step == "fix-code" and not _busy(app),
    "lab-reboot": _reboots,
    "lab-proof": _proven,
}
"""The pictures of the live walk, in the order of their moments."""


def _busy(app: WizardApp) -> bool:
    return app.running is not None or app.walk.suggestion is None


class PatchingWizard(WizardApp):
    """A wizard that applies the fix itself, because there is no terminal for an editor."""

    CSS_PATH = str(Path(app_module.__file__).with_name("wizard.tcss"))

    def start(self, command: Command, consent: str = NO_CONSENT) -> None:
        """Run a command; change the source where it is an editor."""
        host = self.walk.host
        if not command.interactive or not isinstance(host, LabHost):
            super().start(command, consent)
            return
        fix = shelf.scenario_folder(SCENARIO) / "fix.patch"
        patch = ("patch", "-s", "-p1", "-i", str(fix))
        source = host.tools_here.path(host.target.source)

        def edit(command: Command) -> Result:
            subprocess.run(patch, cwd=source, check=True, timeout=30)
            return Result(command=command, status=ResultStatus.OK, exit_code=0)

        self.walk.run(command, consent, runner=edit)
        self.changed()


async def lab_pictures(folder: Path) -> None:
    """Walk through the case in the lab and write a picture at each moment listed."""
    scenario = shelf.scenario(SCENARIO)
    case = LabCase(scenario=scenario.id)
    with lab_host(case) as host:
        started = SessionStarted(
            id="live",
            version="1",
            playbook=scenario.playbook,
            host=host.name,
            lab=case,
            given=scenario.known,
        )
        book = shelf.playbook(scenario.playbook)
        walk = Walk.start(started, book, host=host, sink=MemoryLog(), tools=TOOLS)
        app = PatchingWizard(walk, causes=shelf.causes(), theme="textual-dark")
        async with app.run_test(size=SIZES[""]) as pilot:
            for name, shown in LAB_PICTURES.items():
                await _walk_until(shown, app, pilot, patience=20_000)
                path = folder / f"{name}.svg"
                path.write_text(_svg(app), encoding="utf-8")
                print(path.name)
            app.exit(0)


def _svg(app: WizardApp) -> str:
    return _FONTS.sub("", app.export_screenshot(title="pfdoctor"))


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
        svg = _svg(app)
        app.exit(0)
        host.go_on.set()
    return svg


async def _walk_until(
    shown: Shown, app: WizardApp, pilot: Pilot[int], patience: int = 2000
) -> None:
    """Do what is suggested, with consent to everything, until the screen shows a text."""
    for _ in range(patience):
        await pilot.pause()
        if shown(app):
            await pilot.pause(0.1)
            return
        if isinstance(app.screen, ConsentScreen):
            await pilot.press("y")
        elif app.running is None:
            await pilot.press("enter")
        await asyncio.sleep(0.01)
    raise SystemExit("the walk does not lead there")


def main() -> None:
    """Write all pictures, or those named on the command line; `lab` means those of the lab."""
    folder = Path(__file__).parent
    wanted = sys.argv[1:] or (*PICTURES, "lab")
    if "lab" in wanted:
        asyncio.run(lab_pictures(folder))
    for name in (name for name in wanted if name != "lab"):
        for suffix, size in SIZES.items():
            path = folder / f"{name}{suffix}.svg"
            path.write_text(asyncio.run(picture(name, size)), encoding="utf-8")
            print(path.name)


if __name__ == "__main__":
    main()
