"""Lines of a call trace, in the forms that the architectures print.

`kernel/stacktrace.c`, `arch/x86/kernel/dumpstack.c` (show_trace_log_lvl), `arch/arm64/kernel/
stacktrace.c`, `arch/arm/kernel/traps.c` (dump_backtrace_entry), `arch/powerpc/kernel/process.c`
(show_stack), `lib/vsprintf.c` (%pS and %pB).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.model.fence import UnreadableError
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame

NAME: Final = r"[A-Za-z_$][\w$.]*"

_ADDRESS: Final = r"(?:\[?<?\[?<?(?:0x)?(?P<address>[0-9a-f]{8,16})>?\]?>?\]? *)"
_MODULE: Final = r"(?:\s*\[(?P<module>\d*[A-Za-z][\w-]*)(?:\([A-Z+-]+\))?(?: [0-9a-f]{8,40})?\])?"
_PLACE: Final = rf"(?P<function>{NAME})\+0x(?P<offset>[0-9a-f]+)(?:/0x(?P<size>[0-9a-f]+))?"
_MARK: Final = r"(?:<(?P<mark>/?[A-Z][A-Z0-9#_ ]*)> *)?"
_LINE: Final = regex(
    rf"\s*(?:\{{\w+\}} )?{_MARK}(?:\[c[0-9a-f]+\] ?)?{_ADDRESS}?"
    r"(?:\[?<?(?:0x)?[0-9a-f]{8,16}>?\]? *)?"
    rf"(?P<doubt>\? +)?(?::(?P<old_module>\w+):)?{_PLACE}{_MODULE}"
    r"(?P<unreliable> *\(unreliable\))?(?: \([A-Z]+\))?"
)
_NAMED: Final = regex(rf"(?<!\w){_PLACE}{_MODULE}")
_ARM: Final = regex(
    rf"\s*(?:\[<[0-9a-f]{{8,16}}>\] )?\((?P<function>{NAME})(?:\+0x(?P<offset>[0-9a-f]+)"
    rf"(?:/0x(?P<size>[0-9a-f]+))?)?{_MODULE}\) from "
)
_ARM_NEW: Final = regex(rf"\s*(?P<function>{NAME}){_MODULE} from {NAME}\+0x")
_BARE: Final = regex(rf"\s*{_MARK}(?P<doubt>\? +)?\[?<?0x(?P<address>[0-9a-f]{{8,16}})>?\]?\s*$")
_MARK_ONLY: Final = regex(r"\s*</?(?P<mark>[A-Z][A-Z0-9#_ ]*)>\s*$")
_MARK_FIRST: Final = regex(r"\s*<(?P<mark>/?[A-Z][A-Z0-9#_ ]*)>")
_HEAD: Final = regex(
    r"^\s*(?:Call [Tt]race|Backtrace|stack backtrace|Call Trace|backtrace \(crc [0-9a-f]+\)"
    r"|  backtrace)\s*(?:\([^)]*\))?:"
)
HEADS: Final = ("Call ", "acktrace")
"""Words of which the line that announces a call trace holds one."""
_END: Final = regex(
    r"^\s*(?:Code:|RIP: (?!0010:)|---\[ end|Modules linked in|(?:[Aa]llocated|[Ff]reed) by"
    r"|Last potentially|Sending NMI|Kernel panic|The buggy address|INFO: Freed in|Kernel Offset"
    r"|=====|Showing all|\d+ locks? held|Mem-Info:|Last Breaking-Event|irq event stamp"
    r"|other info that|kfence-#|Uninit was|Local variable|Reported by|handlers:"
    r"|(?:read|write)(?: \([a-z, ]+\))? to 0x)"
)
_MOST_DIGITS: Final = 16
_LONGEST: Final = 320
_DEEPEST: Final = 40
_CONTEXTS: Final = {"EOI": None, "IRQ": "IRQ", "NMI": "NMI", "TASK": "TASK", "SOFTIRQ": "SOFTIRQ"}
_PATIENCE: Final = 3
"""Lines of others that may stand inside a trace before it counts as ended."""
_REGISTERS: Final = 16
"""Lines that the registers of an interrupted task take up between its frames and the handler's."""


def may_be_frame(text: str) -> bool:
    """Whether a line is short and little indented enough, before anything dearer is tried."""
    return (
        len(text) <= _LONGEST
        and ("0x" in text or " from " in text)
        and text[:_DEEPEST].strip() != ""
    )


def frame_of(line: LogLine, context: str | None = None) -> Frame | None:
    """Return the frame that a line of a call trace shows, or None where it shows none."""
    if line.frame:
        doubt, function, offset, size, module = line.frame
        return Frame(
            function, int(offset, 16), int(size, 16), module, not doubt, context, None, line.number
        )
    text = line.text
    if not may_be_frame(text):
        return None
    match = _LINE.match(text)
    if match is None and " from " in text:
        match = _ARM.match(text) or _ARM_NEW.match(text)
    match = match or _BARE.match(text)
    return frame_from(match.groupdict(), line.number, context) if match else None


def frame_from(found: Mapping[str, str | None], line: int, context: str | None = None) -> Frame:
    """Return the frame that the named groups of an expression found in a line.

    Raises UnreadableError for an address that is wider than any register.
    """
    address = found.get("address")
    if address and len(address) > _MOST_DIGITS:
        raise UnreadableError(address)
    return Frame(
        function=found.get("function"),
        offset=_hex(found.get("offset")),
        size=_hex(found.get("size")),
        module=found.get("module") or found.get("old_module"),
        reliable=not (found.get("doubt") or found.get("unreliable")),
        context=context,
        address="0x" + address if address else None,
        line=line,
    )


def place_in(line: LogLine) -> Frame | None:
    """Return the function that a headline names with its offset, or None."""
    match = _NAMED.search(line.text)
    return frame_from(match.groupdict(), line.number) if match else None


def _hex(digits: str | None) -> int | None:
    return int(digits, 16) if digits and len(digits) <= _MOST_DIGITS else None


def is_head(text: str) -> bool:
    """Whether the line announces a call trace."""
    return _HEAD.match(text) is not None


def _mark(text: str, context: str | None) -> tuple[str | None, bool]:
    """Return the context after this line, and whether the line held only the mark."""
    if "<" not in text:
        return context, False
    only = _MARK_ONLY.match(text)
    match = only or _MARK_FIRST.match(text)
    if match is None:
        return context, False
    name = match["mark"]
    if "</" in match.group():
        return None, only is not None
    return _CONTEXTS.get(name, name), only is not None


def first_trace(lines: Iterable[LogLine]) -> tuple[Frame, ...]:
    """Return the frames of the first call trace, unreliable ones included, in order."""
    frames: list[Frame] = []
    context: str | None = None
    strangers, patience = 0, _PATIENCE
    for line in lines:
        if not line.frame:
            context, only = _mark(line.text, context)
            if only:
                continue
        frame = frame_of(line, context)
        if frame is not None:
            frames.append(frame)
            strangers, patience = 0, _PATIENCE
        elif frames:
            patience = _REGISTERS if "RIP: 0010:" in line.text else patience
            strangers += 1
            if strangers > patience or _END.match(line.text) or is_head(line.text):
                break
    return tuple(frames)
