"""crash: what a dump says, by the tool that was made for it.

Output as of crash 8 (`task.c`, `kernel.c`, `main.c`). Where a dump is damaged or filtered, crash
is tried again in ways that need less of it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.arguments import dump_path, is_release, reported, suspect_file
from pagefault_doctor.tools.dump import crash_memory, dump_file, dump_memory, vmlinux
from pagefault_doctor.tools.logs.log_reading import log_reading
from pagefault_doctor.tools.module.module_name import is_module_name
from pagefault_doctor.tools.tool import Tool, fact, finding

LADDER: Final = ((), ("--zero_excluded",), ("--no_modules",), ("--minimal",))
"""Options of each attempt. `--minimal` comes last: it can show the log only."""

_ASK: Final = "sys\nbt -l\nmod -t\nlog\nquit\n"
_ASK_MINIMAL: Final = "log\nquit\n"

NO_DUMP: Final = Blocked(
    "no crash dump on this box",
    "set up kdump and wait for the next crash, or name a dump: --vmcore FILE",
)

_HOPELESS: Final = (
    (
        regex(r"machine type mismatch"),
        "this crash reads dumps of another architecture than that of the dump",
        "drgn reads it here, or crash on a machine of its architecture",
    ),
    (
        regex(r"do not match!?"),
        "the vmlinux is not of the kernel that crashed",
        "name the vmlinux of the very same build: --vmlinux FILE",
    ),
    (
        regex(r"no debugging data available|no debugging symbols"),
        "the vmlinux has no debug information",
        "install the debug package of that kernel, or name another: --vmlinux FILE",
    ),
    (
        regex(r"not a supported file format|file too small"),
        "the file is not a dump that crash knows",
        "check how it was copied; file(1) tells what it is",
    ),
    (
        regex(r"No such file or directory|Permission denied"),
        "the dump or the vmlinux cannot be opened",
        "check the path, and read it as root",
    ),
)

_CUT: Final = regex(r"may be truncated or incomplete|page excluded|seek error|read error")
_SYS = regex(r"^\s*(RELEASE|PANIC): (.*)$")
_TASK = regex(r'^PID: (\d+)\s.*COMMAND: "(.*)"')
_RIP = regex(r"^\s+\[exception (?:RIP|PC): ([^\]+]+)(?:\+(\d+))?\]")
_FRAME = regex(r"^\s*#\d+ \[[0-9a-f]+\] (\S+) (?:\(.*\) )?at ([0-9a-f]+)(?: \[(\w+)\])?")
_AT = regex(r"^    (\S+): (\d{1,9})$")
"""What `bt -l` prints below a frame."""
_PLAIN_PATH: Final = regex(r"[\w/.,+@~-]+")
_INIT = regex(r"_MODULE_(?:INIT_)?START_(\w+)")
_LOG_LINE = regex(r"^(?:<\d+>)?\[ *\d+\.\d+\]")


class CrashOutput(msgspec.Struct, frozen=True):
    """What crash showed. Each number is a line of its output."""

    release: tuple[str, int] | None = None
    panic: tuple[str, int] | None = None
    task: tuple[str, int] | None = None
    function: tuple[str, int] | None = None
    module: tuple[str, int] | None = None
    file: tuple[str, int] | None = None
    line: tuple[int, int] | None = None
    frames: tuple[str, ...] = ()
    log: str = ""


def _plan(case: Case) -> Command | Blocked | None:
    dump = dump_path(case)
    if not dump:
        return NO_DUMP
    if _is_told(case, dump) and not case.done("crash"):
        return None
    if looking := dump_file.look(case, "crash"):
        return looking
    if hopeless := dump_file.not_a_dump(case):
        return hopeless
    looks = (dump_file.is_look, crash_memory.is_memory)
    done = tuple(r for r in case.done("crash") if not any(is_one(r) for is_one in looks))
    image = vmlinux.known(case)
    if not image:
        return _prepare(case, done, dump)
    tried = [result for result in done if "-s" in result.command.argv]
    if tried and (_is_enough(tried[-1]) or tried[-1].status is ResultStatus.CANCELLED):
        return _look_at_memory(case, tried[-1], image, dump)
    if tried and (hopeless := _hopeless(tried[-1])):
        return hopeless
    if len(tried) == len(LADDER):
        return _last_resort(case, done)
    return _command(LADDER[len(tried)], image, dump, _symbols(case))


def _is_told(case: Case, dump: str) -> bool:
    """Whether drgn has told all of a whole dump already: where it stopped, and the log."""
    whole = case.get("dump.complete", False) and case.has("dump.function")
    return whole and any(log.source == dump and log.lines for log in case.logs)


def _look_at_memory(case: Case, last: Result, image: str, dump: str) -> Command | None:
    """Ask where the registers point to, once, of a dump that crash reads without concessions."""
    report = reported(case)
    whole = last.ok and not {word for option in LADDER for word in option} & {*last.command.argv}
    if report is None or not whole or not crash_memory.is_wanted(case):
        return None
    return crash_memory.ask(report, image, dump)


def _prepare(case: Case, done: tuple[Result, ...], dump: str) -> Command | Blocked:
    """Ask the dump for its kernel release, then look for the vmlinux of that release."""
    if not done and not case.has("dump.release"):
        why = "ask the dump which kernel it is of"
        return Command(argv=("crash", "--osrelease", dump), tool="crash", why=why)
    if not any(map(vmlinux.is_lookup, done)) and (look := vmlinux.lookup(case, "crash")):
        return look
    return (_hopeless(done[0]) if done else None) or vmlinux.missing(case)


def _last_resort(case: Case, done: tuple[Result, ...]) -> Command | Blocked | None:
    """Search the bytes for the log, where crash cannot read the dump in any way it knows."""
    if not any(map(dump_file.is_text, done)):
        return dump_file.text(case, "crash")
    if any(log.source == dump_path(case) and log.reports for log in case.logs):
        return None
    remedy = "copy it again, or go on with the log of the crash: --log FILE"
    return Blocked("crash cannot read this dump, in any way it knows", remedy)


def _symbols(case: Case) -> str:
    """Return crash's command that loads the suspect's own symbols, where its file is known.

    At crash's prompt a path may hold no character that means something to it, such as | or >.
    """
    path, name = suspect_file(case), case.suspect or ""
    safe = is_module_name(name) and _PLAIN_PATH.fullmatch(path)
    return f"mod -s {name} {path}\n" if safe else ""


def _command(options: tuple[str, ...], image: str, dump: str, symbols: str) -> Command:
    how = f" (again, with {options[0]}, which needs less of the dump)" if options else ""
    return Command(
        argv=("crash", "-s", *options, image, dump),
        tool="crash",
        timeout=120.0,
        stdin=_ASK_MINIMAL if "--minimal" in options else symbols + _ASK,
        why=f"read the panic, the backtrace and the log out of the dump{how}",
        env={"DEBUGINFOD_URLS": ""},
    )


def _is_enough(result: Result) -> bool:
    seen = parse(result.output)
    return bool(seen.frames or ("--minimal" in result.command.argv and seen.log))


def _hopeless(result: Result) -> Blocked | None:
    text = result.errors + result.output
    if _CUT.search(text):
        return None
    return next((Blocked(why, how) for says, why, how in _HOPELESS if says.search(text)), None)


def parse(output: str) -> CrashOutput:
    """Return what `sys`, `bt`, `mod -t` and `log` of crash printed."""
    seen: dict[str, tuple[str, int]] = {}
    frames: list[str] = []
    lines = output.split("\n")
    start = next((n for n, line in enumerate(lines) if _LOG_LINE.match(line)), len(lines))
    place: tuple[tuple[str, int], tuple[int, int]] | None = None
    for number, line in enumerate(lines[:start], 1):
        if place is None and seen.keys() & {"function", "module"} and (match := _AT.match(line)):
            place = (match[1], number), (int(match[2]), number)
        elif match := _SYS.match(line):
            seen.setdefault(match[1].lower(), (match[2].strip().split('" (')[0].strip('"'), number))
        elif match := _TASK.match(line):
            seen.setdefault("task", (f"{match[2]}[{match[1]}]", number))
        elif match := _RIP.match(line):
            _exception(match[1].strip(), number, seen)
        elif match := _FRAME.match(line):
            frames.append(match[1])
            if "function" not in seen and match[3]:
                seen["function"], seen["module"] = (match[1], number), (match[3], number)
    file, at = place or (None, None)
    return CrashOutput(
        file=file, line=at, frames=tuple(frames), log="\n".join(lines[start:]), **seen
    )


def _exception(name: str, number: int, seen: dict[str, tuple[str, int]]) -> None:
    """Take the faulting function; crash knows an init function by its module's name only."""
    if match := _INIT.fullmatch(name):
        seen.setdefault("module", (match[1], number))
    elif " " not in name:
        seen.setdefault("function", (name, number))


def _read(result: Result, case: Case) -> ToolReading:
    if vmlinux.is_lookup(result):
        return ToolReading(facts=vmlinux.found(result))
    if dump_file.is_look(result):
        return dump_file.read_look(result, case)
    if dump_file.is_text(result):
        return dump_file.read_text(result, case)
    if "--osrelease" in result.command.argv:
        return _read_release(result)
    if crash_memory.is_memory(result):
        return _read_memory(result, case)
    seen = parse(result.output)
    cut = _CUT.search(result.errors + result.output) is not None
    log = (
        log_reading(result, case, source=dump_path(case), boot="the dump", text=seen.log)
        if seen.log
        else ToolReading()
    )
    return ToolReading(
        facts=_facts(seen, cut, result, reported(case, log.log)),
        findings=(*_findings(seen, cut, result), *log.findings),
        log=log.log,
    )


def _read_memory(result: Result, case: Case) -> ToolReading:
    report = reported(case)
    seen = crash_memory.pointers(result.output, report) if report else ()
    return ToolReading(
        facts=tuple(dump_memory.pointer_facts(seen, result, 0)),
        findings=tuple(dump_memory.pointer_findings(seen, result, 0)),
    )


def _read_release(result: Result) -> ToolReading:
    told = result.output.strip()
    return ToolReading(facts=(fact("dump.release", told, result, 1),) if is_release(told) else ())


def _facts(seen: CrashOutput, cut: bool, result: Result, report: Report | None) -> tuple[Fact, ...]:
    named = (
        ("dump.release", seen.release),
        ("dump.panic", seen.panic),
        ("dump.function", seen.function or _init_of(seen, report)),
        ("dump.module", seen.module or _module_of(seen, report)),
        ("dump.file", seen.file),
        ("dump.line", seen.line),
    )
    facts = [fact(name, found[0], result, found[1]) for name, found in named if found]
    if seen.frames or cut:
        facts.append(fact("dump.complete", not cut, result))
    return tuple(facts)


def _init_of(seen: CrashOutput, report: Report | None) -> tuple[str, int] | None:
    """Name the init function by the report: crash has no symbols of freed init sections."""
    if seen.module is None or report is None or not report.function:
        return None
    return (report.function, seen.module[1]) if report.module == seen.module[0] else None


def _module_of(seen: CrashOutput, report: Report | None) -> tuple[str, int] | None:
    """Name the module by the report: crash names none where the exception itself is in it."""
    if seen.function is None or report is None or not report.module:
        return None
    same = report.function == seen.function[0].partition(".")[0]
    return (report.module, seen.function[1]) if same else None


def _findings(seen: CrashOutput, cut: bool, result: Result) -> tuple[Finding, ...]:
    told = []
    if seen.panic:
        told.append(finding(f"The dump says: {seen.panic[0]}", Mark.NEUTRAL, result, seen.panic[1]))
    if seen.task:
        text = f"The CPU that crashed was running {seen.task[0]}"
        told.append(finding(text, Mark.NEUTRAL, result, seen.task[1]))
    if seen.module:
        what = seen.function[0] if seen.function else "init code"
        at = f" at {seen.file[0]}:{seen.line[0]}" if seen.file and seen.line else ""
        text = f"It stopped in {what} of module {seen.module[0]}{at}"
        told.append(finding(text, Mark.BAD, result, seen.module[1]))
    elif seen.function:
        text = f"It stopped in {seen.function[0]}"
        told.append(finding(text, Mark.BAD, result, seen.function[1]))
    if cut:
        text = "The dump is cut or filtered: what is missing in it cannot be shown"
        told.append(finding(text, Mark.NEUTRAL, result))
    return tuple(told)


TOOL: Final = Tool(
    id="crash",
    purpose="reads the panic, the backtrace and the log out of a dump",
    programs=("crash",),
    package={"": "crash"},
    facts=(
        *dump_file.FACTS,
        *("dump.vmlinux", "dump.release", "dump.panic", "dump.function", "dump.module"),
        *("dump.file", "dump.line", "dump.complete", "dump.pointers"),
    ),
    plan=_plan,
    read=_read,
    by_hand="Copy the dump to a machine with crash and the debug package of the same kernel; "
    "then crash VMLINUX VMCORE, and at its prompt: sys, bt, log.",
)

TOOLS: Final = (TOOL,)
