"""The output of all commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pagefault_doctor.model.command import Command
from pagefault_doctor.session.view import CommandRecord, View
from pagefault_doctor.tui.pages import phrases
from pagefault_doctor.tui.row import Row, Tone

MOST = 50000
"""Lines shown for one command; the session file has all of them."""


_MOST_CHARACTERS = 4_000_000
"""Characters shown for one command. More would take seconds to lay out."""

_SLOWER = 16
"""How much longer a line takes to lay out whose characters may be two cells wide."""


class OutputLine(msgspec.Struct, frozen=True):
    """A line of the output of the command with that number; line 0 is the command itself."""

    command: int
    number: int


def rows(view: View, proposed: Command | None = None) -> Iterator[Row]:
    """Yield every command with its output, in order, then the next command in full."""
    for record in view.commands:
        yield from _record(record)
        yield Row()
    if proposed:
        yield Row("The next command, as it will run", proposed.risk.value, Tone.TITLE)
        yield from _full_command(proposed, OutputLine(0, 0))
    elif not view.commands:
        yield Row("No command has run yet.")


def _full_command(command: Command, ref: OutputLine) -> Iterator[Row]:
    first, *rest = command.text.split("\n")
    yield Row(f"$ {first}", "", Tone.PLAIN, 4, True, ref)
    for line in rest:
        yield Row(f"  {line}", "", Tone.PLAIN, 4, True, ref)


def _record(record: CommandRecord) -> Iterator[Row]:
    result = record.result
    state = phrases.outcome(result) if result else "no result"
    ref = OutputLine(record.number, 0)
    text = f"$ {phrases.command(record.command.words)}"
    yield Row(text, f"{record.step}   {state}", Tone.TITLE, 4, ref=ref)
    if phrases.command(record.command.words) != record.command.text:
        yield from _full_command(record.command, ref)
    if result is None:
        return
    lines = result.output.splitlines()
    width = len(str(len(lines)))
    shown = _beginning(lines)
    for number, line in enumerate(shown, 1):
        ref = OutputLine(record.number, number)
        yield Row(f"{number:{width}}  {line}", "", Tone.PLAIN, width + 2, True, ref)
    if len(lines) > len(shown):
        yield Row(f"  {len(lines) - len(shown)} more lines are in the session file", tone=Tone.DIM)
    elif lines and lines[-1] != shown[-1]:
        yield Row("  the rest of this line is in the session file", tone=Tone.DIM)
    for line in _beginning(result.errors.splitlines()):
        yield Row(f"stderr: {line}", "", Tone.WARN, 8, True, OutputLine(record.number, -1))
    if not lines and not result.errors.strip():
        yield Row("  no output", tone=Tone.DIM)


def _beginning(lines: list[str]) -> list[str]:
    """Return the lines that are shown; the last one may be cut."""
    left = _MOST_CHARACTERS
    for number, line in enumerate(lines[:MOST]):
        factor = 1 if line.isascii() else _SLOWER
        if len(line) * factor > left:
            return [*lines[:number], line[: left // factor]]
        left -= len(line) * factor
    return lines[:MOST]


def find(shown: Sequence[Row], command: int, line: int | None) -> int | None:
    """Return the index of the row with a line of a command's output, else of the command."""
    wanted = (OutputLine(command, line or 0), OutputLine(command, 0))
    at = {row.ref: n for n, row in enumerate(shown) if row.ref in wanted}
    return at.get(wanted[0], at.get(wanted[1]))
