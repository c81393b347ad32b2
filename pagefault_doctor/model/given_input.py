"""What a person can give: files and folders, and whose the log is."""

from __future__ import annotations

from typing import Final, NamedTuple


class GivenInput(NamedTuple):
    """A file or folder that a person can give; it becomes the fact `given.NAME`."""

    name: str
    is_folder: bool
    what: str

    @property
    def option(self) -> str:
        """The option of the command line."""
        return f"--{self.name.replace('_', '-')}"


INPUTS: Final = (
    GivenInput("vmcore", False, "a crash dump to analyse"),
    GivenInput("vmlinux", False, "the kernel with debug symbols that the dump is of"),
    GivenInput("module_dir", True, "where the suspect's .ko with debug information lies"),
    GivenInput("source_dir", True, "where the suspect's source lies"),
    GivenInput("fixed_module", False, "the .ko whose fix is to be proven"),
    GivenInput("program", False, "the program that died, for a fault in user space"),
    GivenInput("core", False, "the core that program left"),
)

THIS_BOX: Final = "this-box"
ANOTHER_MACHINE: Final = "another"
LOG_OF: Final = (THIS_BOX, ANOTHER_MACHINE)
"""Whose a given log or dump is (`log.of`): of the machine that commands run on, or of another."""
