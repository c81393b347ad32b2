"""A fault in a module's file: the source line, the inlined calls there, and the bad pointer."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pagefault_doctor.model.pointer import InlinedCall, Pointer
from pagefault_doctor.model.report import Report, SourceLine
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.access import FaultingAccess
from pagefault_doctor.symbols.btf_pointer import module_types, pointer_by_types
from pagefault_doctor.symbols.compressed_module import Unpack
from pagefault_doctor.symbols.debug_file import find_debug_file, has_debug_info
from pagefault_doctor.symbols.dwarf import line_table
from pagefault_doctor.symbols.dwarf.scope import STMT_LIST
from pagefault_doctor.symbols.elf_sections import Sections
from pagefault_doctor.symbols.file_search import Tell, ignore
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.instruction import Instruction, decode_bytes
from pagefault_doctor.symbols.module_file import (
    CodeLocation,
    elf_errors,
    find_code,
    open_module,
    unreadable,
)
from pagefault_doctor.symbols.pointer import called_pointer, find_pointer
from pagefault_doctor.symbols.variable_names import VariableNames

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_MACHINES: Final = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
_ARCHES: Final = _MACHINES | {
    **{"EM_386": "i386", "EM_ARM": "arm", "EM_RISCV": "riscv64", "EM_PPC64": "ppc64"},
    **{"EM_S390": "s390x", "EM_MIPS": "mips", "EM_LOONGARCH": "loongarch64"},
}
"""What `klog/arch.py` calls the machine of an ELF file. Variables are read for _MACHINES alone."""
_EIGHT_BYTES: Final = frozenset({1, 257})
"""Relocation types that fill 8 bytes (R_X86_64_64, R_AARCH64_ABS64); all others in code fill 4."""
_UNLOCKED: Final = (0xF0, 0x3E)
"""The lock prefix in the file, and what a kernel on one processor makes of it
(`arch/x86/kernel/alternative.c`, alternatives_smp_unlock)."""
_THUNK: Final = "__x86_indirect_thunk_"
"""Functions that jump to the address in a register (`arch/x86/lib/retpoline.S`)."""


class _FaultLocation(msgspec.Struct, frozen=True, dict=True):
    """The code location of a fault, and the same location in the file with debug information.

    `file` is the latter file.
    """

    file: Path
    code_elf: ELFFile
    in_code: CodeLocation
    debug_elf: ELFFile
    in_debug: CodeLocation

    @cached_property
    def code(self) -> Sections:
        """The sections with the code. Raises DamagedElf on a 32-bit or big-endian machine."""
        return Sections(self.code_elf)

    @cached_property
    def debug(self) -> Sections:
        """The sections with debug information. Raises DamagedElf like `code`."""
        return self.code if self.debug_elf is self.code_elf else Sections(self.debug_elf)


def add_fault_location(
    file: Path,
    report: Report,
    access: FaultingAccess | None,
    unpack: Unpack | None = None,
    tell: Tell = ignore,
) -> Report:
    """Return the report with source line, inlined calls and bad pointer from the module's file.

    The file may be stripped, damaged or of another build: then some or all of that is missing.
    `tell` gets what could not be read.
    """
    try:
        with ExitStack() as stack:
            found = _open(stack, file, report, unpack, tell)
            if found is None or _is_other_machine(found, report, tell):
                return report
            if access and _is_other_build(found, access):
                return report
            row = line_table.lookup(found.debug_elf, found.in_debug.section, found.in_debug.at)
            inlined, pointer = _by_dwarf(found, access, tell)
            if access and not has_debug_info(found.debug_elf):
                pointer = _by_types(found, access, report, file.parent, tell)
    except elf_errors() as error:
        tell(unreadable(file, error))
        return report
    return msgspec.structs.replace(
        report,
        source_line=SourceLine(clean_line(row[0]), row[1]) if row else None,
        inlined=inlined,
        pointer=pointer,
    )


def _open(
    stack: ExitStack, file: Path, report: Report, unpack: Unpack | None, tell: Tell
) -> _FaultLocation | None:
    """Return the location that a report is about, or None if the file has no such function."""
    if not report.function or report.offset is None:
        return None
    location = report.function, report.offset - report.is_call, report.size
    elf = stack.enter_context(open_module(file, unpack))
    in_code = find_code(elf, *location)
    debug_file = None if has_debug_info(elf) else find_debug_file(file, elf, file.parent, tell)
    if debug_file is not None:
        debug_elf = stack.enter_context(open_module(debug_file))
        in_debug = find_code(debug_elf, *location)
        if in_debug is not None:
            return _FaultLocation(debug_file, elf, in_code or in_debug, debug_elf, in_debug)
    return _FaultLocation(file, elf, in_code, elf, in_code) if in_code else None


def _is_other_machine(found: _FaultLocation, report: Report, tell: Tell) -> bool:
    """Return whether the file is of another architecture than the report, and tell so."""
    machine = _ARCHES.get(found.code_elf["e_machine"])
    if not report.arch or not machine or machine == report.arch:
        return False
    tell(f"{found.file} was not used: it is for {machine}, and the fault was on {report.arch}")
    return True


def _code_bytes(found: _FaultLocation, length: int) -> bytes:
    """Return `length` bytes of code at the location; empty if the file has none."""
    name = found.code.elf.get_section(found.in_code.section).name
    return found.code.data(name)[found.in_code.at : found.in_code.at + length]


def _is_other_build(found: _FaultLocation, access: FaultingAccess) -> bool:
    """Return whether the file has a different instruction at the location than the one that ran.

    Bytes that a relocation fills in are not compared. On arm64 a relocation changes bits inside the
    instruction word, so a relocated instruction is not compared at all.
    """
    in_file, ran = bytearray(_code_bytes(found, len(access.code))), bytearray(access.code)
    if not in_file or not ran:
        return False
    name = found.code.elf.get_section(found.in_code.section).name
    at = found.in_code.at
    for offset, kind, _, _ in found.code.relocations(name, at, at + len(ran)):
        if access.arch == "arm64":
            return False
        begin, width = offset - at, 8 if kind in _EIGHT_BYTES else 4
        in_file[begin : begin + width] = ran[begin : begin + width]
    if access.arch == "x86_64" and (in_file[0], ran[0]) == _UNLOCKED:
        in_file[0] = ran[0]
    return in_file != ran


def _by_dwarf(
    found: _FaultLocation, access: FaultingAccess | None, tell: Tell
) -> tuple[tuple[InlinedCall, ...], Pointer | None]:
    """Return the inlined calls and the bad pointer from DWARF; nothing from a damaged file."""
    arch = _MACHINES.get(found.debug_elf["e_machine"])
    if arch is None:
        return (), None
    try:
        names = VariableNames(found.debug, arch, found.in_debug.section, found.in_debug.at)
        inlined = _inlined_calls(found.debug, names)
        if access is None or access.arch != arch:
            return inlined, None
        code = _function_code(found, arch)
        if access.is_jump:
            call = _find_call(found, access, code)
            if call is None:
                return inlined, None
            names = VariableNames(found.debug, arch, found.in_debug.section, call[0])
            return inlined, called_pointer(names, call[1], code)
        complete = access if access.register else _decode_access(found, access)
        return inlined, find_pointer(names, complete, code) if complete else None
    except elf_errors() as error:
        tell(unreadable(found.file, error))
        return (), None


def _by_types(
    found: _FaultLocation, access: FaultingAccess, report: Report, folder: Path, tell: Tell
) -> Pointer | None:
    """Return the bad pointer from the types in BTF, or None."""
    try:
        if _MACHINES.get(found.code_elf["e_machine"]) != access.arch:
            return None
        types = module_types(found.code_elf, folder, report.kernel_release)
        code = _function_code(found, access.arch) if types else None
        complete = access if access.register else _decode_access(found, access)
        if types is None or code is None or complete is None or access.is_jump:
            return None
        return pointer_by_types(types, complete, report.function or "", code, found.in_code.at)
    except elf_errors() as error:
        tell(unreadable(found.file, error))
        return None


def _inlined_calls(debug: Sections, names: VariableNames) -> tuple[InlinedCall, ...]:
    start = names.root.number(STMT_LIST) if names.root else None
    return tuple(
        InlinedCall(
            clean_line(scope.name),
            clean_line(line_table.file_name(debug, start, scope.call_file))
            if start is not None and scope.call_file is not None
            else None,
            scope.call_line,
        )
        for scope in names.around[1:]
    )


def _function_code(found: _FaultLocation, arch: str) -> FunctionCode | None:
    try:
        return FunctionCode(found.code, arch, found.in_code, found.debug)
    except ImportError:  # pfdoctor.pyz on another platform has no capstone for it.
        return None


def _decode_access(found: _FaultLocation, access: FaultingAccess) -> FaultingAccess | None:
    """Return the access with its register, decoded from the file's instruction, or None.

    None also if that instruction does not explain the faulting address.
    """
    instruction = decode_bytes(_code_bytes(found, 16), access.arch)
    if instruction is None or instruction.base is None:
        return None
    address, value = instruction.address(access.registers), access.registers.get(instruction.base)
    if address is None or value is None or not 0 <= access.address - address < 8:
        return None
    return msgspec.structs.replace(
        access, register=instruction.base, value=value, address=address, size=instruction.size
    )


def _find_call(
    found: _FaultLocation, access: FaultingAccess, code: FunctionCode | None
) -> tuple[int, FaultingAccess] | None:
    """Return the offset of the call that jumped to a bad address, and the register it used."""
    at = code.start_of(found.in_code.at) if code else None
    if code is None or at is None:
        return None
    callee = code.callee(code.decoded(at)) or ""
    if callee.startswith(_THUNK):
        register = callee.removeprefix(_THUNK)
        return at, msgspec.structs.replace(access, register=register)
    call = decode_bytes(code.bytes_at(at), access.arch)
    return (at, _called_operand(access, call)) if call else None


def _called_operand(access: FaultingAccess, call: Instruction) -> FaultingAccess:
    if call.has_memory:
        register, displacement = call.base, call.displacement
        if call.index or call.segment or call.base in (None, "rip"):
            register = None
        return msgspec.structs.replace(access, register=register, displacement=displacement)
    operand = call.text.rpartition("%" if access.arch == "x86_64" else " ")[2]
    is_through = access.registers.get(operand) == access.address
    return msgspec.structs.replace(access, register=operand if is_through else None)
