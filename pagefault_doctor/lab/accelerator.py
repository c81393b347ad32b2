"""KVM where it really works here, else QEMU's own emulation.

/dev/kvm may exist, open, and still run no guest (a machine that is a guest itself). So a kernel is
booted once, within a deadline; what came of it is remembered until this machine reboots.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.machine import Machine
from pagefault_doctor.model.command import Command

EMULATION: Final = "tcg,thread=multi"
KVM: Final = "kvm"

DEVICE: Final = Path("/dev/kvm")

DEADLINE: Final = 6.0
"""Seconds for a boot up to the lack of a root file system; with KVM it takes one."""

_END: Final = "Kernel panic - not syncing: VFS"


@cache
def accelerator(machine: Machine, kernel: Path) -> str:
    """Return what QEMU's `-accel` gets for guests of this machine with this kernel image."""
    usable = machine.native and os.access(DEVICE, os.R_OK | os.W_OK)
    if not usable or not kernel.exists():
        return EMULATION
    question = f"{_boot_id()} {kernel} {machine.cpu}"
    known = _memory()
    try:
        asked, _, answer = known.read_text().strip().rpartition(" ")
        if asked == question and answer in (KVM, EMULATION):
            return answer
    except OSError:
        pass
    answer = KVM if _boots(machine, kernel) else EMULATION
    try:
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(f"{question} {answer}\n")
    except OSError:
        pass  # It is asked again the next time.
    return answer


def _boots(machine: Machine, kernel: Path) -> bool:
    argv = (
        *(machine.qemu, "-nodefaults", "-no-reboot", "-display", "none"),
        *("-machine", machine.board, "-m", "256"),
        *("-accel", KVM, "-cpu", machine.cpu, "-serial", "stdio", "-kernel", str(kernel)),
        *("-append", f"console={machine.console} panic=-1"),
    )
    return _END in LocalHost().run(Command(argv=argv, tool="lab", timeout=DEADLINE)).output


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _memory() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home, "pfdoctor", "accelerator")
