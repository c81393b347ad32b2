"""Use after unload: code of a module that ran, or was jumped to, after the module was removed."""

from __future__ import annotations

from pagefault_doctor.diagnosis.address import AddressClass, classify
from pagefault_doctor.diagnosis.scene import Scene
from pagefault_doctor.model.report import Report

_NO_CODE = ("Bad RIP value", "Unable to access opcode bytes", "Code: (Bad", "(Bad address)")


def _is_nameless(report: Report) -> bool:
    """Whether the instruction pointer is a bare number; the first frame stands for it."""
    first = report.frames[0].function if report.frames else None
    return report.function is None or first is None


def use_after_unload(scene: Scene) -> str | None:
    """Return the module whose code was gone when it was run, or None.

    The instruction pointer is then a bare number in the modules' area, and the fault address is
    the same. An init function can also lack readable `Code:` bytes, but it has a name.
    """
    report = scene.report
    if report.last_unloaded is None or not _is_nameless(report):
        return None
    target = scene.fault_address
    if target is None:
        target = report.register("rip") or report.register("pc") or report.register("epc")
    areas = _CODE_AREAS_ARM64 if scene.arch == "arm64" else _CODE_AREAS
    if target is None or classify(target, scene.arch) not in areas:
        return None
    return report.last_unloaded if scene.is_jump or scene.line_with(*_NO_CODE) else None


_CODE_AREAS = (AddressClass.MODULES, AddressClass.KERNEL)
_CODE_AREAS_ARM64 = (*_CODE_AREAS, AddressClass.VMALLOC)
"""arm64 may load modules anywhere within reach of the kernel (`arch/arm64/kernel/module.c`)."""
