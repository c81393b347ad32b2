"""The load of this machine: memory, swap, major page faults, load averages, and one process."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.model import untrusted

VMSTAT: Final = Path("/proc/vmstat")


class ProcessVitals(msgspec.Struct, frozen=True):
    """One process. `resident` is in bytes; `state` is a name of psutil's, such as `disk-sleep`."""

    pid: int
    name: str
    state: str
    resident: int


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """A sample; a value is None where this machine does not provide it.

    `at` is in seconds of the monotonic clock. `memory` and `swap` are the percentage in
    use, `load` the averages over 1, 5 and 15 minutes, `uptime` is in seconds. `major_faults`
    counts the page faults since boot that had to wait for storage.
    """

    at: float
    memory: float | None = None
    swap: float | None = None
    load: tuple[float, float, float] | None = None
    uptime: float | None = None
    major_faults: int | None = None
    process: ProcessVitals | None = None


def vitals(pid: int | None = None, vmstat: Path = VMSTAT) -> Vitals:
    """Take a sample; `process` is None where the process does not exist (any more)."""
    memory, swap, uptime = _usage()
    return Vitals(
        at=time.monotonic(),
        memory=memory,
        swap=swap,
        load=_load(),
        uptime=uptime,
        major_faults=_major_faults(vmstat),
        process=None if pid is None else _process(pid),
    )


def major_fault_rate(before: Vitals, after: Vitals) -> float | None:
    """Return the major page faults per second between two samples, None where unknown."""
    if before.major_faults is None or after.major_faults is None or after.at <= before.at:
        return None
    return max(after.major_faults - before.major_faults, 0) / (after.at - before.at)


def _usage() -> tuple[float | None, float | None, float | None]:
    """Return memory and swap in use, in percent, and the uptime in seconds."""
    memory = swap = uptime = None
    try:
        # Here, because only the wizard shows them, and psutil needs compiled parts.
        import psutil
    except ImportError:
        return memory, swap, uptime
    # psutil raises any of these where /proc is missing, masked or of an unusual kernel.
    unreadable = (psutil.Error, OSError, ValueError, KeyError, RuntimeError, NotImplementedError)
    with contextlib.suppress(*unreadable):
        memory = float(psutil.virtual_memory().percent)
    with contextlib.suppress(*unreadable), warnings.catch_warnings():
        # psutil warns on the terminal where /proc/vmstat lacks the swap counters.
        warnings.simplefilter("ignore")
        swap = float(psutil.swap_memory().percent)
    with contextlib.suppress(*unreadable):
        uptime = max(time.time() - psutil.boot_time(), 0.0)
    return memory, swap, uptime


def _load() -> tuple[float, float, float] | None:
    try:
        return os.getloadavg()
    except OSError:
        return None


def _major_faults(vmstat: Path) -> int | None:
    """Return `pgmajfault` (mm/vmstat.c), which psutil does not read."""
    with contextlib.suppress(OSError, ValueError):
        for line in vmstat.read_text("ascii", "replace").splitlines():
            name, _, value = line.partition(" ")
            if name == "pgmajfault":
                return int(value)
    return None


def _process(pid: int) -> ProcessVitals | None:
    try:
        import psutil
    except ImportError:
        return None
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            name = untrusted.clean_line(process.name())
            return ProcessVitals(pid, name, process.status(), process.memory_info().rss)
    except (psutil.Error, OSError, ValueError, OverflowError):
        return None
