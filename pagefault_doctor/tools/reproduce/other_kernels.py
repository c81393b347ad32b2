"""The same module on other kernels: the lab builds it for each, boots it, and lets it fault.

In the step reproduce this tells whether the fault comes on another kernel, in the step validate
whether the fixed source builds and runs on the others. The guests are virtual machines; the kernels
are those that `pfdoctor lab kernels` has fetched.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.tools.arguments import first_path
from pagefault_doctor.tools.reproduce import on_kernel
from pagefault_doctor.tools.reproduce.lab_kernel import listing
from pagefault_doctor.tools.reproduce.on_kernel import OnKernel
from pagefault_doctor.tools.reproduce.trigger import parse_trigger
from pagefault_doctor.tools.tool import NO_ANSWER, Tool, fact, finding, known_programs, remark

FAULTY: Final = "other-kernels"
FIXED: Final = "other-kernels-fixed"

_MOST: Final = 12
"""Kernels in one run, as `lab run --kernels` takes them."""

_MINUTES: Final = (0.5, 1)
"""Minutes that a kernel takes, on an idle machine and on a busy one."""

_LONGEST: Final = 420.0
"""Seconds after which a kernel is given up: 300 for its build, 120 for its guest."""

_OPTIONS: Final = regex(r"[\w.,:=/@+~-]{1,200}")
_TEXT: Final = 200
"""Characters of an error or title that are shown."""


class _Matrix(msgspec.Struct, frozen=True):
    """What `pfdoctor lab run --kernels --json` prints."""

    kernels: tuple[OnKernel, ...]


def _plan(tool: str, case: Case) -> Command | Blocked | None:
    source, done = first_path(case, "given.source_dir"), case.done(tool)
    if not source or "pfdoctor" not in (known_programs(case) or ()) or not _is_of_use(tool, case):
        return None
    if not done:
        argv = ("pfdoctor", "lab", "kernels", "list", "--json")
        return Command(argv=argv, tool=tool, why="see which other kernels the lab has")
    there = listing(done[0].output)
    if len(done) > 1 or there is None or len(there.kernels) < 2:
        return None
    names = tuple(kernel.name for kernel in there.kernels)[:_MOST]
    options = _options(case)
    return options if isinstance(options, Blocked) else _run(tool, source, names, options)


def _is_of_use(tool: str, case: Case) -> bool:
    """Return whether other kernels can tell something: a module failed, or it was changed."""
    if tool == FIXED:
        return case.get("fix.changed", False) or case.get("fix.built", False)
    return case.get("verdict.attribution", "") not in ("hardware", "user-space")


def _options(case: Case) -> tuple[str, ...] | Blocked:
    """Return the trigger and the kernel's arguments as options of `lab run`."""
    lines = case.get("given.trigger", "")
    if parse_trigger(lines) is None:
        return Blocked("the trigger cannot be read", "one command a line; close every quote")
    triggers = (word for line in lines.splitlines() if line.strip() for word in ("--trigger", line))
    given = case.get("given.kernel_args", "").split()
    args = (f"--kernel-arg={word}" for word in given if _OPTIONS.fullmatch(word))
    return (*triggers, *args)


def _run(tool: str, source: str, names: tuple[str, ...], options: tuple[str, ...]) -> Command:
    question = "whether it happens on other kernels"
    if tool == FIXED:
        question = "whether the fixed module builds and runs on other kernels"
    low, high = (math.ceil(len(names) * minutes) for minutes in _MINUTES)
    cost = f"{len(names)} virtual machines one after the other, {low} to {high} min in all"
    kernels = ("--kernels", ",".join(names))
    return Command(
        argv=("pfdoctor", "lab", "run", "--source", source, *kernels, *options, "--json"),
        tool=tool,
        risk=Risk.LOAD,
        timeout=_LONGEST * len(names),
        why=f"see {question}: {cost}; nothing is loaded into this box",
    )


def _read(tool: str, result: Result, case: Case) -> ToolReading:
    if "--kernels" not in result.command.argv:
        return _read_listing(tool, result)
    rows = _rows(result.output)
    if not rows:
        return remark(f"The other kernels were not tried: {_complaint(result)}", result)
    row_findings = (_row_finding(tool, row, result) for row in rows)
    silent = "the fixed module runs there" if tool == FIXED else on_kernel.NOT_SHOWN
    sentences = (finding(text, Mark.NEUTRAL, result) for text in on_kernel.changes(rows, silent))
    return ToolReading(facts=_facts(tool, rows, result), findings=(*row_findings, *sentences))


def _read_listing(tool: str, result: Result) -> ToolReading:
    # What an earlier pass found must not count for this one.
    facts = (fact(f"{_step(tool)}.on_kernels", "untried", result),)
    there = listing(result.output)
    if there and len(there.kernels) > 1:
        return ToolReading(facts=facts)
    text = "Which kernels the lab has here could not be read"
    if there:
        name = next((n for n in reversed(there.fetchable) if n[:1].isdigit()), "NAME")
        text = f"To try it on another kernel too, fetch one: pfdoctor lab kernels fetch {name}"
    return ToolReading(facts=facts, findings=(finding(text, Mark.NEUTRAL, result),))


def _rows(output: str) -> tuple[OnKernel, ...]:
    """Return what became of the module on each kernel, with harmless text; none if damaged."""
    try:
        rows = msgspec.json.decode(output, type=_Matrix).kernels
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(map(_cleaned, rows[:_MOST]))


def _cleaned(row: OnKernel) -> OnKernel:
    return msgspec.structs.replace(
        row,
        kernel=clean_line(row.kernel)[:_TEXT],
        release=clean_line(row.release)[:_TEXT],
        error=clean_line(row.error)[:_TEXT],
        title=clean_line(row.title)[:_TEXT] if row.title else None,
        notes=(),
    )


def _complaint(result: Result) -> str:
    """Return the last line that pfdoctor said, else how it ended."""
    lines = [line for line in result.errors.splitlines() if line.strip()]
    if result.status in NO_ANSWER:
        return f"pfdoctor {NO_ANSWER[result.status]}"
    if not lines:
        return "pfdoctor printed no table"
    return clean_line(lines[-1]).removeprefix("pfdoctor: ")[:_TEXT]


def _row_finding(tool: str, row: OnKernel, result: Result) -> Finding:
    mark = Mark.NEUTRAL
    if row.faults:
        mark = Mark.BAD
    elif tool == FIXED and row.ran:
        mark = Mark.GOOD
    start = f'"kernel": "{row.kernel}"'
    lines = enumerate(result.output.split("\n"), 1)
    line = next((number for number, text in lines if start in text), None)
    return finding(f"{row.kernel}: {on_kernel.outcome(row)}", mark, result, line)


def _facts(tool: str, rows: tuple[OnKernel, ...], result: Result) -> tuple[Fact, ...]:
    """Return what conditions ask: how it went in a word, and the kernels this is about."""
    prefix = _step(tool)
    faulty = tuple(row.kernel for row in rows if row.faults)
    unfit = tuple(row.kernel for row in rows if not row.ran)
    word = "faults" if faulty else "unfit" if unfit else "clean"
    return (
        fact(f"{prefix}.on_kernels", word, result),
        fact(f"{prefix}.which_kernels", faulty or unfit or tuple(r.kernel for r in rows), result),
    )


def _step(tool: str) -> str:
    return "validate" if tool == FIXED else "reproduce"


def _tool(tool_id: str, purpose: str, by_hand: str) -> Tool:
    step = _step(tool_id)
    return Tool(
        id=tool_id,
        purpose=purpose,
        programs=("pfdoctor",),
        package={"": "pagefault-doctor"},
        risk=Risk.LOAD,
        facts=(f"{step}.on_kernels", f"{step}.which_kernels"),
        plan=partial(_plan, tool_id),
        read=partial(_read, tool_id),
        by_hand=by_hand,
    )


_BY_HAND: Final = "pfdoctor lab kernels; pfdoctor lab run --source DIR --kernels 5.10,6.1,6.12"

TOOLS: Final = (
    _tool(FAULTY, "tries the module on other kernels, in virtual machines", _BY_HAND),
    _tool(FIXED, "tries the fixed module on other kernels", f"{_BY_HAND}, once fixed"),
)
