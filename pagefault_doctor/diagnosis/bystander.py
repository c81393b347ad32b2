"""Who may have corrupted memory where no trace leads to a module.

Who meets the damage is innocent; whoever did it left no trace. Modules from outside the tree are
tested least, so one that was at work just before is the first to ask.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.diagnosis import freelist
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.culprit import Culprit, blame
from pagefault_doctor.diagnosis.provenance import is_unknown, unknown_words
from pagefault_doctor.diagnosis.rules import stack_overflow
from pagefault_doctor.model.report import Kind, Report

MOVING: Final = 0.75
SPOKE: Final = 0.7
ONLY: Final = 0.9
ONLY_NEARBY: Final = 0.6
"""How likely the module is the one, given the cause, by what speaks for it."""
BY_NAME: Final = 0.8
"""How much of that is left where its name alone tells that it is from outside."""

_DAMAGE: Final = (
    Kind.REFCOUNT,
    Kind.SLAB,
    Kind.LIST_CORRUPTION,
    Kind.BAD_PAGE,
    Kind.STACK_CORRUPTED,
)
"""Kinds that are about memory that somebody had damaged before."""
_BAD_POINTER: Final = (Kind.GENERAL_PROTECTION, Kind.PAGE_FAULT)
"""Kinds that may come of it."""
_CHECKS: Final = ("list_corruption", "list_debug", "slab_bug")
"""Details that tell of such memory, whatever the kind."""
_SIGNS: Final = {"+": "loaded", "-": "unloaded"}
_NAMED: Final = 3
"""Modules that are named in a sentence, at most."""


def at_work(report: Report, context: Context) -> Culprit | None:
    """Return the module from outside that was coming, going or printing just before."""
    if not (_is_damage(report, context) or _may_be(report, context)):
        return None
    moving = [(m.name, sign) for m in report.modules for sign in _SIGNS if sign in m.flags]
    for name, sign in moving if len(moving) == 1 else ():
        if share := _outside(name, report):
            text = f"{_described(name, report)} was just being {_SIGNS[sign]}"
            return _blame(name, text, report.line_of("modules"), MOVING * share)
    for spoken in report.spoken_before:
        if share := _outside(spoken.module, report):
            ago = "" if spoken.seconds is None else f" {spoken.seconds:.1f} s"
            text = f"{_described(spoken.module, report)} was at work{ago or ' just'} before"
            return _blame(spoken.module, text, spoken.line.number, SPOKE * share)
    return None


def only_one(report: Report, context: Context) -> Culprit | None:
    """Return the only module from outside, unless it is a proprietary one that is just there.

    Where the list is lost there may be others: the kernel tells of the first that is loaded.
    """
    closed = {module.name for module in report.modules if "P" in module.flags}
    foreign, damage = report.out_of_tree, _is_damage(report, context)
    traced = any(frame.module and frame.reliable for frame in report.frames)
    asked = damage or (_may_be(report, context) and not traced)
    if len(foreign) != 1 or foreign[0] in closed or not asked:
        return None
    text = f"{foreign[0]} is the only module loaded that is not part of the kernel"
    if report.outside:
        text = f"{foreign[0]}, which is not part of the kernel, had been loaded"
    sure = damage and not report.outside and report.unloaded_out_of_tree in (None, *foreign)
    return _blame(foreign[0], text, report.line_of("modules"), ONLY if sure else ONLY_NEARBY)


def doubted(kernel: Culprit, report: Report, context: Context) -> Culprit:
    """Return the kernel as the culprit, in doubt where a module from outside may have done it."""
    foreign = report.out_of_tree
    if not foreign or not (_is_damage(report, context) or _may_be(report, context)):
        return kernel
    names = ", ".join(foreign[:_NAMED]) + (" and others" if len(foreign) > _NAMED else "")
    text = f"{kernel.because.text}, but memory can have been damaged by {names}, from outside"
    because = msgspec.structs.replace(kernel.because, text=text)
    return msgspec.structs.replace(kernel, because=because)


def _is_damage(report: Report, context: Context) -> bool:
    """Whether a report is of memory that somebody else had damaged."""
    if report.kind in _DAMAGE or any(name in report.details for name in _CHECKS):
        return True
    return freelist.is_broken(context) or stack_overflow.trampled(report, context) is not None


def _may_be(report: Report, context: Context) -> bool:
    """Whether a report may come of such memory: a pointer, of data or of a function, was wild."""
    return report.kind in _BAD_POINTER or context.is_jump


def _is_marked(module: str, report: Report) -> bool:
    return module in (*report.out_of_tree, report.unloaded_out_of_tree)


def _outside(module: str, report: Report) -> float:
    """Return how far a module is known to be from outside the tree."""
    if _is_marked(module, report):
        return 1.0
    unmarked = report.tainted is None and not report.out_of_tree
    return BY_NAME if unmarked and is_unknown(module, report) else 0.0


def _described(module: str, report: Report) -> str:
    if _is_marked(module, report):
        return f"{module}, from outside the kernel,"
    return f"{unknown_words(module)}, and"


def _blame(module: str, text: str, line: int, share: float) -> Culprit:
    return msgspec.structs.replace(blame(module, text, line), share=share)
