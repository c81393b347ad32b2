"""The start of `pfdoctor.pyz`, the one file that `make pyz` builds to be copied onto a box.

Compiled parts cannot be loaded out of an archive, so the file unpacks itself into the first folder
that has room and is the person's own: the cache, memory (/dev/shm), the folder for temporary files.
In the cache it stays unpacked and the next start is quick; elsewhere it is removed at the end.
This module is read by old versions of Python too, to tell them that they are too old.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import sysconfig
import tempfile
import zipfile
import zlib

NEEDS = (3, 11)
_DONE = ".complete"

PARTS = (
    ("msgspec", ""),
    ("capstone", "instructions are not decoded"),
    ("psutil", "the vitals line stays empty"),
)
"""Compiled parts, and what goes without each of them; nothing goes without the first."""


def main() -> int:
    """Unpack, then be `pfdoctor`; returns its exit code, 3 where this machine cannot run it."""
    if sys.version_info < NEEDS:
        return _refuse(f"it needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    archive = sys.argv[0]
    try:
        # Without a working folder, this fails as well.
        archive = os.path.abspath(archive)
        home, kept = unpack(archive, _folders())
    except (zipfile.BadZipFile, zlib.error) as error:
        return _refuse(f"{archive} is damaged ({error}). Copy it here again")
    except OSError as error:
        return _refuse(f"{error}. Name a folder with room: TMPDIR=/folder {archive}")
    sys.path[0] = home
    try:
        return _run(archive)
    finally:
        if not kept:
            shutil.rmtree(home, ignore_errors=True)


def unpack(archive: str, folders: list[tuple[str, bool]]) -> tuple[str, bool]:
    """Return the folder with the archive's content, and whether it stays.

    `folders` are pairs of a path and whether what is put there stays. Raises OSError where none
    of them will do, with the reasons.
    """
    state = os.stat(archive)
    name = f"pfdoctor-{state.st_size:x}-{state.st_mtime_ns:x}"
    reasons = []
    for folder, kept in folders:
        home = os.path.join(folder, name)
        if kept and _is_ours(home) and os.path.exists(os.path.join(home, _DONE)):
            return home, True
        try:
            return _unpacked(archive, folder, home if kept else ""), kept
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror or error}")
    raise OSError("there is no room to unpack; " + "; ".join(reasons))


def _unpacked(archive: str, folder: str, home: str) -> str:
    # makedirs gives the folders above only what the umask leaves.
    umask = os.umask(0o077)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    finally:
        os.umask(umask)
    new = tempfile.mkdtemp(prefix="pfdoctor-", dir=folder)
    try:
        with zipfile.ZipFile(archive) as content:
            content.extractall(new)
        with open(os.path.join(new, _DONE), "w"):
            pass
        if not home:
            return new
        shutil.rmtree(home, ignore_errors=True)
        os.rename(new, home)
        return home
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _folders() -> list[tuple[str, bool]]:
    """Return the folders to try; raises OSError where there is none for temporary files."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    # Without a home folder, "~" stays as it is, and would become a folder of that name here.
    caches = [(cache, True)] if os.path.isabs(cache) else []
    return [*caches, ("/dev/shm", False), (tempfile.gettempdir(), False)]


def _is_ours(folder: str) -> bool:
    try:
        state = os.lstat(folder)
        private = state.st_uid == os.getuid() and not state.st_mode & 0o022
        return private and not os.path.islink(folder)
    except OSError:
        return False


def _run(archive: str) -> int:
    for part, without in PARTS:
        try:
            __import__(part)
        except ImportError:
            where = f"Python {sys.version.split()[0]} on {sysconfig.get_platform()}"
            if not without:
                return _refuse(f"this file holds no {part} for {where}. Build it there: make pyz")
            _say(f"no {part} for {where} in this file: {without}")
    from pagefault_doctor.cli.main import main as pfdoctor

    sys.argv[0] = archive
    return pfdoctor()


def _refuse(reason: str) -> int:
    _say(f"cannot run here: {reason}")
    return 3


def _say(text: str) -> None:
    """Print one line; what a terminal could obey in it is shown instead."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"pfdoctor: {shown}\n")


if __name__ == "__main__":
    sys.exit(main())
