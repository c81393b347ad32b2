"""Compare the module's code in memory with its file, byte for byte: live, or in a dump.

Code is read-only. If a single bit differs, the hardware flipped it; if a few bytes differ, a probe,
a live patch or a rootkit patched them; if many differ, it is another build.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.hosts.script import python_argv, script
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import blocked_on_other_kernel, dump_path, suspect_file
from pagefault_doctor.tools.dump import drgn, dump_file, vmlinux
from pagefault_doctor.tools.module.module_name import is_module_name, kernel_name
from pagefault_doctor.tools.tool import NO_DOWNLOADS, Tool, fact, finding, remark

_COMPARE: Final = "tools/scripts/compare_text.py"

_ERROR = regex(r"error=(?!(?:Key|Lookup)Error: )(.{1,300})")
"""Why nothing was compared; a module that is not in the dump has nothing to compare."""
_COMPARED = regex(r"compared=(\d{1,9}) (\d{1,9}) (\d{1,9})")
_DIFFERS = regex(r"differs=(\d{1,9}) ([0-9a-f]{2}) ([0-9a-f]{2}) (\S+)")

_MAX_PATCH_BYTES: Final = 16
"""Bytes that a patch of one or two instructions may span."""

FACTS: Final = ("module.text_fits", "module.text_flipped")


class ChangedByte(msgspec.Struct, frozen=True):
    """A byte of code that differs: its values in the file and in memory, and its location.

    `line` is its line number in the output.
    """

    offset: int
    file: int
    memory: int
    place: str
    line: int


def _name_and_file(case: Case) -> tuple[str, str] | None:
    """Return the suspect and its uncompressed file, or None if there is nothing to compare."""
    name, path = case.suspect or "", suspect_file(case)
    return (kernel_name(name), path) if path and is_module_name(name) else None


def _plan_live(case: Case) -> Command | Blocked | None:
    known = _name_and_file(case)
    loaded = case.get("module.loaded", False)
    if known is None or not loaded or blocked_on_other_kernel(case) or case.done("module-memory"):
        return None
    return Command(
        argv=(*python_argv(_COMPARE, "tools/scripts/compare_text_live.py"), *known),
        tool="module-memory",
        timeout=60.0,
        why=f"compare the code of {known[0]} in memory with its file, byte for byte",
    )


def _plan_dump(case: Case) -> Command | Blocked | None:
    known, dump, image = _name_and_file(case), dump_path(case), vmlinux.known_path(case)
    if known is None or not dump or not image or case.done("dump-code"):
        return None
    if dump_file.not_a_dump(case) or case.get("dump.format", "") == "flattened":
        return None
    return Command(
        argv=("drgn", "-q", "-c", dump, "-s", image, "-e", drgn.EXECUTE, *known),
        tool="dump-code",
        timeout=60.0,
        stdin=script(_COMPARE, "tools/scripts/compare_text_dump.py"),
        why=f"compare the code of {known[0]} in the dump with its file, byte for byte",
        env=NO_DOWNLOADS,
    )


def _read(result: Result, case: Case) -> ToolReading:
    lines = result.output.split("\n")
    counts = next((m for line in lines if (m := _COMPARED.fullmatch(line))), None)
    if counts is None or counts[1] == "0":
        why = next((m[1] for line in lines if (m := _ERROR.fullmatch(line))), None)
        text = f"The code of {case.suspect} could not be compared with its file: {why}"
        return remark(text, result) if why else ToolReading()
    matches = ((n, _DIFFERS.fullmatch(line)) for n, line in enumerate(lines, 1))
    differing = [
        ChangedByte(int(m[1]), int(m[2], 16), int(m[3], 16), m[4], n) for n, m in matches if m
    ]
    compared, whole, count = (int(text) for text in counts.groups())
    if count == 0:
        text = (
            f"The code of {case.suspect} in memory is that of its file ({compared} of {whole} "
            "bytes compared; the kernel itself fills in or patches the others)"
        )
        return ToolReading(
            facts=(fact("module.text_fits", True, result, 1),),
            findings=(finding(text, Mark.GOOD, result, 1),),
        )
    return _judge(differing, count, compared, result, case) if differing else ToolReading()


def _judge(
    differing: list[ChangedByte], count: int, compared: int, result: Result, case: Case
) -> ToolReading:
    first, last = differing[0], differing[-1]
    flipped = (first.file ^ first.memory).bit_count() == 1
    facts: tuple[Fact, ...] = ()
    if count == 1 and flipped:
        facts = (fact("module.text_flipped", True, result, first.line),)
        text = (
            f"One bit of the code differs, at {first.place}: {first.memory:02x} in memory, "
            f"{first.file:02x} in the file. Code is read-only: test the memory (memtester, "
            "memtest86+)"
        )
    elif count <= len(differing) and last.offset - first.offset < _MAX_PATCH_BYTES:
        text = (
            f"{count} bytes of the code at {first.place} are patched in memory: by a probe, a live "
            "patch or something that hides (see /sys/kernel/debug/kprobes/list, "
            "/sys/kernel/livepatch); take it out, and bring the fault about again"
        )
    else:
        facts = (fact("module.text_fits", False, result, first.line),)
        text = (
            f"{count} of {compared} bytes of the code differ from the file, first at {first.place}:"
            " it is another build; find its file before you trust a line of this one"
        )
    return ToolReading(facts=facts, findings=(finding(text, Mark.BAD, result, first.line),))


LIVE_TOOL: Final = Tool(
    id="module-memory",
    of_box=True,
    purpose="compares the module's code in memory with its file",
    programs=("sh",),
    needs_root=True,
    facts=FACTS,
    plan=_plan_live,
    read=_read,
    by_hand="as root: gdb -batch -ex 'x/64xb 0xADDRESS' FILE /proc/kcore, with the address in "
    "/sys/module/NAME/sections/.text; compare with objcopy -O binary -j .text NAME.ko OUT.",
)

DUMP_TOOL: Final = Tool(
    id="dump-code",
    purpose="compares the module's code in a dump with its file",
    programs=("drgn",),
    package={"": "python3-drgn", "fedora": "drgn", "arch": "drgn"},
    facts=FACTS,
    plan=_plan_dump,
    read=_read,
    by_hand="crash VMLINUX VMCORE, then mod -s NAME FILE.ko and dis -r of the function; compare "
    "with objdump -d FILE.ko.",
)

TOOLS: Final = (LIVE_TOOL, DUMP_TOOL)
