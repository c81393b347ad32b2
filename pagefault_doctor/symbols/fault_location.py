"""A fault in a module's file: the source line, what is inlined there, and the bad pointer."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.model.pointer import InlinedCall, Pointer
from pagefault_doctor.model.report import Report, SourceLine
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.symbols.access import FaultingAccess
from pagefault_doctor.symbols.btf_pointer import pointer_by_types, types_of
from pagefault_doctor.symbols.compressed_module import Unpack
from pagefault_doctor.symbols.debug_file import find_debug_file, has_debug_info
from pagefault_doctor.symbols.dwarf import line_table
from pagefault_doctor.symbols.dwarf.scope import STMT_LIST
from pagefault_doctor.symbols.elf_sections import Sections
from pagefault_doctor.symbols.function_code import FunctionCode
from pagefault_doctor.symbols.instruction import Instruction, decode_bytes
from pagefault_doctor.symbols.module_file import CodePlace, broken, open_module, place_of
from pagefault_doctor.symbols.pointer import called_through, pointer_of
from pagefault_doctor.symbols.variable_names import VariableNames

_MACHINES: Final = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
_WIDE: Final = frozenset({1, 257})
"""Relocations of 8 bytes; all others in code are of 4."""
_THUNK: Final = "__x86_indirect_thunk_"
"""Functions that jump to what a register holds (`arch/x86/lib/retpoline.S`)."""


class _File(msgspec.Struct, frozen=True):
    """A place in a file: its code, and its debug information, which may be in another file."""

    code: Sections
    in_code: CodePlace
    debug: Sections
    in_debug: CodePlace


def told(
    file: Path, report: Report, access: FaultingAccess | None, unpack: Unpack | None
) -> Report:
    """Return the report with all that the module's file says of its place.

    The file may be stripped, damaged or of another build: then less is said, or nothing.
    """
    try:
        with ExitStack() as stack:
            found = _opened(stack, file, report, unpack)
            if found is None or (access and _is_another_build(found, access)):
                return report
            line = line_table.lookup(found.debug.elf, found.in_debug.section, found.in_debug.at)
            inlined, pointer = _looked_up(found, access)
            if access and not has_debug_info(found.debug.elf):
                pointer = _by_types(found, access, report, file.parent)
    except broken():
        return report
    return msgspec.structs.replace(
        report,
        source_line=SourceLine(clean_line(line[0]), line[1]) if line else None,
        inlined=inlined,
        pointer=pointer,
    )


def _opened(stack: ExitStack, file: Path, report: Report, unpack: Unpack | None) -> _File | None:
    """Return the place that a report is about, or None where the file has no such function."""
    if not report.function or report.offset is None:
        return None
    at = report.function, report.offset - report.is_call, report.size
    elf = open_module(file, unpack)
    stack.callback(elf.stream.close)
    code, in_code = Sections(elf), place_of(elf, *at)
    apart = None if has_debug_info(elf) else find_debug_file(file, elf, file.parent)
    if apart is not None:
        other = open_module(apart)
        stack.callback(other.stream.close)
        in_debug = place_of(other, *at)
        if in_debug is not None:
            return _File(code, in_code or in_debug, Sections(other), in_debug)
    return _File(code, in_code, code, in_code) if in_code else None


def _text(found: _File, length: int) -> bytes:
    """Return so many bytes of code at the place; empty where the file has none."""
    name = found.code.elf.get_section(found.in_code.section).name
    return found.code.data(name)[found.in_code.at : found.in_code.at + length]


def _is_another_build(found: _File, access: FaultingAccess) -> bool:
    """Return whether the file has another instruction there than the one that ran.

    What a relocation fills in is not compared; on arm64 it is a part of any instruction's word.
    """
    there, ran = bytearray(_text(found, len(access.code))), bytearray(access.code)
    if not there or not ran:
        return False
    name = found.code.elf.get_section(found.in_code.section).name
    at = found.in_code.at
    for offset, kind, _, _ in found.code.relocations(name, at, at + len(ran)):
        if access.arch == "arm64":
            return False
        begin, width = offset - at, 8 if kind in _WIDE else 4
        there[begin : begin + width] = ran[begin : begin + width]
    return there != ran


def _looked_up(
    found: _File, access: FaultingAccess | None
) -> tuple[tuple[InlinedCall, ...], Pointer | None]:
    """Return what is inlined at the place, and the bad pointer; what is damaged is not told."""
    arch = _MACHINES.get(found.debug.machine)
    if arch is None:
        return (), None
    try:
        names = VariableNames(found.debug, arch, found.in_debug.section, found.in_debug.at)
        inlined = _inlined(found.debug, names)
        if access is None or access.arch != arch:
            return inlined, None
        code = _code(found, arch)
        if access.is_jump:
            call = _call(found, access, code)
            names = (
                VariableNames(found.debug, arch, found.in_debug.section, call[0]) if call else names
            )
            return inlined, called_through(names, call[1], code) if call else None
        whole = access if access.register else _decoded(found, access)
        return inlined, pointer_of(names, whole, code) if whole else None
    except broken():
        return (), None


def _by_types(found: _File, access: FaultingAccess, report: Report, folder: Path) -> Pointer | None:
    """Return the bad pointer by the types in BTF, as far as they tell it."""
    try:
        if _MACHINES.get(found.code.machine) != access.arch:
            return None
        types = types_of(found.code.elf, folder, report.kernel_release)
        code = _code(found, access.arch) if types else None
        whole = access if access.register else _decoded(found, access)
        if types is None or code is None or whole is None or access.is_jump:
            return None
        return pointer_by_types(types, whole, report.function or "", code, found.in_code.at)
    except broken():
        return None


def _inlined(debug: Sections, names: VariableNames) -> tuple[InlinedCall, ...]:
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


def _code(found: _File, arch: str) -> FunctionCode | None:
    try:
        return FunctionCode(found.code, arch, found.in_code, found.debug)
    except ImportError:  # A file that was carried to another platform has no capstone for it.
        return None


def _decoded(found: _File, access: FaultingAccess) -> FaultingAccess | None:
    """Return the access as the file's own instruction tells it, where that explains the address."""
    instruction = decode_bytes(_text(found, 16), access.arch)
    if instruction is None or instruction.base is None:
        return None
    address, value = instruction.address(access.registers), access.registers.get(instruction.base)
    if address is None or value is None or not 0 <= access.address - address < 8:
        return None
    return msgspec.structs.replace(
        access, register=instruction.base, value=value, address=address, size=instruction.size
    )


def _call(
    found: _File, access: FaultingAccess, code: FunctionCode | None
) -> tuple[int, FaultingAccess] | None:
    """Return where the call that led astray begins, and the register that it went through."""
    at = code.start_of(found.in_code.at) if code else None
    if code is None or at is None:
        return None
    callee = code.callee(code.decoded(at)) or ""
    if callee.startswith(_THUNK):
        register = callee.removeprefix(_THUNK)
        return at, msgspec.structs.replace(access, register=register)
    call = decode_bytes(code.bytes_at(at), access.arch)
    return (at, _through(access, call)) if call else None


def _through(access: FaultingAccess, call: Instruction) -> FaultingAccess:
    if call.has_memory:
        register, displacement = call.base, call.displacement
        if call.index or call.segment or call.base in (None, "rip"):
            register = None
        return msgspec.structs.replace(access, register=register, displacement=displacement)
    named = call.text.rpartition("%" if access.arch == "x86_64" else " ")[2]
    is_through = access.registers.get(named) == access.address
    return msgspec.structs.replace(access, register=named if is_through else None)
