"""Checks before a command starts: its arguments, its folder, its program."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Final

import msgspec

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, ResultStatus

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


class StartProblem(msgspec.Struct, frozen=True):
    """Why a command cannot be started: `missing` or `refused`, and the reason in words."""

    status: ResultStatus
    reason: str


def environment(*additions: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command; later additions win."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
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


def locate(command: Command, env: Mapping[str, str]) -> str | StartProblem:
    """Return the absolute path of a command's program, or why the command cannot run."""
    if reason := _malformed(command, env):
        return StartProblem(ResultStatus.REFUSED, reason)
    name = command.words[0]
    shown = untrusted.clean_line(name)
    wanted = os.path.join(command.cwd, name) if os.sep in name else name
    path = env.get("PATH", os.defpath)
    if found := shutil.which(wanted, path=path):
        return os.path.abspath(found)
    # A file that is there but not executable needs another remedy than a missing package.
    if unusable := shutil.which(wanted, mode=os.F_OK, path=path):
        shown = untrusted.clean_line(unusable)
        return StartProblem(
            ResultStatus.REFUSED, f"{shown}: permission denied, it is not executable"
        )
    if os.path.isdir(wanted) and os.sep in name:
        return StartProblem(ResultStatus.REFUSED, f"{shown}: is a directory")
    return StartProblem(ResultStatus.MISSING, f"{shown}: not found")


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
