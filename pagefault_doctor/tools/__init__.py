"""All tools by their id. A new tool is a file in a subfolder and a line in the tuple below."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from pagefault_doctor.tools import host_info
from pagefault_doctor.tools.debug import (
    core_file,
    debug_files,
    debug_packages,
    gdb_core,
    gdb_live,
    gdb_module,
    gdb_scope,
    program_line,
    valgrind,
)
from pagefault_doctor.tools.dump import crash, drgn, kdump
from pagefault_doctor.tools.fix import (
    coccinelle,
    editor,
    gcc_analyzer,
    module_build,
    newer_kernel,
    program_build,
    source,
    sparse,
)
from pagefault_doctor.tools.logs import dmesg, journal, kern_log, pstore, var_crash
from pagefault_doctor.tools.module import (
    dkms,
    lsmod,
    modinfo,
    module_file,
    module_memory,
    module_state,
    taint,
)
from pagefault_doctor.tools.reproduce import (
    dmesg_delta,
    memtester,
    module_load,
    perf,
    reboot,
    stress_ng,
    trigger,
)
from pagefault_doctor.tools.tool import Tool

_FILES: Final[tuple[ModuleType, ...]] = (
    dmesg,
    journal,
    kern_log,
    pstore,
    var_crash,
    taint,
    lsmod,
    modinfo,
    module_state,
    module_file,
    module_memory,
    dkms,
    perf,
    module_load,
    trigger,
    stress_ng,
    memtester,
    dmesg_delta,
    kdump,
    debug_files,
    drgn,
    crash,
    gdb_module,
    gdb_scope,
    gdb_live,
    source,
    newer_kernel,
    gcc_analyzer,
    sparse,
    coccinelle,
    editor,
    module_build,
    reboot,
    program_line,
    core_file,
    gdb_core,
    valgrind,
    program_build,
)


_OPTIONAL_PROGRAMS: Final = (
    *(*editor.EDITORS, "coredumpctl", "systemctl"),
    *("dpkg-query", "rpm"),
    *(program for way in debug_packages.PACKAGE_SOURCES for program in way.programs),
)
"""Programs that no tool requires, but that some tool uses if they are installed."""


def _registry() -> dict[str, Tool]:
    tools: list[Tool] = [tool for file in _FILES for tool in file.TOOLS]
    programs = sorted(
        {p for tool in tools for p in (*tool.programs, *tool.one_of)} | {*_OPTIONAL_PROGRAMS}
    )
    tools.insert(0, host_info.box_tool(tuple(programs)))
    return {tool.id: tool for tool in tools}


TOOLS: Final[Mapping[str, Tool]] = _registry()
"""Every tool by its id, in the order of the playbook's steps."""
