"""Building a module with the kernel's makefiles: the command, what blocks it, and its errors.

See `Documentation/kbuild/modules.rst`. Checkers build in a scratch copy, so the person's folder is
not changed.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import first_path, is_release, release
from pagefault_doctor.tools.tool import INSTALLERS

BUILD_TOOLS: Final = {
    "": "make gcc",
    "debian": "build-essential",
    "fedora": "make gcc elfutils-libelf-devel",
    "suse": "make gcc libelf-devel",
    "arch": "base-devel",
}
"""Packages with make and gcc, by distribution family."""

_HEADERS: Final = {
    "debian": "linux-headers-{}",
    "fedora": "kernel-devel-{}",
    "suse": "kernel-devel kernel-default-devel",
    "arch": "linux-headers",
    "alpine": "linux-lts-dev",
}

_NO_HEADERS = regex(r"/build: No such file|No rule to make target '?modules'?|\.config.{0,80}miss")
_NO_KBUILD = regex(r"No rule to make target|Nothing to be done for 'modules'|Makefile: No such")
_PROBLEM = regex(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d{1,9}):(?:(?P<column>\d{1,9}):)? "
    r"(?P<level>fatal error|error|warning): (?P<text>.*)$"
)
_SCRATCH_LINE = regex(r"^scratch=(/\S+)$", re.MULTILINE)


class BuildProblem(msgspec.Struct, frozen=True):
    """A compiler's or checker's message for a line. `at` is the line number of its output."""

    file: str
    line: int
    text: str
    level: str
    at: int

    @property
    def place(self) -> str:
        """File and line, as `file.c:12`."""
        return f"{self.file}:{self.line}"


def build_folder(case: Case) -> str | Blocked:
    """Return the folder with the headers of the kernel that faulted, or Blocked.

    If no report names its kernel, the running kernel's headers are used.
    """
    kernel = _kernel(case)
    if not is_release(kernel):
        return Blocked("the release of the kernel is not known", "run pfdoctor on the box")
    return f"/lib/modules/{kernel}/build"


def _kernel(case: Case) -> str:
    return release(case) or case.get("host.kernel", "")


def source_folder(case: Case) -> str | Blocked:
    """Return the folder of the module's source, or Blocked with how to give it."""
    if folder := first_path(case, "given.source_dir"):
        return folder
    return Blocked(
        "the source of the module is not known",
        "name the folder that holds the source: --source-dir DIR",
    )


def build_in_copy(case: Case, tool: str, why: str, *options: str) -> Command | Blocked:
    """Return the command that builds the source in a scratch copy with these make options."""
    source, build = source_folder(case), build_folder(case)
    if isinstance(source, Blocked):
        return source
    if isinstance(build, Blocked):
        return build
    return Command(
        argv=(*shell_argv("tools/scripts/scratch_build.sh"), source, build, *options),
        tool=tool,
        risk=Risk.LOAD,
        timeout=300.0,
        why=f"{why}, in a scratch copy",
    )


def obstacle(result: Result, case: Case) -> Blocked | None:
    """Return why the build could not start, with the remedy, or None."""
    output = result.errors + result.output
    if result.ok:
        return None
    if _NO_HEADERS.search(output):
        family = case.get("host.family", "")
        package = _HEADERS.get(family, "the kernel headers of {}")
        kernel = _kernel(case) or "this kernel"
        name = package.replace("{}", kernel)
        install = INSTALLERS.get(family, "install")
        return Blocked(f"the headers of {kernel} are missing", f"{install} {name}")
    if _NO_KBUILD.search(output):
        remedy = "its Makefile needs a line such as obj-m := NAME.o"
        return Blocked("the source folder is no module that make can build", remedy)
    if "No space left on device" in output:
        return Blocked("the disk is full", "make room (df -h), then try again")
    return None


def scratch_folder(result: Result) -> str:
    """Return the scratch folder of a build, with a slash at the end."""
    match = _SCRATCH_LINE.search(result.output[:4096])
    return match[1] + "/" if match else ""


def problems(result: Result) -> tuple[BuildProblem, ...]:
    """Return the messages of the compiler or checker, in order, each once."""
    scratch = scratch_folder(result)
    found: dict[tuple[str, int, str], BuildProblem] = {}
    for number, line in enumerate(result.errors.split("\n"), 1):
        if match := _PROBLEM.match(line):
            file = match["file"].removeprefix(scratch)
            problem = BuildProblem(file, int(match["line"]), match["text"], match["level"], number)
            found.setdefault((file, problem.line, problem.text), problem)
    return tuple(found.values())
