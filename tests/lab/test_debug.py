"""A guest that gdb stops at the line that faults."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pagefault_doctor.lab.debug import place_of, stop_of
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.report import Fault, Frame, Kind, Report, Span
from pagefault_doctor.symbols.module_file import section_and_offset, section_symbols
from requirements import require_program
from terminal import eventually, open_terminal

FAULTY = Path(__file__).parents[2] / "playbooks/scenarios/null-deref-module/faulty.ko"


def report(kind: Kind, module: str | None, reason: str | None = None, *frames: Frame) -> Report:
    return Report(
        kind=kind,
        title="a fault",
        module=module,
        function="f",
        offset=0x11,
        fault=Fault(reason=reason),
        frames=frames,
        span=Span(1, 9),
    )


def test_a_fault_in_a_module_is_watched_at_its_instruction() -> None:
    place = place_of(report(Kind.NULL_POINTER, "wobble", "not-present page"))
    assert place
    assert (place.module, place.function, place.offset) == ("wobble", "f", 0x11)
    assert place.exact
    assert place.unreachable


def test_where_memory_is_there_but_forbidden_every_pass_may_be_the_one() -> None:
    place = place_of(report(Kind.PAGE_FAULT, "wobble", "permissions violation"))
    assert place
    assert not place.unreachable


def test_a_fault_in_the_kernel_is_watched_where_the_module_called_it() -> None:
    stale = Frame("g", 9, 99, "wobble", reliable=False)
    frames = (Frame("list_del", 5), stale, Frame("wobble_drop", 0x40, 0x80, "wobble"))
    place = place_of(report(Kind.KERNEL_BUG, None, None, *frames))
    assert place
    assert (place.function, place.offset, place.exact) == ("wobble_drop", 0x3F, False)


def test_without_a_module_in_the_trace_there_is_nowhere_to_stop() -> None:
    assert place_of(report(Kind.KERNEL_BUG, None, None, Frame("list_del", 5))) is None


def test_every_loaded_section_has_a_landmark_and_the_place_lies_in_one() -> None:
    sections = {section for section, _, _ in section_symbols(FAULTY)}
    assert {".text", ".init.text", ".data"} & sections
    assert section_and_offset(FAULTY, "faulty_init", 0x35, None) == (".init.text", 0x35)
    assert section_and_offset(FAULTY, "nobody", 0, None) is None


def test_a_damaged_module_for_gdb_is_told_not_taken_for_one_without_the_place(
    tmp_path: Path,
) -> None:
    broken = tmp_path / "faulty.ko"
    broken.write_bytes(FAULTY.read_bytes()[:-64])
    with pytest.raises(PfDoctorError, match=r"faulty\.ko"):
        section_and_offset(broken, "faulty_init", 0x35, None)
    with pytest.raises(PfDoctorError, match=r"faulty\.ko"):
        section_symbols(broken)


def test_the_last_pass_over_the_place_counts() -> None:
    said = 'Breakpoint 4\n{"stop": {"line": 1}}\n{"stop": {"line": 2}}\n{"fault": true}\n'
    assert stop_of(said) == {"line": 2}
    assert stop_of('{"stop": 1}\nnonsense {') is None


@pytest.mark.lab
@pytest.mark.usefixtures("faulty")
def test_by_hand_gdb_gets_the_terminal_at_the_line_and_nothing_stays(tmp_path: Path) -> None:
    require_program("gdb")
    argv = (sys.executable, "-m", "pagefault_doctor", "lab", "debug", "null-deref-module")
    with open_terminal(argv, {"TMPDIR": str(tmp_path)}, size=(120, 24)) as terminal:
        shown = terminal.until(b"To end: quit.", 60).decode()
        assert "state->status = FAULTY_READY;" in shown
        terminal.type("print state\n")
        assert b"(struct faulty_state *) 0x0" in terminal.until(b"0x0")
        terminal.type("quit\n")
        assert terminal.wait(20) == 0
    assert eventually(lambda: not list(tmp_path.iterdir()), 10)
