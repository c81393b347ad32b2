"""Inputs made to cost time or memory: what each one takes, and what pfdoctor prints.

    .venv/bin/python bench/hostile.py [SCALE [NAME...]]

SCALE 1 is the full size: lines of a gigabyte, ten million reports, ten gigabytes in a gzip file.
Each input is made in a temporary folder, read by a process of its own and removed. Nothing is
asserted here: `tests/klog/test_hostile_logs.py` asserts the bounds on small ones.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

READ = """
import sys
from pathlib import Path
from pagefault_doctor import klog
logs = list(klog.logs_in_file(Path(sys.argv[1])))
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
notes = "; ".join(dict.fromkeys(log.note for log in logs if log.note))
lines, told = sum(log.lines for log in logs), sum(len(log.reports) for log in logs)
print(f"{peak:6} {lines:10} {told:5}  {notes}")
"""
BUG = "[%12.6f] BUG: unable to handle page fault for address: %016x\n"
OOPS = "[    5.000000] BUG: unable to handle page fault for address: ffff888000000000\n"
Make = Callable[[Path, float], None]


def long_line(path: Path, scale: float) -> None:
    """A line of a gigabyte, then a report."""
    _fill(path, b"x" * (1 << 20), int(1024 * scale), b"\n" + OOPS.encode())


def long_line_of_words(path: Path, scale: float) -> None:
    """A line of a gigabyte that repeats the words that reports begin with."""
    _fill(path, b"BUG: WARNING: " * (1 << 16), int(1200 * scale), b"\n" + OOPS.encode())


def zeros(path: Path, scale: float) -> None:
    """A report, then a gigabyte of zeros."""
    path.write_bytes(OOPS.encode())
    _fill(path, bytes(1 << 20), int(1024 * scale), b"\n" + OOPS.encode(), "ab")


def tiny_reports(path: Path, scale: float) -> None:
    """Ten million reports of a line each."""
    piece = "".join(BUG % (i, i << 20) for i in range(10_000)).encode()
    _fill(path, piece, int(1000 * scale))


def long_report(path: Path, scale: float) -> None:
    """A report of a million lines."""
    path.write_text(OOPS + "[    5.000001] Call Trace:\n")
    piece = "".join(f"[    5.000002]  function_{i}+0x1/0x2\n" for i in range(10_000)).encode()
    _fill(path, piece, int(100 * scale), b"", "ab")


def boots(path: Path, scale: float) -> None:
    """A million boots."""
    piece = (
        b"[    0.000000] Linux version 6.1.0-13-amd64 (b@h) #1 SMP\n[    1.000000] usb 1-1: new\n"
    )
    _fill(path, piece * 10_000, int(100 * scale))


def module_lines(path: Path, scale: float) -> None:
    """Five million lines about modules."""
    piece = b"[    1.000000] demo: loading out-of-tree module taints kernel.\n"
    _fill(path, piece * 10_000, int(500 * scale))


def zeros_in_gzip(path: Path, scale: float) -> None:
    """Ten gigabytes of zeros in ten megabytes."""
    path.write_bytes(gzip.compress(bytes(1 << 28)) * int(40 * scale))


def text_in_gzip(path: Path, scale: float) -> None:
    """Ten gigabytes of lines in a gzip file."""
    path.write_bytes(gzip.compress(b"[    1.000000] usb 1-1: new\n" * (1 << 20)) * int(370 * scale))


def nested(path: Path, scale: float) -> None:
    """A log in ten archives, each compressed."""
    data, name = OOPS.encode(), "dmesg"
    for _ in range(10):
        data, name = gzip.compress(_tar([(name, data)])), "more.tar.gz"
    path.write_bytes(data)


def wide(path: Path, scale: float) -> None:
    """Archives in an archive, each with a thousand logs in it."""
    inner = _tar([(f"dmesg.{i}", OOPS.encode()) for i in range(1000)])
    path.write_bytes(_tar([(f"{i}.tar", inner) for i in range(int(100 * scale))]))


def many_members(path: Path, scale: float) -> None:
    """A million empty members, then a log."""
    header = tarfile.TarInfo("etc/empty").tobuf()
    _fill(path, header * 1000, int(1000 * scale), _tar([("dmesg", OOPS.encode())]))


def header_of_gigabytes(path: Path, scale: float) -> None:
    """A tar whose header announces four gigabytes of attributes, which follow."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, int((4 << 30) * scale)
    path.write_bytes(gzip.compress(info.tobuf()) + gzip.compress(bytes(1 << 28)) * int(16 * scale))


def json_line(path: Path, scale: float) -> None:
    """A journal as JSON with an entry of a gigabyte."""
    path.write_bytes(b'{"__CURSOR":"s=1","MESSAGE":"')
    end = b'"}\n{"MESSAGE":"BUG: unable to handle page fault for address: ffff888000000000"}\n'
    _fill(path, b"x" * (1 << 20), int(1024 * scale), end, "ab")


INPUTS: dict[str, Make] = {
    make.__name__: make
    for make in (
        *(long_line, long_line_of_words, zeros, tiny_reports, long_report, boots, module_lines),
        *(zeros_in_gzip, text_in_gzip, nested, wide, many_members, header_of_gigabytes, json_line),
    )
}


def _fill(path: Path, piece: bytes, times: int, end: bytes = b"", mode: str = "wb") -> None:
    with path.open(mode) as file:
        for _ in range(max(times, 1)):
            file.write(piece)
        file.write(end)


def _tar(members: list[tuple[str, bytes]]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return held.getvalue()


def main() -> None:
    """Print a row for each input."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    names = sys.argv[2:] or list(INPUTS)
    print(f"{'input':22}{'MB':>7}{'s':>8}{'peak MB':>8} {'lines':>10} told  notes")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            INPUTS[name](path, scale)
            begin = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", READ, str(path)], capture_output=True, text=True
            )
            seconds = time.perf_counter() - begin
            said = done.stdout.rstrip() or done.stderr.strip().splitlines()[-1]
            print(f"{name:22}{path.stat().st_size / 1e6:7.0f}{seconds:8.1f}  {said}", flush=True)


if __name__ == "__main__":
    main()
