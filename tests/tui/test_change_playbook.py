"""The wizard goes on in another playbook with Enter, after a log that is one for it."""

from __future__ import annotations

from textual.pilot import Pilot

from pagefault_doctor import klog
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tui.app import WizardApp
from session.logs_from_elsewhere import LOGS, QUIET, SEGFAULT
from session.test_log_of import Carrot
from tui.wizard_bench import drive, make_app, press, text_of


def walk_with(text: str, playbook: str) -> Walk:
    book = shelf.playbook(playbook)
    started = SessionStarted(
        id="s", version="1", playbook=playbook, host="carrot", given={"log_of": "another"}
    )
    walk = Walk.start(started, book, host=Carrot(), sink=MemoryLog(), tools=TOOLS)
    walk.enter(book.steps[0].id)
    walk.give_log(klog.read(text.encode(), "case.log"))
    while walk.proposed:
        walk.run(walk.proposed)
    return walk


def words(app: WizardApp) -> str:
    return " ".join(text_of(app).split())


def test_enter_goes_on_in_the_playbook_for_the_log() -> None:
    walk = walk_with(SEGFAULT, "kernel-page-fault")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        wanted = (
            "Next: step 2 of the playbook User-space segmentation fault, Examine the core file."
        )
        assert wanted in words(app)
        await press(app, pilot, "enter")
        assert "The playbook is now: User-space segmentation fault." in words(app)
        assert "[2 # core] 3 reproduce 4 hardware 5 fix 6 prove" in words(app)
        assert "coredumpctl info 812" in words(app)

    drive(make_app(walk, scenario=None), play)
    assert walk.view.playbook_ids == ("kernel-page-fault", "user-space-segfault")


def test_a_log_that_is_added_on_the_way_changes_what_enter_does() -> None:
    walk = walk_with(QUIET, "kernel-page-fault")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        assert "Next: the report." in words(app)
        app.when_idle(lambda: walk.give_log(klog.read(LOGS["oom"][0].encode(), "more.log")))
        await pilot.pause()
        assert "Next: step 2 of the playbook Memory pressure" in words(app)
        await press(app, pilot, "enter")
        assert "That machine has no swap." in words(app)

    drive(make_app(walk, scenario=None), play)


def test_the_first_step_says_by_what_the_playbook_was_chosen() -> None:
    walk = walk_with(SEGFAULT, "user-space-segfault")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        said = (
            "The playbook is User-space segmentation fault (user-space-segfault), for the log has"
        )
        assert said in words(app)

    drive(make_app(walk, scenario=None), play)
