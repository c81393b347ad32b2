"""The module's file on disk and its other copies: is one of them the build that faulted?

A source line is only right if the file is the build that ran. So the build id is compared with that
of the loaded module, the function sizes with those in the report, the checksums of imported symbols
with the kernel's, and the file with its copies, including the one in the initramfs.
"""

from __future__ import annotations

import time
from typing import Final

import msgspec

from pagefault_doctor.hosts.script import python_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.arguments import (
    first_path,
    is_c_name,
    is_release,
    is_report_of_this_boot,
    release,
    reported,
)
from pagefault_doctor.tools.key_value import number_in, pairs
from pagefault_doctor.tools.module.modinfo import FactsAndFindings
from pagefault_doctor.tools.module.module_name import safe_suspect, same_module
from pagefault_doctor.tools.tool import Tool, fact, finding

_MAX_FUNCTIONS: Final = 8
_MAX_PROBLEMS: Final = 4
"""Number of functions in the report whose sizes are compared."""

_SYMBOL = regex(r"(\S+) (\S+) (\d{1,12}) (\d{1,12})")
_CRCS = regex(r"(\d{1,6}) (\d{1,6}) (/\S+)")
_UNRELIABLE_SECTIONS: Final = (".init", ".exit")
"""Sections whose function sizes in a report are wrong: their symbols were freed, or are last."""

_MAKE_INITRAMFS: Final = {
    "debian": "update-initramfs -u -k {}",
    "fedora": "dracut -f --kver {}",
    "suse": "dracut -f --kver {}",
    "arch": "mkinitcpio -P",
    "alpine": "mkinitfs {}",
}


class _Copy(msgspec.Struct):
    """A file of the module. `line` is the first line of the script's output about it."""

    path: str
    line: int
    build_id: str = ""
    srcversion: str = ""
    mtime: int = 0
    picked: bool = False

    def is_like(self, build_id: str, srcversion: str) -> bool | None:
        """Return whether it is the build with these ids, or None if they cannot be compared."""
        for mine, other in ((self.build_id, build_id), (self.srcversion, srcversion)):
            if mine and other:
                return mine.lower() == other.lower()
        return None


class _ScriptOutput(msgspec.Struct):
    """What the script printed: files, copies in the initramfs, and what it found in the first."""

    files: list[_Copy] = []
    copies: list[_Copy] = []
    initramfs: str = ""
    problems: list[tuple[str, int]] = []
    symbols: list[tuple[str, str, int, int, int]] = []
    absent: list[tuple[str, int]] = []
    crcs: tuple[int, int, str, int] | None = None
    crc_names: list[str] = []


def _parse(output: str) -> _ScriptOutput:
    found = _ScriptOutput()
    copy = _Copy("", 0)
    for key, value, number in pairs(output):
        if key in ("file", "copy"):
            copy = _Copy(value, number)
            (found.files if key == "file" else found.copies).append(copy)
        elif key in ("error", "initramfs_error"):
            place = copy.path if key == "error" else found.initramfs
            found.problems.append((f"{place or 'a file'}: {value[:200]}", number))
        elif key == "picked":
            copy.picked = True
        elif key in ("build_id", "srcversion"):
            setattr(copy, key, value)
        elif key == "mtime":
            copy.mtime = number_in(value[:12]) or 0  # Years of more digits have no date.
        else:
            _of_first(found, key, value, number)
    return found


def _of_first(found: _ScriptOutput, key: str, value: str, number: int) -> None:
    if key == "symbol" and (match := _SYMBOL.fullmatch(value)):
        name, section = match[1], match[2]
        found.symbols.append((name, section, int(match[3]), int(match[4]), number))
    elif key == "crcs" and (match := _CRCS.fullmatch(value)):
        found.crcs = int(match[1]), int(match[2]), match[3], number
    elif key == "absent":
        found.absent.append((value, number))
    elif key == "crc":
        found.crc_names.append(value)
    elif key == "initramfs":
        found.initramfs = value


def _sizes(report: Report | None, module: str) -> dict[str, int]:
    """Return the sizes in bytes that the report prints for the module's functions."""
    if report is None:
        return {}
    functions = [(report.function, report.size, report.module)] if not report.is_call else []
    functions += [(f.function, f.size, f.module) for f in report.frames if f.reliable]
    own = {
        name: size
        for name, size, owner in reversed(functions)
        if name and size and owner and same_module(owner, module) and is_c_name(name)
    }
    return dict(list(own.items())[-_MAX_FUNCTIONS:])


def _plan(case: Case) -> Command | Blocked | None:
    name = safe_suspect(case)
    if name is None or isinstance(name, Blocked):
        return name
    kernel = release(case) or case.get("host.kernel", "")
    if case.done("module-file") or not is_release(kernel):
        return None
    functions = _sizes(reported(case), name)
    file = first_path(case, "module.path")
    return Command(
        argv=(*python_argv("tools/scripts/module_file.py"), kernel, name, file, *functions),
        tool="module-file",
        timeout=120.0,
        why=f"see whether a file of {name} is the build that ran: ids, sizes, checksums, copies",
    )


def _read(result: Result, case: Case) -> ToolReading:
    found = _parse(result.output)
    facts: list[Fact] = []
    findings: list[Finding] = []
    for judge in (_unread, _build, _size, _checksums, _several, _initramfs, _written):
        more_facts, more_findings = judge(found, result, case)
        facts += more_facts
        findings += more_findings
    return ToolReading(facts=tuple(facts), findings=tuple(findings))


def _unread(found: _ScriptOutput, result: Result, _case: Case) -> FactsAndFindings:
    """Report the files that could not be read: what is not said of them is not known."""
    return [], [
        finding(f"Not read to the end, {text}", Mark.NEUTRAL, result, line)
        for text, line in found.problems[:_MAX_PROBLEMS]
    ]


def _build(found: _ScriptOutput, result: Result, case: Case) -> FactsAndFindings:
    """Compare the build id of the file with that of the loaded module."""
    if not found.files or not found.files[0].build_id:
        return [], []
    file, loaded = found.files[0], case.get("module.build_id", "")
    facts = [fact("module.file_build_id", file.build_id, result, file.line)]
    if not loaded:
        return facts, []
    same = file.build_id == loaded
    facts.append(fact("module.build_id_fits", same, result, file.line))
    ids = f"build id {loaded[:12]}"
    if same:
        text = f"The module in memory is the very build on disk ({ids})"
    else:
        text = (
            f"The module in memory ({ids}) is another build than {file.path} "
            f"({file.build_id[:12]}): find the file of that build, or load this one anew, "
            "before you trust a line of it"
        )
    return facts, [finding(text, Mark.GOOD if same else Mark.BAD, result, file.line)]


def _size(found: _ScriptOutput, result: Result, case: Case) -> FactsAndFindings:
    """Compare function sizes: `function+0x11/0xSIZE` in the report with the file."""
    if not found.files:
        return [], []
    printed = _sizes(reported(case), case.suspect or "")
    fits: dict[str, tuple[bool, int, int]] = {}
    for name, section, size, to_next, line in found.symbols:
        verdict = _fits(printed.get(name, 0), name, section, size, to_next)
        if verdict is not None and not fits.get(name, (False, 0, 0))[0]:
            fits[name] = verdict, size, line
    wrong = [name for name, (fit, _, _) in fits.items() if not fit]
    gone = [(name, line) for name, line in found.absent if name in printed]
    if not wrong and not gone:
        known = next(iter(fits.values()), None)
        return ([fact("module.size_fits", True, result, known[2])] if known else []), []
    if wrong:
        size, line = fits[wrong[0]][1:]
        what = f"{wrong[0]} is {printed[wrong[0]]:#x} bytes long in the report, {size:#x}"
    else:
        name, line = gone[0]
        what = f"{name} is in the report, and not"
    text = (
        f"{what} in {found.files[0].path}: this is not the build that faulted, its lines would "
        "mislead; look for the file of that time in a backup, or build it from that source"
    )
    return [fact("module.size_fits", False, result, line)], [finding(text, Mark.BAD, result, line)]


def _fits(printed: int, name: str, section: str, size: int, to_next: int) -> bool | None:
    """Return whether a printed size can be that function's, or None if it cannot be decided.

    The kernel prints the distance to the next symbol. For the last function of a section, the file
    does not show that distance (kernel/module/kallsyms.c, find_kallsyms_symbol).
    """
    if not printed or section.startswith(_UNRELIABLE_SECTIONS) or ".cold" in name:
        return None
    if printed in (size, to_next):
        return True
    return False if to_next or printed < size else None


def _checksums(found: _ScriptOutput, result: Result, case: Case) -> FactsAndFindings:
    """Compare the checksums of the symbols that the module imports with the kernel's."""
    if found.crcs is None:
        return [], []
    count, bad, source, line = found.crcs
    facts = [fact("module.crcs_fit", bad == 0, result, line)]
    if bad == 0:
        text = f"All {count} symbols that the file needs have the versions of this kernel"
        return facts, [finding(text, Mark.GOOD, result, line)]
    kernel = release(case) or case.get("host.kernel", "")
    text = (
        f"{bad} of {count} symbols that the file needs have another version in {source} "
        f"({', '.join(found.crc_names[:3])}): it was built against other headers; rebuild it with "
        f"make -C /lib/modules/{kernel}/build M=DIR clean modules"
    )
    return facts, [finding(text, Mark.BAD, result, line)]


def _several(found: _ScriptOutput, result: Result, case: Case) -> FactsAndFindings:
    """Report several files of the module, and whether modprobe loads the one that is loaded."""
    files = [file for file in found.files if file.path.startswith("/lib/modules/")]
    if len(files) < 2:
        return [], []
    picked = next((file for file in files if file.picked), None)
    memory = case.get("module.build_id", ""), case.get("module.srcversion_loaded", "")
    others = [file for file in files if file is not picked]
    facts = [fact("module.copies", len(files), result, files[0].line)]
    takes = f"modprobe takes {picked.path}, not" if picked else "modules.dep has none of them:"
    names = ", ".join(file.path for file in others[:3])
    text = f"There are {len(files)} files of {case.suspect}: {takes} {names}"
    loaded = next((file for file in others if file.is_like(*memory)), None)
    if picked is None or loaded is None or picked.is_like(*memory) is not False:
        text += "; remove what is not wanted, then depmod -a"
        return facts, [finding(text, Mark.NEUTRAL, result, files[0].line)]
    facts.append(fact("module.picked_is_loaded", False, result, loaded.line))
    text += f". The one in memory is {loaded.path}: remove the wrong one, then depmod -a"
    return facts, [finding(text, Mark.BAD, result, loaded.line)]


def _initramfs(found: _ScriptOutput, result: Result, case: Case) -> FactsAndFindings:
    """Compare the copy in the initramfs, which is loaded early at boot."""
    if not found.copies or not found.files:
        return [], []
    copy, file = found.copies[0], found.files[0]
    same = copy.is_like(file.build_id, file.srcversion)
    if same is None:
        return [], []
    facts = [fact("module.initramfs_fits", same, result, copy.line)]
    if same:
        text = f"The copy in {found.initramfs} is the same build as the file"
        return facts, [finding(text, Mark.GOOD, result, copy.line)]
    kernel = release(case) or case.get("host.kernel", "")
    make = _MAKE_INITRAMFS.get(case.get("host.family", ""), "make it anew").replace("{}", kernel)
    text = (
        f"{found.initramfs} holds another build of {case.suspect} than {file.path}, and boot loads "
        f"that one: {make}, then reboot"
    )
    return facts, [finding(text, Mark.BAD, result, copy.line)]


def _written(found: _ScriptOutput, result: Result, case: Case) -> FactsAndFindings:
    """Compare the file's modification time with the time of the fault.

    It only leads to a finding if no build id decides: the kernel's clock stops during suspend.
    """
    booted, report = case.get("module.boot_time", 0), reported(case)
    at = report.timestamp if report and is_report_of_this_boot(case) else None
    if not found.files or not found.files[0].mtime or not booted or at is None:
        return [], []
    file = found.files[0]
    after = file.mtime > booted + at + 1
    facts = [fact("module.written_after", after, result, file.line)]
    if not after or (file.build_id and case.get("module.build_id", "")):
        return facts, []
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(file.mtime))
    text = (
        f"{file.path} was written at {when} UTC, by the clock after the fault: it may be another "
        "build than the one that faulted; load it and bring the fault about again"
    )
    return facts, [finding(text, Mark.NEUTRAL, result, file.line)]


TOOL: Final = Tool(
    id="module-file",
    purpose="checks whether a module's file is the build that ran",
    programs=("sh",),
    facts=(
        *("module.file_build_id", "module.build_id_fits", "module.size_fits", "module.crcs_fit"),
        *("module.copies", "module.picked_is_loaded", "module.initramfs_fits"),
        "module.written_after",
    ),
    plan=_plan,
    read=_read,
    by_hand="readelf -n FILE.ko against od -An -tx1 /sys/module/NAME/notes/.note.gnu.build-id; "
    "nm -S FILE.ko against the report's function+0x../0xSIZE; modprobe --dump-modversions FILE.ko "
    "against Module.symvers; find /lib/modules -name 'NAME.ko*'; lsinitramfs IMAGE | grep NAME.",
)
