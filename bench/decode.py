"""Speed of `pfdoctor decode` as a ratio: its time against that of decode_stacktrace.sh.

    .venv/bin/python bench/decode.py SCRIPT [RUNS]

SCRIPT is `scripts/decode_stacktrace.sh` of a kernel's source. Both read the frames of a scenario's
log with the installed vmlinux and the scenario's modules, in turn, so that a machine whose speed
drifts favours neither; the median of the ratios counts. Nothing is asserted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from pagefault_doctor.lab.stock import DEFAULT_STOCK, release_of

SCENARIOS = ("null-deref-module", "wild-pointer", "stack-overflow")
FOLDER = Path(__file__).resolve().parents[1] / "playbooks/scenarios"


class Measured(NamedTuple):
    """Wall-clock seconds, and megabytes of memory at the peak."""

    seconds: float
    megabytes: int


def main() -> None:
    """Print a row for each log."""
    script, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    kernel = DEFAULT_STOCK.kernel()
    if kernel is None:
        sys.exit("no kernel with debug information: make lab-setup")
    vmlinux = f"/usr/lib/debug/boot/vmlinux-{release_of(kernel)}"
    ours = [str(Path(sys.executable).with_name("pfdoctor")), "decode", "--vmlinux", vmlinux]
    print(f"{'log':20}{'frames':>8}{'A s':>8}{'B s':>8}{'ratio':>8}{'at most':>9}{'A MB':>7}")
    for name in SCENARIOS:
        folder = FOLDER / name
        lines = [x for x in (folder / "serial.log").open("rb") if b"+0x" in x]
        with tempfile.NamedTemporaryFile() as log:
            log.write(b"".join(lines))
            log.flush()
            a = [*ours, "--module-dir", str(folder), log.name]
            b = ["bash", "-c", '"$@" <"$0"', log.name, "bash", script, vmlinux, "auto", str(folder)]
            pairs = [(measured(a), measured(b)) for _ in range(runs)]
        ratio = statistics.median(x.seconds / y.seconds for x, y in pairs)
        times = [statistics.median(x.seconds for x in side) for side in zip(*pairs, strict=True)]
        print(
            f"{name:20}{len(lines):8}{times[0]:8.2f}{times[1]:8.2f}{ratio:8.3f}{0.2:9.1f}"
            f"{max(x.megabytes for x, _ in pairs):7}"
        )


def measured(argv: list[str]) -> Measured:
    """Return what a command takes."""
    begin = time.perf_counter()
    silent = subprocess.DEVNULL
    with subprocess.Popen(argv, stdout=silent, stderr=silent) as running:
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    assert running.returncode == 0, argv
    return Measured(time.perf_counter() - begin, usage.ru_maxrss >> 10)


if __name__ == "__main__":
    main()
