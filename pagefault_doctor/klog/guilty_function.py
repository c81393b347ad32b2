"""Which function a report is about: the one its title names.

The convention is syzbot's: collect candidates from the places that the kind of report names, drop
what every report of that kind has in common, take the first that is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache, lru_cache
from typing import Final

import msgspec

from pagefault_doctor.klog.demangle import demangled
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.skip_functions import ANCHORS, FINDERS, PATTERNS, VICTIM, WORDS
from pagefault_doctor.klog.stack import frames_of_tools
from pagefault_doctor.model.pattern import WordedPattern, regex


class Choice(Enum):
    """How the function is chosen among the frames."""

    FIRST = "first"
    STALL = "stall"
    HUNG = "hung"


TRACE: Final = "trace"
"""A place to look: the frames up to the next head of a trace."""

_PC: Final = r"\[<?(?:(?:0x)?[0-9a-f]+)?>?\]"
_CS: Final = r"[0-9a-f]{2,4}"
"""The selector of the code, `0010` for the kernel and `e030` under Xen."""
_FUNC: Final = r"(?P<f>[A-Za-z0-9_$]+)[.+]"
_RARER: Final = (
    r"(?:TPC: <|TPC \[0x[0-9a-f]+\] <|IAOQ\[0\]: |\[exception RIP: |\bpc is at |\bip is at "
    r"|PC: \[<[0-9a-f]+>\] |RIP: 00[01]0:(?=[\w.]+ \()|RIP: +e008:\[<[0-9a-f]+>\] "
    r"|by insn @ |>>[EN]?[IP][PC]C?; *[0-9a-f]+ <(?:\[[\w-]+\])?|RIP: 00[01]0:.*\{:?(?:[\w-]+:)?)"
)
"""What stands before the function at the instruction pointer in the forms of `klog/registers.py`
that are no x86, ARM, powerpc, riscv, LoongArch or s390 of today."""
RIP: Final = (
    rf"IP: (?:(?:{_CS}:)?(?:{_PC} +){{0,2}}(?:{_FUNC})|{_CS}:0x[0-9a-f]+|(?:{_CS}:)?{_PC} +"
    rf"\[< *\(null\)>\] +\(null\)|[0-9]+: +\(null\)|(?:{_PC} *)?0x[0-9a-f]+|\[<[0-9a-f ]+>\])"
    rf"|(?:PC|EIP) is at {_FUNC.replace('<f>', '<g>')}|pc : {_FUNC.replace('<f>', '<h>')}"
    rf"|NIP \[[0-9a-f]+\] \.?{_FUNC.replace('<f>', '<i>')}"
    rf"|epc *: (?:[0-9a-f]{{8,16}} )?{_FUNC.replace('<f>', '<j>')}"
    rf"|ERA: [0-9a-f]{{16}} {_FUNC.replace('<f>', '<l>')}"
    rf"|TPC: <{_FUNC.replace('<f>', '<m>')}"
    rf"|Krnl PSW : .*\((?:\[<[0-9a-f]+>\] )?{_FUNC.replace('<f>', '<k>')}|pc : [0-9a-f\[<]+"
    r"|NIP \[[0-9a-f]+\] 0x|Krnl PSW : .*\(0x"
    rf"|{_RARER}(?P<z>[A-Za-z0-9_$]+)[.+ ]"
)
"""A place to look: the faulting instruction. A bare address is found but names nothing."""
CALL: Final = r"Call [Tt]race:|Backtrace:"
"""A place to look: the head of a call trace."""

_FRAMES: Final = tuple(
    regex(p)
    for p in (
        rf"^ *(?:\{{[0-9a-z]+\}} )?(?:{_PC} ?){{0,2}}[ \t]*{_FUNC}",
        rf"^ *\[[0-9a-f]+\] \[[0-9a-f]+\] \.?{_FUNC}",
        r"^ *(?:\[<[0-9a-f]+>\] )?\((?P<f>[A-Za-z0-9_]+)[^)]*\) from ",
        r"^ *(?P<f>[A-Za-z0-9_]+)(?:\.[a-z0-9.]+)?(?: \[[\w-]+\])? from [A-Za-z0-9_]+\+0x",
    )
)
_SIGNS: Final = ("+", ".", " from ")
"""What such a line holds at the least."""
_ARM_CALLER: Final = regex(r" from \[<[0-9a-f]+>\] \((?P<f>[A-Za-z0-9_]+)")
_HEADS: Final = WordedPattern(
    r"Call [Tt]race:|Allocated:|Allocated by task|Freed:|Freed by task|Backtrace:"
    r"|Uninit was (?:created|stored)|Last potentially related|Call Trace for|Last breaking"
)
_LONGEST: Final = 320
_DEEPEST: Final = 40
_INJECTED: Final = "should_fail"
_SYSCALL: Final = (
    "SYSC_", "SyS_", "sys_", "__x64_", "__ia32_", "__arm64_", "____sys_", "___sys_", "__sys_",
    "__se_", "__se_sys_", "__do_sys_", "compat_SYSC_", "compat_SyS_", "ksys_",
)  # fmt: skip
_RCU_WAITS: Final = ("synchronize_rcu", "synchronize_srcu", "synchronize_net", "synchronize_sched")


class GuiltyFunction(msgspec.Struct, frozen=True):
    """The function, its other spellings, and why it was not found, if it was not."""

    function: str | None
    others: tuple[str, ...] = ()
    problem: str | None = None


_FIRST: Final = regex("|".join(p for p in PATTERNS if p.startswith("^")))
_ANYWHERE: Final = tuple(p for p in PATTERNS if not p.startswith("^"))


@cache
def _skip(extra: str) -> WordedPattern:
    return WordedPattern("|".join((*_ANYWHERE, extra) if extra else _ANYWHERE))


_place = cache(WordedPattern)


@lru_cache(maxsize=1 << 14)
def is_generic(name: str, extra: str = "") -> bool:
    """Whether a function has nothing to do with the cause, whatever the kind of report.

    `extra` is an expression for those that have nothing to do with it in the kind at hand.
    """
    if any(map(name.__contains__, WORDS)) or _FIRST.match(name):
        return True
    return _skip(extra).search(name) is not None


def is_uninformative(name: str) -> bool:
    """Whether a function has nothing to do with the cause, or is one that found the trouble."""
    return is_generic(name) or FINDERS.search(name) is not None


def _group(match: re.Match[str]) -> str | None:
    return next((v for k, v in match.groupdict().items() if v), None)


class _Frames:
    """Candidate functions collected so far."""

    def __init__(self, extra: str) -> None:
        self.extra = extra
        self.names: list[str] = []
        self.injected = False

    def add(self, name: str | None) -> None:
        if name and _INJECTED in name and not self.names:
            self.injected = True
        elif name and not is_generic(name, self.extra):
            self.names.append(name)


def _frame_names(line: LogLine) -> Iterator[str]:
    text = line.text
    if len(text) > _LONGEST or not text[:_DEEPEST].strip():
        return
    if line.frame:
        doubt, function, *_ = line.frame
        if not doubt:
            yield function.partition(".")[0]
        return
    for pattern in _FRAMES if any(map(text.__contains__, _SIGNS)) else ():
        if match := pattern.match(text):
            yield match["f"]
            if caller := _ARM_CALLER.search(text):
                yield caller["f"]
            return
    for frame in frames_of_tools(line):
        if frame.function and frame.reliable:
            yield frame.function.partition(".")[0]


def _walk(
    lines: Sequence[LogLine], places: Sequence[str], found: _Frames, take: Choice
) -> str | None:
    """Follow the places through the lines, and choose when a trace ends or all are done.

    The first function is chosen as soon as it is found.
    """
    position = 0
    traces = 0
    index = 0
    while index < len(places):
        place = places[index]
        if place != TRACE:
            position, match = _seek(lines, position, place)
            found.add(_group(match) if match else None)
            index += 1
            continue
        if traces and (name := _choose(found.names, take)):
            return name
        traces += 1
        following = places[index + 1] if index + 1 < len(places) else None
        index += 1
        while position < len(lines):
            line = lines[position]
            position += 1
            if not line.frame and _HEADS.search(line.text):
                break
            if following and following != TRACE and (match := _place(following).search(line.text)):
                found.add(_group(match))
                index += 1
                break
            for name in _frame_names(line):
                found.add(name)
            if found.names and take is Choice.FIRST:
                return found.names[0]
    return _choose(found.names, take)


def _seek(lines: Sequence[LogLine], start: int, place: str) -> tuple[int, re.Match[str] | None]:
    pattern = _place(place)
    for position in range(start, len(lines)):
        if match := pattern.search(lines[position].text):
            return position + 1, match
    return len(lines), None


def _choose(names: Sequence[str], take: Choice) -> str | None:
    if take is Choice.STALL:
        return _anchored(names)
    if take is Choice.HUNG:
        return _waiting(names)
    return names[0] if names else None


def _anchored(names: Sequence[str]) -> str | None:
    """Return the frame above the first anchor: the top of a stalled stack is random."""
    above = names[0] if names else None
    anchors = _place("|".join(ANCHORS))
    for name in names:
        if "smp_call_function" in name:
            return name
        if anchors.search(name):
            return above
        above = name
    return None


def _waiting(names: Sequence[str]) -> str | None:
    for name in names:
        if "rtnl_lock" in name or any(wait in name for wait in _RCU_WAITS):
            return name
    return next((n for n in names if not any(part in n for part in VICTIM)), None)


def _spellings(name: str, take: Choice) -> tuple[str, ...]:
    """Return the names the function goes by, the shortest first."""
    if name.startswith("_"):
        name = demangled(name)
    if take is Choice.STALL and "smp_call_function" in name:
        return ("smp_call_function", name) if name != "smp_call_function" else (name,)
    if take is Choice.HUNG and any(wait in name for wait in _RCU_WAITS):
        return ("synchronize_rcu", name) if name != "synchronize_rcu" else (name,)
    stripped = {name.removeprefix(p) for p in _SYSCALL if name.startswith(p) and name != p}
    return tuple(sorted({name, *stripped}, key=len))


def name_function(
    lines: Sequence[LogLine],
    ways: Sequence[Sequence[str]],
    skip: str = "",
    take: Choice = Choice.FIRST,
) -> GuiltyFunction:
    """Return the function that the first way through the lines leads to."""
    for places in ways:
        found = _Frames(skip)
        name = _walk(lines, places, found, take)
        if found.injected:
            return GuiltyFunction(None, (), "a fault was injected on purpose in this stack")
        if name:
            shortest, *others = _spellings(name, take)
            return GuiltyFunction(shortest, tuple(others))
    return GuiltyFunction(None, (), "no function in the stack trace")
