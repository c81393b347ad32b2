"""Folders that only this user can write to, so that nobody else puts a file in them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


class NotPrivateError(OSError):
    """The folder is a link or no folder, belongs to another user, or others can write to it."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(errno.EPERM, f"{folder} {problem}", str(folder))


def make_folders(folder: Path) -> None:
    """Make the folder and each missing one above it with mode 0700, whatever the umask is.

    One that is there stays as it is. Raises OSError.
    """
    # mkdir(parents=True) would give those above the default mode.
    for each in (*reversed(folder.parents), folder):
        if each.is_dir():
            continue
        try:
            os.mkdir(each, 0o700)
        except FileExistsError:
            if not each.is_dir():
                raise
        else:
            os.chmod(each, 0o700)  # The umask may have taken rights away from us too.


def make_private_folder(folder: Path, ours: int) -> None:
    """Make the folder, and check the last `ours` parts of its path as `check_private_folder` does.

    Raises OSError.
    """
    check_private_folder(folder, ours)
    make_folders(folder)
    check_private_folder(folder, ours)


def check_private_folder(folder: Path, ours: int) -> None:
    """Check those of the last `ours` parts of the path that exist.

    Each is to be a folder and no link, to belong to this user, and to be writable by no other; a
    mode that is too loose is changed to 0700. What is above them may be a link, as a home may be.
    Raises NotPrivateError, or OSError where a folder cannot be looked at.
    """
    for each in reversed((folder, *folder.parents)[:ours]):
        try:
            state = os.lstat(each)
        except FileNotFoundError:
            return
        _check(each, state)


def _check(folder: Path, state: os.stat_result) -> None:
    if stat.S_ISLNK(state.st_mode):
        raise NotPrivateError(folder, "is a link")
    if not stat.S_ISDIR(state.st_mode):
        raise NotPrivateError(folder, "is not a folder")
    if state.st_uid != os.geteuid():
        raise NotPrivateError(folder, "belongs to another user")
    if state.st_mode & _WRITABLE_BY_OTHERS:
        try:
            _tighten(folder)
        except OSError as error:
            problem = f"can be written to by others, and its mode stays: {error.strerror}"
            raise NotPrivateError(folder, problem) from error


def _tighten(folder: Path) -> None:
    # By descriptor: the path could lead elsewhere by now.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)
