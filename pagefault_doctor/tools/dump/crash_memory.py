"""What the registers of a fault point to, from crash if drgn is missing.

Output of `kmem` and `rd` as of crash 8 (`memory.c`). An `eval` before each address separates the
answers. `kmem` does not print who allocated and freed an object.
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
"""No effect without a terminal; it marks this run, because only argv of a result is kept."""

_MAX_ADDRESSES: Final = 16
_WORDS_READ: Final = 8
_NO_POINTERS: Final = ("eflags", "cr0", "cr2", "cr3", "cr4", "cs", "ss", "ds", "es", "fs", "gs")

_EVAL: Final = regex(r"^hexadecimal: ([0-9a-f]{1,16})\b")
_CACHE: Final = regex(r"^[0-9a-f]{8,16} +\d+ +\d+ +\d+ +\d+ +\S+ +(\S+)$")
_SLOT: Final = regex(r"^ +(\[?)([0-9a-f]{16})\]?(?: +\(cpu \d+ cache\))?$")
_TASK: Final = regex(r'^COMMAND: "(.{0,64})"')
_SYMBOL: Final = regex(
    r"^[0-9a-f]{8,16} \(.\) ([^\s+]+)(?:\+(\d{1,9}))?(?: +(?:\[(\w+)\]|\S+: \d+))?$"
)
_FREE: Final = regex(r"^[0-9a-f]{16} +\([0-9a-f]+ is \d+\w\w of \d+ pages?\)")
_PAGE: Final = regex(r"^[0-9a-f]{16} +[0-9a-f]+ +\S+ +\S+ +(-?\d+) [0-9a-f]+")
_AREA: Final = regex(r"^[0-9a-f]{16} +[0-9a-f]{16} +([0-9a-f]{16}) - [0-9a-f]{16} +(\d{1,12})$")
_NOT_MAPPED: Final = regex(r"not found in mem map|cannot determine page|invalid kernel virtual")
_RD: Final = regex(r"^[0-9a-f]{16}: +([0-9a-f]{16})(?: ([0-9a-f]{16}))?")


def is_memory_result(result: Result) -> bool:
    """Return whether a result is from the command of this file."""
    return OPTION in result.command.argv


def is_wanted(case: Case) -> bool:
    """Return whether drgn did not run, and crash did not run for this yet."""
    ran = any(result.said_anything for result in dump_file.own_results(case, "drgn"))
    return not ran and not any(map(is_memory_result, case.done("crash")))


def memory_command(report: Report, image: str, dump: str) -> Command | None:
    """Return the command that shows what the registers of a report point to, or None.

    None for a NULL pointer, which points to nothing: crash takes seconds.
    """
    if report.kind is Kind.NULL_POINTER:
        return None
    addresses = [value for value in _values(report) if _is_kernel(value)][:_MAX_ADDRESSES]
    if not addresses:
        return None
    lines = (f"eval {a:#x}\nkmem {a:x}\nrd {a & ~7:x} {_WORDS_READ}\n" for a in addresses)
    return Command(
        argv=("crash", "-s", OPTION, image, dump),
        tool="crash",
        timeout=120.0,
        stdin="".join(lines) + "quit\n",
        why="look in the dump where the registers of the fault point to",
    )


def _values(report: Report) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    names = [(n, report.register(n)) for n in report.registers if n not in _NO_POINTERS]
    fault = report.fault.address_value if report.fault else None
    for name, value in (("fault", fault), *names):
        if value is not None and 0x10000 <= value < 1 << 64:
            found.setdefault(value, []).append(name)
    return found


def _is_kernel(value: int) -> bool:
    return value >> 47 == 0x1FFFF and value < (1 << 64) - 4095


def parse_pointers(output: str, report: Report) -> tuple[PointedMemory, ...]:
    """Return what the values in the report point to, from the output of the command."""
    answers = dict(_answers(output))
    pointers, words = [], {}
    for value, names in _values(report).items():
        lines = answers.get(value)
        if lines is None and _is_kernel(value):
            continue
        base = PointedMemory(hex(value), tuple(names), "value")
        pointers.append(_classify(base, lines) if lines is not None else base)
        words[value] = list(_words(lines or []))
    return tuple(
        msgspec.structs.replace(p, kept=tuple(_holders(p, pointers, words))) for p in pointers
    )


def _answers(output: str) -> Iterator[tuple[int, list[str]]]:
    lines: list[str] = []
    for line in output.split("\n"):
        if match := _EVAL.match(line):
            lines = []
            yield int(match[1], 16), lines
        else:
            lines.append(line.rstrip())


def _words(lines: list[str]) -> Iterator[int]:
    for line in lines:
        if match := _RD.match(line):
            yield from (int(word, 16) for word in match.groups() if word)


def _holders(
    bad: PointedMemory, pointers: list[PointedMemory], words: dict[int, list[int]]
) -> Iterator[Holder]:
    """Yield the objects that contain a value in the words that a register points to."""
    for other in pointers:
        if other.kind == "slab" and other.start and bad.value in words[other.value]:
            yield Holder(other.what, other.start)


def _classify(base: PointedMemory, lines: list[str]) -> PointedMemory:
    cache = ""
    for line in lines:
        if match := _CACHE.match(line):
            cache = match[1]
        elif cache and (match := _SLOT.match(line)):
            # The slot may begin with a redzone, so the end of the object is unknown.
            return _with_kind(base, "slab", cache, "live" if match[1] else "free", f"0x{match[2]}")
        elif match := _TASK.match(line):
            return _with_kind(base, "stack", match[1])
        elif match := _SYMBOL.match(line):
            kind, what = ("module", match[3]) if match[3] else ("symbol", match[1])
            named = _with_kind(base, kind, what, "live" if match[3] else "")
            offset = int(match[2] or 0)
            return msgspec.structs.replace(named, symbol=match[1], symbol_offset=offset)
        elif _FREE.match(line):
            return _with_kind(base, "page", state="free")
        elif match := _AREA.match(line):
            return _with_kind(base, "vmap", start=f"0x{match[1]}")
        elif match := _PAGE.match(line):
            return _with_kind(base, "page", state="live" if int(match[1]) > 0 else "unknown")
        elif _NOT_MAPPED.search(line):
            return _with_kind(base, "nothing")
    return _with_kind(base, "unknown")


def _with_kind(
    base: PointedMemory, kind: str, what: str = "", state: str = "", start: str | None = None
) -> PointedMemory:
    return msgspec.structs.replace(base, kind=kind, what=what, state=state, start=start, data="")
