"""Record a scenario: pfdoctor's own walk over machines that really crash.

    python playbooks/scenarios/record.py [--only-crash] FOLDER

The machine of the case is the lab's, as in `pfdoctor train SCENARIO --live`. This script does what
the person would: yes to every question, and `fix.patch` in the editor. Nothing is installed on this
machine, and no module is ever loaded here.

FOLDER gets recording.jsonl, serial.log, crash.txt (what crash shows of the dump) and the built
module. With --only-crash it gets vmcore instead of a recording.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pagefault_doctor import __version__, klog
from pagefault_doctor.lab import requirements
from pagefault_doctor.lab.host import CRASHES, LabHost
from pagefault_doctor.lab.kernels import kernel_stock
from pagefault_doctor.lab.machine import machine_of
from pagefault_doctor.lab.target import scenario_target
from pagefault_doctor.lab.temp_folder import temp_folder
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import MissingError, PfDoctorError
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook import shelf
from pagefault_doctor.playbook.engine import END
from pagefault_doctor.session.event_log import MemoryLog, encode
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS


class Recorder:
    """Walks through a scenario in the lab, doing all that the playbook suggests."""

    def __init__(self, folder: Path, scenario: Scenario, host: LabHost) -> None:
        self.folder = folder
        self.scenario = scenario
        self.host = host

    def crash(self) -> Path | None:
        """Crash the guest, keep its serial log, and return its dump.

        A fault that the kernel only reports leaves no dump.
        """
        console = self.host.crash_and_fault(say, threading.Event())
        dump = next(self.host.tools_here.path(CRASHES).rglob("dump.*"), None)
        if dump is None and not klog.read(console.encode(), "serial.log").reports:
            raise MissingError("nothing did harm to the guest")
        (self.folder / "serial.log").write_text(console)
        return dump

    def show_in_crash(self, dump: Path) -> None:
        """Keep what crash shows of the dump, beside the recording, in which drgn reads it."""
        release, module = self.host.release, self.scenario.module
        ask = f"sys\nmod -s {module} {self._installed}\nbt\nlog | tail -n 60\nquit\n"
        place = f"{CRASHES}/{dump.parent.name}/{dump.name}"
        image = f"/usr/lib/debug/boot/vmlinux-{release}"
        argv = ("crash", "-s", image, place)
        result = self.host.tools_here.run(Command(argv=argv, tool="record", stdin=ask, timeout=180))
        if not result.ok:
            talk(f"   no crash.txt, crash gave up: {result.errors.strip()[:200]}")
            return
        asked = "".join(f"# {line}\n" for line in ask.splitlines())
        (self.folder / "crash.txt").write_text(f"# {' '.join(argv)}\n{asked}{result.output}")

    @property
    def _installed(self) -> str:
        """The path of the module on the machine of the case."""
        places = self.host.target.places
        return next(path for path in places if path.endswith(f"/{self.scenario.module}.ko"))

    def keep_modules(self) -> None:
        """Keep the modules beside the recording, the one that faulted and the innocent ones."""
        for place, path in self.host.target.places.items():
            if place.endswith(".ko"):
                shutil.copyfile(path, self.folder / path.name)

    def walk(self) -> MemoryLog:
        """Walk through the playbook to its end."""
        playbook = shelf.playbook(self.scenario.playbook)
        started = SessionStarted(
            id=self.scenario.id,
            version=__version__,
            playbook=playbook.id,
            host=self.host.name,
            scenario=self.scenario.id,
            given=self.scenario.known,
        )
        log, visited = MemoryLog(), set[str]()
        walk = Walk.start(started, playbook, host=self.host, sink=log, tools=TOOLS)
        step = playbook.steps[0].id
        while step != END:
            talk(f"== {step}")
            if step in visited:
                raise PfDoctorError(f"the walk came back to {step}", "see what failed above")
            visited.add(step)
            walk.enter(step)
            while walk.proposed:
                self._do(walk, walk.proposed)
            assert walk.suggestion
            talk(f"   {walk.suggestion.because}")
            step = walk.suggestion.go
        walk.end("finished")
        return log

    def _do(self, walk: Walk, command: Command) -> None:
        runner = self._apply_fix if command.interactive else None
        consent = "not-needed" if command.risk is Risk.READ else "asked"
        result = walk.run(command, consent=consent, on_output=say, runner=runner)
        talk(f"   {command.tool}: {command.text[:60]!r} {result.status} {result.seconds:.2f} s")

    def _apply_fix(self, command: Command) -> Result:
        """Do what the person does in the editor."""
        patch = ("patch", "-s", "-p1", "-i", str(self.folder / "fix.patch"))
        began = time.monotonic()
        source = self.host.tools_here.path(self.host.target.source)
        subprocess.run(patch, cwd=source, check=True, timeout=30)
        seconds = time.monotonic() - began
        return Result(command=command, status=ResultStatus.OK, exit_code=0, seconds=seconds)


def talk(text: str) -> None:
    """Print how far it got."""
    print(text, file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Print what the lab does."""
    for line in text.splitlines():
        if line.startswith("lab: "):
            talk(f"     {line}")


def main() -> None:
    """Record the scenario in the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only-crash", action="store_true")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ["XDG_CACHE_HOME"] = "/var/cache"  # A recording names no home of who made it.
    folder = options.folder.absolute()
    scenario = shelf.scenario(folder.name)
    stock = kernel_stock(machine_of(scenario.arch), scenario.kernel)
    requirements.require(
        requirements.check(stock),
        *(requirements.Use if scenario.module else (requirements.Use.BOOT,)),
    )
    with temp_folder() as place:
        target = scenario_target(
            scenario, folder, place, requirements.find_kernel(stock=stock), stock
        )
        with LabHost(target, place) as host:
            recorder = Recorder(folder, scenario, host)
            recorder.keep_modules()
            dump = recorder.crash()
            if options.only_crash and dump:
                shutil.copyfile(dump, folder / "vmcore")
            if options.only_crash:
                return
            # crash reads dumps of its own architecture alone.
            if dump and stock.machine.native and scenario.module:
                recorder.show_in_crash(dump)
            log = recorder.walk()
    lines = b"".join(encode(event).rstrip(b"\n") + b"\n" for event in log.events)
    (folder / "recording.jsonl").write_bytes(lines)


if __name__ == "__main__":
    main()
