"""A reboot, for a box whose kernel has died once and cannot be trusted."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, Reading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.taint import letters
from pagefault_doctor.tools.place import elsewhere
from pagefault_doctor.tools.tool import Tool, fact, finding

_STILL: Final = Blocked(
    "this kernel is still the one that died", "wait until it reboots, then: pfdoctor resume"
)

_TAINT: Final = ("cat", "/proc/sys/kernel/tainted")


def _plan(case: Case) -> Command | Blocked | None:
    """Look at the taint of now; reboot where the kernel died since it was started."""
    if elsewhere(case):
        return None
    done = case.done("reboot")
    if not done:
        return Command(argv=_TAINT, tool="reboot", why="see whether the kernel died before")
    if len(done) == 2:
        look = Command(argv=_TAINT, tool="reboot", why="see that the kernel is a new one")
        return _refused(done[1]) or look
    if len(done) > 2:
        return _STILL if "D" in letters(_mask(done[2])) else None
    return _command(case) if "D" in letters(_mask(done[0])) else None


def _command(case: Case) -> Command:
    programs = case.facts["host.programs"].value if case.has("host.programs") else ()
    known = isinstance(programs, tuple) and bool(programs)
    plain = known and "systemctl" not in programs  # type: ignore[operator]
    return Command(
        argv=("reboot",) if plain else ("systemctl", "reboot"),
        tool="reboot",
        risk=Risk.CRASH,
        why="the kernel has died once (taint D) and keeps locks and memory of the dead; a fix is "
        "proven on a fresh boot only. The session survives: pfdoctor resume goes on",
        undo="none; save your work first",
    )


def _refused(result: Result) -> Blocked | None:
    """Return that there was no reboot; one that cut the session short succeeded."""
    if result.ok or result.status is ResultStatus.SIGNALED or not result.errors.strip():
        return None
    return Blocked("the reboot was refused", "reboot by hand, then: pfdoctor resume")


def _mask(result: Result) -> int:
    text = result.output.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _read(result: Result, case: Case) -> Reading:
    if result.command.argv != _TAINT:
        return Reading()
    if not result.output.strip().isdigit():
        return Reading()
    found = letters(_mask(result))
    facts = (fact("taint.letters", found, result, 1), fact("taint.mask", _mask(result), result, 1))
    if "D" in found:
        text = "The kernel died since it was booted (taint D): nothing is proven before a reboot"
        return Reading(facts=facts, findings=(finding(text, Mark.NEUTRAL, result, 1),))
    text = "The kernel did not die since it was booted: no reboot needed"
    if case.done("reboot"):
        text = "The machine was booted anew, and its new kernel is clean"
    return Reading(facts=facts, findings=(finding(text, Mark.GOOD, result, 1),))


TOOL: Final = Tool(
    id="reboot",
    purpose="starts the box afresh when its kernel has died once",
    risk=Risk.CRASH,
    needs_root=True,
    facts=("taint.letters", "taint.mask"),
    plan=_plan,
    read=_read,
    by_hand="systemctl reboot; where that hangs, SysRq: Alt+SysRq+S, U, B.",
)

TOOLS: Final = (TOOL,)
