"""Finding all reports in a large log, against `grep` for the same start strings.

    .venv/bin/python bench/scan.py [RUNS [MEGABYTES]]

Three logs are generated, the same each time: lines that a busy machine repeats, lines of a program
that never repeat, and lines of the kernel that never repeat (the worst case; no real log is like
that), each with one report in two megabytes. Both programs read them from the page cache, in turn;
ours with and without the extra `fast`. Nothing is asserted: figures are for people.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

from pagefault_doctor.klog.prefilter import hyperscan_filter, needles

SCAN = """
import resource, sys
from pathlib import Path
from pagefault_doctor.klog import scan as search
from pagefault_doctor.klog.input.input_file import FileBytes, InputFile
if sys.argv[3] == "plain":
    search._LARGE = 1 << 62
with open(sys.argv[1], "rb") as file:
    if sys.argv[2] == "find":
        from pagefault_doctor.klog.scan import scan
        found = scan(FileBytes(InputFile(file))).starts
    else:
        from pagefault_doctor import klog
        found = klog.read_file(Path(sys.argv[1])).reports
print(len(found), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
NOISE = (
    "kernel: usb 1-1.%d: new high-speed USB device number %d using xhci_hcd",
    'kernel: audit: type=1400 audit(1700000%d.%d:88): apparmor="ALLOWED" profile="snap.store"',
    "systemd[1]: Started session-%d.scope - Session %d of user admin.",
    "sshd[%d]: Accepted publickey for admin from 192.0.2.7 port %d ssh2: ED25519",
    "kernel: eth%d: Link is Up - 1Gbps/Full - flow control rx/tx, queue %d",
    "NetworkManager[%d]: <info>  [1700000000.%d] dhcp4 (eth0): state changed bound -> renewed",
    "kernel: EXT4-fs (sda%d): re-mounted r/w with ordered data mode. Quota mode: none. %d",
    "CRON[%d]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 %d)",
    "kernel: nvme nvme%d: I/O %d QID 4 timeout, completion polled",
    "kernel: [UFW BLOCK] IN=eth0 OUT= SRC=198.51.100.%d DST=192.0.2.1 LEN=40 PROTO=TCP SPT=%d",
)
REPORT = """\
BUG: kernel NULL pointer dereference, address: 0000000000000%d0
#PF: supervisor write access in kernel mode
#PF: error_code(0x0002) - not-present page
Oops: 0002 [#1] PREEMPT SMP PTI
CPU: 1 PID: 812 Comm: demo Tainted: G           OE      6.1.0-31-amd64 #1
RIP: 0010:demo_write+0x11/0x20 [demo]
RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000
Call Trace:
 <TASK>
 vfs_write+0xc0/0x3b0
 ksys_write+0x6b/0xf0
 do_syscall_64+0x55/0xb0
 </TASK>
Modules linked in: demo(OE) nvme ext4
---[ end trace 0000000000000000 ]---
"""
SPACING = 2 << 20
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz      "[n % 32] for n in range(256))


def main() -> None:
    """Print a row for each ratio."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 512
    ways = ("plain", "fast") if hyperscan_filter() else ("plain",)
    with tempfile.TemporaryDirectory() as folder:
        strings = Path(folder, "strings")
        strings.write_bytes(b"".join(needle + b"\n" for needle in needles()))
        print(f"{'what':55}{'A ms':>8}{'B ms':>8}{'ratio':>8}{'at most':>9}  found, peak MB")
        for kind, noise in KINDS.items():
            log = Path(folder, kind)
            with log.open("wb") as file:
                for piece in pieces(size << 20, noise):
                    file.write(piece)
            for way, what in product(ways, ("find", "read")):
                pairs = [(pfdoctor(log, what, way), grep(strings, log)) for _ in range(runs + 1)]
                print(_row(f"{what}, {way}, {kind} {size} MB / grep -abF -f", pairs[1:], way))
            log.unlink()


def _row(name: str, pairs: list[tuple[tuple[float, str], float]], way: str) -> str:
    ratio = statistics.median(a[0] / b for a, b in pairs)
    ours = 1000 * statistics.median(a[0] for a, _ in pairs)
    theirs = 1000 * statistics.median(b for _, b in pairs)
    limit = 0.4 if way == "fast" else 1.0
    return f"{name:55}{ours:8.0f}{theirs:8.0f}{ratio:8.2f}{limit:9.1f}  {pairs[-1][0][1]}"


Noise = Callable[[random.Random, int], Iterator[bytes]]


def pieces(size: int, noise: Noise) -> Iterator[bytes]:
    """Yield a log of about that many bytes, the same each time."""
    draw = random.Random(512)
    made, number = 0, 0
    while made < size:
        number += 1
        piece = b"".join((*noise(draw, number), *_report(number)))
        made += len(piece)
        yield piece


def _varied(draw: random.Random, number: int, program: str) -> Iterator[bytes]:
    begin = f"{_stamp(number)} host {program}: ".encode()
    text = draw.randbytes(SPACING).translate(_LETTERS)
    width = 80
    for place in range(0, SPACING, width):
        yield begin + text[place : place + width] + b"\n"


def _noise(draw: random.Random, number: int) -> Iterator[bytes]:
    made = 0
    while made < SPACING:
        words = draw.choice(NOISE) % (draw.randrange(100), draw.randrange(100_000))
        line = f"{_stamp(number)} host {words}\n".encode()
        made += len(line)
        yield line


def _report(number: int) -> Iterator[bytes]:
    for line in (REPORT % (number % 10)).splitlines():
        yield f"{_stamp(number)} host kernel: [{number * 60:8}.000000] {line}\n".encode()


def _stamp(number: int) -> str:
    return f"Jan {number % 28 + 1:2} {number % 24:02}:{number % 60:02}:07"


def grep(strings: Path, log: Path) -> float:
    """Return the seconds grep takes to find every line with one of the strings."""
    environment = os.environ | {"LC_ALL": "C"}
    begin = time.perf_counter()
    with (
        open(os.devnull, "wb") as nothing,
        subprocess.Popen(
            ["grep", "-abF", "-f", str(strings), str(log)], env=environment, stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        while said := process.stdout.read(1 << 16):
            nothing.write(said)
    return time.perf_counter() - begin


def pfdoctor(log: Path, what: str, way: str) -> tuple[float, str]:
    """Return the seconds a new process takes to find and read every report, and its output."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", SCAN, str(log), what, way],
        check=True,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - begin, done.stdout.strip()


KINDS: dict[str, Noise] = {
    "repeating": _noise,
    "varied": partial(_varied, program="app"),
    "kernel varied": partial(_varied, program="kernel"),
}


if __name__ == "__main__":
    main()
