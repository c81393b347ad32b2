"""Memory freed twice, or a pointer freed that was never allocated."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import dump_memory, freelist, function_roles
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Report

_WORDS = (
    ("KASAN: double-free", "double.sanitizer", "KASAN saw memory freed twice"),
    (
        "KASAN: invalid-free",
        "double.sanitizer",
        "KASAN saw a pointer freed that is not one to free",
    ),
    ("KFENCE: invalid free", "double.sanitizer", "KFENCE saw an invalid free"),
    ("Object already free", "double.slab", "the slab allocator found the object already free"),
    ("double free detected", "double.slab", "the slab allocator found a double free"),
    ("Trying to vfree() ", "double.not-slab", "vfree was given what vmalloc had not, or twice"),
    ("Wrong slab cache", "double.not-slab", "an object was freed to a cache that it is not from"),
    ("ida_free called for id=", "double.not-slab", "a number was given back that was not taken"),
    ("Object is not a Slab page", "double.not-slab", "kfree was given what is no object"),
)
_CHECKS = ("kernel BUG at mm/slub.c", "kernel BUG at mm/slab.c", "kernel BUG at mm/slab.h")


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether something was freed twice."""
    for phrase, key, text in context.told(_WORDS):
        found = context.line_with(phrase)
        if found:
            yield context.says(key, text, line=found)
            return
    if freelist.is_broken(context):
        text = "the allocator's list of free objects is damaged, as by one on it twice"
        yield context.says("double.freelist-crash", text, "function", "headline")
    found = context.line_with(*_CHECKS)
    if found and (report.function or "").startswith(function_roles.FREEING):
        text = f"{report.function} was given a pointer that is not an allocated object"
        yield context.says("double.not-slab", text, line=found)
        if freed := dump_memory.refreed(context):
            text = f"{freed.known_as}: {freed.text}"
            yield dump_memory.says(context, "double.dump-free", text)
