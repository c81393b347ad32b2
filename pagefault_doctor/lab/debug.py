"""A guest under gdb: it is stopped at the line that faults, with the pointer still in hand.

gdb talks to the stub of the virtual machine, so nothing in the guest has to cooperate, and even
init code can be stopped in. What gdb does is in `gdb_script.py`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.module import Module
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.symbols.module_file import section_and_offset, section_symbols

SCRIPT: Final = Path(__file__).with_name("gdb_script.py")

KERNEL_ARG: Final = "nokaslr"
"""With it the addresses in the vmlinux are those of the guest, so that gdb can name functions."""

LANDMARKS: Final = ("do_init_module", "oops_enter", "panic")
"""Functions of the kernel where a module is about to start, and where a fault is being told."""

PATIENCE: Final = 30.0
"""Seconds that gdb has to connect; it reads the vmlinux before that."""

_UNREACHABLE: Final = frozenset({Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.GENERAL_PROTECTION})
"""Kinds of faults that an address without memory can cause."""

_PRESENT: Final = "permission"
"""In the kernel's reason for a fault where there is memory, but not for this access."""

Start = Callable[[Command, threading.Event], Result]
"""Run gdb; a set event says that nothing more will happen in the guest."""


class BreakPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where to stop: `function`+`offset` (bytes) in a module.

    Where the kernel's own code faulted, it is where the module had called it, which is not
    `exact`. `unreachable`: it is worth looking whether there is memory at the address.
    """

    module: str
    function: str
    offset: int
    size: int | None
    exact: bool
    unreachable: bool


def place_of(report: Report) -> BreakPlace | None:
    """Return where in a module the fault can be watched, None where no module's code was in it."""
    if report.module and report.function and report.offset is not None:
        return BreakPlace(
            module=report.module,
            function=report.function,
            offset=report.offset,
            size=report.size,
            exact=True,
            unreachable=_may_be_unreachable(report),
        )
    for frame in report.frames:
        if frame.module and frame.function and frame.offset and frame.reliable:
            return BreakPlace(
                module=frame.module,
                function=frame.function,
                offset=frame.offset - 1,
                size=frame.size,
                exact=False,
                unreachable=False,
            )
    return None


def _may_be_unreachable(report: Report) -> bool:
    reason = report.fault.reason if report.fault else None
    return report.kind in _UNREACHABLE and _PRESENT not in (reason or "")


def watch(
    guest: GuestHost,
    modules: tuple[Module, ...],
    place: BreakPlace,
    provoke: Callable[[], object],
    start: Start,
    *,
    vmlinux: str,
    by_hand: bool,
) -> Result:
    """Have gdb stop a booted guest at the place while it is provoked, and return gdb's result.

    `start` runs gdb and returns when it has ended; then the guest is over. Raises PfDoctorError
    where the place is not to be found in the module.
    """
    machine = guest.machine
    attached = machine.folder / "attached"
    over, ended = threading.Event(), threading.Event()
    plan = _plan(guest, modules, place) | {
        "socket": str(machine.serve_gdb()),
        "attached": str(attached),
        "vmlinux": vmlinux,
        "batch": not by_hand,
    }
    argv = (machine.guest.gdb, "-q", "-nx", *(() if by_hand else ("-batch",)), "-x", str(SCRIPT))
    env = {"PFDOCTOR_PLAN": json.dumps(plan), "DEBUGINFOD_URLS": ""}
    command = Command(argv=argv, tool="gdb-live", timeout=120.0, env=env)

    def act() -> None:
        until = time.monotonic() + PATIENCE
        while not attached.exists() and not ended.is_set() and time.monotonic() < until:
            time.sleep(0.05)
        if not ended.is_set():
            provoke()
        over.set()

    provoking = threading.Thread(target=act)
    provoking.start()
    try:
        return start(command, over)
    finally:
        ended.set()
        machine.quit()
        provoking.join()


def _plan(guest: GuestHost, modules: tuple[Module, ...], place: BreakPlace) -> dict[str, Any]:
    files = {}
    for module in modules:
        file = guest.machine.folder / f"{module.name}.ko"
        file.write_bytes(module.data)
        name = module.name.replace("-", "_")
        here = section_and_offset(file, place.function, place.offset, place.size)
        wanted = here if name == place.module else None
        files[name] = {"file": str(file), "sections": section_symbols(file), "place": wanted}
    if not any(file["place"] for file in files.values()):
        raise PfDoctorError(f"{place.function}+{place.offset:#x} is not in the module's file")
    return {
        "modules": files,
        "types": files[place.module]["file"],
        "exact": place.exact,
        "test": place.unreachable,
        "kernel": _addresses(guest),
        "argument": guest.machine.guest.argument,
        "linker": guest.machine.guest.linker,
        "timeout": 10,
    }


def _addresses(guest: GuestHost) -> dict[str, int]:
    """Return where the kernel has its landmarks."""
    pattern = f" ({'|'.join(LANDMARKS)})$"
    argv = ("grep", "-E", pattern, "/proc/kallsyms")
    listing = guest.run(Command(argv=argv, tool="gdb-live")).output
    found = {
        words[2]: int(words[0], 16) for line in listing.splitlines() if (words := line.split())
    }
    if missing := [name for name in LANDMARKS if not found.get(name)]:
        raise PfDoctorError(f"the guest's kernel does not tell where {', '.join(missing)} is")
    return found


def stop_of(output: str) -> dict[str, Any] | None:
    """Return what gdb saw at the last pass over the place, None where it never came there."""
    latest: dict[str, Any] | None = None
    for line in output.splitlines():
        try:
            said = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(said, dict) and isinstance(said.get("stop"), dict):
            latest = said["stop"]
    return latest
