"""A module that does not fit the kernel it is loaded into."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pagefault_doctor.diagnosis import address, callers
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Report

_EVENTS = {
    "symbol-version": ("api.symbol-version", "{} disagrees about the version of a symbol"),
    "version-magic": ("api.version-magic", "{} was built for another kernel"),
    "unknown-symbol": ("api.unknown-symbol", "{} needs a symbol that this kernel does not have"),
    "forced": ("api.forced", "{} was loaded by force, without its version information"),
}
_CHECKS = (
    ("return_thunk", "api.return-thunk", "{} was built without what this kernel needs to guard"
     " returns: harmless but for that protection"),
    ("field_spanning_write", "api.field", "{} declares an array of unknown length as one of one or"
     " no element: a harmless notice, unless the copy is too long"),
    ("flexible_array", "api.flexible-array", "{} declares an array of unknown length as one of one"
     " or no element: a harmless notice, unless the index is too large"),
    ("usercopy_whitelist", "api.whitelist", "a slab cache of {} does not tell what of it may be"
     " copied to user space (kmem_cache_create_usercopy, since 4.16)"),
)  # fmt: skip
"""`arch/x86/kernel/cpu/bugs.c` (__warn_thunk), `include/linux/fortify-string.h`, `lib/ubsan.c`,
`mm/usercopy.c` (usercopy_warn)."""
_ELEMENT = 8
_GENERAL_CACHES = ("kmalloc", "dma-kmalloc", "size-", "kmem")
"""Slab caches that everybody uses, all of which may be copied (`mm/slab_common.c`)."""
_OTHER_BUILD = {
    "module.build_id_fits": "the {} on disk is another build than the one in memory",
    "module.text_fits": "the code of the {} on disk is not that in memory",
    "module.size_fits": "the {} on disk is another build than the one that faulted",
    "module.picked_is_loaded": "modprobe takes another {} than the one in memory",
    "module.initramfs_fits": "the initramfs holds another build of {} than the disk",
}
_OF_THE_FAULT = ("module.size_fits", "module.text_fits")


def _events(report: Report, context: Context) -> Iterator[Evidence]:
    involved = {report.module, *(frame.module for frame in report.frames if frame.reliable)}
    for event in context.module_events:
        if event.what in _EVENTS and event.module in involved and event.boot == report.boot:
            key, text = _EVENTS[event.what]
            yield context.evidence(key, text.format(event.module), line=event.line)
            return


def _facts(report: Report, context: Context) -> Iterator[Evidence]:
    name = context.fact("suspect.module")
    if not report.module or (name is not None and name.value != report.module):
        return
    if magic := context.fact_is("module.vermagic_fits", False):
        text = f"{report.module} was built for another kernel"
        yield context.fact_evidence("api.fact-vermagic", text, magic)
    source = context.fact_is("module.srcversion_fits", False)
    # What is in memory now is no evidence about an earlier boot.
    if source and not context.boots_after:
        text = f"the {report.module} on disk is not the one in memory"
        yield context.fact_evidence("api.fact-srcversion", text, source)
    else:
        yield from _other_build(report.module, context)
    checksums = context.fact_is("module.crcs_fit", False)
    if checksums and not context.fact_is("module.build_id_fits", False):
        text = f"symbols that {report.module} needs have another version in this kernel"
        yield context.fact_evidence("api.fact-checksums", text, checksums)


def _other_build(module: str, context: Context) -> Iterator[Evidence]:
    """Weigh once that a file is another build, by the best sign of it.

    Where the module in memory is that of the file, other copies do not matter.
    """
    same = context.fact_is("module.build_id_fits", True)
    for name, what in _OTHER_BUILD.items():
        sign = context.fact_is(name, False)
        if sign and (not same or name in _OF_THE_FAULT):
            yield context.fact_evidence("api.fact-build", what.format(module), sign)
            return


def _layout(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether two modules disagree about where an object has a pointer.

    An object that is handed over while its module is being loaded is new: nothing overran it yet.
    """
    value = context.pointer
    letters = address.printable(value, context.bits) if value is not None else None
    stack = [frame for frame in report.frames if frame.reliable and frame.module]
    for called, caller in pairwise(stack) if letters else ():
        if callers.hands_over(caller, called, report):
            text = f'{called.function} finds the text "{letters}" where it expects a pointer: '
            text += f"{caller.module} has another layout of the object that it hands over"
            yield context.evidence("api.layout", text, line=caller.line)
            return


def _foreign(report: Report) -> str | None:
    """Return the first module from outside the tree that had a part in it, or None."""
    foreign = report.out_of_tree
    involved = (report.module, *(frame.module for frame in report.frames if frame.reliable))
    known = next((module for module in involved if module in foreign), None)
    return known or (next(filter(None, involved), None) if "O" in (report.tainted or ()) else None)


def _is_one_element(report: Report) -> bool:
    """Whether the field that a copy was too long for, if one was, may be an array of one element.

    Longer ones are what their declaration says, and were overrun.
    """
    return int(report.details.get("field_size", "0")) <= _ELEMENT


def _older_kernel(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh checks that newer kernels make, and that modules written before them do not pass."""
    module = _foreign(report)
    if module is None and "return_thunk" in report.details:
        # The kernel's own code is patched whole: what is not came in with a module.
        named = (frame.module for frame in report.frames if frame.reliable and frame.module)
        only = report.out_of_tree[0] if len(report.out_of_tree) == 1 else None
        module = next(named, only)
    if module is None:
        return
    for name, key, text in _CHECKS:
        if name in report.details and _is_one_element(report):
            yield context.evidence(key, text.format(module), name)
            return
    cache = report.details.get("usercopy_cache", "")
    if cache and not cache.startswith(_GENERAL_CACHES):
        text = f"{cache} is a slab cache of {module}, which does not tell what of it may be copied"
        text += " to user space (kmem_cache_create_usercopy, since 4.16)"
        yield context.evidence("api.whitelist", text, "usercopy_cache")
    pages = report.details.get("usercopy_pages", "")
    if pages:
        text = f"{module} copies memory ({pages}) that this kernel checks as older ones did not"
        yield context.evidence("api.copied-pages", text, "usercopy_pages")


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether a module does not fit this kernel."""
    yield from _events(report, context)
    yield from _facts(report, context)
    yield from _layout(report, context)
    yield from _older_kernel(report, context)
    if context.is_privileged and (module := _foreign(report)):
        text = f"{module} uses an instruction that this kernel or machine does not allow it"
        if "xen_pv" in report.details:
            text = f"{module} uses an instruction that Xen refuses to a PV guest (e030)"
        yield context.evidence("api.privileged", text, "code", "function")
    if "indirect_branch_check" in report.details and "O" in (report.tainted or ()):
        text = "a function was called through a pointer that this kernel does not allow"
        yield context.evidence("api.indirect-branch", text, "indirect_branch_check")
