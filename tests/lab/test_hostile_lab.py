"""The lab with a full disk, a QEMU that misbehaves, hostile files: one line with the remedy."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pagefault_doctor.cli.lab_commands.order import add_module_arguments, order_of
from pagefault_doctor.lab import initramfs, module, vm
from pagefault_doctor.lab.machine import DEFAULT_MACHINE
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.lab.temp_folder import unused_path, write_file
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.errors import PfDoctorError, UsageError

FAULTY = Path(__file__).parents[2] / "playbooks/scenarios/null-deref-module/faulty.ko"

GREETING = (
    '{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}}'
)

FAKE = f"""
import os, socket, sys, time
sockets = []
for name in ("console", "agent", "qmp"):
    sockets.append(socket.socket(socket.AF_UNIX))
    sockets[-1].bind(name)
    sockets[-1].listen()
qmp = sockets[-1].accept()[0]
def say(text):
    qmp.sendall(text.encode() + b"\\n")
def greet():
    say('{GREETING}')
    qmp.recv(4096)
    say('{{"return": {{}}}}')
def stay():
    while True:
        time.sleep(60)
"""
"""The beginning of a program that does as QEMU does, and then something else."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files; afterwards nothing is in it."""
    here = tmp_path / "temporary"
    here.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    monkeypatch.setattr(vm, "accelerator", lambda machine, kernel: "tcg")
    return here


@pytest.fixture
def put_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeQemu]:
    """Put a program into PATH that is taken for QEMU."""
    FakeQemu.folder = tmp_path / "programs"
    FakeQemu.folder.mkdir()
    monkeypatch.setenv("PATH", f"{FakeQemu.folder}:{os.environ['PATH']}")
    return FakeQemu


class FakeQemu:
    """A program in place of QEMU."""

    folder = Path()

    @classmethod
    def python(cls, code: str) -> None:
        """Let it be in Python, after the sockets are there."""
        (cls.folder / "fake.py").write_text(FAKE + code)
        cls.shell(f"exec '{sys.executable}' '{cls.folder}/fake.py'\n")

    @classmethod
    def shell(cls, code: str) -> None:
        """Let it be a script for sh."""
        program = cls.folder / DEFAULT_MACHINE.qemu
        program.write_text(f"#!/bin/sh\n{code}")
        program.chmod(0o755)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow larger, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def problem_of_a_start() -> str:
    """Return the one line about a virtual machine that does not start."""
    with pytest.raises(PfDoctorError) as raised:
        VirtualMachine(Setup(kernel=Path("/boot/vmlinuz")), b"initramfs")
    assert raised.value.remedy
    assert "\n" not in str(raised.value)
    return str(raised.value)


def is_empty_soon(folder: Path) -> bool:
    until = time.monotonic() + 60
    while any(folder.iterdir()) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(folder.iterdir())


def test_qemu_that_ends_at_once_is_told_by_its_own_words(
    folder: Path, put_qemu: type[FakeQemu]
) -> None:
    put_qemu.shell("echo warning >&2; echo 'no such kernel' >&2; exit 1\n")
    assert problem_of_a_start() == "QEMU ended at once; no such kernel"
    assert not any(folder.iterdir())


def test_qemu_that_hangs_is_ended_with_its_children(
    folder: Path, put_qemu: type[FakeQemu], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vm, "_START_TIMEOUT", 1.0)
    put_qemu.shell(f"sleep 1000 & echo $! >{tmp_path}/child; wait\n")
    assert "QEMU did not start within 1 s" in problem_of_a_start()
    assert not any(folder.iterdir())
    child = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    until = time.monotonic() + 60
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    "noise",
    [
        r"qmp.sendall(b'\xff\x00 no JSON\n')",
        "say('[' * 100_000)",
        "say('x' * (1 << 20))",
        "say('[1, 2]')",
        """say('{"QMP": 3}')""",
        """say('{"QMP": {"version": ' + '1' * 6000 + '}}')""",
        "qmp.close()",
    ],
)
def test_qemu_that_speaks_no_qmp_is_told(
    folder: Path, put_qemu: type[FakeQemu], noise: str
) -> None:
    put_qemu.python(f"try:\n    {noise}\nexcept OSError:\n    pass\nstay()\n")
    assert problem_of_a_start().startswith("QEMU does not answer: ")
    assert not any(folder.iterdir())


@pytest.mark.parametrize("noise", ["say('[' * 100_000)", "say('x' * (1 << 20))", "sys.exit()"])
def test_qemu_that_goes_mad_later_is_told_and_ends(
    folder: Path, put_qemu: type[FakeQemu], noise: str
) -> None:
    put_qemu.python(f"greet()\nqmp.recv(1)\n{noise}\nstay()\n")
    machine = VirtualMachine(Setup(kernel=Path("/boot/vmlinuz")), b"initramfs")
    with pytest.raises(PfDoctorError, match=r"^QEMU [^\n]+; [^\n]+$"):
        machine.start()
    machine.close()
    assert not any(folder.iterdir())


def test_of_what_qemu_says_without_end_the_beginning_is_kept(
    folder: Path, put_qemu: type[FakeQemu], tmp_path: Path
) -> None:
    flood = "for _ in range(200):\n    os.write(2, b'warning\\n' * 8192)\n"
    put_qemu.python(f"{flood}open('{tmp_path}/flooded', 'w').close()\ngreet()\nstay()\n")
    with VirtualMachine(Setup(kernel=Path("/boot/vmlinuz")), b"initramfs") as machine:
        assert (tmp_path / "flooded").exists()
        log = machine.folder / "qemu.log"
        assert log.read_bytes() == b"warning\n" * 2048
    assert is_empty_soon(folder)


@pytest.mark.parametrize("disk", [0, 64])
def test_a_full_disk_for_the_guest_is_told(
    folder: Path, put_qemu: type[FakeQemu], disk: int
) -> None:
    put_qemu.shell("exit 1\n")
    size = 4096 if disk else 4
    with (
        file_size_limit(size),
        pytest.raises(PfDoctorError, match=r"no room in .*; set TMPDIR to"),
    ):
        VirtualMachine(Setup(kernel=Path("/boot/vmlinuz"), disk=disk), b"initramfs")
    assert not any(folder.iterdir())


def test_of_a_file_that_finds_no_room_nothing_is_left(tmp_path: Path) -> None:
    with file_size_limit(1000), pytest.raises(PfDoctorError, match="a folder with more room"):
        write_file(tmp_path / "new/vmcore", bytes(2000))
    assert not any((tmp_path / "new").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(PfDoctorError, match="could not be written"):
        write_file(tmp_path / "file/vmcore", b"")


def test_without_a_folder_for_temporary_files_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "gone")])
    with pytest.raises(PfDoctorError, match="set TMPDIR to a folder of yours"):
        unused_path()


def test_a_command_line_that_linux_would_cut_is_refused(
    folder: Path, put_qemu: type[FakeQemu]
) -> None:
    put_qemu.shell("exit 1\n")
    setup = Setup(kernel=Path("/boot/vmlinuz"), append="x" * 3000)
    with pytest.raises(UsageError, match="shorten --kernel-arg"):
        VirtualMachine(setup, b"")


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "1e300"])
def test_a_time_that_no_guest_can_have_is_refused(seconds: str) -> None:
    parser = argparse.ArgumentParser()
    add_module_arguments(parser)
    words = ("--module", str(FAULTY), f"--timeout={seconds}")
    with pytest.raises(UsageError, match="--timeout is more than 0"):
        order_of(parser.parse_args(words))


@pytest.mark.parametrize(
    ("field", "other"),
    [
        (b"vermagic=", b"vermagic=../../"),
        (b"vermagic=", b"vermagic=-"),
        (b"depends=", b"depends=-"),
    ],
)
def test_a_module_whose_fields_are_no_names_is_refused(
    tmp_path: Path, field: bytes, other: bytes
) -> None:
    """They become parts of paths, and arguments of modprobe."""
    data = FAULTY.read_bytes()
    at = data.index(b"\0" + field) + 1
    whole = other + b"a" * 9
    (tmp_path / "faulty.ko").write_bytes(data[:at] + whole + b"\0" + data[at + len(whole) + 1 :])
    with pytest.raises(PfDoctorError, match=r"names no kernel|not a kernel module"):
        module.read(tmp_path / "faulty.ko")


def test_a_module_of_another_machine_is_refused(tmp_path: Path) -> None:
    data = bytearray(FAULTY.read_bytes())
    data[18:20] = (15).to_bytes(2, "little")  # EM_PARISC
    (tmp_path / "faulty.ko").write_bytes(data)
    parser = argparse.ArgumentParser()
    add_module_arguments(parser)
    with pytest.raises(UsageError, match=r"no guest of the architecture .*; it has x86_64, arm64"):
        order_of(parser.parse_args(("--module", str(tmp_path / "faulty.ko"))))


def test_of_a_source_only_files_folders_and_links_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.c").write_text("int x;\n")
    (source / "endless").symlink_to("/dev/zero")
    os.mkfifo(source / "fifo")
    module._copy(source, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["a.c", "endless"]
    assert (tmp_path / "copy/endless").is_symlink()


def test_a_source_that_is_too_large_for_one_module_is_not_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with (source / "large").open("wb") as file:
        file.truncate(module._MAX_SOURCE_BYTES + 1)
    with pytest.raises(UsageError, match="name the module's own folder"):
        module._copy(source, tmp_path / "copy")
    (source / "large").unlink()
    (source / "a.c").write_bytes(bytes(2000))
    with (
        file_size_limit(1000),
        pytest.raises(PfDoctorError, match=r"could not be copied: .*File too large.*TMPDIR"),
    ):
        module._copy(source, tmp_path / "copy")


def test_a_damaged_program_of_the_stock_is_told_not_taken_for_a_static_one(tmp_path: Path) -> None:
    shell = initramfs.find_program("sh")
    assert shell
    (tmp_path / "sh").write_bytes(shell.read_bytes()[:70])
    stock = Stock(DEFAULT_MACHINE, tmp_path)
    with pytest.raises(PfDoctorError, match=r"damaged program: .*pfdoctor lab kernels fetch"):
        tuple(initramfs.libraries(tmp_path / "sh", stock))


def test_without_ldd_no_guest_is_built_without_its_libraries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(initramfs, "environment", lambda: {"PATH": str(tmp_path)})
    with pytest.raises(PfDoctorError, match=r"ldd .*; apt install libc-bin"):
        tuple(initramfs.libraries(Path("/bin/sh")))


def test_a_file_of_the_guest_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(initramfs, "find_program", lambda name, stock: tmp_path / "gone")
    with pytest.raises(PfDoctorError, match=r"gone cannot be read for the guest: No such file"):
        initramfs.build("6.1.0")
