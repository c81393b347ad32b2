"""What of an output is damaged or missing is told, and never counts as nothing found."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.case import ToolReading
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools import TOOLS
from tools.example_reports import told
from tools.recorded import faulty, output

CUT = "drgn could not read"


def reading(tool: str, text: str, errors: str = "", **facts: Value) -> ToolReading:
    """Return what a tool reads from an output."""
    case = faulty({name.replace("__", "."): value for name, value in facts.items()})
    return TOOLS[tool].read(told(text, tool, errors=errors, tool=tool), case)


def said(found: ToolReading) -> str:
    """Return the findings of a reading as one text."""
    return "\n".join(finding.text for finding in found.findings)


NOTHING = '<?xml version="1.0"?>\n<valgrindoutput>\n<preamble></preamble>\n<status></status>\n{}'


@pytest.mark.parametrize(
    ("end", "verdict", "words"),
    [
        ("</valgrindoutput>\n", "fixed", "no memory error"),
        ("", "inconclusive", "breaks off"),
        ("<err", "inconclusive", "breaks off"),
    ],
)
def test_an_output_of_valgrind_that_breaks_off_proves_no_fix(
    end: str, verdict: str, words: str
) -> None:
    found = reading("valgrind", NOTHING.format(end), fix__built=True)
    assert {f.name: f.value for f in found.facts}["validate.verdict"] == verdict
    assert words in said(found)


def test_errors_before_the_end_of_a_cut_output_of_valgrind_still_count() -> None:
    whole = output("valgrind.xml")
    cut = whole[: whole.rindex("</error>") + len("</error>")]
    found = reading("valgrind", cut, fix__built=True)
    assert {f.name: f.value for f in found.facts}["validate.verdict"] == "not-fixed"


def test_a_warning_of_the_analyser_that_is_cut_off_is_not_silence() -> None:
    lines = output("gcc_analyzer.txt").split("\n")
    line = next(line for line in lines if line.startswith('[{"'))
    assert "could not be read" in said(reading("gcc-analyzer", "", line[: len(line) // 2]))
    assert "warns of nothing" in said(reading("gcc-analyzer", "", "make: nothing"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"failed": "frames", "error": "cannot unwind"}', f"{CUT} the frames in the dump: cannot"),
        ('{"failed": 7, "error": []}', f"{CUT} the ? in the dump: ?"),
        ('{"frames": [{"name": "fau', "drgn's output is damaged"),
    ],
)
def test_a_look_at_the_dump_that_failed_is_told(line: str, words: str) -> None:
    assert words in said(reading("drgn", f'{{"release": "6.1.0"}}\n{line}\n'))


def test_of_a_whole_output_of_drgn_nothing_is_told_as_damaged() -> None:
    text = said(reading("drgn", output("drgn.txt")))
    assert "damaged" not in text
    assert CUT not in text


def test_a_file_of_the_module_that_could_not_be_read_is_told() -> None:
    text = "file=/lib/modules/6.1/faulty.ko\nerror=it ends in the middle\n"
    found = said(reading("module-file", text))
    assert "/lib/modules/6.1/faulty.ko: it ends in the middle" in found
    text = "initramfs=/boot/initrd.img\ninitramfs_error=no cpio archive\n"
    assert "/boot/initrd.img: no cpio archive" in said(reading("module-file", text))


def test_functions_of_the_module_without_its_file_prove_nothing() -> None:
    text = "symbol=faulty_init .init.text 4 0\nabsent=faulty_init\n"
    assert "module.size_fits" not in {fact.name for fact in reading("module-file", text).facts}
