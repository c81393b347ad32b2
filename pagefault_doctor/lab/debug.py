"""Run a guest under gdb and stop it at the faulting line, before the fault.

gdb uses the gdb stub of QEMU, so the guest needs no cooperation, and even init code can be
stopped. The gdb commands are in `gdb_script.py`.
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
from pagefault_doctor.lab.temp_folder import write_file
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.errors import PfDoctorError
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.symbols.module_file import section_and_offset, section_symbols

SCRIPT: Final = Path(__file__).with_name("gdb_script.py")
"""The script that gdb runs."""

KERNEL_ARG: Final = "nokaslr"
"""Without KASLR the guest has the addresses of the vmlinux, so gdb can name functions."""

KERNEL_SYMBOLS: Final = ("do_init_module", "oops_enter", "panic")
"""Kernel functions that run before a module starts, and when a fault is reported."""

CONNECT_TIMEOUT: Final = 30.0
"""Seconds for gdb to read the vmlinux and connect."""

_UNREACHABLE: Final = frozenset({Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.GENERAL_PROTECTION})
"""Kinds of faults that an address without memory can cause."""

_PAGE_PRESENT: Final = "permission"
"""The kernel's reason contains this if the page is present but forbids the access."""

Start = Callable[[Command, threading.Event], Result]
"""Runs gdb; the event is set when nothing more will happen in the guest."""


class BreakPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where to stop: `function`+`offset` (bytes) in a module.

    If kernel code faulted, it is the call from the module, and `exact` is false. `unreachable`
    means that the faulting address may have no memory, which gdb tests.
    """

    module: str
    function: str
    offset: int
    size: int | None
    exact: bool
    unreachable: bool


def place_of(report: Report) -> BreakPlace | None:
    """Return where to stop in a module, or None if no module code was involved."""
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
    return report.kind in _UNREACHABLE and _PAGE_PRESENT not in (reason or "")


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
    """Run `provoke` in a booted guest while gdb waits at the place; return gdb's result.

    `start` runs gdb and returns when gdb ends; then the guest ends too. Raises PfDoctorError if the
    place is not in the module's file.
    """
    machine = guest.machine
    attached = machine.folder / "attached"
    finished, ended = threading.Event(), threading.Event()
    plan = _plan(guest, modules, place) | {
        "socket": str(machine.serve_gdb()),
        "attached": str(attached),
        "vmlinux": vmlinux,
        "batch": not by_hand,
    }
    argv = (machine.guest.gdb, "-q", "-nx", *(() if by_hand else ("-batch",)), "-x", str(SCRIPT))
    env = {"PFDOCTOR_PLAN": json.dumps(plan), "DEBUGINFOD_URLS": ""}
    command = Command(argv=argv, tool="gdb-live", timeout=120.0, env=env)

    def provoke_fault() -> None:
        until = time.monotonic() + CONNECT_TIMEOUT
        while not attached.exists() and not ended.is_set() and time.monotonic() < until:
            time.sleep(0.05)
        if not ended.is_set():
            provoke()
        finished.set()

    provoking = threading.Thread(target=provoke_fault)
    provoking.start()
    try:
        return start(command, finished)
    finally:
        ended.set()
        machine.quit()
        provoking.join()


def _plan(guest: GuestHost, modules: tuple[Module, ...], place: BreakPlace) -> dict[str, Any]:
    files = {}
    for module in modules:
        file = guest.machine.folder / f"{module.name}.ko"
        write_file(file, module.data)
        name = module.name.replace("-", "_")
        position = section_and_offset(file, place.function, place.offset, place.size)
        stop_at = position if name == place.module else None
        files[name] = {"file": str(file), "sections": section_symbols(file), "place": stop_at}
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
    """Return the addresses of KERNEL_SYMBOLS in the guest."""
    pattern = f" ({'|'.join(KERNEL_SYMBOLS)})$"
    argv = ("grep", "-E", pattern, "/proc/kallsyms")
    listing = guest.run(Command(argv=argv, tool="gdb-live")).output
    found = {
        words[2]: int(words[0], 16) for line in listing.splitlines() if (words := line.split())
    }
    if missing := [name for name in KERNEL_SYMBOLS if not found.get(name)]:
        raise PfDoctorError(f"the guest's kernel does not tell where {', '.join(missing)} is")
    return found


def stop_of(output: str) -> dict[str, Any] | None:
    """Return what gdb printed at the last stop at the place, or None if it never stopped."""
    latest: dict[str, Any] | None = None
    for line in output.splitlines():
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(message, dict) and isinstance(message.get("stop"), dict):
            latest = message["stop"]
    return latest
