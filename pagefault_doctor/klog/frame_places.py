"""Where in the bytes of a line a kernel names places in code, and the kernel that names them.

`lib/vsprintf.c` (%pS, %pB and, with build ids, %pSb), `lib/dump_stack.c` (dump_stack_print_info),
`init/version.c` (linux_banner).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_DIGITS: Final = rb"[0-9a-f]{1,16}"
_PLACE: Final = re.compile(
    rb"(?<![\w.$+])(?P<function>\.?[A-Za-z_$][\w.$]{0,511})\+0x(?P<offset>" + _DIGITS + rb")"
    rb"/0x(?P<size>" + _DIGITS + rb")(?![\w])"
    rb"(?: \[(?P<module>\d{0,8}[A-Za-z_][\w-]{0,127})(?: (?P<build_id>[0-9a-f]{8,64}))?\])?"
    rb"(?P<is_counter> \([CTFKU]*P[CTFKU]*\))?",
    re.ASCII,
)
_ADDRESS: Final = rb"(?:\[?<?(?:0x)?[0-9a-f]{8,16}>?\]? *){0,2}"
_COUNTER: Final = re.compile(
    rb"(?:\b[RE]?IP: *(?:[0-9a-f]{4}:)?|\b[ER]?IP is at |\b[Ppi][Cc] is at |\be?pc *: *|\bPC: *"
    rb"|\bNIP |\b(?:era|ERA) *: *|\bTPC: <|\bTPC \[0x[0-9a-f]{1,16}\] <|\bIAOQ\[0\]: "
    rb"|\bKrnl PSW : [^(]{0,80}\(|--- interrupt: [^@]{1,40} at |\bby insn @ "
    rb"|\bWARNING: (?:CPU: \d{1,5} PID: \d{1,9} at )?[\w./-]{1,255}:\d{1,6} (?:at )?"
    rb"|\bBUG: KFENCE: (?:out-of-bounds|use-after-free|invalid) (?:read|write|access) in )"
    + _ADDRESS
    + rb"$",
    re.ASCII,
)
"""What is before the place of the program counter: of an instruction that was being run.

`arch/*/kernel` (show_regs and the like), `kernel/panic.c` (__warn), `mm/kfence/report.c` for a
fault. All other places, of the link register as well, are return addresses.
"""
_BEFORE: Final = 400
"""Bytes before a place that are looked at."""
_RELEASE: Final = rb"(?P<release>\d{1,3}\.\d{1,3}[\w.+~-]{0,120})"
_BANNER: Final = re.compile(rb"Linux version " + _RELEASE + rb" ", re.ASCII)
_TASK: Final = re.compile(
    rb"(?:Not tainted|Tainted: [A-Z ]{1,60}?) *(?:-{1,9} *)?" + _RELEASE + rb" #\d{1,9}"
    rb"(?:.{0,200}?\b(?P<build_id>[0-9a-f]{40})\s*$)?",
    re.ASCII,
)


_MODULES: Final = b"Modules linked in:"
_OUTSIDE: Final = re.compile(
    rb"(?<=\s)(?P<name>[\w-]{1,128})\([A-Z]{0,10}O[A-Z]{0,10}[+-]?\)", re.ASCII
)
"""A module with the flag `O`, built outside of the kernel's tree (`kernel/module/main.c`)."""


class FramePlace(NamedTuple):
    """A place in code that a line names; `begin` and `end` are its bytes, with those of the module.

    `is_counter` is whether an instruction there was being run. Else the address is where a call
    returns to.
    """

    begin: int
    end: int
    function: str
    offset: int
    size: int
    module: str | None
    build_id: str | None
    is_counter: bool

    @property
    def code(self) -> tuple[str, int, str | None]:
        """What names the same place in another line."""
        return self.function, self.offset, self.module


class KernelNamed(NamedTuple):
    """The kernel that a line names: its release, and the build id of its vmlinux, if printed."""

    release: str
    build_id: str | None


def frame_places(line: bytes) -> Iterator[FramePlace]:
    """Yield the places in code that a line names, in their order."""
    if b"+0x" not in line:
        return
    for match in _PLACE.finditer(line):
        begin, build_id = match.start(), match["build_id"]
        before = line[max(begin - _BEFORE, 0) : begin]
        yield FramePlace(
            begin,
            match.start("is_counter") if match["is_counter"] else match.end(),
            match["function"].decode(),
            int(match["offset"], 16),
            int(match["size"], 16),
            match["module"].decode() if match["module"] else None,
            build_id.decode() if build_id else None,
            bool(match["is_counter"] or _COUNTER.search(before)),
        )


def kernel_named(line: bytes) -> KernelNamed | None:
    """Return the kernel that a line names as the one that runs, or None."""
    match = _BANNER.search(line) if b"Linux version " in line else None
    if match is None and b"ainted" in line:
        match = _TASK.search(line)
    if match is None:
        return None
    build_id = match.groupdict().get("build_id")
    return KernelNamed(match["release"].decode(), build_id.decode() if build_id else None)


def modules_from_outside(line: bytes) -> list[str]:
    """Return the modules that the line "Modules linked in:" marks as not of the kernel's tree."""
    start = line.find(_MODULES)
    return (
        [match["name"].decode() for match in _OUTSIDE.finditer(line, start)] if start >= 0 else []
    )


class TraceReader:
    """Reads places line by line: the first of a call trace can be the program counter once more.

    It is on arm64, riscv and s390, whose traces begin at the registers (`arch_stack_walk`). A
    trace begins where the line before has no place.
    """

    def __init__(self) -> None:
        self._counter: tuple[str, int, str | None] | None = None
        self._in_trace = False

    def places(self, line: bytes) -> list[FramePlace]:
        """Return the places of the next line."""
        found = list(frame_places(line))
        if found and not self._in_trace and found[0].code == self._counter:
            found[0] = found[0]._replace(is_counter=True)
        for place in found:
            if place.is_counter:
                self._counter = place.code
        self._in_trace = bool(found) and not any(place.is_counter for place in found)
        return found
