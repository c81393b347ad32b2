"""What an address shows by itself: the part of the address space it lies in.

Ranges are those of `Documentation/arch/x86/x86_64/mm.rst` and `arch/arm64/include/asm/memory.h`.
With KASLR the direct map, vmalloc and vmemmap of x86_64 move, so an address between the fixed
ranges is only known to be kernel memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pagefault_doctor.diagnosis import poison

PAGE: Final = 0x1000
NEAR_NULL: Final = 0x10000
"""Members of big structures and arrays reach this far from NULL."""
MAX_ERRNO: Final = 4095
"""`include/linux/err.h`."""

KASAN_SHADOW: Final = 0xDFFFFC0000000000
"""KASAN_SHADOW_OFFSET of x86_64 (`arch/x86/Kconfig`): shadow = offset + address / 8."""
_SHADOW_OF_KERNEL: Final = 0xFFFFEC0000000000

_NARROW: Final = frozenset({"arm", "i386", "i686", "x86", "x86_32", "mips", "ppc", "riscv32"})


class AddressClass(StrEnum):
    """A part of the address space, as a phrase for a person."""

    NULL = "NULL"
    NEAR_NULL = "a small offset from NULL"
    ERROR = "an error code"
    POISON = "poison"
    USER = "user space"
    NON_CANONICAL = "no valid address"
    DIRECT_MAP = "the direct map of memory"
    VMALLOC = "vmalloc memory"
    VMEMMAP = "the array of struct page"
    TEXT = "the kernel image"
    MODULES = "the modules' area"
    SHADOW = "the shadow memory of KASAN"
    KERNEL = "kernel memory"


_X86_64: Final = (
    (0xFF11000000000000, 0xFF91000000000000, AddressClass.DIRECT_MAP),
    (0xFFA0000000000000, 0xFFD2000000000000, AddressClass.VMALLOC),
    (0xFFD4000000000000, 0xFFD6000000000000, AddressClass.VMEMMAP),
    (0xFFFF888000000000, 0xFFFF8C0000000000, AddressClass.DIRECT_MAP),
    (0xFFFFC90000000000, 0xFFFFCA0000000000, AddressClass.VMALLOC),
    (0xFFFFEA0000000000, 0xFFFFEB0000000000, AddressClass.VMEMMAP),
    (0xFFFFEC0000000000, 0xFFFFFC0000000000, AddressClass.SHADOW),
    (0xFFFFFFFF80000000, 0xFFFFFFFFA0000000, AddressClass.TEXT),
    (0xFFFFFFFFA0000000, 0xFFFFFFFFFF000000, AddressClass.MODULES),
)

_ARM64: Final = (
    (0xFFFF000000000000, 0xFFFF800000000000, AddressClass.DIRECT_MAP),
    (0xFFFF800000000000, 0xFFFF800008000000, AddressClass.MODULES),
    (0xFFFF800100000000, 0xFFFFFBFFF0000000, AddressClass.VMALLOC),
    (0xFFFFFC0000000000, 0xFFFFFE0000000000, AddressClass.VMEMMAP),
)
"""With 48 bits of addresses, from 5.4 on (`Documentation/arch/arm64/memory.rst`).

What lies between modules and vmalloc is the kernel image, vmalloc or, from 6.5 on, modules as well.
"""

_RISCV64: Final = (
    (0xFF1C000000000000, 0xFF20000000000000, AddressClass.VMEMMAP),
    (0xFF20000000000000, 0xFF60000000000000, AddressClass.VMALLOC),
    (0xFF60000000000000, 0xFFE0000000000000, AddressClass.DIRECT_MAP),
    (0xFFFF8D8000000000, 0xFFFF8F8000000000, AddressClass.VMEMMAP),
    (0xFFFF8F8000000000, 0xFFFFAF8000000000, AddressClass.VMALLOC),
    (0xFFFFAF8000000000, 0xFFFFEF8000000000, AddressClass.DIRECT_MAP),
    (0xFFFFFFC500000000, 0xFFFFFFC600000000, AddressClass.VMEMMAP),
    (0xFFFFFFC600000000, 0xFFFFFFD600000000, AddressClass.VMALLOC),
    (0xFFFFFFD600000000, 0xFFFFFFF600000000, AddressClass.DIRECT_MAP),
    (0xFFFFFFFF00000000, 0xFFFFFFFF80000000, AddressClass.MODULES),
    (0xFFFFFFFF80000000, 0xFFFFFFFFFF000000, AddressClass.TEXT),
)
"""With 57, 48 and 39 bits of addresses (`Documentation/arch/riscv/vm-layout.rst`)."""

_MIPS64: Final = (
    (0x8000000000000000, 0xC000000000000000, AddressClass.DIRECT_MAP),
    (0xC000000000000000, 0xFFFFFFFF80000000, AddressClass.VMALLOC),
    (0xFFFFFFFF80000000, 0xFFFFFFFFC0000000, AddressClass.TEXT),
    (0xFFFFFFFFC0000000, 0xFFFFFFFFFF000000, AddressClass.MODULES),
)
"""`arch/mips/include/asm/addrspace.h` (XKPHYS, XKSEG, CKSEG0 and 1, CKSEG2)."""

_PPC64: Final = (
    (0xC000000000000000, 0xC008000000000000, AddressClass.DIRECT_MAP),
    (0xC008000000000000, 0xC00A000000000000, AddressClass.VMALLOC),
    (0xC00C000000000000, 0xC00E000000000000, AddressClass.VMEMMAP),
)
"""`arch/powerpc/include/asm/book3s/64/radix.h`; modules are in vmalloc memory."""

_USER_AREAS: Final[Mapping[str | None, tuple[tuple[int, int], ...]]] = {
    "x86_64": ((0x555555554000, 0x565555554000), (0x7EFF00000000, 0x800000000000)),
    "arm64": ((0xAAAAAAAAA000, 0xAAB000000000), (0xFFF000000000, 0x1000000000000)),
    "ppc64": (
        (0x100000000, 0x200000000),
        (0x10000000000, 0x10100000000),
        (0x3FF000000000, 0x400000000000),
        (0x7FF000000000, 0x800000000000),
    ),
    "s390x": ((0x2AA00000000, 0x2AB00000000), (0x3FF80000000, 0x40000000000)),
    "riscv64": (
        (0x2AAAAAA000, 0x2B00000000),
        (0x3F00000000, 0x4000000000),
        (0x555555554000, 0x565555554000),
        (0x7FF000000000, 0x800000000000),
    ),
    "mips64": ((0xAAAAAAA000, 0xABC0000000), (0xFF00000000, 0x10000000000)),
    "arm": ((0xB6000000, 0xBF000000),),
    "i386": ((0xB7000000, 0xC0000000),),
    "mips": ((0x77000000, 0x80000000),),
}
"""Where programs have their code and heap, from ELF_ET_DYN_BASE on (`arch/*/include/asm/elf.h`),
and their libraries and stack, below the end (TASK_SIZE, DEFAULT_MAP_WINDOW): each as far as
`arch_mmap_rnd` moves them by default. On powerpc the heap may be at 1 TiB (`arch_randomize_brk`).
On s390 the kernel has all addresses for itself, and its image where programs have libraries."""
S390_SHARED: Final = 0x3FF00000000
"""Where the kernel of s390 has its image and modules."""

_ERRNO: Final = {
    1: "EPERM",
    2: "ENOENT",
    5: "EIO",
    6: "ENXIO",
    11: "EAGAIN",
    12: "ENOMEM",
    13: "EACCES",
    14: "EFAULT",
    16: "EBUSY",
    17: "EEXIST",
    19: "ENODEV",
    22: "EINVAL",
    28: "ENOSPC",
    34: "ERANGE",
    38: "ENOSYS",
    95: "EOPNOTSUPP",
    110: "ETIMEDOUT",
    517: "EPROBE_DEFER",
}


def bits_of(arch: str | None) -> int:
    """Return the width of a pointer of that architecture, in bits."""
    return 32 if arch in _NARROW else 64


def is_user_area(value: int, arch: str | None) -> bool:
    """Whether programs of that architecture have their memory at an address."""
    return any(low <= value < high for low, high in _USER_AREAS.get(arch, ()))


def is_common(number: int) -> bool:
    """Whether functions of the kernel often return this errno."""
    return number in _ERRNO


_LAST_ERRNO: Final[Mapping[str | None, int]] = {"mips": 168, "mips64": 168, "parisc": 257}
"""The highest errno of an architecture that has its own; 133 elsewhere
(`arch/*/include/uapi/asm/errno.h`, `include/uapi/asm-generic/errno.h`)."""
_KERNELS_OWN: Final = range(512, 534)
"""Errnos that programs never see (`include/linux/errno.h`)."""
_EDQUOT_OF_MIPS: Final = 1133


def is_errno(number: int, arch: str | None) -> bool:
    """Whether a number is an errno at all: most up to MAX_ERRNO are none, on any architecture."""
    if number in _KERNELS_OWN or (number == _EDQUOT_OF_MIPS and "mips" in (arch or "")):
        return True
    return 0 < number <= _LAST_ERRNO.get(arch, 133)


def error_of(value: int, bits: int = 64) -> int | None:
    """Return the errno that a pointer encodes (`ERR_PTR`), or None."""
    number = (1 << bits) - value
    return number if 1 <= number <= MAX_ERRNO else None


def errno_name(number: int) -> str:
    """Return how an errno is written, such as `-ENOMEM`, or the bare number."""
    return f"-{_ERRNO[number]}" if number in _ERRNO else f"-{number}"


def is_shadow(value: int, known: bool) -> bool:
    """Whether a value is an address of KASAN's shadow memory that cannot exist.

    `known` is true where the faulting access went through the shadow's offset. Else only the
    shadow of the lower half of the addresses is recognised, for nothing else lies there.
    """
    if known and (value >> 47 != 0x1FFFF or value >= _SHADOW_OF_KERNEL):
        return KASAN_SHADOW <= value < KASAN_SHADOW + (1 << 61)
    return KASAN_SHADOW <= value < KASAN_SHADOW + (1 << 44)


def unshadowed(value: int) -> int:
    """Return the address that a place in KASAN's shadow memory stands for."""
    return (value - KASAN_SHADOW << 3) & 0xFFFFFFFFFFFFFFFF


_XKPHYS: Final = 2
_XKSEG: Final = 0xC000000000000000
"""`arch/mips/include/asm/addrspace.h`; the first by its two highest bits."""


def canonical(value: int, arch: str | None) -> bool:
    """Whether the processor would take the value for an address at all."""
    if bits_of(arch) == 32:
        return value < 1 << 32
    if arch == "arm64":
        return value >> 48 == 0 or value >> 52 == 0xFFF
    if arch == "mips64":
        # User addresses have 40 bits, and what XKPHYS maps of the memory at most 48.
        beyond = value & 0x07FF_0000_0000_0000 if value >> 62 == _XKPHYS else value >> 40
        return value >= _XKSEG or not beyond
    if arch == "ppc64":
        return value >> 52 == 0 or value >> 60 in (0xC, 0xD) or value >> 48 == 0xF000
    top = value >> 47
    return top in (0, 0x1FFFF) or (0xFF11 <= value >> 48 <= 0xFFD5) or arch == "s390x"


def as_printed(value: int, arch: str | None) -> int:
    """Return a fault address as the kernel prints it.

    arm64 takes the top byte off where bit 55 is clear, for it may hold a tag
    (`untagged_addr`, `arch/arm64/include/asm/memory.h`).
    """
    tagged = arch == "arm64" and not value >> 55 & 1
    return value & poison.ARM64_UNTAGGED if tagged else value


_RANGES: Final[Mapping[str | None, tuple[tuple[int, int, AddressClass], ...]]] = {
    None: _X86_64,
    "x86_64": _X86_64,
    "arm64": _ARM64,
    "riscv64": _RISCV64,
    "mips64": _MIPS64,
    "ppc64": _PPC64,
}


def _wide(value: int, arch: str | None) -> AddressClass:
    if not canonical(value, arch):
        return AddressClass.NON_CANONICAL
    if arch == "s390x" and not (value < S390_SHARED and is_user_area(value, arch)):
        return AddressClass.KERNEL  # Its address space is another than that of programs.
    if value < 1 << 56:
        return AddressClass.USER
    for low, high, part in _RANGES.get(arch, ()):
        if low <= value < high:
            return part
    return AddressClass.KERNEL


def _narrow(value: int, arch: str | None) -> AddressClass:
    if arch == "arm" and 0xBF000000 <= value < 0xC0000000:
        return AddressClass.MODULES
    return AddressClass.KERNEL if value >= 0xBF000000 else AddressClass.USER


def classify(value: int, arch: str | None) -> AddressClass:
    """Return the part of the address space that the value lies in."""
    bits = bits_of(arch)
    if value == 0:
        return AddressClass.NULL
    if value < NEAR_NULL:
        return AddressClass.NEAR_NULL
    if error_of(value, bits):
        return AddressClass.ERROR
    if poison.find(value, bits):
        return AddressClass.POISON
    return _wide(value, arch) if bits == 64 else _narrow(value, arch)


def printable(value: int, bits: int = 64) -> str | None:
    """Return the text that a pointer consists of, where it is printable ASCII.

    The lowest byte may have been added to, and arm64 drops the highest.
    """
    data = value.to_bytes(8, "little")[: bits // 8]
    letters = data[1:7] if bits == 64 else data
    if not all(0x20 <= byte < 0x7F for byte in letters) or data[-1] >= 0x7F:
        return None
    return letters.decode("ascii")


def end_of_text(value: int) -> str | None:
    """Return the text that a value of 64 bits ends, where it is one: plain letters, then zeros.

    The addresses of programs hardly ever have such bytes alone.
    """
    data = value.to_bytes(8, "little").rstrip(b"\0")
    is_plain = len(data) in _TEXT_END and all(byte in _PLAIN for byte in data)
    return data.decode("ascii") if is_plain else None


WIDE: Final = 64
_TEXT_END: Final = (5, 6)
_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./: "


def is_page_flags(value: int) -> bool:
    """Return whether a value looks like the flags of a struct page: few low bits, zone and node.

    The flags themselves are the lowest bits, zone and node the highest (`include/linux/mm.h`,
    `include/linux/page-flags-layout.h`); between them lies the last CPU, all ones or nothing.
    """
    low, middle, high = value & 0xFFFFFFF, value >> 28 & 0xFFFFFFF, value >> 56
    return 0 < low.bit_count() <= _MOST_FLAGS and middle in _NO_CPU and 0 < high < _MOST_ZONES


_MOST_FLAGS: Final = 8
_NO_CPU: Final = frozenset({0, 0xFFFFC00, 0xFFFFFC0, 0xFFFFF80})
_MOST_ZONES: Final = 0x60


def repaired(value: int, neighbours: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the bit (and the value without its flip) that alone makes a value a kernel pointer.

    A repair counts only where another register points into the same 64 GiB; otherwise any value
    is one flip away from some address.
    """
    known = _regions(neighbours)
    for bit in range(47, 64):
        fixed = value ^ (1 << bit)
        if fixed >> 47 == 0x1FFFF and fixed >> 36 in known:
            return bit, fixed
    return None


def unpacked(value: int, neighbours: tuple[int, ...]) -> int | None:
    """Return the kernel pointer of which a value has the lower 48 bits, and other upper ones.

    Code packs counters and tags there, and has to take them off again. As with `repaired`, another
    register must point into the same 64 GiB.
    """
    whole = value | 0xFFFF << 48
    return whole if value != whole and whole >> 36 in _regions(neighbours) else None


def _regions(values: tuple[int, ...]) -> set[int]:
    """Return the 64 GiB that kernel pointers among the values point into, but for its own image."""
    pointers = (value for value in values if value >> 47 == 0x1FFFF)
    return {value >> 36 for value in pointers if value >> 31 != (1 << 33) - 1}
