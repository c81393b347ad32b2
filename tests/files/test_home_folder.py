"""The home folder, and what stands in for it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from pagefault_doctor.files.home_folder import NoHomeError, home_folder, user_folder


@pytest.fixture
def _no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_home_is_that_of_the_environment_else_that_of_passwd() -> None:
    assert home_folder({"HOME": "/h"}) == Path("/h")
    entry = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert home_folder({}) == home_folder({"HOME": ""}) == home_folder({"HOME": "x"}) == entry


def test_the_home_of_another_person_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert home_folder({"HOME": str(tmp_path)}) == tmp_path
    assert home_folder({"HOME": str(tmp_path / "missing")}) == tmp_path / "missing"
    # As root behind `sudo -E`, in the home of whoever typed it.
    real = os.stat

    def of_another(path: str | Path) -> os.stat_result:
        return os.stat_result((*real(path)[:4], os.geteuid() + 1, *real(path)[5:10]))

    monkeypatch.setattr(os, "stat", of_another)
    assert home_folder({"HOME": str(tmp_path)}) == own
    assert user_folder("XDG_CACHE_HOME", ".cache", {"HOME": str(tmp_path)}) == own / ".cache"


def test_a_home_of_root_is_used_by_any_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.stat("/").st_uid + 1)
    assert home_folder({"HOME": "/"}) == Path("/")


@pytest.mark.usefixtures("_no_entry")
@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}, {"HOME": "~"}])
def test_no_path_is_guessed_for_a_user_without_a_home(environ: dict[str, str]) -> None:
    with pytest.raises(NoHomeError):
        home_folder(environ)
    with pytest.raises(NoHomeError):
        user_folder("XDG_CACHE_HOME", ".cache", environ | {"XDG_CACHE_HOME": "relative"})
    assert user_folder("XDG_CACHE_HOME", ".cache", {"XDG_CACHE_HOME": "/c"}) == Path("/c")
