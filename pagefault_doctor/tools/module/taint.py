"""The taint flags of the running kernel."""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.taint import BY_LETTER, letters
from pagefault_doctor.tools.arguments import is_report_of_this_boot, other_kernel_warning
from pagefault_doctor.tools.permission import answered
from pagefault_doctor.tools.tool import Tool, fact, finding, once, remark

ARGV: Final = ("cat", "/proc/sys/kernel/tainted")

MODULE_FLAGS: Final = {
    "O": "module.out_of_tree",
    "E": "module.unsigned",
    "F": "module.forced",
    "P": "module.proprietary",
}
"""Taint flags that a module sets, and the fact for each."""


def parse_mask(output: str) -> int | None:
    """Return the number in /proc/sys/kernel/tainted, or None."""
    match = re.fullmatch(r"\s*([0-9]{1,20})\s*", output)
    return int(match.group(1)) if match else None


def meaning(letter: str) -> str:
    """Return a taint flag with its meaning: `O (out-of-tree module)`."""
    flag = BY_LETTER.get(letter)
    return f"{letter} ({flag.meaning})" if flag else letter


def _read(result: Result, case: Case) -> ToolReading:
    mask = parse_mask(result.output)
    if mask is None:
        return remark("The taint flags could not be read; is /proc mounted?", result)
    now = letters(mask)
    if now:
        said = f"Taint of this kernel now: {', '.join(map(meaning, now))}"
    else:
        said = "This kernel is not tainted now"
    mark = Mark.GOOD if not now else Mark.NEUTRAL
    return ToolReading(
        facts=(fact("taint.mask", mask, result, 1), fact("taint.letters", now, result, 1)),
        findings=(finding(said, mark, result, 1), *_against_report(now, result, case)),
    )


def _against_report(now: tuple[str, ...], result: Result, case: Case) -> tuple[Finding, ...]:
    report = case.main_report
    if report is None:
        return ()
    if not is_report_of_this_boot(case):
        text = "This taint is of the box now, not of the report: the report is not of this boot"
        return (*other_kernel_warning(case, result), finding(text, Mark.NEUTRAL, result))
    if report.tainted is None:
        return ()
    cleared = [letter for letter in report.tainted if letter in BY_LETTER and letter not in now]
    if cleared:
        text = (
            f"The report has taint {''.join(cleared)}, this kernel has not: taint never goes away "
            "before a reboot, so the report is of another boot"
        )
    else:
        text = "The taint in the report agrees with that of the box"
    return (finding(text, Mark.NEUTRAL if cleared else Mark.GOOD, result, 1),)


TOOL: Final = Tool(
    id="taint",
    of_box=True,
    purpose="reads the taint flags of the running kernel",
    programs=("cat",),
    package={"": "coreutils"},
    facts=("taint.mask", "taint.letters"),
    plan=once("taint", *ARGV, why="see what was loaded or went wrong since this boot"),
    read=answered(_read),
    by_hand="cat /proc/sys/kernel/tainted; each bit is a flag, 0 means not tainted.",
)
