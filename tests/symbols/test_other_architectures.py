"""Lines of relocatable files of each architecture: 32 bits, big-endian, and distances left open.

The files in lines/ were compiled from lines.c, which says how, with each architecture's own gcc, on
armhf and mips64el with DWARF 4. lines.json has the first offset of each line, as its addr2line
prints it.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Final

import pytest

from pagefault_doctor.model.report import Kind, Report, Span
from pagefault_doctor.symbols.fault_location import add_fault_location
from pagefault_doctor.symbols.module_file import source_line

FOLDER: Final = Path(__file__).with_name("lines")
LINES: Final[dict[str, dict[str, list[tuple[int, int]]]]] = json.loads(
    (FOLDER / "lines.json").read_text()
)

each = pytest.mark.parametrize("arch", LINES)


def report_of(arch: str, offset: int) -> Report:
    return Report(
        kind=Kind.PAGE_FAULT,
        title="a fault",
        span=Span(1, 2),
        arch=arch,
        function="begin",
        offset=offset,
        module="lines",
    )


@each
def test_each_offset_has_the_line_that_binutils_prints(arch: str) -> None:
    for function, rows in LINES[arch].items():
        for (offset, line), (after, _) in zip(rows, [*rows[1:], (rows[-1][0] + 1, 0)], strict=True):
            for at in {offset, after - 1}:
                found = source_line(FOLDER / f"{arch}.o", function, at)
                assert found, (function, at)
                assert (found.file, found.line) == ("lines.c", line), (function, at)


@pytest.mark.parametrize(
    ("arch", "printed"),
    [
        *(("arm64", "arm64"), ("armhf", "arm"), ("i386", "i386"), ("mips64el", "mips")),
        *(("ppc64el", "ppc64"), ("riscv64", "riscv64"), ("s390x", "s390x")),
    ],
)
def test_a_fault_gets_the_line_from_the_file_of_its_own_architecture(
    arch: str, printed: str
) -> None:
    told: list[str] = []
    offset, line = LINES[arch]["begin"][-1]
    located = add_fault_location(
        FOLDER / f"{arch}.o", report_of(printed, offset), None, tell=told.append
    )
    assert located.source_line
    assert (located.source_line.line, told) == (line, [])
    other = report_of("x86_64", offset)
    assert add_fault_location(FOLDER / f"{arch}.o", other, None, tell=told.append) == other
    assert f"it is for {printed}, and the fault was on x86_64" in told[0]


@each
def test_a_damaged_file_gives_no_line_and_no_error(arch: str, tmp_path: Path) -> None:
    data, file = (FOLDER / f"{arch}.o").read_bytes(), tmp_path / "x.ko"
    random_ = random.Random(arch)
    for _ in range(60):
        damaged = bytearray(data[: random_.choice((len(data), random_.randrange(len(data))))])
        for _ in range(random_.randrange(1, 12)):
            damaged[random_.randrange(len(damaged))] = random_.randrange(256)
        file.write_bytes(damaged)
        source_line(file, "begin", 4)
        add_fault_location(file, report_of("", 4), None)
