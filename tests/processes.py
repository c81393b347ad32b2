"""The processes of this machine, from /proc (a minimal system has no ps), and how to start one."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def command_lines() -> dict[int, str]:
    """Return the command line of every process but ours; kernel threads and zombies have none."""
    lines = {}
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        except OSError:
            continue
        if words and entry.parent.name != str(os.getpid()):
            lines[int(entry.parent.name)] = words.decode("utf-8", "replace")
    return lines


def running(words: str) -> list[int]:
    """Return the processes whose command line contains these words."""
    return [pid for pid, line in command_lines().items() if words in line]


def children() -> set[int]:
    """Return our child processes, those too that have ended and are not waited for."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in brackets may itself hold brackets and blanks (proc(5)).
            parent = entry.read_bytes().rpartition(b")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            found.add(int(entry.parent.name))
    return found


def default_signals() -> None:
    """Let the program that this process is about to execute start as one at a terminal does.

    Under nohup, or in the background of a script, some signals are ignored, and exec keeps that.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
