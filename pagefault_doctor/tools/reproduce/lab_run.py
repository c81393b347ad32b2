"""The fault of another machine's log, in the lab: the module is built, loaded and triggered there.

In the step reproduce it shows whether the fault comes back, and stops it at the line with gdb; in
the step validate whether the changed source still faults, on the same kernel and by the same
trigger. The guests are virtual machines; nothing is loaded into the machine commands run on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Fact, Finding, Mark, Source
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import first_path, reported_release
from pagefault_doctor.tools.debug.gdb_live import facts_of, stop_from, stop_sentences
from pagefault_doctor.tools.module.module_name import is_module_name
from pagefault_doctor.tools.reproduce import lab_trigger
from pagefault_doctor.tools.reproduce.lab_answer import (
    RUN,
    LabAnswer,
    LabFault,
    answer_of,
    build_error,
    complaint,
    kernel_of,
)
from pagefault_doctor.tools.reproduce.lab_kernel import LabKernel, Listing, listing, nearest
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

FAULTY: Final = "lab-run"
FIXED: Final = "lab-run-fixed"


_IN_TREE: Final = "--in-tree"
_FEWEST: Final = 3
"""Guests in one run."""
_MOST: Final = 30
_MOST_BUILDS: Final = 3
"""Kernels that a source is built for, until it is given up."""
_CHANCE: Final = 0.05
"""How likely it may be that a fault that is still there does not show."""
_BOOT: Final = (15, 40)
"""Seconds that a guest takes, on an idle machine and on a busy one; gdb takes one more."""
_LONGEST: Final = 180.0
_FETCH: Final = 3600.0
_OPTION: Final = regex(r"[\w.,:=/@+~-]{1,200}")

_NO_FAULT: Final = Blocked(
    "the module did not fault in the lab", "give another trigger: --trigger 'COMMAND'"
)

_FREED: Final = frozenset(
    {
        *(RootCause.USE_AFTER_FREE, RootCause.DOUBLE_FREE, RootCause.OUT_OF_BOUNDS),
        *(RootCause.LIST_CORRUPTION, RootCause.WILD_POINTER),
    }
)
"""Causes that SLUB's own checks make visible: `Documentation/mm/slab.rst`, slab_debug."""


def _plan_faulty(case: Case) -> Command | Blocked | None:
    """List the kernels, look for a trigger, fetch the nearest kernel, let the module fault."""
    if not _is_elsewhere(case) or case.get("verdict.attribution", "") != "module":
        return None
    module, done = _module_options(case), case.done(FAULTY)
    if isinstance(module, Blocked):
        return module
    if not done:
        argv = ("pfdoctor", "lab", "kernels", "list", "--json")
        return Command(argv=argv, tool=FAULTY, why="see which kernels the lab has")
    if len(done) == 1 and (look := lab_trigger.search(FAULTY, case)):
        return look
    triggers = lab_trigger.lines(case, done, is_of_package=module[0] == _IN_TREE)
    return triggers if isinstance(triggers, Blocked) else _fetch_or_run(module, triggers, case)


def _fetch_or_run(
    module: tuple[str, ...], triggers: tuple[str, ...], case: Case
) -> Command | Blocked | None:
    done = case.done(FAULTY)
    tried = tuple(result for result in done if _is_run(result) and _module_of(result) == module)
    unbuilt = tuple(kernel_of(result) for result in tried if build_error(result) is not None)
    kernel = _kernel(case, done[0], unbuilt)
    if unbuilt and (kernel is None or not kernel.is_here or len(unbuilt) >= _MOST_BUILDS):
        return _does_not_build(unbuilt)
    if kernel is None:
        return Blocked("the lab has no kernel to boot", "pfdoctor lab kernels shows what it lacks")
    fetched = next((result for result in done if _is_fetch(result)), None)
    if fetched and not fetched.ok:
        reason = f"{kernel.name} was not fetched: {complaint(fetched)}"
        return Blocked(reason, "enter the step again")
    if not kernel.is_here and not fetched:
        return _fetch(kernel, case)
    ran = tried and done[-1] is tried[-1] and kernel_of(done[-1]) not in unbuilt
    if ran and not lab_trigger.is_new(case, done[-1]):
        return _after(done[-1], case)
    options = tuple(word for line in triggers for word in ("--trigger", line))
    return _run_faulty((*module, "--kernel", kernel.name, *options), case)


def _after(run: Result, case: Case) -> Blocked | None:
    if answer_of(run) is None:
        return Blocked(f"the lab gave no answer: {complaint(run)}", "pfdoctor lab doctor tells why")
    return None if case.get("lab.faults", 0) else _NO_FAULT


def _does_not_build(kernels: tuple[str, ...]) -> Blocked:
    return Blocked(
        f"the source does not build for the lab's kernels {', '.join(kernels)}",
        "give the version of it that ran on that machine, or mend its errors: --source-dir DIR",
    )


def _plan_fixed(case: Case) -> Command | None:
    """Run what faulted before, with the source as it is now."""
    before = case.facts.get("lab.command")
    if not _is_elsewhere(case) or case.done(FIXED) or not case.get("lab.faults", 0):
        return None
    argv = before.value if before and isinstance(before.value, tuple) else ()
    if argv[: len(RUN)] != RUN or "--repeat" not in argv:
        return None
    place, times = argv.index("--repeat"), _times(case)
    options = tuple(word for word in argv[len(RUN) : place] if word != "--gdb")
    return _run(FIXED, options, times, f"whether the changed module still faults: {_odds(case)}")


def _is_elsewhere(case: Case) -> bool:
    return case.get("log.of", "") == ANOTHER_MACHINE


def _is_fetch(result: Result) -> bool:
    return "fetch" in result.command.argv[:4]


def _is_run(result: Result) -> bool:
    return result.command.argv[: len(RUN)] == RUN


def _module_of(result: Result) -> tuple[str, ...]:
    return result.command.argv[len(RUN) : len(RUN) + 2]


def _module_options(case: Case) -> tuple[str, ...] | Blocked:
    """Return what to load: the person's source, else the module of that kernel's package."""
    if source := first_path(case, "given.source_dir"):
        return ("--source", source)
    if (suspect := case.suspect) and _is_in_tree(suspect, case):
        return (_IN_TREE, suspect)
    return Blocked(
        f"the source of {suspect or 'the module'} is not known",
        "name the folder that holds it: --source-dir DIR",
    )


def _is_in_tree(module: str, case: Case) -> bool:
    # The list is only read where a module has no source.
    from pagefault_doctor.symbols.in_tree import path_of

    report = case.main_report
    foreign = report is not None and module in report.out_of_tree
    return not foreign and is_module_name(module) and path_of(module) is not None


def _kernel(case: Case, listed: Result, without: tuple[str, ...] = ()) -> LabKernel | None:
    """Return the kernel nearest to the log's; once a build failed, the next of those here."""
    there = listing(listed.output)
    if there and without:
        there = Listing(tuple(each for each in there.kernels if each.name not in without))
    release, drivers = reported_release(case) or "", not case.has("given.source_dir")
    return nearest(release, there, drivers=drivers) if there else None


def _fetch(kernel: LabKernel, case: Case) -> Command:
    release = reported_release(case) or "the log's kernel"
    return Command(
        argv=("pfdoctor", "lab", "kernels", "fetch", kernel.name, "--yes"),
        tool=FAULTY,
        risk=Risk.CHANGE,
        timeout=_FETCH,
        why=f"fetch {kernel.name}, the nearest to {release}, some 200 MB, into pfdoctor's cache; "
        "nothing is installed",
        undo=f"pfdoctor lab kernels remove {kernel.name}",
    )


def _run_faulty(options: tuple[str, ...], case: Case) -> Command:
    checks = ("--slub-debug",) if case.get("verdict.root_cause", "") in _FREED else ()
    given = case.get("given.kernel_args", "").split()
    args = tuple(f"--kernel-arg={word}" for word in given if _OPTION.fullmatch(word))
    question = "whether the module faults there too"
    return _run(FAULTY, (*options, *checks, *args), _FEWEST, question)


def _run(tool: str, options: tuple[str, ...], times: int, question: str) -> Command:
    gdb = ("--gdb",) if tool == FAULTY else ()
    guests = times + len(gdb)
    low, high = (math.ceil(guests * seconds / 60) for seconds in _BOOT)
    return Command(
        argv=(*RUN, *options, *gdb, "--repeat", str(times), "--json"),
        tool=tool,
        risk=Risk.LOAD,
        timeout=_LONGEST * guests + 300.0,
        why=f"see {question}; {guests} virtual machines one after the other, {low} to {high} min",
    )


def _times(case: Case) -> int:
    """Return in how many guests a fix is tried, so that luck is unlikely."""
    faults, runs = case.get("lab.faults", 0), case.get("lab.runs", 0)
    if not 0 < faults < runs:
        return _FEWEST
    wanted = math.ceil(math.log(_CHANCE) / math.log(1 - faults / runs))
    return min(max(wanted, _FEWEST), _MOST)


def _odds(case: Case) -> str:
    faults, runs = case.get("lab.faults", 0), case.get("lab.runs", 0)
    return f"before the change it faulted in {faults} of {runs} guests"


def _read(
    read_answer: Callable[[LabAnswer, Result, Case], ToolReading], result: Result, case: Case
) -> ToolReading:
    if "list" in result.command.argv[:4]:
        return _read_listing(result, case)
    if lab_trigger.is_search(result):
        return _read_trigger(result, case)
    if _is_fetch(result):
        return remark("The kernel is here now", result) if result.ok else ToolReading()
    answer = answer_of(result)
    if (error := build_error(result)) is not None:
        text = f"The source does not build for {kernel_of(result)}: {error}"
        return ToolReading(findings=(finding(text, Mark.BAD, result),))
    if answer is None:
        return remark(f"The lab gave no answer: {complaint(result)}", result)
    return read_answer(answer, result, case)


def _read_trigger(result: Result, case: Case) -> ToolReading:
    """Return what is proposed as a trigger, by the report and by the search of the source."""
    trigger = lab_trigger.proposed(case, (result,))
    if trigger is None:
        text = "The report does not tell what made it fault: the module is only loaded"
        return remark(text, result)
    told = "; ".join(trigger.commands) or "loading the module is enough"
    text = f"To make it fault again: {told} ({trigger.because.rstrip('.')})"
    source = Source(case.main_log.source if case.main_log else "", trigger.line)
    facts = (Fact("lab.trigger", "; ".join(trigger.commands), source),)
    return ToolReading(facts=facts, findings=(Finding(text, Mark.NEUTRAL, source),))


def _read_listing(result: Result, case: Case) -> ToolReading:
    kernel, release = _kernel(case, result), reported_release(case)
    if kernel is None:
        return ToolReading()
    text = f"The log does not tell its kernel; the lab takes {_named(kernel)}"
    if kernel.release == release:
        text = f"The lab has the kernel of the log, {release}"
    elif release:
        text = f"The log is of {release}; the nearest kernel of the lab is {_named(kernel)}"
    said = remark(text, result)
    if case.has("given.source_dir") or case.has("given.trigger"):
        return said
    if not lab_trigger.tells(lab_trigger.proposed(case, ())):
        return said
    trigger = _read_trigger(result, case)
    return ToolReading(facts=trigger.facts, findings=(*said.findings, *trigger.findings))


def _named(kernel: LabKernel) -> str:
    return kernel.release or f"{kernel.name}, which has to be fetched"


def _read_faulty(answer: LabAnswer, result: Result, case: Case) -> ToolReading:
    lab, shown = answer.lab, answer.shown
    same = shown is not None and lab.reproduced > 0 and _is_same(shown, case)
    facts = (
        fact("reproduce.reproduced", same, result),
        fact("reproduce.new_reports", lab.reproduced, result),
        fact("lab.kernel", lab.release, result),
        fact("lab.runs", lab.runs, result),
        fact("lab.faults", lab.reproduced, result),
        fact("lab.command", result.command.argv, result),
        *_stop_facts(answer, result),
    )
    return ToolReading(facts=facts, findings=tuple(_faulty_findings(answer, result, case, same)))


def _faulty_findings(
    answer: LabAnswer, result: Result, case: Case, same: bool
) -> Iterator[Finding]:
    lab, shown = answer.lab, answer.shown
    where = f"in the lab, on {lab.release}"
    if lab.reproduced == 0 or shown is None:
        text = f"It did not fault {where}, in {lab.runs} guests: it may need another trigger"
        yield finding(text, Mark.NEUTRAL, result)
    else:
        title = shown.shown_title
        text = f"It faults {where}, in {lab.reproduced} of {lab.runs} guests: {title}"
        yield finding(text, Mark.BAD, result)
        report = case.main_report
        if not same and report:
            text = f"That is another fault than the log's, which is: {report.title}"
            yield finding(text, Mark.NEUTRAL, result)
    if stop := stop_from(lab.gdb):
        yield from (finding(text, mark, result) for text, mark in stop_sentences(stop))
    for note in () if lab.reproduced else lab.first_notes:
        yield finding(note, Mark.NEUTRAL, result)


def _is_same(shown: LabFault, case: Case) -> bool:
    report = case.main_report
    if report is None:
        return True
    return shown.title == report.title or (
        report.function is not None and shown.function == report.function
    )


def _stop_facts(answer: LabAnswer, result: Result) -> tuple[Fact, ...]:
    stop = stop_from(answer.lab.gdb)
    return tuple(fact(n, v, result) for n, v in facts_of(stop).items()) if stop else ()


def _read_fixed(answer: LabAnswer, result: Result, case: Case) -> ToolReading:
    verdict, text, mark = _judge(answer, case)
    facts = (
        fact("validate.verdict", verdict, result),
        fact("validate.new_reports", answer.lab.reproduced, result),
        fact("validate.inserted", True, result),
    )
    return ToolReading(facts=facts, findings=(finding(text, mark, result),))


def _judge(answer: LabAnswer, case: Case) -> tuple[str, str, Mark]:
    """Return the verdict on the changed module, its text and its mark."""
    lab, shown = answer.lab, answer.shown
    if lab.reproduced:
        title = f": {shown.shown_title}" if shown else ""
        text = f"Not fixed: it faults in {lab.reproduced} of {lab.runs} guests{title}"
        return "not-fixed", text, Mark.BAD
    if not case.get("fix.changed", False):
        text = f"It did not fault in {lab.runs} guests, but the source was not changed"
        return "inconclusive", text, Mark.NEUTRAL
    if lab.notes:
        text = f"Not proven: {lab.first_notes[0]}"
        return "inconclusive", text, Mark.NEUTRAL
    seen = f"{_odds(case)}; with the change in none of {lab.runs}"
    if case.get("verdict.root_cause", "") in _FREED:
        why = "that proves no fix of this cause, for a use that does no harm is not seen"
        return "inconclusive", f"It did not fault: {seen}; {why}", Mark.NEUTRAL
    return "fixed", f"Fixed: {seen}", Mark.GOOD


_LAB_FACTS: Final = ("lab.kernel", "lab.runs", "lab.faults", "lab.command", "lab.trigger")
_DEBUG_FACTS: Final = ("debug.file", "debug.line", "debug.instruction", "debug.pointer")


_PFDOCTOR: Final = ("pfdoctor",)
_PACKAGE: Final = {"": "pagefault-doctor"}

TOOLS: Final = (
    Tool(
        id=FAULTY,
        purpose="lets the module fault in a virtual machine, on the kernel nearest to the log's",
        programs=_PFDOCTOR,
        package=_PACKAGE,
        risk=Risk.LOAD,
        facts=("reproduce.reproduced", "reproduce.new_reports", *_LAB_FACTS, *_DEBUG_FACTS),
        plan=_plan_faulty,
        read=partial(_read, _read_faulty),
        by_hand="pfdoctor lab run --source DIR --kernel NAME --trigger 'COMMAND'",
    ),
    Tool(
        id=FIXED,
        purpose="tries the changed module in virtual machines, with the same trigger",
        programs=_PFDOCTOR,
        package=_PACKAGE,
        risk=Risk.LOAD,
        facts=("validate.verdict", "validate.new_reports", "validate.inserted"),
        plan=_plan_fixed,
        read=partial(_read, _read_fixed),
        by_hand="The same once the source is changed: pfdoctor lab run --source DIR --repeat 3",
    ),
)
