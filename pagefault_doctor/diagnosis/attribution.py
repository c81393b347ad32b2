"""Whose code it is: the module to blame, and who has to act.

`?` frames are residue on the stack and are never blamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import bystander, callbacks, dump_memory, freelist, function_roles
from pagefault_doctor.diagnosis.callers import (
    caller_of_leaf,
    loading_or_unloading,
    of_argument,
    of_link,
    of_loader,
    of_sleeper,
    of_watchdog,
    return_into_modules,
    stack_top,
    user_of,
)
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.culprit import BEHIND_NAME, Culprit, blame
from pagefault_doctor.diagnosis.history import happens_without, lock_holder, waits_for_lock
from pagefault_doctor.diagnosis.provenance import is_unknown
from pagefault_doctor.diagnosis.rules import memory_pressure
from pagefault_doctor.diagnosis.unloaded_module import (
    data_after_unload,
    data_of_nobody,
    left_in_list,
    use_after_unload,
)
from pagefault_doctor.model.diagnosis import Attribution, Evidence, RootCause
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.symbols import in_tree

_CORE_DEPTH: Final = 3
"""Frames of the core that may lie between a fault and the module of the tree that caused it."""
_FEW: Final = 3
_MOST: Final = 50
"""Percent of the kernel's own objects that one slab cache has."""
_NEXT: Final = 3
"""Lines within which a report begins that goes on with the one before."""
_SHORTEST_NAME: Final = 4
"""The shortest module name, in letters, that a task counts as named after."""
_BELOW: Final = ("cfg80211", "mac80211", "rfkill", "libarc4")
"""Modules that are no driver, of those that a wireless driver needs."""
_ONLY_ONE: Final = 0.75
"""How likely it is the only driver from outside, where none of the tree is loaded."""
_GUESSED: Final = 0.8
"""How likely it is the first module on a stack of which nothing is certain."""
_HANGS: Final = (Kind.LOCKUP, Kind.STALL, Kind.PANIC)
_BAD_POINTER: Final = (
    Kind.PAGE_FAULT,
    Kind.NULL_POINTER,
    Kind.GENERAL_PROTECTION,
    Kind.USER_ACCESS,
)

_WAITING_FOR_IO: Final = (
    *("io_schedule", "bit_wait_io", "wait_on_page_bit", "folio_wait_bit", "__wait_on_buffer"),
    *("jbd2_log_wait_commit", "jbd2_journal_commit", "xlog_", "xfs_log_force", "xfs_buf_iowait"),
    *("submit_bio_wait", "blk_execute_rq", "rpc_wait_bit", "nfs_wait_", "md_super_wait"),
)
"""How the names of functions begin that wait until what they asked a device or a server for is done
(`kernel/sched/core.c`, `mm/filemap.c`, `fs/jbd2`, `fs/xfs`, `block`, `net/sunrpc`)."""

FIXED: Final = {
    RootCause.HARDWARE: Attribution.HARDWARE,
    RootCause.OOM: Attribution.MEMORY_PRESSURE,
    RootCause.USER_SPACE: Attribution.USER_SPACE,
    RootCause.NONE: Attribution.NONE,
}
"""Causes that alone decide who has to act."""


def _of_work(report: Report) -> str | None:
    match = BEHIND_NAME.search(report.workqueue or "")
    return match[1] if match else None


def _of_object(report: Report, what: str) -> Culprit | None:
    """Return the module that `freed` or `allocated` the object that a checker reports."""
    module = report.details.get(f"{what}_module")
    if module is None:
        return None
    by = report.details.get(f"{what}_by", "code")
    text = f"the object was {what} by {by} of {module}"
    return blame(module, text, report.line_of(f"{what}_by"))


def _of_mapping(report: Report) -> Culprit | None:
    """Return the module whose mmap made a mapping that is wrong (mm/memory.c, print_bad_pte)."""
    module = report.details.get("mapped_by_module")
    if module is None:
        return None
    text = f"the page was mapped by {module}"
    return blame(module, text, report.line_of("mapped_by_module"))


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
            is_next = frame.offset == 0 and frame is not report.frames[0]
            where = f"code before {frame.function}" if is_next else frame.function
            text = f"{where} of {frame.module} led to the fault"
            return blame(frame.module, text, line) if near else None
        name = frame.function
        passed += not (function_roles.only_passes_on(name) or function_roles.is_entry_point(name))
    return None


def _from_unsure_trace(report: Report) -> Culprit | None:
    """Return the first module of a trace in which every frame has the mark of a guess.

    Without frame pointers, x86 could not do better until it had ORC (4.14): what is on the stack is
    all there is (`arch/x86/kernel/unwind_guess.c`, `print_context_stack` before it).
    """
    stack = report.frames[0 if report.is_call else 1 :]
    if any(frame.reliable for frame in stack):
        return None
    frame = next((f for f in stack[: _CORE_DEPTH + 1] if f.module), None)
    if frame is None or not frame.module:
        return None
    text = f"{frame.function} of {frame.module} led to the fault, as far as the stack tells"
    found = blame(frame.module, text, frame.line or report.line_of("trace"))
    return msgspec.structs.replace(found, share=_GUESSED)


def _of_cache(report: Report, context: Context) -> Culprit | None:
    """Return the module after which the slab cache is named that holds most of the memory.

    Memory then ran out because the module keeps what it allocates. A panic for lack of memory comes
    after the report that lists the caches.
    """
    if report.kind is not Kind.OOM_KILL and "out_of_memory" not in report.details:
        return None
    return next(filter(None, map(_cache_owner, (report, *context.others))), None)


def _named_after(cache: str, report: Report) -> str | None:
    """Return the module after which a slab cache is named, by the start of its name."""
    known = {m.name for m in report.modules} | {f.module for f in report.frames if f.module}
    named = (m for m in known if len(m) >= _SHORTEST_NAME and cache.startswith(m))
    return max(named, key=len, default=None)


def _of_own_cache(report: Report) -> Culprit | None:
    """Return the module whose slab cache an object was of, was freed to, or was copied from."""
    for name in ("cache", "usercopy_cache"):
        cache = report.details.get(name, "")
        if module := _named_after(cache, report):
            text = f"the slab cache {cache} is named after {module}"
            return blame(module, text, report.line_of(name))
    return None


def _cache_owner(report: Report) -> Culprit | None:
    name = report.details.get("largest_cache", "")
    part = int(report.details.get("largest_cache_percent", "0"))
    if part < _MOST or memory_pressure.kernels_own(report) < memory_pressure.MUCH:
        return None
    module = _named_after(name, report)
    if module is None:
        return None
    text = f"the slab cache {name} has {part} % of those objects, and is named after {module}"
    return blame(module, text, report.line_of("largest_cache"))


def _from_next(report: Report, context: Context) -> Culprit | None:
    """Return the module in the trace of the report right after a line that has no trace."""
    if report.frames or report.registers or report.is_words_alone:
        return None
    first = report.span.first_line
    near = (o for o in context.others if 0 < o.span.first_line - first <= _NEXT and o.frames)
    return next(filter(None, map(_from_trace, near)), None)


def _task(report: Report) -> Culprit | None:
    """Return the module that a hung task is named after: kernel threads bear its name."""
    if report.kind is not Kind.HUNG_TASK:
        return None
    name = report.comm or report.details.get("hung_task", "")
    known = {m.name for m in report.modules} | {f.module for f in report.frames if f.module}
    for module in sorted(known, key=len, reverse=True):
        if len(module) >= _SHORTEST_NAME and name.startswith(module):
            return blame(module, f"the task {name} is named after {module}", report.line_of())
    return None


def _waits_for_io(report: Report) -> Culprit | None:
    """Return that nobody is named where a task hangs because a disk or a server does not answer.

    File systems and drivers of the tree are then in the trace because they asked for it.
    """
    stack = [frame for frame in report.frames if frame.reliable]
    foreign = {report.module, *(f.module for f in stack)} & set(report.out_of_tree)
    if report.kind is not Kind.HUNG_TASK or foreign:
        return None
    waits = (frame for frame in stack if (frame.function or "").startswith(_WAITING_FOR_IO))
    if (frame := next(waits, None)) is None:
        return None
    text = f"{frame.function} waits for a disk or a server that does not answer"
    line = frame.line or report.line_of("trace")
    return Culprit(Attribution.KERNEL, None, Evidence(text, 0.0, line))


def _unseen_caller(report: Report, context: Context) -> Culprit | None:
    """Return that a module is to blame, where the trace ends before whoever passed the pointer.

    Modules are likelier than the core, those from outside the tree most; with many modules of the
    tree loaded, that proves too little. What reads and writes for a program calls a driver.
    """
    if report.kind not in _BAD_POINTER or report.function is None or freelist.is_broken(context):
        return None
    named = (report.function, *(f.function for f in report.frames if f.reliable))
    for function in named:
        is_entry = context.is_user_area and function_roles.is_entry_point(function)
        if not (is_entry or function_roles.only_passes_on(function)):
            return None
    foreign = report.out_of_tree
    if "O" not in (report.tainted or ()) and not 0 < len(report.modules) <= _FEW:
        return None
    name = foreign[0] if len(foreign) == 1 else None
    text = f"{report.function} was handed a bad pointer, and the caller is not shown"
    return blame(name, f"{text}: a module, likely", report.line_of("function"))


def _driver_below(report: Report) -> Culprit | None:
    """Return the only driver of a layer whose check failed, where the trace does not show it.

    cfg80211 and the like check in a work of their own what a driver told them before.
    """
    folder = function_roles.serves(report.module)
    stack = {frame.module for frame in report.frames if frame.reliable and frame.module}
    if folder is None or report.kind is not Kind.WARNING or stack - {report.module, *_BELOW}:
        return None
    loaded = (in_tree.path_of(m.name) for m in report.modules if m.name not in _BELOW)
    if len(report.out_of_tree) != 1 or any((path or "").startswith(folder) for path in loaded):
        return None
    name = report.out_of_tree[0]
    text = f"{report.module} checks what drivers tell it, and {name} is the only one from outside"
    return msgspec.structs.replace(blame(name, text, report.line_of("modules")), share=_ONLY_ONE)


def _target_of_check(report: Report) -> Culprit | None:
    """Return the module from outside that a function is of whose type the caller does not expect.

    The caller's type is that of the kernel's own headers (`kernel/cfi.c`, report_cfi_failure).
    """
    target = BEHIND_NAME.search(report.details.get("cfi_target", ""))
    if target is None or not (target[1] in report.out_of_tree or is_unknown(target[1], report)):
        return None
    text = f"a function of {target[1]} has another type than this kernel calls it by"
    return blame(target[1], text, report.line_of("cfi_target"))


def _checked_call(report: Report) -> Culprit | None:
    target = BEHIND_NAME.search(report.details.get("missing_endbr", ""))
    if target:
        text = f"{target[1]} was built without the marks of functions that this kernel checks"
        return blame(target[1], text, report.line_of("missing_endbr"))
    if "indirect_branch_check" in report.details and "O" in (report.tainted or ()):
        name = report.module or (report.out_of_tree[0] if len(report.out_of_tree) == 1 else None)
        text = "only a module from outside the kernel calls through such a pointer"
        return blame(name, text, report.line_of("indirect_branch_check"))
    return None


def _module_of_lock_holder(report: Report, context: Context) -> Culprit | None:
    """Return the module of the task that likely holds what a hung task waits for."""
    other = lock_holder(report, context.others)
    found = other and (other.module or next((f.module for f in other.frames if f.module), None))
    if not other or not found:
        return None
    text = f"{report.comm or 'the task'} waits for a lock; {other.comm or other.function}, which "
    text += f"hung as well, waits for none: it likely holds it, in {other.function} of {found}"
    return blame(found, text, other.line_of("headline"))


def _suspects(report: Report, context: Context) -> Iterator[Culprit | None]:
    yield _of_cache(report, context)
    gone = use_after_unload(context)
    if gone:
        yield blame(gone.module, f"{gone.why}, and its code was still called", gone.line)
    left = data_after_unload(context)
    # The names of modules of the tree stay there long after they were removed.
    foreign = "O" in report.details.get("last_unloaded_flags", "")
    if left and (report.module is None or foreign):
        yield blame(left.module, f"{left.why}, and what it left behind was used", left.line)
    if why := left_in_list(context):
        yield blame(None, why, report.line_of("fault"))
    if why := data_of_nobody(context):
        yield msgspec.structs.replace(blame(None, why, report.line_of("fault")), share=_GUESSED)
    yield _of_object(report, "freed")
    yield _of_dump(context)
    yield _of_mapping(report)
    yield _module_of_lock_holder(report, context)
    yield _waits_for_io(report)
    if report.module and waits_for_lock(report):
        text = f"{report.function} of {report.module} waits for a lock: who holds it is not shown"
        yield blame(report.module, text, report.line_of("function"))
    yield of_watchdog(report) or of_sleeper(report) or _driver_below(report)
    yield _target_of_check(report)
    if report.module:
        # What is called at the end of a function and does not return leaves the address of the
        # next one.
        where = "code before " if report.is_call and report.offset == 0 else ""
        text = f"the fault is in {where}{report.function or 'code'} of {report.module}"
        yield blame(report.module, text, report.line_of("function"))
    yield _checked_call(report)
    yield of_link(report, context)
    yield caller_of_leaf(report)
    yield stack_top(report, context)
    # Who asks a damaged allocator for memory has not damaged it.
    if not freelist.is_broken(context):
        yield _from_trace(report)
        if report.kind is Kind.USERCOPY or context.is_user_area:
            yield _from_unsure_trace(report)
        yield _from_next(report, context)
        yield loading_or_unloading(report)
        yield return_into_modules(report, context)
        yield of_argument(report, context)
        yield of_loader(report)
    yield _of_object(report, "allocated")
    work = _of_work(report)
    if work:
        yield blame(work, f"the work that faulted belongs to {work}", report.line_of("workqueue"))
    yield _task(report)
    yield _of_own_cache(report)
    yield bystander.at_work(report, context)
    yield None if context.is_jump else _unseen_caller(report, context)
    yield bystander.only_one(report, context)
    yield callbacks.owner_of_table(report, context)
    yield _only_detectors(report)


def _only_detectors(report: Report) -> Culprit | None:
    """Return that nobody can be named where the trace has only those who found the trouble."""
    stack = [frame.function for frame in report.frames if frame.reliable]
    seen = (f for f in stack if not function_roles.is_entry_point(f))
    if report.kind not in _HANGS or not stack or not all(map(_is_detector, seen)):
        return None
    text = "the trace has only those who found it, and not who was at work"
    because = Evidence(text, 0.0, report.line_of("trace"))
    return Culprit(Attribution.KERNEL, None, because, callbacks.OWNER_UNSEEN)


def _is_detector(function: str | None) -> bool:
    return function_roles.only_passes_on(function) or function_roles.is_detector(function)


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
        return user_of(suspect, report) or suspect
    return bystander.doubted(Culprit(Attribution.KERNEL, None, because), report, context)
