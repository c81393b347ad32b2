"""Speed as ratios: the time pfdoctor takes against that of a simple command, in one run.

    .venv/bin/python bench/ratios.py [RUNS]

Each pair runs in turn, A B A B, so that a machine whose speed drifts favours neither; the median
of the ratios counts. Nothing is asserted: the figures are for people.
"""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PYTHON = sys.executable
CLI = [str(Path(PYTHON).with_name("pfdoctor"))]
NOISE = "[  %d.%06d] usb 1-1: device descriptor read, nothing unusual here\n"

HELLO = """
from textual.app import App, ComposeResult
from textual.widgets import Static
class Hello(App):
    def compose(self) -> ComposeResult:
        yield Static("hello")
Hello().run()
"""


def main() -> None:
    """Print a row for each ratio."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    # An installed pfdoctor has its bytecode cached, as has the Python it is compared with.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        log = a_log(Path(folder) / "kern.log")
        rows: list[tuple[str, Callable[[], float], Callable[[], float], float]] = [
            (
                "pfdoctor --version / import argparse",
                wall([*CLI, "--version"]),
                wall([PYTHON, "-c", "import argparse"]),
                2.0,
            ),
            (
                "diagnose --json on a 60 kB log / python -c pass",
                wall([*CLI, "diagnose", "--json", str(log)]),
                wall([PYTHON, "-c", "pass"]),
                12.0,
            ),
            (
                "first paint of the wizard / hello-world Textual app",
                first_paint(CLI, b"1 of 7"),
                first_paint([PYTHON, "-c", HELLO], b"hello"),
                1.5,
            ),
        ]
        print(f"{'what':55}{'A ms':>8}{'B ms':>8}{'ratio':>8}{'at most':>9}")
        for name, a, b, limit in rows:
            pairs = [(a(), b()) for _ in range(runs + 1)][1:]
            ratio = statistics.median(x / y for x, y in pairs)
            ms = [1000 * statistics.median(side) for side in zip(*pairs, strict=True)]
            print(f"{name:55}{ms[0]:8.0f}{ms[1]:8.0f}{ratio:8.2f}{limit:9.1f}")


def a_log(path: Path) -> Path:
    """Write the log of a real oops, with noise before it to make 60 kB, and return its path."""
    scenarios = Path(__file__).parent.parent / "playbooks/scenarios"
    crash = (scenarios / "null-deref-module/serial.log").read_text()
    noise = "".join(NOISE % (n, n) for n in range(1000))
    path.write_text(noise[: 60_000 - len(crash)] + "\n" + crash)
    return path


def wall(argv: list[str]) -> Callable[[], float]:
    """Return a function that runs the command and gives its wall-clock seconds."""

    def run() -> float:
        begin = time.perf_counter()
        subprocess.run(argv, check=True, capture_output=True)
        return time.perf_counter() - begin

    return run


def first_paint(argv: list[str], sign: bytes) -> Callable[[], float]:
    """Return a function that gives the seconds until a terminal has been sent the sign."""

    def run() -> float:
        begin = time.perf_counter()
        pid, terminal = pty.fork()
        if pid == 0:
            environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
            os.execve(argv[0], argv, environment)
        seen = b""
        try:
            while sign not in seen and time.perf_counter() - begin < 20:
                if select.select([terminal], [], [], 0.5)[0]:
                    seen += os.read(terminal, 65536)
            return time.perf_counter() - begin
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)

    return run


if __name__ == "__main__":
    main()
