"""The kernel's own decode_stacktrace.sh and `pfdoctor decode` on the logs of all scenarios.

The script is that of Debian's linux-source. It takes an address as it is, or with newer versions
and without -R the one before, also of the program counter. So it is given each place as it is
looked up here: a return address is one less.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from pagefault_doctor.klog.frame_places import FramePlace, TraceReader
from pagefault_doctor.lab.kernels import fetched_kernels
from pagefault_doctor.lab.machine import machine_of
from pagefault_doctor.playbook import shelf
from pagefault_doctor.symbols.module_file import section_and_offset
from pagefault_doctor.tools.debug.decode_log import DecodedFrame, LogDecoder
from pagefault_doctor.tools.debug.line_files import LineFiles
from requirements import require, require_kernel, require_program

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

SCRIPT: Final = "scripts/decode_stacktrace.sh"
SCENARIOS: Final = sorted(
    path.parent.name for path in shelf.scenario_folder("err-ptr").parent.glob("*/serial.log")
)
_DISCRIMINATOR: Final = re.compile(r" \(discriminator \d+\)")
_GDB_LINE: Final = re.compile(r'Line (\d+) of "(.*?)"')


class Kernel(NamedTuple):
    """A vmlinux, and how the programs that read it are called."""

    vmlinux: Path
    prefix: str
    gdb: str


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the script, from the package with the kernel's source."""
    packed = sorted(Path("/usr/src").glob("linux-source-*.tar.xz"))
    require(packed, "no source of a kernel: package linux-source")
    path = tmp_path_factory.mktemp("source") / "decode_stacktrace.sh"
    with tarfile.open(packed[-1], "r|xz") as source:
        member = next(each for each in source if each.name.endswith(f"/{SCRIPT}"))
        file = source.extractfile(member)
        assert file
        path.write_bytes(file.read())
    return path


def kernel_of(arch: str) -> Kernel:
    """Return the kernel of a scenario; it need not be the build that the log is of."""
    if arch == "arm64":
        folders = [kernel.folder for kernel in fetched_kernels(machine_of("arm64"))]
        found = [path for each in folders for path in each.glob("usr/lib/debug/boot/vmlinux-*")]
        require(found, "no debug files of an arm64 kernel: make lab-kernels")
        require_program("aarch64-linux-gnu-addr2line")
        return Kernel(found[0], "aarch64-linux-gnu-", require_program("gdb-multiarch"))
    require_program("addr2line")
    name = "/usr/lib/debug/boot/vmlinux-{}"
    release = require_kernel(name, "linux-image-{}-dbg")
    return Kernel(Path(name.format(release)), "", require_program("gdb"))


def looked_up(place: FramePlace) -> int:
    """Return the offset that is looked up: before a return address is its call."""
    return place.offset - (not place.is_counter and place.offset > 0)


def by_script(script: Path, kernel: Kernel, folder: Path, places: list[FramePlace]) -> list[str]:
    """Return the lines of each place as the script prints them, empty where it knows none."""
    asked = [
        f"{each.function}+{looked_up(each):#x}/{each.size:#x}"
        + (f" [{each.module}]" if each.module else "")
        for each in places
    ]
    options = ["-R"] if b"decode_retaddr" in script.read_bytes() else []
    ran = subprocess.run(
        ["bash", str(script), *options, str(kernel.vmlinux), "auto", str(folder)],
        input="".join(f"{line}\n" for line in asked), capture_output=True, text=True, check=True,
        env=os.environ | {"CROSS_COMPILE": kernel.prefix},
    )  # fmt: skip
    lines = _DISCRIMINATOR.sub("", ran.stdout).splitlines()
    matches = [
        re.match(rf"{re.escape(place.function)} \((.*?)\)(?: |$)", line)
        for place, line in zip(places, lines, strict=True)
    ]
    return [match[1] if match else "" for match in matches]


def text_of(frame: DecodedFrame) -> str:
    if frame.found is None:
        return ""
    lines = [(frame.found.file, frame.found.line)]
    lines += [(call.file or "?", call.line) for call in frame.found.inlined]
    return " ".join(f"{file}:{line or '?'}" for file, line in lines)


def by_addr2line(kernel: Kernel, ko: Path, section: str, at: int) -> str:
    """Return the lines of an offset in a section of a module."""
    command = [f"{kernel.prefix}addr2line", "-i", "-j", section, "-e", str(ko), f"{at:x}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return " ".join(_DISCRIMINATOR.sub("", said).splitlines())


def is_right(frame: DecodedFrame, theirs: str, kernel: Kernel, folder: Path) -> bool:
    """Return whether we are right where the script has something else.

    It looks into `.text` for what is in another section of a module, as all begin at 0. For a line
    of a header addr2line 2.40 names the unit's own file (bfd/dwarf2.c).
    """
    ours, place = text_of(frame), frame.place
    if place.module:
        ko = folder / f"{place.module}.ko"
        section = section_and_offset(ko, place.function, looked_up(place), place.size)
        if section and section[0] != ".text":
            return ours == by_addr2line(kernel, ko, *section)
    assert [each.rpartition(":")[2] for each in ours.split()] == [
        each.rpartition(":")[2] for each in theirs.split()
    ], (place, ours, theirs)
    file = folder / f"{place.module}.ko" if place.module else kernel.vmlinux
    ask = f"info line *('{place.function}'+{looked_up(place)})"
    command = [kernel.gdb, "-batch", "-nx", "-ex", ask, str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = _GDB_LINE.search(said)
    assert found, said
    return Path(found[2]).name == Path(ours.split(":")[0]).name


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_frame_has_the_lines_of_the_script(name: str, script: Path) -> None:
    scenario, folder = shelf.scenario(name), shelf.scenario_folder(name)
    kernel = kernel_of(scenario.arch)
    log = (folder / "serial.log").read_bytes().splitlines(keepends=True)
    reader = TraceReader()
    expected = [place for line in log for place in reader.places(line)]
    files = LineFiles(kernel.vmlinux, folder)
    decoder = LogDecoder(files)
    frames = [frame for line in log for frame in decoder.decode(line)]
    files.close()
    assert [frame.place for frame in frames] == expected
    theirs = by_script(script, kernel, folder, expected) if expected else []
    for frame, text in zip(frames, theirs, strict=True):
        if text and text_of(frame) != text:
            assert is_right(frame, text, kernel, folder), (frame, text)
    assert name == "program-segfault" or sum(map(bool, theirs)) >= len(theirs) * 0.8
