"""The desk beside the guest: this machine's tools, at work on the files of the lab's box.

A compiler, a debugger and a crash dump are too large for the guest. So the box of a case is said to
have them, and what is run with them runs here, on files that lie elsewhere than the box's.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.hosts import runner
from pagefault_doctor.hosts.host import OnOutput
from pagefault_doctor.lab.machine import USUAL, Stock
from pagefault_doctor.model.command import Command, Result

TOOLS: Final = frozenset(
    (
        *("var-crash", "dump-symbols", "drgn", "crash", "line-symbols", "gdb-module", "gdb-scope"),
        *("source", "module-file", "dump-code"),
        *("gcc-analyzer", "sparse", "coccinelle", "edit", "diff", "module-build"),
    )
)
"""Tools whose commands run here."""

EDITORS: Final = frozenset(("emacs", "joe", "micro", "nano", "ne", "vi", "vim"))

PROGRAMS: Final = EDITORS | {
    *("crash", "diff", "drgn", "gcc", "gdb", "make", "makedumpfile", "sparse", "spatch"),
    *("apt-cache", "apt-get", "debuginfod-find", "dnf", "dpkg-deb", "rpmkeys"),
}
"""Programs that the box has because this machine has them, and else has not."""

SHARED: Final = ("/boot", "/lib/modules", "/usr/lib/debug", "/usr/src")
"""Folders of the box that are those of its stock, where nothing else is said of a path in them."""

_START: Final = r"(?:(?<![\w.+-])|(?<=\\[nt]))"
"""Where a path may start: not within a longer one, but after an escape in JSON."""

_PROGRAM: Final = "program="
"""How the tool `box` is told of a program."""


class HostTools:
    """Runs commands here. `places` are paths of the box, each with where it is on this machine.

    `stock` is what the box is made of: its kernel and headers lie where they lie here, and what
    builds and debugs here does so for its machine.
    """

    live = True

    def __init__(self, name: str, places: Mapping[str, Path], stock: Stock = USUAL) -> None:
        self.name = name
        self._machine = stock.machine
        shared = {} if stock.root == Path("/") else {p: stock.path(p) for p in SHARED}
        self._here = {place: str(path) for place, path in (shared | {**places}).items()}
        # drgn finds by itself only what is installed on this machine.
        self._vmlinux = stock.vmlinux() if shared else None
        self._there = {path: place for place, path in self._here.items()}

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command with the box's paths turned into ours, and ours turned back after."""
        said = (lambda text: on_output(self._theirs(text))) if on_output else None
        result = runner.run(self.on_terminal(command), said, cancel)
        return msgspec.structs.replace(
            result,
            command=command,
            output=self._theirs(result.output),
            errors=self._theirs(result.errors),
        )

    def moved(self, command: Command) -> tuple[tuple[str, str], ...]:
        """Return the places that a command is about, each with where it is on this machine."""
        words = "\n".join(command.argv)
        return tuple((place, path) for place, path in self._here.items() if place in words)

    def path(self, place: str) -> Path:
        """Return where a path of the box is on this machine."""
        return Path(_replaced(place, self._here))

    def with_programs(self, answer: Result) -> Result:
        """Return the guest's answer to the tool `box`, with the programs that are here for it."""
        mine = [line for line in runner.run(answer.command).output.splitlines() if _ours(line)]
        first, *rest = answer.output.splitlines()[::-1] or [""]
        lines = [*(line for line in rest[::-1] if not _ours(line)), *mine, first]
        return msgspec.structs.replace(answer, output="".join(f"{line}\n" for line in lines))

    def on_terminal(self, command: Command) -> Command:
        """Return the command with the box's paths turned into ours."""
        argv = tuple(_replaced(word, self._here) for word in command.argv)
        if argv[:1] == ("gdb",):
            # The debug information names the source as the box has it.
            longest = sorted(self._here.items(), key=lambda place: -len(place[0]))
            moved = (f"set substitute-path {a} {b}" for a, b in longest)
            argv = (
                self._machine.gdb,
                *(word for rule in moved for word in ("-iex", rule)),
                *argv[1:],
            )
        elif argv[:1] == ("drgn",) and self._vmlinux:
            argv = ("drgn", "-s", str(self._vmlinux), *argv[1:])
        return msgspec.structs.replace(
            command,
            argv=argv,
            env=self._machine.build_env | command.env,
            stdin=_replaced(command.stdin, self._here),
            cwd=_replaced(command.cwd, self._here),
        )

    def _theirs(self, text: str) -> str:
        return _replaced(text, self._there)


def _ours(line: str) -> bool:
    return line.startswith(_PROGRAM) and line.removeprefix(_PROGRAM) in PROGRAMS


def _replaced(text: str, paths: Mapping[str, str]) -> str:
    """Return the text with every path of one kind, whole or as a beginning, as the other kind."""
    if not any(path in text for path in paths):
        return text
    known = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
    return re.sub(rf"{_START}({known})(?![\w.+-])", lambda match: paths[match[1]], text)
