"""The stack of a report: the faulting frame, and the call trace that is its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pagefault_doctor.klog.demangle import demangled
from pagefault_doctor.klog.guilty_function import is_uninformative
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.registers import pointer_of
from pagefault_doctor.klog.stack import HEADS, first_trace, frame_of, is_head
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.report import Frame, Kind

_TRACE_FIRST: Final = frozenset(
    {Kind.SANITIZER, Kind.LOCKDEP, Kind.HUNG_TASK, Kind.ATOMIC_SLEEP, Kind.LEAK, Kind.SLAB}
    | {Kind.BAD_PAGE, Kind.PANIC}
)
"""Kinds whose own stack has no instruction pointer: one that follows belongs to what it was in."""
_HEADED: Final = frozenset(
    {Kind.LOCKDEP, Kind.HUNG_TASK, Kind.STALL, Kind.LOCKUP, Kind.SLAB, Kind.BAD_PAGE}
)
"""Kinds that print other stacks before the one under its head."""


class Stack(msgspec.Struct, frozen=True):
    """The faulting frame and the first call trace."""

    pointer: Frame | None
    trace: tuple[Frame, ...]

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The trace, with the faulting frame at its top where it is known."""
        return (self.pointer, *self.trace) if self.pointer else self.trace

    def blamed(self, kind: Kind, named: tuple[str, ...]) -> Frame | None:
        """The frame of the faulting function, else of the one the title names, else the first.

        The allocator warns in a function of its own of what others did (`mm/slub.c`, slab_err).
        """
        faulting = self.pointer.function if self.pointer else None
        if faulting and not (kind is Kind.SLAB and is_uninformative(faulting)):
            return self.pointer
        known = [f for f in self.trace if f.function]
        named_frame = next((f for f in known if _plain(f.function) in named), None)
        reliable = [f for f in known if f.reliable]
        informative = (f for f in reliable if not is_uninformative(f.function or ""))
        return named_frame or next(informative, reliable[0] if reliable else None)


def stack_of(kind: Kind, body: ReportText, remains: bool) -> Stack:
    """Return the stack of a report of that kind; of `remains` only a part is left."""
    lines = body.lines
    head = next((i for i in body.places(*HEADS) if is_head(lines[i].text)), len(lines))
    begin = head if kind in _HEADED and head < len(lines) else 0
    first = begin or int(frame_of(lines[0]) is None and len(lines) > 1)
    if not begin:
        first = _behind_others(lines, first, body)
    trace = first_trace(lines[first:])
    # What powerpc prints of a stack's earlier contexts has an instruction pointer of its own.
    end = next(iter(body.places("--- interrupt: ", "--- Exception: ")), len(lines))
    if kind in _TRACE_FIRST and not remains:
        end = min(end, next((i for i in range(1, head) if frame_of(lines[i])), head) + 1)
    return Stack(_in_module(pointer_of(body.head(end)), trace), trace)


def _behind_others(lines: Sequence[LogLine], first: int, body: ReportText) -> int:
    """Return where to look for the trace: behind the frames that another CPU printed in between.

    On x86 the registers come first, and the trace has a head (`arch/x86/kernel/dumpstack.c`).
    """
    pointer = next(iter(body.places("RIP: 0010:")), None)
    if pointer is None:
        return first
    heads = (i for i in body.places(*HEADS) if i > pointer and is_head(lines[i].text))
    head = next(heads, None)
    if head is None:
        return first
    between = [i for i in range(first, head) if i != pointer and frame_of(lines[i])]
    return head if between else first


def _in_module(pointer: Frame | None, trace: tuple[Frame, ...]) -> Frame | None:
    """Return the pointer with its module, which debuggers print with the frame alone."""
    if pointer is None or pointer.module or pointer.function is None:
        return pointer
    named = (frame.module for frame in trace if frame.function == pointer.function)
    return msgspec.structs.replace(pointer, module=next(filter(None, named), None))


def _plain(function: str | None) -> str:
    """Return the function as a title has it."""
    return demangled((function or "").split(".")[0])
