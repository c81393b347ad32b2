"""gcc -fanalyzer: a hint at the bug from the compiler, read from its JSON.

See "Static Analyzer Options" and `-fdiagnostics-format=json` of the GCC manual. It finds few of
the bugs that crash kernels: a warning is a hint, and silence proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, Reading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.tools import kbuild
from pagefault_doctor.tools.tool import Tool, fact, finding

_OPTIONS: Final = "KCFLAGS=-fanalyzer -fdiagnostics-format=json"
_TOLD: Final = 8


class Warned(msgspec.Struct, frozen=True):
    """One warning. `steps` is the path to it in words, `at` the line of the output."""

    file: str
    line: int
    column: int
    message: str
    option: str
    cwe: int | None
    steps: tuple[str, ...]
    at: int


def _plan(case: Case) -> Command | Blocked | None:
    if done := case.done("gcc-analyzer"):
        return kbuild.obstacle(done[-1], case)
    why = "let the compiler look for paths to a bad access"
    return kbuild.in_scratch(case, "gcc-analyzer", why, _OPTIONS)


def parse(result: Result) -> tuple[Warned, ...]:
    """Return the analyser's warnings, out of the JSON lines among make's own."""
    scratch = kbuild.scratch_of(result)
    return tuple(
        warned
        for number, line in enumerate(result.errors.split("\n"), 1)
        if line.startswith("[")
        for entry in _entries(line)
        if (warned := _warned(entry, scratch, number))
    )


def _entries(line: str) -> Iterator[dict[str, Any]]:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return
    if isinstance(found, list):
        yield from (entry for entry in found if isinstance(entry, dict))


def _text(value: object) -> str:
    return untrusted.clean_line(value) if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _warned(entry: dict[str, Any], scratch: str, number: int) -> Warned | None:
    option = _text(entry.get("option"))
    if not option.startswith("-Wanalyzer"):
        return None
    where = _map(_map(next(iter(_list(entry.get("locations"))), None)).get("caret"))
    steps = (_text(_map(step).get("description")) for step in _list(entry.get("path")))
    return Warned(
        file=_text(where.get("file")).removeprefix(scratch),
        line=_number(where.get("line")),
        column=_number(where.get("column")),
        message=_text(entry.get("message")),
        option=option,
        cwe=_map(entry.get("metadata")).get("cwe") if _has_cwe(entry) else None,
        steps=tuple(step for step in steps if step),
        at=number,
    )


def _has_cwe(entry: dict[str, Any]) -> bool:
    return isinstance(_map(entry.get("metadata")).get("cwe"), int)


def _read(result: Result, case: Case) -> Reading:
    warnings = parse(result)
    if not result.ok and not warnings:
        text = "The source did not compile under the analyser"
        return Reading(findings=(finding(text, Mark.NEUTRAL, result),))
    count = fact("fix.analyser_warnings", len(warnings), result)
    if not warnings:
        text = "The analyser warns of nothing, which proves nothing"
        return Reading(facts=(count,), findings=(finding(text, Mark.NEUTRAL, result),))
    return Reading(facts=(count,), findings=tuple(_tell(w, result) for w in warnings[:_TOLD]))


def _tell(warned: Warned, result: Result) -> Finding:
    cwe = f" (CWE-{warned.cwe})" if warned.cwe else ""
    path = f"; path: {' -> '.join(warned.steps)}" if len(warned.steps) > 1 else ""
    text = f"{warned.file}:{warned.line}: {warned.message}{cwe}{path}"
    return finding(text, Mark.BAD, result, warned.at)


TOOL: Final = Tool(
    id="gcc-analyzer",
    purpose="lets the compiler look for paths to a bad access",
    programs=("make", "gcc"),
    package=kbuild.BUILD_TOOLS,
    risk=Risk.LOAD,
    facts=("fix.analyser_warnings",),
    plan=_plan,
    read=_read,
    by_hand="In a copy: make -C /lib/modules/$(uname -r)/build M=$PWD KCFLAGS=-fanalyzer modules.",
)

TOOLS: Final = (TOOL,)
