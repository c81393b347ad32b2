"""Record a scenario: pfdoctor's own walk over machines that really crash.

    python playbooks/scenarios/record.py [--only-crash] FOLDER

The box of the case is a guest of the lab, booted anew where the case needs a clean kernel. One that
panics of the fault has a kdump that saved the log under /var/crash, and is booted again. Dumps,
debuggers, analysers and the build run on this machine, in the places where a box would have them:
/usr/src/NAME-1.0, /lib/modules/RELEASE/updates and /var/crash. So this wants root, and a machine
on which it may put files there; all of them are removed at the end. No module is ever loaded here.

FOLDER gets recording.jsonl, serial.log, crash.txt (what crash shows of the dump) and the built
modules. With --only-crash it gets vmcore instead of a recording.
"""

from __future__ import annotations

import argparse
import base64
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor import __version__
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab.composite import CompositeHost
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.vm import Setup, VirtualMachine, installed_kernel, release_of
from pagefault_doctor.model.command import Command, Result, ResultStatus, Risk
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.event import SessionStarted
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog, encode
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS

DESK_TOOLS: Final = frozenset(
    (
        *("drgn", "crash", "gdb-module", "source"),
        *("gcc-analyzer", "sparse", "coccinelle", "edit", "diff", "module-build"),
    )
)
"""Tools whose commands run on this machine."""

DESK_PROGRAMS: Final = frozenset(
    ("crash", "diff", "drgn", "gcc", "gdb", "make", "makedumpfile", "sparse", "spatch")
)
"""Programs that the box of the case is said to have because this machine has them."""

PIECE: Final = 24 << 10
"""Bytes of a file that one request brings into the guest."""

PROGRAM: Final = "program="
"""How the tool `box` is told of a program."""


class Ward:
    """The box of the case: whichever guest runs now, and the desk beside it."""

    live = True

    def __init__(self, kernel: Path, kernel_args: tuple[str, ...]) -> None:
        self.name = GuestHost.name
        self.release = release_of(kernel)
        self.step = ""
        self.desk = LocalHost()
        self._kernel = kernel
        self._kernel_args = kernel_args
        self._guest: GuestHost | None = None
        self._files: Mapping[str, bytes] = {}
        self.early: tuple[str, ...] = ()
        """Modules that the box loads whenever it boots."""

    def boot(self, files: Mapping[str, bytes], *more_args: str) -> GuestHost:
        """Put a newly booted guest in the place of the present one."""
        self.close()
        image = initramfs.build(self.release, files)
        setup = Setup(kernel=self._kernel, append=" ".join((*self._kernel_args, *more_args)))
        self._guest = GuestHost(VirtualMachine(setup, image))
        self._files = files
        for name in self.early:
            self._guest.run(Command(argv=("modprobe", name), tool="record"))
        return self._guest

    def bring(self, path: Path) -> None:
        """Put a file that was made on this machine where the guest would have made it."""
        assert self._guest
        if str(path) in self._files:
            return
        data, script = path.read_bytes(), 'mkdir -p "${1%/*}"; busybox base64 -d >>"$1"'
        argv = ("sh", "-c", script, "bring", str(path))
        for at in range(0, len(data), PIECE):
            piece = base64.b64encode(data[at : at + PIECE]).decode()
            self._guest.run(Command(argv=argv, tool="record", stdin=piece))

    def close(self) -> None:
        """End the present guest."""
        if self._guest:
            self._guest.close()
        self._guest = None

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command in the guest; the answer of `box` names the desk's programs too."""
        assert self._guest
        if self._guest.machine.panicked():
            self.boot(self._files)
        result = self._guest.run(command, on_output, cancel)
        return self._with_desk_programs(result) if command.tool == "box" else result

    def belongs_to_desk(self, command: Command) -> bool:
        """Return whether a command is for this machine and not for the guest."""
        saved = command.tool == "var-crash" and self.step == "analyse-crash-dump"
        return saved or command.tool in DESK_TOOLS

    def _with_desk_programs(self, result: Result) -> Result:
        here = [
            line
            for line in self.desk.run(result.command).output.splitlines(keepends=True)
            if line.startswith(PROGRAM) and line.strip().removeprefix(PROGRAM) in DESK_PROGRAMS
        ]
        box = [line for line in result.output.splitlines(keepends=True) if line not in here]
        return msgspec.structs.replace(result, output="".join((*box[:-1], *here, *box[-1:])))


class Case:
    """The scenario to record, laid out on this machine as on the box it is about."""

    def __init__(self, folder: Path, scenario: Scenario, kernel: Path) -> None:
        assert scenario.module
        self.folder = folder
        self.scenario = scenario
        self.source = Path(scenario.given["source_dir"])
        self.file = self.source / f"{scenario.module}.ko"
        self.ward = Ward(kernel, scenario.kernel_args)
        self.ward.early = scenario.bystanders
        release = release_of(kernel)
        names = (*scenario.bystanders, scenario.module)
        self.installed = {n: Path(initramfs.module_path(release, n)) for n in names}
        self.saved: dict[str, bytes] = {}
        self._headers = Path("/lib/modules", release, "build")

    @contextmanager
    def laid_out(self) -> Iterator[None]:
        """Have the modules' source, builds and installed files in their places for a while."""
        for place in (self.source, *self.installed.values()):
            if place.exists():
                raise UsageError(f"{place} is there already", "remove it if it is left over")
        try:
            shutil.copytree(self.folder / "src", self.source)
            make = ("make", "-C", str(self._headers), f"M={self.source}")
            subprocess.run((*make, "modules"), check=True, capture_output=True, timeout=300)
            for path in self.installed.values():
                path.parent.mkdir(exist_ok=True)
                shutil.copyfile(self.source / path.name, path)
                shutil.copyfile(self.source / path.name, self.folder / path.name)
            subprocess.run((*make, "clean"), check=True, capture_output=True, timeout=300)
            yield
        finally:
            shutil.rmtree(self.source, ignore_errors=True)
            for path in self.installed.values():
                path.unlink(missing_ok=True)
                with suppress(OSError):
                    path.parent.rmdir()

    @property
    def files(self) -> dict[str, bytes]:
        """What the guest of the case has on its disk beyond the distribution's own."""
        return {str(path): path.read_bytes() for path in self.installed.values()} | self.saved

    def crash(self, vmcore: Path) -> bool:
        """Panic a guest; keep its serial log in the scenario's folder, and its memory.

        Returns whether there is a dump: a fault that the kernel only reports leaves none.
        """
        guest = self.ward.boot(self.files, "oops=panic")
        self._provoke(guest)
        panicked = guest.machine.wait_for_panic(10)
        console = guest.machine.console()
        if "BUG" not in console and not panicked:
            raise MissingError("the module did no harm to the guest")
        if panicked:
            guest.machine.dump(vmcore)
        (self.folder / "serial.log").write_text(console)
        self.ward.close()
        return panicked

    def show_in_crash(self, vmcore: Path) -> None:
        """Keep what crash shows of the dump, beside the recording, in which drgn reads it."""
        image = f"/usr/lib/debug/boot/vmlinux-{self.ward.release}"
        installed = self.installed[str(self.scenario.module)]
        ask = f"sys\nmod -s {self.scenario.module} {installed}\nbt\nlog | tail -n 60\nquit\n"
        command = Command(
            argv=("crash", "-s", image, str(vmcore)), tool="record", stdin=ask, timeout=180
        )
        result = self.ward.desk.run(command)
        if not result.ok:
            talk(f"   no crash.txt, crash gave up: {result.errors.strip()[:200]}")
            return
        asked = "".join(f"# {line}\n" for line in ask.splitlines())
        text = f"# {command.text}\n{asked}{result.output}"
        (self.folder / "crash.txt").write_text(text)

    def fall_ill(self, stamp: str) -> None:
        """Boot a guest and let it oops, as the box did before the person came.

        One that panics of it is booted again, with its log as kdump-tools saves it.
        """
        guest = self.ward.boot(self.files)
        self._provoke(guest)
        if guest.machine.wait_for_panic(1):
            self.saved[f"/var/crash/{stamp}/dmesg.{stamp}"] = guest.machine.console().encode()
            self.ward.boot(self.files)

    def _provoke(self, guest: GuestHost) -> None:
        trigger = (tuple(shlex.split(line)) for line in self.scenario.trigger)
        for argv in (("modprobe", str(self.scenario.module)), *trigger):
            guest.run(Command(argv=argv, tool="record"))

    def enter(self, step: str) -> None:
        """Make the ward ready for a step; the module is loaded again on a clean kernel."""
        self.ward.step = step
        if step == "reproduce":
            self.ward.boot(self.files)

    def apply_fix(self, command: Command) -> Result:
        """Do what the person does in the editor."""
        patch = ("patch", "-s", "-p1", "-i", str(self.folder / "fix.patch"))
        began = time.monotonic()
        subprocess.run(patch, cwd=self.source, check=True, timeout=30)
        seconds = time.monotonic() - began
        return Result(command=command, status=ResultStatus.OK, exit_code=0, seconds=seconds)

    def reboot(self, command: Command) -> Result:
        """Boot a guest that has the fixed build, in place of the one that is to reboot."""
        began = time.monotonic()
        self.ward.boot(self.files | {str(self.file): self.file.read_bytes()})
        seconds = time.monotonic() - began
        return Result(command=command, status=ResultStatus.OK, exit_code=0, seconds=seconds)

    def walk(self) -> MemoryLog:
        """Walk through the playbook, doing all that it suggests."""
        playbook = shelf.playbook(self.scenario.playbook)
        started = SessionStarted(
            id=self.scenario.id,
            version=__version__,
            playbook=playbook.id,
            host=self.ward.name,
            scenario=self.scenario.id,
            given=self.scenario.given | self._given_trigger(),
        )
        ward, log, visited = self.ward, MemoryLog(), set[str]()
        host = CompositeHost(ward, lambda c: ward.desk if ward.belongs_to_desk(c) else ward)
        walk = Walk.start(started, playbook, host=host, sink=log, tools=TOOLS)
        step = playbook.steps[0].id
        while step != "end":
            talk(f"== {step}")
            if step in visited:
                raise PfDoctorError(f"the walk came back to {step}", "see what failed above")
            visited.add(step)
            self.enter(step)
            walk.enter(step)
            while walk.proposed:
                self._do(walk, walk.proposed)
            assert walk.suggestion
            talk(f"   {walk.suggestion.because}")
            step = walk.suggestion.go
        walk.end("finished")
        return log

    def _given_trigger(self) -> dict[str, str]:
        lines = self.scenario.trigger
        return {"trigger": "\n".join(lines)} if lines else {}

    def _do(self, walk: Walk, command: Command) -> None:
        if command.argv[-1] == str(self.file) and command.tool == "insmod-fixed":
            self.ward.bring(self.file)
        runner = None
        if command.interactive:
            runner = self.apply_fix
        elif command.tool == "reboot" and command.risk is not Risk.READ:
            runner = self.reboot
        consent = "not-needed" if command.risk is Risk.READ else "asked"
        result = walk.run(command, consent=consent, runner=runner)
        talk(f"   {command.tool}: {command.text[:60]!r} {result.status} {result.seconds:.2f} s")


def talk(text: str) -> None:
    """Tell how far it got."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def saved_dump() -> Iterator[Path]:
    """Give the path of a dump as kdump-tools would name it, and remove it afterwards."""
    stamp = time.strftime("%Y%m%d%H%M")
    folder = Path("/var/crash", stamp)
    folder.mkdir(parents=True)
    try:
        yield folder / f"dump.{stamp}"
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Record the scenario in the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only-crash", action="store_true")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    kernel = installed_kernel()
    if kernel is None:
        raise MissingError("no kernel to boot", "make lab-setup")
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    folder = options.folder.absolute()
    case = Case(folder, shelf.scenario(folder.name), kernel)
    with case.laid_out():
        if options.only_crash:
            case.crash(folder / "vmcore")
            return
        try:
            with saved_dump() as dump:
                if case.crash(dump):
                    case.show_in_crash(dump)
                case.fall_ill(dump.parent.name)
                log = case.walk()
        finally:
            case.ward.close()
    lines = b"".join(encode(event).rstrip(b"\n") + b"\n" for event in log.events)
    (folder / "recording.jsonl").write_bytes(lines)


if __name__ == "__main__":
    main()
