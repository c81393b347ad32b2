"""Boxes that really are ill: made so in a mount namespace that ends with the test."""

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


def ill(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script where its mounts are its own."""
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
    ("illness", "told"),
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
def test_preflight_tells_what_is_ill_and_the_remedy(illness: str, told: str) -> None:
    done = ill(f"{illness}; exec {PFDOCTOR} preflight")
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert " 0 of " not in done.stdout


def test_preflight_of_an_ordinary_user_says_what_is_out_of_reach() -> None:
    illness = "printf '#!/bin/sh\\necho 65534\\n' >/mnt/id; chmod 755 /mnt/id"
    done = ill(f"mount -t tmpfs x /mnt; {illness}; PATH=/mnt:$PATH exec {PFDOCTOR} preflight")
    assert "user id 65534" in done.stdout
    assert "Not root" in done.stdout


def test_where_the_box_does_not_answer_no_tool_is_said_to_work() -> None:
    done = ill(f"mount --bind /dev/null $(readlink -f /bin/sh); exec {PFDOCTOR} preflight")
    assert "0 of" in done.stdout
    assert "the box did not tell which programs it has" in done.stdout


@pytest.mark.parametrize(
    ("illness", "reason"),
    [
        ("mount -t tmpfs -o size=4k x /mnt; head -c 9999 /dev/zero >/mnt/fill || :",
         "No space left on device"),
        ("mount -t tmpfs x /mnt; mount -o remount,ro /mnt", "Read-only file system"),
        ("mount -t tmpfs x /mnt; echo x >/mnt/pfdoctor", "Not a directory"),
    ],
    ids=["full", "read-only", "in the way"],
)  # fmt: skip
def test_a_box_that_can_keep_nothing_still_gets_its_diagnosis(
    illness: str, reason: str, log: Path
) -> None:
    done = ill(f"{illness}; exec {PFDOCTOR} run --quiet --log {log}", XDG_STATE_HOME="/mnt")
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
    done = ill(f"mount -t tmpfs x /proc; exec {sys.executable} -c '{script}'")
    assert done.stdout.splitlines() == ["ok said ", "timeout  "], done.stderr
    assert not running(sleep)
