"""The vmlinux with debug information for a kernel release: where it is."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.kernel_builder import builder_of
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import first_path, release
from pagefault_doctor.tools.tool import fact

PATHS: Final = (
    "/usr/lib/debug/boot/vmlinux-{}",
    "/usr/lib/debug/lib/modules/{}/vmlinux",
    "/usr/lib/debug/usr/lib/modules/{}/vmlinux",
    "/usr/lib/debug/usr/lib/modules/{}/vmlinux.debug",
    "/lib/modules/{}/build/vmlinux",
)
"""Paths in distributions; {} is the release."""

_PACKAGES: Final = {
    "debian": "apt install linux-image-{}-dbg (0.9 GB to fetch, 5.6 GB on the disk; of a cloud "
    "kernel 0.3 and 1.8; Ubuntu: linux-image-{}-dbgsym from ddebs)",
    "fedora": "dnf debuginfo-install kernel-core-{} (several GB)",
    "suse": "zypper install kernel-default-debuginfo, of release {} (several GB)",
    "arch": "build the kernel package with debug information, release {}",
}

_FOUND = regex(r"(/\S+/vmlinux\S*)")


def lookup(case: Case, tool: str) -> Command | None:
    """Return the command that lists existing vmlinux files; None if the release is unknown."""
    kernel = release(case)
    if not kernel:
        return None
    why = f"look for the vmlinux of {kernel}, which names functions and lines"
    paths = (place.format(kernel) for place in PATHS)
    return Command(argv=("ls", "-1", *paths), tool=tool, why=why)


def is_lookup(result: Result) -> bool:
    """Return whether a result is from `lookup`."""
    return result.command.argv[:1] == ("ls",)


def lookup_facts(result: Result) -> tuple[Fact, ...]:
    """Return the fact `dump.vmlinux` if the lookup found a file."""
    for number, line in enumerate(result.output.split("\n"), 1):
        if _FOUND.fullmatch(line):
            return (fact("dump.vmlinux", line, result, number),)
    return ()


def known_path(case: Case) -> str:
    """Return the path of the vmlinux: the given one if it fits, else the one that was found."""
    if case.get("dump.vmlinux_fits", True):
        return first_path(case, "given.vmlinux", "dump.vmlinux")
    return first_path(case, "dump.vmlinux")


def is_of_the_dump(case: Case, image: str) -> bool:
    """Return whether the headers of a vmlinux and of the dump were seen to fit."""
    return case.get("dump.vmlinux_seen_to_fit", "") == image != ""


def missing(case: Case, kernel: str = "") -> Blocked:
    """Return how to get a vmlinux with debug information, of the case's kernel or of this one."""
    builder, family = builder_of(kernel or release(case)), case.get("host.family", "")
    if builder in _ELSEWHERE and builder != family and case.get("log.of", "") == ANOTHER_MACHINE:
        return out_of_reach(case, "")
    kernel = kernel or release(case) or "KERNEL-RELEASE"
    own = case.get("host.debug_remedy", "")
    package = debug_package(case.get("host.family", ""), kernel)
    remedy = own or f"{package}; or name one: --vmlinux FILE"
    return Blocked(f"there is no vmlinux with debug information of {kernel}", remedy)


_ELSEWHERE: Final = {
    "debian": "look for linux-image-{}-dbg at snapshot.debian.org/package/linux, then "
    "dpkg-deb -x FILE.deb FOLDER",
    "ubuntu": "on an Ubuntu of its release take linux-image-unsigned-{}-dbgsym from "
    "ddebs.ubuntu.com, then dpkg-deb -x FILE.ddeb FOLDER",
    "proxmox": "on a Proxmox look for the -dbgsym package of its kernel {}",
    "fedora": "fetch kernel-debuginfo of {} from koji.fedoraproject.org, or on a Fedora: dnf "
    "debuginfo-install kernel-core-{}",
    "red-hat": "on a machine of that distribution: dnf debuginfo-install kernel-core-{}",
    "suse": "on a SUSE of its release: zypper install kernel-default-debuginfo, of {}",
    "arch": "build the kernel package with debug information, release {}",
}
"""Where debug files of a kernel are that no package source of this machine has; {}: its release."""


def out_of_reach(case: Case, module: str) -> Blocked:
    """Return where the debug files of the case's kernel are, which this machine cannot fetch.

    With a module, its file is what is wanted.
    """
    kernel = release(case)
    place = _ELSEWHERE.get(builder_of(kernel), "take it from whoever built {}")
    what, option = (f"{module}.ko", "--module-dir DIR") if module else ("vmlinux", "--vmlinux FILE")
    return Blocked(
        f"no package source of this machine has the debug files of {kernel}",
        f"{place.replace('{}', kernel)}; name its {what}: {option}",
    )


def debug_package(family: str, kernel: str) -> str:
    """Return how a family of distributions (`host.family`) installs the debug files of a kernel."""
    return _PACKAGES.get(family, "install the debug package of {}").replace("{}", kernel)
