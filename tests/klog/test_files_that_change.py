"""A log that another program shortens, overwrites or adds to, or that the disk does not give."""

from __future__ import annotations

import errno
import gzip
import io
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.main import main
from pagefault_doctor.klog.input.input_file import GROWN, OVERWRITTEN, SHORTER, FileBytes, InputFile

OOPS = b"[    5.000000] BUG: unable to handle page fault for address: ffff888000000000\n"
TRACE = b"[    5.000001] RIP: 0010:demo_write+0x11/0x20 [demo]\n"
NOISE = b"[    6.000000] usb 1-1: new high-speed USB device number 3\n"
MEGABYTE = NOISE * ((1 << 20) // len(NOISE))

READ = """
import sys
from pathlib import Path
from pagefault_doctor import klog

def waits(*said):
    if not told:
        told.append(said)
        print(said[0], flush=True)
        sys.stdin.readline()

told = []
for log in klog.logs_in_file(Path(sys.argv[1]), waits):
    print(len(log.reports), log.lines, log.unread, log.note, sep="|")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kern.log"


def read_while(path: Path, data: bytes) -> tuple[int, list[str]]:
    """Return how a process ended and what it printed that read a file changed to `data` meanwhile.

    The file is written over as logrotate's copytruncate does it: it stays the same file.
    """
    with subprocess.Popen(
        [sys.executable, "-c", READ, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "searching\n"
        with path.open("wb") as file:
            file.write(data)
        said, _ = child.communicate("\n")
    return child.returncode, said.strip().split("|")


def test_a_log_that_is_cut_off_while_it_is_read_gives_what_was_left(path: Path) -> None:
    path.write_bytes(OOPS + TRACE + MEGABYTE * 4)
    end, (reports, lines, unread, note) = read_while(path, OOPS + TRACE)
    assert end != -signal.SIGBUS
    assert (end, reports, unread) == (0, "1", SHORTER)
    assert int(lines) < 4 * MEGABYTE.count(b"\n")
    assert SHORTER in note


def test_a_log_that_becomes_empty_while_it_is_read_keeps_the_reports_seen(path: Path) -> None:
    path.write_bytes(OOPS + TRACE + MEGABYTE * 4)
    end, (reports, _, unread, _) = read_while(path, b"")
    assert (end, reports, unread) == (0, "1", SHORTER)


def test_a_log_that_is_written_anew_while_it_is_read_gives_no_mixture(path: Path) -> None:
    path.write_bytes(OOPS + TRACE + MEGABYTE * 2)
    end, (reports, _, unread, _) = read_while(path, NOISE + MEGABYTE * 3)
    assert (end, reports, unread) == (0, "1", OVERWRITTEN)


def test_a_log_that_grows_while_it_is_read_says_so(path: Path) -> None:
    path.write_bytes(OOPS + MEGABYTE)
    end, (reports, lines, unread, note) = read_while(path, OOPS + MEGABYTE * 2 + OOPS)
    assert (end, reports, unread, note) == (0, "1", "None", GROWN)
    assert int(lines) == 1 + MEGABYTE.count(b"\n")


@pytest.fixture
def broken_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A place from which on the disk gives nothing, of whichever file."""
    places = [1 << 62]
    pread = os.pread

    def fail(descriptor: int, size: int, place: int) -> bytes:
        if place >= places[0]:
            raise OSError(errno.EIO, "Input/output error")
        return pread(descriptor, min(size, places[0] - place), place)

    monkeypatch.setattr(os, "pread", fail)
    return places


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("first", [OOPS, b""])
def test_a_disk_that_fails_is_told_with_what_was_read(
    packed: bool, first: bytes, path: Path, broken_at: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    data = first + os.urandom(1 << 19).hex().encode() + b"\n" + OOPS
    data = gzip.compress(data) if packed else data
    path.write_bytes(data)
    broken_at[0] = len(data) // 2
    assert main(["diagnose", str(path)]) == 1
    printed = capsys.readouterr()
    assert f"reading failed after {len(data) // 2:,} bytes: Input/output error" in printed.err
    assert ("unable to handle page fault" in printed.out) == bool(first)
    assert "no fault found" not in printed.out


def test_a_disk_that_gives_nothing_is_no_healthy_machine(
    path: Path, broken_at: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(OOPS)
    broken_at[0] = 0
    assert main(["diagnose", str(path)]) == 1
    assert main(["diagnose", "/proc/self/mem"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("reading failed after 0 bytes: Input/output error") == 2


def test_a_member_after_the_place_where_the_disk_fails_is_missed_aloud(
    path: Path, broken_at: list[int]
) -> None:
    import tarfile

    with tarfile.open(path, "w") as tar:
        for name, data in (("dmesg", OOPS + MEGABYTE), ("kern.log", OOPS)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    broken_at[0] = 1 << 19
    logs = list(klog.logs_in_file(path))
    assert [len(log.reports) for log in logs if log.lines] == [1]
    assert any(log.unread for log in logs)


def test_a_pipe_that_has_nothing_yet_is_waited_for() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    writer = f"import os, sys; sys.stdin.readline(); os.write({theirs}, {OOPS!r})"
    with (
        os.fdopen(ours, "rb") as file,
        subprocess.Popen(
            [sys.executable, "-c", writer], pass_fds=[theirs], stdin=subprocess.PIPE
        ) as child,
    ):
        os.close(theirs)
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.close()
        (log,) = klog.logs_in_stream(file, "pipe")
    assert len(log.reports) == 1


def test_the_bytes_of_a_file_are_those_of_bytes(path: Path) -> None:
    data = b"".join(b"%d line\n" % i * (i % 5) for i in range(60_000))
    path.write_bytes(data)
    with path.open("rb") as file:
        read = FileBytes(InputFile(file))
        assert len(read) == len(data)
        for place in (0, 1, 70_000, (1 << 16) - 3, len(data) - 9, len(data), len(data) + 5):
            for size in (1, 20, 1 << 13, 1 << 19):
                assert read[place : place + size] == data[place : place + size]
                for words in (b"\n", b"999 line\n", b"59999 line", b"nowhere"):
                    wanted = data.find(words, place, place + size)
                    assert read.find(words, place, place + size) == wanted
                    wanted = data.rfind(words, place, place + size)
                    assert read.rfind(words, place, place + size) == wanted
        assert read.find(b"59999 line") == data.find(b"59999 line")


@pytest.mark.parametrize("before", [b"", NOISE])
@pytest.mark.parametrize("zeros", [3_000, 300_000, 3_000_000])
def test_what_follows_zeros_is_read(tmp_path: Path, before: bytes, zeros: int) -> None:
    """A crash leaves them, and copytruncate where the writer of the log stood further on."""
    path = tmp_path / "kern.log"
    path.write_bytes(before + bytes(zeros) + OOPS + TRACE + NOISE)
    (log,) = klog.logs_in_file(path)
    assert [report.module for report in log.reports] == ["demo"]


def test_what_is_no_text_after_zeros_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(1 << 20) + random.Random(1).randbytes(70_000))
    assert [log.note for log in klog.logs_in_file(path)] == ["not a text log"]
