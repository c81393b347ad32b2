"""Whether a report can be trusted for naming."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from pagefault_doctor.klog.prefix import LogLine
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
    if sum(line.dropped > 0 for line in lines) * 2 > len(lines):
        return "most lines of the report were dropped"
    return None


def problem_of(lines: Sequence[str], plain: bool) -> str | None:
    """Return what is wrong with the stacks in the report's text, or None.

    A `plain` kind of report prints no stack, so it misses none.
    """
    if any("for stack id" in text and _DEPOT.search(text) for text in lines):
        return "the records of stacks are damaged themselves"
    if plain:
        return None
    heads = {index: head for index, text in enumerate(lines) if (head := _head(text))}
    seen: set[str] = set()
    for index, head in heads.items():
        if head in seen:
            continue
        seen.add(head)
        if len(lines) - index - 1 < 3:
            return "the call trace is cut off"
        after = range(index + 1, min(index + 1 + _WITHIN, len(lines)))
        own = takewhile(lambda x: x not in heads, after)
        if not any(_FRAME.search(lines[x][:_LONGEST]) for x in own):
            return "the call trace has no frames"
    return None if seen or _headless(lines) else "no call trace"


def _head(text: str) -> str | None:
    """Return the words with which a line announces a stack, or None where it does not."""
    if not ("race" in text or "Allocated" in text or "Freed" in text):
        return None
    match = _HEADS.search(text)
    return match.group() if match else None


def _headless(lines: Sequence[str]) -> bool:
    """Whether it is a trace of riscv or of old ARM, which they print without a head."""
    if any(_ARM_FRAME.match(text) for text in lines):
        return True
    return any(text.startswith("epc : ") for text in lines) and any(
        "[<" in text[:_INDENT] and _FRAME.search(text[:_LONGEST]) for text in lines
    )
