"""What a person says of the case on the way: what a step lacks, and whose the log is."""

from __future__ import annotations

from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.given_input import LOG_OF
from pagefault_doctor.session.given_input import doubt, wanted
from pagefault_doctor.tui.pages import phrases
from pagefault_doctor.tui.screens.page import PageScreen, ScreenResult


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
    told = f"From now on the log counts as one of {phrases.log_of(other)}."
    screen.show_notice(told if now else "It counts as soon as the command has ended.")
    wizard.changed()
