"""coccinelle: search the module's source for patterns of common kernel bugs.

The semantic patches are in `semantic_patches/`, one file for each root cause. They print
`file:line:[cause] message` and need no kernel headers. They are sent on standard input, so the
host only needs spatch.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.fix import hint, kbuild
from pagefault_doctor.tools.fix.hint import SourceHint
from pagefault_doctor.tools.tool import Tool, remark

_SHARED: Final = "shared.cocci"
"""Definitions that the other files use; it has to come first."""

_FOUND = regex(
    r"^(?P<file>/[^:\n]+):(?P<line>\d{1,9}):(?:\[(?P<cause>[a-z-]{1,32})\] )?(?P<text>[^:\n].*)$"
)
_NO_PYTHON = regex(r"cannot find module 'spatch|[Pp]ython(?: support)? (?:is )?not")


@cache
def semantic_patches() -> str:
    """Return all semantic patches as one text."""
    from importlib import resources  # It takes a while to import.

    folder = resources.files("pagefault_doctor.tools.fix").joinpath("semantic_patches")
    files = (file for file in folder.iterdir() if file.name.endswith(".cocci"))
    ordered = sorted(files, key=lambda file: (file.name != _SHARED, file.name))
    return "\n".join(file.read_text("utf-8") for file in ordered)


def _plan(case: Case) -> Command | Blocked | None:
    if done := case.done("coccinelle"):
        return _obstacle(done[-1])
    source = kbuild.source_folder(case)
    if isinstance(source, Blocked):
        return source
    return Command(
        argv=(*shell_argv("tools/scripts/coccinelle.sh"), source),
        tool="coccinelle",
        risk=Risk.LOAD,
        timeout=180.0,
        stdin=semantic_patches(),
        why="search the source for the patterns of common kernel bugs",
    )


def _obstacle(result: Result) -> Blocked | None:
    if result.ok or not _NO_PYTHON.search(result.errors):
        return None
    return Blocked("this spatch was built without Python", "install the distribution's coccinelle")


def _read(result: Result, case: Case) -> ToolReading:
    if not result.ok:
        return remark("spatch did not run through", result)
    silence = "None of the known bug patterns is in the source, which proves nothing"
    return hint.hints_reading(parse(result), result, case, "cocci", silence)


def parse(result: Result) -> tuple[SourceHint, ...]:
    """Return what the patches found; if several match in a line for one cause, the last."""
    source = result.command.argv[-1].rstrip("/") + "/"
    found: dict[tuple[str, int, str], SourceHint] = {}
    for number, line in enumerate(result.output.split("\n"), 1):
        if match := _FOUND.match(line):
            file, at, cause = match["file"].removeprefix(source), int(match["line"]), match["cause"]
            found[file, at, cause or ""] = SourceHint(file, at, match["text"], number, cause or "")
    return tuple(found.values())


TOOL: Final = Tool(
    id="coccinelle",
    purpose="searches the source for the patterns of common kernel bugs",
    programs=("sh", "spatch"),
    package={"": "coccinelle"},
    risk=Risk.LOAD,
    facts=hint.fact_names("cocci"),
    plan=_plan,
    read=_read,
    by_hand="Read the source for results not tested, use after kfree, what exit does not stop.",
)
