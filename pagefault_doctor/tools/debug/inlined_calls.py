"""The functions that were inlined where it faulted, and the lines that call them.

gdb names the innermost line alone, often of a header. `pfdoctor decode` reads the callers from the
same file: each inlined function, and the line that it was called at (DWARF's `DW_AT_call_line`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pointer import InlinedCall
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.tools.arguments import is_absolute, is_c_name, reported
from pagefault_doctor.tools.debug.gdb_module import Location, find_location
from pagefault_doctor.tools.module.module_name import is_module_name
from pagefault_doctor.tools.tool import Tool, fact, finding, known_programs

ID: Final = "inlined-calls"
_MOST: Final = 16
"""Calls inside each other that are told."""


class _Row(msgspec.Struct, frozen=True):
    """Two fields of what `pfdoctor decode --json` prints for a place (`decode_log.FrameRow`)."""

    function: str
    inlined: tuple[InlinedCall, ...]


def _plan(case: Case) -> Command | None:
    location, file = find_location(case), _file(case)
    has_decoder = "pfdoctor" in (known_programs(case) or ())
    if location is None or not file or case.done(ID) or not has_decoder:
        return None
    if not is_c_name(location.function) or not is_module_name(location.module or "kernel"):
        return None
    of = ("--module-dir", posixpath.dirname(file)) if location.module else ("--vmlinux", file)
    return Command(
        argv=("pfdoctor", "decode", "--json", *of, "-"),
        tool=ID,
        stdin=_line(location, case),
        timeout=120.0,
        why=f"see which functions were inlined at {location.function}+{location.offset:#x}",
    )


def _file(case: Case) -> str:
    """Return the file that gdb found the line in, in this step; empty without one."""
    asked = (result.command.argv for result in case.done("gdb-module"))
    found = (argv[-1] for argv in asked if any(word.startswith("info line ") for word in argv))
    file = next(found, "") if case.has("debug.line") else ""
    return file if is_absolute(file) else ""


def _line(location: Location, case: Case) -> str:
    """Return the place as a log has it: its offset is that of the instruction, so as RIP."""
    report = reported(case)
    frames = report.frames if report else ()
    sizes = [f.size for f in frames if f.function == location.function and f.size]
    if report and report.function == location.function and report.size:
        sizes.insert(0, report.size)
    size = sizes[0] if sizes else location.offset + 1
    module = f" [{location.module}]" if location.module else ""
    return f"RIP: 0010:{location.function}+{location.offset:#x}/{size:#x}{module}\n"


def _read(result: Result, case: Case) -> ToolReading:
    row = _row(result.output)
    if row is None or not row.inlined:
        return ToolReading()
    # Innermost first: a function was inlined into the next one, the last of them into the real one.
    calls = row.inlined[:_MOST]
    into = [*(call.function for call in calls[1:]), row.function]
    findings = tuple(_findings(calls, into, result))
    places = tuple(clean_line(f"{call.function} at {call.file}:{call.line}") for call in calls)
    return ToolReading(facts=(fact("debug.inlined", places, result, 1),), findings=findings)


def _findings(calls: tuple[InlinedCall, ...], into: list[str], result: Result) -> Iterator[Finding]:
    for call, caller in zip(calls, into, strict=True):
        place = f" at {call.file}:{call.line}" if call.file and call.line else ""
        text = clean_line(f"{call.function} was inlined into {caller}, which calls it{place}")
        yield finding(text, Mark.NEUTRAL, result, 1)


def _row(output: str) -> _Row | None:
    first = output.partition("\n")[0]
    try:
        return msgspec.json.decode(first, type=_Row)
    except (msgspec.DecodeError, RecursionError):
        return None


TOOL: Final = Tool(
    id=ID,
    purpose="finds the functions that were inlined at the faulty line, and who calls them",
    facts=("debug.inlined",),
    plan=_plan,
    read=_read,
    by_hand="addr2line -f -i -e vmlinux ADDRESS names each inlined function and its caller's line.",
)
