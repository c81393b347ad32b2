"""What a test needs from the machine: without it the test skips, or fails if it is required."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pagefault_doctor.lab.stock import DEFAULT_STOCK, release_of

STRICT = os.environ.get("PFDOCTOR_REQUIRE_LAB") == "1"
"""Whether a missing tool fails a test instead of skipping it."""

PACKAGES = {
    "bsdtar": "libarchive-tools",
    "addr2line": "binutils",
    "aarch64-linux-gnu-addr2line": "binutils-aarch64-linux-gnu",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "aarch64-linux-gnu-objdump": "binutils-aarch64-linux-gnu",
    "aarch64-linux-gnu-strip": "binutils-aarch64-linux-gnu",
    "strip": "binutils",
    "crash": "crash",
    "createrepo_c": "createrepo-c",
    "debuginfod-find": "debuginfod",
    "dnf": "dnf dnf-plugins-core",
    "dash": "dash",
    "drgn": "drgn (pip)",
    "gdb": "gdb",
    "gdb-multiarch": "gdb-multiarch",
    "journalctl": "systemd",
    "make": "make",
    "gcc": "gcc",
    "memtester": "memtester",
    "perf": "linux-perf",
    "rpmbuild": "rpm",
    "rpmkeys": "rpm",
    "objcopy": "binutils",
    "objdump": "binutils",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-system-x86_64": "qemu-system-x86",
    "sparse": "sparse",
    "screen": "screen",
    "spatch": "coccinelle",
    "sshd": "openssh-server",
    "strace": "strace",
    "stress-ng": "stress-ng",
    "tmux": "tmux",
    "valgrind": "valgrind",
    "zstd": "zstd",
}
"""Debian packages that bring the programs which tests use."""


def require(condition: object, reason: str) -> None:
    """Skip the test, or fail it where the lab is required, unless the condition holds."""
    if condition:
        return
    if STRICT:
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


def require_program(name: str) -> str:
    """Return the path of a program, or skip the test naming the package that brings it."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    require(path, f"{name} is not installed: package {PACKAGES.get(name, name)}")
    return path or ""


def require_kernel(file: str, package: str) -> str:
    """Return the release of the newest kernel installed here, which packages change at any time.

    Skips where there is none, or not this file of it: "{}" stands for the release in the file's
    path and in the name of the package that brings it.
    """
    kernel = DEFAULT_STOCK.kernel()
    require(kernel, f"no kernel to boot: package {DEFAULT_STOCK.machine.kernel_package}")
    release = release_of(kernel) if kernel else ""
    require(Path(file.format(release)).exists(), f"package {package.format(release)}")
    return release
