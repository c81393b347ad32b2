"""Enter walks through all the steps; risky commands ask; the other keys do what the help says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from pagefault_doctor import klog
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    FactGiven,
    NoteWritten,
    StepEntered,
    StepFinished,
)
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.tui.app import WizardApp
from pagefault_doctor.tui.screens.consent import ConsentScreen
from pagefault_doctor.tui.screens.path import PathScreen, completed
from pagefault_doctor.tui.screens.step import StepScreen
from pagefault_doctor.tui.screens.viewers import EvidenceScreen, OutputScreen, ReportScreen
from tui.wizard_bench import (
    LACKING,
    LOG,
    FakeHost,
    drive,
    make_app,
    make_walk,
    press,
    settle,
    text_of,
)


def test_the_first_step_is_entered_and_its_command_is_shown_before_it_runs() -> None:
    host = FakeHost()
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await settle(app, pilot)
        assert walk.view.step == "check-logs"
        assert "$ dmesg" in text_of(app)
        assert "read   next" in text_of(app)
        assert host.ran == []

    drive(make_app(walk), play)


def test_enter_runs_all_reading_commands_of_a_step_in_a_row() -> None:
    host = FakeHost()
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "enter", "enter")
        assert host.ran == [("dmesg",), ("lsmod",), ("modinfo", "demo")]
        assert "Next: step 3" in text_of(app)

    drive(make_app(walk), play)


def test_enter_alone_walks_a_replay_from_the_first_step_to_the_report() -> None:
    walk, log = make_walk(FakeHost(live=False))

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        for _ in range(30):
            if isinstance(app.screen, ReportScreen):
                break
            await press(app, pilot, "enter")
        assert isinstance(app.screen, ReportScreen)
        assert app.reached_end

    drive(make_app(walk), play)
    entered = [e.step for e in log.events if isinstance(e, StepEntered)]
    assert entered == [step.id for step in walk.view.playbook.steps]
    assert walk.view.state.steps["analyse-crash-dump"].status is StepStatus.BLOCKED


async def _to_reproduce(app: WizardApp, pilot: Pilot[int]) -> None:
    await press(app, pilot, *["enter"] * 4)
    assert app.walk.view.step == "reproduce"


def test_a_loading_command_asks_and_enter_alone_does_not_start_it() -> None:
    host = FakeHost()
    walk, log = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await _to_reproduce(app, pilot)
        await press(app, pilot, "enter")
        assert isinstance(app.screen, ConsentScreen)
        await press(app, pilot, "enter")
        assert ("stress-ng", "--vm", "1") not in host.ran
        await press(app, pilot, "y")
        assert ("stress-ng", "--vm", "1") in host.ran

    drive(make_app(walk), play)
    started = [e for e in log.events if isinstance(e, CommandStarted)][-1]
    assert (started.argv[0], started.consent) == ("stress-ng", "asked")


def test_no_means_that_the_command_is_declined_and_the_walk_goes_on() -> None:
    host = FakeHost()
    walk, log = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await _to_reproduce(app, pilot)
        await press(app, pilot, "enter", "n")
        assert "not run: declined by you" in text_of(app)
        assert "$ insmod demo.ko" in text_of(app)

    drive(make_app(walk), play)
    assert [e.argv[0] for e in log.events if isinstance(e, CommandDeclined)] == ["stress-ng"]


def test_a_crashing_command_offers_the_lab_and_wants_the_name_of_the_host() -> None:
    host = FakeHost()
    walk, log = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await _to_reproduce(app, pilot)
        await press(app, pilot, "enter", "n", "enter")
        assert "pfdoctor lab run --module" in text_of(app)
        await press(app, pilot, "y", "enter")
        assert "not the name of the host" in text_of(app)
        assert ("insmod", "demo.ko") not in host.ran
        await press(app, pilot, "backspace", *host.name, "enter")
        assert ("insmod", "demo.ko") in host.ran

    drive(make_app(walk), play)
    started = [e for e in log.events if isinstance(e, CommandStarted)][-1]
    assert started.consent == "typed"


def test_a_change_says_how_it_is_undone() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        walk.enter("fix-code")
        app.changed()
        await press(app, pilot, "enter")
        assert "To undo: sysctl -w kernel.panic=0" in text_of(app)

    drive(make_app(walk), play)


def test_a_replay_says_so_and_takes_enter_for_consent() -> None:
    walk, log = make_walk(FakeHost(live=False))

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await _to_reproduce(app, pilot)
        await press(app, pilot, "enter")
        assert "nothing really runs" in text_of(app)
        await press(app, pilot, "enter")

    drive(make_app(walk), play)
    started = [e for e in log.events if isinstance(e, CommandStarted)][-1]
    assert started.consent == "replay"


def test_read_only_never_asks_and_never_runs_anything_risky() -> None:
    host = FakeHost()
    walk, _ = make_walk(host, read_only=True)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        for _ in range(30):
            await press(app, pilot, "enter")
            assert not isinstance(app.screen, ConsentScreen)
            if isinstance(app.screen, ReportScreen):
                break
        assert isinstance(app.screen, ReportScreen)

    drive(make_app(walk), play)
    assert {argv[0] for argv in host.ran} == {"dmesg", "lsmod", "modinfo", "gdb"}


def test_read_only_refuses_to_edit_a_command() -> None:
    walk, _ = make_walk(read_only=True)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "e")
        assert isinstance(app.screen, StepScreen)
        assert "Read-only" in text_of(app)

    drive(make_app(walk), play)


def test_escape_cancels_the_running_command_and_stops_the_row() -> None:
    host = FakeHost()
    host.hold.clear()
    walk, log = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert "running 0 s of 30 s" in text_of(app)
        await press(app, pilot, "escape")
        assert app.running is None
        assert "cancelled" in text_of(app)

    drive(make_app(walk), play)
    finished = [e for e in log.events if isinstance(e, CommandFinished)]
    assert [e.status.value for e in finished] == ["cancelled"]


def test_the_last_lines_of_live_output_are_shown_while_a_command_runs() -> None:
    host = FakeHost()
    host.hold.clear()
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await pilot.press("enter")
        await pilot.pause(0.05)
        app._ticked()
        await pilot.pause()
        assert "end trace" in text_of(app)
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert "end trace" in text_of(app)
        host.hold.set()
        await settle(app, pilot)

    drive(make_app(walk), play)


def test_an_edited_command_runs_as_it_was_typed() -> None:
    host = FakeHost()
    walk, log = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "e", "space", "minus", "x", "enter")
        assert host.ran == [], "dmesg can also clear the log"
        await press(app, pilot, "y")
        await settle(app, pilot)
        assert host.ran == [("dmesg", "-x")]
        assert "(edited)" in text_of(app)

    drive(make_app(walk), play)
    assert [e.edited for e in log.events if isinstance(e, CommandStarted)] == [True]


def test_an_edit_to_another_program_asks_like_a_change() -> None:
    host = FakeHost()
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "e", "home", "x", "enter")
        assert isinstance(app.screen, ConsentScreen)
        assert "risk: change" in text_of(app)
        assert host.ran == []

    drive(make_app(walk), play)


def test_an_edit_that_is_no_command_is_told_in_one_line() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "e", "quotation_mark", "enter")
        assert "not a command: No closing quotation" in text_of(app)

    drive(make_app(walk), play)


def test_s_skips_the_step() -> None:
    walk, log = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "s")
        assert "skipped" in text_of(app)

    drive(make_app(walk), play)
    assert [e.status for e in log.events if isinstance(e, StepFinished)] == [StepStatus.SKIPPED]


def test_a_note_is_kept_with_its_step_even_while_a_command_runs() -> None:
    host = FakeHost()
    host.hold.clear()
    walk, log = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await pilot.press("enter", "n", *"odd", "enter")
        await pilot.pause()
        assert not [e for e in log.events if isinstance(e, NoteWritten)]
        host.hold.set()
        await settle(app, pilot)
        assert "note: odd" in text_of(app)

    drive(make_app(walk), play)
    assert [(e.step, e.text) for e in log.events if isinstance(e, NoteWritten)] == [
        ("check-logs", "odd")
    ]


def test_other_steps_can_be_looked_at_without_leaving_this_one() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "5")
        assert "5 of 7  Debug the module" in text_of(app)
        assert "Next: back to step 1" in text_of(app)
        await press(app, pilot, "left")
        assert "4 of 7" in text_of(app)
        await press(app, pilot, "enter")
        assert "1 of 7" in text_of(app)
        assert walk.view.step == "check-logs"
        await press(app, pilot, "right", "g")
        assert walk.view.step == "identify-module"

    drive(make_app(walk), play)


def test_a_pasted_log_is_read_and_told_of() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "p")
        app.screen.query_one("#area").insert(LOG)  # type: ignore[attr-defined]
        await press(app, pilot, "tab")
        assert "paste: 21 lines, 1 report" in text_of(app)
        assert re.search(r"\n  \d+ %  NULL pointer dereference in module demo", text_of(app))

    drive(make_app(walk), play)
    assert [log.source for log in walk.view.case.logs] == ["paste"]


def test_search_finds_in_logs_and_output_and_goes_on_with_n() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "slash", *"demo_start", "enter")
        assert "1 of " in text_of(app)
        first = app.screen.query_one("#page").cursor  # type: ignore[attr-defined]
        await press(app, pilot, "n")
        assert app.screen.query_one("#page").cursor > first  # type: ignore[attr-defined]
        await press(app, pilot, "N")
        assert app.screen.query_one("#page").cursor == first  # type: ignore[attr-defined]
        await press(app, pilot, "q")
        assert isinstance(app.screen, StepScreen)

    drive(make_app(walk), play)


def test_evidence_leads_to_its_line_in_the_log() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "d")
        assert re.search(r"\n +for +fault address 0x10.* line 2\n", text_of(app))
        await press(app, pilot, "down", "enter")
        assert isinstance(app.screen, EvidenceScreen)
        assert "\n>! " in text_of(app)

    drive(make_app(walk), play)


def test_a_finding_leads_to_the_line_it_was_read_from() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "enter", "enter", "down", "down", "down", "l")
        assert isinstance(app.screen, OutputScreen)
        assert ">1  demo 16384 1" in text_of(app)

    drive(make_app(walk), play)


def test_y_sends_the_command_to_the_clipboard_and_says_so() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "y")
        assert app.clipboard == "dmesg"
        assert "clipboard (OSC 52)" in text_of(app)

    drive(make_app(walk), play)


def test_w_writes_a_file_only_its_owner_can_read(tmp_path: Path) -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "w")
        assert "Written to" in text_of(app)

    drive(make_app(walk, session_path=tmp_path / "s.jsonl"), play)
    (saved,) = tmp_path.glob("*.txt")
    assert saved.read_text() == "dmesg\n"
    assert saved.stat().st_mode & 0o777 == 0o600


def test_q_asks_while_a_command_runs_and_ends_it() -> None:
    host = FakeHost()
    host.hold.clear()
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await pilot.press("enter", "q")
        await pilot.pause()
        assert "still runs" in text_of(app)
        await pilot.press("y")
        await pilot.pause()

    app = make_app(walk)
    drive(app, play)
    assert app.return_code == 0


@pytest.mark.parametrize("key", ["o", "d", "l", "question_mark", "r", "slash"])
def test_every_reading_screen_is_left_with_q(key: str) -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", key)
        assert not isinstance(app.screen, StepScreen)
        if key == "slash":
            await press(app, pilot, "escape")
        await press(app, pilot, "q")
        assert isinstance(app.screen, StepScreen)

    drive(make_app(walk), play)


def test_the_log_that_was_given_says_whose_it_is_and_m_corrects_it() -> None:
    walk, log = make_walk(FakeHost())
    walk.enter("check-logs")
    walk.give_log(klog.read(LOG.encode(), "case.log"))
    walk.give_fact("log_of", "another")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await settle(app, pilot)
        assert "case of another machine  6.1.0-demo  commands on db7" in text_of(app)
        assert "The log is of another machine: you said so (m if it is of this box)" in " ".join(
            text_of(app).split()
        )
        await press(app, pilot, "m")
        assert "of this box: you said so" in " ".join(text_of(app).split())
        assert "commands on db7" not in text_of(app)

    drive(make_app(walk), play)
    assert [event.value for event in log.events if isinstance(event, FactGiven)] == [
        "another",
        "this-box",
    ]


def test_without_a_given_log_m_says_that_all_is_of_this_box() -> None:
    walk, log = make_walk(FakeHost())

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "m")
        assert "No log was given" in text_of(app)

    drive(make_app(walk), play)
    assert not [event for event in log.events if isinstance(event, FactGiven)]


def test_f_takes_the_folder_that_a_blocked_tool_lacks(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/radish.ko").touch()
    (tmp_path / "sources").mkdir()
    walk, log = make_walk(FakeHost(), tools=LACKING)
    walk.enter("identify-module")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await settle(app, pilot)
        assert "--module-dir DIR (f: give it here)" in text_of(app)
        await press(app, pilot, "f", *f"{tmp_path}/s", "tab", "enter")
        assert "there is no .ko in" in " ".join(text_of(app).split())
        assert isinstance(app.screen, PathScreen)
        await press(app, pilot, *("backspace",) * len("sources/"), "m", "tab", "enter")
        assert isinstance(app.screen, StepScreen)
        assert "Taken:" in text_of(app)
        assert walk.proposed
        assert walk.proposed.argv == ("readelf", f"{tmp_path}/modules")

    drive(make_app(walk), play)
    given = [(event.name, event.value) for event in log.events if isinstance(event, FactGiven)]
    assert given == [("module_dir", f"{tmp_path}/modules")]


def test_f_says_where_nothing_is_lacking() -> None:
    walk, _ = make_walk(FakeHost())

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "f")
        assert "Nothing is blocked here for want of a file, folder or trigger" in " ".join(
            text_of(app).split()
        )

    drive(make_app(walk), play)


def test_tab_completes_a_path_as_far_as_it_is_clear(tmp_path: Path) -> None:
    for name in ("radish-1", "radish-2", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "radish-file").touch()
    begin = f"{tmp_path}/"
    assert completed(begin, folders_only=True) == (f"{begin}radish-", ["radish-1/", "radish-2/"])
    assert completed(f"{begin}radish-f", folders_only=False)[0] == f"{begin}radish-file"
    assert completed(f"{begin}.h", folders_only=True)[0] == f"{begin}.hidden/"
    assert completed(f"{begin}turnip", folders_only=True) == (f"{begin}turnip", [])
    assert completed(f"{begin}nothing/x", folders_only=True) == (f"{begin}nothing/x", [])
