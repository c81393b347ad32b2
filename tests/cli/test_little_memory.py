"""Where memory runs out there is one line and an exit code, never a trace, never "no fault"."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main

SAMPLE = Path(__file__).parents[1] / "klog/logs/x86_null_write.log"
NOISE = b"[    6.000000] usb 1-1: new high-speed USB device number 3\n"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}

DIAGNOSE = """
import contextlib, io, resource, sys
from pathlib import Path
from pagefault_doctor.cli.main import main

def allowed(bytes_more):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + bytes_more
    resource.setrlimit(resource.RLIMIT_AS, (most, most))

with contextlib.redirect_stdout(io.StringIO()):
    main(["diagnose", sys.argv[1]])
allowed(int(sys.argv[3]))
sys.exit(main(["diagnose", sys.argv[2]]))
"""


def diagnose(path: Path, room: int) -> tuple[int, str, str]:
    """Return exit code and output of a diagnosis that gets so many bytes of memory more."""
    done = subprocess.run(
        [sys.executable, "-c", DIAGNOSE, SAMPLE, path, str(room)], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module", params=PACK)
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large log with its fault at the end."""
    path = tmp_path_factory.mktemp("logs") / f"kern.log.{request.param}"
    path.write_bytes(PACK[request.param](NOISE * 200_000 + SAMPLE.read_bytes()))
    return path


@pytest.mark.parametrize("room", [0, 1 << 20, 1 << 22, 1 << 24, 1 << 26])
def test_with_little_memory_the_fault_is_found_or_the_failure_is_told(log: Path, room: int) -> None:
    code, out, errors = diagnose(log, room)
    assert "no fault found" not in out
    if code == 0:
        assert "NULL pointer dereference" in out
    else:
        assert code == 1
        assert errors.startswith("pfdoctor: ")
        assert errors.count("\n") == 1


def test_without_memory_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pagefault_doctor.klog.logs_in_file", exhausted)
    assert main(["diagnose", str(SAMPLE)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "not enough memory" in printed.err
    assert printed.err.count("\n") == 1


def test_xz_that_asks_for_much_memory_gets_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 28}]
    path = tmp_path / "kern.log.xz"
    path.write_bytes(lzma.compress(SAMPLE.read_bytes(), filters=filters))
    assert main(["diagnose", str(path)]) == 2
    assert "asks for more memory" in capsys.readouterr().err
    code, _, errors = diagnose(path, 1 << 25)
    assert code == 2
    assert "asks for more memory" in errors


def tar(kind: bytes, size: int) -> bytes:
    """Return the header of a member that claims a size, and zeros after it."""
    info = tarfile.TarInfo("var/log/kern.log")
    info.type, info.size = kind, size
    return info.tobuf() + bytes(1 << 16)


BOMBS: dict[str, Callable[[], bytes]] = {
    "lines in gzip": lambda: gzip.compress(NOISE * 40_000) * 60,
    "lines in bzip2": lambda: bz2.compress(NOISE * 40_000) * 60,
    "lines in xz": lambda: lzma.compress(NOISE * 40_000) * 60,
    "zeros in gzip": lambda: gzip.compress(bytes(1 << 24)) * 60,
    "zeros in gzip in xz": lambda: lzma.compress(gzip.compress(bytes(1 << 24)) * 60),
    "gzip in gzip in gzip": lambda: gzip.compress(gzip.compress(gzip.compress(NOISE * 40_000)) * 9),
    "a pax header of gigabytes": lambda: tar(tarfile.XHDTYPE, 4 << 30),
    "a long name of gigabytes": lambda: tar(tarfile.GNUTYPE_LONGNAME, 4 << 30),
    "a sparse member of gigabytes": lambda: tar(tarfile.GNUTYPE_SPARSE, 4 << 30),
    "a member of gigabytes": lambda: tar(tarfile.REGTYPE, 4 << 30),
    "a pax header of gigabytes, packed": lambda: (
        gzip.compress(tar(tarfile.XHDTYPE, 4 << 30)) + gzip.compress(bytes(1 << 24)) * 60
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_archive_made_to_fill_the_memory_does_not(name: str, tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(BOMBS[name]())
    code, _, errors = diagnose(path, 48 << 20)
    assert code in (0, 2), errors
    assert "memory" not in errors
    assert all(line.startswith("pfdoctor: ") for line in errors.splitlines())
