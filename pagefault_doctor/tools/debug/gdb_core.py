"""gdb on a program's core file: where it crashed, and at which address.

Without a core file, coredumpctl (systemd) is asked for the process.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import blocked_on_other_kernel, first_path, reported
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding, known_programs

NO_CORE: Final = Blocked(
    "there is no core of the program that died",
    "ulimit -c unlimited (or install systemd-coredump), let it die again, "
    "then name both: --program FILE --core FILE",
)

_GDB_COMMANDS: Final = (
    *("-ex", "bt -full 32", "-ex", "x/i $pc"),
    *("-ex", "p $_siginfo._sifields._sigfault.si_addr", "-ex", "info registers"),
)

_MAX_LINE_CHARS: Final = 1000
"""Characters of a line that are parsed; a frame with its arguments is shorter."""

_SIGNAL = regex(r"^Program terminated with signal (SIG[A-Z0-9]+)", re.MULTILINE)
_COREDUMPCTL_SIGNAL = regex(r"^[ \t]*Signal: \d+ \(([A-Z0-9]+)\)", re.MULTILINE)
_FRAME = regex(r"^#(\d+)\s+(?:0x[0-9a-f]+ in )?([^\s(]+) \(.*?\)(?: at (\S+):(\d{1,9}))?$")
_VARIABLE = regex(r"^        (\w{1,64}) = (?:\([^()\n]{1,80}\) )?(0x[0-9a-f]+)\b", re.MULTILINE)
_ARGUMENT = regex(r"\b(\w{1,64})=(?:\([^()\n]{1,80}\) )?(0x[0-9a-f]+)\b")
_BASE = regex(r"\(%(\w{2,4})(?:,[^)]*)?\)|\[(x\d{1,2}|sp)\b")
_REGISTER = regex(r"^(\w{2,8}) +(0x[0-9a-f]+)\b", re.MULTILINE)
_MAX_FRAMES: Final = 8
"""Frames of libraries without debug information that may precede the program's first frame."""
_COREDUMPCTL_FRAME = regex(r"^\s*#(\d+)\s+0x[0-9a-f]+ (\S+) \((\S+) \+ 0x[0-9a-f]+\)")
_ADDRESS = regex(r"^\$1 = \(void \*\) (0x[0-9a-f]+)", re.MULTILINE)
_INSTRUCTION = regex(r"^=> 0x[0-9a-f]+[^:\n]*:[ \t]+(\S.*)$", re.MULTILINE)


def _plan(case: Case) -> Command | Blocked | None:
    if case.done("gdb-core"):
        return None if case.done("gdb-core")[-1].said_anything else NO_CORE
    core, program = first_path(case, "given.core", "core.path"), first_path(case, "given.program")
    if core:
        files = (program, core) if program else ("-c", core)
        return Command(
            # Without auto-load: the program's folder may have scripts that gdb would run.
            argv=("gdb", "-batch", "-nx", "-iex", "set auto-load no", *_GDB_COMMANDS, *files),
            tool="gdb-core",
            timeout=60.0,
            why="read from the core where the program died",
            env=NO_DOWNLOADS,
        )
    return _coredumpctl(case) or NO_CORE


def _coredumpctl(case: Case) -> Command | None:
    """Return the command that asks systemd for the process in the log, or None."""
    report = reported(case)
    if "coredumpctl" not in (known_programs(case) or ()) or blocked_on_other_kernel(case):
        return None
    if report is None or report.pid is None or report.pid <= 0:
        return None
    return Command(
        argv=("coredumpctl", "info", "--no-pager", str(report.pid)),
        tool="gdb-core",
        why="ask systemd what it kept of the process that died",
    )


def _read(result: Result, case: Case) -> ToolReading:
    by_gdb = result.command.argv[0] == "gdb"
    facts: list[Fact] = []
    findings: list[Finding] = []
    signal = (_SIGNAL if by_gdb else _COREDUMPCTL_SIGNAL).search(result.output)
    if signal:
        name = signal[1] if by_gdb else f"SIG{signal[1]}"
        facts.append(fact("user.signal", name, result))
    frames = _frames(result, by_gdb)
    if frames:
        number, own = next(((n, f) for n, f in frames if by_gdb and f[3]), frames[0])
        facts += _frame_facts(own, number, result, by_gdb)
        findings.append(_frame_finding(own, number, result, by_gdb))
        if own is not frames[0][1]:
            text = f"The bad access is in {frames[0][1][2]}, which was handed what it used"
            findings.append(finding(text, Mark.NEUTRAL, result, frames[0][0]))
        if by_gdb and (variable := _variable(result, own)):
            facts.append(fact("user.pointer", variable[0], result))
            value = f"{variable[1]:#x}" if variable[1] else "NULL"
            text = f"The pointer is {variable[0]}, which was {value}"
            findings.append(finding(text, Mark.BAD, result))
    findings += _instruction_finding(result)
    if not facts:
        text = "Nothing could be read from the core"
        findings.append(finding(text, Mark.NEUTRAL, result))
    return ToolReading(facts=tuple(facts), findings=tuple(findings))


def _frames(result: Result, by_gdb: bool) -> list[tuple[int, re.Match[str]]]:
    """Return the topmost frames that have a name, each with its line number in the output."""
    pattern = _FRAME if by_gdb else _COREDUMPCTL_FRAME
    lines = enumerate(result.output.split("\n"), 1)
    found = ((number, pattern.match(line[:_MAX_LINE_CHARS])) for number, line in lines)
    named = ((n, m) for n, m in found if m and m[2] not in ("??", "n/a", "raise", "abort"))
    return list(islice(named, _MAX_FRAMES))


def _variable(result: Result, frame: re.Match[str]) -> tuple[str, int] | None:
    """Return the variable that held the pointer of the faulting access, with its value."""
    instruction = _INSTRUCTION.search(result.output)
    base = _BASE.search(instruction[1]) if instruction else None
    registers = {m[1]: int(m[2], 16) for m in _REGISTER.finditer(result.output)}
    address = _ADDRESS.search(result.output)
    value = registers.get((base[1] or base[2]) if base else "")
    values = {v for v in (value, int(address[1], 16) if address else None) if v is not None}
    start = result.output.rfind(frame[0])
    end = result.output.find("\n#", start + 1)
    frame_text = result.output[start : end if end >= 0 else None]
    pairs = [*_ARGUMENT.findall(frame[0]), *_VARIABLE.findall(frame_text)]
    variables = {name: int(text, 16) for name, text in pairs}
    return next(((name, number) for name, number in variables.items() if number in values), None)


def _frame_facts(match: re.Match[str], number: int, result: Result, by_gdb: bool) -> list[Fact]:
    facts = [fact("user.core_function", match[2], result, number)]
    if by_gdb and match[3]:
        facts.append(fact("user.core_file", match[3], result, number))
        facts.append(fact("user.core_line", int(match[4]), result, number))
    return facts


def _frame_finding(match: re.Match[str], number: int, result: Result, by_gdb: bool) -> Finding:
    line = f":{match[4]}" if by_gdb else ""
    place = f" at {match[3]}{line}" if match[3] else ""
    return finding(f"The program died in {match[2]}{place}", Mark.BAD, result, number)


def _instruction_finding(result: Result) -> list[Finding]:
    """Return the finding for the faulting instruction and its address, if known."""
    instruction, address = _INSTRUCTION.search(result.output), _ADDRESS.search(result.output)
    if not instruction:
        return []
    text = f"Faulting instruction: {' '.join(instruction[1].split())}"
    if address:
        text += f", at address {address[1]}"
    return [finding(text, Mark.NEUTRAL, result)]


TOOL: Final = Tool(
    id="gdb-core",
    purpose="finds where a program died from its core",
    programs=("gdb",),
    package={"": "gdb"},
    facts=(
        *("user.core_function", "user.core_file", "user.core_line"),
        *("user.pointer", "user.signal"),
    ),
    plan=_plan,
    read=_read,
    by_hand="gdb PROGRAM CORE, then: bt.",
)
