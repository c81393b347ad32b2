"""Many lines of one file: as addr2line gives them, with the callers of what was inlined."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagefault_doctor.playbook import shelf
from pagefault_doctor.symbols import function_symbols
from pagefault_doctor.symbols.code_lines import CodeLine, CodeLines
from pagefault_doctor.symbols.function_symbols import FunctionSymbols
from pagefault_doctor.symbols.module_file import elf_errors, module_files, open_module
from requirements import require_program
from symbols.test_hostile_files import regions

MODULES = sorted(shelf.scenario_folder("err-ptr").parent.glob("*/*.ko"))
JOBS = shelf.scenario_folder("double-list-del") / "jobs.ko"
_DISCRIMINATOR = re.compile(r" \(discriminator \d+\)")
_UNKNOWN = re.compile(r"^[^/\n]+:[?0]$", re.MULTILINE)
"""Where no line is known addr2line names the symbol table's file."""


def opened(ko: Path) -> CodeLines:
    return CodeLines(ko, open_module(ko))


def texts(found: CodeLine | None) -> list[str]:
    """Return the lines of a place as addr2line prints them."""
    if found is None:
        return ["??:?"]
    lines = [(found.file, found.line), *((call.file, call.line) for call in found.inlined)]
    return [f"{file}:{line or '?'}" for file, line in lines]


def test_the_callers_of_an_inlined_function_follow_from_the_inside_out() -> None:
    found = opened(JOBS).find("jobs_write", 0x71, None, before=False)
    assert found
    assert (found.file.rpartition("/")[2], found.line) == ("list.h", 141)
    calls = [(c.function, (c.file or "").rpartition("/")[2], c.line) for c in found.inlined]
    assert calls == [
        ("__list_del_entry", "list.h", 155),
        ("list_del", "jobs.c", 33),
        ("jobs_cancel", "jobs.c", 48),
    ]


def test_a_return_address_has_the_line_of_the_call() -> None:
    lines = opened(JOBS)
    ends = [at for at in range(1, 0x100) if lines.find("jobs_write", at, None, before=True)]
    assert ends
    for at in ends:
        call = lines.find("jobs_write", at, None, before=True)
        assert call == lines.find("jobs_write", at - 1, None, before=False)


def test_a_function_that_is_not_there_has_no_line() -> None:
    lines = opened(JOBS)
    assert lines.find("jobs", 0, None, before=False) is None
    assert lines.find("obs_write", 0, None, before=False) is None
    assert lines.fits("jobs", 1) is None


def test_an_offset_beyond_a_function_has_no_line() -> None:
    lines, symbol = opened(JOBS), function("jobs_write")
    assert lines.find("jobs_write", symbol.reach, None, before=True)
    assert lines.find("jobs_write", symbol.reach, None, before=False) is None


def test_a_size_shows_whether_the_build_is_the_same() -> None:
    lines, symbol = opened(JOBS), function("jobs_write")
    assert lines.fits("jobs_write", symbol.size)
    assert lines.fits("jobs_write", symbol.size + 1) is False


def function(name: str) -> function_symbols.FunctionSymbol:
    (symbol,) = opened(JOBS)._symbols.named(name)
    return symbol


def test_many_names_are_found_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    few = function("jobs_write")
    monkeypatch.setattr(function_symbols, "_SEARCHES", 0)
    assert function("jobs_write") == few


def test_names_that_share_their_end_are_found() -> None:
    with open_module(JOBS) as elf:
        symbols = FunctionSymbols(CodeLines(JOBS, elf)._sections)
        symbols._strings = symbols._strings.replace(b"\0jobs_write\0", b"xjobs_write\0")
        assert symbols.named("jobs_write")


def test_the_files_of_modules_are_known_by_their_names() -> None:
    found = module_files(JOBS.parent)
    assert found["jobs"] == JOBS


@pytest.mark.parametrize("ko", MODULES, ids=lambda ko: ko.stem)
def test_every_place_is_as_addr2line_has_it(ko: Path) -> None:
    lines = opened(ko)
    prefix = "aarch64-linux-gnu-" if lines.elf["e_machine"] == "EM_AARCH64" else ""
    program = require_program(f"{prefix}addr2line")
    code = lines.elf.get_section_by_name(".text")
    places = range(0, code["sh_size"], 3) if code else range(0)
    asked = "\n".join(f"{at:x}" for at in places)
    command = [program, "-i", "-a", "-j", ".text", "-e", str(ko)]
    ran = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    plain = _UNKNOWN.sub("??:?", _DISCRIMINATOR.sub("", ran.stdout))
    theirs = re.split(r"^0x[0-9a-f]+\n", plain, flags=re.MULTILINE)
    section = lines.elf.get_section_index(".text") if code else 0
    for at, text in zip(places, theirs[1:], strict=True):
        assert texts(lines.at(section or 0, at)) == text.split(), hex(at)


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    section=st.sampled_from(
        (".debug_info", ".debug_abbrev", ".debug_line", ".debug_aranges", ".symtab", ".strtab")
    ),
    place=st.floats(0, 1, exclude_max=True),
    filling=st.one_of(
        st.binary(min_size=1, max_size=12), st.sampled_from((b"\xff" * 8, b"\0" * 8))
    ),
)
def test_a_damaged_file_raises_nothing_else(
    tmp_path: Path, section: str, place: float, filling: bytes
) -> None:
    data = bytearray(JOBS.read_bytes())
    start, size = regions(bytes(data))[section]
    at = start + int(place * size)
    data[at : at + len(filling)] = filling
    file = tmp_path / "jobs.ko"
    file.write_bytes(data)
    try:
        with open_module(file) as elf:
            lines = CodeLines(file, elf)
            for name in ("jobs_write", "jobs_init", "jobs_exit"):
                found = lines.find(name, 0x21, 0x80, before=True)
                assert found is None or isinstance(found, CodeLine)
    except elf_errors():
        pass
