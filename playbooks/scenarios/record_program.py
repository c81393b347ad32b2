"""Record a scenario of a program: pfdoctor's own walk after the program really died.

    python playbooks/scenarios/record_program.py FOLDER

The machine of the case is a guest of the lab, where the program dies and leaves its core. gdb,
valgrind, the editor and the build run on this machine, in /usr/src/NAME-1.0 as in the guest; the
core is copied there, and each new build is copied into the guest and run. All is removed at the
end.

FOLDER gets recording.jsonl and serial.log.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor import __version__
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.stock import DEFAULT_STOCK, release_of
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog, encode
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS

DESK_TOOLS: Final = frozenset(
    ("program-line", "gdb-core", "source", "valgrind", "edit", "diff", "program-build")
)
"""Tools whose commands run on this machine."""

DESK_PROGRAMS: Final = frozenset(
    ("diff", "gcc", "gdb", "make", "readelf", "valgrind", "coredumpctl")
)
"""Programs that the guest reports as installed because this machine has them."""

DIE: Final = 'cd "${1%/*}" && busybox chmod 755 "$1" && ulimit -c unlimited && exec "$1"'
BRING: Final = 'busybox base64 -d >"$1.new" && mv "$1.new" "$1"'


class Box:
    """The guest in which the program runs, and the tools of this machine."""

    live = True

    def __init__(self, guest: GuestHost, program: Path) -> None:
        self.name = guest.name
        self.tools_here = LocalHost()
        self._guest = guest
        self._program = program

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command where it belongs."""
        if command.tool == "valgrind":
            self._run_newest()
        if command.tool in DESK_TOOLS:
            return self.tools_here.run(command, on_output, cancel)
        result = self._guest.run(command, on_output, cancel)
        return self._with_desk_programs(result) if command.tool == "box" else result

    def die(self) -> None:
        """Run the program in the guest until it dies, and copy its core to this machine."""
        self._in_guest(DIE)
        core = self._program.with_name("core")
        answer = self._in_guest('busybox base64 "${1%/*}/core"')
        if not answer.ok:
            raise PfDoctorError("the program left no core in the guest", answer.errors)
        core.write_bytes(base64.b64decode(answer.output))

    def _run_newest(self) -> None:
        """Run the newest build in the guest too, so that its log shows the outcome."""
        self._in_guest(BRING, base64.b64encode(self._program.read_bytes()).decode())
        self._in_guest(DIE)

    def _in_guest(self, script: str, stdin: str = "") -> Result:
        argv = ("sh", "-c", script, "sh", str(self._program))
        return self._guest.run(Command(argv=argv, tool="record", stdin=stdin))

    def _with_desk_programs(self, result: Result) -> Result:
        told = {f"program={name}\n" for name in DESK_PROGRAMS if shutil.which(name)}
        box = result.output.splitlines(keepends=True)
        here = [line for line in sorted(told) if line not in box]
        return msgspec.structs.replace(result, output="".join((*box[:-1], *here, *box[-1:])))


def apply_fix(folder: Path, source: Path, command: Command) -> Result:
    """Do what the person does in the editor."""
    began = time.monotonic()
    patch = ("patch", "-s", "-p1", "-i", str(folder / "fix.patch"))
    subprocess.run(patch, cwd=source, check=True, timeout=30)
    seconds = time.monotonic() - began
    return Result(command=command, status=ResultStatus.OK, exit_code=0, seconds=seconds)


def walk_through(box: Box, scenario: Scenario, folder: Path, source: Path) -> MemoryLog:
    """Walk through the playbook, doing all that it suggests."""
    playbook = shelf.playbook(scenario.playbook)
    started = SessionStarted(
        id=scenario.id,
        version=__version__,
        playbook=playbook.id,
        host=box.name,
        scenario=scenario.id,
        given=scenario.given,
    )
    log = MemoryLog()
    walk = Walk.start(started, playbook, host=box, sink=log, tools=TOOLS)
    step, visited = playbook.steps[0].id, set[str]()
    while step != "end":
        if step in visited:
            raise PfDoctorError(f"the walk came back to {step}")
        visited.add(step)
        walk.enter(step)
        while command := walk.proposed:
            consent = "not-needed" if command.risk is Risk.READ else "asked"
            editor = (lambda c: apply_fix(folder, source, c)) if command.interactive else None
            result = walk.run(command, consent=consent, runner=editor)
            print(f"{step}: {command.line[:70]} {result.status}", file=sys.stderr)
        assert walk.suggestion
        step = walk.suggestion.go
    walk.end("finished")
    return log


def main() -> None:
    """Record the scenario in the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.absolute()
    os.environ["XDG_CACHE_HOME"] = "/var/cache"  # A recording names no home of who made it.
    scenario, kernel = shelf.scenario(folder.name), DEFAULT_STOCK.kernel()
    if kernel is None:
        raise MissingError("no kernel to boot", "make lab-setup")
    source, program = Path(scenario.given["source_dir"]), Path(scenario.given["program"])
    if source.exists():
        raise UsageError(f"{source} is there already", "remove it if it is left over")
    try:
        shutil.copytree(folder / "src", source)
        subprocess.run(("make", "-C", source), check=True, capture_output=True, timeout=300)
        image = initramfs.build(release_of(kernel), {str(program): program.read_bytes()})
        with GuestHost(VirtualMachine(Setup(kernel=kernel), image)) as guest:
            box = Box(guest, program)
            box.die()
            (folder / "serial.log").write_text(guest.machine.console())
            log = walk_through(box, scenario, folder, source)
    finally:
        shutil.rmtree(source, ignore_errors=True)
    lines = b"".join(encode(event).rstrip(b"\n") + b"\n" for event in log.events)
    (folder / "recording.jsonl").write_bytes(lines)


if __name__ == "__main__":
    main()
