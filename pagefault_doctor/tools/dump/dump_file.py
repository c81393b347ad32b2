"""The header of a dump, read before drgn or crash starts.

Its kernel release, whether it is complete, and whether the vmlinux is of the same build: one
finding for each problem, with the remedy. Only needs Python on the host.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.hosts.script import IF_PYTHON, python_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark, Value
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.tools.arguments import dump_path, first_path, is_absolute, is_release
from pagefault_doctor.tools.dump import vmlinux
from pagefault_doctor.tools.key_value import FirstValues, pairs
from pagefault_doctor.tools.logs.log_reading import log_reading
from pagefault_doctor.tools.tool import fact, finding, remark

FACTS: Final = (
    *("dump.format", "dump.release", "dump.build_id", "dump.complete"),
    *("dump.vmlinux", "dump.vmlinux_fits", "dump.vmlinux_seen_to_fit"),
)
"""Facts from the header."""

NO_DUMP: Final = Blocked(
    "no crash dump on this box",
    "set up kdump and wait for the next crash, or name a dump: --vmcore FILE",
)

NO_DUMP_THERE: Final = Blocked(
    "no dump of that machine was given", "if it wrote one, copy it here: --vmcore FILE"
)

_KEYS: Final = frozenset(
    {"size", "wanted", "cut", "unfinished", "flattened", "format", "release", "build_id", "error"}
    | {"vmlinux"}
)


def read_header_command(case: Case, tool: str) -> Command | None:
    """Return the command that reads the header, or None if that was done.

    Only for a dump that the person gave: a dump of kdump on this machine is of its own kernel, and
    its name shows whether it is complete.
    """
    dump = first_path(case, "given.vmcore")
    if not dump or case.has("dump.format") or any(map(is_header_result, case.done(tool))):
        return None
    image = first_path(case, "given.vmlinux")
    return Command(
        argv=(*python_argv("tools/scripts/dump_header.py"), dump, image, *vmlinux.PATHS),
        tool=tool,
        timeout=120.0,
        why="read the dump's header: which kernel, is it whole, does the vmlinux fit",
    )


def is_header_result(result: Result) -> bool:
    """Return whether a result is from `read_header_command`."""
    return result.command.argv[:3] == ("sh", "-c", IF_PYTHON) and len(result.command.argv) > 6


def is_text_result(result: Result) -> bool:
    """Return whether a result is from `search_text_command`."""
    return result.command.argv[:3] == ("sh", "-c", IF_PYTHON) and not is_header_result(result)


def search_text_command(case: Case, tool: str) -> Command:
    """Return the command that searches the dump's bytes for the kernel log."""
    return Command(
        argv=(*python_argv("tools/scripts/dump_text.py"), dump_path(case)),
        tool=tool,
        timeout=120.0,
        why="no reader gets through: search its bytes for lines of the kernel's log",
    )


def read_text(result: Result, case: Case) -> ToolReading:
    """Return the log found in the dump's bytes; it has no timestamps and may have gaps."""
    if not result.said_anything:
        return remark("No text of the kernel's log is in what there is of the dump", result)
    return log_reading(
        result, case, source=dump_path(case), boot="pieces found in the dump", text=result.output
    )


def unready(case: Case, tool: str) -> Command | Blocked | None:
    """Return the command that reads the header, Blocked without a dump, None if it was read."""
    if not dump_path(case):
        return NO_DUMP_THERE if case.get("log.of", "") == ANOTHER_MACHINE else NO_DUMP
    return read_header_command(case, tool) or not_a_dump(case)


def own_results(case: Case, tool: str) -> tuple[Result, ...]:
    """Return the results of a reader of dumps, without that of the header."""
    return tuple(result for result in case.done(tool) if not is_header_result(result))


def not_a_dump(case: Case) -> Blocked | None:
    """Return why no tool can read the dump, judging by its header, or None."""
    dump_format = case.get("dump.format", "")
    if dump_format == "empty":
        return Blocked("the dump is empty", "the disk was full, or copying failed: copy it again")
    if dump_format == "unknown":
        remedy = "check how it was copied; file(1) tells what it is"
        return Blocked("the file is not a dump: neither ELF nor kdump nor flattened", remedy)
    return None


def read_header(result: Result, case: Case) -> ToolReading:
    """Return the facts in the header, and one finding for each problem."""
    said: FirstValues = {}
    misfits: list[tuple[str, str, int]] = []
    vmlinux_path = first_path(case, "given.vmlinux")
    for key, value, number in pairs(result.output):
        if key == "candidate":
            vmlinux_path = value
        elif key == "vmlinux_bad":
            misfits.append((vmlinux_path, value, number))
        elif key in _KEYS:
            said[key] = value, number
    return ToolReading(
        facts=_facts(said, misfits, result, case),
        findings=(
            *_problem_findings(said, result, case),
            *_vmlinux_findings(misfits, said, result),
        ),
    )


def _facts(
    said: FirstValues, misfits: list[tuple[str, str, int]], result: Result, case: Case
) -> tuple[Fact, ...]:
    def fact_of(name: str, value: Value, key: str) -> Fact:
        return fact(name, value, result, said[key][1])

    facts = []
    if "format" in said:
        form = "flattened" if "flattened" in said else said["format"][0]
        facts.append(fact_of("dump.format", form, "format"))
    if "release" in said and is_release(said["release"][0]):
        facts.append(fact_of("dump.release", said["release"][0], "release"))
    if "build_id" in said:
        facts.append(fact_of("dump.build_id", said["build_id"][0], "build_id"))
    if "vmlinux" in said and is_absolute(said["vmlinux"][0]):
        facts.append(fact_of("dump.vmlinux", said["vmlinux"][0], "vmlinux"))
        if "build_id" in said:
            facts.append(fact_of("dump.vmlinux_seen_to_fit", said["vmlinux"][0], "vmlinux"))
    facts += [fact_of("dump.complete", False, key) for key in ("cut", "unfinished") if key in said]
    named = first_path(case, "given.vmlinux")
    facts += [
        fact("dump.vmlinux_fits", False, result, line) for p, _, line in misfits if p == named
    ]
    return tuple(facts)


def _problem_findings(said: FirstValues, result: Result, case: Case) -> list[Finding]:
    problems: list[tuple[str, str]] = []
    if "error" in said:
        problems.append((said["error"][0], "error"))
    if "cut" in said:
        there = _mebibytes(said["size"][0]) if "size" in said else "a part"
        of = f" of {_mebibytes(said['wanted'][0])}" if "wanted" in said else ""
        text = f"The dump is cut off: {there}{of} are there; copy it again if the rest still exists"
        problems.append((text, "cut"))
    elif "unfinished" in said:
        text = "kdump did not finish writing the dump: the disk was full, or it was interrupted"
        problems.append((text, "unfinished"))
    if "flattened" in said:
        text = (
            "The dump is flattened, for a pipe: crash reads it as it is; drgn after "
            f"makedumpfile -R NEW < {dump_path(case)}, unless QEMU wrote it"
        )
        problems.append((text, "flattened"))
    return [finding(text, Mark.NEUTRAL, result, said[key][1]) for text, key in problems]


def _vmlinux_findings(
    misfits: list[tuple[str, str, int]], said: FirstValues, result: Result
) -> list[Finding]:
    release = said["release"][0] if "release" in said else "another kernel"
    instead = f"; {said['vmlinux'][0]} fits and is used" if "vmlinux" in said else ""
    findings = []
    for path, why, line in misfits:
        what = why if why.startswith("no ") else f"of {why}, the dump of {release}"
        verb = "has" if why == "no debug information" else "is"
        findings.append(finding(f"{path} {verb} {what}{instead}", Mark.BAD, result, line))
    return findings


def _mebibytes(number: str) -> str:
    return f"{int(number) >> 20} MiB" if number.isdecimal() and len(number) < 20 else "some"
