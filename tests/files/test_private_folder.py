"""Folders that nobody else can write to, whatever the umask is and whatever is there already."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pagefault_doctor.files.private_folder import (
    NotPrivateError,
    check_private_folder,
    make_folders,
    make_private_folder,
)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o277, 0o777])
def test_each_missing_folder_is_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        make_private_folder(tmp_path / "local/state/pfdoctor/sessions", 2)
    made = ("local", "local/state", "local/state/pfdoctor", "local/state/pfdoctor/sessions")
    assert [mode(tmp_path / each) for each in made] == [0o700] * 4


def test_what_is_above_ours_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles").chmod(0o777)
    (tmp_path / "state").symlink_to("dotfiles")
    make_private_folder(tmp_path / "state/pfdoctor/sessions", 2)
    assert mode(tmp_path / "dotfiles") == 0o777
    assert mode(tmp_path / "dotfiles/pfdoctor/sessions") == 0o700


@pytest.mark.parametrize("loose", [0o777, 0o775, 0o702, 0o720])
def test_a_loose_mode_of_ours_is_tightened(tmp_path: Path, loose: int) -> None:
    folder = tmp_path / "pfdoctor/sessions"
    make_private_folder(folder, 2)
    folder.parent.chmod(loose)
    folder.chmod(loose)
    check_private_folder(folder, 2)
    assert (mode(folder.parent), mode(folder)) == (0o700, 0o700)


def test_a_mode_that_only_lets_others_read_is_left(tmp_path: Path) -> None:
    (tmp_path / "pfdoctor").mkdir()
    (tmp_path / "pfdoctor").chmod(0o755)
    check_private_folder(tmp_path / "pfdoctor", 1)
    assert mode(tmp_path / "pfdoctor") == 0o755


@pytest.mark.parametrize("part", ["pfdoctor", "pfdoctor/sessions"])
def test_a_link_in_place_of_ours_is_refused(tmp_path: Path, part: str) -> None:
    (tmp_path / "elsewhere/sessions").mkdir(parents=True)
    (tmp_path / part).parent.mkdir(exist_ok=True)
    (tmp_path / part).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotPrivateError, match=f"{part} is a link"):
        make_private_folder(tmp_path / "pfdoctor/sessions", 2)


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_private_folder(tmp_path / "pfdoctor/sessions", 2)
    (tmp_path / "pfdoctor").chmod(0o777)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(NotPrivateError, match="pfdoctor belongs to another user"):
        check_private_folder(tmp_path / "pfdoctor/sessions", 2)
    assert mode(tmp_path / "pfdoctor") == 0o777, "what is another's is left alone"


def test_a_mode_that_cannot_be_tightened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, mode: int) -> None:
        raise OSError(30, "Read-only file system")

    make_private_folder(tmp_path / "pfdoctor", 1)
    (tmp_path / "pfdoctor").chmod(0o777)
    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(NotPrivateError, match="its mode stays: Read-only"):
        check_private_folder(tmp_path / "pfdoctor", 1)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "pfdoctor").write_text("in the way")
    with pytest.raises(NotPrivateError, match="is not a folder"):
        make_private_folder(tmp_path / "pfdoctor/sessions", 2)
    with pytest.raises(OSError, match="pfdoctor"):
        make_folders(tmp_path / "pfdoctor/sessions")


def test_what_is_missing_passes_the_check(tmp_path: Path) -> None:
    check_private_folder(tmp_path / "state/pfdoctor/sessions", 2)
    assert not (tmp_path / "state").exists()
