"""Module names that are safe in an argument list or a path."""

from __future__ import annotations

import re

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked
from pagefault_doctor.model.pattern import regex

_NAME = regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


def is_module_name(name: str) -> bool:
    """Return whether a text is a valid module name.

    The kernel allows 64 - sizeof(long) bytes (`MODULE_NAME_LEN`, include/linux/module.h). A leading
    dash is not allowed: a program would read it as an option.
    """
    return _NAME.fullmatch(name) is not None


def kernel_name(name: str) -> str:
    """Return the kernel's spelling: `snd-hda-intel` on disk is `snd_hda_intel` in the kernel."""
    return name.replace("-", "_")


def same_module(one: str, other: str) -> bool:
    """Return whether two spellings name the same module."""
    return kernel_name(one) == kernel_name(other)


def file_pattern(name: str) -> str:
    """Return the pattern, for find(1), of a module's file in any spelling; empty without a name."""
    return re.sub("[-_]", "[-_]", name) + ".ko*" if name else ""


def safe_suspect(case: Case) -> str | Blocked | None:
    """Return the suspect's name, Blocked if it is no valid module name, None without a suspect."""
    name = case.suspect
    if name is None or is_module_name(name):
        return name
    return Blocked(
        f"{name!r} is not the name of a module",
        "check the log by hand: the report names a module that cannot exist",
    )
