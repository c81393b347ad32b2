"""Parsing and diagnosing one report in process: the median over a corpus of logs.

    PFDOCTOR_CORPUS=FOLDER .venv/bin/python bench/report.py [RUNS]

Nothing is asserted: the figures are for people.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose


def main() -> None:
    """Print the row."""
    folder = os.environ.get("PFDOCTOR_CORPUS")
    if not folder:
        sys.exit("no log corpus: name its folder in PFDOCTOR_CORPUS")
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    logs = [path.read_bytes() for path in sorted(Path(folder).rglob("*.log"))]
    taken: list[float] = []
    for run in range(runs + 1):
        for data in logs:
            begin = time.perf_counter()
            log = klog.read(data, "log")
            diagnose((log,), {})
            if run and log.reports:
                taken.append((time.perf_counter() - begin) / len(log.reports))
    median, most = 1000 * statistics.median(taken), 1000 * max(taken)
    print(f"{'what':55}{'median ms':>10}{'most ms':>9}{'at most':>9}")
    print(f"{'parse and diagnose one report':55}{median:10.2f}{most:9.1f}{1.5:9.1f}")


if __name__ == "__main__":
    main()
