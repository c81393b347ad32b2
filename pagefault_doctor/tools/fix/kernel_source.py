"""The place of a fault in the kernel's own tree, and where that file can be read.

The tags are those of https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git, which has
the releases of the mainline as well (`v6.1`, `v6.1.192`, `v6.7-rc3`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.kernel_builder import builder_of
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import release, reported

_TREE: Final = "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree"
_TOP: Final = (
    "arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|samples"
    "|security|sound|virt"
)
"""Folders at the root of the tree that have code."""
_IN_TREE = regex(
    rf"(?P<folder>/(?:[^/\s]{{1,100}}/){{0,20}}?(?:linux|kernel)[^/\s]{{0,80}}/"
    rf"|debian/build/[^/\s]{{1,100}}/|(?:\./)?)"
    rf"(?P<file>(?:{_TOP})/[\w+.,/-]{{1,200}}\.(?:c|h|S|rs))"
)
"""A file as debug information names it: from the root of the tree on, or with the folder where it
was built, such as `/build/linux-x/linux-6.1/` and `/usr/src/linux-headers-6.1.0-9-common/`."""
_HEADER = regex(r"include/|arch/\w{1,20}/include/")
_HIDDEN = regex(r"(?:^|/)[.-]")
_DEBIAN = regex(r"\bDebian (\d[A-Za-z0-9.+~:-]{0,60})")
_NUMBERS = regex(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?")
_CANDIDATE = regex(r"-(rc\d{1,2})\b")
_EXACT: Final = ("", "debian", "fedora", "arch", "development", "suse")
"""Builders in whose releases the third number is that of kernel.org, if it is not 0."""


class KernelPlace(NamedTuple):
    """A line of the kernel's tree: the path from its root on, and the line."""

    file: str
    line: int

    @property
    def text(self) -> str:
        """File and line, as `mm/slub.c:305`."""
        return f"{self.file}:{self.line}"


def kernel_place(case: Case) -> KernelPlace | None:
    """Return where it faulted in the kernel's tree, or None if that is not known.

    Debug information names it, else the report itself: `kernel BUG at mm/slub.c:305!`
    (lib/bug.c).
    """
    report = reported(case)
    named = [(case.get(f"{n}.file", ""), case.get(f"{n}.line", 0)) for n in ("debug", "dump")]
    if report:
        places = (report.source_line, report.place)
        named += [(place.file, place.line) for place in places if place]
    file, line = next(((file, line) for file, line in named if file and line > 0), ("", 0))
    found = _IN_TREE.fullmatch(file)
    if found is None or _HIDDEN.search(found["file"]):
        return None
    is_foreign = report is not None and report.module in report.out_of_tree
    # In a folder of its own, a module can have a file of such a name; headers are the kernel's.
    if is_foreign and not _HEADER.match(found["file"]):
        return None
    return KernelPlace(found["file"], line)


def debian_version(case: Case) -> str:
    """Return the version of Debian's package of the kernel, as the report prints it behind the
    release (lib/dump_stack.c, dump_stack_set_arch_desc and init_utsname), else an empty text."""
    report = reported(case)
    lines = report.excerpt if report else ()
    found = next((m for line in lines if (m := _DEBIAN.search(line.text))), None)
    return found[1] if found else ""


def branch(kernel: str) -> str:
    """Return the first two numbers of a release, such as `6.1`; empty where it has none."""
    numbers = _NUMBERS.match(kernel)
    return f"{numbers[1]}.{numbers[2]}" if numbers else ""


def tag(kernel: str, debian: str = "") -> str:
    """Return the tag of kernel.org nearest to a release, or to Debian's version of it."""
    numbers = _NUMBERS.match(debian or kernel)
    if numbers is None:
        return ""
    major, minor, patch = numbers[1], numbers[2], numbers[3] or "0"
    is_told = bool(debian) or major == "2" or builder_of(kernel) in _EXACT
    third = f".{patch}" if is_told and patch != "0" else ""
    candidate = _CANDIDATE.search(kernel)
    return f"v{major}.{minor}{third}" + (f"-{candidate[1]}" if candidate and not third else "")


def address(case: Case, place: KernelPlace) -> str:
    """Return the address of the line at kernel.org, of the tag nearest to the case's kernel."""
    named = tag(release(case), debian_version(case))
    at = f"?h={named}" if named else ""
    return f"{_TREE}/{place.file}{at}#n{place.line}"
