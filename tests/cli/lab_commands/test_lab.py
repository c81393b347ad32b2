"""`pfdoctor lab`: from nothing to the verdict, in a machine that really crashes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import packages, requirements
from pagefault_doctor.model.command import Command, Result, ResultStatus
from processes import command_lines, default_signals
from requirements import require, require_program
from terminal import eventually

Capture = pytest.CaptureFixture[str]

SCENARIO = Path(__file__).parents[3] / "playbooks/scenarios/null-deref-module"


@pytest.fixture
def lab() -> None:
    """Need all that a run from source needs."""
    for row in requirements.check():
        used = row.need.use is not requirements.Use.DUMP
        require(row.path or not used, f"{row.need.name} is missing: {row.remedy}")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder in whose subfolders a socket's path has at most 107 bytes (unix(7))."""
    with tempfile.TemporaryDirectory(prefix="pfd", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def fixed(tmp_path: Path) -> Path:
    """A copy of the scenario's source with `fix.patch` applied."""
    require_program("patch")
    folder = tmp_path / "fixed"
    shutil.copytree(SCENARIO / "src", folder)
    patch = ("patch", "-sp1", "-i", str(SCENARIO / "fix.patch"))
    subprocess.run(patch, cwd=folder, check=True, timeout=30)
    return folder


def test_doctor_lists_each_need_with_its_package_or_path(capsys: Capture) -> None:
    code = main(["lab", "doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert code == (0 if document["works"] else 3)
    rows = {row["name"]: row for row in document["needs"]}
    assert {"qemu-system-x86_64", "busybox", "dash", "kmod", "kernel", "headers"} <= set(rows)
    assert all(row["package"] and row["megabytes"] > 0 for row in rows.values())
    assert all(row["found"] or row["remedy"] for row in rows.values())


def test_doctor_on_a_bare_machine_tells_the_remedies(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(requirements, "environment", lambda: {"PATH": "/nonexistent"})
    monkeypatch.setattr(packages, "LocalHost", NoApt)
    assert main(["lab", "doctor"]) == 3
    told = capsys.readouterr().out
    assert "x qemu-system-x86_64" in told
    assert "apt install qemu-system-x86 (about 80 MB)" in told


class NoApt:
    """A machine without apt."""

    def run(self, command: Command) -> Result:
        return Result(command=command, status=ResultStatus.MISSING)


def test_doctor_asks_the_package_manager_for_versions_and_sizes(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    require(packages.query({"gdb"}), "apt-cache knows no package gdb: apt-get update")
    monkeypatch.setattr(requirements, "environment", lambda: {"PATH": "/nonexistent"})
    assert main(["lab", "doctor"]) == 3
    told = capsys.readouterr().out
    gdb = packages.query({"gdb"})["gdb"]
    assert f"apt install gdb ({gdb.version}; " in told
    assert "MB to fetch" in told


def test_a_run_on_a_bare_machine_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(requirements, "environment", lambda: {"PATH": "/nonexistent"})
    assert main(["lab", "run", "null-deref-module"]) == 3
    told = capsys.readouterr().err
    assert "the lab lacks qemu-system-x86_64" in told
    assert "apt install qemu-system-x86" in told


def test_the_scenarios_that_can_be_run_are_listed(capsys: Capture) -> None:
    assert main(["lab", "list"]) == 0
    assert "null-deref-module" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "one of SCENARIO"),
        (["null-deref-module", "--source", "/tmp"], 2, "one of SCENARIO"),
        (["--module", "/nowhere.ko", "--in-tree", "loop"], 2, "and --in-tree NAME is needed"),
        (["null-deref"], 2, "did you mean `null-deref-module`"),
        (["--source", "/nowhere"], 3, "there is no folder"),
        (["--module", "/nowhere.ko"], 3, "there is no file"),
        (["null-deref-module", "--repeat", "0"], 2, "--repeat is 1"),
        (["null-deref-module", "--timeout", "0"], 2, "--timeout"),
        (["null-deref-module", "--timeout", "nan"], 2, "--timeout"),
        (["null-deref-module", "--trigger", "'"], 2, "check its quotes"),
        (["null-deref-module", "--trigger", ""], 2, "--trigger is empty"),
        (["null-deref-module", "--keep", str(SCENARIO)], 2, "is not empty"),
    ],
)
def test_wrong_arguments_are_told_before_anything_runs(
    words: list[str], code: int, told: str, capsys: Capture
) -> None:
    assert main(["lab", "run", *words]) == code
    assert told in capsys.readouterr().err


@pytest.mark.lab
@pytest.mark.usefixtures("lab")
def test_the_scenario_is_reproduced_and_its_line_named(tmp_path: Path, capsys: Capture) -> None:
    keep = tmp_path / "kept"
    words = ("null-deref-module", "--repeat", "2", "--keep", str(keep), "--json", "--gdb")
    assert main(["lab", "run", *words, "--exit-code"]) == 10
    out, progress = capsys.readouterr()
    document = json.loads(out)
    assert document["schema"] == "pfdoctor.diagnosis/1"
    verdict = document["verdict"]
    assert (verdict["root_cause"], verdict["module"]) == ("null-deref", "faulty")
    assert document["reports"][0]["source_line"] == {"file": "faulty.c", "line": 37}
    ran = document["lab"]
    assert (ran["runs"], ran["reproduced"], ran["panicked"]) == (2, 2, 2)
    assert {"build", "boot", "insert", "dump", "gdb", "total"} <= set(ran["seconds"])
    stop = ran["gdb"]
    assert (stop["line"], stop["source"]) == (37, "state->status = FAULTY_READY;")
    assert (stop["holders"], stop["value"], stop["reachable"]) == (["state"], 0, False)
    assert all(f"pfdoctor: {part} " in progress for part in ("build", "boot", "insert", "dump"))
    assert sorted(path.name for path in keep.iterdir()) == ["faulty.ko", "serial.log", "vmcore"]
    assert (keep / "vmcore").open("rb").read(4) == b"\x7fELF"
    assert "faulty_init+0x35" in (keep / "serial.log").read_text()


@pytest.mark.lab
@pytest.mark.usefixtures("lab")
def test_the_text_is_that_of_diagnose_and_how_often_it_came(capsys: Capture) -> None:
    assert main(["lab", "run", "null-deref-module"]) == 0
    told = capsys.readouterr().out
    assert "  source  faulty.c:37\n" in told
    assert "\nreproduced 1 of 1: faulty, 1 panicked; " in told


@pytest.mark.lab
@pytest.mark.usefixtures("lab")
def test_the_fixed_module_does_not_reproduce_it(fixed: Path, capsys: Capture) -> None:
    words = ("--source", str(fixed), "--trigger", "rmmod faulty", "--trigger", "nosuch", "--json")
    assert main(["lab", "run", *words, "--exit-code"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"]["root_cause"] == "none"
    assert document["reports"] == []
    assert document["lab"]["reproduced"] == 0
    assert document["lab"]["notes"] == ["nosuch: missing"]


@pytest.mark.lab
@pytest.mark.usefixtures("lab")
def test_a_kernel_argument_reaches_the_module(capsys: Capture) -> None:
    words = ("null-deref-module", "--kernel-arg", "faulty.channels=2")
    assert main(["lab", "run", *words, "--exit-code"]) == 0
    assert "\nnot reproduced: faulty in 1 new guest" in capsys.readouterr().out


@pytest.mark.lab
@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("number", "part", "code"),
    [(signal.SIGINT, "boot", 130), (signal.SIGKILL, "pack", -9), (signal.SIGKILL, "boot", -9)],
)
def test_ending_it_leaves_nothing(number: int, part: str, code: int, short_folder: Path) -> None:
    command = (sys.executable, "-m", "pagefault_doctor", "lab", "run", "null-deref-module")
    env = os.environ | {"TMPDIR": str(short_folder)}
    with subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=default_signals,
    ) as child:
        assert child.stderr
        assert any(f"pfdoctor: {part} " in line for line in child.stderr)
        os.kill(child.pid, number)
        child.stderr.read()
    assert child.returncode == code
    assert eventually(lambda: not _left_of(short_folder), 20), _left_of(short_folder)


def _left_of(folder: Path) -> list[str]:
    """Return files and processes that belong to a run with this folder for temporary ones."""
    running = [line for line in command_lines().values() if f"{folder}/" in line]
    return running + [str(path) for path in folder.iterdir()]


@pytest.mark.lab
@pytest.mark.usefixtures("lab")
def test_a_module_of_the_kernels_own_package_is_loaded_with_what_it_depends_on(
    capsys: Capture,
) -> None:
    """Its trigger needs a shell; that of the second one fails where the kernel is tainted."""
    triggers = (
        *("--trigger", "ls -d /sys/module/btrfs /sys/module/raid6_pq && ip link set lo up"),
        *("--trigger", "grep -qx 0 /proc/sys/kernel/tainted || exit 3"),
    )
    assert main(["lab", "run", "--in-tree", "btrfs", *triggers, "--json"]) == 0
    ran = json.loads(capsys.readouterr().out)["lab"]
    assert (ran["modules"], ran["reproduced"], ran["notes"]) == (["btrfs"], 0, [])


@pytest.mark.lab
@pytest.mark.usefixtures("lab")
def test_a_kernel_without_the_module_is_told_from_one_without_a_fault(
    capsys: Capture,
) -> None:
    assert main(["lab", "run", "--in-tree", "no_such_module"]) == 3
    assert "no_such_module is no module of " in capsys.readouterr().err
