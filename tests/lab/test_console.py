"""What a guest prints: its beginning and its end, however much it is."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.lab import console
from pagefault_doctor.lab.console import Console
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.temp_folder import socket_folder, temp_folder
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command


@pytest.fixture
def printer() -> Iterator[tuple[socket.socket, Console]]:
    """The guest's end of a console, and the console."""
    guest, ours = socket.socketpair()
    reader = Console(ours)
    yield guest, reader
    guest.close()
    reader.close()


def wait_for_length(reader: Console, length: int) -> None:
    until = time.monotonic() + 60
    while reader.length < length:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_all_of_a_short_console_is_kept_also_after_its_end(
    printer: tuple[socket.socket, Console],
) -> None:
    guest, reader = printer
    guest.sendall(b"Linux version\n")
    assert reader.text() == b"Linux version\n"
    guest.sendall(b"last words\n")
    guest.close()
    reader.close()
    assert reader.text() == b"Linux version\nlast words\n"


def test_of_a_console_without_end_the_beginning_and_the_end_are_kept_and_the_rest_is_told(
    printer: tuple[socket.socket, Console],
) -> None:
    guest, reader = printer
    line = b"loop " * 1023 + b"again"
    flood = 64 << 20
    guest.sendall(b"Linux version\n")
    for _ in range(flood // len(line)):
        guest.sendall(line)
    guest.sendall(b"---[ end Kernel panic")
    total = 14 + flood // len(line) * len(line) + 21
    wait_for_length(reader, total)
    text = reader.text()
    assert reader.length == total
    assert text.startswith(b"Linux version\n")
    assert text.endswith(b"---[ end Kernel panic")
    assert b"bytes of the console left out" in text
    assert len(text) <= console.HEAD_BYTES + 2 * console.TAIL_BYTES + 100


def test_a_folder_with_a_long_path_has_a_short_one_for_sockets(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 30)
    deep.mkdir()
    short = socket_folder(deep)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short.path / "socket"))
    assert (deep / "socket").is_socket()
    descriptors = len(os.listdir("/proc/self/fd"))
    short.close()
    short.close()
    assert len(os.listdir("/proc/self/fd")) == descriptors - 1
    assert socket_folder(Path("/tmp")).path == Path("/tmp")


def test_a_temporary_folder_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(Exception, match="set TMPDIR to a folder of yours"), temp_folder():
        pass


@pytest.mark.lab
def test_a_guest_runs_in_a_folder_with_a_long_path_and_a_comma(
    kernel: Path, image: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("a,b" * 40)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with GuestHost(VirtualMachine(Setup(kernel=kernel, disk=1), image)) as guest:
        assert guest.run(Command(argv=("echo", "here"), tool="lab")).output == "here\n"
        assert guest.machine.serve_gdb().is_socket()
    assert list(deep.iterdir()) == []


@pytest.mark.lab
def test_a_guest_that_prints_without_end_fills_no_disk(kernel: Path, image: bytes) -> None:
    with GuestHost(VirtualMachine(Setup(kernel=kernel), image)) as guest:
        before = guest.machine.console()
        flood = ("sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' x >/dev/console; echo done")
        assert guest.run(Command(argv=flood, tool="lab", timeout=120.0)).output == "done\n"
        assert len(guest.machine.console()) > len(before) + 1_900_000
        files = [path for path in guest.machine.folder.iterdir() if path.is_file()]
        assert sum(p.stat().st_size for p in files if p.name not in ("initramfs", "disk")) < 65536
