"""If the kernel itself is at fault: is there a newer one, and does its changelog mention the fault?

The package lists are read as they are, without updating them. The changelog comes from this disk if
the newer package is installed, else from the network. It proves nothing; it shows which kernel to
try.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import blocked_on_other_kernel, is_release, reported
from pagefault_doctor.tools.fix.changelog import (
    ChangelogEntry,
    changes_naming,
    changes_since,
    changes_to_subsystem,
    fault_functions,
    is_newer,
)
from pagefault_doctor.tools.tool import Tool, fact, finding, has_program, remark

ID: Final = "newer-kernel"

_BY_HAND: Final = {
    "suse": "zypper list-updates -t package | grep kernel-default",
    "arch": "pacman -Qu linux; pacman -Si linux",
    "alpine": "apk version linux-lts",
}

_FLAVOUR = regex(r"\d[\w.+~]*(?:-\d[\w.+~]*)?-([a-z][\w-]*)")
_ROW = regex(r"(installed|candidate) ([A-Za-z0-9][\w.+-]{0,150}) (\d[\w.+:~-]{0,100})")
_MAX_MATCHES: Final = 3


class KernelPackage(msgspec.Struct, frozen=True):
    """A kernel package: version, whether it is installed, and its line number in the output."""

    package: str
    version: str
    installed: bool
    line: int


def _kernels(output: str) -> list[KernelPackage]:
    rows = ((n, _ROW.fullmatch(line.strip())) for n, line in enumerate(output.split("\n"), 1))
    return [KernelPackage(m[2], m[3], m[1] == "installed", n) for n, m in rows if m]


def _running(kernels: list[KernelPackage], release: str) -> str:
    """Return the package version of the running kernel; in rpm it is the release itself."""
    own = (k for k in kernels if k.installed and _is_of(k, release))
    return next((kernel.version for kernel in own), "")


def _is_of(kernel: KernelPackage, release: str) -> bool:
    return kernel.package == f"linux-image-{release}" or kernel.version == release


def _newest(kernels: list[KernelPackage], release: str) -> KernelPackage | None:
    """Return the newest kernel that is newer than the running one; installed ones come first."""
    running = _running(kernels, release)
    best: KernelPackage | None = None
    for kernel in sorted(kernels, key=lambda kernel: not kernel.installed):
        if running and is_newer(kernel.version, best.version if best else running):
            best = kernel
    return best


def _plan(case: Case) -> Command | Blocked | None:
    running = case.get("host.kernel", "")
    if case.get("verdict.attribution", "") != "kernel" or blocked_on_other_kernel(case):
        return None
    if not is_release(running) or reported(case) is None:
        return None
    done = case.done(ID)
    if len(done) == 1 and (kernel := _newest(_kernels(done[0].output), running)):
        return _changelog_command(case, kernel)
    return _list_command(case, running) if not done else None


def _list_command(case: Case, running: str) -> Command | Blocked | None:
    why = f"see whether the lists of packages have a kernel newer than {running}"
    flavour = _FLAVOUR.fullmatch(running)
    if has_program(case, "dpkg-query", "debian") and flavour:
        argv = (*shell_argv("tools/scripts/apt_kernels.sh", name=ID), running, flavour[1])
        return Command(argv=argv, tool=ID, why=why)
    if has_program(case, "dnf", "fedora"):
        argv = (*shell_argv("tools/scripts/dnf_kernels.sh", name=ID), running)
        return Command(argv=argv, tool=ID, why=why, timeout=60.0)
    by_hand = _BY_HAND.get(case.get("host.family", ""))
    return Blocked("pfdoctor does not know this package manager", by_hand) if by_hand else None


def _changelog_command(case: Case, kernel: KernelPackage) -> Command:
    debian = kernel.package.startswith("linux-image")
    apt, dnf = "tools/scripts/apt_changelog.sh", "tools/scripts/dnf_changelog.sh"
    show = shell_argv(apt if debian else dnf, name=ID)
    where = "on this disk" if kernel.installed else "over the network, if there is one"
    state = "installed" if kernel.installed else "candidate"
    return Command(
        argv=(*show, kernel.package, kernel.version, state),
        tool=ID,
        timeout=90.0,
        why=f"search the changelog of {kernel.package} {kernel.version} for the fault, {where}",
    )


def _read(result: Result, case: Case) -> ToolReading:
    if result.status is ResultStatus.MISSING:
        return ToolReading()
    if result.command.argv[-1] not in ("installed", "candidate"):
        return _read_packages(result, case)
    return _read_changelog(result, case)


def _read_packages(result: Result, case: Case) -> ToolReading:
    here = case.get("host.kernel", "")
    kernels = _kernels(result.output)
    best = _newest(kernels, here)
    if best is None:
        lists = "is in the lists of this box, as they were fetched last"
        text = f"No kernel newer than {here} {lists}; renew them (apt-get update, dnf makecache)"
        known = _running(kernels, here)
        return ToolReading(findings=(finding(text, Mark.NEUTRAL, result),) if known else ())
    advice = (
        "it is installed already: reboot into it"
        if best.installed
        else "it can be installed (by the lists as they were fetched last)"
    )
    text = f"{best.package} {best.version} is newer than the kernel that runs, and {advice}"
    facts = (
        fact("kernel.newer", f"{best.package} {best.version}", result, best.line),
        fact("kernel.newer_installed", best.installed, result, best.line),
    )
    return ToolReading(facts=facts, findings=(finding(text, Mark.NEUTRAL, result, best.line),))


def _read_changelog(result: Result, case: Case) -> ToolReading:
    report, listings = reported(case), case.done(ID)
    running = (
        _running(_kernels(listings[0].output), case.get("host.kernel", "")) if listings else ""
    )
    if report is None or not running:
        return ToolReading()
    kernel = case.get("kernel.newer", "the newer kernel")
    if not result.said_anything:
        text = f"The changelog of {kernel} could not be read here: look for it on another machine"
        return remark(text, result)
    entries = tuple(changes_since(result.output, running))
    names = fault_functions(report)
    matches = [
        ChangeMatch(f"names {function}", entry)
        for function, entry in changes_naming(entries, names)
    ]
    for name in names[:1]:
        matches += [
            ChangeMatch(f"is about the part of {name}", entry)
            for entry in changes_to_subsystem(entries, name)
        ]
    if not matches:
        text = (
            f"{len(entries)} changes since {running} name nothing of "
            f"{', '.join(names) or 'this fault'}; {kernel} may have the fix all the same"
        )
        return remark(text, result)
    first = matches[0].entry
    facts = (fact("kernel.newer_fix", f"{first.version}: {first.text}", result, first.line),)
    return ToolReading(facts=facts, findings=_match_findings(matches, kernel, result))


class ChangeMatch(msgspec.Struct, frozen=True):
    """A change that may concern the fault, and how it is related."""

    how: str
    entry: ChangelogEntry


def _match_findings(matches: list[ChangeMatch], kernel: str, result: Result) -> tuple[Finding, ...]:
    """Return findings for the first matches, each change once, and the advice."""
    by_entry = {match.entry: match for match in reversed(matches)}
    distinct = [match for match in matches if by_entry[match.entry] is match]
    findings = [
        finding(f"{e.version} {how}: {e.text[:200]}", Mark.NEUTRAL, result, e.line)
        for how, e in ((match.how, match.entry) for match in distinct[:_MAX_MATCHES])
    ]
    more = len(distinct) - len(findings)
    also = f" and {more} more changes" if more else ""
    text = f"That{also} may be the fix, or not: boot {kernel}, and bring the fault about again"
    return (*findings, finding(text, Mark.NEUTRAL, result))


TOOL: Final = Tool(
    id=ID,
    purpose="looks for a newer kernel, and in its changelog for the fault",
    programs=("sh",),
    facts=("kernel.newer", "kernel.newer_installed", "kernel.newer_fix"),
    plan=_plan,
    read=_read,
    by_hand="apt-get update; apt-cache policy linux-image-amd64; apt-get changelog "
    "linux-image-amd64 | grep FUNCTION; or dnf check-update kernel, dnf changelog --upgrades "
    "kernel-core; or git log --grep FUNCTION in a kernel's source.",
)
