"""The source around a line of the kernel's own, out of its distribution's source package.

Debian has it as `linux-source-6.1`, Ubuntu as `linux-source-5.15.0`: one archive in a package. It
is looked for in the cache and in /usr/src, else downloaded into the cache; nothing is installed. Of
kernels that no such package is of, the person gets the address at kernel.org.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.kernel_builder import builder_of
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import is_absolute, release
from pagefault_doctor.tools.debug.debug_files import cache_obstacle
from pagefault_doctor.tools.debug.debug_packages import DebugPackage, apt_packages, size_text
from pagefault_doctor.tools.fix.kernel_source import (
    KernelPlace,
    address,
    branch,
    debian_version,
    kernel_place,
)
from pagefault_doctor.tools.fix.source import CONTEXT_LINES
from pagefault_doctor.tools.key_value import all_values, first_values
from pagefault_doctor.tools.tool import Tool, fact, finding, has_program, remark

ID: Final = "source-package"
_PROGRAMS: Final = ("apt-cache", "apt-get", "dpkg-deb")
_FIND: Final = ("tools/scripts/debug_files.sh", "tools/scripts/find_source.sh")
_FETCH: Final = (
    "tools/scripts/debug_files.sh",
    "tools/scripts/cache_part.sh",
    "tools/scripts/fetch_source.sh",
)
_SHOW: Final = "tools/scripts/show_archived.sh"
_NAMES: Final = {"debian": "linux-source-{}", "ubuntu": "linux-source-{}.0"}
"""The source package of a distribution's kernel; {} has the first two numbers of the release."""
_SPARE_BYTES: Final = 256 << 20
"""Bytes that stay free on the disk of the cache."""
_UBUNTU = regex(r"(\d[\d.]{2,12}-\d{1,4})-")
_KEPT = regex(r"(linux-source-[\d.]{3,9}) (?:(\S{1,100}) )?(/\S{1,4000})")


class _Kept(NamedTuple):
    """A file or archive of the source that is here: its package, version and path.

    The version is empty where nothing tells it.
    """

    package: str
    version: str
    path: str
    is_archive: bool


def _package(case: Case) -> str:
    """Return the name of the source package of the case's kernel; empty if there is none."""
    kernel = release(case)
    name, numbers = _NAMES.get(builder_of(kernel), ""), branch(kernel)
    return name.replace("{}", numbers) if numbers else ""


def _fits(version: str, case: Case) -> bool | None:
    """Return whether a version of the package is the report's kernel; None if that is not told."""
    kernel = release(case)
    if builder_of(kernel) == "ubuntu":
        own = _UBUNTU.match(kernel)
        return version.startswith(f"{own[1]}.") if own and version else None
    told = debian_version(case)
    return version == told if told and version else None


def _plan(case: Case) -> Command | Blocked | None:
    place = kernel_place(case)
    if place is None or any(result.ok for result in case.done("source")):
        return None
    package, done = _package(case), case.done(ID)
    if not package:
        reason = f"no source package is known of {release(case) or 'a kernel of no known release'}"
        return Blocked(reason, f"read it at {address(case, place)}")
    if not done:
        return Command(
            argv=(*shell_argv(*_FIND, name=ID), place.file, package),
            tool=ID,
            why=f"look for the source of {release(case)}, here and in the cache",
        )
    if any(_shows_lines(result) for result in done):
        return None
    fetched = next((result for result in done if result.command.risk is Risk.CHANGE), None)
    if fetched:
        return _after_fetching(case, fetched, place)
    return _next_command(case, done, place)


def _next_command(
    case: Case, done: tuple[Result, ...], place: KernelPlace
) -> Command | Blocked | None:
    """Show what is here where its version fits; else ask apt for one that fits better."""
    if first_values(done[0].output).get("end") is None:
        return None
    best = min(_kept(done[0]), key=lambda kept: _rank(kept, case), default=None)
    has_apt = all(has_program(case, program, "debian") for program in _PROGRAMS)
    if best and (not has_apt or _fits(best.version, case) is not False):
        return _show_command(best, place)
    answer = next((r for r in done if r.command.argv[:1] == ("apt-cache",)), None)
    if has_apt and answer is None:
        package = _package(case)
        why = f"ask apt which versions of {package} there are"
        return Command(argv=("apt-cache", "show", package), tool=ID, why=why, timeout=120.0)
    offer = _offer(answer, case) if answer else None
    if best and (offer is None or not _fits(_version(offer), case)):
        return _show_command(best, place)
    if offer is None:
        reason = f"no package source of this machine has {_package(case)}"
        return Blocked(reason, f"read it at {address(case, place)}")
    return _fetch_command(done[0], offer, place)


def _kept(looked: Result) -> list[_Kept]:
    found = []
    for key in ("file", "archive"):
        for text in all_values(looked.output, key):
            if (match := _KEPT.fullmatch(text)) and is_absolute(match[3]):
                version = (match[2] or "").replace("%3a", ":")
                found.append(_Kept(match[1], version, match[3], key == "archive"))
    return found


def _rank(kept: _Kept, case: Case) -> tuple[int, bool]:
    """Return how far it is from what is wanted: the version counts first; a file is quicker."""
    return {True: 0, None: 1, False: 2}[_fits(kept.version, case)], kept.is_archive


def _offer(answer: Result, case: Case) -> DebugPackage | None:
    """Return the version that fits the report, else the newest that apt knows, or None."""
    wanted = f"{_package(case)}="
    offers = [each for each in apt_packages(answer.output) if each.what.startswith(wanted)]
    fitting = (each for each in offers if _fits(_version(each), case))
    return next(fitting, offers[0] if offers else None)


def _version(package: DebugPackage) -> str:
    return package.what.partition("=")[2]


def _show_command(kept: _Kept, place: KernelPlace) -> Command:
    first, last = max(place.line - CONTEXT_LINES, 1), place.line + CONTEXT_LINES
    version = f"{kept.package} {kept.version}".strip()
    if not kept.is_archive:
        argv: tuple[str, ...] = ("sed", "-n", f"{first},{last}p", kept.path)
        return Command(argv=argv, tool=ID, why=f"show {place.text} of {version}")
    member = f"{kept.package}/{place.file}"
    return Command(
        argv=(*shell_argv(_SHOW, name=ID), kept.path, member, str(first), str(last)),
        tool=ID,
        timeout=300.0,
        why=f"show {place.text} out of the archive of {version}, which takes some seconds",
    )


def _shows_lines(result: Result) -> bool:
    argv = result.command.argv
    return argv[:1] == ("sed",) or (len(argv) == 8 and argv[5].startswith("linux-source-"))


def _fetch_command(looked: Result, package: DebugPackage, place: KernelPlace) -> Command | Blocked:
    said = first_values(looked.output)
    cache = said.get("cache", ("", 0))[0]
    # The package, the archive in it and the file lie there together.
    need = package.download + package.unpacked + _SPARE_BYTES
    if obstacle := cache_obstacle(said, cache, need, "the source needs"):
        return obstacle
    wanted = (package.what, cache, package.folder, str(need >> 10), place.file)
    return Command(
        argv=(*shell_argv(*_FETCH, name=ID), *wanted),
        tool=ID,
        risk=Risk.CHANGE,
        timeout=3600.0,
        why=f"fetch {package.what} from apt into {cache}: {size_text(package.download)} over the "
        f"network, {size_text(package.unpacked)} stay there; nothing is installed",
        undo=f"rm -r {cache}/{package.folder}",
    )


def _after_fetching(case: Case, fetched: Result, place: KernelPlace) -> Command | Blocked:
    path, _ = first_values(fetched.output).get("file", ("", 0))
    if fetched.ok and is_absolute(path):
        package, _, version = _fetched_package(fetched).partition("=")
        return _show_command(_Kept(package, version, path, False), place)
    lines = fetched.errors.strip().splitlines() or [str(fetched.status)]
    remedy = f"see what it said above, or read it at {address(case, place)}"
    return Blocked(f"{place.file} was not fetched: {lines[-1]}", remedy)


def _fetched_package(fetched: Result) -> str:
    """Return the package and its version, as `linux-source-6.1=6.1.9-1`."""
    return next((w for w in fetched.command.argv[4:] if w.startswith("linux-source-")), "")


def _read(result: Result, case: Case) -> ToolReading:
    place = kernel_place(case)
    if place is None:
        return ToolReading()
    if _shows_lines(result):
        return _lines(result, case, place)
    if result.command.argv[:1] == ("apt-cache",):
        return _read_offer(result, case)
    return ToolReading()


def _read_offer(result: Result, case: Case) -> ToolReading:
    offer = _offer(result, case)
    if offer is None:
        return remark(f"apt-cache knows no package {_package(case)}", result)
    text = f"The source is in {offer.what}: {size_text(offer.download)} to fetch"
    return ToolReading(findings=(finding(text, Mark.NEUTRAL, result, offer.line),))


def _lines(result: Result, case: Case, place: KernelPlace) -> ToolReading:
    version = _version_shown(result, case)
    package = f"{_package(case)} {version}".strip()
    shown = result.output.split("\n")
    at = min(place.line, CONTEXT_LINES + 1)
    code = shown[at - 1].strip() if len(shown) >= at else ""
    if not code:
        text = f"{package} has no code at {place.text}; read it at {address(case, place)}"
        return remark(text, result)
    facts = (
        fact("source.place", place.text, result, at),
        fact("source.code", code, result, at),
    )
    line_finding = finding(f"{place.text}: {code}", Mark.NEUTRAL, result, at)
    return ToolReading(
        facts=facts, findings=(line_finding, _of_version(package, version, result, case, place))
    )


def _version_shown(result: Result, case: Case) -> str:
    """Return the version of the package that the lines are of; empty if nothing tells it."""
    argv, done = result.command.argv, case.done(ID)
    path = argv[-1] if argv[:1] == ("sed",) else argv[4]
    here = (kept.version for each in done[:1] for kept in _kept(each) if kept.path == path)
    if version := next(here, ""):
        return version
    fetched = next((each for each in done if each.command.risk is Risk.CHANGE), None)
    return _fetched_package(fetched).partition("=")[2] if fetched else ""


def _of_version(
    package: str, version: str, result: Result, case: Case, place: KernelPlace
) -> Finding:
    fits = _fits(version, case)
    if fits:
        return finding(f"{package} is the source of the kernel that faulted", Mark.GOOD, result)
    wanted = debian_version(case) or release(case)
    why = f"the fault is of {wanted}" if fits is False else f"it may not be that of {wanted}"
    text = f"The lines are of {package}, {why}: they may have moved"
    return finding(f"{text}; compare {address(case, place)}", Mark.NEUTRAL, result)


TOOL: Final = Tool(
    id=ID,
    purpose="shows the kernel's source around the line, out of the distribution's source package",
    one_of=("sed",),
    package={"": "sed"},
    risk=Risk.CHANGE,
    facts=("source.place", "source.code"),
    plan=_plan,
    read=_read,
    by_hand="apt-get download linux-source-6.1, then dpkg-deb -x FILE.deb FOLDER and tar -x the "
    "one file; or read it in the tree of https://git.kernel.org, at the tag of the release.",
)
