"""What became of one module on several kernels, and where that changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex


class OnKernel(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the module on one kernel.

    It is built, then a guest boots, then the module is loaded: the first of these that fails is
    false, with its `error`. `faults` is in how many of the `runs` the kernel reported a fault,
    `title` that of the main report of the first of them.
    """

    kernel: str
    release: str
    builds: bool = True
    boots: bool = True
    loads: bool = True
    error: str = ""
    runs: int = 0
    faults: int = 0
    panicked: int = 0
    title: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def ran(self) -> bool:
        """Whether the module was in a kernel, so that a fault could show."""
        return self.builds and self.boots and self.loads


NOT_SHOWN: Final = "not shown by this trigger there"

_COMPILER: Final = regex(r"(?P<place>[^\s:]+:\d+):(?:\d+:)? (?:fatal )?error: (?P<text>.*)")
_FLAG: Final = regex(r" \[-W[\w=-]+\]$")
_HINT: Final = regex(r"; did you mean .*$")

_APIS: Final = (
    (r"\b(?:del|from|mod|init|setup)_timer|\btimer_(?:delete|setup|container|shutdown)", "timer"),
    (r"\bclass_create|\bdevice_create|\bclass_register", "device class"),
    (r"\bproc_ops\b|\bproc_create|struct file_operations", "file operations"),
    (r"\bWQ_\w+|\balloc_workqueue", "workqueue"),
    (r"\baccess_ok\b|\bcopy_(?:from|to)_user\b", "user access"),
)
"""Names in a compiler's error, and the interface of the kernel that they belong to."""

_API_PATTERNS: Final = tuple((regex(pattern), f"{name} API") for pattern, name in _APIS)


def short_error(error: str) -> str:
    """Return an error in short: where, what, and the interface of the kernel it is about.

    Such as `timer API (gauge.c:41: implicit declaration of function 'del_timer_sync')`.
    """
    match = _COMPILER.search(error)
    text = f"{match['place']}: {match['text']}" if match else error
    text = _HINT.sub("", _FLAG.sub("", text.strip()))
    area = next((name for pattern, name in _API_PATTERNS if match and pattern.search(text)), "")
    return f"{area} ({text})" if area else text


def outcome(row: OnKernel) -> str:
    """Return what became of the module on a kernel, in words."""
    for holds, verb in ((row.builds, "build"), (row.boots, "boot"), (row.loads, "load")):
        if not holds:
            return f"does not {verb}: {row.error}"
    if not row.faults:
        return f"loads, no fault reported in {row.runs} guest{'s'[: row.runs > 1]}"
    return f"faults {row.faults} of {row.runs}: {row.title}"


def changes(rows: Sequence[OnKernel], silent: str = NOT_SHOWN) -> list[str]:
    """Return where something changes between kernels, which stand from the oldest to the newest.

    `silent` is what it means where it faults on none of them.
    """
    sentences: list[str] = []
    left = list(rows)
    for holds, verb in _STAGES:
        sentences += _stage(left, holds, verb)
        left = [row for row in left if holds(row)]
    if not any(row.faults for row in left):
        return [*sentences, f"no fault on {_names(left)}: {silent}"] if left else sentences
    return [*sentences, *_faults(left, rows)]


_STAGES: Final[tuple[tuple[Callable[[OnKernel], bool], str], ...]] = (
    (lambda row: row.builds, "builds"),
    (lambda row: row.boots, "boots"),
    (lambda row: row.loads, "loads"),
)
"""What must go well before a fault can show, in this order."""


def first_bad(rows: Sequence[OnKernel]) -> str:
    """Return the first kernel that faults after one that does not, else an empty text."""
    return next((after.kernel for _, after in _turns_bad(_ran(rows))), "")


def _ran(rows: Sequence[OnKernel]) -> list[OnKernel]:
    return [row for row in rows if row.ran]


def _turns_bad(ran: list[OnKernel]) -> list[tuple[OnKernel, OnKernel]]:
    return [(good, bad) for good, bad in pairwise(ran) if bad.faults and not good.faults]


def _stage(rows: list[OnKernel], holds: Callable[[OnKernel], bool], verb: str) -> list[str]:
    """Return on which kernels it builds, boots or loads, and the first error where it does not."""
    good, bad = [r for r in rows if holds(r)], [r for r in rows if not holds(r)]
    if not bad:
        return []
    if not good:
        return [f"it {verb} on none of {_names(bad)}: {short_error(bad[0].error)}"]
    edge = bad[0]
    where = f"on {_names(good)}"
    if _is_one_turn(rows, holds):
        where = f"up to {good[-1].kernel}"
        if holds(rows[-1]):
            where, edge = f"from {good[0].kernel} on", bad[-1]
    return [f"it {verb} {where}, not on {_names(bad)}: {short_error(edge.error)}"]


def _is_one_turn(rows: list[OnKernel], holds: Callable[[OnKernel], bool]) -> bool:
    return sum(holds(before) != holds(after) for before, after in pairwise(rows)) == 1


def _faults(ran: list[OnKernel], rows: Sequence[OnKernel]) -> list[str]:
    """Return on which kernels it faults, where good turns to bad, and how the reports differ."""
    bad = [row for row in ran if row.faults]
    sentences = [] if len(bad) == len(ran) else [_turn(ran, bad, rows)]
    titles = dict.fromkeys(row.title for row in bad)
    if len(titles) > 1:
        told = (f"{_names([r for r in bad if r.title == title])}: {title}" for title in titles)
        sentences.append(f"the report differs: {'; '.join(told)}")
    elif len(bad) == len(ran) > 1:
        sentences.append(f"the same fault on {_names(ran)}: no change of the kernel brought it")
    return sentences or [f"it faults on {_names(bad)}, the only one that could be tried"]


def _turn(ran: list[OnKernel], bad: list[OnKernel], rows: Sequence[OnKernel]) -> str:
    """Return where it begins or ceases to fault, with the first kernel that is bad or good."""
    good = [row for row in ran if not row.faults]
    edges = _turns_bad(ran)
    if not _is_one_turn(ran, lambda row: bool(row.faults)):
        told = f"it faults on {_names(bad)}, not on {_names(good)}"
        firsts = ", ".join(after.kernel for _, after in edges)
        return f"{told}; good turns to bad at {firsts}" if edges else told
    if edges:
        told = f"it faults from {bad[0].kernel} on, not on {_names(good)}"
        return f"{told}; first bad kernel {bad[0].kernel}{_gap(rows, good[-1], bad[0])}"
    told = f"it faults up to {bad[-1].kernel}, not on {_names(good)}"
    return f"{told}; first good kernel {good[0].kernel}{_gap(rows, bad[-1], good[0])}"


def _gap(rows: Sequence[OnKernel], before: OnKernel, after: OnKernel) -> str:
    """Return which kernels between two do not tell, because the module did not run there."""
    between = list(rows)[rows.index(before) + 1 : rows.index(after)]
    return f" ({_names(between)} could not be tried)" if between else ""


def _names(rows: Sequence[OnKernel]) -> str:
    return ", ".join(row.kernel for row in rows)
