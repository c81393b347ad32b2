"""A failed assertion, a division by zero or another error of logic, without corrupted memory."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_WORDS = (
    ("divide error", "logic.divide", "a division by zero, or one whose result does not fit"),
    ("divide_error", "logic.divide", "a division by zero, or one whose result does not fit"),
    ("UBSAN: shift-out-of-bounds", "logic.arithmetic", "a shift by more bits than there are"),
    ("UBSAN: signed-integer", "logic.arithmetic", "an arithmetic overflow"),
    ("UBSAN: division", "logic.arithmetic", "a division by zero"),
    ("shift exponent", "logic.arithmetic", "a shift by more bits than there are"),
    ("integer overflow", "logic.arithmetic", "an arithmetic overflow"),
    ("ivision by zero", "logic.arithmetic", "a division by zero"),
    ("UBSAN: invalid-load", "logic.arithmetic", "a value that its type does not have"),
    ("UBSAN: misaligned", "logic.arithmetic", "a misaligned access"),
    ("BUG: KCSAN", "logic.race", "two accesses race with each other"),
    ("infoleak", "logic.race", "uninitialised bytes are handed to user space"),
    ("suspicious RCU usage", "logic.rcu", "RCU data was used without its lock"),
    ("Objects remaining ", "logic.leak", "objects of a cache that was given up were never freed"),
    ("Slab cache still has objects", "logic.leak", "a cache was given up with objects in it"),
    ("lock->magic != lock", "logic.misuse", "a lock was never set up, or its memory overwritten"),
    (
        "used for non-linear address",
        "logic.misuse",
        "virt_to_phys was given another kind of address",
    ),
    ("already-free IRQ", "logic.misuse", "an interrupt was freed that nobody had requested"),
    ("ODEBUG: assert_init", "logic.misuse", "an object was used that was never set up"),
    ("ODEBUG: activate", "logic.misuse", "an object was armed twice, or was never set up"),
    ("ODEBUG: init active", "logic.misuse", "an object was set up anew while it was in use"),
    ("non-static key", "logic.key", "a lock was used before it was initialised"),
)
_SIZE_CHECKS = ("mm/page_alloc.c:", "mm/util.c:", "kmalloc_slab+")
"""Where allocators warn of a size that they never give (`__alloc_pages`, `kvmalloc_node`)."""
_CHECKERS = (
    "lib/list_debug.c",
    "mm/slub.c",
    "mm/slab",
    "mm/usercopy.c",
    "kernel/cet.c",
    "lib/string",
    "buffer overflow",
    "skb_over_panic",
    "skb_under_panic",
    "ref_count(page) == 0",
    "ref_count(folio) == 0",
)
_KINDS = {
    Kind.KERNEL_BUG: ("logic.bug", "an assertion of the kernel failed"),
    Kind.WARNING: ("logic.warning", "the kernel warned of a state that should not be"),
    Kind.LEAK: ("logic.leak", "memory was allocated and never freed"),
    Kind.PANIC: ("logic.panic", "the kernel gave up; the line names its reason"),
    Kind.INFO: ("logic.information", "the kernel noted something unusual"),
    Kind.REFCOUNT: ("logic.information", "a reference count is wrong"),
    Kind.SANITIZER: ("logic.information", "a sanitizer found a fault"),
    Kind.TRAP: ("logic.information", "the processor refused an instruction"),
    Kind.LOCKDEP: ("logic.information", "the lock checker found a fault"),
}


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether an error of logic is behind it."""
    for phrase, key, text in context.told(_WORDS):
        found = context.line_with(phrase)
        if found:
            yield context.says(key, text, line=found)
            return
    if report.kind is Kind.WARNING and (found := context.line_with(*_SIZE_CHECKS)):
        text = "an allocator was asked for what it never gives: most often an unchecked size"
        yield context.says("logic.misuse", text, line=found)
        return
    if context.is_refused_instruction:
        shown = f" ({context.instruction.text})" if context.instruction else ""
        text = f"the processor refused the instruction{shown}, not an address"
        yield context.says("logic.instruction", text, "headline")
        return
    if context.is_trap and context.instruction:
        text = (
            f"{context.instruction.text} stops code that fails a check, or gets where it must not"
        )
        yield context.says("logic.trap", text, "code")
        return
    key, text = _KINDS.get(report.kind, ("", ""))
    # Where the assertion is one of a memory checker, the memory is what is wrong.
    if key and not (report.kind is Kind.KERNEL_BUG and context.line_with(*_CHECKERS)):
        yield context.says(key, text, "headline")
