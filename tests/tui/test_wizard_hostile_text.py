"""Whatever text a log, a host or a playbook holds: it is shown, not obeyed, and none is lost."""

from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot

from forbidden import forbidden_in
from pagefault_doctor.tui.app import WizardApp
from tui.wizard_bench import LOG, FakeHost, codes_of, drive, make_app, make_walk, press, text_of

HOSTILE = (
    "[/foo] [/] [bold] [/italic] [#1] [O] [E] [nvidia] [ext4 1234abcd] [$x] x\\[y",
    "[@click=app.quit]x[/]",
    "\x1b]52;c;cm0gLXJm\x07 \x1b[2J\x1bc \x9b31m \x07\x08",
    "\u202egnp.exe\u202c \u2066x\u2069 \ufeff \u061cx \x9fAPC\x9c \u2028",
    "{report.module} %s $(reboot) `reboot`",
)
SCREENS: dict[str, tuple[str, ...]] = {
    "step": ("enter",),
    "next step": ("enter", "enter", "enter"),
    "output": ("enter", "o"),
    "log": ("enter", "l"),
    "diagnosis": ("enter", "d"),
    "report": ("enter", "r"),
    "everything": ("enter", "slash", "escape"),
    "help": ("question_mark",),
}


def _log(hostile: str) -> str:
    return (
        LOG.replace("Demo Board", hostile)
        .replace("Comm: insmod", f"Comm: {hostile[:16]}")
        .replace("do_init_module", f"do_init_module {hostile}")
        .replace("demo", "de[mo]")
    )


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", SCREENS)
def test_no_screen_obeys_what_it_shows(name: str, hostile: str) -> None:
    host = FakeHost(name=f"box {hostile}")
    host.answers = {"dmesg": _log(hostile), "lsmod": f"{hostile.split()[0]} 1 1\n"}
    walk, _ = make_walk(host)
    walk.note(hostile)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, *SCREENS[name])
        assert not forbidden_in(text_of(app))
        assert not forbidden_in(re.sub(r"\x1b\[[\d;]*m", "", codes_of(app)))
        assert app.is_running

    drive(make_app(walk, vitals=lambda: hostile), play)


@pytest.mark.parametrize("hostile", [HOSTILE[0], HOSTILE[1], HOSTILE[4]])
def test_nothing_of_a_line_is_lost(hostile: str) -> None:
    host = FakeHost()
    host.answers["dmesg"] = hostile + "\n"
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "o")
        assert hostile in text_of(app)

    drive(make_app(walk), play, (120, 24))


def test_an_escape_sequence_is_fully_visible() -> None:
    host = FakeHost()
    host.answers["dmesg"] = HOSTILE[2] + "\n"
    walk, _ = make_walk(host)

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "o")
        assert r"\x1b]52;c;cm0gLXJm\x07 \x1b[2J\x1bc \x9b31m" in text_of(app)

    drive(make_app(walk), play, (120, 24))


def test_a_hostile_paste_is_shown_harmless() -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        from textual.events import Paste

        app.post_message(Paste("\r\n".join(HOSTILE)))
        await pilot.pause()
        await pilot.pause()
        assert r"\x1b]52;c;" in text_of(app)
        assert not forbidden_in(text_of(app))
        await press(app, pilot, "f2")
        assert "no fault in them" in text_of(app)

    drive(make_app(walk), play)


@pytest.mark.parametrize("key", ["n", "e", "slash", "ctrl+p"])
def test_a_hostile_paste_into_a_line_is_shown_harmless(key: str) -> None:
    walk, _ = make_walk()

    async def play(app: WizardApp, pilot: Pilot[int]) -> None:
        from textual.events import Paste
        from textual.widgets import Input

        await press(app, pilot, key)
        assert isinstance(app.focused, Input)
        for paste in ("", "\n", "".join(HOSTILE), "\x1b]52;c;cm0=\x07\u202e" * 500_000):
            app.focused.post_message(Paste(paste))
            await pilot.pause()
            await pilot.pause()
            assert not forbidden_in(app.focused.value)
            assert not forbidden_in(text_of(app))
        assert "x1b]52;c;" in app.focused.value
        assert len(app.focused.value) < 50_000
        # The palette has its own words there, about the actions that fit.
        assert key == "ctrl+p" or "first 4000 characters" in text_of(app)

    drive(make_app(walk), play)
