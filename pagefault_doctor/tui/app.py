"""The wizard: a walk, the screens that show it, and the one command that runs at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Unpack

from textual import on, work
from textual.app import App, SuspendNotSupported
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.playbook.engine import END
from pagefault_doctor.session.walk import NO_CONSENT, Walk
from pagefault_doctor.tui import keys
from pagefault_doctor.tui.driver import WizardDriver
from pagefault_doctor.tui.pages.consent import CommandHost
from pagefault_doctor.tui.row import ASCII, UNICODE
from pagefault_doctor.tui.running import CommandEnded, CommandPrinted, Running
from pagefault_doctor.tui.screens.page import PageScreen
from pagefault_doctor.tui.screens.step import StepScreen
from pagefault_doctor.tui.theme import allowed_theme
from pagefault_doctor.tui.wizard_options import WizardOptions

_ASKS: Final = (
    "\n{}\nsudo asks for your password itself; pfdoctor does not see it. Ctrl-C goes on without."
)


class WizardApp(App[int], inherit_bindings=False):
    """The wizard on one walk. It decides nothing that the walk does not propose."""

    CSS_PATH = "wizard.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+c", "leave", "quit")]

    def __init__(self, walk: Walk, **options: Unpack[WizardOptions]) -> None:
        wanted = allowed_theme(options.get("theme"))
        super().__init__(
            driver_class=WizardDriver, ansi_color=True if wanted.startswith("ansi") else None
        )
        self._wanted_theme = wanted
        self.walk = walk
        self.ascii_only = options.get("ascii", False)
        self.glyphs = ASCII if self.ascii_only else UNICODE
        self.scenario = options.get("scenario")
        causes = options.get("causes")
        self.causes: Mapping[str, Cause] = {} if causes is None else causes
        self.session_path = options.get("session_path")
        self.running: Running | None = None
        self.reached_end = False
        self.tick = 2.0 if options.get("slow_link") else 1.0
        self._vitals = options.get("vitals")
        self._vitals_text = ""
        self.move_walk = options.get("move")
        self.read_logs = options.get("read_logs")
        self._clock = options.get("clock", time.monotonic)
        self._cancel = threading.Event()
        self._when_idle: list[Callable[[], None]] = []
        self._ticking: Timer | None = None
        self._loop_of_app: asyncio.AbstractEventLoop | None = None
        self._idle = threading.Event()
        self._idle.set()

    def get_default_screen(self) -> StepScreen:
        """Return the screen that lies under all others."""
        return StepScreen()

    def on_mount(self) -> None:
        """Show the introduction of a scenario, or begin with the first step."""
        self._loop_of_app = asyncio.get_running_loop()
        self.animation_level = "none"
        if self._wanted_theme in self.available_themes:
            self.theme = self._wanted_theme
        if self.walk.view.step is None:
            self.call_after_refresh(self._begin)
        elif self._has_case_in_hand():
            self.call_after_refresh(self._run_next)

    def _has_case_in_hand(self) -> bool:
        """Whether the first command only tells whose log it is; nobody has to ask for that."""
        view, proposed = self.walk.view, self.walk.proposed
        is_first = proposed is not None and proposed.tool == "box" and not view.commands
        return is_first and view.case.has("given.log")

    def _begin(self) -> None:
        if self.scenario is None:
            self.enter(self.walk.view.playbook.steps[0].id)
            return
        from pagefault_doctor.tui.screens.training import IntroductionScreen

        first = self.walk.view.playbook.steps[0].id
        self.push_screen(IntroductionScreen(self.scenario), lambda _: self.enter(first))

    @property
    def step_screen(self) -> StepScreen:
        """The screen that lies under all others."""
        screen = self.screen_stack[0]
        assert isinstance(screen, StepScreen)
        return screen

    @property
    def read_only(self) -> bool:
        """Whether only commands that observe may run."""
        return self.walk.view.started.read_only

    def vitals_text(self, ask: bool) -> str:
        """Return the vitals, as they are now if `ask`, else as they last were."""
        if ask and self._vitals is not None:
            self._vitals_text = self._vitals()
        return self._vitals_text

    def changed(self) -> None:
        """Show the walk as it is now."""
        self.step_screen.update()

    def show_notice(self, text: str) -> None:
        """Show a line to the person, on the screen that is in front."""
        screen = self.screen if isinstance(self.screen, PageScreen) else self.step_screen
        screen.show_notice(text)

    def enter(self, step: str) -> None:
        """Go to a step; `end` is the report."""
        if step == END:
            self.reached_end = True
            self.show_report()
            return
        self.walk.enter(step)
        self.step_screen.look(None)
        self.changed()

    def show_report(self) -> None:
        """Show the report, after the score of a training walk."""
        from pagefault_doctor.tui.screens.viewers import ReportScreen

        self.push_screen(ReportScreen())
        if self.scenario is not None and self.reached_end:
            from pagefault_doctor.tui.screens.training import ScoreScreen

            self.push_screen(ScoreScreen(self.scenario))

    def show_help(self) -> None:
        """Show the help of the step that is looked at."""
        from pagefault_doctor.tui.screens.viewers import HelpScreen

        self.push_screen(HelpScreen(self.step_screen.shown))

    def show_search(self) -> None:
        """Search all logs and output."""
        from pagefault_doctor.tui.screens.viewers import EverythingScreen

        self.push_screen(EverythingScreen())

    def offer(self, command: Command) -> None:
        """Run a command, after consent where it needs one."""
        if command.risk is Risk.READ:
            self.start(command)
            return
        if self.read_only:
            self.show_notice(f"Read-only: {command.text} is not run, its risk is {command.risk}.")
            return
        from pagefault_doctor.tui.screens.consent import ConsentScreen

        def answered(consent: object) -> None:
            if isinstance(consent, str):
                self.start(command, consent)
            else:
                self.walk.decline(command, "declined by you")
                self.changed()

        self.push_screen(ConsentScreen(command), answered)

    def where(self, command: Command) -> CommandHost:
        """Return where a command would run."""
        host = self.walk.host
        if self.walk.view.started.lab is not None:  # The lab is not imported for nothing.
            from pagefault_doctor.lab.host import LabHost, runs_here

            if isinstance(host, LabHost) and runs_here(command):
                moved = host.tools_here.moved(command)
                return CommandHost(host.name, host.live, beside_guest=True, moved=moved)
            if isinstance(host, LabHost):
                return CommandHost(host.name, host.live, in_guest=True)
        return CommandHost(host.name, host.live)

    def start(self, command: Command, consent: str = NO_CONSENT) -> None:
        """Run a command that may run."""
        if (command.interactive or command.asks) and self.walk.host.live:
            self._run_in_terminal(command, consent)
            return
        self._cancel = threading.Event()
        self._idle.clear()
        self.running = Running(command, self._clock())
        self._ticking = self.set_interval(self.tick, self._ticked)
        self._run(command, consent, self._cancel)
        self.changed()

    @work(thread=True, exit_on_error=False, group="command", exclusive=True)
    def _run(self, command: Command, consent: str, cancel: threading.Event) -> None:
        problem, lost = "", False
        try:
            result = self.walk.run(command, consent, self._post_output, cancel)
            lost = result.status is ResultStatus.LOST
        except PfDoctorError as error:
            problem = str(error)
        except Exception as error:
            # The wizard must outlive a mistake of its own: the person sees it and can go on.
            problem = f"pfdoctor failed at this command: {type(error).__name__}: {error}"
        finally:
            self._idle.set()
        self.post_message(CommandEnded(problem, lost))

    def _post_output(self, text: str) -> None:
        self.post_message(CommandPrinted(text[-4000:]))

    def _run_in_terminal(self, command: Command, consent: str) -> None:
        """Give the terminal to an interactive command until it ends."""
        from pagefault_doctor.hosts import runner

        host, lost = self.walk.host, False

        def interactive(command: Command) -> Result:
            if command.asks:
                print(_ASKS.format(untrusted.clean_line(f"{command.line} on {host.name}")))
                return host.run_asking(command)
            return runner.run_interactive(host.on_terminal(command))

        try:
            with self.suspend():
                result = self.walk.run(command, consent, runner=interactive)
            lost = result.status is ResultStatus.LOST
        except SuspendNotSupported:
            self.walk.decline(command, "this terminal cannot be handed over")
        self.refresh()
        self.changed()
        if lost:
            self._offer_to_reconnect()
        else:
            self._run_next()

    @on(CommandPrinted)
    def _keep_output(self, message: CommandPrinted) -> None:
        """Keep the last lines; only the next tick shows them, so that much output costs little."""
        if self.running:
            self.running = self.running.with_output(message.text)

    def _ticked(self) -> None:
        if self.running:
            self.running = self.running.at(self._clock())
            self.step_screen.update(vitals=False)

    @on(CommandEnded)
    def _ended(self, message: CommandEnded) -> None:
        cancelled = self._cancel.is_set()
        self.running = None
        if self._ticking:
            self._ticking.stop()
        if self._exit or not self.screen_stack:
            return
        for action in self._when_idle:
            action()
        self._when_idle.clear()
        self.changed()
        if message.problem:
            self.step_screen.show_notice(message.problem)
        elif message.lost:
            self._offer_to_reconnect()
        elif not cancelled:
            self._run_next()

    def _offer_to_reconnect(self) -> None:
        """Ask whether to connect again: ssh may want the terminal, for a password."""
        from pagefault_doctor.tui.screens.ask import ConfirmScreen

        name = self.walk.host.name
        question = f"The connection to {name} is lost. What had finished is kept. Connect again?"
        self.push_screen(ConfirmScreen(question, "connect"), self._reconnect_if)

    def _reconnect_if(self, yes: object) -> None:
        host = self.walk.host
        if not yes or not isinstance(host, SshHost):
            text = f"{host.name} is out of reach. Enter tries again, q keeps the session."
            self.show_notice(text)
            return
        if self.on_terminal(lambda: host.connect(ask=True)):
            self._run_next()

    def on_terminal(self, action: Callable[[], None]) -> bool:
        """Do what prints to the plain terminal or asks there; return whether it went well."""
        try:
            with self.suspend():
                action()
        except KeyboardInterrupt:
            self.show_notice("Stopped.")
        except (PfDoctorError, SuspendNotSupported) as error:
            self.show_notice(str(error))
        else:
            return True
        finally:
            self.refresh()
            self.changed()
        return False

    def _run_next(self) -> None:
        """Run the next command at once if it only observes."""
        proposed = self.walk.proposed
        if proposed and proposed.risk is Risk.READ and not self._takes_the_terminal(proposed):
            self.start(proposed)

    def _takes_the_terminal(self, command: Command) -> bool:
        return command.interactive or (command.asks and self.walk.host.live)

    def when_idle(self, action: Callable[[], None]) -> bool:
        """Change the walk now, or as soon as the running command has ended.

        Returns whether it was done now.
        """
        if self.running:
            self._when_idle.append(action)
            return False
        action()
        self.changed()
        return True

    def cancel_command(self) -> None:
        """End the running command and everything it started."""
        if self.running:
            self._cancel.set()
            self.running = self.running.cancelled()
            self.changed()

    def shut_down(self, patience: float = 0.0) -> None:
        """Cancel what runs, wait for it at most so many seconds, then do what was put off.

        For the end of the wizard, by the person or by a signal.
        """
        self._cancel.set()
        self._idle.wait(patience)
        for action in self._when_idle:
            action()
        self._when_idle.clear()

    @property
    def mistake(self) -> Exception | None:
        """The mistake of our own that ended the wizard, if one did."""
        return self._exception

    def _handle_exception(self, error: Exception) -> None:
        """End the wizard after any mistake of our own; `launch` keeps the trace.

        In place of Textual's, which prints the trace with all variables on the screen.
        """
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        # A command that goes on would be waited for.
        self._cancel.set()
        self.panic()

    def exit_soon(self, code: int) -> None:
        """Leave with this exit code; may be called by a signal handler."""
        if self._loop_of_app:
            self._loop_of_app.call_soon_threadsafe(self.exit, code)

    def action_leave(self) -> None:
        """Quit; ask first if a command runs."""
        if self.running is None:
            self.exit(0)
            return
        from pagefault_doctor.tui.screens.ask import ConfirmScreen

        text = self.running.command.text
        question = f"{text} still runs. Leaving ends it; what was done is kept."
        self.push_screen(ConfirmScreen(question, "leave"), self._leave_if)

    def _leave_if(self, yes: object) -> None:
        if yes:
            self._cancel.set()
            self.exit(0)

    def show_palette(self, screen: Screen[Any], offered: tuple[keys.PaletteAction, ...]) -> None:
        """Offer actions of a screen by name, and do the chosen one there."""
        from pagefault_doctor.tui.screens.palette import PaletteScreen

        def chosen(action: object) -> None:
            if isinstance(action, str):
                self.call_later(screen.run_action, action)

        self.push_screen(PaletteScreen(offered), chosen)
