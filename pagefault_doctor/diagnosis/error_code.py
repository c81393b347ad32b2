"""What an error code shows of the access that failed."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.report import Access

_ARM64_WRITE: Final = 1 << 6
"""WnR of an arm64 data abort (`arch/arm64/include/asm/esr.h`)."""
_ARM64_DATA_ABORTS: Final = (0x24, 0x25)
_ARM64_INSTRUCTION_ABORTS: Final = (0x20, 0x21)
"""Exception classes of the ESR, of a lower and of the current exception level (same file)."""
_ARM_WRITE: Final = 1 << 11
"""FSR_WRITE (`arch/arm/mm/fault.h`)."""


def access_of(code: int, arch: str | None, *, page_fault: bool) -> Access | None:
    """Return what an instruction did, by the ESR of arm64 or, of a page fault, the FSR of ARM."""
    if arch == "arm64" and code >> 26 & 0x3F in _ARM64_INSTRUCTION_ABORTS:
        return Access.EXECUTE
    if arch == "arm64" and code >> 26 & 0x3F in _ARM64_DATA_ABORTS:
        return Access.WRITE if code & _ARM64_WRITE else Access.READ
    if arch == "arm" and page_fault:
        return Access.WRITE if code & _ARM_WRITE else Access.READ
    return None
