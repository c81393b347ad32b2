"""The virtual machine as a process of ours: what it gives, and that nothing is left of it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from pagefault_doctor.lab import guest as guest_module
from pagefault_doctor.lab.guest import MOST_BOOTS, GuestHost
from pagefault_doctor.lab.machine import X86_64
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.errors import MissingError, PfDoctorError
from requirements import require_program

lab = pytest.mark.lab

VMCOREINFO_NOTE = b"VMCOREINFO\0"


def processes_of(folder: Path) -> list[str]:
    """Return the ids of the processes that were started with this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
        except OSError:
            continue
        if bytes(folder) in words:
            found.append(entry.name)
    return found


def nothing_is_left_of(folder: Path, patience: float = 10) -> bool:
    until = time.monotonic() + patience
    while processes_of(folder) or folder.exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_without_qemu_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingError, match="not installed"):
        VirtualMachine(Setup(kernel=Path("/boot/vmlinuz")), b"")


def test_a_kernel_without_modules_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/vmlinuz-0.0.0-nowhere").touch()
    assert Stock(X86_64, tmp_path).kernel() is None


def test_the_newest_kernel_with_modules_is_taken(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    for release in ("6.1.0-9-cloud", "6.1.0-10-cloud"):
        (tmp_path / "lib/modules" / release).mkdir(parents=True)
        (tmp_path / f"boot/vmlinuz-{release}").touch()
    newest = Stock(X86_64, tmp_path).kernel()
    assert newest
    assert newest.name == "vmlinuz-6.1.0-10-cloud"


@lab
def test_qemu_that_does_not_start_says_why() -> None:
    require_program("qemu-system-x86_64")
    with pytest.raises(PfDoctorError, match="nowhere"):
        VirtualMachine(Setup(kernel=Path("/nowhere/vmlinuz")), b"")


@lab
def test_an_error_is_injected_into_a_device_that_was_asked_for(kernel: Path) -> None:
    devices = ("pcie-root-port,id=root1", "e1000e,id=nic1,bus=root1,romfile=")
    with VirtualMachine(Setup(kernel=kernel, devices=devices), b"") as machine:
        machine.inject("pcie_aer_inject_error root1 MALF_TLP")
        with pytest.raises(PfDoctorError, match="root2"):
            machine.inject("pcie_aer_inject_error root2 MALF_TLP")


@lab
def test_closing_leaves_no_process_and_no_folder(kernel: Path, image: bytes) -> None:
    machine = VirtualMachine(Setup(kernel=kernel), image)
    assert processes_of(machine.folder)
    machine.close()
    machine.close()
    assert nothing_is_left_of(machine.folder, patience=0)


@lab
def test_being_killed_leaves_no_process_and_no_folder(kernel: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from pagefault_doctor.lab.vm import Setup, VirtualMachine\n"
        "machine = VirtualMachine(Setup(kernel=pathlib.Path(sys.argv[1])), b'')\n"
        "print(machine.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = (sys.executable, "-c", program, str(kernel))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        folder = Path(child.stdout.readline().strip())
        assert processes_of(folder)
        os.kill(child.pid, signal.SIGKILL)
    assert nothing_is_left_of(folder)


@lab
def test_a_guest_that_does_not_boot_gives_its_last_words(kernel: Path) -> None:
    machine = VirtualMachine(Setup(kernel=kernel), b"")
    with (
        machine,
        pytest.raises(PfDoctorError, match=r"did not boot\. The guest's kernel has panicked"),
    ):
        GuestHost(machine, boot_timeout=300)


class StopsAtFirst(VirtualMachine):
    """A machine whose first boots stand still."""

    starts = 0
    still = 2

    def start(self) -> None:
        self.starts += 1
        if self.starts > self.still:
            super().start()


@lab
def test_a_boot_that_stops_on_its_way_is_begun_again(
    kernel: Path, image: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = StopsAtFirst(Setup(kernel=kernel), image)
    skipped = itertools.count()

    def hasty() -> float:
        """Return a time that flies while the machine stands still."""
        if machine.starts <= machine.still:
            return time.monotonic() + 1000 * next(skipped)
        return time.monotonic() + 1e6

    monkeypatch.setattr(guest_module, "time", SimpleNamespace(monotonic=hasty))
    with GuestHost(machine, boot_timeout=300) as guest:
        assert machine.starts == 3
        assert run(guest, "echo here") == "here"


@lab
def test_a_boot_that_qemu_does_not_live_to_see_is_begun_again(kernel: Path, image: bytes) -> None:
    class DiesAtFirst(VirtualMachine):
        starts = 0

        def start(self) -> None:
            self.starts += 1
            super().start()
            if self.starts == 1:
                self.quit()

    machine = DiesAtFirst(Setup(kernel=kernel), image)
    with GuestHost(machine, boot_timeout=300) as guest:
        assert machine.starts == 2
        assert run(guest, "echo here") == "here"


@lab
def test_a_guest_that_never_boots_is_given_up(kernel: Path) -> None:
    class NeverStarts(VirtualMachine):
        starts = 0

        def start(self) -> None:
            self.starts += 1

    with NeverStarts(Setup(kernel=kernel), b"") as machine:
        with pytest.raises(PfDoctorError, match=r"did not boot\. It was not ready in 0 s"):
            GuestHost(machine, boot_timeout=0)
        assert machine.starts == MOST_BOOTS


@lab
def test_a_restarted_guest_has_nothing_of_the_one_before(kernel: Path, image: bytes) -> None:
    with VirtualMachine(Setup(kernel=kernel), image) as machine:
        before = GuestHost(machine)
        run(before, "touch /run/here")
        machine.restart()
        after = GuestHost(machine)
        assert run(after, "ls /run/here; echo looked") == "looked"
        assert machine.console().count("Linux version") == 1


@lab
def test_a_panicked_guest_gives_a_vmcore(kernel: Path, image: bytes, tmp_path: Path) -> None:
    machine = VirtualMachine(Setup(kernel=kernel, append="oops=panic"), image)
    with GuestHost(machine) as guest:
        guest.run(Command(argv=("modprobe", "faulty"), tool="test"))
        assert machine.wait_for_panic(10)
        machine.dump(tmp_path / "vmcore")
        assert "RIP: 0010:faulty_init+0x" in machine.console()
    start = (tmp_path / "vmcore").open("rb").read(1 << 16)
    assert start[:4] == b"\x7fELF"
    assert VMCOREINFO_NOTE in start


def run(guest: GuestHost, line: str) -> str:
    return guest.run(Command(argv=("sh", "-c", line), tool="lab")).output.strip()


@lab
def test_guests_go_on_from_a_saved_state_and_do_not_share_what_comes_after(
    kernel: Path, image: bytes, tmp_path: Path
) -> None:
    state = tmp_path / "the state's file"
    setup = Setup(kernel=kernel)
    with VirtualMachine(setup, image) as machine:
        run(GuestHost(machine), "echo before >/tmp/said")
        machine.save(state)
    resumed = msgspec.structs.replace(setup, state=state)
    with VirtualMachine(resumed, image) as first, VirtualMachine(resumed, image) as second:
        assert run(GuestHost(first), "echo after >>/tmp/said; cat /tmp/said") == "before\nafter"
        assert run(GuestHost(second), "cat /tmp/said") == "before"


@lab
def test_a_damaged_state_ends_the_guest_with_qemus_reason(
    kernel: Path, image: bytes, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"no state at all")
    with (
        pytest.raises(PfDoctorError, match=r"QEMU|guest"),
        VirtualMachine(Setup(kernel=kernel, state=state), image) as machine,
    ):
        run(GuestHost(machine), "true")
