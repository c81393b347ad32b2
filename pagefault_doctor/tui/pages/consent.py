"""What is said before a command that may do harm."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.tui.row import Row, Tone

_WARNINGS: Final = {
    Risk.LOAD: "This puts the machine under load. Other work on it will be slow meanwhile.",
    Risk.CHANGE: "This changes the system.",
    Risk.CRASH: "This may take the machine down at once. Unsaved work on it is lost then.",
}

_LAB: Final = (
    "Safer: pfdoctor lab run --module {} does it in a throw-away virtual machine with the same "
    "kernel; a crash costs nothing there."
)


def rows(command: Command, host: str, live: bool) -> Iterator[Row]:
    """Give the question that goes before a command with a risk."""
    yield Row(f"Run this on {host}?", f"risk: {command.risk}", Tone.TITLE)
    yield Row()
    for number, line in enumerate(command.text.split("\n")):
        yield Row(f"{'  ' if number else '$ '}{line}", "", Tone.TITLE, 4, number > 0)
    if command.why:
        yield Row(f"  {command.why}", hang=2)
    yield Row()
    if not live:
        yield Row("This is a replay: nothing really runs, the recorded result is shown.",
                  tone=Tone.GOOD)  # fmt: skip
        yield Row(f"On a live machine: {_WARNINGS[command.risk]}", tone=Tone.DIM)
    else:
        yield Row(_WARNINGS[command.risk], tone=Tone.WARN)
    if command.risk is Risk.CRASH:
        yield Row()
        yield Row(_LAB.format(_module(command)))
    if command.risk is Risk.CHANGE:
        undo = command.undo or "pfdoctor knows no command that takes it back"
        yield Row(f"To undo: {undo}", hang=9)


def _module(command: Command) -> str:
    """Return the module's file as it would be typed; modprobe takes names, then FILE.ko."""
    return shlex.quote(next((word for word in command.argv if word.endswith(".ko")), "FILE.ko"))


def prompt(command: Command, host: str, live: bool) -> str:
    """Return how the question is answered."""
    if not live:
        return "Enter or y: go on with the replay   n: do not"
    if command.risk is Risk.CRASH:
        return f"To run it, type the name of the host ({host}) and press Enter. Esc: do not run it"
    return "y: run it   n or Esc: do not run it"
