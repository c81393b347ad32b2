"""What people leave out of a report: every cut takes the report's text and returns what is left."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Cut = Callable[[str], str]

_PLACE: Final = re.compile(
    r"\bRIP: |\bEIP: |\bIP: \[|\bpc : |\bPC is at|\bNIP[ :]|\bepc ?: |Krnl PSW|\bepc   :"
)
"""The line that says where the processor was."""
_TRACE: Final = re.compile(r"Call Trace|Call trace|Backtrace:|Stack trace|\[<[0-9a-f]+>\] \w+ from")
_FRAME: Final = re.compile(r"[\w.$]+\+0x[0-9a-f]+/0x[0-9a-f]+|</?(?:TASK|IRQ|NMI)>")
_REGISTERS: Final = re.compile(
    r"\b(?:R(?:AX|DX|SI|BP|10|13|SP)|EAX|ESI|DS|CS|FS|CR2)(?:: |=)|\b(?:[xr]\d+|sp) ?: "
    r"|\bGPR\d+|Krnl GPRS|\$ ?\d+ +: |\b[ast]\d+ ?: "
)
_CODE: Final = re.compile(r"\bCode: |Krnl Code:")
_MODULES: Final = re.compile(r"Modules linked in:")
_SCREEN: Final = 24
"""Lines of a text console."""


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _place(lines: list[str], what: re.Pattern[str]) -> int:
    """Return the index of the first line that holds it, or how many lines there are."""
    return next((n for n, line in enumerate(lines) if what.search(line)), len(lines))


def headline_lost(text: str) -> str:
    """Return the text without its first line."""
    return "".join(_lines(text)[1:])


def head_lost(text: str) -> str:
    """Return the text without its first four lines."""
    return "".join(_lines(text)[4:])


def from_place(text: str) -> str:
    """Return the text from the instruction pointer on."""
    lines = _lines(text)
    return "".join(lines[_place(lines, _PLACE) :])


def after_place(text: str) -> str:
    """Return the text behind the instruction pointer."""
    lines = _lines(text)
    return "".join(lines[_place(lines, _PLACE) + 1 :])


def to_place(text: str) -> str:
    """Return the text up to the instruction pointer."""
    lines = _lines(text)
    return "".join(lines[: _place(lines, _PLACE) + 1])


def to_trace(text: str) -> str:
    """Return the text before the call trace."""
    lines = _lines(text)
    return "".join(lines[: _place(lines, _TRACE)])


def only_trace(text: str) -> str:
    """Return the head of the call trace and its frames."""
    lines = _lines(text)
    trace = lines[_place(lines, _TRACE) :]
    return "".join(line for line in trace if _TRACE.search(line) or _FRAME.search(line))


def only_frames(text: str) -> str:
    """Return the frames of the call trace."""
    lines = _lines(text)
    return "".join(line for line in lines[_place(lines, _TRACE) + 1 :] if _FRAME.search(line))


def _without(what: re.Pattern[str]) -> Cut:
    def cut(text: str) -> str:
        return "".join(line for line in _lines(text) if not what.search(line))

    return cut


def no_trace(text: str) -> str:
    """Return the text without its frames; the instruction pointer stays."""
    return "".join(line for line in _lines(text) if _PLACE.search(line) or not _FRAME.search(line))


def _first(count: int) -> Cut:
    return lambda text: "".join(_lines(text)[:count])


def last_screen(text: str) -> str:
    """Return what a console still showed."""
    return "".join(_lines(text)[-_SCREEN:])


def every_other_line(text: str) -> str:
    """Return the text with each second line lost."""
    return "".join(_lines(text)[::2])


CUTS: Final[dict[str, Cut]] = {
    "headline lost": headline_lost,
    "four lines lost": head_lost,
    "from RIP on": from_place,
    "behind RIP": after_place,
    "to the RIP line": to_place,
    "to the trace": to_trace,
    "trace only": only_trace,
    "frames only": only_frames,
    "no registers": _without(_REGISTERS),
    "no code": _without(_CODE),
    "no modules": _without(_MODULES),
    "no trace": no_trace,
    "headline alone": _first(1),
    "first three lines": _first(3),
    "first ten lines": _first(10),
    "last screen": last_screen,
    "every other line": every_other_line,
}
"""Each cut by its name."""
