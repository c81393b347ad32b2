"""The processor time for parsing and diagnosing one report in process, over a corpus of logs.

    PFDOCTOR_CORPUS=FOLDER .venv/bin/python bench/report.py [ROUNDS]

Each log is read as `klog.read` reads it, phase by phase; its time is divided among its reports,
and the fastest of the rounds counts. Nothing is asserted: the figures are for people.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.klog.report import report_of
from pagefault_doctor.klog.scan import scan
from pagefault_doctor.klog.split import split_reports
from pagefault_doctor.klog.spoken_before import with_spoken
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.session.known import with_known

T = TypeVar("T")
WHOLE = "all of it"
PHASES = (
    *("search the log", "cut the reports", "read their fields", "diagnose", WHOLE),
    "its account besides",
    "known cases besides",
)


def main() -> None:
    """Print a row for each phase."""
    folder = os.environ.get("PFDOCTOR_CORPUS")
    if not folder:
        sys.exit("no log corpus: name its folder in PFDOCTOR_CORPUS")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    logs = [path.read_bytes() for path in sorted(Path(folder).rglob("*.log"))]
    # Logs in a form that is turned into lines first, such as a web page, take other ways.
    logs = [data for data in logs if any(split_reports(scan(data), Lines(data)))]
    best = [
        [min(taken) for taken in zip(*(phases(d) for _ in range(rounds)), strict=True)]
        for d in logs
    ]
    print(f"{'one report':30}{'median ms':>10}{'mean ms':>9}{'most ms':>9}{'at most':>9}")
    for phase, taken in zip(PHASES, zip(*best, strict=True), strict=True):
        ms = [1000 * seconds for seconds in taken]
        row = f"{statistics.median(ms):10.2f}{statistics.mean(ms):9.2f}{max(ms):9.1f}"
        print(f"{phase:30}{row}{'1.5' if phase == WHOLE else '':>9}")


def phases(data: bytes) -> list[float]:
    """Return the seconds that each phase takes for a log, and all of it, for each report."""
    seen, searched = timed(lambda: scan(data))
    found, cut = timed(lambda: list(split_reports(seen, Lines(data))))
    lines, events = Lines(data), seen.module_events
    reports, read = timed(
        lambda: tuple(
            with_spoken(report_of(c, seen, 1), c.start.place, lines, events) for c in found
        )
    )
    log = KernelLog(source="log", reports=reports, module_events=seen.module_events)
    _, diagnosed = timed(lambda: diagnose((log,), {}))
    _, whole = timed(lambda: diagnose((klog.read(data, "log"),), {}))
    opinion = diagnose((log,), {})
    opinion, told = timed(lambda: with_explanations(opinion, (log,), {}))
    _, known = timed(lambda: with_known(opinion, (log,)))
    return [t / len(reports) for t in (searched, cut, read, diagnosed, whole, told, known)]


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return the result of the work, and the seconds of processor time it took."""
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


if __name__ == "__main__":
    main()
