"""Starting and leaving the wizard: the environment before Textual, and what signals do."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Unpack

from pagefault_doctor.hosts.process_group import end_all
from pagefault_doctor.model.errors import ExitCode
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.session.store import sessions_folder
from pagefault_doctor.tui.theme import DEFAULT_THEME
from pagefault_doctor.tui.trace import keep_trace

if TYPE_CHECKING:
    from pagefault_doctor.session.walk import Walk
    from pagefault_doctor.tui.app import WizardApp
    from pagefault_doctor.tui.wizard_options import WizardOptions

_REASONS: Final = {signal.SIGHUP: "hangup"} | dict.fromkeys(
    (
        *(signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
        *(signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU),
        *(signal.SIGIO, signal.SIGPWR),
    ),
    "terminated",
)
"""Signals that end a program, and why the session then ended."""

_GRACE_PERIOD: Final = 1.0
"""Seconds that children get to end, and then their results to be kept."""

_PATIENCE: Final = 5.0
"""Seconds that the app gets to leave after a signal."""

_LONGEST: Final = 200
"""Characters of an error that are printed."""


def run_wizard(walk: Walk, *, mouse: bool = True, **options: Unpack[WizardOptions]) -> int:
    """Run the wizard until the person leaves, and return the exit code.

    The session is ended however the wizard is left. The caller has checked that there is a
    terminal.
    """
    slow_link = options.get("slow_link", False)
    _set_environment(slow_link)
    from pagefault_doctor.tui.app import WizardApp

    app = WizardApp(walk, **options)
    terminal = _terminal_settings()
    late = _handle_signals(app, terminal)
    code: int | None = None
    try:
        code = app.run(mouse=mouse and not slow_link)
        mistake = app.mistake
    except Exception as error:
        mistake = error
    for timer in late:
        timer.cancel()
    if mistake is not None:
        return _after_mistake(app, mistake, terminal)
    app.shut_down()
    walk.end("finished" if app.reached_end else "quit")
    if app.session_path is not None:
        print(f"pfdoctor: {_is_kept(app.session_path, walk.view.started.id)}", file=sys.stderr)
    return code or 0


def _is_kept(path: Path, session: str) -> str:
    """Return how to go on with the session, or that somebody has removed its file meanwhile."""
    if os.path.exists(path):
        return f"session kept, pfdoctor resume {session}"
    return f"session lost: {clean_line(str(path))} was removed while the wizard ran"


def _after_mistake(app: WizardApp, mistake: Exception, terminal: list[Any] | None) -> int:
    """Clean up after a mistake of our own, say where its trace is, and return the exit code."""
    if _terminal_settings() != terminal:
        _restore_terminal(terminal)
    end_all(_GRACE_PERIOD)
    app.shut_down(_GRACE_PERIOD)
    app.walk.end("failed")
    started = app.walk.view.started.id
    folder = app.session_path.parent if app.session_path else sessions_folder()
    where = keep_trace(mistake, folder, started)
    remedy = f"; pfdoctor resume {started} goes on" if app.session_path else ""
    said = clean_line(f"{type(mistake).__name__}: {mistake}")[:_LONGEST]
    print(f"pfdoctor: stopped by an error of its own ({said}); {where}{remedy}", file=sys.stderr)
    return ExitCode.FAILED


_RESET_MODES: Final = (
    b"\x1b[<u\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l"
    b"\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Escape sequences that undo what Textual sets: keys, mouse, paste, alternate screen, cursor."""


def _terminal_settings() -> list[Any] | None:
    try:
        return termios.tcgetattr(sys.__stdin__ or 0)
    except (termios.error, OSError, ValueError):
        return None


def _restore_terminal(settings: list[Any] | None) -> None:
    """Leave the terminal as it was, where there still is one: not every SIGHUP means it is gone.

    Never waits: a link that is stuck takes nothing any more.
    """
    with contextlib.suppress(OSError, ValueError, termios.error):
        os.set_blocking(2, False)
        os.write(2, _RESET_MODES)
        if settings is not None:
            termios.tcsetattr(0, termios.TCSANOW, settings)
        os.set_blocking(2, True)


def _set_environment(slow_link: bool) -> None:
    """Set what Textual reads when it is imported."""
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TEXTUAL_SMOOTH_SCROLL"] = "0"
    os.environ["TEXTUAL_THEME"] = DEFAULT_THEME
    os.environ["TEXTUAL_FPS"] = "10" if slow_link else "30"


def _handle_signals(app: WizardApp, terminal: list[Any] | None) -> list[threading.Timer]:
    """On a signal that ends us, end the children and the session, then leave the terminal whole.

    Returns a list to which each signal adds a timer that leaves in any case: a terminal that takes
    no output blocks the app. They are for whoever comes out of the app to cancel.
    """
    late: list[threading.Timer] = []

    def leave_at_once(code: int) -> None:
        _restore_terminal(terminal)
        os._exit(code)

    def leave(number: int, _frame: FrameType | None) -> None:
        # systemd, timeout(1) and the shell's kill send SIGCONT too, for which Textual would set the
        # terminal up once more, perhaps after it has been left.
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        end_all(_GRACE_PERIOD)
        app.shut_down(_GRACE_PERIOD)
        app.walk.end(_REASONS[signal.Signals(number)])
        if number == signal.SIGHUP:
            leave_at_once(128 + number)
        app.exit_soon(128 + number)
        late.append(threading.Timer(_PATIENCE, leave_at_once, (128 + number,)))
        late[-1].daemon = True
        late[-1].start()

    for number in _REASONS:
        signal.signal(number, leave)
    return late
