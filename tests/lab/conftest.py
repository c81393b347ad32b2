"""What the tests of the lab share: a kernel to boot, a module that crashes it, a running guest."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.lab import initramfs
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.stock import DEFAULT_STOCK, release_of
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from requirements import require, require_program

SOURCE = Path(__file__).parents[2] / "playbooks/scenarios/null-deref-module/src"


@pytest.fixture(scope="session")
def kernel() -> Path:
    """A kernel of this machine that the lab can boot."""
    for name in (DEFAULT_STOCK.machine.qemu, "busybox", "kmod", "dash"):
        require_program(name)
    found = DEFAULT_STOCK.kernel()
    require(found, "no kernel to boot: package linux-image-cloud-amd64")
    assert found
    return found


@pytest.fixture(scope="session")
def faulty(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The scenario's module, built for that kernel."""
    headers = Path("/lib/modules", release_of(kernel), "build")
    require(headers.exists(), "no kernel headers: package linux-headers-cloud-amd64")
    for name in ("make", "gcc"):
        require_program(name)
    folder = tmp_path_factory.mktemp("faulty")
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    make = ("make", "-C", str(headers), f"M={folder}", "modules")
    subprocess.run(make, check=True, capture_output=True, timeout=120)
    return (folder / "faulty.ko").read_bytes()


@pytest.fixture(scope="session")
def image(kernel: Path, faulty: bytes) -> bytes:
    """An initramfs that holds the module."""
    release = release_of(kernel)
    return initramfs.build(release, {initramfs.module_path(release, "faulty"): faulty})


@pytest.fixture
def fresh_guest(kernel: Path, image: bytes) -> Iterator[GuestHost]:
    """A guest that a test may spoil."""
    with GuestHost(VirtualMachine(Setup(kernel=kernel), image)) as guest:
        yield guest


@pytest.fixture(scope="module")
def guest(kernel: Path, image: bytes) -> Iterator[GuestHost]:
    """A guest for tests that do it no harm."""
    with GuestHost(VirtualMachine(Setup(kernel=kernel), image)) as guest:
        yield guest
