"""Modules from outside the kernel that are well known, and where their projects take reports.

`playbooks/third_party_modules.json` has a row for each project: its name, its modules (`*` stands
for any letters), its page for reports and its mailing list. A row with `proprietary` is of modules
that are marked P (`Documentation/admin-guide/tainted-kernels.rst`), and stands before that of a
free build of the same name.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.playbook.folder import folder

FILE: Final = "third_party_modules.json"


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project outside the kernel. It has a tracker, a mailing list, or both."""

    project: str
    modules: tuple[str, ...]
    tracker: str | None = None
    mailing_list: str | None = None
    proprietary: bool = False


_WILDCARDS: Final = regex(r"[*?\[]")


def project_of(module: str, proprietary: bool = False) -> Project | None:
    """Return the project of a module from outside the kernel, None where it is not known.

    `proprietary` is whether the kernel marks it P. Raises MissingError without the playbooks.
    """
    for project in projects():
        fits = any(_fits(module, pattern) for pattern in project.modules)
        if fits and (proprietary or not project.proprietary):
            return project
    return None


def _fits(module: str, pattern: str) -> bool:
    # A pattern is compiled at its first use, which is worth it only where its begin fits.
    return module.startswith(_WILDCARDS.split(pattern, 1)[0]) and fnmatchcase(module, pattern)


@cache
def projects() -> tuple[Project, ...]:
    """Return all projects, in the order in which they count."""
    return msgspec.json.decode((folder() / FILE).read_bytes(), type=tuple[Project, ...])
