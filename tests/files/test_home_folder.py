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


@pytest.mark.usefixtures("_no_entry")
@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}, {"HOME": "~"}])
def test_no_path_is_guessed_for_a_user_without_a_home(environ: dict[str, str]) -> None:
    with pytest.raises(NoHomeError):
        home_folder(environ)
    with pytest.raises(NoHomeError):
        user_folder("XDG_CACHE_HOME", ".cache", environ | {"XDG_CACHE_HOME": "relative"})
    assert user_folder("XDG_CACHE_HOME", ".cache", {"XDG_CACHE_HOME": "/c"}) == Path("/c")
