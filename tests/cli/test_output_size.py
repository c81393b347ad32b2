"""What is printed, and the memory for it, grow with the log and not with its square."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HEAD = "[%12.6f]%s BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
OOPS = (Path(__file__).parents[1] / "klog/logs/x86_null_write.log").read_text().splitlines()
MEMORY = 512 << 20
"""Bytes of address space that a diagnosis gets; the libraries take 200 MB of it."""


def equal(count: int) -> Iterator[str]:
    """The same oops again and again."""
    for number in range(count):
        yield from (f"[{number + 5:12.6f}] {x.partition('] ')[2]}\n" for x in OOPS)


def different(count: int) -> Iterator[str]:
    """An oops in another function each time."""
    for number in range(count):
        for line in OOPS:
            text = line.partition("] ")[2].replace("pfd_store", f"pfd_store_{number}")
            yield f"[{number + 5:12.6f}] {text}\n"


def boots(count: int) -> Iterator[str]:
    """The same oops in another boot each time."""
    for _ in range(count):
        yield "[    0.000000] Linux version 6.1.0 (b@h) #1 SMP\n"
        yield from (f"{line}\n" for line in OOPS)


def asking(count: int) -> Iterator[str]:
    """Reports of many tasks that all ask the other CPUs, which answer once, at length."""
    for task in range(count):
        caller = f"[{f'T{task}':>6}]"
        yield HEAD % (5, caller)
        yield f"[    5.000000]{caller} Sending NMI from CPU 0 to CPUs 1-3:\n"
    yield "[    5.000000][    C1] Call Trace:\n"
    for number in range(690):
        yield f"[    5.000000][    C1]  function_{number}_with_a_name+0x1/0x2\n"


def sharing_modules(count: int) -> Iterator[str]:
    """Headlines without a list of modules, and now and then a very long list."""
    for _ in range(count // 30):
        yield from [HEAD % (5, "")] * 30
        yield "[    5.000000] Modules linked in: " + "a " * 4000 + "\n"


def loading(count: int) -> Iterator[str]:
    """Reports with very many modules, all of which are being loaded."""
    for _ in range(count):
        yield HEAD % (5, "")
        yield "[    5.000000] Modules linked in: " + "a(O+) " * 1300 + "\n"


def chains(count: int) -> Iterator[str]:
    """A report of lockdep with thousands of links."""
    yield "[    5.000000] WARNING: possible circular locking dependency detected\n"
    for number in range(count * 20):
        yield f"[    5.000000]  -> #{number} (&lock{number}){{+.+.}}-{{3:3}}:\n"
        yield "[    5.000000]        lock_acquire+0x1/0x2\n"


def registers(count: int) -> Iterator[str]:
    """A report with thousands of registers."""
    yield HEAD % (5, "")
    yield "[    5.000000] RIP: 0010:demo_write+0x11/0x20 [demo]\n"
    for number in range(count * 20):
        yield f"[    5.000000] RAX: {number:016x} R{number}: {number:016x} X{number}: 0\n"


def frames(count: int) -> Iterator[str]:
    """A report with thousands of frames, each with a name as long as a line."""
    yield HEAD % (5, "")
    yield "[    5.000000] Call Trace:\n"
    for number in range(count * 20):
        yield f"[    5.000000]  {'f' * 900}_{number}+0x1/0x2\n"


def diagnose(path: Path, *options: str) -> bytes:
    """Return what `diagnose` prints with a bound on its memory."""

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    done = subprocess.run(
        [sys.executable, "-m", "pagefault_doctor", "diagnose", *options, path],
        capture_output=True,
        preexec_fn=bounded,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOGS = (equal, different, boots, asking, sharing_modules, loading, chains, registers, frames)


@pytest.mark.parametrize(
    ("log", "option"),
    [(log, "--json") for log in LOGS] + [(equal, "--markdown"), (loading, "--markdown")],
)
def test_twice_the_reports_are_at_most_twice_the_output(
    log: Callable[[int], Iterator[str]], option: str, tmp_path: Path
) -> None:
    sizes = []
    for count in (60, 120):
        path = tmp_path / f"{count}.log"
        path.write_text("".join(log(count)))
        printed = diagnose(path, option)
        sizes.append(len(printed))
        assert len(printed) <= (3 << 20) + 20 * path.stat().st_size
    assert sizes[1] <= 2.2 * sizes[0]


def test_a_flood_of_oopses_is_told_in_part_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "kern.log"
    path.write_text("".join(equal(5000)))
    printed = diagnose(path, "--json")
    assert len(json.loads(printed)["reports"]) == 500
    assert len(printed) < 6 << 20


def test_lists_that_reports_share_are_cut_aloud(tmp_path: Path) -> None:
    path = tmp_path / "kern.log"
    path.write_text("".join(asking(120)))
    done = subprocess.run(
        [sys.executable, "-m", "pagefault_doctor", "diagnose", "--json", path], capture_output=True
    )
    reports = json.loads(done.stdout)["reports"]
    assert len(reports) == 120
    assert len(reports[0]["frames"]) > 400
    assert len(reports[-1]["frames"]) == 16
    assert b"only 16 frames, modules and lines are told" in done.stderr
    assert len(done.stdout) < 8 << 20
