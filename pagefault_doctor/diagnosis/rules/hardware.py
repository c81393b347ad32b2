"""The machine itself: memory, processor, bus, disk or firmware."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pagefault_doctor.diagnosis import address, history
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind, Report

_WORDS = (
    ("Machine check", "hard.machine-check", "the processor reported a machine check"),
    ("Machine Check", "hard.machine-check", "the processor reported a machine check"),
    ("[Hardware Error]", "hard.machine-check", "the hardware reported an error of its own"),
    ("single bit error", "hard.single-bit", "the kernel itself found a single flipped bit"),
    ("single-bit error", "hard.single-bit", "the kernel itself found a single flipped bit"),
    ("BIOS is broken", "hard.firmware", "the kernel says that the firmware is broken"),
    ("[Firmware Bug]", "hard.firmware", "the kernel says that the firmware is broken"),
    ("SError Interrupt", "hard.external-abort", "the bus or memory answered with an error"),
    (
        "synchronous external abort",
        "hard.external-abort",
        "the bus or memory answered with an error",
    ),
)
_VIRTUAL = regex(
    r"QEMU|VMware|VirtualBox|KVM|Xen|Bochs|Hyper-V|Virtual Machine|Google Compute|amazon ec2", re.I
)
_IMPOSSIBLE = 0x7 | ((1 << 64) - 1) ^ ((1 << 40) - 1)
"""Bits that no two list entries differ in alone: below the alignment, or beyond 1 TiB."""
_IO_WAIT = ("io_schedule", "bit_wait_io", "blk_", "jbd2_")


def _flipped(report: Report, scene: Scene) -> Iterator[Evidence]:
    at = scene.pointer
    if (
        at is not None
        and scene.address_class is AddressClass.NON_CANONICAL
        and report.arch != "arm64"
    ):
        found = address.repaired(at, tuple(value for _, value in scene.general()))
        if found:
            text = (
                f"{at:#x} with bit {found[0]} flipped is {found[1]:#x}, a pointer like the others"
            )
            yield scene.says("hard.bit-flip", text, "registers", "fault")
    broken = scene.broken_link
    if broken and broken.flipped == 1:
        text = f"the link {broken.actual:#x} differs from {broken.expected:#x} in one bit"
        key = "hard.one-bit"
        if (broken.expected ^ broken.actual) & _IMPOSSIBLE:
            key, text = "hard.impossible-bit", f"{text}, and nothing can lie there"
        yield scene.says(key, text, line=broken.line)
    byte = scene.odd_byte
    if byte and byte.flipped == 1:
        text = f"one byte of the poison is {byte.found:#x} for {byte.expected:#x}: one bit differs"
        key = "hard.poison-decrement" if byte.is_decrement else "hard.poison-bit"
        yield scene.says(key, text, "first_byte")


def _reports(report: Report, scene: Scene) -> Iterator[Evidence]:
    before = [o for o in scene.others if o.kind is Kind.HARDWARE and o.number < report.number]
    if before:
        text = "the hardware had reported an error before"
        yield Evidence(text, scene.says("hard.before", text).weight, before[-1].line_of("headline"))
    yield from _pattern(report, scene)
    if found := history.again(report, scene.history):
        text = f"the same fault came in {len(found)} more boots of the log: that is code"
        yield scene.says("hard.same-place", text, "headline")
    processor = history.one_processor(report, (*scene.others, *scene.history))
    if processor is not None:
        text = f"unrelated programs crashed, all of them on CPU {processor}"
        yield scene.says("hard.one-processor", text, "headline")


def _pattern(report: Report, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether the faults have nothing in common, in several boots or in this one."""
    boots = history.first_crashes(report, (*scene.history, *scene.others))
    if history.unrelated(boots):
        foreign = history.common_foreign(boots)
        key = "hard.unrelated" if foreign else "hard.unrelated-boots"
        text = f"the faults of {len(boots)} boots have nothing in common"
        if foreign:
            text += f", but for {', '.join(sorted(foreign)[:3])}, which was loaded each time"
        yield scene.says(key, text, "headline")
        return
    crashes = [o for o in (*scene.others, report) if o.kind in history.CRASHES]
    if history.unrelated(crashes):
        text = "the faults of this boot have nothing in common"
        yield scene.says("hard.unrelated", text, "headline")


def _machine(report: Report, scene: Scene) -> Iterator[Evidence]:
    if report.tainted and "M" in report.tainted:
        yield scene.says("hard.taint", "a machine check had happened before (taint M)", "process")
    if report.tainted and "S" in report.tainted:
        text = "the processor runs out of its specification (taint S)"
        yield scene.says("hard.specification", text, "process")
    failed, passed = scene.fact("memtest.failures"), scene.fact("memtest.passed")
    if failed and isinstance(failed.value, int) and failed.value > 0:
        yield scene.knows("hard.memtest-failed", "memtester found bad memory", failed)
    elif passed and passed.value is True:
        yield scene.knows("hard.memtest-passed", "memtester found nothing", passed)
    code = scene.fact("module.text_flipped")
    if code and code.value is True:
        text = "one bit of a module's code differs from its file, and code is read-only"
        yield scene.knows("hard.text-bit", text, code)
    if report.hardware and _VIRTUAL.search(report.hardware):
        yield scene.says("hard.virtual", "the machine is virtual", "hardware")


def weigh(report: Report, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether the hardware or firmware is to blame."""
    found = None
    for phrase, key, text in scene.told(_WORDS):
        found = scene.line_with(phrase)
        if found:
            yield scene.says(key, text, line=found)
            break
    if report.kind is Kind.HARDWARE and not found:
        yield scene.says("hard.event", "the hardware reported an error", "headline")
    if report.kind is Kind.HUNG_TASK and any(
        (f.function or "").startswith(_IO_WAIT) for f in report.frames
    ):
        yield scene.says("hard.io-wait", "the task waits for a disk", "trace")
    bits = scene.x86_fault_bits
    if bits is not None and bits & 8:
        yield scene.says(
            "hard.reserved", "a flipped bit in a page table would show like this", "fault"
        )
    if scene.line_with("Bad page map"):
        yield scene.says(
            "hard.bad-map", "a flipped bit in a page table would show like this", "headline"
        )
    yield from _flipped(report, scene)
    yield from _reports(report, scene)
    yield from _machine(report, scene)
