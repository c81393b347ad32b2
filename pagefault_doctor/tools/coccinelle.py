"""coccinelle: the patterns of common kernel bugs, searched for in the module's source.

The semantic patches are our own, in `semantic_patches/`. Each prints `file:line:message`. They go
in by standard input, so that nothing has to be there on the host but spatch.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from pagefault_doctor.model.case import Case, Reading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools import kbuild
from pagefault_doctor.tools.tool import Tool, fact, finding

_SCRIPT: Final = """\
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/rules.cocci"
spatch --very-quiet --sp-file "$scratch/rules.cocci" --dir "$1"
"""

_FOUND = regex(r"^(?P<file>/[^:\n]+):(?P<line>\d{1,9}):(?P<text>[^:\n].*)$")
_NO_PYTHON = regex(r"cannot find module 'spatch|[Pp]ython(?: support)? (?:is )?not")
_TOLD: Final = 8


@cache
def rules() -> str:
    """Return all semantic patches as one."""
    folder = resources.files("pagefault_doctor.tools").joinpath("semantic_patches")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return "\n".join(f.read_text("utf-8") for f in files if f.name.endswith(".cocci"))


def _plan(case: Case) -> Command | Blocked | None:
    if done := case.done("coccinelle"):
        return _obstacle(done[-1])
    source = kbuild.source_folder(case)
    if isinstance(source, Blocked):
        return source
    return Command(
        argv=("sh", "-c", _SCRIPT, "sh", source),
        tool="coccinelle",
        risk=Risk.LOAD,
        timeout=180.0,
        stdin=rules(),
        why="search the source for the patterns of common kernel bugs",
    )


def _obstacle(result: Result) -> Blocked | None:
    if result.ok or not _NO_PYTHON.search(result.errors):
        return None
    return Blocked("this spatch was built without Python", "install the distribution's coccinelle")


def _read(result: Result, case: Case) -> Reading:
    if not result.ok:
        text = "spatch did not run through"
        return Reading(findings=(finding(text, Mark.NEUTRAL, result),))
    source = result.command.argv[-1].rstrip("/") + "/"
    found: dict[str, int] = {}
    for number, line in enumerate(result.output.split("\n"), 1):
        if match := _FOUND.match(line):
            place = f"{match['file'].removeprefix(source)}:{match['line']}"
            found.setdefault(f"{place}: {match['text']}", number)
    count = fact("fix.cocci_warnings", len(found), result)
    if not found:
        text = "None of the known bug patterns is in the source"
        return Reading(facts=(count,), findings=(finding(text, Mark.NEUTRAL, result),))
    told = (finding(text, Mark.BAD, result, n) for text, n in list(found.items())[:_TOLD])
    return Reading(facts=(count,), findings=tuple(told))


TOOL: Final = Tool(
    id="coccinelle",
    purpose="searches the source for the patterns of common kernel bugs",
    programs=("sh", "spatch"),
    package={"": "coccinelle"},
    risk=Risk.LOAD,
    facts=("fix.cocci_warnings",),
    plan=_plan,
    read=_read,
    by_hand="Read the source for use after kfree, results not checked with IS_ERR, list_del twice.",
)

TOOLS: Final = (TOOL,)
