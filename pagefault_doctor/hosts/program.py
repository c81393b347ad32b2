"""Checks before a command starts: its arguments, its folder, its program."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Mapping
from itertools import islice
from typing import Final

import msgspec

from pagefault_doctor.files.home_folder import NoHomeError, home_folder
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus

ADMIN_PATH: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where lsmod, insmod and kexec live; an ordinary user's PATH often leaves these out."""

KEPT: Final = (
    *("HOME", "LOGNAME", "TMPDIR", "USER"),
    *("XDG_CACHE_HOME", "DEBUGINFOD_URLS", "http_proxy", "https_proxy", "no_proxy"),
)
"""Variables that a command inherits from us. Others may hold secrets, or change its output.

The second row is for fetching debug files; each debugger gets options not to use it.
"""

FIXED: Final = {
    "LANG": "C",
    "LC_ALL": "C",
    "PAGER": "cat",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
    "TERM": "dumb",
}
"""Plain English without colour or pager, the form that the tools' readers expect."""


MOST_FOLDERS: Final = 1000
"""Folders of PATH that are searched; the others are left out of it."""

_DESCRIPTORS: Final = 32
"""Open files that starting a command takes, twice over."""

_REMEDIES: Final = {
    errno.E2BIG: "shorten the command",
    errno.EACCES: "check its permissions, and that its file system is not mounted noexec",
    errno.EAGAIN: "too many processes run: end some, or raise ulimit -u",
    errno.ELOOP: "a symbolic link leads back to itself: install it again",
    errno.EMFILE: "raise ulimit -n",
    errno.ENFILE: "too many files are open on this machine: end some programs",
    errno.ENOEXEC: "it is not a program for this machine: install it again",
    errno.ENOMEM: "free some memory",
    errno.EPERM: "a security policy of this machine forbids it",
    errno.ETXTBSY: "it is being written: try again when that is done",
}
"""What to do about each error of fork(2), execve(2) and open(2)."""


class StartProblem(msgspec.Struct, frozen=True):
    """Why a command cannot be started: `missing` or `refused`, and the reason in words."""

    status: ResultStatus
    reason: str


def environment(*additions: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command; later additions win.

    Its PATH holds absolute folders only: an empty or relative one means the folder that a command
    runs in, where anybody may have put a program.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    if kept.get("HOME", "").startswith("/"):
        with contextlib.suppress(NoHomeError):
            # Programs obey files of a home, as gdb does ~/.gdbinit, so never those of another.
            kept["HOME"] = str(home_folder())
    folders = _folders(os.environ.get("PATH", ""))
    # The last one is for programs of our own environment, such as drgn.
    more = (*ADMIN_PATH, os.path.dirname(sys.executable))
    folders += [folder for folder in more if folder and folder not in folders]
    env = kept | FIXED | {"PATH": os.pathsep.join(folders)}
    for addition in additions:
        env |= addition
    return env


def shell_status(code: int) -> ResultStatus:
    """Return the status for an exit code: negative from subprocess, 128 + signal from a shell."""
    if code == 0:
        return ResultStatus.OK
    return ResultStatus.SIGNALED if code < 0 or 128 < code <= 192 else ResultStatus.FAILED


def refused(what: str, number: int | None) -> StartProblem:
    """Return that a program or file cannot be used, for an error number, with the remedy."""
    reason = os.strerror(number) if number else "it cannot be started"
    remedy = _REMEDIES.get(number or 0, "")
    text = f"{what}: {reason}; {remedy}" if remedy else f"{what}: {reason}"
    return StartProblem(ResultStatus.REFUSED, text)


def not_started(command: Command, problem: StartProblem) -> Result:
    """Return the result of a command that cannot be started."""
    return Result(command=command, status=problem.status, errors=problem.reason)


def locate(command: Command, env: Mapping[str, str]) -> str | StartProblem:
    """Return the absolute path of a command's program, or why the command cannot run."""
    if reason := _malformed(command, env):
        return StartProblem(ResultStatus.REFUSED, reason)
    if number := _no_descriptors():
        return refused("pfdoctor", number)
    name = command.words[0]
    if os.sep in name:
        places = [os.path.join(command.cwd, name)]
    else:
        places = [os.path.join(folder, name) for folder in _folders(env.get("PATH", ""))]
    problems = []
    for place in places:
        problem = _unusable(place)
        if problem is None:
            return os.path.abspath(place)
        if problem.reason:
            problems.append(problem)
    problems.sort(key=lambda problem: problem.status is ResultStatus.MISSING)
    if problems and (os.sep in name or problems[0].status is ResultStatus.REFUSED):
        return StartProblem(ResultStatus.REFUSED, problems[0].reason)
    # What cannot be looked at, such as a folder of another user, hides a program only perhaps.
    words = [f"{untrusted.clean_line(name)}: not found", *(p.reason for p in problems[:1])]
    return StartProblem(ResultStatus.MISSING, "; ".join(words))


def _folders(path: str) -> list[str]:
    """Return the folders of a PATH that are absolute, each once; those of the system if none is."""
    absolute = dict.fromkeys(f for f in path.split(os.pathsep) if f.startswith("/"))
    return list(islice(absolute, MOST_FOLDERS)) or os.defpath.split(os.pathsep)


def _unusable(place: str) -> StartProblem | None:
    """Return why a path is no program, with an empty reason where there is nothing; else None.

    A file that is there but not executable is `refused`: a package would not help.
    """
    shown = untrusted.clean_line(place)
    try:
        mode = os.stat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return StartProblem(ResultStatus.MISSING, "")
    except OSError as error:
        return StartProblem(ResultStatus.MISSING, refused(shown, error.errno).reason)
    if stat.S_ISDIR(mode):
        return StartProblem(ResultStatus.MISSING, f"{shown}: is a directory")
    if not stat.S_ISREG(mode):
        return StartProblem(ResultStatus.MISSING, f"{shown}: not a regular file")
    if not os.access(place, os.X_OK):
        return StartProblem(
            ResultStatus.REFUSED, f"{shown}: permission denied, it is not executable"
        )
    return None


def _no_descriptors() -> int | None:
    """Return the error number where too few files can be opened, None where enough can.

    sh and subprocess leave open what they had opened when they run out.
    """
    with contextlib.ExitStack() as opened:
        try:
            for _ in range(_DESCRIPTORS):
                opened.callback(os.close, os.open("/", os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            return error.errno
    return None


def _malformed(command: Command, env: Mapping[str, str]) -> str:
    """Return why exec(2) or chdir(2) would fail, or an empty string.

    Checked here because after the fork only a traceback of the child would show it.
    """
    if not command.argv or not command.argv[0]:
        return "there is no program to run"
    words = (*command.words, command.cwd, *env.keys(), *env.values())
    if any("\0" in word for word in words):
        return "a NUL character cannot be part of a command"
    if any("\ud800" <= char <= "\udfff" for word in words if not word.isascii() for char in word):
        return "a command must be valid text"
    if any(not name or "=" in name for name in env):
        return "the name of an environment variable is not valid"
    if not os.path.isdir(command.cwd):
        return f"{untrusted.clean_line(command.cwd)}: no such folder to run in"
    if not os.access(command.cwd, os.X_OK):
        return f"{untrusted.clean_line(command.cwd)}: permission denied"
    return ""
