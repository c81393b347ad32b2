"""Memory, an object or code used after it was freed or unloaded."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import address, dump_memory, freelist, poison
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.poison import MemoryState
from pagefault_doctor.diagnosis.unloaded_module import (
    data_after_unload,
    data_of_nobody,
    left_in_list,
    unloaded,
    use_after_unload,
)
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_FREELIST = "freed.freelist-value"
_STATES = {MemoryState.FREED: "freed.poison", MemoryState.LIST_DELETED: "freed.deleted-entry"}
_MESSAGES = (
    ("held_lock_freed", "freed.words", "memory was freed that holds a lock in use"),
    ("kasan_tag_mismatch", "freed.tag", "a memory tag does not match: freed or out of bounds"),
    ("use_after_free", "freed.sanitizer", "the sanitizer saw a use after free"),
    ("kfence_use_after_free_read", "freed.sanitizer", "KFENCE saw a read after free"),
    ("kfence_use_after_free_write", "freed.sanitizer", "KFENCE saw a write after free"),
    ("use_after_return", "freed.sanitizer", "a variable was used after its function returned"),
    ("refcount_freed", "freed.refcount", "a reference count was dropped or taken once too often"),
    ("percpu_ref_underflow", "freed.refcount", "a reference count was dropped too often"),
    ("brelse_free_buffer", "freed.refcount", "a buffer was released too often"),
    ("page_ref_count_zero", "freed.refcount", "a page was used or given back that was free"),
    ("poison_overwritten", "freed.poison-overwritten", "freed memory was written to"),
    ("odebug_free_active", "freed.object-active", "an object was freed while still in use"),
    ("page_refcount_at_free", "freed.page-in-use", "a page was freed while still in use"),
    ("page_mapcount_at_free", "freed.page-in-use", "a page was freed while still mapped"),
    ("file_count_zero", "freed.words", "a file was used after its last reference was dropped"),
    ("busy_inodes", "freed.words", "inodes outlived their file system"),
)
_BAD_POINTER = (Kind.PAGE_FAULT, Kind.GENERAL_PROTECTION)
_WALKING_QUEUES = (
    *("__run_timers", "expire_timers", "collect_expired_timers", "run_timer_softirq"),
    *("move_linked_works", "rcu_do_batch", "rcu_cblist_dequeue", "tasklet_action_common"),
)
"""kernel/time/timer.c, kernel/workqueue.c, kernel/rcu/tree.c, kernel/softirq.c"""


def _count(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh a refcount warning whose own words are missing; a leak is not use after free."""
    if report.kind is Kind.REFCOUNT and "refcount_leak" not in report.details:
        text = "a reference count is wrong: most often dropped once too often"
        yield context.evidence("freed.count", text, "headline")


def _queued(context: Context) -> Iterator[Evidence]:
    """Weigh a bad pointer in what timers, work or RCU callbacks are queued by.

    The kernel links them through the objects they are part of: who frees one that is still queued
    leaves the link in memory that another user fills.
    """
    function = context.report.function or ""
    walks = function.startswith(_WALKING_QUEUES) and not context.is_jump
    if walks and context.report.kind in _BAD_POINTER:
        text = f"{function} walks timers, work or callbacks, and one of them is no longer there"
        yield context.evidence("freed.queued", text, "function")


def _poison(context: Context) -> Iterator[Evidence]:
    hit = context.poison
    if hit and hit.poison.state in _STATES:
        text = f"the bad pointer is {hit.poison.name} {hit.offset:+#x}: {hit.poison.means}"
        yield context.evidence(_STATES[hit.poison.state], text, "fault", "registers")
    elif not hit and context.report.kind in (Kind.GENERAL_PROTECTION, Kind.PAGE_FAULT):
        yield from _poisoned_register(context)


def _poisoned_register(context: Context) -> Iterator[Evidence]:
    for name, value in context.general():
        found = poison.find(value, context.bits) if value >> 32 else None
        if found and found.poison.state in _STATES:
            text = f"{name.upper()} holds {found.poison.name}: {found.poison.means}"
            yield context.evidence("freed.poison-register", text, line=context.register_line(name))
            return


def _is_text(value: int) -> bool:
    """Whether a register holds text, and nothing that a checker fills memory with."""
    text = address.printable(value) if value else None
    return text is not None and poison.find(value) is None


def _replaced(context: Context) -> Iterator[Evidence]:
    """Weigh whether more than one member of an object was text.

    What overruns a neighbour rarely gets far. What fills memory that was freed replaces it all.
    """
    value = context.pointer
    if value is None or context.bits != _WIDE or not _is_text(value):
        return
    names = [name for name, held in context.general() if _is_text(held)]
    if len(names) >= _MEMBERS:
        text = f"{names[0].upper()} and {names[1].upper()} hold text: more than one member was text"
        yield context.evidence("freed.text-members", text, line=context.register_line(names[1]))


def _unloaded(context: Context) -> Iterator[Evidence]:
    gone = use_after_unload(context)
    if gone:
        text = f"the code that ran is not there any more: {gone.why}"
        yield context.evidence("freed.unloaded", text, line=gone.line)
        return
    if lost := data_after_unload(context):
        text = f"the address was a module's: {lost.why}"
        yield context.evidence("freed.module-data", text, line=lost.line)
    elif (why := left_in_list(context)) or (why := data_of_nobody(context)):
        yield context.evidence("freed.module-data", why, "fault")
    elif context.is_jump and context.address_class is AddressClass.MODULES:
        text = "the kernel jumped to a part of the modules' area where no code is"
        yield context.evidence("freed.module-range", text, "fault")


def _dump(context: Context) -> Iterator[Evidence]:
    target, owner = dump_memory.target(context), dump_memory.owner(context)
    if target and owner and owner.is_free:
        text = f"the bad pointer {target.address} lies in {owner.text}"
        yield dump_memory.evidence(context, "freed.dump-owner", text)
    elif target and target.is_free:
        text = f"{target.address} points to {target.text}"
        yield dump_memory.evidence(context, "freed.dump-object", text)
    elif target and owner and owner.state == "live" and target.kind != "modules-area":
        text = f"the bad pointer lies in {owner.text}: not freed, or in use again since"
        yield dump_memory.evidence(context, "freed.dump-live", text)
    gone = unloaded(context) if target and target.kind == "modules-area" else None
    if target and gone:
        text = f"the dump has no module at {target.address} any more: {gone.why}"
        yield dump_memory.evidence(context, "freed.dump-no-module", text)
    pending = context.fact("dump.pending_lost")
    if pending and context.is_jump:
        text = "a timer or delayed work is due whose code is in no module"
        yield dump_memory.evidence(context, "freed.dump-pending", text)


_WIDE = 64
"""Bits of a pointer that text explains: four letters are an address as well."""
_MEMBERS = 2
_SECTION_END = 0x1000
"""An init function alone in its section seems as long as the page that it lies in."""


def _init_section(report: Report, context: Context) -> bool:
    """Whether code of a module's init section was run after the section had been freed.

    It is freed when the init function returns; up to then the list has the module with `+`.
    """
    listed = next((m for m in report.modules if m.name == report.module), None)
    if listed is None or "+" in listed.flags or report.size != _SECTION_END:
        return False
    return context.is_jump or "int3" in report.details


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether something was used after it was freed, deleted or unloaded."""
    if found := context.first_evidence(_MESSAGES):
        yield found
    else:
        yield from _count(report, context)
    yield from _queued(context)
    yield from _poison(context)
    yield from _replaced(context)
    yield from _unloaded(context)
    yield from _dump(context)
    if _init_section(report, context):
        text = f"{report.function} is in the init section of {report.module}, which is freed after"
        yield context.evidence("freed.init-section", f"{text} loading", "function")
    if context.is_named_code:
        text = f"{report.function} is code of the kernel that may not run any more, as __init code"
        yield context.evidence("freed.init-code", f"{text} is after boot", "function")
    broken = context.broken_link
    if broken and (broken.is_freed or broken.is_deleted):
        known = poison.find(broken.actual, context.bits)
        key = "freed.list-value" if known else _FREELIST
        key = key if broken.is_freed else "freed.deleted-entry"
        text = f"the list points to {broken.actual:#x}: {broken.means}"
        yield context.evidence(key, text, "link_found")
    if freelist.is_broken(context):
        text = "the allocator's list of free objects is damaged: one was written to after its free"
        yield context.evidence("freed.freelist-crash", text, "function", "headline")
    byte = context.odd_byte
    if byte and byte.is_decrement:
        text = f"{byte.found:#x} is {byte.expected:#x} less one: a counter in freed memory"
        yield context.evidence("freed.decrement", text, "first_byte")
    elif byte and byte.is_increment:
        text = (
            f"{byte.found:#x} is {byte.expected:#x} and one: a counter in freed memory was raised"
        )
        yield context.evidence("freed.decrement", text, "first_byte")
