"""What a person can give: files, folders and a trigger, and whose the log is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class InputKind(StrEnum):
    """What is typed, as the command line's help names it."""

    FILE = "FILE"
    FOLDER = "DIR"
    COMMAND = "'COMMAND'"


class GivenInput(NamedTuple):
    """What a person can give; it becomes the fact `given.NAME`."""

    name: str
    kind: InputKind
    what: str

    @property
    def is_path(self) -> bool:
        """Whether it is the path of a file or folder."""
        return self.kind is not InputKind.COMMAND

    @property
    def is_folder(self) -> bool:
        """Whether it is the path of a folder."""
        return self.kind is InputKind.FOLDER

    @property
    def option(self) -> str:
        """The option of the command line."""
        return f"--{self.name.replace('_', '-')}"


INPUTS: Final = (
    GivenInput("vmcore", InputKind.FILE, "a crash dump to analyse"),
    GivenInput("vmlinux", InputKind.FILE, "the kernel with debug symbols that the dump is of"),
    GivenInput(
        "module_dir", InputKind.FOLDER, "where the suspect's .ko lies, with debug information"
    ),
    GivenInput("source_dir", InputKind.FOLDER, "where the suspect's source lies"),
    GivenInput("fixed_module", InputKind.FILE, "the .ko whose fix is to be proven"),
    GivenInput("program", InputKind.FILE, "the program that died, for a fault in user space"),
    GivenInput("core", InputKind.FILE, "the core that program left"),
    GivenInput("trigger", InputKind.COMMAND, "what makes the module fault once it is loaded"),
)

THIS_BOX: Final = "this-box"
ANOTHER_MACHINE: Final = "another"
LOG_OF: Final = (THIS_BOX, ANOTHER_MACHINE)
"""Whose a given log or dump is (`log.of`): of the machine that commands run on, or of another."""
