"""The machine itself: memory, processor, bus, disk or firmware."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pagefault_doctor.diagnosis import address, history, instruction_roles
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_MESSAGES = (
    ("machine_check", "hard.machine-check", "the processor reported a machine check"),
    ("machine_check_bank", "hard.machine-check", "the processor reported a machine check"),
    ("hardware_error_log", "hard.machine-check", "the hardware reported an error of its own"),
    ("single_bit_error", "hard.single-bit", "the kernel itself found a single flipped bit"),
    ("firmware_bug", "hard.firmware", "the kernel says that the firmware is broken"),
    ("damaged_store", "hard.store", "a file system does not find on its disk what it wrote there"),
    ("external_abort", "hard.external-abort", "the bus or memory answered with an error"),
)
_VIRTUAL = regex(
    r"QEMU|VMware|VirtualBox|KVM|Xen|Bochs|Hyper-V|Virtual Machine|Google Compute|amazon ec2", re.I
)
_IMPOSSIBLE = 0x7 | ((1 << 64) - 1) ^ ((1 << 40) - 1)
"""Bits that no two list entries differ in alone: below the alignment, or beyond 1 TiB."""

_HIGH = address.PAGE
"""From this bit on, entries of one list seldom differ in one bit alone."""
_ENTRIES = ("pte", "bad_entry")


def _one_bit(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh what would be empty but for one bit: an entry of a page table, or a pointer."""
    for name in _ENTRIES:
        entry = int(report.details.get(name, "0"), 16)
        if entry.bit_count() == 1 and entry >= _HIGH:
            text = f"the page-table entry {entry:#x} is an empty one with one bit set"
            yield context.evidence("hard.entry-bit", text, name)
            return
    at = context.pointer
    known = at is not None and (context.base or context.is_jump)
    if at and known and at.bit_count() == 1 and at >= address.NEAR_NULL and not context.poison:
        text = f"the bad pointer {at:#x} is NULL with one bit set"
        yield context.evidence("hard.null-bit", text, "registers", "fault")


def _flipped(report: Report, context: Context) -> Iterator[Evidence]:
    at, is_wild = context.pointer, context.address_class is AddressClass.NON_CANONICAL
    if at is not None and is_wild and report.arch != "arm64":
        found = address.repaired(at, tuple(value for _, value in context.general()))
        if found:
            bit, whole = found
            text = f"{at:#x} with bit {bit} flipped is {whole:#x}, a pointer like the others"
            yield context.evidence("hard.bit-flip", text, "registers", "fault")
    broken = context.broken_link
    if broken and broken.flipped == 1:
        text = f"the link {broken.actual:#x} differs from {broken.expected:#x} in one bit"
        key = "hard.one-bit"
        if (broken.expected ^ broken.actual) >= _HIGH:
            key = "hard.high-bit"
        if (broken.expected ^ broken.actual) & _IMPOSSIBLE:
            key, text = "hard.impossible-bit", f"{text}, and nothing can lie there"
        yield context.evidence(key, text, "link_found")
    byte = context.odd_byte
    if byte and byte.flipped == 1:
        text = f"one byte of the poison is {byte.found:#x} for {byte.expected:#x}: one bit differs"
        key = "hard.poison-decrement" if byte.is_decrement else "hard.poison-bit"
        yield context.evidence(key, text, "first_byte")


def _reports(report: Report, context: Context) -> Iterator[Evidence]:
    before = [o for o in context.others if o.kind is Kind.HARDWARE and o.number < report.number]
    if before:
        text, line = "the hardware had reported an error before", before[-1].line_of("headline")
        yield context.evidence("hard.before", text, line=line)
    yield from _pattern(report, context)
    if found := history.same_fault(report, context.history):
        text = f"the same fault came in {len(found)} more boots of the log: that is code"
        yield context.evidence("hard.same-place", text, "headline")
    processor = history.one_processor(report, (*context.others, *context.history))
    if processor is not None:
        text = f"unrelated programs crashed, all of them on CPU {processor}"
        yield context.evidence("hard.one-processor", text, "headline")


def _pattern(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether the faults have nothing in common, in several boots or in this one."""
    boots = history.first_crashes(report, (*context.history, *context.others))
    if history.unrelated(boots):
        foreign = history.common_foreign(boots)
        key = "hard.unrelated" if foreign else "hard.unrelated-boots"
        text = f"the faults of {len(boots)} boots have nothing in common"
        if foreign:
            text += f", but for {', '.join(sorted(foreign)[:3])}, which was loaded each time"
        yield context.evidence(key, text, "headline")
        return
    crashes = [o for o in (*context.others, report) if o.kind in history.CRASHES]
    if history.unrelated(crashes):
        text = "the faults of this boot have nothing in common"
        yield context.evidence("hard.unrelated", text, "headline")


def _machine(report: Report, context: Context) -> Iterator[Evidence]:
    if report.tainted and "M" in report.tainted:
        text = "a machine check had happened before (taint M)"
        yield context.evidence("hard.taint", text, "process")
    if report.tainted and "S" in report.tainted:
        text = "the processor runs out of its specification (taint S)"
        yield context.evidence("hard.specification", text, "process")
    failed = context.fact("memtest.failures")
    if failed and isinstance(failed.value, int) and failed.value > 0:
        yield context.fact_evidence("hard.memtest-failed", "memtester found bad memory", failed)
    elif passed := context.fact_is("memtest.passed", True):
        yield context.fact_evidence("hard.memtest-passed", "memtester found nothing", passed)
    if code := context.fact_is("module.text_flipped", True):
        text = "one bit of a module's code differs from its file, and code is read-only"
        yield context.fact_evidence("hard.text-bit", text, code)
    if report.hardware and _VIRTUAL.search(report.hardware):
        yield context.evidence("hard.virtual", "the machine is virtual", "hardware")


def _refused(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh an exception that the instruction in memory cannot raise: the processor read another.

    The kernel prints the bytes after the fact, from memory (`arch/x86/kernel/dumpstack.c`,
    show_opcodes). Only what modifies code as it runs has another explanation.
    """
    found = context.instruction
    is_known = instruction_roles.is_basic(found, context.arch)
    if report.kind is not Kind.TRAP or found is None or not is_known:
        return
    if "divide_error" in report.details and not instruction_roles.divides(found):
        text = f"a divide error at {found.text}, which divides nothing"
        yield context.evidence("hard.no-division", text, "code", "headline")
    elif "invalid_opcode" in report.details:
        text = f"the processor refused {found.text}, which every processor knows: it read other"
        yield context.evidence("hard.refused", f"{text} bytes than memory has", "code", "headline")


def weigh(report: Report, context: Context) -> Iterator[Evidence]:
    """Weigh whether the hardware or firmware is to blame."""
    if found := context.first_evidence(_MESSAGES):
        yield found
    elif report.kind is Kind.HARDWARE:
        yield context.evidence("hard.event", "the hardware reported an error", "headline")
    if history.waits_for_disk(report):
        yield context.evidence("hard.io-wait", "the task waits for a disk", "trace")
    flipped = "a flipped bit in a page table would show like this"
    if (context.x86_fault_bits or 0) & 8:
        yield context.evidence("hard.reserved", flipped, "fault")
    if "bad_page_map" in report.details:
        yield context.evidence("hard.bad-map", flipped, "headline")
    yield from _flipped(report, context)
    yield from _one_bit(report, context)
    yield from _refused(report, context)
    yield from _reports(report, context)
    yield from _machine(report, context)
