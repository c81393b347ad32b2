"""What a person says of the case on the way: what a step lacks, and whose the log is."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.given_input import LOG_OF, GivenInput, InputKind
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.session.given_input import doubt, wanted
from pagefault_doctor.tui.pages import phrases
from pagefault_doctor.tui.screens.page import PageScreen, ScreenResult

_IN_TRAINING: Final = "A training walk has its own machine and logs."
_LEADS: Final = (
    "It leads the case from here on, and is of {}, not of {}: if it is no log of this case, begin "
    "anew with pfdoctor --log."
)
_ANOTHER_LOG: Final = GivenInput(
    "log", InputKind.FILE, "another log of this case, of another boot or of the host"
)


def give(screen: PageScreen, step: str) -> None:
    """Ask for the first thing that a step lacks, and go on with the step."""
    from pagefault_doctor.tui.screens.path import PathScreen

    wizard, walk = screen.wizard, screen.wizard.walk
    if not (lacking := wanted(walk.view, step)):
        screen.show_notice("Nothing is blocked here for want of a file, folder or trigger.")
        return
    one, case = lacking[0], walk.view.case

    def given(path: ScreenResult) -> None:
        if not isinstance(path, str):
            return
        wizard.when_idle(lambda: walk.give_fact(one.name, path))
        if step != walk.view.step and not wizard.running:
            wizard.enter(step)
        wizard.changed()
        screen.show_notice(doubt(one, path, case) or f"Taken: {path}")

    # Only the box itself has its files at hand.
    is_here = not isinstance(walk.host, SshHost)
    screen.app.push_screen(PathScreen(one, case, is_here), given)


def change_machine(screen: PageScreen) -> None:
    """Take the log for one of the other machine than was believed."""
    wizard, walk = screen.wizard, screen.wizard.walk
    if not (before := walk.view.case.get("log.of", "")):
        screen.show_notice("No log was given: all that is read is of this box.")
        return
    other = next(each for each in LOG_OF if each != before)
    now = wizard.when_idle(lambda: walk.give_fact("log_of", other))
    against = (
        walk.view.case.get("log.of_why", "") if walk.view.case.get("log.of_sure", False) else ""
    )
    told = f"From now on the log counts as one of {phrases.log_of(other)} (m takes that back)."
    if against:
        told += f" Against it: {against}."
    screen.show_notice(told if now else "It counts as soon as the command has ended.")
    wizard.changed()


def move(screen: PageScreen) -> None:
    """Ask for the host on which commands run from now on."""
    from pagefault_doctor.tui.screens.ask import LineScreen

    wizard, move_walk = screen.wizard, screen.wizard.move_walk
    if (obstacle := _obstacle(screen)) or move_walk is None:
        screen.show_notice(obstacle or _IN_TRAINING)
        return

    def given(name: ScreenResult) -> None:
        if not isinstance(name, str) or not (host := name.strip()):
            return
        if wizard.on_terminal(lambda: move_walk(wizard.walk, host)):
            anew = " Whose the log is, is judged anew." if wizard.walk.view.case.logs else ""
            screen.show_notice(f"Commands run on {wizard.walk.host.name} from now on.{anew}")

    title = "Run the commands on: USER@HOST as ssh takes it, lab, or here"
    screen.app.push_screen(LineScreen(title, "", "go there"), given)


def add_log(screen: PageScreen) -> None:
    """Ask for another log of the same case."""
    from pagefault_doctor.tui.screens.paste import found
    from pagefault_doctor.tui.screens.path import PathScreen

    wizard, read_logs = screen.wizard, screen.wizard.read_logs
    if (obstacle := _obstacle(screen)) or read_logs is None:
        screen.show_notice(obstacle or _IN_TRAINING)
        return

    def given(path: ScreenResult) -> None:
        if not isinstance(path, str):
            return
        read: list[KernelLog] = []
        before = wizard.walk.view.case.get("report.release", "")
        if wizard.on_terminal(lambda: read.extend(read_logs(path))):
            for log in read:
                wizard.walk.give_log(log)
            wizard.changed()
            now = wizard.walk.view.case.get("report.release", "")
            told = [
                *map(found, read),
                *([_LEADS.format(now, before)] if _differ(now, before) else []),
            ]
            screen.show_notice(" ".join(told))

    screen.app.push_screen(PathScreen(_ANOTHER_LOG, wizard.walk.view.case, True), given)


def _differ(now: str, before: str) -> bool:
    return bool(now and before and now != before)


def _obstacle(screen: PageScreen) -> str:
    return "A command runs. Esc cancels it first." if screen.wizard.running else ""
