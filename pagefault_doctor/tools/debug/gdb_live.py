"""A live session: the module faults in the lab's virtual machine, and gdb stops it just before.

Both commands run pfdoctor's own lab: the first stops at the line and prints what is there, the
second gives the terminal to gdb at that point. This machine itself is not touched.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result, Risk
from pagefault_doctor.model.fact import Fact, Finding, Mark, Value
from pagefault_doctor.tools.arguments import first_path
from pagefault_doctor.tools.tool import Tool, fact, finding, known_programs, remark

_PROGRAMS: Final = ("pfdoctor", "gdb", "qemu-system-x86_64")


class GdbStop(msgspec.Struct, frozen=True):
    """What gdb printed at the last stop at the place before the fault.

    `pointer` is the register that the instruction dereferences, `value` its content, `holders` the
    variables with that value. `reachable` is whether there is memory at `address`.
    """

    function: str = ""
    file: str = ""
    line: int = 0
    source: str = ""
    instruction: str = ""
    variables: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    pointer: str = ""
    value: int = 0
    address: int = 0
    holders: tuple[str, ...] = ()
    reachable: bool | None = None

    @property
    def place(self) -> str:
        """File name, without folders, and line."""
        return f"{self.file.rpartition('/')[2]}:{self.line}"


def stop_from(decoded: Any) -> GdbStop | None:
    """Return a stop from decoded JSON, with harmless text; None if it is none."""
    if not isinstance(decoded, dict):
        return None
    try:
        return msgspec.convert(_clean(decoded), GdbStop)
    except msgspec.ValidationError:
        return None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return untrusted.clean_line(value)
    if isinstance(value, list):
        return [_clean(entry) for entry in value]
    return {k: _clean(v) for k, v in value.items()} if isinstance(value, dict) else value


def facts_of(stop: GdbStop) -> dict[str, Value]:
    """Return the facts in a stop, by their names."""
    named: dict[str, Value] = {
        "debug.file": stop.file,
        "debug.line": stop.line,
        "debug.instruction": stop.instruction,
        "debug.pointer": stop.holders[0] if stop.holders else stop.pointer,
    }
    return {name: value for name, value in named.items() if value}


def stop_sentences(stop: GdbStop) -> tuple[tuple[str, Mark], ...]:
    """Return the text of each finding in a stop, with its mark."""
    where = f"{stop.place}: {stop.source}" if stop.line else stop.function
    lines = [(f"gdb stopped at {where.rstrip(': ')}", Mark.BAD)]
    if stop.pointer:
        holder = f"{', '.join(stop.holders)}, in {stop.pointer}," if stop.holders else stop.pointer
        memory = "there is no memory at" if stop.reachable is False else "it reaches for"
        text = f"{stop.instruction}: {holder} is {stop.value:#x}; {memory} {stop.address:#x}"
        lines.append((text, Mark.BAD if stop.reachable is False else Mark.NEUTRAL))
    elif stop.instruction:
        lines.append((f"About to run: {stop.instruction}", Mark.NEUTRAL))
    if stop.variables:
        lines.append((f"In scope: {'; '.join(stop.variables)}", Mark.NEUTRAL))
    if len(stop.frames) > 1:
        lines.append((f"Called by: {' < '.join(stop.frames[1:])}", Mark.NEUTRAL))
    return tuple(lines)


def _plan(case: Case) -> Command | None:
    options = _lab_options(case)
    if options is None or not {*_PROGRAMS} <= {*(known_programs(case) or ())}:
        return None
    done = len(case.done("gdb-live"))
    if done == 0:
        return Command(
            argv=("pfdoctor", "lab", "run", "--gdb", "--json", *options),
            tool="gdb-live",
            risk=Risk.LOAD,
            timeout=300.0,
            why="let the module fault in a virtual machine, and stop it at the line with gdb",
        )
    if done == 1 and case.done("gdb-live")[0].ok and case.has("debug.line"):
        return Command(
            argv=("pfdoctor", "lab", "debug", *options),
            tool="gdb-live",
            risk=Risk.LOAD,
            interactive=True,
            why="look around yourself: gdb gets this terminal, stopped at that line",
        )
    return None


def _lab_options(case: Case) -> tuple[str, ...] | None:
    """Return the module to run and its trigger, as options of `pfdoctor lab`, or None."""
    trigger = case.get("given.trigger", "").splitlines()
    more = [word for line in trigger if line.strip() for word in ("--trigger", line)]
    if source := first_path(case, "given.source_dir"):
        return ("--source", source, *more)
    if (file := first_path(case, "module.path")) and case.get("module.out_of_tree", False):
        return ("--module", file, *more)
    return None


def _read(result: Result, case: Case) -> ToolReading:
    if "debug" in result.command.argv[:3] or not result.said_anything:
        return ToolReading()
    try:
        lab = msgspec.json.decode(result.output)["lab"]
        stop = stop_from(lab["gdb"])
    except (msgspec.DecodeError, RecursionError, TypeError, LookupError):
        stop = None
    if stop is None:
        return remark("The lab did not get to the line: see its output", result)
    facts: tuple[Fact, ...] = tuple(fact(n, v, result) for n, v in facts_of(stop).items())
    findings: tuple[Finding, ...] = tuple(
        finding(t, mark, result) for t, mark in stop_sentences(stop)
    )
    return ToolReading(facts=facts, findings=findings)


TOOL: Final = Tool(
    id="gdb-live",
    purpose="stops the module at the faulting line in a virtual machine and shows the pointer",
    programs=_PROGRAMS,
    package={"": "pagefault-doctor gdb qemu-system-x86"},
    risk=Risk.LOAD,
    facts=("debug.file", "debug.line", "debug.instruction", "debug.pointer"),
    plan=_plan,
    read=_read,
    by_hand="pfdoctor lab debug --source DIR: gdb, stopped where the module faults.",
)
