"""What a report says was being done when the kernel faulted, as far as a trigger needs it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame, Kind, Report
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.tools.module.module_name import is_module_name, kernel_name
from pagefault_doctor.tools.reproduce.source_names import NamedFile, SourceNames

_INTERRUPTS: Final = regex(
    r"asm_sysvec_\w+|asm_common_interrupt|common_interrupt|ret_from_intr|apic_timer_interrupt|"
    r"el1_(?:irq|interrupt)|el1h_64_irq(?:_handler)?|__irq_svc|do_IRQ|smp_apic_timer_interrupt"
)
"""Functions below which stands what was interrupted, and has nothing to do with it."""

_OF_THE_INTERRUPTED: Final = (Kind.LOCKUP, Kind.STALL, Kind.HUNG_TASK)
"""Kinds that an interrupt finds: the interrupted task is the one that they are about."""

_FREED: Final = regex(r"6b6b6b6b|use-after-free|Poison overwritten", re.IGNORECASE)
_RECURSION: Final = 6
"""How often a function stands in the trace of an endless recursion, at least."""
_CACHE: Final = regex(r"kmalloc(?:-\w+)?-(?P<size>\d{1,5})(?P<unit>k?)$")
_REMOVAL: Final = regex(
    r"remov|del|detach|free|stop|off|close|unbind|unplug|clear|reset|disable|release|drop",
    re.IGNORECASE,
)
MODULE_PLACE: Final = "MODULE"
"""Stands in a command for a module whose name is not known."""


class Scene:
    """The report, its functions from the fault on outwards, and what the source names."""

    def __init__(self, report: Report, suspect: str | None, in_source: SourceNames) -> None:
        self.report = report
        self.suspect = kernel_name(suspect) if suspect and is_module_name(suspect) else None
        self.in_source = in_source
        self.comm = clean_line(report.comm or "")[:32]

    @cached_property
    def functions(self) -> dict[str, int]:
        """The names of the functions, without a compiler's endings, and the lines they stand in."""
        named = ((f.function.partition(".")[0], f.line) for f in self._frames() if f.function)
        functions: dict[str, int] = {}
        if self.report.function:
            functions[self.report.function.partition(".")[0]] = self.report.line_of("function")
        for name, line in named:
            functions.setdefault(name, line or self.report.line_of("trace"))
        return functions

    def _frames(self) -> Iterator[Frame]:
        """Yield the frames of the context that faulted: the sure ones, if there are any."""
        frames = self.report.frames
        sure = [frame for frame in frames if frame.reliable and frame.function]
        frames = tuple(sure) or frames
        entries = [
            n for n, frame in enumerate(frames) if _INTERRUPTS.fullmatch(frame.function or "")
        ]
        if not entries:
            yield from frames
        elif self.report.kind in _OF_THE_INTERRUPTED:
            yield from frames[entries[-1] + 1 :]
        else:
            yield from frames[: entries[0] + 1]

    @cached_property
    def is_freed(self) -> bool:
        """Whether the report is about an object that was freed."""
        report = self.report
        address = report.fault.address if report.fault else None
        texts = (address, report.title, *report.details.values(), *report.registers.values())
        return any(_FREED.search(text) for text in texts if text)

    @property
    def is_division(self) -> bool:
        """Whether the processor could not divide."""
        return "divide_error" in self.report.details or "divide error" in self.report.title

    @property
    def is_recursion(self) -> bool:
        """Whether one function called itself until the stack was full."""
        names = Counter(frame.function for frame in self.report.frames if frame.function)
        full = self.report.kind in (Kind.STACK_GUARD, Kind.DOUBLE_FAULT)
        return full and max(names.values(), default=0) >= _RECURSION

    @property
    def is_overflow(self) -> bool:
        """Whether more was written than the object holds."""
        texts = (self.report.title, self.report.details.get("problem", ""))
        return any("Redzone overwritten" in text or "out-of-bounds" in text for text in texts)

    @property
    def object_size(self) -> int:
        """The bytes of an object of the slab cache that the report names, 0 where it names none."""
        details = self.report.details
        found = _CACHE.search(details.get("cache", details.get("largest_cache", "")))
        return int(found["size"]) * (1024 if found["unit"] else 1) if found else 0

    @property
    def files(self) -> tuple[NamedFile, ...]:
        """The files that the source names: those of the suspect's own source file, if any."""
        own = tuple(file for file in self.in_source.files if self._is_own(file.source))
        return own or self.in_source.files

    def _is_own(self, source: str) -> bool:
        return kernel_name(source) == self.suspect

    def handled(self) -> Iterator[tuple[NamedFile, str, str]]:
        """Yield files with a handler in the trace: the file, what it does, the function."""
        for function in self.functions:
            for file in self.in_source.files:
                for doing, handler in file.handlers.items():
                    if handler == function:
                        yield file, doing, function

    def values(self, file: NamedFile | None) -> tuple[str, ...]:
        """Return what may be written to a file, the likeliest first."""
        words = [
            word for source, word in self.in_source.words if file is None or source == file.source
        ]
        if self.is_division:
            return tuple(dict.fromkeys(("0", *words, "1")))
        if self.is_freed:
            words.sort(key=lambda word: _REMOVAL.search(word) is None)
            return tuple(dict.fromkeys((*words, "100", "1", "0")))
        return tuple(dict.fromkeys((*words, "1", "0")))

    def removals(self, file: NamedFile) -> tuple[str, ...]:
        """Return the words of a file's source that ask to give something back."""
        return tuple(word for word in self.values(file) if _REMOVAL.search(word))
