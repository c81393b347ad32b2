"""Where the source of the fault is to be read, and where a fix is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import source_path
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.known_entry import release as numbers_of
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.playbook.third_party import project_of
from pagefault_doctor.session.case_notes.culprit import AUTHOR, known_cases
from pagefault_doctor.session.case_notes.subject import Subject
from pagefault_doctor.tools.module.module_name import is_module_name

_STABLE: Final = "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree"
_TORVALDS: Final = "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree"
_DEBIAN: Final = "https://sources.debian.org/src/linux"
_UBUNTU: Final = "https://git.launchpad.net/~ubuntu-kernel/ubuntu/+source/linux/+git"
_NUMBERS: Final = regex(r"(\d{1,2})\.(\d{1,3})(?:\.(\d{1,4}))?(-rc\d{1,2})?")
_DEBIAN_VERSION: Final = regex(r"Debian (\d[\w.+~]{2,40}-\d[\w.+~]{0,30})")
_UBUNTU_BUILD: Final = regex(r"(\d+\.\d+\.\d+-\d{1,4})-generic #(\d{1,4})-Ubuntu")
_SERIES: Final = {
    "4.4": "xenial",
    "4.15": "bionic",
    "5.4": "focal",
    "5.15": "jammy",
    "6.8": "noble",
}
"""The first kernel of each long-lived series of Ubuntu; its later ones are built with a `~`."""
_FIRST: Final = (2, 6, 12)
"""The first release with tags in git."""
_PATH: Final = regex(r"[A-Za-z0-9_][\w.+/-]{1,200}")
_PATCHED: Final = (
    "debian",
    "red-hat",
    "suse",
    "ubuntu",
    "proxmox",
    "android",
    "raspberry-pi",
    "wsl",
)
"""Builders whose releases name the version that they began with, not that of the fixes in them."""


_MOVED: Final = (
    ("fs/smb/client", "fs/cifs", (6, 4, 0)),
    ("fs/smb/server", "fs/ksmbd", (6, 4, 0)),
    ("io_uring", "fs/io_uring.c", (6, 0, 0)),
    ("kernel/module", "kernel/module.c", (5, 19, 0)),
    ("kernel/futex", "kernel/futex.c", (5, 16, 0)),
)
"""Code that lies elsewhere since a release: where it is now, where it was, and that release."""
_SETTLED: Final = (4, 4, 0)
"""The release since which drivers lie where the tables have them, but for those."""


class _Place(msgspec.Struct, frozen=True):
    """A file or folder of the kernel's tree; `line` is 0 where it is not known."""

    path: str
    line: int = 0


def source(subject: Subject) -> Iterator[Finding]:
    """Yield the page with the source, the known fix, and who takes reports outside the kernel."""
    if not subject.is_of_kernel:
        return
    fixed = [case for case in subject.diagnosis.known if case.fixed_in]
    if fixed:
        yield from known_cases(subject)
    module = subject.diagnosis.module
    if module and subject.situation.origin == "third-party":
        yield from _of_project(subject, module)
    elif place := _place(subject):
        yield from _page(subject, place)


def _of_project(subject: Subject, module: str) -> Iterator[Finding]:
    flags = next((m.flags for m in subject.report.modules if m.name == module), "")
    project = project_of(module, "P" in flags)
    where = (project.tracker or project.mailing_list) if project else None
    function = subject.situation.function
    source = f" Read {function} in its source." if function else ""
    look = f" Read {function} in it." if function else ""
    if project and where and project.proprietary:
        text = f"{module} comes without source: only {project.project} can mend it ({where})."
        yield subject.note(text, "modules", "function")
    elif project and where:
        yield subject.note(
            f"{module} is mended by its project, {project.project} ({where}).{source}"
        )
    elif is_module_name(module) and not subject.case.has("given.source_dir"):
        text = f"The source of {module} is with who built it: {AUTHOR.replace('{module}', module)}."
        yield subject.note(text + look)


def _place(subject: Subject) -> _Place | None:
    path, named = subject.path, subject.named_line
    if path is None or "/" not in path or ".." in path or not _PATH.fullmatch(path):
        return None  # A folder at the top has too much in it.
    if named and source_path.from_root(named.file) == path:
        return _Place(path, named.line)
    return _then(path, numbers_of(subject.release))


def _then(path: str, numbers: tuple[int, int, int] | None) -> _Place | None:
    """Return where a path of today was in a release, None where that is not known."""
    if numbers is None:
        return _Place(path)
    if numbers < _SETTLED:
        return None
    for now, before, since in _MOVED:
        if f"{path}/".startswith(f"{now}/") and numbers < since:
            is_file = before.endswith(".c")
            return _Place(before if is_file else before + path.removeprefix(now))
    return _Place(path)


def _page(subject: Subject, place: _Place) -> Iterator[Finding]:
    builder = subject.situation.kernel
    find = _PAGES.get(builder or "")
    own = find(subject, place) if find else ""
    url = own or _of_tag(subject, place)
    if not url:
        return
    # The address stands last, so that it can be copied from a terminal.
    function = subject.situation.function
    text = "Read the source at the line"
    if not place.line:
        text = f"Look for {function} in the source" if function else "Read the source"
    elif not own and _is_patched(subject):
        text += ", which may be off, for the page is of the version that kernel began with"
    yield subject.note(f"{text}: {url}", "file", "function")


def _is_patched(subject: Subject) -> bool:
    return subject.situation.kernel in _PATCHED and "elrepo" not in subject.release


def _of_tag(subject: Subject, place: _Place) -> str:
    """Return the page of a file in the trees of kernel.org, empty for a release before git.

    Without a release it is that of the newest kernel.
    """
    found = _NUMBERS.match(subject.release)
    line = f"#n{place.line}" if place.line else ""
    if found is None:
        return f"{_TORVALDS}/{place.path}"
    major, minor, patch, candidate = found.groups("")
    if (int(major), int(minor), int(patch or 0)) < _FIRST:
        return ""
    tag = f"v{major}.{minor}"
    if patch.strip("0") and (candidate or not _is_patched(subject)):
        tag += f".{patch}"
    base = _TORVALDS if candidate else _STABLE
    return f"{base}/{place.path}?h={tag}{candidate}{line}"


def _searched(subject: Subject, shape: re.Pattern[str]) -> re.Match[str] | None:
    text = subject.report.texts.get(subject.report.line_of("process"), "")
    return shape.search(text)


def _of_debian(subject: Subject, place: _Place) -> str:
    found = _searched(subject, _DEBIAN_VERSION)
    line = f"#L{place.line}" if place.line else ""
    return f"{_DEBIAN}/{found[1]}/{place.path}/{line}" if found else ""


def _of_ubuntu(subject: Subject, place: _Place) -> str:
    found = _searched(subject, _UBUNTU_BUILD)
    series = _SERIES.get(".".join(found[1].split(".")[:2])) if found else None
    if found is None or series is None:
        return ""
    line = f"#n{place.line}" if place.line else ""
    return f"{_UBUNTU}/{series}/tree/{place.path}?h=Ubuntu-{found[1]}.{found[2]}{line}"


_PAGES: Final[dict[str, Callable[[Subject, _Place], str]]] = {
    "debian": _of_debian,
    "ubuntu": _of_ubuntu,
}
"""What finds the very source of a build, by the version in the line of its process."""
