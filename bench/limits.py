"""Every subcommand where memory, files or the disk run out; prints a table for docs/faults.md.

    .venv/bin/python bench/limits.py [SUBCOMMAND...]

Each runs under `ulimit -v` (address space), `-n` (open files) and `-f` (size of a file) at many
values, with a standard output that is full, and in a mount namespace with a full disk, where this
user may make one. It must end by itself and either do its work or print one line that says why not:
a Python traceback, a signal, output that only looks complete, or a session file that cannot be read
are faults, and are printed. Values at which Python itself does not start are left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from pagefault_doctor.cli.main import SUBCOMMANDS  # noqa: E402
from pagefault_doctor.model.errors import PfDoctorError  # noqa: E402
from pagefault_doctor.session.event_log import read_events  # noqa: E402
from terminal import open_terminal  # noqa: E402

PFDOCTOR: Final = (sys.executable, "-m", "pagefault_doctor")
ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "": (), "diagnose": ("--json", "{log}"), "decode": ("{log}",),
    "run": ("--quiet", "--read-only", "--log", "{log}"),
    "resume": ("{id}",), "sessions": (), "train": ("--plain", "err-ptr"), "lab": ("list",),
    "preflight": (), "playbook": ("list",), "report": ("{id}",), "explain": ("null-deref",),
    "completion": ("bash",),
}  # fmt: skip
"""What each subcommand gets; the empty name is the wizard."""
ON_A_TERMINAL: Final = ("", "resume")
FULL_DISK: Final = (
    "mount -t tmpfs -o size=64m x {full} && cp -a {state}/. {full} &&"
    " {{ cat /dev/zero >{full}/filling 2>/dev/null || :; }}"
)
MEGABYTES: Final = (20, 25, 30, 35, 40, 50, 60, 75, 90, 110, 130, 160, 200, 300, 500)
LIMITS: Final[dict[str, tuple[str, ...]]] = {
    "ulimit -v": tuple(f"ulimit -v {n << 10}" for n in MEGABYTES),
    "ulimit -n": tuple(f"ulimit -n {n}" for n in (3, 4, 5, 6, 8, 10, 12, 16, 24, 32)),
    "ulimit -f": tuple(f"ulimit -f {n}" for n in (0, 1, 2, 8)),
    "full disk": (FULL_DISK,),
    "full output": ("exec >/dev/full",),
}
MOST_LINES: Final = 3
"""Lines of an error and its remedy."""
TIMEOUT: Final = 120


class Ending(NamedTuple):
    """How a run ended: its exit code (negative: a signal) and what it printed."""

    code: int
    shown: str
    told: str


def main() -> int:
    """Run all, print the table and the faults, and return the exit code."""
    names = sys.argv[1:] or list(ARGUMENTS)
    assert set(ARGUMENTS) - {""} == set(SUBCOMMANDS), "a subcommand has no row in ARGUMENTS"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        session = prepared(folder)
        print(
            "| subcommand |",
            " | ".join(LIMITS),
            "|\n" + "|---" * (len(LIMITS) + 1) + "|",
            flush=True,
        )
        faults = []
        for name in names:
            cells = []
            for kind in LIMITS:
                cell, found = tried(folder, session, name, kind)
                cells.append(cell)
                faults += found
            print(f"| {name or 'the wizard'} |", " | ".join(cells), "|", flush=True)
    print("\n".join(faults))
    return 1 if faults else 0


def prepared(folder: Path) -> str:
    """Make a log and a session in a folder, and return the id of the session."""
    log = ROOT / "playbooks/scenarios/err-ptr/serial.log"
    (folder / "kern.log").write_bytes(log.read_bytes())
    (folder / "state").mkdir()
    (folder / "full").mkdir()
    argv = [*PFDOCTOR, "run", "--quiet", "--read-only", "--log", str(folder / "kern.log")]
    environ = os.environ | places(folder / "state")
    subprocess.run(argv, env=environ, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    (session,) = (folder / "state/pfdoctor/sessions").glob("*.jsonl")
    return session.stem


def places(state: Path) -> dict[str, str]:
    """Return the environment that keeps everything that is written in one folder."""
    return {"XDG_STATE_HOME": str(state), "XDG_CACHE_HOME": str(state), "TMPDIR": str(state)}


def tried(folder: Path, session: str, name: str, kind: str) -> tuple[str, list[str]]:
    """Run a subcommand at each value of a limit; return a cell of the table, and the faults."""
    done = told = 0
    faults = []
    for limit in LIMITS[kind]:
        state = folder / ("full" if limit is FULL_DISK else "state")
        text = limit.format(full=folder / "full", state=folder / "state")
        if not starts(text, folder):
            continue
        words = {"log": str(folder / "kern.log"), "id": session}
        argv = [name, *(word.format(**words) for word in ARGUMENTS[name])] if name else []
        ending = run(text, [*PFDOCTOR, *argv], places(state), on_terminal=name in ON_A_TERMINAL)
        problems = list(faults_of(ending, full=kind == "full output"))
        problems += unreadable(folder / "state/pfdoctor/sessions")
        faults += [f"{name or 'wizard'}, {limit}: {problem}" for problem in problems]
        done += not problems and not ending.code
        told += not problems and bool(ending.code)
    found = [f"{done} done"] * bool(done) + [f"{told} a line"] * bool(told)
    return ", ".join([*found, *[f"**{len(faults)} wrong**"] * bool(faults)]) or "-", faults


def starts(limit: str, folder: Path) -> bool:
    """Whether Python itself starts, and imports what every program of its kind does."""
    argv = [sys.executable, "-c", "import argparse, runpy, encodings.idna"]
    state = folder / ("full" if "mount" in limit else "state")
    shell = limit if limit.startswith(("ulimit", "mount")) else ":"
    return run(shell, argv, places(state), on_terminal=False).code == 0


def run(limit: str, argv: Sequence[str], environ: dict[str, str], *, on_terminal: bool) -> Ending:
    """Run a program under a limit, and on a terminal leave it with q."""
    shell = ["/bin/sh", "-c", f'{limit}; exec "$@"', "sh", *argv]
    whole = (
        [str(shutil.which("unshare")), "-m", "--propagation", "private", *shell]
        if "mount" in limit
        else shell
    )
    if on_terminal and "/dev/full" not in limit:
        with open_terminal(tuple(whole), environ) as terminal:
            shown = b""
            for _ in range(40):
                shown += terminal.read(0.5)
                if b"of 7" in shown:
                    terminal.type("q")
                    break
                if ended(terminal.pid):
                    break
            code = terminal.wait(TIMEOUT)
        return Ending(code, "", shown.decode("utf-8", "replace") if code else "")
    done = subprocess.run(
        whole, capture_output=True, text=True, env=os.environ | environ, timeout=TIMEOUT,
        stdin=subprocess.DEVNULL, check=False, errors="replace",
    )  # fmt: skip
    return Ending(done.returncode, done.stdout, done.stderr)


def ended(pid: int) -> bool:
    """Whether a child of ours has ended and waits to be asked for its exit code."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "Z"


def faults_of(ending: Ending, *, full: bool) -> Iterator[str]:
    """Yield what is wrong with how a run ended."""
    for sign in ("Traceback", "Fatal Python error", "Exception ignored"):
        if sign in ending.told + ending.shown:
            yield f"{sign}: {ending.told[-300:]!r}"
            return
    if ending.code not in (0, 1, 2, 3):
        yield f"ended with {ending.code}: {ending.told[-300:]!r}"
    elif ending.code and not ending.told.strip():
        yield f"ended with {ending.code} without a word"
    elif (
        ending.code
        and len(ending.told.strip().splitlines()) > MOST_LINES
        and "\x1b" not in ending.told
    ):
        yield f"more than {MOST_LINES} lines: {ending.told[-600:]!r}"
    elif full and not ending.code:
        yield "output was lost, and the exit code is 0"


def unreadable(sessions: Path) -> Iterator[str]:
    """Yield which sessions cannot be read any more."""
    for path in sessions.glob("*.jsonl"):
        try:
            read_events(path)
        except PfDoctorError as error:
            if path.stat().st_size:
                yield f"session {path.name}: {error}"


if __name__ == "__main__":
    sys.exit(main())
