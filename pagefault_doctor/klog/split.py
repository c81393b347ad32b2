"""Cut a log into reports: which lines belong to each, and which starts are one event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.formats.format import Format, Lead
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.process import only_modules
from pagefault_doctor.klog.scan import Scan, Start
from pagefault_doctor.klog.starts import header_of
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import USER_SIDE, Kind

LONGEST: Final = 700
"""Lines read after a start; the longest reports (all CPUs, all locks) are shorter."""
LEAD: Final = 6
"""Lines looked at before a start: what led to it stands there (list_del corruption …)."""
_DUMP_ONLY: Final = (
    "vmalloc: allocation failure",
    "FAULT_INJECTION: forcing",
    "FAULT_FLAG_ALLOW_RETRY missing",
)
"""What prints a stack and is no report: `mm/vmalloc.c`, `lib/fault-inject.c`, `mm/memory.c`."""
_DIE: Final = regex(r" \[#(\d{1,6})\]")
"""The number of a fault within its boot (`die_counter`): another number is another fault."""
_OF_CRASH: Final = regex(
    r"^\s*(?:crash> ?bt\b|PID: \d+ +TASK: [0-9a-f]+ |#\d{1,3} \[[0-9a-f]{8,16}\] \w)"
)
"""What crash(8) prints of the task of a report: people paste it below the lines of the log."""
_QUESTIONABLE: Final = regex(
    r"^\s*(?:\[<[0-9a-f]+>\] )?(?:<[A-Z]+> *)?(?:\[<[0-9a-f]+>\] )?\? |\(unreliable\)"
)
_LOST: Final = regex(r"Fatal exception|panic_on_warn|hung_task|softlockup|RCU Stall|Hard LOCKUP")
"""Panics that only repeat that an earlier report was fatal, however far before them it stands."""
_SLAB: Final = regex(r"^BUG \S+ \((?:Not t|T)ainted")
"""`mm/slub.c` (slab_bug): the object is shown byte by byte before the warning that ends it."""
_TAIL: Final = ("Kernel panic - not syncing", "possible circular locking dependency")
"""What ends a long report: the panic it led to, and lockdep's complaint of printing it."""
_ENOUGH: Final = 22
"""Lines after which what comes of a report is no part of its name."""
_BACKTRACES: Final = "Sending NMI from CPU"
"""`lib/nmi_backtrace.c`: what the CPUs print from here on belongs to the report."""
_DISCONNECTED: Final = b"serialport: VM disconnected."
"""Printed by the serial consoles of a cloud, not by a kernel."""
_MODULES: Final = "Modules linked in:"
CLOSE: Final = 16
"""Lines within which a dump begins, or a panic follows, after words that any driver may print."""
_INLINED: Final = " [inline]"
_INDENT: Final = " " * 10
"""As wide as a clock at least (util-linux' `sys-utils/dmesg.c`, print_record)."""
_NEXT: Final = 3
"""Lines from one to the next of one report, where another task may print in between."""
_ECHO: Final = 24
"""Lines within which another program (shell, systemd) tells of the same death again."""
_NEAR: Final = 60
_FAR: Final = 500
_INTERLEAVED: Final = 4
"""Reports that tasks and CPUs print at the same time, at most."""
_AHEAD: Final = 50


_REPORT_LIKE: Final = regex(
    r"[0-9a-f]{8}|^\s|[Tt]race|\[ cut|</?[A-Z]+>|^[A-Z][\w ]+:|#\d|---\[|\{"
)
"""What the lines of a report have, and those of a log that goes on after it mostly lack."""
_LAST_WORDS: Final = 'PANIC: "'
_MOMENT: Final = 60.0
"""Seconds after which the kernel has surely printed a report: it stores the lines at once."""
_MOST_FOREIGN: Final = 48
"""Lines without any of it, one after the other, after which a report has surely ended.

In a report that bears the kernel's clock, the lines of other programs count among them.
"""


class ReportLines(msgspec.Struct, frozen=True):
    """One report's lines.

    `lines` are those of its context from the start to its end, `lead` a few before it. `naming` is
    the lines that give it its name, without guessed frames. `beyond` are lines after
    its end, which may name the modules that it does not. `disconnected` means that the console of
    a virtual machine was lost somewhere in the log, and lines with it.
    """

    start: Start
    lead: tuple[LogLine, ...]
    lines: tuple[LogLine, ...]
    naming: tuple[LogLine, ...]
    beyond: tuple[LogLine, ...] = ()
    disconnected: bool = False


def split_reports(seen: Scan, lines: Lines) -> Iterator[ReportLines]:
    """Yield the reports of a log in order, one for each event."""
    events = _events(seen.starts)
    disconnected = bool(events) and lines.ends_with(_DISCONNECTED)
    for index, start in enumerate(events):
        own = lines_of_report(start, _end_of(start, events[index + 1 : index + 1 + _AHEAD]), lines)
        yield msgspec.structs.replace(own, disconnected=True) if disconnected else own


def _events(starts: Sequence[Start]) -> list[Start]:
    """Return the starts that are events of their own."""
    starts = _that_count(starts)
    events: list[Start] = []
    for before, start, following in zip((None, *starts), starts, (*starts[1:], None), strict=False):
        if before and _unfolds(start.line, before.line):
            continue
        if any(_continues(start, event) for event in _last_events(start, events)):
            continue
        if start.header is None and following is not None and _leads_to(start, following):
            continue
        events.append(start)
    if all(event.row is None for event in events):
        return events
    headed = {event.boot for event in events if event.row is None and _is_worded(event)}
    other = {event.boot for event in events if event.row is None or not event.row.fragment}
    return [e for e in events if e.row is None or _counts(e.row, e.boot in headed, e.boot in other)]


def _last_events(start: Start, events: Sequence[Start]) -> Iterator[Start]:
    """Yield the last event, and the last one of the same task or CPU: others print in between."""
    yield from events[-1:]
    if start.line.caller and events and events[-1].line.caller != start.line.caller:
        recent = reversed(events[-_INTERLEAVED:])
        yield from islice((e for e in recent if e.line.caller == start.line.caller), 1)


def _that_count(starts: Sequence[Start]) -> list[Start]:
    """Return the starts without what passed by itself, and without fragments beside anything else.

    Those that go on with a report stay: they are part of it.
    """
    often = Counter((start.boot, id(start.row)) for start in starts)
    healed = {(s.boot, s.row.heals): s.place for s in starts if s.row and s.row.heals}

    def lasts(start: Start, row: Format) -> bool:
        healing = healed.get((start.boot, row.alike), start.place)
        return not row.heals and often[start.boot, id(row)] >= row.often and start.place >= healing

    lasting = [s for s in starts if s.row is None or lasts(s, s.row)]
    other = {s.boot for s in lasting if s.row is None or not (s.row.fragment or s.row.silent)}
    kept = [s for s in lasting if s.boot not in other or not _is_mere_fragment(s)]
    said = {s.boot for s in kept if not _is_quoted(s) and s.kind not in USER_SIDE}
    return [s for s in kept if s.boot not in said or not _is_quoted(s)]


def _is_quoted(start: Start) -> bool:
    """Whether crash(8) tells the last words of the log (its `sys`), which are no event more."""
    return start.line.text.lstrip().startswith(_LAST_WORDS)


def _is_mere_fragment(start: Start) -> bool:
    return start.row is not None and start.row.fragment and not start.row.follows


def _counts(row: Format, headed: bool, other: bool) -> bool:
    """Whether an event is a report, in a boot that has one with a header, or anything else."""
    return not (row.silent or (row.notice and headed) or (row.fragment and other))


def _is_worded(start: Start) -> bool:
    """Whether a start has words that only reports have, not any behind a header."""
    header = start.header
    return header is None or not table.TABLE.takes_any_words(header, start.line.text)


def _end_of(start: Start, later: Sequence[Start]) -> int | None:
    """Return the line at which the next event of the same context begins."""
    context = start.line.context
    return next((x.line.number for x in later if x.line.context == context), None)


def _continues(start: Start, last: Start) -> bool:
    """Whether a start belongs to the event of the report before it."""
    distance = start.line.number - last.line.number
    if start.boot != last.boot or distance > (_FAR if _is_worded(last) else CLOSE):
        return False
    text = start.line.text
    number, before = _DIE.search(text), _DIE.search(last.line.text)
    if number and before and number[1] != before[1]:
        return False
    if start.row and start.row.fragment and last.row and last.row.silent and distance <= _NEAR:
        return True
    if start.kind is last.kind is Kind.OOM_KILL:
        return start.row is not last.row and start.row is not None and start.row.follows
    if start.row and last.row and start.row.said and last.row.said:
        return start.row is not last.row and distance <= _ECHO
    if start.kind in USER_SIDE or last.kind in USER_SIDE:
        return False
    if start.header == "Kernel panic" and _LOST.search(text):
        return True
    if _seconds_between(last.line, start.line) > _MOMENT:
        return False
    follows = bool(table.TABLE.followers.search(text))
    near = _FAR if follows and _SLAB.search(last.line.text) else _NEAR
    if distance > near and start.header != "Kernel panic":
        return False
    if start.line.context != last.line.context:
        return False
    if start.header in table.TABLE.continuing or follows:
        return True
    return start.row is not None and (last.row is None or start.row.is_alike(last.row))


def _seconds_between(before: LogLine, line: LogLine) -> float:
    """Return the seconds between two lines by the kernel's clock, 0 where one has no stamp."""
    if before.timestamp is None or line.timestamp is None:
        return 0.0
    return line.timestamp - before.timestamp


def _unfolds(line: LogLine, before: LogLine) -> bool:
    """Whether a symbolizer repeated the headline for a function that the one before it inlines.

    It does so for each of them (`BUG: KASAN: ... in f file.h:12 [inline]`), the real one last.
    """
    if not before.text.endswith(_INLINED) or line.context != before.context:
        return False
    if line.number - before.number > _NEXT:
        return False
    header = header_of(line.text)
    return header is not None and header == header_of(before.text)


def _leads_to(start: Start, following: Start) -> bool:
    """Whether a start is none where the headline of another report follows closely."""
    if following.header is None or start.row is None or start.row.lead is Lead.ALONE:
        return False
    distance = following.line.number - start.line.number
    return distance <= (_NEAR if start.row.lead is Lead.FAR else LEAD + 2)


def lines_of_report(start: Start, end: int | None, lines: Lines) -> ReportLines:
    """Return the lines of the report that starts there and ends before the line `end`."""
    context = start.line.context
    number = start.line.number
    # dmesg indents the further lines of one message, which then have no clock of their own.
    within = start.line.text.startswith(_INDENT)
    before = lines.before(start.place, number, LEAD)
    lead = tuple(x for x in before if x.context == context or within)
    own: list[LogLine] = []
    naming: list[LogLine] = []
    beyond: list[LogLine] = []
    ended = asked = in_crash = False
    of_memory = start.kind is Kind.OOM_KILL
    listed = start.header is None
    foreign: list[str] = []
    for line in islice(lines.after(start.place, number), LONGEST):
        if line.number == number and line.text != start.line.text:
            lines.overwritten = True
            break
        in_crash = in_crash or _is_of_crash(line)
        ours = line.context == context or within or _asked(line, asked) or _wrapped(line, own)
        ours = ours or (line.timestamp is None and _goes_on(line, own))
        ours = ours or (in_crash and line.timestamp is None and line.number - number <= _NEAR)
        if ours and (of_memory or line.frame):
            foreign.clear()
        elif ours or line.timestamp is None:
            foreign.append(line.text if ours else "")
            if len(foreign) > _MOST_FOREIGN and _all_foreign(foreign):
                break
        if not ours:
            continue
        if not line.frame:
            asked = asked or _BACKTRACES in line.text
            ended = ended or (bool(own) and not line.caller and _second(line, own[-1]))
            ended = ended or (len(naming) > _ENOUGH and any(map(line.text.__contains__, _TAIL)))
        if end is None or line.number < end:
            own.append(line)
            listed = listed or line.text.startswith(_MODULES)
        elif len(beyond) < _NEAR and not listed:
            beyond.append(line)
        elif ended or not line.caller:
            break
        if not (ended or (beyond and not line.caller)) and not (context and _guessed(line)):
            naming.append(line)
    # What was seen before stays true where the file lost it meanwhile.
    return ReportLines(start, lead, tuple(own) or (start.line,), tuple(naming), tuple(beyond))


def _all_foreign(texts: list[str]) -> bool:
    """Whether no line looks like a report's; else drop those up to the last one that does."""
    for index in range(len(texts) - 1, -1, -1):
        text = texts[index]
        if text.startswith(" ") or "0x" in text or _REPORT_LIKE.search(text):
            del texts[: index + 1]
            return False
    return True


def _asked(line: LogLine, asked: bool) -> bool:
    """Whether another CPU answers the report that asked all of them for their stacks."""
    return asked and (line.caller or "").startswith("C")


def _is_of_crash(line: LogLine) -> bool:
    return line.timestamp is None and _OF_CRASH.match(line.text) is not None


def _wrapped(line: LogLine, own: list[LogLine]) -> bool:
    """Whether the line goes on with a list of modules that the log broke without a new stamp."""
    if not own or line.timestamp is not None or not only_modules(line.text):
        return False
    before = own[-1].text
    return before.startswith(_MODULES) or only_modules(before)


def _goes_on(line: LogLine, own: list[LogLine]) -> bool:
    """Whether a line is a further one of the message above, which dmesg indents."""
    return bool(own) and line.text.startswith(_INDENT) and line.number - own[-1].number <= _NEXT


def _second(line: LogLine, before: LogLine) -> bool:
    text = line.text
    if _unfolds(line, before):
        return False
    if any(map(text.__contains__, _DUMP_ONLY)):
        return True
    header = header_of(text)
    return header is not None and header not in table.TABLE.continuing


def _guessed(line: LogLine) -> bool:
    text = line.text
    if line.frame:
        return line.frame[0] is not None
    signed = "? " in text or "(unreliable)" in text
    return signed and "<EOI>" not in text and _QUESTIONABLE.search(text) is not None
