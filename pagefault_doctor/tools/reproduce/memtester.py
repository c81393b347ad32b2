"""memtester: does memory keep what is written to it?

Output as of `memtester.c` and `tests.c` of memtester 4.x: one line for each test, with a spinner of
backspaces, and a `FAILURE:` line for each mismatch.
"""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.diagnosis import Attribution, RootCause
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind
from pagefault_doctor.tools.arguments import blocked_on_other_kernel, reported
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

SIZE: Final = "64M"
"""Small enough for a machine with little free memory, large enough to hit a bad DIMM by chance."""

MEMORY_LIKE_CAUSES: Final = frozenset(
    {
        RootCause.HARDWARE,
        RootCause.USE_AFTER_FREE,
        RootCause.DOUBLE_FREE,
        RootCause.OUT_OF_BOUNDS,
        RootCause.WILD_POINTER,
        RootCause.LIST_CORRUPTION,
        RootCause.STACK_OVERFLOW,
        RootCause.PAGE_TABLE,
    }
)
"""Causes that faulty memory can look like."""

SURE_CONFIDENCE: Final = 0.97
"""At this confidence in a module as the cause, memory is not tested."""

_SPINNER = regex(r"(?:\\x08)+")
_TEST = regex(r"\s{0,8}([A-Z0-9][A-Za-z0-9 -]{1,40}?)\s{0,40}: (.*)")
_MISMATCH = regex(
    r"FAILURE: (0x[0-9a-f]{1,16}) != (0x[0-9a-f]{1,16}) at (?:\w{1,20} )?(?:offset|address)"
)
_NOT_LOCKED = regex(r"failed for unknown reason|reducing|without mlock|cannot mlock", re.I)
_NOT_ALLOCATED = regex(r"cannot allocate|failed to allocate|got\s+0MB", re.I)


def _plan(case: Case) -> Command | None:
    if case.done("memtester") or blocked_on_other_kernel(case) or not _is_suspected(case):
        return None
    return Command(
        argv=("memtester", SIZE, "1"),
        tool="memtester",
        risk=Risk.LOAD,
        timeout=900.0,
        why=f"write and read back {SIZE} of memory in many patterns; it keeps one CPU busy",
    )


def _is_suspected(case: Case) -> bool:
    """Return whether memory may be the cause, or no module is known that could be."""
    cause = case.get("verdict.root_cause", "")
    attribution = case.get("verdict.attribution", "")
    if attribution == Attribution.MODULE and case.get("verdict.confidence", 0.0) >= SURE_CONFIDENCE:
        return False
    if cause in MEMORY_LIKE_CAUSES or attribution == Attribution.HARDWARE:
        return True
    report = reported(case)
    return case.suspect is None and report is not None and report.kind is not Kind.OOM_KILL


def without_spinner(text: str) -> str:
    """Return memtester's output as it looks on a terminal at the end, without the spinner."""
    return "\n".join(_without_backspaces(line) for line in text.split("\n"))


def _without_backspaces(line: str) -> str:
    if "\\x08" not in line:
        return line
    head, _, tail = line.partition(":")
    parts = [part.strip() for part in _SPINNER.split(tail)]
    words = [part for part in parts if part not in ("", "-", "\\", "|", "/")]
    return f"{head}: {words[-1] if words else ''}"


def stuck_bits(pairs: list[tuple[int, int]]) -> int | None:
    """Return the mask of bits that differ in every mismatch, or None if masks vary."""
    masks = {one ^ other for one, other in pairs}
    return masks.pop() if len(masks) == 1 else None


def _read(result: Result, case: Case) -> ToolReading:
    text = without_spinner(result.output)
    pairs = [
        (int(m[1], 16), int(m[2], 16)) for m in _MISMATCH.finditer(result.errors + "\n" + text)
    ]
    failures = (result.errors + text).count("FAILURE:")
    finished = re.search(r"^Done\.?$", text, re.MULTILINE) is not None
    if not failures and not finished:
        return remark(_unfinished(result), result)
    facts = (
        fact("memtest.failures", failures, result),
        fact("memtest.passed", failures == 0, result),
    )
    if failures:
        return ToolReading(facts=facts, findings=_failed(failures, pairs, text, result))
    tests = sum(m[2].startswith("ok") for m in map(_TEST.match, text.split("\n")) if m)
    good = f"{SIZE} of memory passed {tests} tests; that clears these pages, not all of the memory"
    return ToolReading(facts=facts, findings=(finding(good, Mark.GOOD, result),))


def _failed(
    count: int, pairs: list[tuple[int, int]], text: str, result: Result
) -> tuple[Finding, ...]:
    times = "once" if count == 1 else f"{count} times"
    texts = [
        f"Memory did not keep what was written to it ({times}): bad hardware. "
        "Run memtest86+ for a night, then change modules one by one"
    ]
    if mask := stuck_bits(pairs):
        texts.append(f"Every mismatch differs in the same bits, {mask:#x}: a bad cell or data line")
    bad = [m[1] for m in map(_TEST.match, text.split("\n")) if m and "FAILURE" in m[2]]
    if bad:
        texts.append(f"Failed tests: {', '.join(bad)}")
    return tuple(finding(line, Mark.BAD, result) for line in texts)


def _unfinished(result: Result) -> str:
    if result.status is ResultStatus.TIMEOUT:
        return "memtester did not finish in time; no failure until then"
    if _NOT_ALLOCATED.search(result.output + result.errors):
        return f"memtester could not get {SIZE} of memory; free some, then try again"
    if _NOT_LOCKED.search(result.output + result.errors):
        return "memtester could not lock its memory: run it as root (ulimit -l)"
    return "memtester did not finish; its answer says nothing"


TOOL: Final = Tool(
    id="memtester",
    of_box=True,
    purpose="tests whether memory keeps what is written to it",
    programs=("memtester",),
    package={"": "memtester"},
    risk=Risk.LOAD,
    facts=("memtest.failures", "memtest.passed"),
    plan=_plan,
    read=_read,
    by_hand="Boot memtest86+ from the boot menu and let it run for a night.",
)
