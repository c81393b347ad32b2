"""Every action has a key, a place in the palette and a line in the help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from pagefault_doctor.tui import keys
from pagefault_doctor.tui.app import WizardApp
from pagefault_doctor.tui.screens.step import StepScreen
from pagefault_doctor.tui.screens.viewers import OutputScreen, ViewerScreen
from tui.wizard_bench import drive, make_app, make_walk, press, text_of

README = Path(__file__).parents[2] / "README.md"
FORBIDDEN = {"ctrl+s", "ctrl+q", "ctrl+b", "ctrl+a", "ctrl+j", "shift+enter"}


@pytest.mark.parametrize("key", keys.KEYS, ids=lambda key: key.help)
def test_each_key_has_an_action_on_its_screen(key: keys.Key) -> None:
    for screen in {
        keys.KeyScope.STEP: (StepScreen,),
        keys.KeyScope.VIEWER: (ViewerScreen,),
        keys.KeyScope.ANYWHERE: (StepScreen, ViewerScreen),
    }[key.place]:
        assert hasattr(screen, f"action_{key.action}")


@pytest.mark.parametrize("place", keys.KeyScope)
def test_no_key_stands_for_two_things(place: keys.KeyScope) -> None:
    names = [name for key in keys.of(place, keys.KeyScope.ANYWHERE) for name in key.keys]
    doubled = {name for name in names if names.count(name) > 1}
    assert not doubled or place is keys.KeyScope.ANYWHERE


def test_no_key_is_one_that_terminals_keep_for_themselves() -> None:
    assert not FORBIDDEN & {name for key in keys.KEYS for name in key.keys}


def test_every_escape_has_a_letter_too() -> None:
    for key in keys.KEYS:
        if "escape" in key.keys:
            assert any(len(name) == 1 for name in key.keys)


def test_forbidden_keys_are_not_bound_by_the_framework_either() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        assert not FORBIDDEN & set(app.screen.active_bindings)

    drive(make_app(walk), play)


def test_the_help_has_all_keys() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "question_mark")
        shown = re.sub(r"\s+", " ", text_of(app))
        for key in keys.KEYS:
            assert key.help in shown

    drive(make_app(walk), play, (120, 90))


def test_the_palette_has_all_actions_and_does_the_chosen_one() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "ctrl+p")
        shown = re.sub(r"\s+", " ", text_of(app))
        for key in keys.of(keys.KeyScope.STEP, keys.KeyScope.ANYWHERE):
            assert key.help in shown or key.action == "palette"
        await press(app, pilot, *"all that", "enter")
        assert isinstance(app.screen, OutputScreen)

    drive(make_app(walk), play, (120, 60))


def test_the_cheatsheet_names_every_key() -> None:
    sheet = keys.cheatsheet()
    assert all(f"`{key.cap}` | {key.help}" in sheet for key in keys.KEYS)


def test_the_readme_has_the_same_cheatsheet() -> None:
    _, _, after = README.read_text().partition("<!-- keys -->\n")
    table, _, _ = after.partition("<!-- /keys -->")
    assert table == keys.cheatsheet()
