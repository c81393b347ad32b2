"""The context of one report: everything a rule may look at, each thing worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pagefault_doctor.diagnosis import address, instruction_roles, poison, register_names
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.error_code import access_of
from pagefault_doctor.diagnosis.memory_checks import (
    BrokenLink,
    OddByte,
    broken_link,
    odd_byte,
)
from pagefault_doctor.diagnosis.module_area import S390_IMAGE
from pagefault_doctor.diagnosis.weights import WEIGHT
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.log import ModuleEvent
from pagefault_doctor.model.once import once
from pagefault_doctor.model.report import Access, Kind, Line, Report
from pagefault_doctor.symbols.instruction import Instruction, decode
from pagefault_doctor.symbols.value_origin import OriginKind, ValueOrigin, origin

_NO_DELTA = ("s390x", "i386", "x86", "arm", "mips")
"""Architectures that add nothing to the poison of a link (`include/linux/poison.h`)."""


class Context(msgspec.Struct, frozen=True, dict=True):
    """A report with its surroundings: facts, module events and the other reports of its boot.

    `twins` are reports of the same fault in other logs, such as that of its dump, `history` those
    of other boots, and `boots_after` is how many boots of the log came after the report's. `booted`
    has the release of each boot of the log, None where its banner is missing; `rejoined` is whether
    lines of the text were broken.
    """

    report: Report
    facts: Mapping[str, Fact] = {}
    module_events: tuple[ModuleEvent, ...] = ()
    others: tuple[Report, ...] = ()
    twins: tuple[Report, ...] = ()
    history: tuple[Report, ...] = ()
    boots_after: int = 0
    booted: tuple[str | None, ...] = ()
    rejoined: bool = False

    @once
    def bits(self) -> int:
        """Width of a pointer, 32 or 64."""
        return address.bits_of(self.arch)

    @once
    def registers(self) -> dict[str, int]:
        """Values of the registers that are printed as numbers."""
        found = ((name, self.report.register(name)) for name in self.report.registers)
        return {register_names.canonical(name): value for name, value in found if value is not None}

    def register_line(self, name: str) -> int | None:
        """Return the number of the line that prints a register, or None."""
        cited = self.report.cited
        printed = (name, f"r0{name[1:]}", f"gpr{name[1:]:>02}")
        return next((cited[f"registers.{n}"] for n in printed if f"registers.{n}" in cited), None)

    def general(self) -> Iterator[tuple[str, int]]:
        """Yield the registers that may hold data."""
        return ((n, v) for n, v in self.registers.items() if n not in register_names.NO_DATA)

    @once
    def arch(self) -> str | None:
        """The architecture, by the names of the registers where the report does not name it."""
        if self.report.arch:
            return self.report.arch
        return register_names.arch_of(self.registers)

    @once
    def instruction(self) -> Instruction | None:
        """The faulting instruction, where the log shows its bytes."""
        if not self.report.code or not self.arch:
            return None
        return decode(self.report.code, self.arch)

    @once
    def origin(self) -> ValueOrigin | None:
        """Where the bad pointer came from, by the code before the fault."""
        if self.base is None or self.arch is None or not self.report.code:
            return None
        return origin(self.report.code, self.arch, self.base[0], self.report.offset)

    @once
    def printed_address(self) -> int | None:
        """The address that the processor could not use.

        Of a general protection fault, CR2 is stale, older kernels print no address, and newer ones
        may print one that is not the reason: then it is worked out from the instruction.
        """
        named = "non_canonical_address" in self.report.details
        if self.report.kind is Kind.GENERAL_PROTECTION and not named:
            return self._computed_address()
        if "headless" in self.report.details:
            return self._told_address()
        fault = self.report.fault
        at = fault.address_value if fault else None
        if at is None:
            return self.used_address if self.report.kind is Kind.PAGE_FAULT else None
        return self._within(at) if self.arch == "s390x" else at

    @once
    def used_address(self) -> int | None:
        """The address that the instruction used, by its operand and the registers."""
        return self.instruction.address(self.registers, self.bits) if self.instruction else None

    def _told_address(self) -> int | None:
        """Return the address that the instruction used, where it is known to be why it faulted.

        Without a headline, CR2 may be that of an earlier fault, and the address a valid one.
        """
        at, cr2 = self.used_address, self.registers.get("cr2")
        if at is None:
            return cr2 if self._is_member_of_null(cr2) or self._is_user_pointer(cr2) else None
        return at if cr2 == at or not address.canonical(at, self.arch) else None

    def _is_member_of_null(self, at: int | None) -> bool:
        """Whether the instruction would use this address through NULL: its base is not printed."""
        found = self.instruction
        if found is None or at is None or not found.base or found.index or found.segment:
            return False
        return 0 < at == found.displacement < address.PAGE

    def _is_user_pointer(self, at: int | None) -> bool:
        """Whether a register holds the address in CR2, and it is one of a program."""
        if at is None or self.report.code or not address.is_user_area(at, self.arch):
            return False
        return any(value == at for _, value in self.general())

    def _within(self, page: int) -> int:
        """Return the address in a page that the instruction used: s390 prints the page alone.

        That is all that the processor tells (`arch/s390/mm/fault.c`, get_fault_address). Of an
        instruction without an operand in memory, it is the value of a register that lies there.
        """
        found = {self.used_address}
        if found == {None}:
            found = {value for _, value in self.general()}
        inside = [value for value in found if value is not None and value & -address.PAGE == page]
        return inside[0] if len(inside) == 1 else page

    @once
    def is_page_alone(self) -> bool:
        """Whether of the fault address nothing is known but its page."""
        is_known = self.printed_address == self.used_address
        return self.arch == "s390x" and not is_known and not self.is_jump

    def _computed_address(self) -> int | None:
        if self._is_lost:
            return self.registers["rip"]
        instruction = self.instruction
        value = instruction.address(self.registers, self.bits) if instruction else None
        return None if value is None or address.canonical(value, self.arch) else value

    @once
    def _is_lost(self) -> bool:
        """Whether the instruction pointer itself is no valid address: the jump there faulted.

        Some processors go there first, others refuse the jump.
        """
        at = self.registers.get("rip") if self.report.kind is Kind.GENERAL_PROTECTION else None
        return at is not None and not address.canonical(at, self.arch)

    @once
    def is_shadow(self) -> bool:
        """Whether KASAN's shadow of an address faulted, not the address itself."""
        value = self.printed_address
        used = (self.instruction.base, self.instruction.index) if self.instruction else ()
        known = any(self.registers.get(name or "") == address.KASAN_SHADOW for name in used)
        known = known or "kasan_kernel" in self.report.details
        return value is not None and address.is_shadow(value, known)

    @once
    def fault_address(self) -> int | None:
        """The address that the code meant to use, or None where the log does not show it."""
        value = self.printed_address
        return address.unshadowed(value) if value is not None and self.is_shadow else value

    @once
    def address_class(self) -> AddressClass | None:
        """The part of the address space that faulted."""
        value = self.fault_address
        return None if value is None else address.classify(value, self.arch)

    @once
    def base(self) -> tuple[str, int] | None:
        """The register that the faulting access went through, and its value.

        None unless the register explains the fault address, for then the decoded instruction is
        not the one that faulted, or the registers are those of another moment.
        """
        instruction = self.instruction
        if instruction is None or instruction.base is None or self.is_shadow:
            return None
        value = self.registers.get(instruction.base)
        if value is None:
            return self._inferred_base(instruction)
        if value is not None and self._explains(instruction):
            return instruction.base, value
        source = self.registers.get(instruction.source or "")
        if instruction.source and source is not None and source == self.printed_address:
            return instruction.source, source
        return None

    def _inferred_base(self, instruction: Instruction) -> tuple[str, int] | None:
        """Work the base register, which is not printed, out of the address of a page fault."""
        at, name = self.printed_address, instruction.base
        alone = not instruction.index and not instruction.segment
        if at is None or name is None or name in register_names.NO_DATA or not alone:
            return None
        if self.report.kind not in _PAGE_FAULTS:
            return None
        return name, (at - instruction.displacement) & ((1 << self.bits) - 1)

    def _explains(self, instruction: Instruction) -> bool:
        expected = instruction.address(self.registers, self.bits)
        actual = self.printed_address
        if expected is None or actual is None:
            return True
        expected = address.as_printed(expected, self.arch)
        span = max(instruction.size, 8)
        return (actual - expected) & ((1 << self.bits) - 1) < span

    @once
    def is_small_and_loaded(self) -> bool:
        """Whether the bad pointer is a small number that the code had just read from memory.

        Nobody stores the address of a member of NULL; the number is what lies there instead.
        """
        if self.base is None or not 0 < self.base[1] < address.NEAR_NULL:
            return False
        return self.origin is not None and self.origin.how is OriginKind.LOADED

    @once
    def pointer(self) -> int | None:
        """The bad pointer: the base register where it is known, else the fault address."""
        return self.base[1] if self.base else self.fault_address

    @once
    def poison(self) -> poison.PoisonMatch | None:
        """The poison value that explains the bad pointer, if one does."""
        for value in (self.fault_address, self.pointer):
            hit = poison.find(value, self.bits) if value is not None else None
            if hit is not None:
                return hit
        return poison.bare(self.base[1]) if self.base and self.arch in _NO_DELTA else None

    @once
    def error_code(self) -> int | None:
        """The x86 error code, the ESR or what else the architecture prints."""
        fault = self.report.fault
        try:
            return int(fault.error_code, 16) if fault and fault.error_code else None
        except ValueError:
            return None

    @once
    def x86_fault_bits(self) -> int | None:
        """The error code of an x86 page fault (`arch/x86/include/asm/trap_pf.h`), else None."""
        is_page_fault = self.report.kind in _PAGE_FAULTS
        x86 = self.arch in ("x86_64", "i386", "x86")
        return self.error_code if x86 and is_page_fault else None

    @once
    def broken_link(self) -> BrokenLink | None:
        """The link that the list checks found wrong, if that is what the report is about."""
        return broken_link(self.report.details, self.bits)

    @once
    def odd_byte(self) -> OddByte | None:
        """The single byte of a slab object that was overwritten, if it is one alone."""
        return odd_byte(self.report.details)

    @once
    def is_refused_instruction(self) -> bool:
        """Whether a general protection fault is about the instruction, its address being valid.

        It prints "maybe for address" then (`arch/x86/kernel/traps.c`, get_kernel_gp_address).
        """
        if self.report.kind is not Kind.GENERAL_PROTECTION:
            return False
        told = "maybe_for_address" in self.report.details
        return told or instruction_roles.is_privileged(self.instruction) or self.is_privileged

    @once
    def is_privileged(self) -> bool:
        """Whether a general protection fault is of a control register that may not be changed.

        A guest of Xen without hardware support (PV) runs where the kernel's own are
        (`arch/x86/xen/enlighten_pv.c`); there the place of a module decides where the code is lost.
        """
        if self.report.kind is not Kind.GENERAL_PROTECTION:
            return False
        if self.instruction is None:
            is_bare = not self.registers or not any(self._wild_values())
            return "xen_pv" in self.report.details and self.report.module is not None and is_bare
        return instruction_roles.names_control_register(self.instruction)

    def _wild_values(self) -> Iterator[bool]:
        return (not address.canonical(value, self.arch) for _, value in self.general())

    @property
    def is_trap(self) -> bool:
        """Whether the code ran into an instruction that is there to stop it, and nothing else."""
        return self.report.kind is Kind.TRAP and instruction_roles.stops_code(self.instruction)

    @once
    def access(self) -> Access | None:
        """What the faulting instruction did, in the report's words or by its error code."""
        fault, code = self.report.fault, self.error_code
        if fault is None or fault.access or code is None:
            return fault.access if fault else None
        return access_of(code, self.arch, page_fault=self.report.kind in _PAGE_FAULTS)

    @property
    def is_jump(self) -> bool:
        """Whether the processor failed to fetch an instruction."""
        return self.access is Access.EXECUTE or self._is_lost

    @once
    def is_named_code(self) -> bool:
        """Whether the processor may not run what is a function of the kernel's own image.

        Its name is known, so code was there: freed __init code, or a page without that permission.
        """
        first = self.report.frames[0] if self.report.frames else None
        named = first is not None and first.function and not first.module and first.offset == 0
        return bool(self.is_jump and named and self.report.fault)

    @once
    def is_user_area(self) -> bool:
        """Whether programs have memory at the fault address, and the kernel, as it seems, has not.

        On s390 both may; there, no other pointer that the report prints may lie near it.
        """
        at = self.fault_address
        if at is None or not address.is_user_area(at, self.arch):
            return False
        used = (self.instruction.base, self.instruction.index) if self.instruction else ()
        values = [self.registers[name] for name in used if name in self.registers]
        if self.base and not any(address.is_user_area(value, self.arch) for value in values):
            return False  # The sum of a pointer and an index.
        known = [value for _, value in self.general()]
        known += [int(frame.address, 16) for frame in self.report.frames if frame.address]
        shared = self.arch == "s390x" and at >= address.S390_SHARED
        return not (shared and any(address.PAGE <= abs(at - v) < S390_IMAGE for v in known))

    def fact(self, name: str) -> Fact | None:
        """Return a fact, or None where it is unknown."""
        return self.facts.get(name)

    def fact_is(self, name: str, value: bool) -> Fact | None:
        """Return a fact that is known to be `value`, or None."""
        fact = self.facts.get(name)
        return fact if fact and fact.value is value else None

    def walk_fact(self, name: str) -> Fact | None:
        """Return a fact that a walk found out, None where the walk is about another report."""
        meant, boot = self.fact("report.title"), self.fact("report.boot")
        same = meant and boot and (meant.value, boot.value) == (self.report.title, self.report.boot)
        return self.fact(name) if same else None

    def evidence(
        self, key: str, text: str, *cited: str, line: Line | int | None = None
    ) -> Evidence:
        """Return a piece of evidence with the weight of `key`, at a line of the log.

        `cited` names the fields of the report it was read from (see `Report.cited`).
        """
        number = line.number if isinstance(line, Line) else line
        number = self.report.line_of(*cited) if number is None else number
        return Evidence(text, WEIGHT[key], number)

    def first_evidence(self, rows: Iterable[tuple[str, str, str]]) -> Evidence | None:
        """Return the evidence of the first row whose detail the report has, or None.

        A row is the name of a detail, the key of a weight, and the text.
        """
        row = next((row for row in rows if row[0] in self.report.details), None)
        return self.evidence(row[1], row[2], row[0]) if row else None

    def fact_evidence(self, key: str, text: str, fact: Fact) -> Evidence:
        """Return a piece of evidence that comes from a fact."""
        return Evidence(text, WEIGHT[key], fact.source.line, fact.source.origin)


_PAGE_FAULTS = (Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.USER_ACCESS, Kind.STACK_GUARD)
