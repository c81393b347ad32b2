"""Damaged and hostile modules: an answer or none, never an exception, in bounded work."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.diagnosis.source_lookup import with_source
from pagefault_doctor.model.report import Report
from pagefault_doctor.playbook import shelf
from pagefault_doctor.symbols.dwarf.location import variable_locations

Whole = tuple[Path, Report, Path]
SECTIONS = (
    *(".debug_info", ".debug_abbrev", ".debug_loclists", ".debug_rnglists", ".debug_str"),
    *(".rela.debug_info", ".symtab", ".text", ".rela.text", ".debug_line"),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Give a module, the report of a fault in it, and a folder for damaged copies."""
    folder = shelf.scenario_folder("err-ptr")
    report = klog.read_file(folder / "serial.log").reports[0]
    return folder / "fwsize.ko", report, tmp_path_factory.mktemp("hostile")


def regions(data: bytes) -> dict[str, tuple[int, int]]:
    """Return the place of each section in the file, by its headers (ELF-64)."""
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    rows = [struct.unpack_from("<IIQQQQ", data, table + size * n) for n in range(count)]
    start = rows[names][4]
    return {
        data[start + row[0] : data.index(b"\0", start + row[0])].decode(): (row[4], row[5])
        for row in rows
    }


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    section=st.sampled_from(SECTIONS),
    place=st.floats(0, 1, exclude_max=True),
    filling=st.one_of(
        st.binary(min_size=1, max_size=12), st.sampled_from((b"\xff" * 8, b"\0" * 8))
    ),
)
def test_whatever_is_damaged_there_is_an_answer_or_none(
    whole: Whole, section: str, place: float, filling: bytes
) -> None:
    file, report, folder = whole
    data = bytearray(file.read_bytes())
    start, size = regions(bytes(data))[section]
    at = start + int(place * size)
    data[at : at + len(filling)] = filling
    (folder / file.name).write_bytes(data)
    assert isinstance(with_source(report, folder), Report)


@given(st.binary(max_size=60), st.one_of(st.none(), st.binary(max_size=4)))
def test_any_expression_is_a_place_or_none(code: bytes, frame: bytes | None) -> None:
    try:
        found = variable_locations(code, frame)
    except (ValueError, IndexError):
        return
    assert len(found) <= len(code)


def test_entries_that_lead_nowhere_end(whole: Whole) -> None:
    """All of `.debug_info` is one entry's child list after another, without an end."""
    file, report, folder = whole
    data = bytearray(file.read_bytes())
    start, size = regions(bytes(data))[".debug_info"]
    for byte in (1, 2, 3, 5, 9, 0x7F):
        data[start + 12 : start + size] = bytes((byte,)) * (size - 12)
        (folder / file.name).write_bytes(data)
        assert with_source(report, folder).pointer is None
