"""An uninitialised, corrupted or miscomputed pointer; a jump to what is no code."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import address, dump_memory
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.poison import MemoryState
from pagefault_doctor.diagnosis.rules import error_pointer
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("wild_memory_access", "wild.sanitizer", "KASAN calls it a wild memory access"),
    ("kfence_invalid_read", "wild.sanitizer", "KFENCE saw a read of memory nobody owns"),
    ("kfence_invalid_write", "wild.sanitizer", "KFENCE saw a write to memory nobody owns"),
    ("kmsan_uninit_value", "wild.kmsan", "KMSAN saw uninitialised memory used"),
    ("nx_page", "wild.not-executable", "the kernel jumped to data"),
    ("userspace_execute", "wild.not-executable", "the kernel jumped into user space"),
)
_PLACES = {
    AddressClass.NON_CANONICAL: ("wild.non-canonical", "is no valid address"),
    AddressClass.KERNEL: ("wild.paging", "is kernel memory that is not mapped"),
    AddressClass.DIRECT_MAP: ("wild.paging", "is memory that is not mapped"),
    AddressClass.VMALLOC: ("wild.paging", "is vmalloc memory that is not mapped"),
    AddressClass.MODULES: ("wild.paging", "is in the modules' area, where nothing is mapped"),
    AddressClass.TEXT: ("wild.paging", "is in the kernel image"),
    AddressClass.SHADOW: ("wild.paging", "is KASAN's shadow of memory that is not there"),
    AddressClass.VMEMMAP: ("wild.struct-page", "is a struct page that does not exist"),
    AddressClass.USER: ("wild.user-half", "is no kernel address"),
}
_NO_INSTRUCTION = frozenset(("invalid_opcode", "int3"))
_PRESENT = 1
_NULLS = (AddressClass.NULL, AddressClass.NEAR_NULL)
_FAULTS = (Kind.PAGE_FAULT, Kind.USER_ACCESS, Kind.GENERAL_PROTECTION)


def _place(context: Context) -> Iterator[Evidence]:
    at, part = context.fault_address, context.address_class
    if at is None or context.report.kind not in _FAULTS:
        return
    if "external_abort" in context.report.details:
        return  # The address was there: what lies at it did not answer.
    if context.is_jump and (context.poison or context.is_named_code):
        return
    if context.is_jump and part not in _NULLS:
        key = "wild.jump-module" if part is AddressClass.MODULES else "wild.jump"
        yield context.evidence(key, f"the kernel jumped to {at:#x}, where no code is", "fault")
        return
    if (context.x86_fault_bits or 0) & _PRESENT:
        return
    if part not in _PLACES:
        return
    key, phrase = _PLACES[part]
    yield context.evidence(key, f"fault address {at:#x} {phrase}", "fault")
    # Of a machine that is not known, pointers may have 32 bits anyway.
    if context.arch and context.bits == 64 and part is AddressClass.USER and at < 1 << 32:
        text = "the upper half of the address is zero: a pointer cut to 32 bits, perhaps"
        yield context.evidence("wild.truncated", text, "fault")


def _value(context: Context) -> Iterator[Evidence]:
    """Weigh values that a pointer to nothing has: all bits set, or a small number from memory."""
    at = context.pointer
    if at is None or context.report.kind not in (*_FAULTS, Kind.NULL_POINTER):
        return
    if context.is_small_and_loaded:
        text = f"the code had just read {at:#x} from memory, where it expected a pointer"
        yield context.evidence("wild.small-loaded", text, "registers")
    number = address.error_of(at, context.bits)
    if number and error_pointer.is_filling(number, context):
        text = f"{at:#x} is what memory full of ff holds: never set, or gone"
        yield context.evidence("wild.filling", text, "registers", "fault")
    if number and not address.is_errno(number, context.arch) and context.base:
        text = f"{at:#x} lies just below 0, and is no error code: a damaged or computed pointer"
        yield context.evidence("wild.just-below-zero", text, "registers", "fault")
    hit = context.poison
    if hit and hit.poison.name == "POISON_FREE":
        text = f"{hit.poison.name} also fills new objects of a checking allocator: never set, then"
        yield context.evidence("wild.fresh", text, "fault", "registers")


def _dump(context: Context) -> Iterator[Evidence]:
    target, owner = dump_memory.target(context), dump_memory.owner(context)
    if target and target.kind == "nothing":
        text = f"the dump has nothing mapped at {target.address}"
        yield dump_memory.evidence(context, "wild.dump-nothing", text)
    if target and owner and owner.is_free:
        text = "the value lies in a freed object, which explains it"
        yield dump_memory.evidence(context, "wild.dump-freed", text)
    elif target and owner and owner.state == "live":
        yield dump_memory.evidence(
            context, "wild.dump-owner", f"{target.address} lies in {owner.text}"
        )


def _died(report: Report) -> bool:
    """Whether the processor stopped at an instruction, for all that is known of it.

    A panic prints no registers itself: those are of the exception that led to it.
    """
    panicked = report.kind is Kind.PANIC and bool(report.registers)
    return report.kind is Kind.PAGE_FAULT or panicked


def _unseen(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh a page fault of which the text does not show the address."""
    at = context.used_address if context.instruction else None
    if at is not None:
        text = f"the instruction used memory at {at:#x}, which looks like any other address"
        yield context.evidence("wild.unseen", text, "code")
    elif report.fault or report.registers or "headless" not in report.details:
        text = "a pointer could not be used; the address that it held is not in the text"
        yield context.evidence("wild.unseen", text, "fault", "headline")


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether a pointer was garbage."""
    if not context.is_named_code and (found := context.first_evidence(_MESSAGES)):
        yield found
    yield from _place(context)
    yield from _value(context)
    yield from _dump(context)
    if context.is_refused_instruction:
        text = "the address is a valid one: the instruction was refused, not the pointer"
        yield context.evidence("wild.valid-address", text, "headline", "fault")
    hit = context.poison
    if hit and hit.poison.state is MemoryState.UNINITIALISED:
        text = f"the bad pointer is {hit.poison.name}: {hit.poison.means}"
        yield context.evidence("wild.uninitialised", text, "fault", "registers")
    if report.kind is Kind.GENERAL_PROTECTION and context.address_class is None:
        text = "a general protection fault: a pointer or an instruction was not valid"
        yield context.evidence("wild.invalid-code", text, "headline")
    elif report.kind is Kind.TRAP and "stack_segment" in report.details:
        yield context.evidence("wild.plain", "a pointer into the stack was not valid", "headline")
    elif _died(report) and context.fault_address is None:
        yield from _unseen(report, context)
    elif context.is_trap:
        return
    elif report.kind is Kind.TRAP and not _NO_INSTRUCTION.isdisjoint(report.details):
        text = "the processor ran into bytes that are no instruction"
        yield context.evidence("wild.invalid-code", text, "headline")
