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

    A relative HOME, which would mean another folder after each cd, counts as none.
    """
    home = environ.get("HOME") or ""
    if home.startswith("/"):
        return Path(home)
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise NoHomeError from None


def user_folder(variable: str, below_home: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that a variable of the XDG Base Directory Specification names.

    Where it names none, it is this one below the home folder; raises NoHomeError.
    """
    named = environ.get(variable) or ""
    # The specification says to ignore a relative path.
    return Path(named) if named.startswith("/") else home_folder(environ) / below_home
