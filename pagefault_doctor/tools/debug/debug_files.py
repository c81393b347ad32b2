"""Missing debug files: find the package that has them, show its size, and download it.

The files are unpacked into the user's cache folder, not installed. drgn, crash and gdb get their
paths as arguments. See debuginfod-find(1), apt-get(8), dpkg-deb(1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import (
    dump_path,
    first_path,
    is_absolute,
    may_have_module_file,
    release,
    reported,
)
from pagefault_doctor.tools.debug.debug_packages import (
    DEBUGINFOD,
    PACKAGE_SOURCES,
    DebugPackage,
    size_text,
)
from pagefault_doctor.tools.dump import dump_file, vmlinux
from pagefault_doctor.tools.key_value import FirstValues, first_values, number_in
from pagefault_doctor.tools.module.module_name import file_pattern, is_module_name
from pagefault_doctor.tools.tool import Tool, fact, finding, has_program, known_programs, remark

NAME: Final = "debug-files"
"""The name of the scripts in messages of the shell (`$0`)."""

_FIND: Final = ("tools/scripts/debug_files.sh", "tools/scripts/find_debug_files.sh")
_FETCH: Final = (
    "tools/scripts/debug_files.sh",
    "tools/scripts/cache_part.sh",
    "tools/scripts/fetch_debug_files.sh",
)

_MIN_FREE_BYTES: Final = 256 << 20
"""Bytes that stay free on the disk of the cache."""
_ASSUMED_BYTES: Final = 1 << 30
"""Bytes that the vmlinux of a debuginfod server may take: its size is not known before."""

_NOTE = regex(r"040000001400000003000000474e5500([0-9a-f]{40})")
"""An ELF note of type 3 with the name GNU: the kernel's build id (`/sys/kernel/notes`)."""
_BUILD_ID = regex(r"[0-9a-f]{32,64}")


class MissingDebugFile(NamedTuple):
    """Whether the vmlinux is missing, and the module whose file is, or an empty text."""

    vmlinux: bool
    module: str


def _missing_for_dump(case: Case) -> MissingDebugFile:
    """Return what drgn and crash lack, if there is a dump."""
    has_dump = bool(dump_path(case)) and dump_file.not_a_dump(case) is None
    return MissingDebugFile(
        has_dump and not vmlinux.known_path(case), _kernel_module(case) if has_dump else ""
    )


def _missing_for_line(case: Case) -> MissingDebugFile:
    """Return what gdb lacks to find the faulty line."""
    report = reported(case)
    in_kernel = report is not None and bool(report.function) and not report.module
    is_sought_there = in_kernel and not (case.suspect and may_have_module_file(case))
    needs_vmlinux = is_sought_there and not vmlinux.known_path(case)
    return MissingDebugFile(needs_vmlinux, _kernel_module(case))


def _kernel_module(case: Case) -> str:
    """Return the faulting module if it belongs to the kernel's packages, else an empty text.

    Other modules are built where they are used, so no package has their debug files. Where its file
    is not here, as of another machine's case, its name tells.
    """
    from pagefault_doctor.symbols.in_tree import path_of

    report = reported(case)
    name = (report.module if report else None) or case.suspect or ""
    if not is_module_name(name) or first_path(case, "debug.module_file"):
        return ""
    if path := case.get("module.path", ""):
        return name if "/kernel/" in path else ""
    is_from_outside = report is not None and name in report.out_of_tree
    return name if path_of(name) and not is_from_outside else ""


def _plan(
    tool: str, needs: Callable[[Case], MissingDebugFile], case: Case
) -> Command | Blocked | None:
    if header_command := dump_file.read_header_command(case, tool):
        return header_command
    missing, kernel = needs(case), release(case)
    done = dump_file.own_results(case, tool)
    if any(result.command.risk is Risk.CHANGE for result in done):
        return _fetch_failure(done[-1])
    if not kernel or not any(missing):
        return None
    if not done:
        return _look_command(tool, kernel, missing.module)
    said = first_values(done[0].output)
    return _next_command(case, said, done, missing) if "end" in said else None


def _places(kernel: str) -> str:
    return "".join(f"{place.format(kernel)}\n" for place in vmlinux.PATHS)


def _look_command(tool: str, kernel: str, module: str) -> Command:
    find = shell_argv(*_FIND, name=NAME)
    return Command(
        argv=(*find, kernel, file_pattern(module)),
        tool=tool,
        stdin=_places(kernel),
        why=f"look for the debug files of {kernel}, here and in the cache",
    )


def _next_command(
    case: Case, said: FirstValues, done: tuple[Result, ...], missing: MissingDebugFile
) -> Command | Blocked | None:
    """Ask one package manager after the other, then debuginfod, until one has the files."""
    kernel, tool = release(case), done[0].command.tool
    for source in PACKAGE_SOURCES:
        if not all(has_program(case, program, source.family) for program in source.programs):
            continue
        names = tuple(name.replace("{}", kernel) for name in source.names)
        answer = next((r for r in done if r.command.argv[:1] == source.programs[:1]), None)
        if answer is None:
            why = f"ask {source.id} which package has the debug files of {kernel}"
            return Command(argv=(*source.query, *names), tool=tool, why=why, timeout=120.0)
        if package := source.best(answer.output, kernel):
            return _fetch_command(tool, source.id, package, said, kernel, missing.module)
    if missing.vmlinux and (package := _from_server(case, said)):
        return _fetch_command(tool, DEBUGINFOD, package, said, kernel, "")
    # No source of this machine has it, so what installs it here is no remedy.
    return vmlinux.out_of_reach(case, missing.module) if len(done) > 1 else vmlinux.missing(case)


def _from_server(case: Case, said: FirstValues) -> DebugPackage | None:
    """Return the vmlinux by its build id, if debuginfod servers are configured."""
    has_debuginfod = DEBUGINFOD in (known_programs(case) or ())
    note = _NOTE.search(said.get("notes", ("", 0))[0])
    build_id = case.get("dump.build_id", "") or (note[1] if note else "")
    if not has_debuginfod or "urls" not in said or not _BUILD_ID.fullmatch(build_id):
        return None
    return DebugPackage(build_id, f"debuginfod_{build_id}", line=said["urls"][1])


def _fetch_command(
    tool: str, source: str, package: DebugPackage, said: FirstValues, kernel: str, module: str
) -> Command | Blocked:
    cache = said.get("cache", ("", 0))[0]
    need = (package.download + package.unpacked or _ASSUMED_BYTES) + _MIN_FREE_BYTES
    if obstacle := cache_obstacle(said, cache, need, "the debug files need"):
        return obstacle
    origin = said["urls"][0] if source == DEBUGINFOD else source
    amount = (
        f"{size_text(package.download)} over the network, {size_text(package.unpacked)} unpacked"
        if package.download
        else f"over the network; its size is not told before, up to {size_text(_ASSUMED_BYTES)}"
    )
    wanted = (source, package.what, cache, package.folder, str(need >> 10))
    fetch = shell_argv(*_FETCH, name=NAME)
    return Command(
        argv=(*fetch, *wanted, kernel, file_pattern(module)),
        tool=tool,
        stdin=_places(kernel),
        risk=Risk.CHANGE,
        timeout=3600.0,
        why=f"fetch {package.what} from {origin} into {cache}: {amount}; nothing is installed",
        undo=f"rm -r {cache}/{package.folder}",
    )


def cache_obstacle(said: FirstValues, cache: str, missing: int, what: str) -> Blocked | None:
    """Return why the cache cannot hold so many bytes, by what was said of it, or None.

    `what` begins the sentence about them: "the debug files need".
    """
    if not is_absolute(cache):
        return Blocked("there is no folder for a cache", "set HOME or XDG_CACHE_HOME")
    other = "set XDG_CACHE_HOME to a folder on another disk, or make room (df -h)"
    if "unwritable" in said:
        return Blocked(f"{said['unwritable'][0]} cannot be written to", other)
    free = number_in(said.get("free_kib", ("", 0))[0])
    if free is not None and free << 10 < missing:
        text = f"{cache} has {size_text(free << 10)} free, {what} {size_text(missing)}"
        return Blocked(text, other)
    return None


def _fetch_failure(result: Result) -> Blocked | None:
    """Return why the download failed, or None if it succeeded."""
    if result.ok:
        return None
    lines = result.errors.strip().splitlines() or [str(result.status)]
    remedy = "see what it said above; then enter this step again, or name a file: --vmlinux FILE"
    return Blocked(f"the debug files were not fetched: {lines[-1]}", remedy)


def _read(result: Result, case: Case) -> ToolReading:
    if dump_file.is_header_result(result):
        return dump_file.read_header(result, case)
    if result.command.argv[:1] != ("sh",):
        return _package_reading(result, case)
    said = first_values(result.output)
    facts: list[Fact] = []
    for key, name in (("vmlinux", "dump.vmlinux"), ("module", "debug.module_file")):
        path, line = said.get(key, ("", 0))
        if is_absolute(path):
            facts.append(fact(name, path, result, line))
    return ToolReading(facts=tuple(facts), findings=_fetch_findings(said, result))


def _package_reading(result: Result, case: Case) -> ToolReading:
    kernel, program = release(case), result.command.argv[:1]
    source = next((one for one in PACKAGE_SOURCES if one.programs[:1] == program), None)
    package = source.best(result.output, kernel) if source else None
    if package is None and case.get("log.of", "") == ANOTHER_MACHINE:
        return ToolReading()  # That no source has it is told once, when all were asked.
    if package is None:
        return remark(f"{program[0]} knows no package with debug files of {kernel}", result)
    text = (
        f"The debug files of {kernel} are in {package.what}: {size_text(package.download)} to "
        f"fetch, {size_text(package.unpacked)} unpacked"
    )
    return ToolReading(findings=(finding(text, Mark.NEUTRAL, result, package.line),))


def _fetch_findings(said: FirstValues, result: Result) -> tuple[Finding, ...]:
    """Return the finding for the fetched files; none if all were here before."""
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


FOR_DUMP: Final = _tool(
    "dump-symbols", "gets the debug files that a dump is read with", _missing_for_dump
)
FOR_LINE: Final = _tool(
    "line-symbols", "gets the debug files that lines are found in", _missing_for_line
)

TOOLS: Final = (FOR_DUMP, FOR_LINE)
