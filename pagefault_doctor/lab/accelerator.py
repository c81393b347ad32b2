"""KVM if it works on this machine, else QEMU's TCG emulation.

/dev/kvm may exist and open, and still run no guest (nested virtualization). So a kernel is booted
once, within a deadline, and the result is cached until this machine reboots.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

from pagefault_doctor.files.private_folder import check_private_folder, make_private_folder
from pagefault_doctor.files.regular_file import read_regular
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.machine import Machine
from pagefault_doctor.lab.stock import release_of, user_cache
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import MissingError

EMULATION: Final = "tcg,thread=multi"
"""QEMU's `-accel` argument without KVM; a thread for each guest CPU."""
KVM: Final = "kvm"

DEVICE: Final = Path("/dev/kvm")
"""The device of KVM (Documentation/virt/kvm/api.rst)."""

DEADLINE: Final = 6.0
"""Seconds for a boot up to the panic without a root file system; with KVM it takes one."""

_LIMIT: Final = 4096
"""Bytes of the cached answer."""
_OUR_FOLDERS: Final = 1
"""How many parts at the end of the path of the cache are pfdoctor's own."""

_BOOTED: Final = "Kernel panic - not syncing: VFS"


@cache
def accelerator(machine: Machine, kernel: Path) -> str:
    """Return the argument of QEMU's `-accel` for guests of this machine with this kernel."""
    usable = machine.native and os.access(DEVICE, os.R_OK | os.W_OK)
    if not usable or not kernel.exists():
        return EMULATION
    key = f"{_boot_id()} {kernel} {machine.cpu(release_of(kernel))}"
    cache = _cache_file()
    try:
        check_private_folder(cache.parent, _OUR_FOLDERS)
        cached_key, _, answer = read_regular(cache, _LIMIT).decode().strip().rpartition(" ")
        if cached_key == key and answer in (KVM, EMULATION):
            return answer
    except (OSError, UnicodeDecodeError):
        pass
    answer = KVM if _boots(machine, kernel) else EMULATION
    try:
        make_private_folder(cache.parent, _OUR_FOLDERS)
        cache.write_text(f"{key} {answer}\n")
    except OSError:
        pass  # Without a cache, the next run boots the kernel again.
    return answer


def _boots(machine: Machine, kernel: Path) -> bool:
    argv = (
        *(machine.qemu, "-nodefaults", "-no-reboot", "-display", "none"),
        *("-machine", machine.board, "-m", "256"),
        *("-accel", KVM, "-cpu", machine.cpu(release_of(kernel))),
        *("-serial", "stdio", "-kernel", str(kernel)),
        *("-append", f"console={machine.console} panic=-1"),
    )
    return _BOOTED in LocalHost().run(Command(argv=argv, tool="lab", timeout=DEADLINE)).output


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _cache_file() -> Path:
    try:
        return user_cache().with_name("accelerator")
    except MissingError:
        return Path(os.devnull)
