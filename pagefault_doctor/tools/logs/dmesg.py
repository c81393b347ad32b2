"""dmesg: the kernel log of this boot."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.log import DMESG
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.logs.log_reading import log_reading
from pagefault_doctor.tools.permission import answered, is_refused
from pagefault_doctor.tools.tool import Tool, finding, remark

_TIME = regex(r"(?:<\d+>)?\[\s*(\d+)\.\d+\]")
_START_SECONDS: Final = 2.0


def command(tool: str, why: str) -> Command:
    """Return the dmesg command in the one form that util-linux and busybox both accept."""
    return Command(argv=("dmesg",), tool=tool, why=why)


def blocked(case: Case) -> Blocked:
    """Return why the kernel log is not readable, with the remedy."""
    if case.get("host.uid", -1) == 0:
        remedy = "in a container, run pfdoctor on the machine that hosts it"
    else:
        remedy = "run pfdoctor as root, or have root run: sysctl -w kernel.dmesg_restrict=0"
    return Blocked("the kernel does not let this user read its log", remedy)


def log_start(output: str) -> float | None:
    """Return the time of the first line with a timestamp, in whole seconds since boot."""
    # A log that has timestamps has one on nearly every line.
    match = next(filter(None, map(_TIME.match, output.splitlines()[:50])), None)
    return float(match.group(1)) if match else None


def has_lost_start(output: str) -> bool:
    """Return whether the first lines of the boot are missing: overwritten, or cleared."""
    start = log_start(output)
    return start is not None and start > _START_SECONDS


def is_complete(case: Case) -> bool:
    """Return whether the whole log of this boot was read."""
    results = case.done("dmesg")
    if not results:
        return any(log.source == DMESG for log in case.logs)
    return any(r.said_anything and r.ok and not has_lost_start(r.output) for r in results)


def plan(tool: str, why: str, case: Case) -> Command | Blocked | None:
    """Return the dmesg command once, then Blocked if it was refused."""
    done = case.done(tool)
    if not done:
        return command(tool, why)
    return blocked(case) if is_refused(done[-1]) else None


def _plan(case: Case) -> Command | Blocked | None:
    if case.has("given.log"):
        return None
    return plan("dmesg", "read what the kernel logged since it booted", case)


def _read(result: Result, case: Case) -> ToolReading:
    if is_refused(result):
        why = blocked(case)
        return remark(f"{why.reason}: {why.remedy}", result)
    if not result.said_anything:
        text = "dmesg printed nothing: the log was cleared, or this kernel keeps none"
        return remark(text, result)
    reading = log_reading(result, case, source=DMESG, boot="this boot")
    return ToolReading(findings=(*reading.findings, *_lost_start_finding(result)), log=reading.log)


def _lost_start_finding(result: Result) -> tuple[Finding, ...]:
    if not has_lost_start(result.output):
        return ()
    text = (
        f"The log begins {log_start(result.output):.0f} s after boot: what came before was "
        "overwritten or cleared, so the first fault may be missing"
    )
    return (finding(text, Mark.NEUTRAL, result, 1),)


TOOL: Final = Tool(
    id="dmesg",
    purpose="reads the kernel log of this boot",
    programs=("dmesg",),
    package={"": "util-linux"},
    facts=("log.lines",),
    plan=_plan,
    read=answered(_read),
    by_hand="Read /dev/kmsg as root, or journalctl -k -b, and look for the first BUG or Oops.",
)
