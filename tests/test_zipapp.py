"""The one file to copy onto a machine: it unpacks itself, and runs there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from forbidden import forbidden_in
from hosts.script_files import PYTHON, SHELL
from pagefault_doctor import zipapp_main
from requirements import require
from tools.example_reports import BOOT, OOPS

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parent.parent


@pytest.fixture
def archive(tmp_path: Path) -> str:
    path = tmp_path / "pfdoctor.pyz"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("part/__init__.py", "")
    return str(path)


def test_it_unpacks_once_where_it_stays(archive: str, tmp_path: Path) -> None:
    folders = [(str(tmp_path / "cache"), True)]
    home, kept = zipapp_main.unpack(archive, folders)
    assert kept
    assert Path(home, "part/__init__.py").exists()
    assert Path(home).stat().st_mode & 0o077 == 0
    Path(home, "mark").touch()
    assert zipapp_main.unpack(archive, folders) == (home, True)
    assert Path(home, "mark").exists()


def test_the_folders_it_makes_are_private_whatever_the_umask(archive: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home, _ = zipapp_main.unpack(archive, [(str(tmp_path / "home/cache"), True)])
    finally:
        os.umask(before)
    made = (tmp_path / "home", tmp_path / "home/cache", Path(home))
    assert [folder.stat().st_mode & 0o777 for folder in made] == [0o700] * 3


def test_what_others_could_write_to_is_not_run(archive: str, tmp_path: Path) -> None:
    home, _ = zipapp_main.unpack(archive, [(str(tmp_path), True)])
    (Path(home) / "msgspec.py").write_text("theirs")
    Path(home).chmod(0o777)
    zipapp_main.unpack(archive, [(str(tmp_path), True)])
    assert not (Path(home) / "msgspec.py").exists()
    assert Path(home).stat().st_mode & 0o777 == 0o700


def test_what_was_unpacked_half_is_unpacked_again(archive: str, tmp_path: Path) -> None:
    folders = [(str(tmp_path / "cache"), True)]
    home, _ = zipapp_main.unpack(archive, folders)
    Path(home, ".complete").unlink()
    Path(home, "part/__init__.py").unlink()
    assert zipapp_main.unpack(archive, folders) == (home, True)
    assert Path(home, "part/__init__.py").exists()


def test_without_room_in_the_cache_it_unpacks_elsewhere_for_once(
    archive: str, tmp_path: Path
) -> None:
    (tmp_path / "full").touch()
    home, kept = zipapp_main.unpack(
        archive, [(str(tmp_path / "full"), True), (str(tmp_path), False)]
    )
    assert not kept
    assert Path(home, "part/__init__.py").exists()


def test_without_room_anywhere_the_reasons_are_told(archive: str, tmp_path: Path) -> None:
    (tmp_path / "full").touch()
    with pytest.raises(OSError, match=r"no room to unpack; .*full"):
        zipapp_main.unpack(archive, [(str(tmp_path / "full"), True)])


def started(archive: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> str:
    """Return what the start of an archive prints that cannot run."""
    monkeypatch.setattr(sys, "argv", [archive])
    assert zipapp_main.main() == 3
    told = capsys.readouterr().err
    assert told.startswith("pfdoctor: ")
    assert told.count("\n") == 1
    return told


def test_without_a_home_nothing_is_unpacked_into_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert all(os.path.isabs(folder) for folder, _ in zipapp_main._folders())
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert all(os.path.isabs(folder) for folder, _ in zipapp_main._folders())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert (str(tmp_path), True) in zipapp_main._folders()


def test_a_damaged_file_and_its_name_are_told_in_a_harmless_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(zipapp_main, "_folders", lambda: [(str(tmp_path / "cache"), True)])
    path = tmp_path / "p\x1b[2J\x9b\u202e\nx.pyz"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("part.py", "x = 1\n" * 99)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"x = 1", b"y = 2", 9))
    told = started(str(path), monkeypatch, capsys)
    assert "is damaged" in told
    assert "Copy it here again" in told
    assert not forbidden_in(told)
    assert list((tmp_path / "cache").iterdir()) == []
    path.write_bytes(b"no archive")
    assert "is damaged" in started(str(path), monkeypatch, capsys)
    path.unlink()
    assert "No such file" in started(str(path), monkeypatch, capsys)


def test_the_built_file_runs_with_python_alone(tmp_path: Path) -> None:
    bin_folder = Path(sys.executable).parent
    make = ("make", "-s", "-o", ".venv/.installed", "pyz", f"BIN={bin_folder}")
    built = subprocess.run(make, cwd=ROOT, timeout=300, capture_output=True, text=True)
    require(built.returncode == 0, f"the packages to build from: {built.stderr[-200:]}")
    with zipfile.ZipFile(ROOT / "dist/pfdoctor.pyz") as content:
        packed = {name.removeprefix("pagefault_doctor/") for name in content.namelist()}
    assert {*SHELL, *PYTHON} <= packed
    log = tmp_path / "kern.log"
    log.write_text(BOOT + OOPS)
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    python = os.path.realpath(sys.executable)
    for _ in ("unpacks", "starts again"):
        done = subprocess.run(
            (python, "-I", str(ROOT / "dist/pfdoctor.pyz"), "diagnose", str(log)),
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "wobble_init" in done.stdout
    (home,) = (tmp_path / ".cache").iterdir()
    for compiled in home.glob("msgspec/*.so"):
        compiled.unlink()
    done = subprocess.run(
        (python, "-I", str(ROOT / "dist/pfdoctor.pyz"), "--version"),
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "holds no msgspec for Python 3" in done.stderr
