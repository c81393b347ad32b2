"""sparse: mixed-up address spaces, such as a dereferenced user pointer.

See `Documentation/dev-tools/sparse.rst`. It does not find NULL dereferences.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.tools.fix import hint, kbuild
from pagefault_doctor.tools.fix.hint import SourceHint
from pagefault_doctor.tools.tool import Tool, remark

_CAUSES: Final = (
    ("noderef", "user-access"),
    ("address space", "user-access"),
    ("context imbalance", "lockup-hang"),
    ("NULL pointer", "null-deref"),
)
"""Words in a warning, and the root cause that each suggests."""


def _plan(case: Case) -> Command | Blocked | None:
    if done := case.done("sparse"):
        return kbuild.obstacle(done[-1], case)
    why = "look for user pointers used as kernel pointers"
    return kbuild.build_in_copy(case, "sparse", why, "C=2", "CHECK=sparse")


def _read(result: Result, case: Case) -> ToolReading:
    if result.status is ResultStatus.MISSING:
        return ToolReading()
    found = [p for p in kbuild.problems(result) if not p.file.startswith("/")]
    if not result.ok and not found:
        return remark("The source did not compile under sparse", result)
    hints = (
        SourceHint(p.file, p.line, p.text, p.at, hint.cause_in(p.text, _CAUSES)) for p in found
    )
    silence = "sparse warns of nothing, which proves nothing"
    return hint.hints_reading(hints, result, case, "sparse", silence)


TOOL: Final = Tool(
    id="sparse",
    purpose="finds user pointers used as kernel pointers",
    programs=("make", "gcc", "sparse"),
    package={"": "sparse"},
    risk=Risk.LOAD,
    facts=hint.fact_names("sparse"),
    plan=_plan,
    read=_read,
    by_hand="In a copy: make -C /lib/modules/$(uname -r)/build M=$PWD C=2 modules.",
)
