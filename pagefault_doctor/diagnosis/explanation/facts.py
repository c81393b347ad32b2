"""The facts of a report: what an expert would quote of the log, the most decisive first.

A fact is the log's own words, from the line that is named with it, and what they mean where that
has to be worked out. Which words decide is data: `_ROWS` lists details of reports, which the
families in `klog/formats/` read, by how much they tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final

import msgspec

from pagefault_doctor.diagnosis import address, function_roles, machine_check, poison
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.error_numbers import errors_in
from pagefault_doctor.diagnosis.explanation import decoded
from pagefault_doctor.diagnosis.reentry import entered_again
from pagefault_doctor.diagnosis.registers import error_words, register_notes
from pagefault_doctor.model.diagnosis import Candidate, Quote
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report, said
from pagefault_doctor.symbols.value_origin import OriginKind

LONGEST: Final = 160
"""Characters of a line that are quoted at most."""

Meaning = Callable[[Report, Context], str]


class _Row(msgspec.Struct, frozen=True):
    """Details that are quoted alike, and what they mean: words, or what works them out."""

    names: tuple[str, ...]
    means: Meaning | None = None
    words: str = ""


def _row(names: str, means: Meaning | None = None, words: str = "") -> _Row:
    return _Row(tuple(names.split()), means, words)


_ROWS: Final = (
    # What a check of the kernel's says, and where it stands in the source
    _row("link_found list_corruption", decoded.link),
    _row("exitcode", decoded.exit_code),
    _row("assertion because said said_next check usercopy_exposure usercopy_overwrite"),
    _row("fortify_overflow field_spanning_write missing_endbr cfi_target"),
    _row("corrupted_in"),
    _row("corrupted_at", decoded.line_of_source),
    _row("poison_overwritten redzone_overwritten padding_overwritten object_already_free"),
    _row("kernel_bug file"),
    _row("version_line", words="the version of the module"),
    # Whose object, where in it, and who had it
    _row("first_byte", decoded.counted),
    _row("pte", decoded.page_table_entry),
    _row("page_dump", decoded.page_counts),
    _row("overwritten distance cache access_size page_address"),
    _row("index array_index_out_of_bounds shift_out_of_bounds value_before uninit_bytes"),
    _row("local_variable"),
    _row("allocated_in allocated_by", words="who allocated it"),
    _row("freed_in freed_by", words="who freed it"),
    _row("created_by", words="who made the memory that was never set"),
    _row("allocated_task freed_task object page_flags"),
    # Memory that ran out: the limit, and who held it
    _row("constraint", decoded.constraint),
    _row("limit killed_in killed total_vm"),
    _row("largest_task", words="the largest process of the list"),
    _row("order", decoded.order),
    _row("zone swap largest_cache"),
    # Hardware: which part
    _row("bank", lambda report, _: machine_check.meaning(report)),
    _row("label gpu gpu_id gpu_driver mc_status mc_unit mc_address mce_reason device memory_place"),
    _row("given_up", words="the drive is gone"),
    _row("ata_error", decoded.disk_words),
    _row("command ata_result ata_status"),
    _row("bus_error", decoded.disk_words),
    _row("sense add_sense sector"),
    _row("dma_address error_type severity address"),
    _row("attributes insn_address processor aer_device"),
    # A program: where in which file
    _row("base", decoded.place_in_object),
    _row("return_address", words="who called"),
    _row("crash_frame", words="where it died"),
    _row("own_function", words="the first function of its own"),
    _row("waited_in", words="it was waiting for work"),
    _row("first_signal", decoded.first_signal),
    _row("trap damaged_store"),
    # A hang: who holds what is waited for, and for how long
    _row("gpu_not_reset", words="the driver could not set the chip back"),
    _row("blocked_on", words="who holds what it waits for"),
    _row("gpu_program", words="whose work the graphics chip did not finish"),
    _row("seconds stalled_cpu jiffies task lock in_atomic preempt_count"),
    # A start that failed
    _row("no_root no_init ramdisk_error unpack_error rdinit_error init_error partition"),
    # A fault: what the kernel and the page tables say of the address
    _row("hint stack hint_address page_walk_stop already_free_irq handler"),
)
"""The most decisive first."""
_OWNERS: Final = ("allocated_by", "freed_by", "created_by")
_PLACE: Final = regex(r"\b(?:E?IP:|EIP is at|PC is at|RIP:|pc :|epc *:|NIP \[|ERA:|TPC|Krnl PSW).*")
"""The faulting instruction, from its label on."""
_FAULTS: Final = frozenset(
    {Kind.NULL_POINTER, Kind.PAGE_FAULT, Kind.USER_ACCESS, Kind.GENERAL_PROTECTION}
)
_CODE: Final = r"[<(][0-9a-f]{{2}}[>)](?: [0-9a-f]{{2}}){{0,{}}}|[<(][0-9a-f]{{4,8}}[>)]"
"""The faulting instruction in the `Code:` line, of so many bytes besides the marked one."""
_SOON: Final = 0.05
"""Seconds that are told."""
_PER_CPU: Final = ("%gs:", "%fs:")
_SLEEPING: Final = regex(r"(?:__)?(?:io_)?schedule(?:_|$)|context_switch|__switch_to|bit_wait")
"""Functions of a task that sleeps, whatever it waits for (`kernel/sched/core.c`)."""


def facts(report: Report, context: Context, first: Candidate) -> tuple[Quote, ...]:
    """Return the facts, the headline first, each line once. `first` is the likeliest cause."""
    found: dict[int, Quote] = {}
    for quote in _all(report, context, first):
        known = found.setdefault(quote.line, quote)
        if quote.means not in known.means:
            means = "; ".join(filter(None, (known.means, quote.means)))
            found[quote.line] = msgspec.structs.replace(known, means=means)
    return tuple(quote for quote in found.values() if quote.text)


def _all(report: Report, context: Context, first: Candidate) -> Iterator[Quote]:
    lines = report.texts
    said_by_code = _error_code(report, context) or errors_in(report.message, context.arch)
    yield Quote(_cut(report.message), report.line_of(), said_by_code)
    yield from _of_details(report, context, lines)
    if report.kind is Kind.HUNG_TASK:
        yield from _waits_in(report, lines)
    if (first_call := entered_again(report)) and first_call.line in lines:
        words = f"{first_call.function} again further out: that call may hold the lock it waits for"
        yield Quote(_cut(lines[first_call.line].strip()), first_call.line, words)
    if not report.is_kernel_fault:
        return
    yield from _place(report, lines)
    yield from _suspect(report, first, lines)
    yield from _fetched(report, context, lines)
    yield from _code(report, context, lines)
    yield from _odd_registers(report, context, lines)
    yield from _before(report, context)
    yield from _taint(report, context, lines)


def _error_code(report: Report, context: Context) -> str:
    """Return what the code in the headline tells, where nothing tells the address."""
    if told := decoded.bus_error(report, context):
        return told
    if report.kind is not Kind.PAGE_FAULT or context.printed_address is not None:
        return ""
    words = error_words(context) if report.line_of("fault") == report.line_of() else None
    code = report.fault.error_code if report.fault else None
    return f"the error code {code} says: {words}" if words and code else ""


def _cut(text: str, value: str = "") -> str:
    """Return the part of a line that is quoted: its beginning, or what begins with the value."""
    begin = max(text.find(value), 0)
    if len(text) <= LONGEST or begin + len(value) <= LONGEST:
        begin = 0
    part = text[begin:]
    if len(part) <= LONGEST:
        return part
    end = part.rfind(" ", 1, LONGEST)
    return part[: end if end > 0 else LONGEST].strip()


def _of_details(report: Report, context: Context, lines: Mapping[int, str]) -> Iterator[Quote]:
    for row in _ROWS:
        for name in row.names:
            if name in report.details and name in report.cited and _tells(report, name):
                number, value = report.cited[name], report.details[name]
                text = _cut(said(lines.get(number, value)), value)
                means = row.means(report, context) if row.means else row.words
                yield Quote(text, number, means or errors_in(text, context.arch))


def _tells(report: Report, name: str) -> bool:
    """Whether a detail tells more than that somebody allocated or freed memory."""
    return name not in _OWNERS or not function_roles.only_passes_on(report.details[name])


def _waits_in(report: Report, lines: Mapping[int, str]) -> Iterator[Quote]:
    """Yield the frame of a hung task that shows what it waits for, and who asked for that."""
    awake = [f for f in report.frames if f.reliable and f.line in lines]
    awake = [f for f in awake if not _SLEEPING.match(f.function or "")]
    asked = (f for f in awake if not function_roles.only_passes_on(f.function))
    for frame in dict.fromkeys((*awake[:1], *islice(asked, 1))):
        if frame.line and not function_roles.is_entry_point(frame.function):
            yield Quote(_cut(lines[frame.line].strip()), frame.line, "where it waits")


def _place(report: Report, lines: Mapping[int, str]) -> Iterator[Quote]:
    number = report.cited.get("function")
    if number and (found := _PLACE.search(lines.get(number, ""))):
        text = _cut(said(found[0]))
        # crash encloses it.
        yield Quote(text if "[" in text else text.rstrip("]"), number)
    elif number and number in lines and report.kind in _FAULTS and report.is_call:
        yield Quote(_cut(lines[number].strip()), number, "the call that led there")


def _suspect(report: Report, first: Candidate, lines: Mapping[int, str]) -> Iterator[Quote]:
    """Yield what shows the module that is blamed, where the fault itself is in other code."""
    if not first.module or first.module == report.module:
        return
    number = report.cited.get("workqueue", 0)
    if number in lines and f"[{first.module}]" in lines[number]:
        yield Quote(_cut(said(lines[number])), number, f"it ran work of module {first.module}")
    of_it = (f for f in report.frames if f.module == first.module and f.reliable)
    if (frame := next(of_it, None)) and frame.line and frame.line in lines:
        words = f"the first of module {first.module} in the trace"
        yield Quote(_cut(lines[frame.line].strip()), frame.line, words)


def _fetched(report: Report, context: Context, lines: Mapping[int, str]) -> Iterator[Quote]:
    """Yield CR2 where it is the instruction pointer as well: the code itself was not there."""
    number, cr2 = report.cited.get("registers.cr2", 0), context.registers.get("cr2")
    pointers = {context.registers.get(name) for name in ("rip", "eip")} - {None}
    if report.kind not in _FAULTS or cr2 not in pointers:
        return
    if found := _CR2.search(lines.get(number, "")):
        yield Quote(found[0], number, "the address of the instruction itself: no code is there")


_CR2: Final = regex(r"\bCR2: [0-9a-f]+")


def _code(report: Report, context: Context, lines: Mapping[int, str]) -> Iterator[Quote]:
    """Yield the faulting instruction and what is known of its pointer."""
    number, instruction = report.cited.get("code"), context.instruction
    if report.kind not in _FAULTS or not number or instruction is None or context.base is None:
        return
    found = regex(_CODE.format(max(len(instruction.code) - 1, 0))).search(lines.get(number, ""))
    if not found:
        return
    name, value = context.base
    means = f"{instruction.text}, with {name.upper()} = {value:#x}"
    if value >= address.PAGE:
        note = next((r.means for r in register_notes(context) if r.register == name), "")
        means += f" ({note})" if note else ""
    yield Quote(found[0], number, means + _whence(report, context))


def _whence(report: Report, context: Context) -> str:
    """Return where the pointer came from, as the code before the fault shows it."""
    found = context.origin
    if found is None:
        return ""
    match found.how:
        case OriginKind.LOADED:
            per_cpu = any(segment in found.text for segment in _PER_CPU)
            words = " (memory of the processor, such as a field of the current task)"
            return f", from {found.text}{words if per_cpu else ''}"
        case OriginKind.PASSED:
            return f", argument {found.number} of {report.function}: its caller passed that"
        case OriginKind.CLEARED:
            return f", just set to 0 ({found.text})"
        case OriginKind.RETURNED:
            return ", what the call just before returned"


def _odd_registers(report: Report, context: Context, lines: Mapping[int, str]) -> Iterator[Quote]:
    """Yield registers that hold no valid address, where the access itself could not be read.

    One of them is what the fault came of (`arch/x86/kernel/traps.c`, exc_general_protection).
    """
    if report.kind not in _FAULTS or context.base or context.bits != 64:
        return
    if report.kind is not Kind.GENERAL_PROTECTION:
        yield from _poisoned(context, lines)
        return
    odd = ((n, v) for n, v in context.general() if not address.canonical(v, context.arch))
    for name, value in islice(odd, _ODD):
        number = context.register_line(name)
        found = regex(rf"\b{name.upper()}: 0*{value:x}\b").search(lines.get(number or 0, ""))
        if found and number:
            means = next((r.means for r in register_notes(context) if r.register == name), "")
            told = f": {means}" if means != AddressClass.NON_CANONICAL.value else ""
            yield Quote(found[0], number, f"no valid address{told}")


def _poisoned(context: Context, lines: Mapping[int, str]) -> Iterator[Quote]:
    """Yield registers that hold what the kernel fills freed or fresh memory with."""
    held = ((n, v, hit) for n, v in context.general() if (hit := poison.find(v, context.bits)))
    for name, value, hit in islice(held, _ODD):
        number = context.register_line(name)
        digits = f"{value:016x}"
        if number and digits in lines.get(number, ""):
            yield Quote(digits, number, f"in {name.upper()}: {hit.poison.name}, {hit.poison.means}")


_ODD: Final = 2


def _before(report: Report, context: Context) -> Iterator[Quote]:
    """Yield what came before in this boot: another report, and the last words of modules."""
    earlier = [r for r in context.others if r.span.first_line < report.span.first_line]
    for other in earlier[-1:]:
        yield Quote(
            _cut(other.message), other.line_of(), "earlier in this boot" + _gap(other, report)
        )
    spans = [other.span for other in context.others]
    for line in report.before:
        if not any(s.first_line <= line.number <= s.last_line for s in spans):
            errors = errors_in(line.text, context.arch)
            means = f"just before; {errors}" if errors else "just before"
            yield Quote(_cut(said(line.text)), line.number, means)
    for spoken in report.spoken_before[:1]:
        when = f", {spoken.seconds:.1f} s before" if spoken.seconds is not None else ", before"
        yield Quote(
            _cut(said(spoken.line.text)), spoken.line.number, f"said by {spoken.module}{when}"
        )


def _gap(earlier: Report, later: Report) -> str:
    if earlier.timestamp is None or later.timestamp is None:
        return ""
    seconds = later.timestamp - earlier.timestamp
    return f", {seconds:.1f} s before" if seconds >= _SOON else ", just before"


def _taint(report: Report, context: Context, lines: Mapping[int, str]) -> Iterator[Quote]:
    number = report.cited.get("process")
    found = _TAINTED.search(lines.get(number, "")) if number else None
    if number and found and (means := decoded.tainted(report, context)):
        yield Quote(found[0].strip(), number, means)


_TAINTED: Final = regex(r"Tainted: [A-Z ]+(?= )")
