"""One report of the kernel: an oops, a warning, a panic, a user-space fault, an OOM kill."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.pointer import InlinedCall, Pointer


class Kind(StrEnum):
    """What a report is about, by its own words. Why it happened is the cause (`RootCause`)."""

    NULL_POINTER = "null-pointer-dereference"
    PAGE_FAULT = "page-fault"
    USER_ACCESS = "user-memory-access"
    GENERAL_PROTECTION = "general-protection-fault"
    KERNEL_BUG = "kernel-bug"
    WARNING = "warning"
    PANIC = "panic"
    STACK_GUARD = "stack-guard-page"
    STACK_CORRUPTED = "stack-corrupted"
    DOUBLE_FAULT = "double-fault"
    TRAP = "trap"
    LIST_CORRUPTION = "list-corruption"
    SANITIZER = "sanitizer"
    SLAB = "slab-check"
    BAD_PAGE = "bad-page"
    USERCOPY = "usercopy"
    REFCOUNT = "refcount"
    LOCKDEP = "lockdep"
    ATOMIC_SLEEP = "atomic-sleep"
    LOCKUP = "lockup"
    STALL = "stall"
    HUNG_TASK = "hung-task"
    LEAK = "memory-leak"
    HARDWARE = "hardware-error"
    REBOOT = "unexpected-reboot"
    INFO = "info"
    USER_SEGFAULT = "user-space-segfault"
    USER_TRAP = "user-space-trap"
    OOM_KILL = "oom-kill"


USER_SIDE = frozenset({Kind.USER_SEGFAULT, Kind.USER_TRAP, Kind.OOM_KILL})
"""Kinds that are not faults of the kernel itself; they rank after kernel faults."""


LOADERS: Final = {"insmod": "+", "modprobe": "+", "rmmod": "-"}
"""Programs that do nothing but load or remove modules, and how the list marks these meanwhile."""


class Access(StrEnum):
    """What the faulting instruction did with the address."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"
    FREE = "free"


class Fault(msgspec.Struct, frozen=True):
    """The access that failed.

    `address` and `error_code` are hexadecimal with `0x`; `error_code` is the x86 error code, the
    arm64 ESR or what else the architecture prints. `mode` is `kernel` or `user`.
    """

    address: str | None = None
    access: Access | None = None
    mode: str | None = None
    reason: str | None = None
    error_code: str | None = None

    @property
    def address_value(self) -> int | None:
        """The address as a number, None where it is none."""
        try:
            return int(self.address, 16) if self.address else None
        except ValueError:
            return None


class Frame(msgspec.Struct, frozen=True):
    """One function of a call trace, or the faulting one.

    `offset` and `size` are bytes; `context` is the stack it stood on (`IRQ`, `NMI`, `TASK`,
    `SOFTIRQ` …); `reliable` is false for the frames the unwinder marks with `?`; `line` is the
    line of the log.
    """

    function: str | None
    offset: int | None = None
    size: int | None = None
    module: str | None = None
    reliable: bool = True
    context: str | None = None
    address: str | None = None
    line: int | None = None


class LinkedModule(msgspec.Struct, frozen=True):
    """A module of the "Modules linked in:" list.

    `flags` are its taint letters, with `+` while it is being loaded and `-` while it is being
    unloaded (`kernel/module/main.c`, print_modules).
    """

    name: str
    flags: str = ""


class Line(msgspec.Struct, frozen=True):
    """A line of the log, unchanged but for control characters. Lines count from 1."""

    number: int
    text: str


class Span(msgspec.Struct, frozen=True):
    """The lines of the log that a report covers, both ends included, counted from 1."""

    first_line: int
    last_line: int


class SourceLine(msgspec.Struct, frozen=True):
    """A place in source code."""

    file: str
    line: int


class SpokenBefore(msgspec.Struct, frozen=True):
    """The last line that a module printed before a report; `seconds` is how long before."""

    module: str
    line: Line
    seconds: float | None = None


_CONSOLE: Final = regex(r"^(?:[\w.-]{1,64}@\S{1,80}?[#$] |\S{1,64} login: )")
"""What a shell or getty wrote at the beginning of a line of the kernel's."""
_PASTED: Final = " \t`"
_DISABLES: Final = ' "echo 0 > '
"""How the hint of a hung task begins (`kernel/hung_task.c`), where lines were joined."""


def said(text: str) -> str:
    """Return what the kernel said in a line, without what a console or a paste added to it."""
    return _CONSOLE.sub("", text.strip(_PASTED)).partition(_DISABLES)[0].strip(_PASTED)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything read from one report.

    `title`, `alt_titles`, `type` and `corrupted` follow the naming that syzbot uses, so that a
    title can be searched for. `boot` counts the boots seen in the log from 0, `number` the reports
    within that boot from 1, `die_count` is the kernel's own `[#N]`. `timestamp` is seconds since
    boot; `wall_clock` is the time of day where the log prints one. `registers` holds values as
    printed, with `0x` (an instruction pointer printed as a symbol stays a symbol). `details` holds
    what only some reports have, under names that `klog/messages.py`, `klog/details.py` and the
    module of `klog/formats` for the kind document.
    `cited` maps a field (`headline`, `fault`, `function`, `registers`, `code`, `modules`,
    `process`, `workqueue`, `trace`, a register as `registers.rax`, or a key of `details`) to the
    line it was read from. `outside` names modules from outside the kernel that no list of the
    report marks, but the rest of the log; `before` has lines just before it that tell of trouble,
    `spoken_before` what modules printed in the seconds
    before, the nearest first. `excerpt` is the report's own text, `unread` its lines that are so
    damaged that they could not be read. `source_line`, `inlined` (the functions inlined at the
    place, the outermost first) and `pointer` come from debug information, not from the log;
    `file_note` says why they do not, where a file with it could not be read.
    """

    kind: Kind
    title: str
    alt_titles: tuple[str, ...] = ()
    type: str | None = None
    # Parts are missing, so the title is not reliable.
    corrupted: bool = False
    corrupted_reason: str | None = None
    arch: str | None = None
    kernel_release: str | None = None
    boot: int = 0
    number: int = 1
    die_count: int | None = None
    timestamp: float | None = None
    wall_clock: str | None = None
    function: str | None = None
    offset: int | None = None
    size: int | None = None
    module: str | None = None
    fault: Fault | None = None
    cpu: int | None = None
    pid: int | None = None
    comm: str | None = None
    hardware: str | None = None
    workqueue: str | None = None
    # Empty for "Not tainted", None where the report does not print it.
    tainted: tuple[str, ...] | None = None
    modules: tuple[LinkedModule, ...] = ()
    outside: tuple[str, ...] = ()
    spoken_before: tuple[SpokenBefore, ...] = ()
    before: tuple[Line, ...] = ()
    last_unloaded: str | None = None
    registers: dict[str, str] = {}
    code: str | None = None
    frames: tuple[Frame, ...] = ()
    details: dict[str, str] = {}
    span: Span
    cited: dict[str, int] = {}
    excerpt: tuple[Line, ...] = ()
    unread: tuple[Line, ...] = ()
    source_line: SourceLine | None = None
    inlined: tuple[InlinedCall, ...] = ()
    pointer: Pointer | None = None
    file_note: str | None = None

    @property
    def message(self) -> str:
        """The headline as the kernel printed it, without what stands before it on the console.

        The title where the excerpt has no such line.
        """
        headline = self.line_of()
        text = next((line.text for line in self.excerpt if line.number == headline), self.title)
        return said(text) or self.title

    @property
    def headline(self) -> str:
        """The message and the function, where the message does not name it, for a list."""
        if not self.function or self.function in self.message:
            return self.message
        return f"{self.message}, in {self.function}"

    @property
    def place(self) -> SourceLine | None:
        """The file and line that the kernel names for its own check, or None."""
        file, line = self.details.get("file"), self.details.get("file_line", "")
        return SourceLine(file, int(line)) if file and line.isdecimal() else None

    @property
    def texts(self) -> dict[int, str]:
        """The text of each line of the excerpt, by its number: for a line that something cites."""
        return {line.number: line.text for line in self.excerpt}

    @property
    def is_kernel_fault(self) -> bool:
        """Whether it is about the kernel, not about a program or memory running out."""
        return self.kind not in USER_SIDE

    @property
    def follows_fault(self) -> bool:
        """Whether it shows itself that the kernel died before: `[#2]` or more, or taint D."""
        died = "D" in (self.tainted or ()) and not self._died_itself
        return self.is_kernel_fault and (died or (self.die_count or 0) > 1)

    @property
    def _died_itself(self) -> bool:
        """Whether the taint was printed behind the report's own end: then it tells of itself.

        The kernel sets it in `oops_end` (`kernel/panic.c`, add_taint by die), before it panics.
        """
        place = self.cited.get("process", 0)
        before = (line.text for line in self.excerpt if line.number < place)
        return "headless" in self.details and any(
            "---[ end trace" in text or "Fatal exception" in text for text in before
        )

    @property
    def is_words_alone(self) -> bool:
        """Whether nothing shows that the kernel warned: drivers print the word WARNING, too.

        The kernel's own warnings name their place in the source (kernel/panic.c, __warn).
        """
        shown = self.frames or self.registers or self.modules or self.function or self.module
        worded = self.kind is Kind.WARNING and self.title.startswith("WARNING: ")
        return worded and not shown and "file" not in self.details

    @property
    def out_of_tree(self) -> tuple[str, ...]:
        """Names of the modules that are not part of the kernel's own tree.

        They are marked O, proprietary ones P; before 3.2 there was no O.
        """
        marked = (m.name for m in self.modules if "O" in m.flags or "P" in m.flags)
        return (*marked, *self.outside)

    @property
    def unloaded_out_of_tree(self) -> str | None:
        """The name of the module that was unloaded last, where its mark is of such a module."""
        flags = self.details.get("last_unloaded_flags", "")
        return self.last_unloaded if "O" in flags or "P" in flags else None

    @property
    def is_call(self) -> bool:
        """Whether its place is a call on the way to where the kernel reported the problem.

        Without a faulting instruction, the place is a frame of the trace, and its offset is the
        return address, just after the call. The same holds where the processor jumped to an address
        without code: then the faulting frame has no function.
        """
        if not self.frames or self.frames[0].function == self.function:
            return False
        return self.frames[0].function is None or not (self.code or self.registers)

    def register(self, name: str) -> int | None:
        """Return a register's value, or None where the log does not print it as a number."""
        text = self.registers.get(name.lower())
        try:
            return int(text, 16) if text else None
        except ValueError:
            return None

    def line_of(self, *fields: str) -> int:
        """Return the log line of the first of these fields that was found, else the headline's."""
        for field in fields:
            if field in self.cited:
                return self.cited[field]
        return self.cited.get("headline", self.span.first_line)
