"""Module files: finding them, and their source lines against gdb's."""

from __future__ import annotations

import gzip
import lzma
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.report import Kind, Report, SourceLine, Span
from pagefault_doctor.symbols import locate
from pagefault_doctor.symbols.module_file import build_id, find_module, open_module, source_line

_LINE = re.compile(r'Line (\d+) of "(.*?)"')


def functions(ko: Path) -> dict[str, int]:
    """Return each function of a module file with its size, by readelf."""
    text = subprocess.run(
        ["readelf", "-sW", str(ko)], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in text.splitlines() if " FUNC " in line]
    return {row[7]: int(row[2], 0) for row in rows if row[6] != "UND"}


def by_gdb(ko: Path, function: str, offsets: range) -> list[tuple[str, int] | None]:
    """Return file name and line at these offsets of a function, by gdb."""
    asked = [a for i in offsets for a in ("-ex", f"info line *('{function}'+{i})")]
    command = ["gdb", "-batch", "-nx", *asked, str(ko)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = [_LINE.search(line) for line in text.splitlines()]
    return [(Path(m[2]).name, int(m[1])) if m else None for m in found]


def test_every_function_has_the_lines_that_gdb_gives(probe: Path) -> None:
    checked = functions(probe)
    assert {"probe_init", "probe_exit", "probe_write", "probe_write.cold"} <= set(checked)
    for name, size in checked.items():
        offsets = range(0, size, 3)
        ours = [source_line(probe, name, i) for i in offsets]
        theirs = by_gdb(probe, name, offsets)
        assert [(Path(s.file).name, s.line) if s else None for s in ours] == theirs, name


def test_a_report_gets_its_source_line(probe: Path) -> None:
    report = Report(
        kind=Kind.NULL_POINTER,
        title="BUG",
        span=Span(1, 1),
        function="probe_init",
        offset=0x14,
        module="probe",
    )
    found = locate(report, probe.parent).source_line
    assert found is not None
    assert found.file == "probe.c"
    assert locate(msgspec.structs.replace(report, module="other"), probe.parent) is not None
    assert locate(msgspec.structs.replace(report, module="other"), probe.parent) == (
        msgspec.structs.replace(report, module="other")
    )


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_packed_modules_are_read(probe: Path, tmp_path: Path, suffix: str, pack: object) -> None:
    assert callable(pack)
    packed = tmp_path / f"probe.ko{suffix}"
    packed.write_bytes(pack(probe.read_bytes()))
    assert find_module(tmp_path, "probe") == packed
    assert source_line(packed, "probe_sum", 0) == source_line(probe, "probe_sum", 0)


def test_a_stripped_module_has_no_lines(probe: Path, tmp_path: Path) -> None:
    stripped = tmp_path / "probe.ko"
    subprocess.run(["strip", "-g", "-o", str(stripped), str(probe)], check=True)
    assert source_line(stripped, "probe_init", 4) is None


def test_an_offset_beyond_the_function_or_an_unknown_one_has_no_line(probe: Path) -> None:
    assert source_line(probe, "probe_sum", 0x10000) is None
    assert source_line(probe, "no_such_function", 0) is None


def test_a_damaged_module_has_no_line_and_raises_nothing(probe: Path, tmp_path: Path) -> None:
    data = probe.read_bytes()
    broken = tmp_path / "probe.ko"
    for cut in range(0, len(data), max(1, len(data) // 60)):
        broken.write_bytes(data[:cut] + bytes(64) + data[cut + 64 :])
        found = source_line(broken, "probe_init", 4)
        assert found is None or isinstance(found, SourceLine)
        broken.write_bytes(data[:cut])
        source_line(broken, "probe_init", 4)
        build_id(broken)


def test_the_build_id_is_that_of_readelf(probe: Path) -> None:
    text = subprocess.run(["readelf", "-n", str(probe)], capture_output=True, text=True).stdout
    match = re.search(r"Build ID: ([0-9a-f]+)", text)
    assert build_id(probe) == (match[1] if match else None)


@given(st.binary(max_size=200))
@settings(max_examples=40)
def test_any_bytes_are_no_module(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.ko"
    path.write_bytes(data)
    assert source_line(path, "f", 0) is None
    assert build_id(path) is None


def test_a_module_is_found_below_the_folder_whatever_its_dashes(tmp_path: Path) -> None:
    (tmp_path / "kernel/drivers").mkdir(parents=True)
    file = tmp_path / "kernel/drivers/snd-demo.ko.xz"
    file.touch()
    assert find_module(tmp_path, "snd_demo") == file
    assert find_module(tmp_path, "snd-demo") == file
    assert find_module(tmp_path, "demo") is None


def test_updates_come_before_the_kernels_own_and_plain_before_packed(tmp_path: Path) -> None:
    for name in ("kernel/a.ko", "updates/a.ko.xz", "updates/a.ko"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_module(tmp_path, "a") == tmp_path / "updates/a.ko"


def test_a_folder_that_is_not_there_holds_no_module(tmp_path: Path) -> None:
    assert find_module(tmp_path / "none", "a") is None


@pytest.mark.parametrize("name", ["a.ko.zst", "a.ko.gz", "a.ko"])
def test_an_unreadable_module_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(PfDoctorError, match=re.escape(name)):
        open_module(tmp_path / name)
