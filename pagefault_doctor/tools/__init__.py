"""All tools by their id. A new tool is a file in a subfolder and a name in the tuple below."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Final

from pagefault_doctor.tools import host_info
from pagefault_doctor.tools.debug.debug_packages import PACKAGE_SOURCES
from pagefault_doctor.tools.fix.editor import EDITORS
from pagefault_doctor.tools.tool import Tool

_FILES: Final = (
    *("logs.dmesg", "logs.journal", "logs.kern_log", "logs.pstore", "logs.var_crash"),
    *("module.taint", "module.lsmod", "module.modinfo", "module.module_state"),
    *("module.module_file", "module.module_memory", "module.dkms"),
    *("reproduce.perf", "reproduce.module_load", "reproduce.trigger", "reproduce.stress_ng"),
    *("reproduce.memtester", "reproduce.dmesg_delta", "reproduce.other_kernels"),
    "reproduce.lab_run",
    *("dump.kdump", "debug.debug_files", "dump.drgn", "dump.crash"),
    *(
        "debug.gdb_module",
        "debug.gdb_scope",
        "debug.gdb_member",
        "debug.inlined_calls",
        "debug.gdb_live",
    ),
    *(
        "fix.source",
        "fix.source_package",
        "fix.newer_kernel",
        "fix.gcc_analyzer",
        "fix.sparse",
        "fix.coccinelle",
    ),
    *("fix.editor", "fix.module_build", "reproduce.reboot"),
    *("debug.program_line", "debug.core_file", "debug.gdb_core", "debug.valgrind"),
    "fix.program_build",
)
"""The files with tools, by the steps of the playbook; last those for a program."""

_OPTIONAL_PROGRAMS: Final = (
    *(*EDITORS, "coredumpctl", "systemctl"),
    *("dpkg-query", "rpm"),
    *(program for source in PACKAGE_SOURCES for program in source.programs),
)
"""Programs that no tool requires, but that some tool uses if they are installed."""


def tools_of(file: ModuleType) -> tuple[Tool, ...]:
    """Return the tools that a file declares: its `TOOL`, or several `TOOLS`."""
    several: tuple[Tool, ...] = getattr(file, "TOOLS", ())
    return several or (file.TOOL,)


def _registry() -> dict[str, Tool]:
    files = (import_module(f"{__name__}.{name}") for name in _FILES)
    tools = [tool for file in files for tool in tools_of(file)]
    programs = sorted(
        {p for tool in tools for p in (*tool.programs, *tool.one_of)} | {*_OPTIONAL_PROGRAMS}
    )
    tools.insert(0, host_info.box_tool(tuple(programs)))
    return {tool.id: tool for tool in tools}


TOOLS: Final[Mapping[str, Tool]] = _registry()
"""Every tool by its id, in the order of the playbook's steps."""
