"""drgn: the panicking task, its stack with source lines, and the log of a dump, in a second.

drgn runs as a child process with a script on its standard input, which prints one JSON object per
line. drgn finds the debug information of the distribution's packages itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pagefault_doctor.hosts.script import script
from pagefault_doctor.klog.skip_functions import CRASHING, EXCEPTION_ENTRY
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.arguments import dump_path, reported, suspect_file
from pagefault_doctor.tools.dump import dump_file, dump_memory, vmlinux
from pagefault_doctor.tools.logs.log_reading import log_reading
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding

EXECUTE: Final = "import sys; exec(sys.stdin.read(), globals())"
"""Runs the standard input, and not a path: drgn reads a script file twice, a pipe only once."""

_NOT_INSTALLED: Final = regex(r"No module named '?drgn|drgn: not found")
_NOT_A_DUMP: Final = regex(
    r"not an ELF core file|not a (?:kernel )?core dump|flattened|KDUMP_ATTR_\w+\): Key has no value"
)
"""The last is libkdumpfile's error for a rearranged dump from QEMU."""


def _plan(case: Case) -> Command | Blocked | None:
    if step := dump_file.unready(case, "drgn"):
        return step
    dump = dump_path(case)
    if case.get("dump.format", "") == "flattened":
        remedy = f"makedumpfile -R NEW < {dump}, then --vmcore NEW; crash reads it as it is"
        return Blocked("drgn does not read a flattened dump", remedy)
    if done := dump_file.own_results(case, "drgn"):
        return _obstacle(done[-1])
    symbols: list[str] = []
    for path in (vmlinux.known_path(case), suspect_file(case)):
        symbols += ["-s", path] if path else []
    return Command(
        argv=("drgn", "-q", "-c", dump, *symbols, "-e", EXECUTE),
        tool="drgn",
        timeout=60.0,
        stdin=script("tools/scripts/drgn_crash.py", "tools/scripts/drgn_pointers.py"),
        why="read the panicking task, its stack and the log out of the dump",
        env=NO_DOWNLOADS,
    )


def _obstacle(result: Result) -> Blocked | None:
    if _NOT_INSTALLED.search(result.errors):
        return Blocked(
            "drgn is not installed", "pip install 'pagefault-doctor[drgn]', or use crash"
        )
    if _NOT_A_DUMP.search(result.errors):
        remedy = "crash may read it; a flattened dump: makedumpfile -R NEW < DUMP"
        return Blocked("the file is not a dump that drgn reads", remedy)
    if "Permission denied" in result.errors:
        return Blocked("the dump may not be read by this user", "run pfdoctor as root")
    return None


_LONGEST_REASON: Final = 200


def parse(output: str) -> dict[str, tuple[Any, int]]:
    """Return the values in the script's output by name, each with its line number."""
    values: dict[str, tuple[Any, int]] = {}
    for number, line in enumerate(output.split("\n"), 1):
        try:
            found = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(found, dict):
            values |= {name: (_clean(value, name), number) for name, value in found.items()}
    return values


def _failures(
    values: dict[str, tuple[Any, int]], result: Result, case: Case
) -> tuple[Finding, ...]:
    """Return why looks at the dump failed: in one sentence where only the kernel's names lack."""
    failed = tuple(_failed_looks(result.output))
    nameless = all(_NO_NAME in text for text, _ in failed) and not values.keys() - _WITHOUT_NAMES
    if failed and nameless and not vmlinux.known_path(case):
        lacks = vmlinux.missing(case, _name_of(values["release"][0]) if "release" in values else "")
        text = f"drgn knows no names in the dump: {lacks.reason}; {lacks.remedy}"
        return (finding(text, Mark.NEUTRAL, result, failed[0][1]),)
    return tuple(finding(text, Mark.NEUTRAL, result, line) for text, line in failed)


_NO_NAME: Final = ": could not find "
"""What drgn says of a variable, a type or a symbol that no debug information names."""

_WITHOUT_NAMES: Final = frozenset({"release", "failed", "error"})
"""What the script prints of a kernel without debug information (the release is in VMCOREINFO)."""


def _failed_looks(output: str) -> Iterator[tuple[str, int]]:
    """Yield a sentence and its line for each look at the dump that failed or was cut off."""
    for number, line in enumerate(output.split("\n"), 1):
        if not line.startswith('{"'):
            continue
        found = parse(line)
        if not found:
            yield "A line of drgn's output is damaged: its content is missing here", number
        elif "failed" in found:
            what, why = found["failed"][0], found.get("error", ("", 0))[0]
            yield f"drgn could not read the {_name_of(what)} in the dump: {_name_of(why)}", number


def _name_of(value: Any) -> str:
    return value[:_LONGEST_REASON] if isinstance(value, str) else "?"


def _clean(value: Any, name: str) -> Any:
    """Return the value with harmless texts: JSON may contain escaped control characters."""
    if isinstance(value, str):
        return untrusted.clean(value) if name == "log" else untrusted.clean_line(value)
    if isinstance(value, list):
        return [_clean(entry, name) for entry in value]
    if isinstance(value, dict):
        return {key: _clean(entry, key) for key, entry in value.items()}
    return value


def faulting_frame(frames: list[dict[str, Any]], panicked: bool = False) -> dict[str, Any] | None:
    """Return the frame that faulted: below the exception's entry, else below the panic.

    The stack of a kernel that `panicked` contains the panic. If it does not, it could not be
    unwound (such as from the delay loop at the end of a panic on arm64), and None is returned.
    """
    crashing = [n for n, frame in enumerate(frames) if CRASHING.fullmatch(_name(frame))]
    if panicked and not crashing:
        return None
    # Above the panic is only what its end did, such as an interrupt of the delay loop.
    frames = frames[crashing[0] :] if panicked else frames
    # On arm64 the entry has several frames: el1_abort, el1h_64_sync_handler, el1h_64_sync.
    for above, frame in itertools.pairwise(frames):
        if EXCEPTION_ENTRY.fullmatch(_name(above)) and not EXCEPTION_ENTRY.fullmatch(_name(frame)):
            return frame
    panics = [n for n, frame in enumerate(frames) if _name(frame) == "panic"]
    below = frames[panics[0] + 1 :] if panics else frames
    return next((frame for frame in below if not CRASHING.fullmatch(_name(frame))), None)


def _name(frame: dict[str, Any]) -> str:
    name = frame.get("name")
    return name if isinstance(name, str) else ""


def _frames(values: dict[str, tuple[Any, int]]) -> list[dict[str, Any]]:
    value = values.get("frames", ([], 0))[0]
    return [frame for frame in value if isinstance(frame, dict)] if isinstance(value, list) else []


def _read(result: Result, case: Case) -> ToolReading:
    if dump_file.is_header_result(result):
        return dump_file.read_header(result, case)
    values = parse(result.output)
    is_incomplete = "short read" in result.output or "invalid address" in result.output
    frame = faulting_frame(_frames(values), panicked="panic" in values and bool(values["panic"][0]))
    text = values.get("log", ("", 0))[0]
    log = ToolReading()
    if isinstance(text, str) and text:
        log = log_reading(result, case, source=dump_path(case), boot="the dump", text=text)
    report = reported(case, log.log)
    findings = _findings(values, frame, is_incomplete, result, report)
    findings += _failures(values, result, case)
    return ToolReading(
        facts=(
            *_facts(values, frame, is_incomplete, result, report),
            *dump_memory.facts(values, result),
        ),
        findings=(*findings, *dump_memory.findings(values, result), *log.findings),
        log=log.log,
    )


def _facts(
    values: dict[str, tuple[Any, int]],
    frame: dict[str, Any] | None,
    is_incomplete: bool,
    result: Result,
    report: Report | None,
) -> tuple[Fact, ...]:
    facts = [
        fact(f"dump.{name}", values[name][0], result, values[name][1])
        for name in ("release", "panic")
        if name in values and isinstance(values[name][0], str)
    ]
    if values:
        facts.append(fact("dump.complete", not is_incomplete, result))
    if frame is None:
        return tuple(facts)
    line = values["frames"][1]
    named = {"function": _function(frame, report), "module": frame.get("module")}
    named["file"] = frame.get("file")
    for name, value in named.items():
        if isinstance(value, str) and value:
            facts.append(fact(f"dump.{name}", value, result, line))
    number = frame.get("line")
    if isinstance(number, int) and number > 0:
        facts.append(fact("dump.line", number, result, line))
    return tuple(facts)


def _function(frame: dict[str, Any], report: Report | None) -> str:
    """Return the frame's function; for an init function without symbols, the report's."""
    name = _name(frame)
    if name and not name.startswith("0x"):
        return name
    if report and report.module and report.module == frame.get("module"):
        return report.function or ""
    return ""


def _findings(
    values: dict[str, tuple[Any, int]],
    frame: dict[str, Any] | None,
    is_incomplete: bool,
    result: Result,
    report: Report | None,
) -> tuple[Finding, ...]:
    findings = []
    task, line = values.get("task", ({}, 0))
    if isinstance(task, dict) and "comm" in task:
        text = f"The task that crashed is {task['comm']}[{task.get('pid', '?')}]"
        findings.append(finding(text, Mark.NEUTRAL, result, line))
    if frame:
        owner = f"module {frame['module']}" if frame.get("module") else "the kernel"
        place = f" at {frame['file']}:{frame.get('line')}" if frame.get("file") else ""
        what = _function(frame, report) or "code without a name"
        text = f"It stopped in {what}, {owner}{place}"
        findings.append(finding(text, Mark.BAD, result, values["frames"][1]))
    if is_incomplete:
        text = "The dump is cut or filtered: what is missing in it cannot be shown"
        findings.append(finding(text, Mark.NEUTRAL, result))
    if not values:
        text = "drgn could not read the dump"
        findings.append(finding(text, Mark.NEUTRAL, result))
    return tuple(findings)


TOOL: Final = Tool(
    id="drgn",
    purpose="reads the crashed task, its stack and the log out of a dump, fast",
    programs=("drgn",),
    package={"": "python3-drgn", "fedora": "drgn", "arch": "drgn"},
    facts=(
        *dump_file.FACTS,
        *("dump.release", "dump.panic", "dump.complete", "dump.function", "dump.module"),
        *("dump.file", "dump.line"),
        *dump_memory.FACTS,
    ),
    plan=_plan,
    read=_read,
    by_hand="drgn -c VMCORE, then: prog.crashed_thread().stack_trace().",
)
