"""From the kernel's segfault line to the program's source line, without a core file.

`in FILE[base+size]` names the file with the instruction and its mapping (`mm/memory.c`,
print_vma_addr). The program headers convert that to an address in the file, and gdb finds the line
of the address. So it works for programs and shared libraries wherever the loader mapped them.
"""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.arguments import (
    blocked_on_other_kernel,
    first_path,
    is_absolute,
    reported,
)
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding, remark

_PAGE: Final = 4096
_FILE = regex(r"^file=(/.+)$", re.MULTILINE)
_LOAD = regex(
    r"^\s+LOAD\s+0x(?P<offset>[0-9a-f]{1,16}) 0x(?P<address>[0-9a-f]{1,16}) 0x[0-9a-f]{1,16}"
    r" 0x(?P<size>[0-9a-f]{1,16}) 0x[0-9a-f]{1,16} [R ][W ]E",
    re.MULTILINE,
)
_LINE = regex(r'^Line (\d{1,9}) of "([^"\n]+)"', re.MULTILINE)
_SYMBOL = regex(r"^(\S+)(?: \+ \d+)? in section", re.MULTILINE)


def _plan(case: Case) -> Command | Blocked | None:
    done, report = case.done("program-line"), reported(case)
    if report is None or not _object_name(report) or len(done) > 1:
        return None
    if not done:
        if first_path(case, "given.program"):
            return _headers_command(case, report)
        return blocked_on_other_kernel(case)
    location = _address(done[0], report)
    if location is None:
        return None
    file, address = location
    return Command(
        argv=(
            # The program's folder may have scripts that gdb would run.
            *("gdb", "-batch", "-nx", "-iex", "set auto-load no"),
            *("-ex", f"info symbol {address:#x}", "-ex", f"info line *{address:#x}", file),
        ),
        tool="program-line",
        timeout=60.0,
        why="name the source line of that instruction",
        env=NO_DOWNLOADS,
    )


def _object_name(report: Report) -> str:
    name = report.details.get("object", "")
    return "" if "/" in name or name.startswith("-") else name


def _headers_command(case: Case, report: Report) -> Command:
    headers, program = "tools/scripts/program_headers.sh", first_path(case, "given.program")
    return Command(
        argv=(*shell_argv(headers), program, _object_name(report)),
        tool="program-line",
        why=f"see where {_object_name(report)} counts the instruction that failed",
    )


def _number(report: Report, name: str) -> int | None:
    try:
        return int(report.details.get(name, ""), 16)
    except ValueError:
        return None


def _address(result: Result, report: Report) -> tuple[str, int] | None:
    """Return the file, and the address in it of the faulting instruction, or None."""
    match = _FILE.search(result.output)
    ip, base, size = (_number(report, name) for name in ("ip", "base", "object_size"))
    if not match or not is_absolute(match[1]) or ip is None or base is None or size is None:
        return None
    file_offset = _number(report, "object_offset")
    for load in _LOAD.finditer(result.output):
        offset, address, length = (int(load[n], 16) for n in ("offset", "address", "size"))
        start, end = offset // _PAGE * _PAGE, -(-(offset + length) // _PAGE) * _PAGE
        at = file_offset if file_offset is not None else start + ip - base
        if start <= at < end and size <= end - start:
            return match[1], address + at - offset
    return None


def _read(result: Result, case: Case) -> ToolReading:
    report = reported(case)
    if report is None or result.command.argv[0] == "gdb":
        return _read_line(result)
    name = _object_name(report)
    if not result.ok:
        return remark(f"{name} was not found, so the line cannot be told without a core", result)
    if _address(result, report) is None:
        text = f"{name} on disk is not the file that died: its code is laid out otherwise"
        return remark(text, result)
    return ToolReading()


def _read_line(result: Result) -> ToolReading:
    symbol, line = _SYMBOL.search(result.output), _LINE.search(result.output)
    facts: list[Fact] = []
    if symbol:
        facts.append(fact("user.ip_function", symbol[1], result))
    if line:
        facts.append(fact("user.ip_file", line[2], result))
        facts.append(fact("user.ip_line", int(line[1]), result))
    if not facts:
        text = "The file has no symbols: install its debug package, or build it with -g"
        return remark(text, result)
    where = f" at {line[2]}:{line[1]}" if line else ""
    name = symbol[1] if symbol else "the program"
    text = f"By the kernel's line, the instruction that failed is in {name}{where}"
    return ToolReading(facts=tuple(facts), findings=(finding(text, Mark.BAD, result),))


TOOL: Final = Tool(
    id="program-line",
    purpose="names the source line from the kernel's line alone, without a core",
    programs=("sh", "readelf", "gdb"),
    package={"": "binutils gdb"},
    facts=("user.ip_function", "user.ip_file", "user.ip_line"),
    plan=_plan,
    read=_read,
    by_hand="addr2line -f -i -e FILE ADDRESS, with ADDRESS = ip - base + the segment's address.",
)
