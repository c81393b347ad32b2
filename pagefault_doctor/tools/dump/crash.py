"""crash: the panic, the backtrace and the log in a dump.

Output as of crash 8 (`task.c`, `kernel.c`, `main.c`). If a dump is damaged or filtered, crash runs
again with options that need less of the dump.
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
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding

OPTIONS_BY_ATTEMPT: Final = ((), ("--zero_excluded",), ("--no_modules",), ("--minimal",))
"""Options of each attempt. `--minimal` comes last: with it crash can only print the log."""

_COMMANDS: Final = "sys\nbt -l\nmod -t\nlog\nquit\n"
_MINIMAL_COMMANDS: Final = "log\nquit\n"

_MISMATCH: Final = regex(r"do not match!?")
_TOO_OLD: Final = Blocked(
    "crash cannot read the dump, though the vmlinux fits: the kernel may be newer than this crash",
    "drgn reads it, or a newer crash",
)
"""It then says that vmlinux and dump do not match, or dies without a word."""

_FATAL_ERRORS: Final = (
    (
        regex(r"machine type mismatch"),
        "this crash reads dumps of another architecture than that of the dump",
        "drgn reads it here, or crash on a machine of its architecture",
    ),
    (
        _MISMATCH,
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

_INCOMPLETE: Final = regex(r"may be truncated or incomplete|page excluded|seek error|read error")
_SYS = regex(r"^\s*(RELEASE|PANIC): (.*)$")
_TASK = regex(r'^PID: (\d+)\s.*COMMAND: "(.*)"')
_EXCEPTION = regex(r"^\s+\[exception (?:RIP|PC): ([^\]+]+)(?:\+(\d+))?\]")
_FRAME = regex(r"^\s*#\d+ \[[0-9a-f]+\] (\S+) (?:\(.*\) )?at ([0-9a-f]+)(?: \[(\w+)\])?")
_SOURCE_LINE = regex(r"^    (\S+): (\d{1,9})$")
"""The line that `bt -l` prints below a frame."""
_PLAIN_PATH: Final = regex(r"[\w/.,+@~-]+")
_INIT = regex(r"_MODULE_(?:INIT_)?START_(\w+)")
_LOG_LINE = regex(r"^(?:<\d+>)?\[ *\d+\.\d+\]")


class CrashOutput(msgspec.Struct, frozen=True):
    """The parsed output of crash. The number beside each value is its line number."""

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
    if dump and _is_read_by_drgn(case, dump) and not case.done("crash"):
        return None
    if step := dump_file.unready(case, "crash"):
        return step
    own = dump_file.own_results(case, "crash")
    done = tuple(result for result in own if not crash_memory.is_memory_result(result))
    image = vmlinux.known_path(case)
    if not image:
        return _prepare(case, done, dump)
    attempts = [result for result in done if "-s" in result.command.argv]
    if attempts and (_is_enough(attempts[-1]) or attempts[-1].status is ResultStatus.CANCELLED):
        return _memory_command(case, attempts[-1], image, dump)
    obstacle = _fatal_error(attempts[-1], case) if attempts else None
    if obstacle and obstacle != _TOO_OLD:
        return obstacle
    if obstacle or len(attempts) == len(OPTIONS_BY_ATTEMPT):
        return _search_bytes(case, done, image)
    return _command(OPTIONS_BY_ATTEMPT[len(attempts)], image, dump, _load_symbols(case))


def _is_read_by_drgn(case: Case, dump: str) -> bool:
    """Return whether drgn has read a complete dump: the faulting function, and the log."""
    is_complete = case.get("dump.complete", False) and case.has("dump.function")
    return is_complete and any(log.source == dump and log.lines for log in case.logs)


def _memory_command(case: Case, last: Result, image: str, dump: str) -> Command | None:
    """Return the command that shows what the registers point to, once, or None.

    Only for a dump that crash reads without fallback options.
    """
    report = reported(case)
    is_plain = last.ok and not {word for option in OPTIONS_BY_ATTEMPT for word in option} & {
        *last.command.argv
    }
    if report is None or not is_plain or not crash_memory.is_wanted(case):
        return None
    return crash_memory.memory_command(report, image, dump)


def _prepare(case: Case, done: tuple[Result, ...], dump: str) -> Command | Blocked:
    """Ask the dump for its kernel release, then search for the vmlinux of that release."""
    if not done and not case.has("dump.release"):
        why = "ask the dump which kernel it is of"
        return Command(argv=("crash", "--osrelease", dump), tool="crash", why=why)
    looked = case.done("dump-symbols") or any(map(vmlinux.is_lookup, done))
    if not looked and (lookup := vmlinux.lookup(case, "crash")):
        return lookup
    return (_fatal_error(done[0], case) if done else None) or vmlinux.missing(case)


def _search_bytes(case: Case, done: tuple[Result, ...], image: str) -> Command | Blocked | None:
    """Search the dump's bytes for the log, if crash cannot read the dump with any options."""
    if not any(map(dump_file.is_text_result, done)):
        return dump_file.search_text_command(case, "crash")
    if case.get("dump.complete", True) and vmlinux.is_of_the_dump(case, image):
        return _TOO_OLD
    if any(log.source == dump_path(case) and log.reports for log in case.logs):
        return None
    remedy = "copy it again, or go on with the log of the crash: --log FILE"
    return Blocked("crash cannot read this dump, in any way it knows", remedy)


def _load_symbols(case: Case) -> str:
    """Return the crash command that loads the suspect's symbols, if its file is known.

    A path with a character that crash's prompt interprets, such as | or >, is not used.
    """
    path, name = suspect_file(case), case.suspect or ""
    safe = is_module_name(name) and _PLAIN_PATH.fullmatch(path)
    return f"mod -s {name} {path}\n" if safe else ""


def _command(options: tuple[str, ...], image: str, dump: str, symbols: str) -> Command:
    retry_note = f" (again, with {options[0]}, which needs less of the dump)" if options else ""
    return Command(
        argv=("crash", "-s", *options, image, dump),
        tool="crash",
        timeout=120.0,
        stdin=_MINIMAL_COMMANDS if "--minimal" in options else symbols + _COMMANDS,
        why=f"read the panic, the backtrace and the log out of the dump{retry_note}",
        env=NO_DOWNLOADS,
    )


def _is_enough(result: Result) -> bool:
    parsed = parse(result.output)
    return bool(parsed.frames or ("--minimal" in result.command.argv and parsed.log))


def _fatal_error(result: Result, case: Case) -> Blocked | None:
    text = result.errors + result.output
    if _INCOMPLETE.search(text):
        return None
    if _MISMATCH.search(text) and vmlinux.is_of_the_dump(case, vmlinux.known_path(case)):
        return _TOO_OLD
    for pattern, reason, remedy in _FATAL_ERRORS:
        if pattern.search(text):
            return Blocked(reason, remedy)
    return None


def parse(output: str) -> CrashOutput:
    """Return the parsed output of `sys`, `bt`, `mod -t` and `log`."""
    parsed: dict[str, tuple[str, int]] = {}
    frames: list[str] = []
    lines = output.split("\n")
    start = next((n for n, line in enumerate(lines) if _LOG_LINE.match(line)), len(lines))
    place: tuple[tuple[str, int], tuple[int, int]] | None = None
    for number, line in enumerate(lines[:start], 1):
        if (
            place is None
            and parsed.keys() & {"function", "module"}
            and (match := _SOURCE_LINE.match(line))
        ):
            place = (match[1], number), (int(match[2]), number)
        elif match := _SYS.match(line):
            parsed.setdefault(
                match[1].lower(), (match[2].strip().split('" (')[0].strip('"'), number)
            )
        elif match := _TASK.match(line):
            parsed.setdefault("task", (f"{match[2]}[{match[1]}]", number))
        elif match := _EXCEPTION.match(line):
            _exception(match[1].strip(), number, parsed)
        elif match := _FRAME.match(line):
            frames.append(match[1])
            if "function" not in parsed and match[3]:
                parsed["function"], parsed["module"] = (match[1], number), (match[3], number)
    file, at = place or (None, None)
    return CrashOutput(
        file=file, line=at, frames=tuple(frames), log="\n".join(lines[start:]), **parsed
    )


def _exception(name: str, number: int, parsed: dict[str, tuple[str, int]]) -> None:
    """Store the faulting function; for an init function crash only prints the module's name."""
    if match := _INIT.fullmatch(name):
        parsed.setdefault("module", (match[1], number))
    elif " " not in name:
        parsed.setdefault("function", (name, number))


def _read(result: Result, case: Case) -> ToolReading:
    if vmlinux.is_lookup(result):
        return ToolReading(facts=vmlinux.lookup_facts(result))
    if dump_file.is_header_result(result):
        return dump_file.read_header(result, case)
    if dump_file.is_text_result(result):
        return dump_file.read_text(result, case)
    if "--osrelease" in result.command.argv:
        return _read_release(result)
    if crash_memory.is_memory_result(result):
        return _read_memory(result, case)
    parsed = parse(result.output)
    is_incomplete = _INCOMPLETE.search(result.errors + result.output) is not None
    log = (
        log_reading(result, case, source=dump_path(case), boot="the dump", text=parsed.log)
        if parsed.log
        else ToolReading()
    )
    return ToolReading(
        facts=_facts(parsed, is_incomplete, result, reported(case, log.log)),
        findings=(*_findings(parsed, is_incomplete, result), *log.findings),
        log=log.log,
    )


def _read_memory(result: Result, case: Case) -> ToolReading:
    report = reported(case)
    parsed = crash_memory.parse_pointers(result.output, report) if report else ()
    return ToolReading(
        facts=tuple(dump_memory.pointer_facts(parsed, result, 0)),
        findings=tuple(dump_memory.pointer_findings(parsed, result, 0)),
    )


def _read_release(result: Result) -> ToolReading:
    release = result.output.strip()
    return ToolReading(
        facts=(fact("dump.release", release, result, 1),) if is_release(release) else ()
    )


def _facts(
    parsed: CrashOutput, is_incomplete: bool, result: Result, report: Report | None
) -> tuple[Fact, ...]:
    named = (
        ("dump.release", parsed.release),
        ("dump.panic", parsed.panic),
        ("dump.function", parsed.function or _init_of(parsed, report)),
        ("dump.module", parsed.module or _module_of(parsed, report)),
        ("dump.file", parsed.file),
        ("dump.line", parsed.line),
    )
    facts = [fact(name, found[0], result, found[1]) for name, found in named if found]
    if parsed.frames or is_incomplete:
        facts.append(fact("dump.complete", not is_incomplete, result))
    return tuple(facts)


def _init_of(parsed: CrashOutput, report: Report | None) -> tuple[str, int] | None:
    """Return the init function from the report: crash has no symbols for freed init sections."""
    if parsed.module is None or report is None or not report.function:
        return None
    return (report.function, parsed.module[1]) if report.module == parsed.module[0] else None


def _module_of(parsed: CrashOutput, report: Report | None) -> tuple[str, int] | None:
    """Return the module from the report: crash prints none if the exception itself is in it."""
    if parsed.function is None or report is None or not report.module:
        return None
    same = report.function == parsed.function[0].partition(".")[0]
    return (report.module, parsed.function[1]) if same else None


def _findings(parsed: CrashOutput, is_incomplete: bool, result: Result) -> tuple[Finding, ...]:
    findings = []
    if parsed.panic:
        findings.append(
            finding(f"The dump says: {parsed.panic[0]}", Mark.NEUTRAL, result, parsed.panic[1])
        )
    if parsed.task:
        text = f"The CPU that crashed was running {parsed.task[0]}"
        findings.append(finding(text, Mark.NEUTRAL, result, parsed.task[1]))
    if parsed.module:
        what = parsed.function[0] if parsed.function else "init code"
        location = f" at {parsed.file[0]}:{parsed.line[0]}" if parsed.file and parsed.line else ""
        text = f"It stopped in {what} of module {parsed.module[0]}{location}"
        findings.append(finding(text, Mark.BAD, result, parsed.module[1]))
    elif parsed.function:
        text = f"It stopped in {parsed.function[0]}"
        findings.append(finding(text, Mark.BAD, result, parsed.function[1]))
    if is_incomplete:
        text = "The dump is cut or filtered: what is missing in it cannot be shown"
        findings.append(finding(text, Mark.NEUTRAL, result))
    return tuple(findings)


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
