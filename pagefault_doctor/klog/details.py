"""What only some kinds of report say, under the names their families document."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from pagefault_doctor.klog.body import Body
from pagefault_doctor.klog.formats.table import DETAILS
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.setting import setting_of
from pagefault_doctor.klog.stack import frame_of, place_in
from pagefault_doctor.model.pattern import Sought
from pagefault_doctor.model.report import USER_SIDE, Frame, Kind

_LONGEST: Final = 200
_STACKS: Final = (
    ("allocated", ("Allocated by task", "allocated by task", "Allocated in ", "  backtrace")),
    ("freed", ("Freed by task", "freed by task", "Freed in ")),
    ("created", ("Uninit was created at",)),
    ("related", ("Last potentially related work creation",)),
)
_ALLOCATOR: Final = (
    "kasan", "save_stack", "stack_trace", "set_track", "slab", "kmem_cache", "kmalloc", "kzalloc",
    "kfree", "kvfree", "kcalloc", "kvmalloc", "__alloc", "alloc_skb", "kfence", "kmemdup",
    "kstrdup", "call_rcu", "poison", "rcu_", "unreferenced",
)  # fmt: skip
_DEPTH: Final = 12
_SETTING: Final = 160
"""Lines that the setting is read from."""


def details_of(kind: Kind, body: Body) -> tuple[dict[str, str], dict[str, int]]:
    """Return the details of a report of that kind, and the line each was read from."""
    found, cited = ({}, {}) if kind in USER_SIDE else setting_of(body.head(_SETTING))
    rows = [row for row in _rows(kind) if any(map(body.text.__contains__, row.words))]
    for line in body.holding(*(word for row in rows for word in row.words)):
        for row in rows:
            match = row.pattern.search(line.text)
            for name, value in match.groupdict().items() if match else ():
                if value is not None and name not in found:
                    found[name] = value.strip()[:_LONGEST]
                    cited[name] = line.number
    if kind in (Kind.SANITIZER, Kind.SLAB, Kind.LEAK):
        _stacks(body, found, cited)
    return found, cited


@cache
def _rows(kind: Kind) -> tuple[Sought, ...]:
    """Return the expressions of a kind."""
    return tuple(map(Sought, DETAILS.get(kind, ())))


def _stacks(body: Body, found: dict[str, str], cited: dict[str, int]) -> None:
    """Add the functions and modules that allocated and freed the object."""
    for name, heads in _STACKS:
        for index in body.places(*heads)[:1]:
            # SLUB names who called it in the headline; the stack below may begin after that one.
            said = place_in(body.lines[index])
            own = said if said and not _of_allocator(said) else None
            frame = own or _owner(body.lines[index + 1 : index + 1 + _DEPTH])
            if frame and frame.function:
                found[f"{name}_by"] = frame.function
                cited[f"{name}_by"] = frame.line or body.lines[index].number
                if frame.module:
                    found[f"{name}_module"] = frame.module


def _owner(lines: Sequence[LogLine]) -> Frame | None:
    for line in lines:
        frame = frame_of(line)
        if frame is None:
            if line.text.strip() and "(stack is not available)" not in line.text:
                continue
            return None
        if frame.reliable and frame.function and not _of_allocator(frame):
            return frame
    return None


def _of_allocator(frame: Frame) -> bool:
    name = frame.function or ""
    return any(part in name for part in _ALLOCATOR)
