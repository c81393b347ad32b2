"""Memory freed twice, or a pointer freed that was never allocated."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import dump_memory, freelist, function_roles
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("kasan_double_free", "double.sanitizer", "KASAN saw memory freed twice"),
    ("kasan_invalid_free", "double.sanitizer", "KASAN saw a pointer freed that is not one to free"),
    ("kfence_invalid_free", "double.sanitizer", "KFENCE saw an invalid free"),
    ("object_already_free", "double.slab", "the slab allocator found the object already free"),
    ("more_freed_than_allocated", "double.slab", "more objects were freed than a slab had in use"),
    ("slab_double_free", "double.slab", "the slab allocator found a double free"),
    ("vfree_bad_address", "double.not-slab", "vfree was given what vmalloc had not, or twice"),
    ("wrong_slab_cache", "double.not-slab", "an object was freed to a cache that it is not from"),
    ("ida_free_unallocated", "double.not-slab", "a number was given back that was not taken"),
    ("invalid_object_pointer", "double.not-slab", "a pointer was freed at which no object begins"),
    ("not_a_slab_page", "double.not-slab", "kfree was given what is no object"),
)


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether something was freed twice."""
    if found := context.first_evidence(_MESSAGES):
        yield found
        return
    if freelist.is_broken(context):
        text = "the allocator's list of free objects is damaged, as by one on it twice"
        yield context.evidence("double.freelist-crash", text, "function", "headline")
    # MIPS does not say where the assertion stands.
    nowhere = report.kind is Kind.KERNEL_BUG and "file" not in report.details
    is_slab = "slab_bug" in report.details or nowhere
    if is_slab and (report.function or "").startswith(function_roles.FREEING):
        text = f"{report.function} was given a pointer that is not an allocated object"
        yield context.evidence("double.not-slab", text, "slab_bug", "headline")
        if freed := dump_memory.freed_twice(context):
            text = f"{freed.known_as}: {freed.text}"
            yield dump_memory.evidence(context, "double.dump-free", text)
