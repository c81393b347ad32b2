"""What the screens look like, as text, at the sizes people have."""

from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot

from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.tui.app import WizardApp
from pagefault_doctor.tui.row import STATUS_MARKS
from tui.wizard_bench import (
    SCENARIO,
    FakeHost,
    check_golden,
    codes_of,
    drive,
    make_app,
    make_walk,
    press,
    text_of,
)

SIZES = [(60, 20), (80, 24), (120, 40)]
SCREENS = {
    "begin": (),
    "module": ("enter", "enter", "enter"),
    "consent": ("enter",) * 5,
    "crash": (*("enter",) * 5, "n", "enter"),
    "passed-over": (*("enter",) * 5, "n", "enter", "escape", "enter"),
    "blocked": (*("enter",) * 5, "n", "enter", "escape", "enter", "4"),
    "diagnosis": ("enter", "d"),
    "log": ("enter", "l"),
    "output": ("enter", "o"),
    "help": ("question_mark",),
    "report": ("enter", "r"),
    "palette": ("colon",),
    "edit": ("e",),
    "paste": ("p",),
    "looking": ("3",),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen_looks_as_on_file(name: str, size: tuple[int, int]) -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *SCREENS[name])
        text = text_of(app)
        assert all(len(line) <= size[0] for line in text.splitlines())
        assert len(text.splitlines()) == size[1]
        check_golden(f"{name}-{size[0]}x{size[1]}", text)

    drive(make_app(walk), play, size)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("story", ()),
        ("question", ("enter", "enter", "enter")),
        ("answered", ("enter", "enter", "enter", "h", "2")),
    ],
)
def test_training_screen_looks_as_on_file(name: str, keys: tuple[str, ...]) -> None:
    walk, _ = make_walk(FakeHost(live=False), scenario="demo-case")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *keys)
        check_golden(f"training-{name}", text_of(app))

    drive(make_app(walk, scenario=SCENARIO), play)


@pytest.mark.parametrize("name", SCREENS)
def test_ascii_screens_have_no_sign_above_a_tilde(name: str) -> None:
    host = FakeHost()
    host.answers["dmesg"] += "[   13.000000] caf\u00e9 \u65e5\u672c \u2588\n"
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *SCREENS[name])
        assert not re.findall(r"[^\n -~]", text_of(app))

    drive(make_app(walk, ascii=True), play)


def test_ascii_screen_looks_as_on_file() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter")
        check_golden("ascii-80x24", text_of(app))

    drive(make_app(walk, ascii=True), play)


@pytest.mark.parametrize("name", SCREENS)
def test_no_color_means_no_colour_code_at_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *SCREENS[name])
        codes = {code for found in re.findall(r"\x1b\[([\d;]*)m", codes_of(app))
                 for code in found.split(";")}  # fmt: skip
        coloured = {c for c in codes if c.isdigit() and 30 <= int(c) <= 107}
        assert coloured <= {"39", "49"}

    drive(make_app(walk), play)


def test_the_status_of_a_step_is_told_by_a_mark_of_its_own() -> None:
    assert set(STATUS_MARKS) == set(StepStatus)
    assert len(set(STATUS_MARKS.values())) == len(StepStatus)


def test_the_causes_are_kept_back_until_the_questions_are_answered() -> None:
    walk, _ = make_walk(FakeHost(live=False), scenario="demo-case")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "enter")
        assert "yours to find" in text_of(app)
        await press(app, pilot, "enter", "1", "enter")
        assert "NULL pointer dereference in module demo" in text_of(app)

    drive(make_app(walk, scenario=SCENARIO), play)


def test_a_training_walk_ends_with_the_score_and_the_lesson() -> None:
    walk, _ = make_walk(FakeHost(live=False), scenario="demo-case")

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        for _ in range(40):
            keys = ["1", "enter"] if "Question" in text_of(app) else ["enter"]
            await press(app, pilot, *keys)
            if app.reached_end:
                break
        check_golden("training-score", text_of(app))

    drive(make_app(walk, scenario=SCENARIO), play)


@pytest.mark.parametrize("name", SCREENS)
def test_key_hints_fit_and_are_few(name: str) -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *SCREENS[name])
        assert len(text_of(app).splitlines()[-1]) <= 80

    drive(make_app(walk), play)
