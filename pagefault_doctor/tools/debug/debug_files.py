"""Debug files that are missing: which package has them, how large it is, and fetching them.

They are unpacked into the user's cache folder and not installed. drgn, crash and gdb are then
given the files by their paths. See debuginfod-find(1), apt-get(8), dpkg-deb(1).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from pagefault_doctor.hosts.script import script
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import dump_path, first_path, is_absolute, release, reported
from pagefault_doctor.tools.debug.debug_packages import (
    DEBUGINFOD,
    WAYS,
    DebugPackage,
    PackageSource,
    size,
)
from pagefault_doctor.tools.dump import dump_file, vmlinux
from pagefault_doctor.tools.module.module_name import is_module_name
from pagefault_doctor.tools.tool import Tool, fact, finding

NAME: Final = "debug-files"
"""What the scripts are called by."""

_FUNCTIONS: Final = "tools/scripts/debug_files.sh"

_RESERVE: Final = 256 << 20
"""Bytes that stay free on the disk of the cache."""
_UNKNOWN: Final = 1 << 30
"""Bytes that the vmlinux of a debuginfod server may take: it tells no size before."""

_NOTE = regex(r"040000001400000003000000474e5500([0-9a-f]{40})")
"""An ELF note of type 3 with the name GNU: the kernel's build id (`/sys/kernel/notes`)."""
_BUILD_ID = regex(r"[0-9a-f]{32,64}")

Said = dict[str, tuple[str, int]]
"""What a script printed under each key, and the line."""


def _said(output: str) -> Said:
    said: Said = {}
    for number, line in enumerate(output.split("\n"), 1):
        key, equals, value = line.partition("=")
        if equals and value:
            said.setdefault(key, (value, number))
    return said


class MissingDebugFile(NamedTuple):
    """Whether the vmlinux is needed, and the module whose file is, or an empty text."""

    vmlinux: bool
    module: str


def _for_dump(case: Case) -> MissingDebugFile:
    """Return what the readers of dumps need, where there is a dump."""
    there = bool(dump_path(case)) and dump_file.not_a_dump(case) is None
    return MissingDebugFile(there and not vmlinux.known(case), _module(case) if there else "")


def _for_line(case: Case) -> MissingDebugFile:
    """Return what gdb needs to find the line that faulted."""
    report = reported(case)
    own_code = report is not None and bool(report.function) and not report.module
    wants = own_code and not case.suspect and not vmlinux.known(case)
    return MissingDebugFile(wants, _module(case))


def _module(case: Case) -> str:
    """Return the faulting module, if it is one of the kernel's own; others are built where used."""
    report = reported(case)
    name = (report.module if report else None) or case.suspect or ""
    shipped = "/kernel/" in case.get("module.path", "")
    known = bool(first_path(case, "debug.module_file"))
    return name if shipped and not known and is_module_name(name) else ""


def _plan(
    tool: str, needs: Callable[[Case], MissingDebugFile], case: Case
) -> Command | Blocked | None:
    if looking := dump_file.look(case, tool):
        return looking
    need, kernel = needs(case), release(case)
    done = tuple(result for result in case.done(tool) if not dump_file.is_look(result))
    if any(result.command.risk is Risk.CHANGE for result in done):
        return _unfetched(done[-1])
    if not kernel or not any(need):
        return None
    if not done:
        return _look(tool, kernel, need.module)
    said = _said(done[0].output)
    return _ask_on(case, said, done, need) if "end" in said else None


def _pattern(module: str) -> str:
    return re.sub("[-_]", "[-_]", module) + ".ko*" if module else ""


def _places(kernel: str) -> str:
    return "".join(f"{place.format(kernel)}\n" for place in vmlinux.PLACES)


def _look(tool: str, kernel: str, module: str) -> Command:
    text = script(_FUNCTIONS, "tools/scripts/find_debug_files.sh")
    return Command(
        argv=("sh", "-c", text, NAME, kernel, _pattern(module)),
        tool=tool,
        stdin=_places(kernel),
        why=f"look for the debug files of {kernel}, here and in the cache",
    )


def _ask_on(
    case: Case, said: Said, done: tuple[Result, ...], need: MissingDebugFile
) -> Command | Blocked | None:
    """Ask one package manager after the other, then debuginfod, until one has it."""
    kernel, tool = release(case), done[0].command.tool
    for way in WAYS:
        if not all(_has(case, program, way) for program in way.programs):
            continue
        names = tuple(name.replace("{}", kernel) for name in way.names)
        asked = next((r for r in done if r.command.argv[:1] == way.programs[:1]), None)
        if asked is None:
            why = f"ask {way.id} which package has the debug files of {kernel}"
            return Command(argv=way.ask(names), tool=tool, why=why, timeout=120.0)
        if offer := way.best(asked.output, kernel):
            return _fetch(tool, way.id, offer, said, kernel, need.module)
    if need.vmlinux and (offer := _from_server(case, said)):
        return _fetch(tool, DEBUGINFOD, offer, said, kernel, "")
    return vmlinux.missing(case)


def _has(case: Case, program: str, way: PackageSource) -> bool:
    """Return whether the host has a program; where it was not asked, its family tells."""
    programs = case.facts.get("host.programs")
    if programs is None:
        return {"debian": "apt", "fedora": "dnf"}.get(case.get("host.family", "")) == way.id
    return program in programs.value  # type: ignore[operator]


def _from_server(case: Case, said: Said) -> DebugPackage | None:
    """Return the vmlinux by its build id, where the person has named debuginfod servers."""
    programs = case.facts.get("host.programs")
    there = programs is not None and DEBUGINFOD in programs.value  # type: ignore[operator]
    note = _NOTE.search(said.get("notes", ("", 0))[0])
    build = case.get("dump.build_id", "") or (note[1] if note else "")
    if not there or "urls" not in said or not _BUILD_ID.fullmatch(build):
        return None
    return DebugPackage(build, f"debuginfod_{build}", line=said["urls"][1])


def _fetch(
    tool: str, how: str, offer: DebugPackage, said: Said, kernel: str, module: str
) -> Command | Blocked:
    cache = said.get("cache", ("", 0))[0]
    need = (offer.download + offer.unpacked or _UNKNOWN) + _RESERVE
    if wall := _wall(said, cache, need):
        return wall
    where = said["urls"][0] if how == DEBUGINFOD else how
    how_much = (
        f"{size(offer.download)} over the network, {size(offer.unpacked)} unpacked"
        if offer.download
        else f"over the network; its size is not told before, up to {size(_UNKNOWN)}"
    )
    arguments = (how, offer.what, cache, offer.folder, str(need >> 10), kernel, _pattern(module))
    text = script(_FUNCTIONS, "tools/scripts/fetch_debug_files.sh")
    return Command(
        argv=("sh", "-c", text, NAME, *arguments),
        tool=tool,
        stdin=_places(kernel),
        risk=Risk.CHANGE,
        timeout=3600.0,
        why=f"fetch {offer.what} from {where} into {cache}: {how_much}; nothing is installed",
        undo=f"rm -r {cache}/{offer.folder}",
    )


def _wall(said: Said, cache: str, need: int) -> Blocked | None:
    """Return why nothing can be put into the cache."""
    if not is_absolute(cache):
        return Blocked("there is no folder for a cache", "set HOME or XDG_CACHE_HOME")
    other = "set XDG_CACHE_HOME to a folder on another disk, or make room (df -h)"
    if "unwritable" in said:
        return Blocked(f"{said['unwritable'][0]} cannot be written to", other)
    free = said.get("free_kib", ("", 0))[0]
    if free.isdecimal() and int(free[:15]) << 10 < need:
        there = size(int(free[:15]) << 10)
        return Blocked(f"{cache} has {there} free, the debug files need {size(need)}", other)
    return None


def _unfetched(result: Result) -> Blocked | None:
    """Return why fetching failed, None where it did not."""
    if result.ok:
        return None
    lines = result.errors.strip().splitlines() or [str(result.status)]
    remedy = "see what it said above; then enter this step again, or name a file: --vmlinux FILE"
    return Blocked(f"the debug files were not fetched: {lines[-1]}", remedy)


def _read(result: Result, case: Case) -> ToolReading:
    if dump_file.is_look(result):
        return dump_file.read_look(result, case)
    if result.command.argv[:1] != ("sh",):
        return ToolReading(findings=_offered(result, case))
    said = _said(result.output)
    facts: list[Fact] = []
    for key, name in (("vmlinux", "dump.vmlinux"), ("module", "debug.module_file")):
        path, line = said.get(key, ("", 0))
        if is_absolute(path):
            facts.append(fact(name, path, result, line))
    return ToolReading(facts=tuple(facts), findings=_fetched(said, result))


def _offered(result: Result, case: Case) -> tuple[Finding, ...]:
    kernel = release(case)
    way = next((way for way in WAYS if way.programs[:1] == result.command.argv[:1]), None)
    offer = way.best(result.output, kernel) if way else None
    if way is None or offer is None:
        text = f"{result.command.argv[0]} knows no package with debug files of {kernel}"
        return (finding(text, Mark.NEUTRAL, result),)
    text = (
        f"The debug files of {kernel} are in {offer.what}: {size(offer.download)} to fetch, "
        f"{size(offer.unpacked)} unpacked"
    )
    return (finding(text, Mark.NEUTRAL, result, offer.line),)


def _fetched(said: Said, result: Result) -> tuple[Finding, ...]:
    """Tell what came of fetching; that all is here already is worth no word."""
    if "tree" not in said:
        return ()
    folder, line = said["tree"]
    if "vmlinux" in said or "module" in said:
        text = f"The debug files are in {folder}, and drgn, crash and gdb use them from there"
        return (finding(text, Mark.GOOD, result, line),)
    text = f"{folder} is unpacked, and has no vmlinux or module with debug information"
    return (finding(text, Mark.NEUTRAL, result, line),)


def _tool(tool_id: str, purpose: str, needs: Callable[[Case], MissingDebugFile]) -> Tool:
    return Tool(
        id=tool_id,
        purpose=f"{purpose}: fetched into a cache folder, not installed",
        one_of=("apt-get", "dnf", DEBUGINFOD),
        package={"": "debuginfod", "fedora": "elfutils-debuginfod-client"},
        risk=Risk.CHANGE,
        facts=(*dump_file.FACTS, "debug.module_file"),
        plan=partial(_plan, tool_id, needs),
        read=_read,
        by_hand="apt-get download linux-image-$(uname -r)-dbg, then dpkg-deb -x FILE.deb FOLDER; "
        "or dnf download kernel-debuginfo; or debuginfod-find debuginfo BUILD-ID.",
    )


FOR_DUMP: Final = _tool("dump-symbols", "gets the debug files that a dump is read with", _for_dump)
FOR_LINE: Final = _tool("line-symbols", "gets the debug files that lines are found in", _for_line)

TOOLS: Final = (FOR_DUMP, FOR_LINE)
