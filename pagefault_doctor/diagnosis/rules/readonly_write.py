"""A write to constant data or to code."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Access, Report

_NOT_KERNEL = (AddressClass.USER, AddressClass.NULL, AddressClass.NEAR_NULL)
_PRESENT_WRITE = 3
_RESERVED = 8
_MODULE = 0x10000
"""Bytes from the code of a small module to its constants, at most."""


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether constant memory was written to."""
    # arm64 calls any mapped page so that the kernel may not write to, also one of a program.
    if "read_only_write" in report.details and context.address_class is not AddressClass.USER:
        text = "the kernel calls it a write to read-only memory"
        yield context.evidence("constant.headline", text, "read_only_write")
        return
    if context.address_class in _NOT_KERNEL or context.fault_address is None:
        return
    bits = context.x86_fault_bits
    if bits is not None:
        refused = bits & _PRESENT_WRITE == _PRESENT_WRITE and not bits & _RESERVED
    else:
        reason = (report.fault.reason if report.fault else None) or ""
        refused = "permission" in reason and context.access is Access.WRITE
    if refused:
        text = f"a write to {context.fault_address:#x}, which is mapped, but read-only"
        yield context.evidence("constant.protection", text, "fault")
    elif _is_in_image(context):
        text = f"a write to {context.fault_address:#x}, where the kernel's image has its constants"
        yield context.evidence("constant.image", text, "fault")
    elif _is_beside_code(report, context):
        text = f"a write to {context.fault_address:#x}, beside the code of a module: its constants"
        yield context.evidence("constant.module", text, "fault")


def _is_in_image(context: Context) -> bool:
    """Whether riscv refused a write to the part of the kernel's image before its variables.

    Its report does not tell an unmapped page from a read-only one (`arch/riscv/mm/fault.c`). GP
    points into the variables (`arch/riscv/kernel/vmlinux.lds.S`, __global_pointer$), and the image
    is mapped as a whole.
    """
    at, variables = context.fault_address, context.registers.get("gp")
    if context.arch != "riscv64" or context.access is not Access.WRITE or variables is None:
        return False
    return context.address_class is AddressClass.TEXT and at is not None and at < variables


def _is_beside_code(report: Report, context: Context) -> bool:
    """Whether riscv refused a write close to where a module of the trace has its code.

    The parts of a module are mapped side by side, its constants between code and variables
    (`kernel/module/main.c`, layout_sections).
    """
    at = context.fault_address
    if context.arch != "riscv64" or context.access is not Access.WRITE or at is None:
        return False
    places = (int(f.address, 16) for f in report.frames if f.module and f.address)
    near = any(0 < at - place < _MODULE for place in places)
    return context.address_class is AddressClass.MODULES and near
