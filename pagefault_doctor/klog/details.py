"""The details of a report: what only its kind prints, and what any oops prints besides.

The names of the first are documented by their family in `klog/formats/`. The others come from
`lib/dump_stack.c` (dump_stack_print_info), `kernel/panic.c` (print_tainted_verbose),
`arch/x86/mm/fault.c` (dump_pagetable), `arch/arm64/mm/fault.c` (show_pte, mem_abort_decode),
`arch/arm/mm/fault.c` (show_pte) and `arch/s390/mm/fault.c` (dump_fault_info): `preempt` the
preemption model; `bare_backtrace` the head of a trace of addresses alone (`arch/ppc`,
Linux 2.4);
`uid`; `kdump` whether a dump kernel was loaded; `taint_words` the taint flags in
words; `link` the return address; `last_branch` where s390 branched last
(`arch/s390/kernel/dumpstack.c`, show_last_breaking_event); `kernel_offset` of KASLR; `page_walk` as
printed and `page_walk_stop`, the table whose entry was empty; `page_table` how tables are built;
`exception_class`, `invalid_address` (FnV) of arm64; `failing_mode` of s390; `last_unloaded_flags`;
`stack_limit`, the lowest address of the stack (`arch/arm/kernel/traps.c`, __die;
`arch/x86/kernel/dumpstack_32.c` and `_64.c` before 3.16), `stack_from` and `stack_to`, the part of
it that is printed, in hex without `0x`;
`largest_cache` of those that the OOM killer lists (`mm/slab_common.c`, dump_unreclaimable_slab) and
`largest_cache_percent`, its part of them all; `largest_task`, the row of the process with the
largest `rss` (`mm/oom_kill.c`, dump_tasks); `said` and `said_next`, the first lines that are a
warning's own words; `typed_module` what a person was loading or removing (`klog/typed_before.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from typing import Final

from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.skip_functions import ALLOCATING
from pagefault_doctor.klog.stack import frame_of, place_in
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.pattern import WordedPattern, regex
from pagefault_doctor.model.report import USER_SIDE, Frame, Kind

_PLACE: Final = r"[\w$.]+\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?(?: \[[\w-]+\])?"


@cache
def _patterns(expressions: tuple[str, ...]) -> tuple[WordedPattern, ...]:
    return tuple(map(WordedPattern, expressions))


_FIELDS: Final = _patterns(
    (
        r"\b(?P<preempt>PREEMPT(?:_[A-Z]+|\([a-z]+\))?)",
        r"CPU: \d+ UID: (?P<uid>\d+)",
        # arch/ppc/kernel/process.c (print_backtrace), before 2.6.16
        r"^(?P<bare_backtrace>Call backtrace:)\s*$",
        # arch/i386/kernel/traps.c (show_trace), before 2.6 and without CONFIG_KALLSYMS
        r"^(?P<bare_backtrace>Call Trace:)(?:\s+\[<[0-9a-f]{8,16}>\])+\s*$",
        r"Kdump: (?P<kdump>\w+)",
        r"Tainted: (?P<taint_words>\[[A-Z]\]=.*)",
        rf"^\s*lr : (?P<link>{_PLACE})",
        rf"^\s*LR (?:is at|\[[0-9a-f]+\]) (?P<link>{_PLACE})",
        rf"^\s*ra +: (?:[0-9a-f]{{8,16}} )?(?P<link>{_PLACE})",
        rf"^\s*ra: [0-9a-f]{{16}} (?P<link>{_PLACE})",
        r"Kernel Offset: (?P<kernel_offset>0x[0-9a-f]+|disabled)",
        r"(?P<page_table>(?:swapper|user) pgtable: .*)",
        r"EC = 0x[0-9a-f]+: (?P<exception_class>.*?)(?:, IL = .*)?$",
        r"(?P<invalid_address>FnV = 1)",
        r"^Fault in (?P<failing_mode>.+ mode)",
        r"stack limit = 0x(?P<stack_limit>[0-9a-f]{8,16})\b",
        r"^Process .*\b(?:ti|threadinfo)[ =](?P<stack_limit>[0-9a-f]{8,16})\b",
        r"^Stack: \(0x(?P<stack_from>[0-9a-f]{8}) to 0x(?P<stack_to>[0-9a-f]{8})\)",
        r"\[last unloaded: \S+?\((?P<last_unloaded_flags>[A-Z]+)\)",
        r"^(?P<page_walk>PGD .*)",
        r"^(?P<page_walk>\*pdp?[te] = .*)",
        r"^(?P<page_walk>\[[0-9a-f]+\] \*pgd=.*)",
        r"^(?P<page_walk>\[[0-9a-f]+\] pgd=.*)",
        r"^(?P<page_walk>\[[0-9a-f]+\] address between .*)",
        r"^(?P<page_walk>\[[0-9a-f]+\] .* but active_mm .*)",
    )
)
_LEVELS: Final = regex(r"\*?\b(p[gum4]d|pdpt|pde|pte|ppte)\b *= ?([0-9a-f]+)|(P[GUM4]D|PTE) (\w+)")


def _stop(walk: str) -> str | None:
    """Return the table whose entry is empty: the last one printed, where it is zero or bad."""
    levels = [(m[1] or m[3], m[2] or m[4]) for m in _LEVELS.finditer(walk)]
    if not levels:
        return None
    name, entry = levels[-1]
    return name.lower() if entry == "BAD" or not entry.strip("0") else None


WORKED_OUT: Final = frozenset(
    {
        *("page_walk_stop", "last_branch", "largest_cache", "largest_cache_percent"),
        *("largest_task", "said", "said_next", "typed_module", "typed_crash"),
        *("module_version", "versioned_module", "version_line"),
    }
)
"""Details that no expression has a group for."""
_LONGEST: Final = 200
_STACKS: Final = (
    ("allocated", ("Allocated by task", "allocated by task", "Allocated in ", "  backtrace")),
    ("freed", ("Freed by task", "freed by task", "Freed in ")),
    ("created", ("Uninit was created at",)),
    ("related", ("Last potentially related work creation",)),
)
_CACHES: Final = 400
"""Slab caches that a kernel lists, at most."""
_CACHE: Final = regex(r"^(?P<name>\S{1,64})\s+\d{1,12}KB\s+(?P<size>\d{1,12})KB\s*$")
_TASKS: Final = 1000
"""Processes of the list that are compared, at most."""
_TASK: Final = regex(
    r"^\[ *\d{1,10}\] +\d{1,10} +\d{1,10} +\d{1,12} +(?P<rss>\d{1,12}) +\d.* [\w\[(].*$"
)
_WARNED: Final = frozenset(
    {Kind.WARNING, Kind.REFCOUNT, Kind.KERNEL_BUG, Kind.LIST_CORRUPTION, Kind.USERCOPY}
)
"""Kinds whose own words stand beside the headline."""
_SAID: Final = 6
_NOT_SAID: Final = (
    *("Hardware name:", "Modules linked in", "CPU: ", "Pid: ", "Call ", "Workqueue:", "Tainted:"),
    *("---[", "===", "RIP: ", "Code: ", "Internal error", "PREEMPT"),
)
"""How lines near a headline begin that are not its own words."""
_DEPTH: Final = 12
_MADE: Final = ("page_walk_stop", "last_branch", "largest_cache", "largest_cache_percent")
"""Details that are worked out."""
_OOPS_LINES: Final = 160
"""Lines in which what any oops prints is looked for."""


def known_details() -> frozenset[str]:
    """Return the names of the details that the expressions of all forms read, and those made."""
    forms = (shape for row in table.FORMATS if isinstance(row, Format) for shape in row.details)
    shapes = (*forms, *(shape for kind in table.DETAILS.values() for shape in kind))
    patterns = (*_FIELDS, *_patterns(shapes))
    return frozenset({*_MADE, *(name for row in patterns for name in row.pattern.groupindex)})


def details_of(form: Format | None, body: ReportText) -> tuple[dict[str, str], dict[str, int]]:
    """Return the details of a report of that form, and the line each was read from."""
    kind = form.kind if form else Kind.INFO
    found: dict[str, str] = {}
    cited: dict[str, int] = {}
    if kind not in USER_SIDE:
        _read(_FIELDS, body.head(_OOPS_LINES), found, cited)
        if stop := _stop(found.get("page_walk", "")):
            found["page_walk_stop"] = stop
        _last_branch(body, found, cited)
    if form:
        patterns = _patterns((*form.details, *table.DETAILS.get(kind, ())))
        _read(patterns, body, found, cited, _LONGEST)
    if kind is Kind.OOM_KILL:
        _largest_cache(body, found, cited)
        _largest_task(body, found, cited)
    if kind in _WARNED:
        _own_words(body, found, cited)
    if kind in (Kind.SANITIZER, Kind.SLAB, Kind.LEAK):
        _stacks(body, found, cited)
    return found, cited


def _read(
    patterns: Sequence[WordedPattern],
    body: ReportText,
    found: dict[str, str],
    cited: dict[str, int],
    longest: int | None = None,
) -> None:
    """Add what the expressions find: of each name the first value, cut to the longest length."""
    words = {word for row in patterns for word in row.words if word in body.text}
    rows = [row for row in patterns if not words.isdisjoint(row.words)] if words else ()
    for line in body.holding(*words):
        for row in rows:
            match = row.search(line.text)
            for name, value in match.groupdict().items() if match else ():
                if value is not None and name not in found:
                    found[name], cited[name] = value.strip()[:longest], line.number


def _last_branch(body: ReportText, found: dict[str, str], cited: dict[str, int]) -> None:
    for index in body.places("Last Breaking-Event-Address:")[:1]:
        for line in body.lines[index + 1 : index + 2]:
            if (frame := place_in(line)) and frame.function:
                found["last_branch"] = line.text.partition("]")[2].strip()
                cited["last_branch"] = line.number


def _largest_cache(body: ReportText, found: dict[str, str], cited: dict[str, int]) -> None:
    """Add the largest slab cache that cannot be shrunk, and its part of all of them in percent."""
    sizes: dict[int, tuple[int, str]] = {}
    for index in body.places("Unreclaimable slab info:")[:1]:
        for line in body.lines[index + 2 : index + 2 + _CACHES]:
            if match := _CACHE.match(line.text):
                sizes[line.number] = int(match["size"]), match["name"]
    if sizes and (total := sum(size for size, _ in sizes.values())):
        number, (size, name) = max(sizes.items(), key=lambda each: each[1])
        found["largest_cache"], found["largest_cache_percent"] = name, str(100 * size // total)
        cited["largest_cache"] = cited["largest_cache_percent"] = number


def _largest_task(body: ReportText, found: dict[str, str], cited: dict[str, int]) -> None:
    """Add the row of the process with the most memory; `rss` is the fourth number after the pid."""
    heads = body.places("total_vm      rss", "total_vm   rss", "total_vm rss")
    rows = (
        (int(match["rss"]), -line.number, line)
        for index in heads[:1]
        for line in body.lines[index + 1 : index + 1 + _TASKS]
        if (match := _TASK.match(line.text))
    )
    if largest := max(rows, default=None, key=lambda row: row[:2]):
        found["largest_task"] = largest[2].text.strip()
        cited["largest_task"] = largest[2].number


def _own_words(body: ReportText, found: dict[str, str], cited: dict[str, int]) -> None:
    """Add a warning's own words: above its headline, and before 4.11 below it.

    `kernel/panic.c`: __warn_printk, and warn_slowpath_fmt before, behind the hardware's name.
    """
    lines: Sequence[LogLine] = ()
    if cut := body.places("cut here")[:1]:
        lines = list(takewhile(_is_no_headline, body.lines[cut[0] + 1 : cut[0] + 1 + _SAID]))
    if not lines and (head := body.places("WARNING: at ")[:1]):
        lines = body.lines[head[0] + 1 : head[0] + 1 + _SAID]
        lines = list(takewhile(lambda line: "Modules linked in" not in line.text, lines))
    own = [x for x in lines if not (x.frame or x.text.lstrip().startswith(_NOT_SAID))]
    for name, line in zip(("said", "said_next"), filter(_has_text, own), strict=False):
        found[name], cited[name] = line.text.strip(), line.number


def _is_no_headline(line: LogLine) -> bool:
    return "WARNING: " not in line.text and "BUG at " not in line.text


def _has_text(line: LogLine) -> bool:
    return bool(line.text.strip())


def _stacks(body: ReportText, found: dict[str, str], cited: dict[str, int]) -> None:
    """Add the functions and modules that allocated and freed the object."""
    for name, heads in _STACKS:
        for index in body.places(*heads)[:1]:
            # SLUB names its caller in the headline; the stack below may begin after that one.
            caller = place_in(body.lines[index])
            own = caller if caller and not _of_allocator(caller) else None
            frame = own or _owner(body.lines[index + 1 : index + 1 + _DEPTH])
            if frame and frame.function:
                found[f"{name}_by"] = frame.function
                cited[f"{name}_by"] = frame.line or body.lines[index].number
                if frame.module:
                    found[f"{name}_module"] = frame.module


def _owner(lines: Sequence[LogLine]) -> Frame | None:
    for line in lines:
        frame = frame_of(line)
        if frame is None:
            if line.text.strip() and "(stack is not available)" not in line.text:
                continue
            return None
        if frame.reliable and frame.function and not _of_allocator(frame):
            return frame
    return None


def _of_allocator(frame: Frame) -> bool:
    name = frame.function or ""
    return any(part in name for part in ALLOCATING)
