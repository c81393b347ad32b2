"""What is new in the kernel log: the evidence of the steps reproduce and validate."""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.log import DMESG, KernelLog
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.model.taint import letters
from pagefault_doctor.tools.arguments import is_log_of_this_boot
from pagefault_doctor.tools.logs import dmesg
from pagefault_doctor.tools.logs.log_delta import new_reports
from pagefault_doctor.tools.logs.log_reading import parse, report_finding
from pagefault_doctor.tools.module import taint
from pagefault_doctor.tools.permission import answered, is_refused
from pagefault_doctor.tools.reproduce import trigger
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

_BEFORE: Final = "dmesg-before"
_DELTA: Final = "dmesg-delta"
_AFTER: Final = "dmesg-after"

_INSERT: Final = "insmod-fixed"
_STRESS: Final = "stress-ng"
_MEMORY: Final = "memtester"
"""Tools that must have run in this step to prove a fix: their facts may be of an earlier pass."""

_FATAL: Final = ("insmod", "insmod-fixed", "trigger", "stress-ng", "rmmod")
"""Tools whose commands may crash the kernel; in the lab their errors hold the console output."""

_DAMAGE: Final = frozenset("MBDWL")
"""Taint flags that a fault sets; O and E only show that the module was inserted."""


def _baseline(case: Case) -> tuple[KernelLog, ...]:
    """Return the earlier logs of this boot: those that were read, and that of `dmesg-before`."""
    known = tuple(log for log in case.logs if is_log_of_this_boot(log, case))
    kept = (r for r in case.done(_BEFORE) if r.said_anything and not is_refused(r))
    return (*known, *(parse(result.output, DMESG) for result in kept))


def _is_same_fault(report: Report, main: Report) -> bool:
    if main.kind is Kind.OOM_KILL:  # Which process the kernel kills varies.
        return report.kind is main.kind
    if not main.is_kernel_fault:
        return report.kind is main.kind and report.comm == main.comm
    same_function = report.function is not None and report.function == main.function
    same_module = report.module is not None and report.module == main.module
    return report.title == main.title or same_function or same_module


def _faults(log: KernelLog, case: Case) -> list[Report]:
    """Return the new reports that count: of the kernel, and of the main report's kind."""
    main = case.main_report
    return [r for r in log.reports if r.is_kernel_fault or (main and r.kind is main.kind)]


def _reproduced(log: KernelLog, case: Case) -> bool:
    faults, main = _faults(log, case), case.main_report
    return any(main is None or _is_same_fault(report, main) for report in faults)


def _crash_logs(case: Case) -> tuple[KernelLog, ...]:
    """Return the consoles of lab guests that crashed during commands of this step."""
    results = (result for tool in _FATAL for result in case.done(tool))
    crashed = (r for r in results if r.exit_code is None and r.errors)
    return tuple(log for r in crashed if (log := parse(r.errors, r.command.text)).reports)


def _new_in_log(result: Result, known: tuple[KernelLog, ...], case: Case) -> KernelLog:
    """Return what is new in the log, or else the console of a guest that crashed in this step."""
    log = new_reports(parse(result.output, DMESG), known)
    return log if log.reports else next(iter(_crash_logs(case)), log)


def _read_before(result: Result, case: Case) -> ToolReading:
    if is_refused(result) or not result.said_anything:
        text = "The kernel log could not be noted: what is new later cannot be told from it"
    else:
        count = len(parse(result.output, DMESG).reports)
        text = f"The kernel log holds {count} report{'' if count == 1 else 's'} before"
    return remark(text, result)


def _incomparable(result: Result, known: tuple[KernelLog, ...]) -> ToolReading | None:
    """Return a reading with the reason why nothing in the log counts as new, or None."""
    if is_refused(result) or not result.said_anything:
        text = "The kernel log could not be read: whether anything is new is not known"
        return remark(text, result)
    text = (
        "The log of this boot was not read before: its reports may be old, "
        "so none of them counts as new"
    )
    return None if known else remark(text, result)


def _new_findings(log: KernelLog, result: Result) -> list[Finding]:
    origin = result.command.text
    return [report_finding(report, log, origin, "new in this boot") for report in log.reports[:12]]


def _read_delta(result: Result, case: Case) -> ToolReading:
    known = _baseline(case)
    if reading := _incomparable(result, known):
        return reading
    log = _new_in_log(result, known, case)
    reproduced = _reproduced(log, case)
    if reproduced:
        text, mark = "The fault came again", Mark.BAD
    elif log.reports:
        text, mark = "The kernel reported something new, but not the same fault", Mark.BAD
    elif _was_tried(case):
        text, mark = "The kernel reported nothing new", Mark.NEUTRAL
    else:
        text, mark = (
            "Nothing was triggered in this step, so nothing new was to be seen",
            Mark.NEUTRAL,
        )
    return ToolReading(
        facts=(
            fact("reproduce.tried", _was_tried(case), result),
            fact("reproduce.new_reports", len(log.reports), result),
            fact("reproduce.reproduced", reproduced, result),
        ),
        findings=(finding(text, mark, result), *_new_findings(log, result)),
        log=log,
    )


def _was_tried(case: Case) -> bool:
    """Return whether a command of this step could have made it fault again."""
    results = (result for tool in _FATAL for result in case.done(tool))
    return any(result.command.risk is not Risk.READ for result in results)


def _plan_after(case: Case) -> Command | Blocked | None:
    done = case.done(_AFTER)
    if not done:
        why = "see whether the kernel is tainted by more than before"
        return Command(argv=taint.ARGV, tool=_AFTER, why=why)
    if len(done) == 1:
        return dmesg.command(_AFTER, "see whether the kernel logged anything new")
    return dmesg.blocked(case) if is_refused(done[-1]) else None


def _read_after(result: Result, case: Case) -> ToolReading:
    if result.command.argv[:1] == ("cat",):
        return _read_taint(result, case)
    known = _baseline(case)
    if reading := _incomparable(result, known):
        verdict_fact = fact("validate.verdict", "inconclusive", result)
        return ToolReading(facts=(verdict_fact,), findings=reading.findings)
    log = _new_in_log(result, known, case)
    verdict, text, mark = _judge_fix(log, case)
    return ToolReading(
        facts=(
            fact("validate.new_reports", len(log.reports), result),
            fact("validate.verdict", verdict, result),
        ),
        findings=(*_new_findings(log, result), finding(text, mark, result)),
        log=log,
    )


def _read_taint(result: Result, case: Case) -> ToolReading:
    now = taint.parse_mask(result.output)
    if now is None:
        return remark("The taint flags could not be read", result)
    if not case.has("taint.mask"):
        return remark("The taint flags were not read before: what was added is not known", result)
    added = letters(now & ~case.get("taint.mask", 0))
    what = ", ".join(map(taint.meaning, added))
    text = f"Taint added: {what}" if added else "No taint was added"
    mark = Mark.BAD if _DAMAGE & set(added) else Mark.NEUTRAL if added else Mark.GOOD
    return ToolReading(
        facts=(fact("validate.taint_added", added, result, 1),),
        findings=(finding(text, mark, result, 1),),
    )


def _judge_fix(log: KernelLog, case: Case) -> tuple[str, str, Mark]:
    """Return the verdict, its text and its mark, from what is new and what was tried.

    A case about a program or about memory needs no module, but a rebuilt module must be tried.
    """
    main = case.main_report
    inserts = [r for r in case.done(_INSERT) if r.command.argv[:1] != ("cat",)]
    inserted = case.get("validate.inserted", False) and bool(case.done(_INSERT))
    if inserts and not inserted and _faults(log, case):
        return "not-fixed", "Not fixed: the fixed module faulted while it was loaded", Mark.BAD
    wanted = main is None or main.is_kernel_fault or case.has("fix.module_path")
    if wanted and not inserted:
        text = "Inconclusive: the fixed module was not inserted"
        return "inconclusive", text, Mark.NEUTRAL
    added = case.facts.get("validate.taint_added")
    damage = _DAMAGE & set(added.value) if added and isinstance(added.value, tuple) else set()
    if _faults(log, case):
        same = "the same fault came again" if _reproduced(log, case) else "another fault came up"
        return "not-fixed", f"Not fixed: {same} after the fix", Mark.BAD
    if damage:
        text = f"Not fixed: taint {''.join(sorted(damage))} came up, the kernel faulted or warned"
        return "not-fixed", text, Mark.BAD
    if case.get("memtest.failures", 0) and case.done(_MEMORY):
        return "inconclusive", "Inconclusive: the memory itself is faulty", Mark.BAD
    if not trigger.is_proven(case):
        text = "Inconclusive: the trigger was not run to its end after the fix"
        return "inconclusive", text, Mark.NEUTRAL
    if not case.has("stress.passed") or not case.done(_STRESS):
        text = "Inconclusive: no stress run was made after the fix"
        return "inconclusive", text, Mark.NEUTRAL
    if not case.get("stress.passed", False):
        text = "Inconclusive: the stress run did not pass, though the kernel reported nothing"
        return "inconclusive", text, Mark.NEUTRAL
    return "fixed", "Fixed: the stress run passed and no new fault came", Mark.GOOD


_PROGRAMS: Final = ("dmesg",)
_PACKAGE: Final = {"": "util-linux"}
_BY_HAND: Final = "Run dmesg before and after, and compare the two by time."

BEFORE: Final = Tool(
    id=_BEFORE,
    of_box=True,
    purpose="notes what the kernel log holds, to find later what is new",
    programs=_PROGRAMS,
    package=_PACKAGE,
    plan=partial(
        dmesg.plan, _BEFORE, "note what the log holds before, so that what is new can be told"
    ),
    read=answered(_read_before),
    by_hand=_BY_HAND,
)

DELTA: Final = Tool(
    id=_DELTA,
    of_box=True,
    purpose="checks whether the fault came again",
    programs=_PROGRAMS,
    package=_PACKAGE,
    facts=("reproduce.new_reports", "reproduce.reproduced", "reproduce.tried"),
    plan=partial(dmesg.plan, _DELTA, "see whether the kernel logged anything new"),
    read=answered(_read_delta),
    by_hand=_BY_HAND,
)

AFTER: Final = Tool(
    id=_AFTER,
    of_box=True,
    purpose="checks whether the fix holds: nothing new in the log, no new taint",
    programs=("dmesg", "cat"),
    package={"": "util-linux coreutils"},
    facts=("validate.new_reports", "validate.taint_added", "validate.verdict"),
    plan=_plan_after,
    read=answered(_read_after),
    by_hand=_BY_HAND,
)

TOOLS: Final = (BEFORE, DELTA, AFTER)
