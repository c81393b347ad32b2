"""Building a module with the kernel's own makefiles: the command, what blocks it, what it said.

See `Documentation/kbuild/modules.rst`. Checks build in a scratch copy, so that the person's folder
stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pagefault_doctor.hosts.script import script
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
    """What a compiler or checker said of a line. `at` is the line of its output."""

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
    """Return the folder of the headers of the kernel that faulted, or why it is not known.

    Where no report names its kernel, the one that runs here is meant.
    """
    kernel = _kernel(case)
    if not is_release(kernel):
        return Blocked("the release of the kernel is not known", "run pfdoctor on the box")
    return f"/lib/modules/{kernel}/build"


def _kernel(case: Case) -> str:
    return release(case) or case.get("host.kernel", "")


def source_folder(case: Case) -> str | Blocked:
    """Return the folder of the module's source, or how it is named."""
    if folder := first_path(case, "given.source_dir"):
        return folder
    return Blocked(
        "the source of the module is not known",
        "name the folder that holds the source: --source-dir DIR",
    )


def in_scratch(case: Case, tool: str, why: str, *options: str) -> Command | Blocked:
    """Return the command that builds the source in a scratch copy with these options of make."""
    source, build = source_folder(case), build_folder(case)
    if isinstance(source, Blocked):
        return source
    if isinstance(build, Blocked):
        return build
    return Command(
        argv=(
            "sh",
            "-c",
            script("tools/scripts/scratch_build.sh"),
            "sh",
            source,
            build,
            *options,
        ),
        tool=tool,
        risk=Risk.LOAD,
        timeout=300.0,
        why=f"{why}, in a scratch copy",
    )


def obstacle(result: Result, case: Case) -> Blocked | None:
    """Return why the build could not even start, and the remedy."""
    said = result.errors + result.output
    if result.ok:
        return None
    if _NO_HEADERS.search(said):
        family = case.get("host.family", "")
        package = _HEADERS.get(family, "the kernel headers of {}")
        kernel = _kernel(case) or "this kernel"
        name = package.replace("{}", kernel)
        install = INSTALLERS.get(family, "install")
        return Blocked(f"the headers of {kernel} are missing", f"{install} {name}")
    if _NO_KBUILD.search(said):
        remedy = "its Makefile needs a line such as obj-m := NAME.o"
        return Blocked("the source folder is no module that make can build", remedy)
    if "No space left on device" in said:
        return Blocked("the disk is full", "make room (df -h), then try again")
    return None


def scratch_of(result: Result) -> str:
    """Return the scratch folder that the build ran in, with a slash at its end."""
    match = _SCRATCH_LINE.search(result.output[:4096])
    return match[1] + "/" if match else ""


def problems(result: Result) -> tuple[BuildProblem, ...]:
    """Return what the compiler or checker said of the source, in order, each once."""
    scratch = scratch_of(result)
    seen: dict[tuple[str, int, str], BuildProblem] = {}
    for number, line in enumerate(result.errors.split("\n"), 1):
        if match := _PROBLEM.match(line):
            file = match["file"].removeprefix(scratch)
            problem = BuildProblem(file, int(match["line"]), match["text"], match["level"], number)
            seen.setdefault((file, problem.line, problem.text), problem)
    return tuple(seen.values())
