"""Who was running, where, on what: the lines dump_stack_print_info and show_regs print.

`lib/dump_stack.c` (CPU, PID, Comm, taint, release, hardware, workqueue), `kernel/module/main.c`
(print_modules), `kernel/panic.c` (print_tainted).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import LinkedModule

_TAINTED: Final = regex(
    r"(?P<clean>Not tainted)|Tainted: (?P<taint>(?:[A-Z]{1,20}(?![\w.\]=])| )+)"
)
_RELEASE: Final = regex(
    r"(?:Not tainted *|Tainted: (?:[A-Z]{1,20}(?![\w.\]=])| )+?)(?:-+ *)?"
    r"\(?(?P<release>\d+\.\d+[^\s,)]*)"
)
_TAINT_NAMES: Final = regex(r"^Tainted: (?:\[[A-Z]\]=[A-Z_]+(?:, |\s*$))+")
"""The line below that of the process, since 6.10."""
_TAINT_LETTER: Final = regex(r"\[([A-Z])\]=")
_OLD_RELEASE: Final = regex(r"^EFLAGS: [0-9a-f]{8} +\((?P<release>\d+\.\d+[^\s,)]*)")
"""As i386 printed it until 2.6.24 (`arch/i386/kernel/traps.c`, show_registers)."""
_LOCKDEP_RELEASE: Final = regex(r"^(?P<release>\d+\.\d+\S*) #\S+ .*?(?:Not t|T)ainted")
_PROCESS: Final = tuple(
    regex(p)
    for p in (
        r"CPU: (?P<cpu>\d+)(?: UID: \d+)? PID: (?P<pid>\d+) Comm: (?P<comm>.{1,64}?)"
        r" (?:Kdump: \w+ )?(?:Not tainted|Tainted:)",
        r"CPU: (?P<cpu>\d+)(?: UID: \d+)? PID: (?P<pid>\d+) Comm: (?P<comm>\S+)",
        r"Pid: (?P<pid>\d+), comm: (?P<comm>.{1,64}?) (?:Not tainted|Tainted:)",
        r"Process (?P<comm>.{1,64}?) \(pid: (?P<pid>\d+),",
        r"CPU#(?P<cpu>\d+)[:,] (?P<comm>\S+)/(?P<pid>\d+)\s*$",
        r"CPU#(?P<cpu>\d+) stuck for .*?\[(?P<comm>.*):(?P<pid>\d+)\]",
        r"INFO: task (?P<comm>.{1,64}):(?P<pid>\d+) ",
        r"by task (?P<comm>.{1,64})/(?P<pid>\d+)\s*$",
        r"scheduling while atomic: (?P<comm>.{1,64})/(?P<pid>\d+)/0x",
        r"^\s*PID: (?P<pid>\d+) +TASK: [0-9a-f]+ +CPU: (?P<cpu>\d+) +COMMAND: \"(?P<comm>[^\"]+)",
        r"(?:^|\s)CPU: (?P<cpu>\d+) +(?:Not t|T)ainted",
        r"(?:^|\s)CPU: (?P<cpu>\d+)\b",
        r"^CPU (?P<cpu>\d+) *$",
        r"in_atomic\(\):.* pid: (?P<pid>\d+), name: (?P<comm>\S+)",
        r"BUG: Bad page (?:state|map) in process (?P<comm>\S+)",
        r"Bad page state at \w+ \(in process '(?P<comm>[^']{1,64})', page ",
        r"WARNING: CPU: (?P<cpu>\d+) PID: (?P<pid>\d+)",
        r"^\s*comm \"(?P<comm>[^\"]{1,64})\", pid (?P<pid>\d+),",
    )
)
_PROCESS_WORDS: Final = ("CPU", "id: ", "task ", "atomic: ", "process ", "comm ")
_MACHINE_WORDS: Final = ("ainted", "EFLAGS: ", "Hardware name: ", "Workqueue: ")
_MODULES: Final = "Modules linked in:"
_UNLOADED: Final = regex(r"\[last unloaded: (?P<name>[^\]()\s:]+)")
_MODULE: Final = regex(r"(?P<name>[A-Za-z0-9][\w-]*)(?:\((?P<flags>[A-Z+-]+)\))?$")


class ProcessInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a report has on the process and the machine, and the lines of process and workqueue."""

    cpu: int | None = None
    pid: int | None = None
    comm: str | None = None
    tainted: tuple[str, ...] | None = None
    release: str | None = None
    hardware: str | None = None
    workqueue: str | None = None
    line: int | None = None
    workqueue_line: int | None = None


def process_of(body: ReportText) -> ProcessInfo:
    """Return what the lines show of the process, of each field the first value."""
    found: dict[str, str] = {}
    cited: int | None = None
    workqueue_line: int | None = None
    tainted: tuple[str, ...] | None = None
    for line in body.holding(*_PROCESS_WORDS, *_MACHINE_WORDS):
        text = line.text
        if "comm" not in found or "cpu" not in found:
            match = _first(text)
            if match:
                found = {k: v for k, v in match.items() if v is not None} | found
                cited = cited or line.number
        if tainted is None and "ainted" in text and (match2 := _TAINTED.search(text)):
            tainted = () if match2["clean"] else _letters(match2["taint"])
            cited = line.number if "comm" in found else cited
        if tainted is None and "Tainted: [" in text and _TAINT_NAMES.match(text):
            tainted = tuple(_TAINT_LETTER.findall(text))
            cited = cited or line.number
        if "release" not in found and "ainted" in text:
            release = _RELEASE.search(text) or _LOCKDEP_RELEASE.search(text)
            if release:
                found["release"] = release["release"]
        elif "release" not in found and (release := _OLD_RELEASE.search(text)):
            found["release"] = release["release"]
        for key, head in (("hardware", "Hardware name: "), ("workqueue", "Workqueue: ")):
            if key not in found and text.lstrip().startswith(head):
                found[key] = text.split(head, 1)[1].strip()
                if key == "workqueue":
                    workqueue_line = line.number
    return ProcessInfo(
        cpu=_number(found.pop("cpu", None)),
        pid=_number(found.pop("pid", None)),
        tainted=tainted,
        line=cited,
        workqueue_line=workqueue_line,
        **found,
    )


def _first(text: str) -> dict[str, str | None] | None:
    if not any(map(text.__contains__, _PROCESS_WORDS)):
        return None
    for pattern in _PROCESS:
        if match := pattern.search(text):
            return match.groupdict()
    return None


def _number(digits: str | None) -> int | None:
    return int(digits) if digits and len(digits) < 12 else None


def _letters(printed: str) -> tuple[str, ...]:
    """Return the letters of the flags; `G` only means that no proprietary module is loaded."""
    return tuple(c for c in printed if c.isalpha() and c != "G")


def modules_of(body: ReportText) -> tuple[tuple[LinkedModule, ...], str | None, int | None]:
    """Return the linked modules in the order printed, the last unloaded one, and the line.

    A list that a log wrapped goes on for as long as its lines hold nothing but module names.
    """
    for index in body.places(_MODULES)[:1]:
        words = body.lines[index].text.partition(_MODULES)[2]
        for following in body.lines[index + 1 : index + 16]:
            if "[last unloaded" in words or not only_modules(following.text):
                break
            words += " " + following.text
        unloaded = _UNLOADED.search(words)
        names = words.split("[last unloaded")[0].split()
        found = [m for m in map(_MODULE.match, names) if m]
        modules = tuple(LinkedModule(m["name"], m["flags"] or "") for m in found)
        return modules, unloaded["name"] if unloaded else None, body.lines[index].number
    return (), None, None


def only_modules(text: str) -> bool:
    """Whether the line holds nothing but names of modules: a list that a log wrapped."""
    words = text.split("[last unloaded")[0].split()
    if not words:
        return "[last unloaded" in text
    return (
        (len(words) > 1 or words[0].islower())
        and all(map(_MODULE.match, words))
        and not re.match(r"[A-Z]\w+ \w", text)
    )
