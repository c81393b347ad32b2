"""sparse: address spaces mixed up, such as a user pointer dereferenced.

See `Documentation/dev-tools/sparse.rst`. It does not find NULL dereferences.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, Reading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.tools import kbuild
from pagefault_doctor.tools.tool import Tool, fact, finding

_TOLD: Final = 8


def _plan(case: Case) -> Command | Blocked | None:
    if done := case.done("sparse"):
        return kbuild.obstacle(done[-1], case)
    why = "look for user pointers used as kernel pointers"
    return kbuild.in_scratch(case, "sparse", why, "C=2", "CHECK=sparse")


def _read(result: Result, case: Case) -> Reading:
    found = [p for p in kbuild.problems(result) if not p.file.startswith("/")]
    if not result.ok and not found:
        text = "The source did not compile under sparse"
        return Reading(findings=(finding(text, Mark.NEUTRAL, result),))
    count = fact("fix.sparse_warnings", len(found), result)
    if not found:
        text = "sparse warns of nothing, which proves nothing"
        return Reading(facts=(count,), findings=(finding(text, Mark.NEUTRAL, result),))
    told = (finding(f"{p.place}: {p.text}", Mark.BAD, result, p.at) for p in found[:_TOLD])
    return Reading(facts=(count,), findings=tuple(told))


TOOL: Final = Tool(
    id="sparse",
    purpose="finds user pointers used as kernel pointers",
    programs=("make", "gcc", "sparse"),
    package={"": "sparse"},
    risk=Risk.LOAD,
    facts=("fix.sparse_warnings",),
    plan=_plan,
    read=_read,
    by_hand="In a copy: make -C /lib/modules/$(uname -r)/build M=$PWD C=2 modules.",
)

TOOLS: Final = (TOOL,)
