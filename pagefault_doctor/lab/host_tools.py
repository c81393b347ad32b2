"""Tools of this machine that work on the files of the lab machine.

A compiler, a debugger and a crash dump are too large for the guest. The lab machine appears to have
them; their commands run here, on files at other paths.
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
from pagefault_doctor.lab.module import PLACE_IN_ROOT, build_env, in_root
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock
from pagefault_doctor.model.command import Command, Result, ResultStatus

TOOLS: Final = frozenset(
    (
        *("var-crash", "dump-symbols", "drgn", "crash", "line-symbols", "gdb-module", "gdb-scope"),
        *("source", "module-file", "dump-code"),
        *("gcc-analyzer", "sparse", "coccinelle", "edit", "diff", "module-build"),
        *("other-kernels", "other-kernels-fixed"),
    )
)
"""Tools whose commands run here."""

IN_ROOT: Final = ("gcc-analyzer", "module-build")
"""Tools that build, with the compiler of a fetched kernel where the lab machine boots one."""

NOT_IN_ROOT: Final = "sparse"
"""A tool that builds as well, but whose program is not among those fetched with a kernel."""

DEBUG_REMEDY: Final = "debug_remedy"
"""Key in the output of the tool `box`: how the debug files of a fetched kernel are got."""

OWN_PROGRAM: Final = "pfdoctor"
"""It tries the module on other kernels, which only guests of this architecture have."""

EDITORS: Final = frozenset(("emacs", "joe", "micro", "nano", "ne", "vi", "vim"))
"""Editors that can run on this machine for the lab machine."""

PROGRAMS: Final = EDITORS | {
    *("crash", "diff", "drgn", "gcc", "gdb", "make", "makedumpfile", "sparse", "spatch"),
    *("apt-cache", "apt-get", "debuginfod-find", "dnf", "dpkg-deb", "rpmkeys"),
    OWN_PROGRAM,
}
"""Programs that the lab machine appears to have if this machine has them."""

STOCK_FOLDERS: Final = ("/boot", "/lib/modules", "/usr/lib/debug", "/usr/src")
"""Folders of the lab machine that come from its stock, except for paths in `places`."""

_START: Final = r"(?:(?<![\w.+-])|(?<=\\[nt]))"
"""Where a path may start: not inside a longer path, but right after an escape in JSON."""

_PROGRAM_PREFIX: Final = "program="
"""Prefix of a program's line in the output of the tool `box`."""


class HostTools:
    """Runs commands on this machine. `places` maps paths of the lab machine to local paths.

    `stock` has its kernel and headers; builds and debuggers here target its architecture. `source`
    is the path of the module's source on the lab machine.
    """

    live = True

    def __init__(
        self,
        name: str,
        places: Mapping[str, Path],
        stock: Stock = DEFAULT_STOCK,
        source: str = "",
    ) -> None:
        self.name = name
        self._machine = stock.machine
        self._stock, self._source = stock, source
        shared = {} if stock.root == Path("/") else {p: stock.path(p) for p in STOCK_FOLDERS}
        self._local_paths = {place: str(path) for place, path in (shared | {**places}).items()}
        # drgn only searches for the vmlinux of kernels that are installed on this machine.
        self._vmlinux = stock.vmlinux() if shared else None
        self._lab_paths = {path: place for place, path in self._local_paths.items()}

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run a command with local paths in its words, and return its output with lab paths."""
        ours, back = self.on_terminal(command), self._lab_paths
        if self._stock.has_compiler and self._source:
            if command.tool == NOT_IN_ROOT:
                errors = f"{NOT_IN_ROOT} works with this machine's own kernel only"
                return Result(command=command, status=ResultStatus.MISSING, errors=errors)
            if command.tool in IN_ROOT:
                ours, back = self._in_root(command), {str(PLACE_IN_ROOT): self._source}

        def lab_text(text: str) -> str:
            return _replace_paths(text, back)

        translated = (lambda text: on_output(lab_text(text))) if on_output else None
        result = runner.run(ours, translated, cancel)
        return msgspec.structs.replace(
            result,
            command=command,
            output=lab_text(result.output),
            errors=lab_text(result.errors),
        )

    def _in_root(self, command: Command) -> Command:
        """Return the command that builds in the root of a fetched kernel, where paths are equal."""
        there = {self._source: str(PLACE_IN_ROOT)}
        argv = tuple(_replace_paths(word, there) for word in command.argv)
        argv = in_root(self._stock, self.path(self._source), argv)
        env = build_env(self._stock, PLACE_IN_ROOT, self._source) | command.env
        return msgspec.structs.replace(command, argv=argv, env=env)

    def moved(self, command: Command) -> tuple[tuple[str, str], ...]:
        """Return the mapped paths that a command names, each with its local path."""
        words = "\n".join(command.argv)
        return tuple((place, path) for place, path in self._local_paths.items() if place in words)

    def path(self, place: str) -> Path:
        """Return the local path of a path of the lab machine."""
        return Path(_replace_paths(place, self._local_paths))

    def with_programs(self, answer: Result) -> Result:
        """Return the guest's answer to the tool `box`, extended by PROGRAMS of this machine."""
        local = [
            line for line in runner.run(answer.command).output.splitlines() if _runs_here(line)
        ]
        if self._stock.has_compiler:
            local += [] if self._vmlinux else [f"{DEBUG_REMEDY}={self._stock.remedy}"]
            local += [f"{_PROGRAM_PREFIX}{program}" for program in ("gcc", "make")]
        if not self._machine.native:
            local = [line for line in local if line != f"{_PROGRAM_PREFIX}{OWN_PROGRAM}"]
        last, *others = answer.output.splitlines()[::-1] or [""]
        lines = [*(line for line in others[::-1] if not _runs_here(line)), *local, last]
        return msgspec.structs.replace(answer, output="".join(f"{line}\n" for line in lines))

    def on_terminal(self, command: Command) -> Command:
        """Return the command with the lab machine's paths replaced by local ones."""
        argv = tuple(_replace_paths(word, self._local_paths) for word in command.argv)
        if argv[:1] == ("gdb",):
            # The debug information has the source paths of the lab machine.
            longest = sorted(self._local_paths.items(), key=lambda place: -len(place[0]))
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
            stdin=_replace_paths(command.stdin, self._local_paths),
            cwd=_replace_paths(command.cwd, self._local_paths),
        )


def _runs_here(line: str) -> bool:
    return line.startswith(_PROGRAM_PREFIX) and line.removeprefix(_PROGRAM_PREFIX) in PROGRAMS


def _replace_paths(text: str, paths: Mapping[str, str]) -> str:
    """Return the text with every key of `paths`, whole or as a parent folder, replaced."""
    if not any(path in text for path in paths):
        return text
    known = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
    return re.sub(rf"{_START}({known})(?![\w.+-])", lambda match: paths[match[1]], text)
