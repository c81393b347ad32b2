"""The module of the first scenario: the fault it is there for, and the fix."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command
from requirements import require_program

FOLDER = Path(__file__).parents[2] / "playbooks/scenarios/null-deref-module"

FAULTS = ("BUG:", "Oops", "Call Trace", "WARNING")


def test_the_recorded_crash_is_of_the_build_beside_it() -> None:
    log = (FOLDER / "serial.log").read_text()
    assert "faulty_init+0x35/0x1000 [faulty]" in log
    gdb = require_program("gdb")
    look = ("-ex", "info line *('faulty_init'+0x35)", str(FOLDER / "faulty.ko"))
    said = subprocess.run((gdb, "-batch", "-nx", *look), capture_output=True, text=True, timeout=60)
    line = next(
        number
        for number, text in enumerate((FOLDER / "src/faulty.c").read_text().splitlines(), 1)
        if "state->status = " in text
    )
    assert f"Line {line} of " in said.stdout


def test_nothing_tells_of_the_machine_that_recorded() -> None:
    for name in ("faulty.ko", "serial.log", "fix.patch"):
        data = (FOLDER / name).read_bytes()
        assert not any(place in data for place in (b"/home/", b"/tmp/"))


@pytest.fixture(scope="module")
def fixed(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The module with `fix.patch` applied."""
    for name in ("patch", "make", "gcc"):
        require_program(name)
    folder = tmp_path_factory.mktemp("fixed")
    shutil.copytree(FOLDER / "src", folder, dirs_exist_ok=True)
    patch = ("patch", "-p1", "-i", str(FOLDER / "fix.patch"))
    subprocess.run(patch, cwd=folder, check=True, capture_output=True, timeout=30)
    make = ("make", "-C", f"/lib/modules/{release_of(kernel)}/build", f"M={folder}", "modules")
    subprocess.run(make, check=True, capture_output=True, timeout=120)
    return (folder / "faulty.ko").read_bytes()


@pytest.mark.lab
@pytest.mark.parametrize("channels", [0, 3])
def test_the_fixed_module_comes_and_goes_quietly(kernel: Path, fixed: bytes, channels: int) -> None:
    release = release_of(kernel)
    image = initramfs.build(release, {initramfs.module_path(release, "faulty"): fixed})
    with GuestHost(VirtualMachine(Setup(kernel=kernel), image)) as guest:
        for argv in (("modprobe", "faulty", f"channels={channels}"), ("rmmod", "faulty")):
            assert guest.run(Command(argv=argv, tool="test")).ok
        log = guest.run(Command(argv=("dmesg",), tool="test")).output
    assert f"faulty: setting up {channels} channels" in log
    assert "faulty: gone" in log
    assert not [word for word in FAULTS if word in log]
