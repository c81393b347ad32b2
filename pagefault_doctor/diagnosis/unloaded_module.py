"""Use after unload: code of a module that ran, or was jumped to, after the module was removed."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.diagnosis.address import AddressClass, classify
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.module_area import is_module_area
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import LOADERS, Kind, Report


def _is_nameless(report: Report) -> bool:
    """Whether the instruction pointer is a bare number; the first frame stands for it."""
    first = report.frames[0].function if report.frames else None
    return report.function is None or first is None


class UnloadedModule(msgspec.Struct, frozen=True):
    """A module that is not there any more, why it is taken to be, and the line that shows it."""

    module: str
    why: str
    line: int


def unloaded(context: Context) -> UnloadedModule | None:
    """Return the module that was unloaded last, else the only one known to have been loaded.

    Only a module that someone removed is called the last unloaded (`kernel/module/main.c`,
    delete_module), not one whose init function failed.
    """
    report = context.report
    if report.last_unloaded:
        why = f"{report.last_unloaded} was unloaded last"
        return UnloadedModule(report.last_unloaded, why, report.line_of("modules"))
    if "modules" not in report.cited:
        return None
    listed = {module.name for module in report.modules}
    came = {
        event.module: event.line.number
        for event in context.module_events
        if event.boot == report.boot and event.line.number < report.span.first_line
        if event.what in _CAME and event.module not in listed
    }
    if len(came) != 1:
        return None
    ((name, line),) = came.items()
    return UnloadedModule(name, f"{name} had been loaded, and is not there any more", line)


def use_after_unload(context: Context) -> UnloadedModule | None:
    """Return the module whose code was gone when it was run, or None.

    The instruction pointer is then a bare number in the modules' area, and the fault address is
    the same. An init function can also lack readable `Code:` bytes, but it has a name.
    """
    report = context.report
    gone = unloaded(context) if _is_nameless(report) else None
    if gone is None:
        return None
    target = context.fault_address
    if target is None:
        target = report.register("rip") or report.register("pc") or report.register("epc")
    areas = _CODE_AREAS_VMALLOC if context.arch in ("arm64", "ppc64") else _CODE_AREAS
    if target is None or classify(target, context.arch) not in areas:
        return None
    # What is left of a module's code may be int3 from end to end (`mm/execmem.c`).
    ran = context.is_jump or not {"unreadable_code", "int3"}.isdisjoint(report.details)
    return gone if ran else None


def data_after_unload(context: Context) -> UnloadedModule | None:
    """Return the module that is gone, where somebody used memory in the modules' area, or None.

    What it left behind in a list or timer of the kernel points there.
    """
    at = context.fault_address
    in_modules = at is not None and is_module_area(at, context.report, context.arch)
    # powerpc keeps modules in vmalloc memory: only one that was removed may have been there.
    if context.arch == "ppc64" and context.report.last_unloaded:
        in_modules = context.address_class is AddressClass.VMALLOC
    in_modules = in_modules or _is_within_reach(context)
    return unloaded(context) if in_modules and not context.is_jump else None


def left_in_list(context: Context) -> str | None:
    """Return why the fault is one of a list in which a module that is gone left its entry, or None.

    Who registers something writes to the entry before it. Where that lies in the modules' area and
    is not mapped, its module was removed without taking it out; it is not the one that is loading.
    """
    report = context.report
    at, name = context.fault_address, report.function
    if at is None or not name or report.module or context.is_jump or unloaded(context):
        return None
    if not _REGISTERING.match(name) or not _is_loading(report):
        return None
    if not (is_module_area(at, report, context.arch) or _is_beside_module(at, context)):
        return None
    return (
        f"{name} met an entry at {at:#x}, where modules lie: one that is gone left it in the list"
    )


def data_of_nobody(context: Context) -> str | None:
    """Return why the fault is one of a module that is gone and that nothing names, or None.

    Code of the kernel itself then walks a list in which the module left an object of its own.
    """
    report, at = context.report, context.fault_address
    stack = {frame.module for frame in report.frames if frame.reliable}
    if (
        at is None
        or report.function is None
        or stack - {None}
        or report.kind is not Kind.PAGE_FAULT
    ):
        return None
    if context.is_jump or context.poison or context.address_class is not AddressClass.MODULES:
        return None
    text = f"{report.function} used {at:#x}, where modules lie and none is any more"
    return f"{text}: a module that is gone left an object in a list of the kernel"


def is_of_nobody(context: Context) -> bool:
    """Whether a module is to blame that is gone, and that nothing names."""
    return bool(left_in_list(context) or data_of_nobody(context))


def _is_loading(report: Report) -> bool:
    names = {(frame.function or "").partition(".")[0] for frame in report.frames}
    return LOADERS.get(report.comm or "") == "+" or any(n.endswith(_INITIALISING) for n in names)


def _is_beside_module(at: int, context: Context) -> bool:
    """Whether an address of i386 is one of vmalloc memory, where modules lie, as another register.

    `arch/x86/include/asm/pgtable_32_areas.h`: MODULES_VADDR is VMALLOC_START.
    """
    if context.arch not in ("i386", "x86") or not _VMALLOC_I386 <= at < _FIXMAP_I386:
        return False
    return any(_OBJECT < abs(value - at) < _SPAN for _, value in context.general())


def _is_within_reach(context: Context) -> bool:
    """Whether a module from outside the tree that was removed may have had an address of arm64.

    Its modules lie within 2 GiB of the kernel, wherever chance puts that
    (`arch/arm64/kernel/module.c`); other vmalloc memory is far away, unless chance does not.
    """
    at = context.fault_address
    foreign = "O" in context.report.details.get("last_unloaded_flags", "")
    if context.arch != "arm64" or not foreign or at is None:
        return False
    distances = (abs(value - at) for _, value in context.general())
    near = any(_OBJECT < distance < _REACH for distance in distances)
    return near and context.address_class is AddressClass.VMALLOC


_REGISTERING: Final = regex(
    r"(?:__)?(?:kobject_add|kset_|klist_add|list_add|bus_add_|driver_register|device_add"
    r"|\w*notifier_chain_register|\w*register_\w*notifier|proc_register|class_(?:add|register)"
    r"|misc_register|register_filesystem|crypto_(?:register|alg)|nf_register|input_register)"
)
"""How the names of functions begin that put an object of a module into a list of the kernel."""
_INITIALISING: Final = ("init_module", "do_one_initcall")
_VMALLOC_I386: Final = 0xF0000000
_FIXMAP_I386: Final = 0xFF000000
_SPAN: Final = 1 << 25
"""Bytes between modules that are loaded one after the other, at most."""
_REACH: Final = 1 << 31
_OBJECT: Final = 1 << 16
"""What lies closer may be an address that was worked out from the same pointer."""
_CAME: Final = ("out-of-tree", "unsigned", "license", "forced")
"""Module events after which a module was let in."""
_CODE_AREAS = (AddressClass.MODULES, AddressClass.KERNEL)
_CODE_AREAS_VMALLOC = (*_CODE_AREAS, AddressClass.VMALLOC)
"""arm64 may load modules anywhere within reach of the kernel (`arch/arm64/kernel/module.c`), and
powerpc keeps them in vmalloc memory."""
