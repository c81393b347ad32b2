"""Machines that really are broken: made so in a mount namespace that ends with the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from processes import running
from requirements import require, require_program
from tools.example_reports import BOOT, OOPS

PFDOCTOR = f"{sys.executable} -m pagefault_doctor"
ROOT = Path(__file__).parents[1]
TMP_FULL = "mount --bind /tmp /mnt; mount -t tmpfs -o size=8m x /tmp"
if ROOT.is_relative_to("/tmp"):
    TMP_FULL += f"; mkdir -p {ROOT}; mount --bind /mnt/{ROOT.relative_to('/tmp')} {ROOT}"


@pytest.fixture(autouse=True)
def _may_mount() -> None:
    require(os.geteuid() == 0, "root, to mount in a namespace of its own")
    tried = subprocess.run(
        [require_program("unshare"), "-m", "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True
    )
    require(tried.returncode == 0, "a machine that lets root mount in a namespace")


def in_namespace(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a mount namespace of its own."""
    argv = ["unshare", "-m", "--propagation", "private", "sh", "-ec", script]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=120, env=os.environ | environ, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "kern.log"
    log.write_text(BOOT + OOPS)
    return log


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("mount --bind /var /var; mount -o remount,ro,bind /var",
         "Mounted read-only: /var. Nothing can be built or saved there"),
        (TMP_FULL, "Less than 16 MB free: /tmp"),
        ("mount -t tmpfs x /run; mkdir /run/systemd; echo lxc >/run/systemd/container",
         "This is a container (lxc)"),
        ("mount -t tmpfs x /sys/kernel; mkdir /sys/kernel/security; "
         "echo 'none [confidentiality]' >/sys/kernel/security/lockdown",
         "Kernel lockdown is confidentiality"),
        ("mount -t tmpfs x /sys/firmware; mkdir -p /sys/firmware/efi/efivars; "
         "printf '\\006\\000\\000\\000\\001' "
         ">/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
         "Secure Boot is on: only signed modules load"),
        ("mount -t tmpfs x /proc/sys", "tools will work"),
        ("mount -t tmpfs x /proc", "tools will work"),
    ],
    ids=["var read-only", "tmp full", "container", "lockdown", "Secure Boot", "no /proc/sys",
         "no /proc"],
)  # fmt: skip
def test_preflight_names_each_fault_and_its_remedy(fault: str, told: str) -> None:
    done = in_namespace(f"{fault}; exec {PFDOCTOR} preflight")
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert " 0 of " not in done.stdout


def test_preflight_of_an_ordinary_user_names_what_needs_root() -> None:
    fault = "printf '#!/bin/sh\\necho 65534\\n' >/mnt/id; chmod 755 /mnt/id"
    done = in_namespace(
        f"mount -t tmpfs x /mnt; {fault}; PATH=/mnt:$PATH exec {PFDOCTOR} preflight"
    )
    assert "user id 65534" in done.stdout
    assert "Not root" in done.stdout


def test_where_no_shell_answers_no_tool_is_reported_as_working() -> None:
    done = in_namespace(f"mount --bind /dev/null $(readlink -f /bin/sh); exec {PFDOCTOR} preflight")
    assert "0 of" in done.stdout
    assert "the box did not tell which programs it has" in done.stdout


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("mount -t tmpfs -o size=4k x /mnt; head -c 9999 /dev/zero >/mnt/fill || :",
         "No space left on device"),
        ("mount -t tmpfs x /mnt; mount -o remount,ro /mnt", "Read-only file system"),
        ("mount -t tmpfs x /mnt; echo x >/mnt/pfdoctor", "/mnt/pfdoctor is not a folder"),
    ],
    ids=["full", "read-only", "in the way"],
)  # fmt: skip
def test_a_machine_that_can_save_nothing_still_gets_its_diagnosis(
    fault: str, reason: str, log: Path
) -> None:
    done = in_namespace(f"{fault}; exec {PFDOCTOR} run --quiet --log {log}", XDG_STATE_HOME="/mnt")
    assert done.returncode == 0, done.stderr
    assert "wobble" in done.stdout
    assert reason in done.stderr
    assert "will not be kept" in done.stderr
    assert "The whole report" not in done.stdout
    assert "Traceback" not in done.stderr


def test_without_proc_commands_run_and_end() -> None:
    script = """
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Command
for argv, limit in ((("echo", "said"), 9), (("sh", "-c", "SLEEP & SLEEP"), 0.5)):
    result = LocalHost().run(Command(argv=argv, tool="x", timeout=limit))
    print(result.status.value, result.output.strip(), result.errors)
"""
    sleep = f"sleep 63.{os.getpid()}"
    script = script.replace("SLEEP", sleep)
    done = in_namespace(f"mount -t tmpfs x /proc; exec {sys.executable} -c '{script}'")
    assert done.stdout.splitlines() == ["ok said ", "timeout  "], done.stderr
    assert not running(sleep)
