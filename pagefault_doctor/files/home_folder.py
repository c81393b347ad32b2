"""The person's home folder, which a service, a container or a damaged passwd may not have."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path


class NoHomeError(OSError):
    """HOME is not set, and passwd has no entry for the user."""

    def __init__(self) -> None:
        super().__init__(errno.ENOENT, "no home folder is known: set HOME")


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the home folder: that of HOME, else of passwd; raises NoHomeError without either.

    A relative HOME, which would mean another folder after each cd, counts as none, and so does one
    of another person, which `sudo -E` and su leave: a folder that root makes there locks them out.
    """
    home = environ.get("HOME") or ""
    if home.startswith("/") and not _is_of_another_person(home):
        return Path(home)
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise NoHomeError from None


def _is_of_another_person(folder: str) -> bool:
    try:
        # A container may give any user the home /, which is root's.
        return os.stat(folder).st_uid not in (os.geteuid(), 0)
    except OSError:
        return False


def user_folder(variable: str, below_home: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that a variable of the XDG Base Directory Specification names.

    Where it names none, it is this one below the home folder; raises NoHomeError.
    """
    named = environ.get(variable) or ""
    # The specification says to ignore a relative path.
    return Path(named) if named.startswith("/") else home_folder(environ) / below_home


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return pfdoctor's folder below XDG_STATE_HOME, else ~/.local/state; raises NoHomeError."""
    return user_folder("XDG_STATE_HOME", ".local/state", environ) / "pfdoctor"
