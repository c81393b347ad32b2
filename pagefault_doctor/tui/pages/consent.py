"""The question before a command that may do harm."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.tui.row import Row, Tone

_WARNINGS: Final = {
    Risk.LOAD: "This puts the machine under load. Other work on it will be slow meanwhile.",
    Risk.CHANGE: "This changes the system.",
    Risk.CRASH: "This may take the machine down at once. Unsaved work on it is lost then.",
}

_IN_GUEST: Final = (
    "It is a throw-away guest of the lab. A crash costs nothing: its log and memory are kept, and "
    "it is booted anew. This machine is not touched."
)

_LAB: Final = (
    "Safer: pfdoctor lab run --module {} does it in a throw-away virtual machine with the same "
    "kernel; a crash costs nothing there. All seven steps there: pfdoctor --lab --source-dir DIR."
)


class CommandHost(msgspec.Struct, frozen=True):
    """Where a command would run: the host's name, and whether it really runs.

    `in_guest` means a guest of the lab, `beside_guest` this machine working for it; `moved` maps
    paths of the lab machine to their throw-away copies on this machine.
    """

    host: str
    live: bool
    in_guest: bool = False
    beside_guest: bool = False
    moved: tuple[tuple[str, str], ...] = ()


def rows(command: Command, where: CommandHost) -> Iterator[Row]:
    """Yield the question before a command with a risk."""
    yield Row(_question(where), f"risk: {command.risk}", Tone.TITLE)
    yield Row()
    for number, line in enumerate(command.text.split("\n")):
        yield Row(f"{'  ' if number else '$ '}{line}", "", Tone.TITLE, 4, number > 0)
    if command.why:
        yield Row(f"  {command.why}", hang=2)
    yield Row()
    if where.in_guest:
        yield Row(_IN_GUEST, tone=Tone.GOOD)
        yield Row(f"On a real machine: {_WARNINGS[command.risk]}", tone=Tone.DIM)
    elif where.moved and command.risk is not Risk.LOAD:
        yield Row(
            "It works on the lab's own copy, which is thrown away at the end.", tone=Tone.GOOD
        )
        yield Row(f"On a real machine: {_WARNINGS[command.risk]}", tone=Tone.DIM)
    elif not where.live:
        yield Row("This is a replay: nothing really runs, the recorded result is shown.",
                  tone=Tone.GOOD)  # fmt: skip
        yield Row(f"On a live machine: {_WARNINGS[command.risk]}", tone=Tone.DIM)
    else:
        yield Row(_WARNINGS[command.risk], tone=Tone.WARN)
    for path, local_path in where.moved:
        yield Row(f"Here {path} is {local_path}", tone=Tone.DIM, hang=5)
    if command.risk is Risk.CRASH and not where.in_guest:
        yield Row()
        yield Row(_LAB.format(_module(command)))
    if command.risk is Risk.CHANGE:
        undo = command.undo or "pfdoctor knows no command that takes it back"
        yield Row(f"To undo: {undo}", hang=9)


def _question(where: CommandHost) -> str:
    if where.in_guest:
        return f"Run this on {where.host}, the lab's virtual machine?"
    return (
        "Run this on this machine, beside the lab?"
        if where.beside_guest
        else (f"Run this on {where.host}?")
    )


def _module(command: Command) -> str:
    """Return the module's file quoted for a shell; modprobe takes names, so then FILE.ko."""
    return shlex.quote(next((word for word in command.argv if word.endswith(".ko")), "FILE.ko"))


def is_typed(command: Command, where: CommandHost) -> bool:
    """Return whether the person has to type the name of the host."""
    return command.risk is Risk.CRASH and where.live and not where.in_guest


def prompt(command: Command, where: CommandHost) -> str:
    """Return the keys that answer the question."""
    if not where.live:
        return "Enter or y: go on with the replay   n: do not"
    if is_typed(command, where):
        text = f"To run it, type the name of the host ({where.host}) and press Enter."
        return f"{text} Esc: do not run it"
    return "y: run it   n or Esc: do not run it"
