"""Where the kernel keeps modules: whether an address of a report lies there."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis import address
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.model.report import Report

S390_IMAGE: Final = 1 << 26
"""What the kernel's image may be long on s390, in bytes."""
_S390_MODULES: Final = 1 << 31
"""MODULES_LEN (`arch/s390/include/asm/pgtable.h`)."""


def is_module_area(value: int, report: Report, arch: str | None) -> bool:
    """Return whether modules lie at an address: on s390 that is below the kernel's image.

    Where that is, a frame shows (`arch/s390/boot/startup.c`, setup_kernel_memory_layout).
    """
    if arch != "s390x":
        return address.classify(value, arch) is AddressClass.MODULES
    named = (f for f in report.frames if f.function and f.address and not f.module)
    code = next((int(f.address or "", 16) for f in named), None)
    return code is not None and S390_IMAGE < code - value <= S390_IMAGE + _S390_MODULES
