"""Guests with all seeds on board: booted once, then resumed for each seed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from crashes.seed import Seed, talk
from pagefault_doctor.lab.cpio import archive, character_device, folder, program
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.stock import Stock, release_of
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import PfDoctorError

_DEVICES: Final = {
    "x86_64": ("pcie-root-port,id=root1", "e1000e,id=nic1,bus=root1,romfile="),
}
"""Devices of QEMU that a seed may inject errors into."""

_BOOT_TIMEOUT: Final = 240.0
_TRIGGER_TIMEOUT: Final = 40.0
_RESUME_TIMEOUT: Final = 20.0
_MOST_OF_A_FLOOD: Final = 12.0
"""Seconds after which the console of a guest that never stops reporting is taken as it is."""


class Guests:
    """Guests of one kernel with all seeds on board: booted once, then resumed for each seed."""

    def __init__(self, stock: Stock, image: bytes, home: Path) -> None:
        kernel = stock.kernel()
        assert kernel
        self.stock, self.kernel, self.release = stock, kernel, release_of(kernel)
        self._image, self._home = image, home
        self._lock, self._booted = threading.Lock(), dict[str, tuple[Setup, str]]()

    def crash(self, seed: Seed, append: str) -> tuple[str, int, tuple[str, ...]]:
        """Return the console, how many of its lines are the boot's, and what failed otherwise."""
        if not seed.boots:
            return self._die_early(seed, append), 0, ()
        setup, boot = self._setup(append)
        with VirtualMachine(setup, self._image) as machine:
            guest, notes = GuestHost(machine, boot_timeout=_BOOT_TIMEOUT), list[str]()
            boot = boot or machine.console()
            booted = boot if setup.state else ""
            for argv in self._commands(seed):
                result = guest.run(Command(argv=argv, tool="lab", timeout=_TRIGGER_TIMEOUT))
                if not result.ok:
                    said = (result.errors.strip().splitlines() or [result.status.value])[0]
                    notes.append(f"{' '.join(argv)}: {said}")
                if result.exit_code is None or machine.panicked():
                    break
            for event in seed.inject:
                try:
                    machine.inject(event)
                except PfDoctorError as error:  # Its kernel has no machine checks.
                    notes.append(str(error))
            machine.wait_for_panic(seed.wait + _MOST_OF_A_FLOOD, seed.wait)
            console = machine.console()
        return booted + console, boot.count("\n"), tuple(notes)

    def _commands(self, seed: Seed) -> Iterable[tuple[str, ...]]:
        inserted = (*seed.bystanders, *((seed.name,) if seed.is_module and seed.insert else ()))
        yield from (("modprobe", name) for name in inserted)
        yield from (("sh", "-c", line) for line in seed.trigger)

    def _setup(self, append: str) -> tuple[Setup, str]:
        """Return the setup of a guest that is up, and the console of its boot.

        Where guests do not go on from a saved state, each boots, and its console has its own.
        """
        with self._lock:
            if append not in self._booted:
                try:
                    self._booted[append] = self._boot(append)
                except PfDoctorError as error:
                    # Linux 7.2 sometimes dies in QEMU's TCG while it patches its own code.
                    talk(f"{self.release} is booted again: {error.problem}")
                    self._booted[append] = self._boot(append)
            return self._booted[append]

    def _boot(self, append: str) -> tuple[Setup, str]:
        setup = self._plain_setup(append)
        state = self._home / f"state{len(self._booted)}"
        began = time.monotonic()
        with VirtualMachine(setup, self._image) as machine:
            GuestHost(machine, boot_timeout=_BOOT_TIMEOUT)
            time.sleep(1)
            machine.save(state)
            console = machine.console()
        talk(f"booted {self.release} {append} in {time.monotonic() - began:.0f} s")
        resumed = msgspec.structs.replace(setup, state=state)
        if self._goes_on(resumed):
            return resumed, console
        talk("it does not go on from its saved state: each guest boots")
        return setup, ""

    def _goes_on(self, setup: Setup) -> bool:
        """Whether a guest does what it is told after it was resumed."""
        with VirtualMachine(setup, self._image) as machine:
            command = Command(argv=("true",), tool="lab", timeout=_RESUME_TIMEOUT)
            return GuestHost(machine).run(command).ok

    def _die_early(self, seed: Seed, append: str) -> str:
        image = self._image
        if seed.init is not None:
            entries = [folder("dev"), character_device("dev/console", 5, 1)]
            if seed.init:
                entries.append(program("init", seed.init.encode()))
            image = archive(entries)
        with VirtualMachine(self._plain_setup(append), image) as machine:
            machine.start()
            machine.wait_for_panic(_BOOT_TIMEOUT)
            return machine.console()

    def _plain_setup(self, append: str) -> Setup:
        devices = _DEVICES.get(self.stock.machine.arch, ())
        return Setup(kernel=self.kernel, stock=self.stock, append=append, devices=devices)
