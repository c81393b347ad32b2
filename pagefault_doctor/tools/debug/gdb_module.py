"""gdb on the module's file: which line, which instruction, which pointer.

No process and no kernel is touched: gdb reads the file only. A place is asked for as
`*('function'+0xoffset)`; the quotes let names such as `f.cold` and `f.isra.0` through.

An offset in a report counts from the function's symbol. Elsewhere than on x86 the kernel lets
functions begin with room for a call by ftrace (-fpatchable-function-entry), and gcc's debug
information, which gdb goes by, starts a function after it. So how far is asked for first.
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
from pagefault_doctor.tools.arguments import first_path, is_absolute, is_c_name, reported
from pagefault_doctor.tools.dump import vmlinux
from pagefault_doctor.tools.module.module_name import is_module_name
from pagefault_doctor.tools.tool import Tool, fact, finding

_RELOCATED: Final = frozenset(
    {"e8", "e9", "a0", "a1", "a2", "a3", *(f"b{n:x}" for n in range(8, 16))}
)
"""Opcodes of one byte whose next byte may be an address, which is filled in at load time."""

_UNPACK: Final = {".xz": "xz -dk", ".zst": "zstd -dk", ".gz": "gzip -dk"}

_LINE = regex(r'^Line (\d{1,9}) of "(.+?)" starts at address')
_PLACED = regex(r'^Line (\d{1,9}) of "(.+?)" is at address')
_INSTRUCTION = regex(r"^(?:=> |   )0x[0-9a-f]+(?: <[^>]*>)?:\s+(\S.*)$")
_BYTES = regex(r"^0x[0-9a-f]+(?: <[^>]*>)?:\t0x([0-9a-f]{2})\t0x([0-9a-f]{2})$", re.MULTILINE)
_RAN = regex(r"<([0-9a-f]{2})>(?: ([0-9a-f]{2}))?")
_SOURCE = regex(r"^(\d+)\t(.*)$")
_BASE = regex(r"\(%([a-z][a-z0-9]*)[,)]|\[(x\d{1,2}|sp)[,\]]")
_TRACK = regex(r"(?P<function>\S+)\+0x(?P<offset>[0-9a-f]{1,8})/0x\S+ \[(?P<module>[\w-]+)\]")
_START = regex(r"^(\S+)(?: \+ (\d{1,4}))? in section (\S+)$", re.MULTILINE)
_NO_LINES = regex(r"No line number information|No symbol table is loaded")
_NO_SYMBOL = regex(r'^No symbol "(.*)" in current context', re.MULTILINE)
_NO_FILE = regex(r": No such file or directory|not in executable format|: Permission denied")


_ROLES: Final = {
    "fault": "It faulted at",
    "call": "The kernel faulted when it was called at",
    "freed": "The damaged object was freed at",
    "allocated": "The damaged object was allocated at",
}
"""What a place is to the fault, and the sentence that tells it."""


class _Spot(msgspec.Struct, frozen=True):
    """A place in the code of a module, or of the kernel.

    `role` is what it is to the fault. All but the fault itself are calls, of which the report has
    the address to return to.
    """

    function: str
    offset: int
    module: str | None
    role: str = "fault"

    @property
    def called(self) -> bool:
        """Whether it is a call on the way to where the kernel found the fault."""
        return self.role != "fault"


def _spot(case: Case) -> _Spot | None:
    """Return the faulting instruction, or the suspect's own call where the kernel faulted in it."""
    report = reported(case)
    if report is None or not report.function or report.offset is None or report.offset < 0:
        return None
    if report.module is None and case.suspect:
        own = (f for f in report.frames if f.reliable and f.module == case.suspect)
        if (frame := next(own, None)) and frame.function and frame.offset:
            # The frame holds the address to return to; the call ends just before it.
            return _Spot(frame.function, frame.offset - 1, frame.module, "call")
        if of_object := _of_object(report, case.suspect):
            return of_object
    role = "call" if report.is_call else "fault"
    return _Spot(report.function, report.offset - report.is_call, report.module, role)


def _of_object(report: Report, suspect: str) -> _Spot | None:
    """Return where the suspect freed the object, or else allocated it (`mm/slub.c`, print_track).

    Of the slab checks that is the place to look at: they find damage where somebody else calls.
    """
    for role in ("freed", "allocated"):
        found = _TRACK.fullmatch(report.details.get(f"{role}_in", ""))
        if found and found["module"] == suspect:
            offset = int(found["offset"], 16) - 1
            return _Spot(found["function"], max(offset, 0), suspect, role)
    return None


def _plan(case: Case) -> Command | Blocked | None:
    spot = _spot(case)
    if spot is None:
        return None
    if not is_c_name(spot.function):
        return Blocked(
            f"{spot.function!r} is not the name of a function", "look at the log by hand"
        )
    done = case.done("gdb-module")
    asked = [result for result in done if result.command.argv[0] == "gdb"]
    starts = [result for result in asked if _is_start(result)]
    if len(asked) > len(starts):
        return None
    module = spot.module
    file = _kernel_file(case, done) if module is None else _module_file(case, done, module)
    if not isinstance(file, str):
        return file
    if not starts and not _on_x86(case):
        return _ask_start(file, spot)
    skew = _skew(starts[0].output, spot.function) if starts else 0
    return _ask(file, spot, skew)


def _on_x86(case: Case) -> bool:
    report = reported(case)
    return report is None or report.arch is None or report.arch.startswith("x86")


def _kernel_file(case: Case, done: tuple[Result, ...]) -> str | Command | Blocked:
    if path := vmlinux.known(case):
        return path
    look = None if done else vmlinux.lookup(case, "gdb-module")
    return look or vmlinux.missing(case)


def _module_file(case: Case, done: tuple[Result, ...], module: str) -> str | Command | Blocked:
    if not is_module_name(module):
        return Blocked(f"{module!r} is not the name of a module", "look at the log by hand")
    folder = first_path(case, "given.module_dir")
    if folder and not done:
        return _find(folder, module)
    files = [line for result in done for line in result.output.splitlines() if is_absolute(line)]
    path = min(files, key=lambda file: (not file.endswith(".ko"), len(file)), default="")
    path = path or first_path(case, "debug.module_file", "module.path")
    if not path:
        remedy = f"name the folder that holds {module}.ko: --module-dir DIR"
        return Blocked(f"the file of module {module} is not known", remedy)
    suffix = "." + path.rpartition(".")[2]
    if suffix in _UNPACK:
        remedy = f"copy it somewhere, {_UNPACK[suffix]} COPY, then --module-dir DIR"
        return Blocked(f"{path} is compressed, and gdb cannot read it", remedy)
    return path


def _find(folder: str, module: str) -> Command:
    pattern = re.sub("[-_]", "[-_]", module) + ".ko*"
    return Command(
        argv=("find", folder, "-maxdepth", "4", "-type", "f", "-name", pattern),
        tool="gdb-module",
        why=f"look for the file of {module}",
    )


def _ask_start(file: str, spot: _Spot) -> Command:
    return Command(
        argv=("gdb", "-batch", "-nx", "-ex", f"info symbol '{spot.function}'", file),
        tool="gdb-module",
        timeout=120.0,
        why=f"find how far from its symbol gdb lets {spot.function} start",
        env={"DEBUGINFOD_URLS": ""},
    )


def _is_start(result: Result) -> bool:
    return any(word.startswith("info symbol ") for word in result.command.argv)


def _skew(output: str, function: str) -> int:
    """Return how many bytes after its symbol gdb lets a function start.

    gdb names a symbol of every section, which all start at 0; that of an init or exit function
    has a second name.
    """
    found = {match[1]: int(match[2] or 0) for match in _START.finditer(output)}
    names = (function, "init_module", "cleanup_module")
    return next((found[name] for name in names if name in found), 0)


def _ask(file: str, spot: _Spot, skew: int) -> Command:
    place = f"*('{spot.function}'{spot.offset - skew:+#x})"
    # Between two instructions there is none to show.
    bare = () if spot.called else (f"x/i {place[1:]}", f"x/2xb {place[1:]}")
    argv = ["gdb", "-batch", "-nx"]
    for question in (f"info line {place}", *bare, f"list {place}"):
        argv += ["-ex", question]
    what = "the line that called the kernel" if spot.called else "the line and the instruction"
    return Command(
        argv=(*argv, file),
        tool="gdb-module",
        timeout=120.0,
        why=f"find {what} at {spot.function}+{spot.offset:#x}",
        env={"DEBUGINFOD_URLS": ""},
    )


def _read(result: Result, case: Case) -> ToolReading:
    if vmlinux.is_lookup(result):
        return ToolReading(facts=vmlinux.found(result))
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
        if match := _LINE.match(line) or _PLACED.match(line):
            facts += _place(match, number, result, case)
        elif match := _INSTRUCTION.match(line):
            told, found = _instruction(match[1], number, result, case)
            facts += told
            findings.append(found)
    findings += _line(facts, result) or _why_not(result)
    return ToolReading(facts=tuple({f.name: f for f in facts}.values()), findings=tuple(findings))


def _is_another_build(result: Result, case: Case) -> bool:
    """Compare opcode bytes with those of the report's `Code:` line, where both are x86."""
    report = reported(case)
    ran = _RAN.search(report.code) if report and report.code else None
    there = _BYTES.search(result.output)
    if ran is None or there is None:
        return False
    if ran[1] in _RELOCATED or ran[2] is None:
        return ran[1] != there[1]
    return ran.groups() != there.groups()


def _place(
    match: re.Match[str], number: int, result: Result, case: Case
) -> tuple[Fact, Fact, Fact]:
    spot = _spot(case)
    return (
        fact("debug.role", spot.role if spot else "fault", result, number),
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
    # The module's file beside a given log has told it already (see `symbols`).
    named = f" {known.name}" if known and known.name and known.register == pointer else ""
    said = f"Faulting instruction: {text}; the bad pointer{named} was in {pointer}{held}"
    facts += (fact("debug.pointer", pointer, result, number),)
    return facts, finding(said, Mark.NEUTRAL, result, number)


def _line(facts: list[Fact], result: Result) -> list[Finding]:
    """Tell the line with its text, as gdb's `list` printed it."""
    known = {f.name: f for f in facts}
    if "debug.line" not in known:
        return []
    line, file = known["debug.line"], known["debug.file"].value
    matches = (_SOURCE.match(text) for text in result.output.split("\n"))
    source = next((m[2].strip() for m in matches if m and m[1] == str(line.value)), "")
    said = f"{_ROLES[str(known['debug.role'].value)]} {file}:{line.value}"
    said += f": {source}" if source else ""
    return [finding(said, Mark.BAD, result, line.source.line)]


def _why_not(result: Result) -> list[Finding]:
    said = result.output + "\n" + result.errors
    if _NO_FILE.search(result.errors):
        text = "gdb could not read the file: check the path and its permissions"
    elif match := _NO_SYMBOL.search(said):
        text = f"The file has no function {match[1]}: is it the build that faulted?"
    elif _NO_LINES.search(said):
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

TOOLS: Final = (TOOL,)
