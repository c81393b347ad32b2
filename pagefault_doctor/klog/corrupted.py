"""Whether a report can be trusted for naming."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.model.pattern import regex

_HEADS: Final = regex(
    r"Call (?:T|t)race|Allocated:|Allocated by task [0-9]+:|Freed:|Freed by task [0-9]+:"
    r"|(?<!stack )backtrace(?: \(crc [0-9a-f]+\))?:|Backtrace:"
)
_FRAME: Final = regex(
    r"^ *(?:\{[0-9a-z]+\} )?(?:\[<?(?:0x)?[0-9a-f]+>?\] ?){0,2}[ \t]*[A-Za-z0-9_$]+[.+]"
    r"|^ *(?:\[c?[0-9a-f]+\] ){2}\w|\(\w+[^)]*\) from |^ *\w+ from \w+|<(?:IRQ|NMI|TASK|EOI)>"
    r"|^ *(?:\[<?[0-9a-f]+>?\] )*(?:0x)?[0-9a-f]{8,}"
)
_ARM_FRAME: Final = regex(r"^ *\[<[0-9a-f]{8}>\] \([^)]{1,80}\) from \[<")
"""`arch/arm/kernel/traps.c` (dump_backtrace_entry) under CONFIG_ARM_UNWIND."""
_DEPOT: Final = regex(r"slab index \d+ out of bounds \(\d+\) for stack id")
"""`lib/stackdepot.c` (stack_depot_fetch): where the sanitizers keep their stacks."""
_WITHIN: Final = 15
_LONGEST: Final = 160
_INDENT: Final = 8


def losses_of(lines: Sequence[LogLine]) -> str | None:
    """Return what is wrong where messages were dropped between most lines of a report, or None."""
    if len([line for line in lines if line.dropped]) * 2 > len(lines):
        return "most lines of the report were dropped"
    return None


def problem_of(lines: Sequence[LogLine], plain: bool) -> str | None:
    """Return what is wrong with the stacks in the report's text, or None.

    A `plain` kind of report prints no stack, so it misses none.
    """
    texts = [(index, line.text) for index, line in enumerate(lines) if not line.frame]
    if any("for stack id" in text and _DEPOT.search(text) for _, text in texts):
        return "the records of stacks are damaged themselves"
    if plain:
        return None
    heads = {index: head for index, text in texts if (head := _head(text))}
    seen: set[str] = set()
    for index, head in heads.items():
        if head in seen:
            continue
        seen.add(head)
        if len(lines) - index - 1 < 3:
            return "the call trace is cut off"
        after = range(index + 1, min(index + 1 + _WITHIN, len(lines)))
        own = takewhile(lambda x: x not in heads, after)
        if not any(_is_frame(lines[x]) for x in own):
            return "the call trace has no frames"
    return None if seen or _headless(lines) else "no call trace"


def _head(text: str) -> str | None:
    """Return the words that announce a stack in a line, or None."""
    if not ("race" in text or "Allocated" in text or "Freed" in text):
        return None
    match = _HEADS.search(text)
    return match.group() if match else None


def _is_frame(line: LogLine) -> bool:
    if line.frame:
        return line.frame[0] is None
    return _FRAME.search(line.text[:_LONGEST]) is not None


def _headless(lines: Sequence[LogLine]) -> bool:
    """Whether it is a trace of riscv or of old ARM, which they print without a head."""
    if any(_ARM_FRAME.match(line.text) for line in lines):
        return True
    return any(line.text.startswith("epc : ") for line in lines) and any(
        "[<" in line.text[:_INDENT] and _is_frame(line) for line in lines
    )
