"""Real dumps: one that a guest's own crash kernel wrote, and what may have become of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import requirements
from pagefault_doctor.lab.guest import GuestHost
from pagefault_doctor.lab.vm import Setup, VirtualMachine
from pagefault_doctor.model.command import Command
from requirements import require, require_program

pytestmark = pytest.mark.lab

SOURCE = Path(__file__).parents[2] / "playbooks/scenarios/null-deref-module/src"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one lab run: serial log, module, and the dump of an in-guest kdump."""
    for row in requirements.check():
        require(row.path, f"{row.need.name} is missing: {row.remedy}")
    folder = tmp_path_factory.mktemp("kdump") / "kept"
    words = ("null-deref-module", "--dump", "kdump", "--keep", str(folder))
    assert main(["lab", "run", *words]) == 0
    return folder


def diagnosed(capsys: Capture, *words: str) -> tuple[dict[str, Any], str]:
    assert main(["diagnose", "--json", *words]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def is_right(document: dict[str, Any]) -> bool:
    verdict = document["verdict"]
    return (verdict["root_cause"], verdict["module"]) == ("null-deref", "faulty")


@pytest.fixture(scope="session")
def flat(kept: Path) -> Path:
    """The same dump, flattened."""
    file = kept / "flat"
    argv = (require_program("makedumpfile"), "-F", "-d", "31", "-l", str(kept / "vmcore"))
    with file.open("wb") as output:
        subprocess.run(argv, stdout=output, stderr=subprocess.DEVNULL, check=True, timeout=60)
    return file


def test_kdump_in_the_guest_leaves_a_filtered_dump_that_drgn_reads(
    kept: Path, capsys: Capture
) -> None:
    vmcore = kept / "vmcore"
    assert vmcore.open("rb").read(8) == b"KDUMP   "
    assert vmcore.stat().st_size < 60 << 20
    document, told = diagnosed(capsys, "--vmcore", str(vmcore), "--module-dir", str(kept))
    assert is_right(document)
    assert document["reports"][0]["source_line"] == {"file": "faulty.c", "line": 37}
    assert not told


def test_a_built_module_is_crashed_with_slub_debugging(
    kept: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ("--module", str(kept / "faulty.ko"), "--slub-debug", "--keep", str(tmp_path / "new"))
    assert main(["lab", "run", *words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert is_right(document)
    assert document["lab"]["reproduced"] == 1
    assert "slub_debug=FZPU" in (tmp_path / "new/serial.log").read_text()


def test_a_vmlinux_of_another_build_is_told_and_the_right_one_used(
    kept: Path, capsys: Capture
) -> None:
    wrong = str(kept / "faulty.ko")
    document, told = diagnosed(capsys, "--vmcore", str(kept / "vmcore"), "--vmlinux", wrong)
    assert is_right(document)
    assert len(told.splitlines()) == 1
    assert f"{wrong} is of build" in told
    assert "fits and is used" in told


def test_a_flattened_dump_is_read_by_crash(flat: Path, capsys: Capture) -> None:
    document, told = diagnosed(capsys, "--vmcore", str(flat))
    assert is_right(document)
    assert len(told.splitlines()) == 1
    assert f"makedumpfile -R NEW < {flat}" in told


def test_the_compressed_dump_of_qemu_itself_is_read_by_crash(
    kernel: Path, image: bytes, tmp_path: Path, capsys: Capture
) -> None:
    require_program("crash")
    file, folder = tmp_path / "qemu", SOURCE.parent
    machine = VirtualMachine(Setup(kernel=kernel, append="oops=panic"), image)
    with GuestHost(machine) as guest:
        guest.run(Command(argv=("modprobe", "faulty"), tool="test"))
        assert machine.wait_for_panic(10)
        machine.dump(file, form="kdump-zlib")
    document, told = diagnosed(capsys, "--vmcore", str(file), "--module-dir", str(folder))
    assert is_right(document)
    assert "The dump is flattened" in told
    assert "crash reads it as it is" in told


def test_a_dump_that_was_cut_is_told_with_what_to_do(
    flat: Path, tmp_path: Path, capsys: Capture
) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(flat.read_bytes()[:6_000_000])
    assert main(["diagnose", "--vmcore", str(cut)]) == 3
    trouble, *_, end = capsys.readouterr().err.splitlines()
    assert "The dump is cut off: 5 MiB are there" in trouble
    assert "crash cannot read this dump" in end
    assert "copy it again" in end
