"""From the lines of one report to its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from pagefault_doctor.klog import corrupted, remains, titles
from pagefault_doctor.klog.arch import arch_of
from pagefault_doctor.klog.details import details_of
from pagefault_doctor.klog.fault import fault_of
from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.formats.format import OWN
from pagefault_doctor.klog.formats.user_space import user_fault
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.messages import messages_of
from pagefault_doctor.klog.process import ProcessInfo, modules_of, process_of
from pagefault_doctor.klog.registers import code_of, registers_of
from pagefault_doctor.klog.report_stack import Stack, stack_of
from pagefault_doctor.klog.scan import Scan
from pagefault_doctor.klog.split import CLOSE, LEAD, ReportLines
from pagefault_doctor.klog.stack import frame_of, is_head, place_in
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.klog.titles import type_of
from pagefault_doctor.klog.unread import UnreadLines
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import (
    USER_SIDE,
    Fault,
    Frame,
    Kind,
    Line,
    LinkedModule,
    Report,
    Span,
)

_LONGEST_EXCERPT: Final = 400
_HEAD_LINES: Final = 80
_DIES: Final = regex(r"\[#(\d{1,6})\]")
_FIRST_PAGE: Final = 0x1000


_DUMPED: Final = ("CPU: ", "Modules linked in:", "CPU#", "Pid: ")

_NO_MODULES: Final[tuple[tuple[LinkedModule, ...], str | None, int | None]] = ((), None, None)


_FAULTS: Final = (
    Kind.NULL_POINTER,
    Kind.PAGE_FAULT,
    Kind.GENERAL_PROTECTION,
    Kind.USER_ACCESS,
)
_WORDS_AT: Final = regex(
    r"[a-z]{2,} (?:at|in|from) (?:address )?[A-Za-z_]\w*\+0x[0-9a-f]+/0x[0-9a-f]"
)


class _Fields(msgspec.Struct, frozen=True):
    """What stands in the lines of a report besides its name, and the line of each."""

    stack: Stack
    blamed: Frame
    fault: Fault | None
    process: ProcessInfo
    fields: dict[str, Any]
    printed: dict[str, int]
    details: dict[str, str]
    cited: dict[str, int]


def report_of(cut: ReportLines, seen: Scan, number: int) -> Report:
    """Return the report that a cut of the log holds, the `number`th of its boot.

    Of one that cannot be read it is the headline alone.
    """
    return fenced(lambda _: _headline_alone(cut, number), _report_of, cut, seen, number)


def _headline_alone(cut: ReportLines, number: int) -> Report:
    start, line = cut.start, cut.start.line
    return Report(
        kind=start.kind or Kind.INFO,
        title=line.text,
        corrupted=True,
        corrupted_reason="it could not be read",
        boot=start.boot,
        number=number,
        timestamp=line.timestamp,
        wall_clock=line.wall,
        span=Span(line.number, line.number),
        cited={"headline": line.number},
        excerpt=(Line(line.number, line.text),),
        unread=(Line(line.number, line.text),),
    )


def _report_of(cut: ReportLines, seen: Scan, number: int) -> Report:
    start = cut.start
    if start.remains:
        lines = remains.certain(cut.lines)
        cut = msgspec.structs.replace(cut, lines=lines, naming=lines)
    unread = UnreadLines(start.line)
    naming = _name(cut, unread)
    cut = _without_strangers(cut, naming)
    lines = (*_led(cut.lead), *cut.lines)
    body = ReportText(cut.lines)
    led = ReportText(lines) if len(lines) > len(cut.lines) else body
    found = _fields_of(naming, cut, led, body, unread)
    if start.remains:
        found.details["headless"] = start.line.text.strip()
        found.cited["headless"] = start.line.number
    blamed, process = found.blamed, found.process
    problem = _problem(naming, cut)
    ends = (*found.cited.values(), *(f.line or 0 for f in found.stack.frames))
    last = max((*ends, *_printed_at_once(found.printed)))
    last = min(last, cut.lines[-1].number)
    # What ends the report is settled: a message behind its end is not part of it.
    messages, cited = unread.read(
        led.head(_LONGEST_EXCERPT), _nothing(), lambda body: messages_of(body, last)
    )
    cited |= {f"registers.{name}": line for name, line in found.printed.items() if line <= last}
    return Report(
        kind=_exact(naming, found.fault),
        title=naming.title,
        alt_titles=naming.alts,
        type=type_of(naming.title),
        corrupted=problem is not None,
        corrupted_reason=problem,
        arch=arch_of(cut.lines[:_HEAD_LINES]),
        kernel_release=process.release or seen.release_of(start.boot),
        boot=start.boot,
        number=number,
        die_count=_die_count(body),
        timestamp=start.line.timestamp,
        wall_clock=start.line.wall,
        function=blamed.function,
        offset=blamed.offset,
        size=blamed.size,
        module=blamed.module,
        fault=found.fault,
        cpu=process.cpu,
        pid=process.pid,
        comm=process.comm,
        hardware=process.hardware,
        workqueue=process.workqueue,
        tainted=process.tainted,
        frames=found.stack.frames,
        span=Span(start.line.number, last),
        cited=cited | found.cited,
        excerpt=_excerpt(lines, last),
        details=messages | found.details,
        unread=unread.lines,
        **found.fields,
    )


def _printed_at_once(printed: Mapping[str, int]) -> Iterator[int]:
    """Yield the lines of the registers that stand together: a text may end with them."""
    before = 0
    for line in sorted(set(printed.values())):
        if before and line - before > _APART:
            return
        yield line
        before = line


_APART: Final = 3
"""Lines from one line of registers to the next, where others print in between."""


def _name(cut: ReportLines, unread: UnreadLines) -> titles.Title:
    start = cut.start

    def failed(error: Exception) -> titles.Title:
        unread.add(error)
        kind = start.kind or Kind.INFO
        return titles.Title(title=start.line.text, kind=kind, problem="unknown report")

    rows = table.REMAINS if start.remains else None
    named = fenced(failed, titles.name, start.header or OWN, cut.naming or (start.line,), rows)
    if start.remains and any(remains.END.search(line.text) for line in cut.lines):
        # The only line of the report that is a headline.
        return msgspec.structs.replace(named, title=remains.ENDED, alts=())
    return named


def _without_strangers(cut: ReportLines, naming: titles.Title) -> ReportLines:
    """Return the headline alone where it is one that drivers print as well, and no dump is near.

    What follows much later is about something else.
    """
    if naming.form is None or not naming.form.any_words or any(map(_is_dump, cut.lines[1:CLOSE])):
        return cut
    return msgspec.structs.replace(cut, lines=cut.lines[:1], beyond=())


def _is_dump(line: LogLine) -> bool:
    """Whether a line is of what the kernel prints of its state: the process, registers, a trace."""
    text = line.text
    return any(map(text.__contains__, _DUMPED)) or is_head(text) or frame_of(line) is not None


def _nothing() -> tuple[dict[str, str], dict[str, int]]:
    return {}, {}


def _fields_of(
    naming: titles.Title, cut: ReportLines, led: ReportText, body: ReportText, unread: UnreadLines
) -> _Fields:
    """Read every field from the lines; `led` are those with what led to the headline.

    A report that prints no list of modules has that of the next one, if it is `beyond` its end.
    """
    kind, headline, read = naming.kind, cut.start.line, unread.read
    remains = cut.start.remains
    stack = read(body, Stack(None, ()), lambda body: stack_of(kind, body, remains))
    process = read(body.head(_HEAD_LINES), ProcessInfo(), process_of)
    blamed = Frame(None)
    fault: Fault | None = None
    fault_line: int | None = None
    if kind in USER_SIDE:
        head = ReportText((headline,))
        fault, fault_line, process = read(
            head, (fault, fault_line, process), lambda body: user_fault(body.lines[0], process)
        )
        stack = stack if kind is Kind.OOM_KILL else Stack(None, ())
    else:
        head = led.head(_HEAD_LINES + LEAD)
        # Of a fragment CR2 may be that of an earlier fault.
        if naming.form is None or not naming.form.fragment:
            fault, fault_line = read(head, (fault, fault_line), lambda body: fault_of(body, kind))
        told = place_in(headline) if kind is Kind.STACK_CORRUPTED else None
        blamed = told or stack.blamed(kind, naming.spellings) or place_in(headline) or blamed
        if blamed.function is None and kind in _FAULTS and not stack.frames:
            blamed = _told_before(cut.lead) or blamed
    modules, unloaded, modules_line = read(body, _NO_MODULES, modules_of)
    if modules_line is None:
        modules, unloaded, modules_line = read(ReportText(cut.beyond), _NO_MODULES, modules_of)
    registers, printed = _nothing()
    code: str | None = None
    code_line: int | None = None
    if stack.pointer or remains:
        registers, printed = read(body, _nothing(), lambda body: registers_of(body.lines))
        code, code_line = read(body, (code, code_line), code_of)
    details, cited = read(led, _nothing(), lambda body: details_of(naming.form, body))
    places = {
        "headline": headline.number,
        "fault": fault_line,
        "function": blamed.line,
        "registers": min(printed.values(), default=None),
        "code": code_line,
        "modules": modules_line,
        "process": process.line,
        "workqueue": process.workqueue_line,
        "trace": stack.trace[0].line if stack.trace else None,
    }
    cited |= {name: line for name, line in places.items() if line}
    fields = {
        "modules": modules,
        "last_unloaded": unloaded,
        "registers": _with_pointer(registers, stack.pointer),
        "code": code,
    }
    return _Fields(stack, blamed, fault, process, fields, printed, details, cited)


def _told_before(lead: Sequence[LogLine]) -> Frame | None:
    """Return the place that a person names in the words above a headline copied by hand."""
    lines = [line for line in lead if line.timestamp is None and _WORDS_AT.search(line.text)]
    return place_in(lines[-1]) if len(lines) == 1 else None


def _led(lead: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """Return the lines before the headline that belong to the report."""
    for index, line in enumerate(lead):
        if table.TABLE.leads.search(line.text):
            return tuple(lead[index:])
    return ()


def _exact(naming: titles.Title, fault: Fault | None) -> Kind:
    """Return the kind, a NULL pointer by its address: not every headline has a word for it."""
    address = fault.address_value if fault else None
    if naming.kind is not Kind.PAGE_FAULT or address is None or address >= _FIRST_PAGE:
        return naming.kind
    return naming.kind if naming.title.startswith("Unhandled") else Kind.NULL_POINTER


def _problem(naming: titles.Title, cut: ReportLines) -> str | None:
    if naming.problem or naming.form is None:
        return naming.problem
    if cut.disconnected:
        return "the console was disconnected"
    if lost := corrupted.losses_of(cut.lines):
        return lost
    return corrupted.problem_of(cut.naming, naming.form.plain)


def _die_count(body: ReportText) -> int | None:
    match = _DIES.search(body.head(_HEAD_LINES).text)
    return int(match[1]) if match else None


def _with_pointer(registers: dict[str, str], pointer: Frame | None) -> dict[str, str]:
    """Add the instruction pointer to the registers, as a symbol where only that was printed."""
    if pointer is None or not registers:
        return registers
    name = "rip" if "rax" in registers else "eip" if "eax" in registers else "pc"
    if pointer.address and int(pointer.address, 16) > 0xFFFF:
        return {name: pointer.address} | registers
    if pointer.function is None or pointer.offset is None:
        return registers
    size = "" if pointer.size is None else f"/0x{pointer.size:x}"
    return {name: f"{pointer.function}+0x{pointer.offset:x}{size}"} | registers


def _excerpt(lines: Sequence[LogLine], last: int) -> tuple[Line, ...]:
    kept = [x for x in lines if x.number <= last][:_LONGEST_EXCERPT]
    return tuple(Line(x.number, x.text) for x in kept)
