"""A tmux of the tests' own: a real terminal of 80x24 whose screen can be read."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class Tmux:
    """One session in a server of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def ask(self, *words: str) -> str:
        """Run a tmux command and return its output."""
        argv = ("tmux", "-S", str(self._socket), "-f", "/dev/null", *words)
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False).stdout

    def type(self, key: str) -> None:
        """Press a key, by tmux's name for it."""
        self.ask("send-keys", "-t", "pfdoctor", key)

    def screen(self) -> str:
        """Return what is on the screen."""
        return self.ask("capture-pane", "-p", "-t", "pfdoctor")

    def history(self) -> str:
        """Return what is on the screen and what has gone out of it above."""
        return self.ask("capture-pane", "-p", "-S", "-50", "-t", "pfdoctor")

    def until(self, wanted: str, seconds: float = 60) -> str:
        """Return the screen once it shows some words."""
        until = time.monotonic() + seconds
        while wanted not in (screen := self.screen()):
            assert time.monotonic() < until, f"{wanted!r} does not come:\n{screen}"
            time.sleep(0.1)
        return screen

    @property
    def pid(self) -> int:
        """The process that was started."""
        return int(self.ask("display-message", "-p", "-t", "pfdoctor", "#{pane_pid}"))


@contextmanager
def tmux(folder: Path, argv: Sequence[str], environ: Mapping[str, str]) -> Iterator[Tmux]:
    """Run a program in tmux, and end both when this ends."""
    session = Tmux(folder / "tmux")
    settings = [f"{name}={value}" for name, value in environ.items()]
    command = "exec " + shlex.join(("env", *settings, *argv))
    session.ask("new-session", "-d", "-s", "pfdoctor", "-x", "80", "-y", "24", command)
    session.ask("set-option", "-t", "pfdoctor", "remain-on-exit", "on")
    try:
        yield session
    finally:
        session.ask("kill-server")


def processes_with(text: str) -> list[str]:
    """Return the processes whose command line contains a text, except tmux and this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if text in words and not words.startswith("tmux") and entry.name != str(os.getpid()):
            found.append(words.replace("\0", " "))
    return found
