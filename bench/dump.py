"""The verdict from a crash dump: pfdoctor through drgn against crash with sys, log and bt.

    .venv/bin/python bench/dump.py [VMCORE [RUNS]]

Without a dump, the lab makes one. Runs alternate, so that the load of the machine affects both; the
median of the ratios counts. Nothing is asserted: the figures are for people.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pagefault_doctor.lab import requirements

QUESTIONS = b"sys\nlog\nbt\nquit\n"


def main() -> None:
    """Print the row."""
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    found = {row.need.name: row.path for row in requirements.check()}
    if not found["crash"] or not found["vmlinux"]:
        sys.exit("crash and the vmlinux of the lab's kernel are needed: make lab-setup")
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(sys.argv[1]) if len(sys.argv) > 1 else made(Path(folder, "kept"))
        ours = (sys.executable, "-m", "pagefault_doctor", "diagnose", "--json", "--vmcore")
        pairs = [
            (
                seconds((*ours, str(dump))),
                seconds((found["crash"], "-s", found["vmlinux"], str(dump)), QUESTIONS),
            )
            for _ in range(runs + 1)
        ][1:]
    a, b = (1000 * statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / crash for ours, crash in pairs)
    print(f"{'what':55}{'A ms':>8}{'B ms':>8}{'ratio':>8}{'at most':>9}")
    name = "verdict from a vmcore / crash -s: sys, log, bt"
    print(f"{name:55}{a:8.0f}{b:8.0f}{ratio:8.2f}{0.2:9.1f}")


def made(folder: Path) -> Path:
    """Crash a guest in the lab and return its dump."""
    argv = ("-m", "pagefault_doctor", "lab", "run", "null-deref-module", "--keep", str(folder))
    subprocess.run((sys.executable, *argv), stdout=subprocess.DEVNULL, check=True)
    return folder / "vmcore"


def seconds(argv: tuple[str, ...], questions: bytes = b"") -> float:
    """Return how long a command takes."""
    begin = time.perf_counter()
    subprocess.run(argv, input=questions, capture_output=True, check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
