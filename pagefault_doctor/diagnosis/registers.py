"""What the value of each register means, and the processor's error code in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pagefault_doctor.diagnosis import address, poison
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import RegisterNote

_STACK_REACH: Final = 0x4000
"""THREAD_SIZE of x86_64 and arm64 with 4 KiB pages."""

_X86_BITS: Final = (
    (1 << 3, "a reserved bit is set in the page tables"),
    (1 << 5, "a protection key refused it"),
    (1 << 6, "of a shadow stack"),
    (1 << 15, "in an SGX enclave"),
    (1 << 31, "refused by the table of the owners of pages (RMP)"),
)
"""`arch/x86/include/asm/trap_pf.h`, where bits 0, 1, 2 and 4 are P, W, U and I."""

_ESR_CLASS: Final = {
    0x0E: "an illegal execution state",
    0x20: "an instruction of a program could not be fetched",
    0x21: "an instruction of the kernel could not be fetched",
    0x22: "the program counter is misaligned",
    0x24: "data access by a program",
    0x25: "data access by the kernel",
    0x26: "the stack pointer is misaligned",
    0x2F: "SError: the memory or the bus reports an error",
    0x3C: "a BRK instruction: a check of the kernel that failed",
}
_ESR_STATUS: Final = (
    (0x04, 0x07, "no page is mapped, level {level} of the tables says"),
    (0x09, 0x0B, "the access flag is not set at level {level}"),
    (0x0D, 0x0F, "the permissions at level {level} refuse it"),
    (0x10, 0x10, "external abort: the memory or the bus answered with an error"),
    (0x11, 0x11, "the memory tag does not match"),
    (0x14, 0x17, "external abort during the walk through the page tables, level {level}"),
    (0x18, 0x18, "a parity or ECC error"),
    (0x1C, 0x1F, "a parity or ECC error during the walk through the page tables"),
    (0x21, 0x21, "the address is misaligned for this access"),
    (0x30, 0x30, "two entries of the TLB conflict"),
)
"""`arch/arm64/include/asm/esr.h`; the status is DFSC or IFSC, the lowest six bits."""
_FSR_WRITE: Final = 1 << 11
_FSR_LPAE: Final = 1 << 9
_FSR_STATUS: Final = {
    0x1: "the address is misaligned for this access",
    0x5: "nothing is mapped there, not even in the first level of the page tables",
    0x7: "no page is mapped there",
    0x8: "external abort: the bus answered with an error",
    0x9: "the domain of the section refuses it",
    0xB: "the domain of the page refuses it",
    0xD: "the permissions of the section refuse it",
    0xF: "the permissions of the page refuse it",
    0x16: "external abort, which came late: the bus answered with an error",
}
"""`arch/arm/mm/fsr-2level.c`; the status is FS, bits 0 to 3 and 10 (`arch/arm/mm/fault.h`)."""


def error_words(context: Context) -> str | None:
    """Return the x86 error code, the arm64 ESR or the ARM FSR in words, None without one."""
    if context.x86_fault_bits is not None:
        return _x86(context.x86_fault_bits)
    if context.arch == "arm64" and context.error_code is not None:
        return _esr(context.error_code)
    if context.arch == "arm" and context.error_code is not None:
        return _fsr(context.error_code)
    return None


def _x86(code: int) -> str:
    what = "instruction fetch" if code & 0x10 else "write" if code & 2 else "read"
    who = "by a program" if code & 4 else "by the kernel"
    page = "the page is mapped, and does not allow it" if code & 1 else "no page is mapped there"
    more = [words for bit, words in _X86_BITS if code & bit]
    return "; ".join((f"{what} {who}", *(more or [page])))


def _fsr(code: int) -> str | None:
    """Return the status of ARM's two-level page tables in words."""
    words = None if code & _FSR_LPAE else _FSR_STATUS.get(code & 0xF | code >> 6 & 0x10)
    return f"a {'write' if code & _FSR_WRITE else 'read'}; {words}" if words else None


def _esr(code: int) -> str:
    group, status = code >> 26 & 0x3F, code & 0x3F
    words = [_ESR_CLASS.get(group, f"exception class {group:#x}")]
    if group in (0x20, 0x21, 0x24, 0x25):
        if group >= 0x24:
            words[0] += ", a write" if code & 1 << 6 else ", a read"
        known = (text for low, high, text in _ESR_STATUS if low <= status <= high)
        words.append(next(known, f"status {status:#x}").format(level=status & 3))
        if code & 1 << 10:
            words.append("the fault address is not valid (FnV)")
    return "; ".join(words)


def walk_words(context: Context) -> str | None:
    """Return where the processor's walk through the page tables ended, or None where not shown."""
    stop = context.report.details.get("page_walk_stop")
    if stop is None:
        return None
    reach = _REACH.get(stop)
    near = f": nothing is mapped within {reach} of it" if reach else ""
    return f"the walk through the page tables ended at an empty {stop.upper()}{near}"


_REACH: Final = {"pgd": "512 GiB", "p4d": "512 GiB", "pud": "1 GiB", "pmd": "2 MiB"}
"""What one empty entry covers, with 4 KiB pages."""


def register_notes(context: Context) -> tuple[RegisterNote, ...]:
    """Return every register that the report prints as a number, with what its value means."""
    known = tuple(context.general())
    return tuple(_reading(context, name, value, known) for name, value in known)


def _reading(
    context: Context, name: str, value: int, known: Iterable[tuple[str, int]]
) -> RegisterNote:
    means = next(_meanings(context, name, value, known))
    return RegisterNote(name, f"{value:#x}", *means, line=context.register_line(name))


def _meanings(
    context: Context, name: str, value: int, known: Iterable[tuple[str, int]]
) -> Iterator[tuple[str, bool]]:
    """Yield what a value means, the most special first, and whether that is worth a look."""
    bits = context.bits
    if value < address.NEAR_NULL and not _is_used(context, name):
        yield "a small number" if value else "0, or NULL", False
    if value == 0:
        yield "0, or NULL", context.base is not None and context.base[0] == name
    elif value < address.PAGE and _is_used(context, name):
        yield f"{value:#x}: NULL, with an offset added before", True
    if value >= address.PAGE:
        yield from _special(context, name, value, known)
    part = address.classify(value, context.arch)
    if value < address.NEAR_NULL or bits == 32:
        yield "a small number" if value < address.NEAR_NULL else part.value, False
    yield part.value, part is AddressClass.NON_CANONICAL and _is_used(context, name)


def _special(
    context: Context, name: str, value: int, known: Iterable[tuple[str, int]]
) -> Iterator[tuple[str, bool]]:
    bits = context.bits
    if number := address.error_of(value, bits):
        yield f"the error code {address.errno_name(number)}", address.is_common(number)
    if hit := poison.find(value, bits):
        shift = f" {hit.offset:+#x}" if hit.offset else ""
        yield f"{hit.poison.name}{shift}: {hit.poison.means}", True
    yield from _half(context, name, value, known)
    if bits == 64 and address.is_shadow(value, known=False):
        meant = address.unshadowed(value)
        yield (f"KASAN's shadow of {meant:#x}" if meant else "where KASAN's shadow begins"), False
    text = address.printable(value, bits)
    if text and bits == 64:
        yield f"the text {text!r}", _is_used(context, name)
    if bits == 64 and (end := address.end_of_text(value)):
        yield f"the end of a text, {end!r}: something wrote text there", _is_used(context, name)
    if bits == 64 and not address.canonical(value, context.arch):
        others = tuple(other for other_name, other in known if other_name != name)
        if fixed := address.repaired(value, others):
            yield f"one flipped bit ({fixed[0]}) away from {fixed[1]:#x}", True
        if address.is_page_flags(value):
            yield "like the flags of a struct page, with its zone and node in the top bits", True
        if whole := address.unpacked(value, others):
            yield f"the pointer {whole:#x} with something else in its upper 16 bits", True
    yield from _stack(context, value)


def _half(
    context: Context, name: str, value: int, known: Iterable[tuple[str, int]]
) -> Iterator[tuple[str, bool]]:
    """Recognise a pointer of which a conversion to 32 bits left only the lower half."""
    upper = value >> 32
    if context.bits == 64 and upper in (0, 0xFFFFFFFF) and (whole := _whole(name, value, known)):
        how = "extended by its sign" if upper else "cut to 32 bits"
        yield f"the lower half of {whole.upper()}: a pointer {how}", _is_used(context, name)


def _stack(context: Context, value: int) -> Iterator[tuple[str, bool]]:
    """Recognise the task's stack, which begins above a guard page (CONFIG_VMAP_STACK)."""
    stack = context.registers.get("rsp") or context.registers.get("sp")
    if not stack:
        return
    low = stack & -_STACK_REACH
    if low - address.PAGE <= value < low:
        yield "the guard page below the stack", True
    elif stack - _STACK_REACH < value < stack + _STACK_REACH:
        yield "the task's own stack", False


def _whole(name: str, value: int, known: Iterable[tuple[str, int]]) -> str | None:
    """Return the register that holds a kernel pointer with this lower half, or None."""
    low = value & 0xFFFFFFFF
    if low < address.NEAR_NULL:
        return None
    pointers = ((n, v) for n, v in known if n != name and v != value and v >> 48 == 0xFFFF)
    return next((n for n, v in pointers if v & 0xFFFFFFFF == low), None)


def _is_used(context: Context, name: str) -> bool:
    """Whether the faulting access went through the register; else its value is data in flight."""
    return context.base is not None and context.base[0] == name
