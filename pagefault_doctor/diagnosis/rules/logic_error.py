"""A failed assertion, a division by zero or another error of logic, without corrupted memory."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import function_roles, instruction_roles
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("divide_error", "logic.divide", "a division by zero, or one whose result does not fit"),
    ("shift_out_of_bounds", "logic.arithmetic", "a shift by more bits than there are"),
    ("integer_overflow", "logic.arithmetic", "an arithmetic overflow"),
    ("division_by_zero", "logic.arithmetic", "a division by zero"),
    ("ubsan_invalid_load", "logic.arithmetic", "a value that its type does not have"),
    ("ubsan_misaligned", "logic.arithmetic", "a misaligned access"),
    ("kcsan_race", "logic.race", "two accesses race with each other"),
    ("kmsan_infoleak", "logic.race", "uninitialised bytes are handed to user space"),
    ("suspicious_rcu_usage", "logic.rcu", "RCU data was used without its lock"),
    ("objects_remaining", "logic.leak", "objects of a cache that was given up were never freed"),
    ("cache_still_has_objects", "logic.leak", "a cache was given up with objects in it"),
    ("lock_magic", "logic.misuse", "a lock was never set up, or its memory overwritten"),
    ("non_linear_address", "logic.misuse", "virt_to_phys was given another kind of address"),
    ("already_free_irq", "logic.misuse", "an interrupt was freed that nobody had requested"),
    ("odebug_assert_init", "logic.misuse", "an object was used that was never set up"),
    ("odebug_activate", "logic.misuse", "an object was armed twice, or was never set up"),
    ("odebug_init_active", "logic.misuse", "an object was set up anew while it was in use"),
    ("wrong_timeout", "logic.misuse", "a sleep was asked for that ends before it begins"),
    ("non_static_key", "logic.key", "a lock was used before it was initialised"),
)
_KINDS = {
    Kind.KERNEL_BUG: ("logic.bug", "an assertion of the kernel failed"),
    Kind.WARNING: ("logic.warning", "the kernel warned of a state that should not be"),
    Kind.LEAK: ("logic.leak", "memory was allocated and never freed"),
    Kind.REFCOUNT: ("logic.information", "a reference count is wrong"),
    Kind.TRAP: ("logic.information", "the processor refused an instruction"),
    Kind.LOCKDEP: ("logic.information", "the lock checker found a fault"),
}

_NEAR = 3
_HANDLING = 8
"""Frames among which is the function that touched a register, below those that handle the abort."""


def _touched_device(report: Report, context: Context) -> str | None:
    """Return the function that touched a register of a device when the bus refused it, or None.

    Memory that fails is met by any code. An SError comes a little later than the access, so that
    the frames above it count as well.
    """
    if "external_abort" not in report.details:
        return None
    stack = [frame for frame in report.frames if frame.reliable][: _NEAR + _HANDLING]
    names = [report.function, *(frame.function for frame in stack)]
    touching = (name for name in names if name and function_roles.touches_registers(name))
    if found := next(touching, report.function if report.module else None):
        return found
    on_board = context.arch in _BOARDS
    return next((name for name in names[:_NEAR] if on_board and name and _OF_DRIVER(name)), None)


_BOARDS = ("arm", "arm64", "aarch64", "mips", "riscv64", "riscv")
_OF_DRIVER = regex(r"_(?:probe|bind|resume|suspend|host_init|hw_init|power_o(?:n|ff))$").search
"""What drivers call the functions that first touch their device, or after it had no power."""


def _is_own_check(report: Report) -> bool:
    """Whether the kernel's own code fails its check of indirect calls: no module was involved."""
    return "indirect_branch_check" in report.details and "O" not in (report.tainted or ())


def _divides_nothing(report: Report, context: Context) -> bool:
    """Whether a divide error is of an instruction that does not divide: no code caused that."""
    found = context.instruction
    return "divide_error" in report.details and instruction_roles.is_basic(found, context.arch)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether an error of logic is behind it."""
    found = context.first_evidence(_MESSAGES)
    if found and not _divides_nothing(report, context):
        yield found
        return
    if report.kind is Kind.WARNING and "allocator_warning" in report.details:
        text = "an allocator was asked for what it never gives: most often an unchecked size"
        yield context.evidence("logic.misuse", text, "allocator_warning")
        return
    if context.is_refused_instruction:
        shown = f" ({context.instruction.text})" if context.instruction else ""
        text = f"the processor refused the instruction{shown}, not an address"
        yield context.evidence("logic.instruction", text, "headline")
        return
    if touched := _touched_device(report, context):
        text = f"{touched} touched a register of a device when the bus answered with an error: a"
        text += " device without power or clock answers so"
        yield context.evidence("logic.unpowered", text, "external_abort", "function")
        return
    if context.is_trap and context.instruction:
        text = "stops code that fails a check, or gets where it must not"
        yield context.evidence("logic.trap", f"{context.instruction.text} {text}", "code")
        return
    if report.kind is Kind.PANIC and report.module:
        text = f"{report.module} itself stopped the kernel, for a reason it checks for"
        yield context.evidence("logic.panic", text, "headline")
    key, text = _KINDS.get(report.kind, ("", ""))
    # Where the assertion is one of a memory checker, the memory is what is wrong.
    is_memory = "memory_assertion" in report.details and not _is_own_check(report)
    if key and not (report.kind is Kind.KERNEL_BUG and is_memory):
        yield context.evidence(key, text, "headline")
