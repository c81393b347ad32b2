"""The source's name for the register of a fault, in code that gcc made, against gdb too."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.diagnosis.describe_pointer import pointer_words
from pagefault_doctor.model.report import Report
from pagefault_doctor.playbook import shelf
from pagefault_doctor.symbols.dwarf.location import REGISTERS
from pagefault_doctor.symbols.elf_sections import Sections
from pagefault_doctor.symbols.module_file import find_code, open_module
from pagefault_doctor.symbols.variable_names import VariableNames
from requirements import require_program
from symbols.faults import compiled, instructions, jump, oops, told

Built = tuple[Path, str]


@pytest.fixture(scope="module", params=["x86_64-4", "x86_64-5", "arm64-4", "arm64-5"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Give the module and its architecture, with DWARF 4 and 5."""
    arch, dwarf = request.param.split("-")
    return compiled(tmp_path_factory.mktemp(request.param), arch, int(dwarf)), arch


OPERAND = {
    "x86_64": re.compile(r"(?P<at>-?(?:0x[0-9a-f]+)?)\(%(?!rsp|rip)(?P<base>\w+)\)"),
    "arm64": re.compile(r"\[(?P<base>x\d+)(?:, #(?P<at>-?\d+))?\]"),
}


def fault(built: Built, function: str, displacement: int, value: int = 0) -> Report:
    """Return the report of a fault at the first access with a displacement, by objdump.

    The register that it goes through holds the value.
    """
    file, arch = built
    line, base = next(
        (line, match["base"])
        for line in instructions(file, arch, function)
        if (match := OPERAND[arch].search(line.text)) and int(match["at"] or "0", 0) == displacement
    )
    address = (value + displacement) % (1 << 64)
    return told(file, oops(arch, function, line, address, {base: value}))


STATE = "struct device_state *"
CASES = {
    "by_argument": (84, "dev", STATE, "dev->lock.count", "location"),
    "by_union": (16, "card", "struct card *", "card->narrow", "location"),
    "by_text": (3, "text", "const char *", "text[3]", "location"),
    "by_member": (96, "card->owner", STATE, "card->owner->irq[2]", "load"),
    "by_call": (0, "found", "struct card *", "found->id", "location"),
    "by_inlined": (92, "card->owner", STATE, "card->owner->irq[1]", "load"),
    "by_global": (80, "board.card->owner", STATE, "board.card->owner->lock", "load"),
    "by_list": (-8, "item", "struct item *", "item->key", "location"),
    "by_own_call": (0, None, None, None, None),
}
"""The displacement of the access, and the pointer's name, type, access and how it was found."""


@pytest.mark.parametrize("function", CASES)
def test_a_variable_or_the_member_it_was_loaded_from_is_named(built: Built, function: str) -> None:
    displacement, *wanted = CASES[function]
    pointer = fault(built, function, displacement).pointer
    if wanted == [None] * 4:
        assert pointer is None
        return
    assert pointer
    assert [pointer.name, pointer.type, pointer.access, pointer.how] == wanted
    assert "was " in pointer_words(pointer)


def test_a_member_of_null_less_its_offset_is_told_as_such(built: Built) -> None:
    """The register had the list's entry, and the variable is the structure around it."""
    pointer = fault(built, "by_list", -8).pointer
    assert pointer
    assert (pointer.held, pointer.value, pointer.offset) == ("0x0", "0xfffffffffffffff8", 0)
    assert "container_of" in pointer_words(pointer)


@pytest.mark.parametrize(
    ("value", "around"),
    [(-8, "struct node.list"), (-24, None), (-16, None), (-4096, None), (0, None), (8, None)],
)
def test_a_structure_in_it_that_lies_at_null_is_named(
    built: Built, value: int, around: str | None
) -> None:
    """Only a structure explains the value: a pointer at its offset, or its middle, does not."""
    pointer = fault(built, "by_node", 24, value % (1 << 64)).pointer
    assert pointer
    assert (pointer.name, pointer.around) == ("node", around)
    assert ("at NULL (container_of)" in pointer_words(pointer)) is (around is not None)


def test_the_call_that_returned_it_is_named(built: Built) -> None:
    pointer = fault(built, "by_call", 0, -12 % (1 << 64)).pointer
    assert pointer
    assert pointer.returned_by == "find_card"
    assert pointer_words(pointer).startswith("found (struct card *) in ")
    assert "was the error code -ENOMEM" in pointer_words(pointer)


def test_a_structure_passed_by_value_is_told_by_its_member(built: Built) -> None:
    pointer = fault(built, "by_value", 0).pointer
    assert pointer
    assert (pointer.name, pointer.access) == ("pair.first", "pair.first->id")


def test_a_call_through_a_pointer_to_nowhere_names_the_pointer(tmp_path: Path) -> None:
    """The report is then about the calling frame, with the address after the call."""
    file = compiled(tmp_path, "x86_64", 5)
    lines = instructions(file, "x86_64", "by_handler")
    call = next(i for i, line in enumerate(lines) if line.text.startswith("call"))
    behind = f"by_handler+{lines[call + 1].offset:#x}/0x100 [board]"
    pointer = told(file, jump(behind)).pointer
    assert pointer
    assert (pointer.name, pointer.how) == ("dev->handler", "call")
    assert pointer.type == "int (*)(struct device_state *)"
    assert "dev->handler (int (*)(struct device_state *)), called through" in pointer_words(pointer)


def test_an_instruction_that_did_not_run_there_means_another_build(built: Built) -> None:
    file, arch = built
    line = instructions(file, arch, "by_argument")[0]
    other = msgspec.structs.replace(line, code="48 8b 47 58" if arch == "x86_64" else "f9402c00")
    report = told(file, oops(arch, "by_argument", other, 0x58, {"rdi": 0, "x0": 0}))
    assert (report.source_line, report.pointer) == (None, None)


def by_gdb(file: Path, function: str, offset: int) -> dict[str, str]:
    """Return the variables that are in a register at a place, by gdb."""
    gdb = require_program("gdb")
    place = f"*('{function}'+{offset})"
    command = [gdb, "-batch", "-nx", "-ex", f"info address {function}"]
    command += ["-ex", f"info scope {place}", str(file)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    begin = int(re.findall(r"at address (0x[0-9a-f]+)", text)[0], 16) + offset
    found: dict[str, str] = {}
    for piece in text.split("Symbol ")[1:]:
        name = piece.split()[0]
        for low, high, register in re.findall(
            r"Range (0x[0-9a-f]+)-(0x[0-9a-f]+): a variable in \$(\w+)", piece
        ):
            if int(low, 16) <= begin < int(high, 16):
                found.setdefault(name, register)
    return found


@pytest.mark.parametrize(
    ("scenario", "function", "offsets"),
    [
        ("err-ptr/fwsize", "fwsize_write", range(0x80, 0x140, 9)),
        ("wild-pointer/wire", "wire_xmit", range(0, 0x90, 5)),
        ("double-free/badge", "badge_write", range(0, 0x60, 7)),
        ("use-after-free-timer/thermo", "thermo_write", range(0, 0x60, 7)),
    ],
)
def test_variables_are_in_the_registers_that_gdb_says(
    scenario: str, function: str, offsets: range
) -> None:
    folder, name = scenario.split("/")
    file = shelf.scenario_folder(folder) / f"{name}.ko"
    elf = open_module(file)
    compared = 0
    with elf.stream:
        sections = Sections(elf)
        for offset in offsets:
            placed = find_code(elf, function, offset, None)
            if placed is None:
                continue
            names = VariableNames(sections, "x86_64", placed.section, placed.at)
            ours: dict[str, str] = {}
            for variable in names.here:
                for place in variable.locations[:1]:
                    is_plain = not place.in_memory and place.at.offset == 0
                    if is_plain and place.size is None and place.at.register is not None:
                        register = REGISTERS["x86_64"][place.at.register]
                        ours.setdefault(variable.name, register)
            theirs = by_gdb(file, function, offset)
            shared = {n: r for n, r in ours.items() if n in theirs}
            assert shared == {n: theirs[n] for n in shared}
            assert set(theirs) <= set(ours)
            compared += len(shared)
    assert compared > 10
