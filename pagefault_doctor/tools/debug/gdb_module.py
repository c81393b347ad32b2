"""gdb on the module's file: the source line, the instruction and the pointer that faulted.

gdb only reads the file; no process or kernel is touched. A location is written as
`*('function'+0xoffset)`; the quotes allow names such as `f.cold` and `f.isra.0`.

An offset in a report counts from the function's symbol. On some architectures other than x86,
functions begin with space for an ftrace call (-fpatchable-function-entry), and in gcc's debug
information, which gdb uses, a function starts after it. So gdb is asked for that distance first.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.arguments import (
    first_path,
    is_absolute,
    is_c_name,
    may_have_module_file,
    reported,
)
from pagefault_doctor.tools.dump import vmlinux
from pagefault_doctor.tools.module.module_name import file_pattern, is_module_name
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding

_RELOCATED_OPCODES: Final = frozenset(
    {"e8", "e9", "a0", "a1", "a2", "a3", *(f"b{n:x}" for n in range(8, 16))}
)
"""One-byte opcodes whose next byte may belong to an address that is relocated at load time."""

_UNLOCKED: Final = ("f0", "3e")
"""The lock prefix in the file, and what a kernel on one processor makes of it
(`arch/x86/kernel/alternative.c`, alternatives_smp_unlock)."""

_UNPACK: Final = {".xz": "xz -dk", ".zst": "zstd -dk", ".gz": "gzip -dk"}

_LINE = regex(r'^Line (\d{1,9}) of "(.+?)" starts at address')
_LINE_AT_ADDRESS = regex(r'^Line (\d{1,9}) of "(.+?)" is at address')
_INSTRUCTION = regex(r"^(?:=> |   )0x[0-9a-f]+(?: <[^>]*>)?:\s+(\S.*)$")
_BYTES = regex(r"^0x[0-9a-f]+(?: <[^>]*>)?:\t0x([0-9a-f]{2})\t0x([0-9a-f]{2})$", re.MULTILINE)
_CODE_BYTES = regex(r"<([0-9a-f]{2})>(?: ([0-9a-f]{2}))?")
_SOURCE = regex(r"^(\d+)\t(.*)$")
_BASE = regex(r"\(%([a-z][a-z0-9]*)[,)]|\[(x\d{1,2}|sp)[,\]]")
_SLAB_TRACK = regex(r"(?P<function>\S+)\+0x(?P<offset>[0-9a-f]{1,8})/0x\S+ \[(?P<module>[\w-]+)\]")
_START = regex(r"^(\S+)(?: \+ (\d{1,4}))? in section (\S+)$", re.MULTILINE)
_NO_LINES = regex(r"No line number information|No symbol table is loaded")
_NO_SYMBOL = regex(r'^No symbol "(.*)" in current context', re.MULTILINE)
_NO_FILE = regex(r": No such file or directory|not in executable format|: Permission denied")


_ROLE_TEXTS: Final = {
    "fault": "It faulted at",
    "call": "The kernel faulted when it was called at",
    "freed": "The damaged object was freed at",
    "allocated": "The damaged object was allocated at",
}
"""How a location is related to the fault, and the start of its sentence."""


class Location(msgspec.Struct, frozen=True):
    """A location in the code of a module or the kernel.

    `role` is its relation to the fault (see _ROLE_TEXTS). All but `fault` are calls, for which the
    report has the return address.
    """

    function: str
    offset: int
    module: str | None
    role: str = "fault"

    @property
    def is_call(self) -> bool:
        """Whether it is a call that led to the fault, not the faulting instruction."""
        return self.role != "fault"


def find_location(case: Case) -> Location | None:
    """Return the faulting instruction, or the suspect's call if the kernel faulted inside it.

    Without the suspect's file it is the kernel's own instruction.
    """
    report = reported(case)
    if report is None or not report.function or report.offset is None or report.offset < 0:
        return None
    if report.module is None and case.suspect and may_have_module_file(case):
        module_frames = (f for f in report.frames if f.reliable and f.module == case.suspect)
        if (frame := next(module_frames, None)) and frame.function and frame.offset:
            # The frame has the return address; the call ends just before it.
            return Location(frame.function, frame.offset - 1, frame.module, "call")
        if object_location := _object_location(report, case.suspect):
            return object_location
    role = "call" if report.is_call else "fault"
    return Location(report.function, report.offset - report.is_call, report.module, role)


def _object_location(report: Report, suspect: str) -> Location | None:
    """Return where the suspect freed the object, or else allocated it (`mm/slub.c`, print_track).

    A slab check detects damage during an unrelated call, so the object's own history helps more.
    """
    for role in ("freed", "allocated"):
        found = _SLAB_TRACK.fullmatch(report.details.get(f"{role}_in", ""))
        if found and found["module"] == suspect:
            offset = int(found["offset"], 16) - 1
            return Location(found["function"], max(offset, 0), suspect, role)
    return None


def _plan(case: Case) -> Command | Blocked | None:
    location = find_location(case)
    if location is None:
        return None
    if not is_c_name(location.function):
        return Blocked(
            f"{location.function!r} is not the name of a function", "look at the log by hand"
        )
    done = case.done("gdb-module")
    asked = [result for result in done if result.command.argv[0] == "gdb"]
    starts = [result for result in asked if _is_start(result)]
    if len(asked) > len(starts):
        return None
    module = location.module
    file = _kernel_file(case, done) if module is None else _module_file(case, done, module)
    if not isinstance(file, str):
        return file
    if not starts and not _on_x86(case):
        return _start_command(file, location)
    distance = _start_distance(starts[0].output, location.function) if starts else 0
    return _line_command(file, location, distance)


def _on_x86(case: Case) -> bool:
    report = reported(case)
    return report is None or report.arch is None or report.arch.startswith("x86")


def _kernel_file(case: Case, done: tuple[Result, ...]) -> str | Command | Blocked:
    if path := vmlinux.known_path(case):
        return path
    lookup = None if done else vmlinux.lookup(case, "gdb-module")
    return lookup or vmlinux.missing(case)


def _module_file(
    case: Case, done: tuple[Result, ...], module: str
) -> str | Command | Blocked | None:
    if not is_module_name(module):
        return Blocked(f"{module!r} is not the name of a module", "look at the log by hand")
    folder = first_path(case, "given.module_dir")
    if folder and not done:
        return _find_command(folder, module)
    files = [line for result in done for line in result.output.splitlines() if is_absolute(line)]
    path = min(files, key=lambda file: (not file.endswith(".ko"), len(file)), default="")
    path = path or first_path(case, "debug.module_file", "module.path")
    if not path and case.get("lab.faults", 0) and case.get("debug.line", 0):
        return None  # gdb stopped there in the lab.
    if not path:
        remedy = f"name the folder that holds {module}.ko: --module-dir DIR"
        return Blocked(f"the file of module {module} is not known", remedy)
    suffix = "." + path.rpartition(".")[2]
    if suffix in _UNPACK:
        remedy = f"copy it somewhere, {_UNPACK[suffix]} COPY, then --module-dir DIR"
        return Blocked(f"{path} is compressed, and gdb cannot read it", remedy)
    return path


def _find_command(folder: str, module: str) -> Command:
    return Command(
        argv=("find", folder, "-maxdepth", "4", "-type", "f", "-name", file_pattern(module)),
        tool="gdb-module",
        why=f"look for the file of {module}",
    )


def _start_command(file: str, location: Location) -> Command:
    return Command(
        argv=("gdb", "-batch", "-nx", "-ex", f"info symbol '{location.function}'", file),
        tool="gdb-module",
        timeout=120.0,
        why=f"find how far from its symbol gdb lets {location.function} start",
        env=NO_DOWNLOADS,
    )


def _is_start(result: Result) -> bool:
    return any(word.startswith("info symbol ") for word in result.command.argv)


def _start_distance(output: str, function: str) -> int:
    """Return how many bytes after its symbol a function starts for gdb.

    gdb prints a symbol for every section, since all start at 0. An init or exit function has a
    second name.
    """
    found = {match[1]: int(match[2] or 0) for match in _START.finditer(output)}
    names = (function, "init_module", "cleanup_module")
    return next((found[name] for name in names if name in found), 0)


def _line_command(file: str, location: Location, distance: int) -> Command:
    target = f"*('{location.function}'{location.offset - distance:+#x})"
    # A call's location is one byte before the return address, not the start of an instruction.
    instruction = () if location.is_call else (f"x/i {target[1:]}", f"x/2xb {target[1:]}")
    argv = ["gdb", "-batch", "-nx"]
    for gdb_command in (f"info line {target}", *instruction, f"list {target}"):
        argv += ["-ex", gdb_command]
    what = "the line that called the kernel" if location.is_call else "the line and the instruction"
    return Command(
        argv=(*argv, file),
        tool="gdb-module",
        timeout=120.0,
        why=f"find {what} at {location.function}+{location.offset:#x}",
        env=NO_DOWNLOADS,
    )


def _read(result: Result, case: Case) -> ToolReading:
    if vmlinux.is_lookup(result):
        return ToolReading(facts=vmlinux.lookup_facts(result))
    if result.command.argv[0] != "gdb" or _is_start(result):
        return ToolReading()
    if _is_another_build(result, case):
        text = (
            "The instruction there in the file is not the one that ran: it is not the build "
            "that faulted, so its lines would mislead"
        )
        return ToolReading(findings=(finding(text, Mark.BAD, result),))
    facts: list[Fact] = []
    findings: list[Finding] = []
    for number, line in enumerate(result.output.split("\n"), 1):
        if match := _LINE.match(line) or _LINE_AT_ADDRESS.match(line):
            facts += _line_facts(match, number, result, case)
        elif match := _INSTRUCTION.match(line):
            more_facts, instruction_finding = _instruction(match[1], number, result, case)
            facts += more_facts
            findings.append(instruction_finding)
    findings += _line_finding(facts, result, case) or _no_line_finding(result)
    return ToolReading(facts=tuple({f.name: f for f in facts}.values()), findings=tuple(findings))


def _is_another_build(result: Result, case: Case) -> bool:
    """Return whether the opcode differs from the report's `Code:` line (x86 only)."""
    report = reported(case)
    ran = _CODE_BYTES.search(report.code) if report and report.code else None
    in_file = _BYTES.search(result.output)
    if ran is None or in_file is None:
        return False
    if (in_file[1], ran[1]) == _UNLOCKED:
        return ran[2] not in (None, in_file[2])
    if ran[1] in _RELOCATED_OPCODES or ran[2] is None:
        return ran[1] != in_file[1]
    return ran.groups() != in_file.groups()


def _line_facts(
    match: re.Match[str], number: int, result: Result, case: Case
) -> tuple[Fact, Fact, Fact]:
    location = find_location(case)
    return (
        fact("debug.role", location.role if location else "fault", result, number),
        fact("debug.file", match[2], result, number),
        fact("debug.line", int(match[1]), result, number),
    )


def _instruction(
    text: str, number: int, result: Result, case: Case
) -> tuple[tuple[Fact, ...], Finding]:
    text = " ".join(text.split())
    facts: tuple[Fact, ...] = (fact("debug.instruction", text, result, number),)
    base = _BASE.search(text)
    if base is None:
        return facts, finding(f"Faulting instruction: {text}", Mark.NEUTRAL, result, number)
    pointer = base[1] or base[2]
    report = reported(case)
    value = report.register(pointer) if report else None
    held = "" if value is None else f", which held {value:#x}"
    known = report.pointer if report else None
    # Known already if the module's file was given together with the log (see `symbols`).
    named = f" {known.name}" if known and known.name and known.register == pointer else ""
    summary = f"Faulting instruction: {text}; the bad pointer{named} was in {pointer}{held}"
    facts += (fact("debug.pointer", pointer, result, number),)
    return facts, finding(summary, Mark.NEUTRAL, result, number)


def _line_finding(facts: list[Fact], result: Result, case: Case) -> list[Finding]:
    """Return the finding for the line, with its text from gdb's `list`."""
    known = {f.name: f for f in facts}
    if "debug.line" not in known:
        return []
    line, file = known["debug.line"], known["debug.file"].value
    matches = (_SOURCE.match(row) for row in result.output.split("\n"))
    source = next((m[2].strip() for m in matches if m and m[1] == str(line.value)), "")
    text = f"{_ROLE_TEXTS[str(known['debug.role'].value)]} {file}:{line.value}"
    text += f": {source}" if source else ""
    return [finding(text, Mark.BAD, result, line.source.line), *_caller_finding(result, case)]


def _caller_finding(result: Result, case: Case) -> list[Finding]:
    """Return how to find the suspect's own line, where only the kernel's could be looked up."""
    report = reported(case)
    if not case.suspect or may_have_module_file(case) or (report and report.module):
        return []
    text = (
        f"It is the kernel's own line; which call of {case.suspect} led there is found in its file"
    )
    return [finding(f"{text}: --module-dir DIR", Mark.NEUTRAL, result)]


def _no_line_finding(result: Result) -> list[Finding]:
    output = result.output + "\n" + result.errors
    if _NO_FILE.search(result.errors):
        text = "gdb could not read the file: check the path and its permissions"
    elif match := _NO_SYMBOL.search(output):
        text = f"The file has no function {match[1]}: is it the build that faulted?"
    elif _NO_LINES.search(output):
        text = (
            "The file has no debug information: build the module with -g "
            "(make KCFLAGS=-g) or install the kernel's debug package"
        )
    else:
        text = "gdb did not find the line"
    return [finding(text, Mark.NEUTRAL, result)]


TOOL: Final = Tool(
    id="gdb-module",
    purpose="finds the source line and the instruction that faulted",
    programs=("gdb",),
    package={"": "gdb"},
    facts=(
        *("debug.role", "debug.file", "debug.line", "debug.instruction", "debug.pointer"),
        "dump.vmlinux",
    ),
    plan=_plan,
    read=_read,
    by_hand="objdump -dlS MODULE.ko | less, then search for the function and add the offset.",
)
