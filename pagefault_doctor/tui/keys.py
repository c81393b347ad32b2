"""The table of keys, from which bindings, help, palette and cheatsheet are made."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from textual.binding import BindingType


class KeyScope(StrEnum):
    """Where a key counts."""

    STEP = "step"
    VIEWER = "viewer"
    ANYWHERE = "anywhere"


class Key(msgspec.Struct, frozen=True):
    """One key, or several for one thing. `keys` are Textual's names, `shown` what people read."""

    keys: tuple[str, ...]
    action: str
    label: str
    help: str
    place: KeyScope = KeyScope.STEP
    shown: str = ""

    @property
    def cap(self) -> str:
        """The key as people read it."""
        return self.shown or self.keys[0]


_LOOK: Final = Key(
    tuple("123456789"), "look", "look", "look at another step without leaving this one", shown="1-9"
)

KEYS: Final = (
    Key(("enter",), "next", "next", "do what the last line suggests", shown="Enter"),
    Key(("e",), "edit", "edit", "change the next command before it runs"),
    Key(("s",), "skip", "skip", "leave this step as it is"),
    Key(("n",), "note", "note", "write a note into the session"),
    Key(("o",), "output", "output", "read all that the commands said"),
    Key(("d",), "diagnosis", "diagnosis", "the causes, with the evidence for and against"),
    Key(("l",), "log", "log", "the report in the log, at the line of the selected finding"),
    Key(("f",), "give", "give", "give what this step lacks: a file, a folder, a trigger"),
    Key(("m",), "machine", "machine", "say whether the log is of this box or of another machine"),
    Key(("a",), "add_log", "add log", "add another log of the same case: another boot, the host's"),
    Key(("x",), "move", "host", "run the commands elsewhere: over ssh, in the lab, or here"),
    Key(("p",), "paste", "paste", "paste a kernel log to be read"),
    Key(("r",), "report", "report", "the report of this session so far"),
    _LOOK,
    Key(("left", "h"), "look_back", "back", "look at the step before", shown="Left, h"),
    Key(("right",), "look_on", "on", "look at the step after", shown="Right"),
    Key(("g",), "go", "go", "go to the step that is shown and do it again"),
    Key(("escape", "c"), "cancel", "cancel", "end the running command and all it started",
        shown="Esc, c"),
    Key(("q",), "leave", "quit", "leave; the session is kept"),
    Key(("escape", "q", "b"), "back", "back", "go back to the step", KeyScope.VIEWER, "Esc, q, b"),
    Key(("enter",), "open", "open", "open what the cursor is on", KeyScope.VIEWER, "Enter"),
    Key(("n",), "find_next", "next", "next place found", KeyScope.VIEWER),
    Key(("N",), "find_previous", "previous", "place found before", KeyScope.VIEWER),
    Key(("slash",), "search", "search", "search the logs and all output", KeyScope.ANYWHERE, "/"),
    Key(("y",), "copy", "copy", "copy the selected line or command to the clipboard",
        KeyScope.ANYWHERE),
    Key(("w",), "write", "write", "write it to a file in the session's folder", KeyScope.ANYWHERE),
    Key(("question_mark", "f1"), "explain", "help", "what this step is about, terms and keys",
        KeyScope.ANYWHERE, "?, F1"),
    Key(("ctrl+p", "colon"), "palette", "actions", "find any of these by name", KeyScope.ANYWHERE,
        "Ctrl+P, :"),
)  # fmt: skip

MOVING: Final = (
    ("Up, k / Down, j", "move the cursor, or scroll"),
    ("PgUp / PgDn, Space", "scroll by a page"),
    ("Home / End", "go to the first or last line"),
)


def of(*places: KeyScope) -> tuple[Key, ...]:
    """Return the keys of those places, in the order of the table."""
    return tuple(key for key in KEYS if key.place in places)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return the keys as Textual wants them: key, action, label."""
    return [(name, _action(key, name), key.label) for key in keys for name in key.keys]


class PaletteAction(NamedTuple):
    """An action as the palette offers it."""

    action: str
    label: str
    cap: str
    key: Key


def offers(key: Key, steps: int) -> tuple[PaletteAction, ...]:
    """Return what a key stands for in a walk of so many steps."""
    if key is _LOOK:
        return tuple(PaletteAction(_action(key, n), f"step {n}", n, key) for n in key.keys[:steps])
    return (PaletteAction(key.action, key.label, key.cap, key),)


def hints(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the line of key hints for pairs of key and label."""
    return "   ".join(f"{cap} {label}" for cap, label in pairs)


def cheatsheet() -> str:
    """Return the table of all keys as Markdown; the README's is this one."""
    titles = {
        KeyScope.STEP: "In a step",
        KeyScope.VIEWER: "In output, log, diagnosis, help and report",
        KeyScope.ANYWHERE: "Everywhere",
    }
    lines = ["| key | what it does |", "| --- | --- |"]
    for place, title in titles.items():
        lines.append(f"| **{title}** | |")
        lines += [f"| `{key.cap}` | {key.help} |" for key in of(place)]
    lines += [f"| `{cap}` | {text} |" for cap, text in MOVING]
    return "\n".join(lines) + "\n"


def _action(key: Key, name: str) -> str:
    return f"{key.action}({int(name) - 1})" if key is _LOOK else key.action
