"""gcc -fanalyzer: warnings about possible bugs, from its JSON output.

See "Static Analyzer Options" and `-fdiagnostics-format=json` in the GCC manual. It finds few of
the bugs that crash kernels: a warning is a hint, and no warning proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.fix import hint, kbuild
from pagefault_doctor.tools.fix.hint import SourceHint
from pagefault_doctor.tools.tool import Tool, remark

_VALUE: Final = regex(r"^\[.*(?:\n .*)*", re.MULTILINE)
"""A JSON list: on one line, or from gcc 14 on with indented lines after it (gcc/json.cc)."""

_OPTIONS: Final = "KCFLAGS=-fanalyzer -fdiagnostics-format=json"
_CAUSES: Final = (
    ("null-", "null-deref"),
    ("use-after-free", "use-after-free"),
    ("use-of-pointer-in-stale-stack-frame", "wild-pointer"),
    ("uninitialized", "wild-pointer"),
    ("double-free", "double-free"),
    ("free-of-non-heap", "double-free"),
    ("out-of-bounds", "out-of-bounds"),
    ("allocation-size", "out-of-bounds"),
    ("tainted", "out-of-bounds"),
    ("write-to", "readonly-write"),
    ("recursion", "stack-overflow"),
    ("infinite-loop", "lockup-hang"),
    ("leak", "oom"),
    ("shift", "logic-error"),
    ("divisor", "logic-error"),
)
"""Words in `-Wanalyzer-*` options, and the root cause that each suggests."""


class AnalyzerWarning(msgspec.Struct, frozen=True):
    """One warning. `steps` is the path to it, `at` the line number of the output."""

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
    return kbuild.build_in_copy(case, "gcc-analyzer", why, _OPTIONS)


def parse(result: Result) -> tuple[AnalyzerWarning, ...]:
    """Return the analyser's warnings; their JSON is mixed with make's output."""
    scratch = kbuild.scratch_folder(result)
    return tuple(
        warning
        for number, text in _values(result.errors)
        for entry in _entries(text)
        if (warning := _warning(entry, scratch, number))
    )


def _values(errors: str) -> Iterator[tuple[int, str]]:
    """Yield each JSON list with the number of its first line."""
    number, at = 1, 0
    for match in _VALUE.finditer(errors):
        number += errors.count("\n", at, match.start())
        at = match.start()
        yield number, match[0]


def _decoded(text: str) -> object:
    """Return the decoded JSON, None where it is damaged or cut off."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _entries(text: str) -> Iterator[dict[str, Any]]:
    found = _decoded(text)
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


def _warning(entry: dict[str, Any], scratch: str, number: int) -> AnalyzerWarning | None:
    option = _text(entry.get("option"))
    if not option.startswith("-Wanalyzer"):
        return None
    where = _map(_map(next(iter(_list(entry.get("locations"))), None)).get("caret"))
    cwe = _map(entry.get("metadata")).get("cwe")
    steps = (_text(_map(step).get("description")) for step in _list(entry.get("path")))
    return AnalyzerWarning(
        file=_text(where.get("file")).removeprefix(scratch),
        line=_number(where.get("line")),
        column=_number(where.get("column")),
        message=_text(entry.get("message")),
        option=option,
        cwe=cwe if isinstance(cwe, int) else None,
        steps=tuple(step for step in steps if step),
        at=number,
    )


def _read(result: Result, case: Case) -> ToolReading:
    warnings = parse(result)
    if not result.ok and not warnings:
        return remark("The source did not compile under the analyser", result)
    silence = "The analyser warns of nothing, which proves nothing"
    if not warnings and any(
        text.startswith('[{"') and _decoded(text) is None for _, text in _values(result.errors)
    ):
        silence = "Warnings of the analyser could not be read: its output is damaged or cut off"
    return hint.hints_reading(map(_hint, warnings), result, case, "analyser", silence)


def _hint(warning: AnalyzerWarning) -> SourceHint:
    cwe = f" (CWE-{warning.cwe})" if warning.cwe else ""
    path = f"; path: {' -> '.join(warning.steps)}" if len(warning.steps) > 1 else ""
    text = f"{warning.message}{cwe}{path}"
    cause = hint.cause_in(warning.option, _CAUSES)
    return SourceHint(warning.file, warning.line, text, warning.at, cause)


TOOL: Final = Tool(
    id="gcc-analyzer",
    purpose="lets the compiler look for paths to a bad access",
    programs=("make", "gcc"),
    package=kbuild.BUILD_TOOLS,
    risk=Risk.LOAD,
    facts=hint.fact_names("analyser"),
    plan=_plan,
    read=_read,
    by_hand="In a copy: make -C /lib/modules/$(uname -r)/build M=$PWD KCFLAGS=-fanalyzer modules.",
)
