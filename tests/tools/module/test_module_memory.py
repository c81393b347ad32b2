"""The code of a module in memory, compared with its file."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from elftools.elf.elffile import ELFFile

from pagefault_doctor.cli.main import main
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab import requirements
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.playbook import shelf
from pagefault_doctor.tools.module import module_memory
from pagefault_doctor.tools.tool import next_command
from requirements import require, require_kernel
from tools.example_reports import KERNEL, follow, known, learn, texts, told

FILE: Final = shelf.scenario_folder("wild-pointer") / "wire.ko"
ADDRESS: Final = 0xFFFFFFFFC0123000
SUSPECT: Final[dict[str, Value]] = {
    "suspect.module": "wire",
    "module.path": str(FILE),
    "module.loaded": True,
    "host.kernel": KERNEL,
    "host.uid": 0,
}


def code_and_gaps() -> tuple[bytearray, list[int], list[int]]:
    """Return the code of the file, where its relocations are, and places far from all of them."""
    with FILE.open("rb") as file:
        elf: Any = ELFFile(file)
        code = bytearray(elf.get_section_by_name(".text").data())
        filled = [r["r_offset"] for r in elf.get_section_by_name(".rela.text").iter_relocations()]
    far = [n for n in range(len(code)) if all(abs(n - place) > 12 for place in (*filled, 0))]
    return code, filled, far


def look(tmp_path: Path, memory: bytes) -> tuple[Case, Result]:
    """Return the case after the tool read this memory through a file like /proc/kcore."""
    head = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    fields = (4, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 7, 4096, ADDRESS - 4096, 0, 1 << 20, 1 << 20, 4096)
    core = head + struct.pack("<HHIQQQIHHHHHH", *fields) + load
    (tmp_path / "kcore").write_bytes(core.ljust(8192, b"\0") + memory)
    sections = tmp_path / "wire/sections"
    sections.mkdir(parents=True, exist_ok=True)
    (sections / ".text").write_text(f"{ADDRESS:#x}\n")
    case = known(SUSPECT)
    wanted = next_command(module_memory.LIVE_TOOL, case)
    assert isinstance(wanted, Command)
    moved = (("/proc/kcore", f"{tmp_path}/kcore"), ("/sys/module/", f"{tmp_path}/"))
    argv = wanted.argv
    for theirs, ours in moved:
        argv = tuple(word.replace(f'"{theirs}', f'"{ours}') for word in argv)
    result = LocalHost().run(msgspec.structs.replace(wanted, argv=argv))
    reading = module_memory.LIVE_TOOL.read(result, case)
    return learn(case, "module-memory", result, reading), result


def bad(case: Case) -> str:
    return texts(finding for finding in case.findings if finding.mark is Mark.BAD)


def changed(code: bytearray, places: Iterable[int], by: int) -> bytes:
    copy = bytearray(code)
    for place in places:
        copy[place] ^= by
    return bytes(copy)


def test_what_the_kernel_fills_in_is_no_difference(tmp_path: Path) -> None:
    code, filled, _ = code_and_gaps()
    case, result = look(tmp_path, changed(code, (p + n for p in filled for n in range(4)), 0x5A))
    assert case.get("module.text_fits", False) is True, result
    assert "The code of wire in memory is that of its file" in texts(case.findings)
    compared, whole, count = result.output.partition("\n")[0].split("=")[1].split()
    assert int(whole) == len(code)
    assert len(code) / 2 < int(compared) < len(code)
    assert count == "0"


def test_one_bit_is_the_hardware(tmp_path: Path) -> None:
    code, _, far = code_and_gaps()
    case, _ = look(tmp_path, changed(code, far[:1], 0x10))
    assert case.get("module.text_flipped", False) is True
    assert "One bit of the code differs, at wire_" in bad(case)
    assert "test the memory" in bad(case)


@pytest.mark.parametrize(("count", "by"), [(1, 0x13), (4, 0xFF)])
def test_a_few_bytes_are_a_patch(tmp_path: Path, count: int, by: int) -> None:
    code, _, far = code_and_gaps()
    run = next(far[n : n + 4] for n in range(len(far)) if far[n + 3] == far[n] + 3)
    case, _ = look(tmp_path, changed(code, run[:count], by))
    assert f"{count} bytes of the code at wire_" in bad(case)
    assert "patched in memory" in bad(case)
    assert not case.has("module.text_fits")
    assert not case.has("module.text_flipped")


def test_many_are_another_build(tmp_path: Path) -> None:
    code, _, _ = code_and_gaps()
    case, _ = look(tmp_path, bytes(code[7:]) + b"\x90" * 7)
    assert case.get("module.text_fits", True) is False
    assert "it is another build" in bad(case)


@pytest.mark.parametrize("memory", [b"", b"short"])
def test_memory_that_is_not_there_is_told_and_is_no_fact(tmp_path: Path, memory: bytes) -> None:
    case, result = look(tmp_path, memory)
    assert "error=" in result.output
    (told,) = case.findings
    assert told.mark is Mark.NEUTRAL
    assert "could not be compared with its file: " in told.text
    assert not case.has("module.text_fits")


@pytest.mark.parametrize(
    "facts",
    [
        {"module.loaded": False},
        {"module.path": "/x/wire.ko.xz"},
        {"suspect.module": "-x"},
        {"suspect.module": ""},
    ],
)
def test_where_there_is_nothing_to_compare_it_is_quiet(facts: dict[str, Value]) -> None:
    assert next_command(module_memory.LIVE_TOOL, known(SUSPECT | facts)) is None
    dump: dict[str, Value] = {"dump.path": "/x/dump", "dump.vmlinux": "/x/vmlinux"}
    if "module.loaded" not in facts:
        assert next_command(module_memory.DUMP_TOOL, known(SUSPECT | dump | facts)) is None


@pytest.mark.parametrize(
    "output", ["", "compared=0 0 0", "compared=9 9 1", "differs=1", "error=KeyError: '.text'"]
)
def test_an_answer_without_a_comparison_is_no_finding(output: str) -> None:
    case, _, _ = follow(module_memory.LIVE_TOOL, known(SUSPECT), told(output))
    assert case.findings == ()


@pytest.mark.lab
def test_in_a_real_dump_the_code_is_that_of_the_file(tmp_path: Path) -> None:
    for row in requirements.check():
        require(row.path, f"{row.need.name} is missing: {row.remedy}")
    debug = "/usr/lib/debug/boot/vmlinux-{}"
    release = require_kernel(debug, "linux-image-{}-dbg")
    kept = tmp_path / "kept"
    assert main(["lab", "run", "err-ptr", "--keep", str(kept)]) == 0
    facts = SUSPECT | {
        "suspect.module": "fwsize",
        "module.path": str(kept / "fwsize.ko"),
        "given.vmcore": str(kept / "vmcore"),
        "given.vmlinux": debug.format(release),
        "host.kernel": release,
    }
    case = known(facts)
    wanted = next_command(module_memory.DUMP_TOOL, case)
    assert isinstance(wanted, Command)
    result = LocalHost().run(wanted)
    reading = module_memory.DUMP_TOOL.read(result, case)
    assert [f.value for f in reading.facts] == [True], result
    other = str(shelf.scenario_folder("err-ptr") / "../wild-pointer/wire.ko")
    argv = (*wanted.argv[:-1], other)
    result = LocalHost().run(msgspec.structs.replace(wanted, argv=argv))
    assert [f.value for f in module_memory.DUMP_TOOL.read(result, case).facts] == [False]
