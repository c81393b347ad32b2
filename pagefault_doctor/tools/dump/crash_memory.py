"""What the pointers of a fault point to, asked of crash where drgn is missing.

Output of `kmem` and `rd` as of crash 8 (`memory.c`). `eval` is asked before each address, so that
the answers can be told apart. Who allocated and freed an object is not told by `kmem`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.memory import Holder, PointedMemory
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.tools.dump import dump_file

OPTION: Final = "--no_scroll"
"""Changes nothing without a terminal; it tells this run from the others, as only argv is kept."""

_MOST: Final = 16
_WORDS: Final = 8
_NO_DATA: Final = ("eflags", "cr0", "cr2", "cr3", "cr4", "cs", "ss", "ds", "es", "fs", "gs")

_ASKED: Final = regex(r"^hexadecimal: ([0-9a-f]{1,16})\b")
_CACHE: Final = regex(r"^[0-9a-f]{8,16} +\d+ +\d+ +\d+ +\d+ +\S+ +(\S+)$")
_SLOT: Final = regex(r"^ +(\[?)([0-9a-f]{16})\]?(?: +\(cpu \d+ cache\))?$")
_TASK: Final = regex(r'^COMMAND: "(.{0,64})"')
_SYMBOL: Final = regex(
    r"^[0-9a-f]{8,16} \(.\) ([^\s+]+)(?:\+(\d{1,9}))?(?: +(?:\[(\w+)\]|\S+: \d+))?$"
)
_FREE: Final = regex(r"^[0-9a-f]{16} +\([0-9a-f]+ is \d+\w\w of \d+ pages?\)")
_PAGE: Final = regex(r"^[0-9a-f]{16} +[0-9a-f]+ +\S+ +\S+ +(-?\d+) [0-9a-f]+")
_AREA: Final = regex(r"^[0-9a-f]{16} +[0-9a-f]{16} +([0-9a-f]{16}) - [0-9a-f]{16} +(\d{1,12})$")
_NOWHERE: Final = regex(r"not found in mem map|cannot determine page|invalid kernel virtual")
_READ: Final = regex(r"^[0-9a-f]{16}: +([0-9a-f]{16})(?: ([0-9a-f]{16}))?")


def is_memory(result: Result) -> bool:
    """Return whether a result is of such a run."""
    return OPTION in result.command.argv


def is_wanted(case: Case) -> bool:
    """Return whether nothing else has looked: drgn did not run, and crash not for this."""
    own = (result for result in case.done("drgn") if not dump_file.is_look(result))
    ran = any(result.said_anything for result in own)
    return not ran and not any(map(is_memory, case.done("crash")))


def ask(report: Report, image: str, dump: str) -> Command | None:
    """Return the command that looks where the registers of a report point to, or None.

    A NULL pointer points nowhere, and crash takes seconds.
    """
    if report.kind is Kind.NULL_POINTER:
        return None
    addresses = [value for value in _values(report) if _is_kernel(value)][:_MOST]
    if not addresses:
        return None
    lines = (f"eval {a:#x}\nkmem {a:x}\nrd {a & ~7:x} {_WORDS}\n" for a in addresses)
    return Command(
        argv=("crash", "-s", OPTION, image, dump),
        tool="crash",
        timeout=120.0,
        stdin="".join(lines) + "quit\n",
        why="look in the dump where the registers of the fault point to",
    )


def _values(report: Report) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    names = [(n, report.register(n)) for n in report.registers if n not in _NO_DATA]
    fault = report.fault.address_value if report.fault else None
    for name, value in (("fault", fault), *names):
        if value is not None and 0x10000 <= value < 1 << 64:
            found.setdefault(value, []).append(name)
    return found


def _is_kernel(value: int) -> bool:
    return value >> 47 == 0x1FFFF and value < (1 << 64) - 4095


def pointers(output: str, report: Report) -> tuple[PointedMemory, ...]:
    """Return what the values of the report point to, as the output of such a run has it."""
    answers = dict(_answers(output))
    seen, words = [], {}
    for value, names in _values(report).items():
        lines = answers.get(value)
        if lines is None and _is_kernel(value):
            continue
        base = PointedMemory(hex(value), tuple(names), "value")
        seen.append(_place(base, lines) if lines is not None else base)
        words[value] = list(_words(lines or []))
    return tuple(msgspec.structs.replace(p, kept=tuple(_kept(p, seen, words))) for p in seen)


def _answers(output: str) -> Iterator[tuple[int, list[str]]]:
    lines: list[str] = []
    for line in output.split("\n"):
        if match := _ASKED.match(line):
            lines = []
            yield int(match[1], 16), lines
        else:
            lines.append(line.rstrip())


def _words(lines: list[str]) -> Iterator[int]:
    for line in lines:
        if match := _READ.match(line):
            yield from (int(word, 16) for word in match.groups() if word)


def _kept(
    bad: PointedMemory, seen: list[PointedMemory], words: dict[int, list[int]]
) -> Iterator[Holder]:
    """Give the objects that hold a value in the words behind where a register points to."""
    for other in seen:
        if other.kind == "slab" and other.start and bad.value in words[other.value]:
            yield Holder(other.what, other.start)


def _place(base: PointedMemory, lines: list[str]) -> PointedMemory:
    cache = ""
    for line in lines:
        if match := _CACHE.match(line):
            cache = match[1]
        elif cache and (match := _SLOT.match(line)):
            # The slot may begin with a redzone, so that the object's own end is not known.
            return _of(base, "slab", cache, "live" if match[1] else "free", f"0x{match[2]}")
        elif match := _TASK.match(line):
            return _of(base, "stack", match[1])
        elif match := _SYMBOL.match(line):
            kind, what = ("module", match[3]) if match[3] else ("symbol", match[1])
            named = _of(base, kind, what, "live" if match[3] else "")
            offset = int(match[2] or 0)
            return msgspec.structs.replace(named, symbol=match[1], symbol_offset=offset)
        elif _FREE.match(line):
            return _of(base, "page", state="free")
        elif match := _AREA.match(line):
            return _of(base, "vmap", start=f"0x{match[1]}")
        elif match := _PAGE.match(line):
            return _of(base, "page", state="live" if int(match[1]) > 0 else "unknown")
        elif _NOWHERE.search(line):
            return _of(base, "nothing")
    return _of(base, "unknown")


def _of(
    base: PointedMemory, kind: str, what: str = "", state: str = "", start: str | None = None
) -> PointedMemory:
    return msgspec.structs.replace(base, kind=kind, what=what, state=state, start=start, data="")
