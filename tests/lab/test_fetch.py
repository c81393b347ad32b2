"""What guests of another architecture are made of is fetched with consent alone, and only once."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pagefault_doctor.cli.lab_commands import fetch
from pagefault_doctor.cli.main import main
from requirements import require

Capture = pytest.CaptureFixture[str]

require_apt = pytest.mark.usefixtures("_apt")


@pytest.fixture
def _apt() -> None:
    for name in ("apt-get", "dpkg-deb", "depmod"):
        path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
        require(path, f"{name} is not here: packages apt, dpkg, kmod")


@require_apt
def test_it_says_what_and_how_large_and_does_nothing_without_consent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    root = tmp_path / "arm64"
    for typed in ("n\n", ""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert main(["lab", "fetch", "arm64", "--root", str(root)]) == 0
        out, err = capsys.readouterr()
        assert f"{fetch.DOWNLOAD_MB} MB to download" in out
        assert str(root) in out
        assert "nothing was fetched" in err
    assert list(tmp_path.iterdir()) == []


@require_apt
def test_what_is_there_already_is_left_as_it_is(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "complete").write_text("6.1.0-1-cloud-arm64\n")
    assert main(["lab", "fetch", "arm64", "--root", str(tmp_path)]) == 0
    assert "6.1.0-1-cloud-arm64 is already in" in capsys.readouterr().out


@require_apt
def test_a_folder_with_something_else_is_refused(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "letters").touch()
    assert main(["lab", "fetch", "arm64", "--yes", "--root", str(tmp_path)]) == 2
    assert "something else" in capsys.readouterr().err
    assert (tmp_path / "letters").exists()


@require_apt
def test_sources_without_such_a_kernel_are_told_and_nothing_is_left(
    tmp_path: Path, capsys: Capture
) -> None:
    packages = tmp_path / "repository"
    packages.mkdir()
    (packages / "Packages").touch()
    sources = tmp_path / "empty.list"
    sources.write_text(f"deb [trusted=yes] file:{packages} ./\n")
    root = tmp_path / "kept" / "arm64"
    words = ("--yes", "--root", str(root), "--sources", str(sources))
    assert main(["lab", "fetch", "arm64", *words]) == 1
    assert "there is no linux-image-cloud-arm64" in capsys.readouterr().err
    assert list(root.parent.iterdir()) == []


def test_this_machines_own_architecture_is_not_fetched(capsys: Capture) -> None:
    own = subprocess.run(("uname", "-m"), capture_output=True, text=True, check=True).stdout.strip()
    assert main(["lab", "fetch", own]) == 2
    assert "this machine's own" in capsys.readouterr().err
