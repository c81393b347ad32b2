"""Reboot a machine whose kernel has died or found damaged memory."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.taint import letters
from pagefault_doctor.tools.arguments import blocked_on_other_kernel, is_report_of_this_boot
from pagefault_doctor.tools.module import taint
from pagefault_doctor.tools.tool import Tool, fact, finding, known_programs

_NOT_REBOOTED: Final = Blocked(
    "this kernel is still the one that died", "wait until it reboots, then: pfdoctor resume"
)

_DAMAGE_FLAGS: Final = {
    "D": "the kernel died since it was booted (taint D) and keeps locks and memory of the dead",
    "B": "the kernel found damaged pages or objects since it was booted (taint B)",
}
"""Flags after which this boot proves nothing: `die` sets D, mm/page_alloc.c and mm/slub.c set B."""


_LOCKS_HELD: Final = "locks were held wrongly since it was booted, and may still be"


def _plan(case: Case) -> Command | Blocked | None:
    """Read the taint flags; reboot if the kernel was damaged since it booted."""
    if blocked_on_other_kernel(case):
        return None
    done = case.done("reboot")
    if not done:
        return Command(argv=taint.ARGV, tool="reboot", why="see whether the kernel died before")
    if len(done) == 2:
        check = Command(argv=taint.ARGV, tool="reboot", why="see that the kernel is a new one")
        return _refused(done[1]) or check
    if len(done) > 2:
        return _NOT_REBOOTED if _DAMAGE_FLAGS.keys() & _flags(done[2]) else None
    damage = _damage(_flags(done[0]), case)
    return _reboot_command(case, damage) if damage else None


def _flags(result: Result) -> tuple[str, ...]:
    return letters(taint.parse_mask(result.output) or 0)


def _damage(found: tuple[str, ...], case: Case) -> str:
    """Return what makes this boot unfit for a test, or an empty text."""
    not_rebooted = len(case.done("reboot")) < 2
    hung = case.get("verdict.root_cause", "") == "lockup-hang" and is_report_of_this_boot(case)
    reasons = (what for letter, what in _DAMAGE_FLAGS.items() if letter in found)
    return next(reasons, _LOCKS_HELD if not_rebooted and hung else "")


def _reboot_command(case: Case, damage: str) -> Command:
    programs = known_programs(case)
    return Command(
        argv=("reboot",) if programs and "systemctl" not in programs else ("systemctl", "reboot"),
        tool="reboot",
        risk=Risk.CRASH,
        why=f"{damage}; a fix is proven on a fresh boot only. The session survives: pfdoctor "
        "resume goes on",
        undo="none; save your work first",
    )


def _refused(result: Result) -> Blocked | None:
    """Return Blocked if the reboot failed; a reboot that ended the connection succeeded."""
    if result.ok or result.status is ResultStatus.SIGNALED or not result.errors.strip():
        return None
    return Blocked("the reboot was refused", "reboot by hand, then: pfdoctor resume")


def _read(result: Result, case: Case) -> ToolReading:
    mask = taint.parse_mask(result.output)
    if result.command.argv != taint.ARGV or mask is None:
        return ToolReading()
    found = letters(mask)
    facts = (fact("taint.letters", found, result, 1), fact("taint.mask", mask, result, 1))
    if damage := _damage(found, case):
        text = f"Nothing is proven before a reboot: {damage}"
        return ToolReading(facts=facts, findings=(finding(text, Mark.NEUTRAL, result, 1),))
    text = "The kernel was not spoilt since it was booted: no reboot needed"
    if case.done("reboot"):
        text = "The machine was booted anew, and its new kernel is clean"
    return ToolReading(facts=facts, findings=(finding(text, Mark.GOOD, result, 1),))


TOOL: Final = Tool(
    id="reboot",
    of_box=True,
    purpose="starts the box afresh when its kernel died or found damage",
    risk=Risk.CRASH,
    needs_root=True,
    facts=("taint.letters", "taint.mask"),
    plan=_plan,
    read=_read,
    by_hand="systemctl reboot; where that hangs, SysRq: Alt+SysRq+S, U, B.",
)
