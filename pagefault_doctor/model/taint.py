"""The kernel's taint flags.

From `kernel/panic.c` (taint_flags) and `Documentation/admin-guide/tainted-kernels.rst`.
"""

from __future__ import annotations

from typing import Final

import msgspec


class TaintFlag(msgspec.Struct, frozen=True):
    """One flag: its bit in /proc/sys/kernel/tainted, its letter and its meaning."""

    bit: int
    letter: str
    name: str
    meaning: str


# Wordings are our own; names without TAINT_ as in include/linux/panic.h.
FLAGS: Final = (
    TaintFlag(0, "P", "PROPRIETARY_MODULE", "a proprietary module was loaded"),
    TaintFlag(1, "F", "FORCED_MODULE", "a module was loaded by force"),
    TaintFlag(2, "S", "CPU_OUT_OF_SPEC", "the processor is out of specification"),
    TaintFlag(3, "R", "FORCED_RMMOD", "a module was unloaded by force"),
    TaintFlag(4, "M", "MACHINE_CHECK", "the processor reported a machine check"),
    TaintFlag(5, "B", "BAD_PAGE", "a bad page was found"),
    TaintFlag(6, "U", "USER", "taint was requested from user space"),
    TaintFlag(7, "D", "DIE", "the kernel died before: an earlier oops or BUG"),
    TaintFlag(8, "A", "OVERRIDDEN_ACPI_TABLE", "an ACPI table was overridden"),
    TaintFlag(9, "W", "WARN", "the kernel warned before"),
    TaintFlag(10, "C", "CRAP", "a staging driver was loaded"),
    TaintFlag(11, "I", "FIRMWARE_WORKAROUND", "a firmware bug is worked around"),
    TaintFlag(12, "O", "OOT_MODULE", "an out-of-tree module was loaded"),
    TaintFlag(13, "E", "UNSIGNED_MODULE", "an unsigned module was loaded"),
    TaintFlag(14, "L", "SOFTLOCKUP", "a soft lockup happened before"),
    TaintFlag(15, "K", "LIVEPATCH", "the kernel was live-patched"),
    TaintFlag(16, "X", "AUX", "a flag the distribution defines"),
    TaintFlag(17, "T", "RANDSTRUCT", "structures are laid out at random"),
    TaintFlag(18, "N", "TEST", "an in-kernel test was run"),
    TaintFlag(19, "J", "FWCTL", "a firmware control interface was used to write"),
)

BY_LETTER: Final = {flag.letter: flag for flag in FLAGS}


def letters(mask: int) -> tuple[str, ...]:
    """Return the letters of the flags set in a value of /proc/sys/kernel/tainted."""
    return tuple(flag.letter for flag in FLAGS if mask >> flag.bit & 1)
