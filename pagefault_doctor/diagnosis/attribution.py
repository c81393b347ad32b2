"""Whose code it is: the module to blame, and who has to act.

`?` frames are residue on the stack and are never blamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import dump_memory, freelist, function_roles
from pagefault_doctor.diagnosis.context import FIRST_ARGUMENT, Context
from pagefault_doctor.diagnosis.history import happens_without, lock_holder, waits_for_lock
from pagefault_doctor.diagnosis.rules import memory_pressure
from pagefault_doctor.diagnosis.unloaded_module import data_after_unload, use_after_unload
from pagefault_doctor.klog.guilty_function import is_uninformative
from pagefault_doctor.klog.skip_functions import CRASHING, EXCEPTION_ENTRY
from pagefault_doctor.model.diagnosis import Attribution, Evidence, RootCause
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame, Kind, Report

_CORE_DEPTH: Final = 3
"""Frames of the core that may lie between a fault and the module of the tree that caused it."""
_FEW: Final = 3
_MOST: Final = 50
"""Percent of the kernel's own objects that one slab cache has."""
_NEXT: Final = 3
"""Lines within which a report begins that goes on with the one before."""
_CALLERS: Final = 6
"""Frames within which a driver's call into its subsystem is looked for."""
_SHORTEST_NAME: Final = 4
"""The shortest module name, in letters, that a task counts as named after."""
_BAD_POINTER: Final = (
    Kind.PAGE_FAULT,
    Kind.NULL_POINTER,
    Kind.GENERAL_PROTECTION,
    Kind.USER_ACCESS,
)
_LOADING_OR_UNLOADING: Final = (
    ("+", ("do_one_initcall", "do_init_module"), "loaded"),
    ("-", ("_delete_module",), "unloaded"),
)
"""The mark of a module, the functions that call into it meanwhile, and what is done with it."""
_WAYS_BACK: Final = (
    ("link", "the return address lies there"),
    ("last_branch", "the last branch was there"),
)
"""Details that show where a call came from, and why."""
_REGISTER: Final = "register"
"""In the names of functions that take an object of their caller's into a list, or out of it."""
_WORK: Final = regex(r"\[([\w-]+)\]\s*$")
"""The module behind the name of a function."""

FIXED: Final = {
    RootCause.HARDWARE: Attribution.HARDWARE,
    RootCause.OOM: Attribution.MEMORY_PRESSURE,
    RootCause.USER_SPACE: Attribution.USER_SPACE,
    RootCause.NONE: Attribution.NONE,
}
"""Causes that alone decide who has to act."""


class Culprit(msgspec.Struct, frozen=True):
    """Who is to blame, with a sentence why."""

    attribution: Attribution
    module: str | None
    because: Evidence


def _module(name: str | None, text: str, line: int) -> Culprit:
    return Culprit(Attribution.MODULE, name, Evidence(text, 0.0, line))


def _of_work(report: Report) -> str | None:
    match = _WORK.search(report.workqueue or "")
    return match[1] if match else None


def _of_object(report: Report, what: str) -> Culprit | None:
    """Return the module that `freed` or `allocated` the object that a checker reports."""
    module = report.details.get(f"{what}_module")
    if module is None:
        return None
    by = report.details.get(f"{what}_by", "code")
    text = f"the object was {what} by {by} of {module}"
    return _module(module, text, report.line_of(f"{what}_by"))


def _of_mapping(report: Report) -> Culprit | None:
    """Return the module whose mmap made a mapping that is wrong (mm/memory.c, print_bad_pte)."""
    module = report.details.get("mapped_by_module")
    if module is None:
        return None
    text = f"the page was mapped by {module}"
    return _module(module, text, report.line_of("mapped_by_module"))


def _of_dump(context: Context) -> Culprit | None:
    """Return the module that freed or overran the object, as the dump has it."""
    found = dump_memory.responsible_module(context)
    if found is None:
        return None
    name, text = found
    evidence = Evidence(text, 0.0, None, dump_memory.source_command(context))
    return Culprit(Attribution.MODULE, name, evidence)


def _from_trace(report: Report) -> Culprit | None:
    """Return the module of the first frame that did more than carry the fault.

    What an interrupt interrupted had no part in it, so the trace ends with the stack it began on.
    """
    passed = 0
    stack = None
    for frame in report.frames:
        if stack and frame.context and frame.context != stack:
            return None
        stack = stack or frame.context
        if not frame.reliable:
            continue
        line = frame.line or report.line_of("trace")
        if frame.module:
            near = passed <= _CORE_DEPTH or frame.module in report.out_of_tree
            text = f"{frame.function} of {frame.module} led to the fault"
            return _module(frame.module, text, line) if near else None
        name = frame.function
        passed += not (function_roles.only_passes_on(name) or function_roles.is_entry_point(name))
    return None


def _of_cache(report: Report, context: Context) -> Culprit | None:
    """Return the module after which the slab cache is named that holds most of the memory.

    Memory then ran out because the module keeps what it allocates. A panic for lack of memory comes
    after the report that lists the caches.
    """
    if report.kind is not Kind.OOM_KILL and "out_of_memory" not in report.details:
        return None
    return next(filter(None, map(_cache_owner, (report, *context.others))), None)


def _cache_owner(report: Report) -> Culprit | None:
    name = report.details.get("largest_cache", "")
    part = int(report.details.get("largest_cache_percent", "0"))
    if part < _MOST or memory_pressure.kernels_own(report) < memory_pressure.MUCH:
        return None
    known = {m.name for m in report.modules} | {f.module for f in report.frames if f.module}
    module = next((m for m in sorted(known, key=len, reverse=True) if name.startswith(m)), None)
    if module is None:
        return None
    text = f"the slab cache {name} has {part} % of those objects, and is named after {module}"
    return _module(module, text, report.line_of("largest_cache"))


def _from_next(report: Report, context: Context) -> Culprit | None:
    """Return the module in the trace of the report right after a line that has no trace."""
    if report.frames or report.registers or report.is_words_alone:
        return None
    first = report.span.first_line
    near = (o for o in context.others if 0 < o.span.first_line - first <= _NEXT and o.frames)
    return next(filter(None, map(_from_trace, near)), None)


def _behind_exception(frames: list[Frame]) -> list[Frame]:
    """Return the frames from before the fault: some kernels print those of its handling first."""
    names = [(frame.function or "").partition(".")[0] for frame in frames]
    if not any(map(CRASHING.fullmatch, names[:1])):
        return frames
    entry = next((n for n, name in enumerate(names) if EXCEPTION_ENTRY.fullmatch(name)), None)
    return frames if entry is None else frames[entry + 1 :]


def _stack_top(report: Report, context: Context) -> Culprit | None:
    """Return the module that called to where no code is.

    A trace cannot be followed from there, so that all of it is doubtful (`?`). But a call leaves
    the way back on top of the stack, and what lies there comes first.
    """
    named = _behind_exception([frame for frame in report.frames if frame.function])
    if not context.is_jump or report.function or not named or any(f.reliable for f in named):
        return None
    top = named[0]
    if top.module is None:
        return None
    text = f"the call came from {top.function} of {top.module}: that lies on top of the stack"
    return _module(top.module, text, top.line or report.line_of("trace"))


def _of_link(report: Report, context: Context) -> Culprit | None:
    """Return the module that called to where no code is.

    The register with the way back shows it, or the branch that s390 took last.
    """
    for name, why in _WAYS_BACK if context.is_jump else ():
        caller = report.details.get(name, "")
        if match := _WORK.search(caller):
            text = f"the call came from {caller.partition('+')[0]} of {match[1]}: {why}"
            return _module(match[1], text, report.line_of(name))
    return None


def _caller_of_leaf(report: Report) -> Culprit | None:
    """Return the module that called the function that faulted, where that had called nothing yet.

    The register with the way back then still leads to the caller, of which the stack has no frame.
    """
    first = report.frames[0].function if report.frames and report.registers else None
    for detail, why in _WAYS_BACK if first else ():
        caller = report.details.get(detail, "")
        name, match = caller.partition("+")[0], _WORK.search(caller)
        if match and name != first:
            text = f"{name} of {match[1]} called {first}: {why}"
            return _module(match[1], text, report.line_of(detail))
    return None


def _return_into_modules(report: Report, context: Context) -> Culprit | None:
    """Return that the way back leads into a module, where s390 prints it as a number alone."""
    value = context.registers.get("r14", 0) if context.arch == "s390x" else 0
    if not context.is_module_area(value):
        return None
    foreign = report.out_of_tree
    text = f"the return address in R14, {value:#x}, lies in a module"
    line = context.register_line("r14") or report.line_of()
    return _module(foreign[0] if len(foreign) == 1 else None, text, line)


def _of_argument(report: Report, context: Context) -> Culprit | None:
    """Return the module whose object a call without a target was made with.

    Whoever keeps callbacks hands each of them the object that it was registered with.
    """
    name = FIRST_ARGUMENT.get(context.arch or "")
    value = context.registers.get(name, 0) if name else 0
    if not context.is_jump or not context.is_module_area(value):
        return None
    foreign = report.out_of_tree
    text = f"the call was made with {name} = {value:#x}, which lies in a module"
    line = context.register_line(name or "")
    return _module(foreign[0] if len(foreign) == 1 else None, text, line or report.line_of())


def _loading_or_unloading(report: Report) -> Culprit | None:
    """Return the module whose init or exit function was running, which the trace does not show.

    The function may have ended in a jump to another, and then it left no frame. The list of modules
    marks who is coming or going (`kernel/module/main.c`, module_flags).
    """
    # A compiler adds its marks: __do_sys_delete_module.constprop.0
    functions = [(frame.function or "").partition(".")[0] for frame in report.frames]
    for sign, callers, what in _LOADING_OR_UNLOADING:
        marked = [module.name for module in report.modules if sign in module.flags]
        if len(marked) == 1 and any(function.endswith(callers) for function in functions):
            text = f"{marked[0]} was just being {what}: the kernel had called its function for that"
            return _module(marked[0], text, report.line_of("modules"))
    if report.last_unloaded and "free_module" in functions:
        text = f"{report.last_unloaded} was just being removed"
        return _module(report.last_unloaded, text, report.line_of("modules"))
    return _exit_function(report)


def _exit_function(report: Report) -> Culprit | None:
    """Return that a module is to blame whose exit function ran, and whose name is not printed.

    The system call that removes a module does little itself: what is above it on the stack was
    called by the exit function, which left no frame where it ended in a jump.
    """
    if report.modules:
        return None
    for frame in (frame for frame in report.frames if frame.reliable):
        name = (frame.function or "").partition(".")[0]
        if name.endswith("_delete_module"):
            text = "the exit function of the module that was being removed led to it"
            return _module(None, text, frame.line or report.line_of("trace"))
        if not (function_roles.only_passes_on(name) or is_uninformative(name)):
            return None
    return None


def _only_foreign_module(report: Report, context: Context) -> Culprit | None:
    """Return the only module that is not part of the kernel, where memory was corrupted."""
    foreign = report.out_of_tree
    corrupted = report.kind in (Kind.REFCOUNT, Kind.SLAB, Kind.LIST_CORRUPTION, Kind.BAD_PAGE)
    corrupted = corrupted or freelist.is_broken(context)
    if len(foreign) == 1 and corrupted:
        text = f"{foreign[0]} is the only module that is not part of the kernel"
        return _module(foreign[0], text, report.line_of("modules"))
    return None


def _task(report: Report) -> Culprit | None:
    """Return the module that a hung task is named after: kernel threads bear its name."""
    if report.kind is not Kind.HUNG_TASK:
        return None
    name = report.comm or report.details.get("hung_task", "")
    known = {m.name for m in report.modules} | {f.module for f in report.frames if f.module}
    for module in sorted(known, key=len, reverse=True):
        if len(module) >= _SHORTEST_NAME and name.startswith(module):
            return _module(module, f"the task {name} is named after {module}", report.line_of())
    return None


def _unseen_caller(report: Report) -> Culprit | None:
    """Return that a module is to blame, where the trace ends before whoever passed the pointer.

    Modules are likelier than the core, those from outside the tree most; with many modules of the
    tree loaded, that proves too little.
    """
    if report.kind not in _BAD_POINTER or report.function is None:
        return None
    named = (report.function, *(f.function for f in report.frames if f.reliable))
    if not all(function_roles.only_passes_on(function) for function in named):
        return None
    foreign = report.out_of_tree
    if "O" not in (report.tainted or ()) and not 0 < len(report.modules) <= _FEW:
        return None
    name = foreign[0] if len(foreign) == 1 else None
    text = f"{report.function} was handed a bad pointer, and the caller is not shown"
    return _module(name, f"{text}: a module, likely", report.line_of("function"))


def _checked_call(report: Report) -> Culprit | None:
    if "indirect_branch_check" in report.details and "O" in (report.tainted or ()):
        name = report.module or (report.out_of_tree[0] if len(report.out_of_tree) == 1 else None)
        text = "only a module from outside the kernel calls through such a pointer"
        return _module(name, text, report.line_of("indirect_branch_check"))
    return None


def _module_of_lock_holder(report: Report, context: Context) -> Culprit | None:
    """Return the module of the task that likely holds what a hung task waits for."""
    other = lock_holder(report, context.others)
    found = other and (other.module or next((f.module for f in other.frames if f.module), None))
    if not other or not found:
        return None
    text = f"{report.comm or 'the task'} waits for a lock; {other.comm or other.function}, which "
    text += f"hung as well, waits for none: it likely holds it, in {other.function} of {found}"
    return _module(found, text, other.line_of("headline"))


def _suspects(report: Report, context: Context) -> Iterator[Culprit | None]:
    yield _of_cache(report, context)
    gone = use_after_unload(context)
    if gone:
        yield _module(gone.module, f"{gone.why}, and its code was still called", gone.line)
    left = data_after_unload(context)
    # The names of modules of the tree stay there long after they were removed.
    foreign = "O" in report.details.get("last_unloaded_flags", "")
    if left and (report.module is None or foreign):
        yield _module(left.module, f"{left.why}, and what it left behind was used", left.line)
    yield _of_object(report, "freed")
    yield _of_dump(context)
    yield _of_mapping(report)
    yield _module_of_lock_holder(report, context)
    if report.module and waits_for_lock(report):
        text = f"{report.function} of {report.module} waits for a lock: who holds it is not shown"
        yield _module(report.module, text, report.line_of("function"))
    if report.module:
        text = f"the fault is in {report.function or 'code'} of {report.module}"
        yield _module(report.module, text, report.line_of("function"))
    yield _checked_call(report)
    yield _of_link(report, context)
    yield _caller_of_leaf(report)
    yield _stack_top(report, context)
    # Who asks a damaged allocator for memory has not damaged it.
    if not freelist.is_broken(context):
        yield _from_trace(report)
        yield _from_next(report, context)
        yield _loading_or_unloading(report)
        yield _return_into_modules(report, context)
        yield _of_argument(report, context)
    yield _of_object(report, "allocated")
    work = _of_work(report)
    if work:
        yield _module(work, f"the work that faulted belongs to {work}", report.line_of("workqueue"))
    yield _task(report)
    yield _only_foreign_module(report, context)
    yield _unseen_caller(report)


def _user_of(suspect: Culprit, report: Report) -> Culprit | None:
    """Return the module that called into the one of a suspect and is likelier at fault, or None.

    That is the driver that called its subsystem, which many others use and test; or a module that
    was coming or going, and handed its own object over.
    """
    name = suspect.module
    if name is None or report.kind is Kind.HUNG_TASK or suspect.because.line is None:
        return None
    stack = [frame for frame in report.frames if frame.reliable]
    # The instruction that faulted is printed before the stack, so without the name of one.
    own = next((frame.context for frame in stack if frame.context), None)
    called = None
    for frame in stack[: _CALLERS + 1]:
        if frame.context and frame.context != own:
            return None
        if frame.module == name:
            called = frame
        elif frame.module:
            return _caller(frame, called, report, in_first=name in {report.module, stack[0].module})
    return None


def _caller(
    frame: Frame, called: Frame | None, report: Report, *, in_first: bool
) -> Culprit | None:
    """Return the module of a frame where it is likelier at fault than that of the one it called."""
    module, into = frame.module or "", (called.module if called else report.module) or ""
    line = frame.line or report.line_of("trace")
    if called and _REGISTER in (called.function or "") and _is_coming_or_going(module, report):
        text = f"{frame.function} of {module} handed its own object to {called.function} of {into}"
        return _module(module, text, line)
    if in_first and function_roles.calls_into(module, into, report):
        text = f"{frame.function} of {module} called into {into}, which many drivers use"
        return _module(module, text, line)
    return None


def _is_coming_or_going(name: str, report: Report) -> bool:
    """Whether a module was being loaded or unloaded."""
    signs = {sign for sign, _, _ in _LOADING_OR_UNLOADING}
    return any(m.name == name and signs & set(m.flags) for m in report.modules)


def decides(report: Report, context: Context, culprit: Culprit) -> bool:
    """Whether it is known who has to act on a lack of memory: the one who holds it."""
    found = _of_cache(report, context)
    return found is not None and found.module == culprit.module


def attribute(report: Report, context: Context) -> Culprit:
    """Return who has to act on the report: a module where one is involved, else the kernel."""
    because = Evidence("no module is in the trace", 0.0, report.line_of("trace"))
    for suspect in _suspects(report, context):
        if suspect is None:
            continue
        if suspect.module and happens_without(suspect.module, report, context.history):
            text = f"{suspect.module} was not loaded when the same came in another boot"
            because = Evidence(text, 0.0, report.line_of("headline"))
            continue
        return _user_of(suspect, report) or suspect
    return Culprit(Attribution.KERNEL, None, because)
