"""Lines of a call trace, in the forms that the architectures and the tools around them print.

`kernel/stacktrace.c`, `arch/x86/kernel/dumpstack.c` (show_trace_log_lvl), `arch/arm64/kernel/
stacktrace.c`, `arch/arm/kernel/traps.c` (dump_backtrace_entry), `arch/powerpc/kernel/process.c`
(show_stack), `lib/vsprintf.c` (%pS and %pB); Xen's `xen/arch/x86/traps.c` (show_trace).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import structs

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.model.fence import UnreadableError
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame

NAME: Final = r"\.?[A-Za-z_$][\w$.]*"
"""With the dot of powerpc's first ABI, which names the code of a function apart from it."""

_ADDRESS: Final = r"(?:\[?<?\[?<?(?:0x)?(?P<address>[0-9a-f]{8,16})>?\]?>?\]? *)"
_MODULE: Final = r"(?:\s*\[(?P<module>\d*[A-Za-z][\w-]*)(?:\([A-Z+-]+\))?(?: [0-9a-f]{8,40})?\])?"
_PLACE: Final = rf"(?P<function>{NAME})\+0x(?P<offset>[0-9a-f]+)(?:/0x(?P<size>[0-9a-f]+))?"
_MARK: Final = r"(?:<(?P<mark>/?[A-Z][A-Z0-9#_ ]*)> *)?"
_LINE: Final = regex(
    rf"\s*(?:\{{\w+\}} )?{_MARK}(?:\[c[0-9a-f]+\] ?|\[<0>\] |\[(?:<>)?\] ?|\((?=\[<))?{_ADDRESS}?"
    r"(?:\[?<?(?:0x)?[0-9a-f]{8,16}>?\]? *)?(?:[RSF] )?"
    rf"(?P<doubt>\? +)?(?::(?P<old_module>\w+):)?{_PLACE}{_MODULE}"
    r"(?P<unreliable> *\(unreliable\))?(?: \([A-Z]+\))?"
)
_NAMED: Final = regex(rf"(?<!\w){_PLACE}{_MODULE}")
_ARM: Final = regex(
    rf"\s*(?:\[<[0-9a-f]{{8,16}}>\] )?\((?P<function>{NAME})(?:\+0x(?P<offset>[0-9a-f]+)"
    rf"(?:/0x(?P<size>[0-9a-f]+))?)?{_MODULE}\) from "
)
_ARM_NEW: Final = regex(rf"\s*(?P<function>{NAME}){_MODULE} from {NAME}\+0x")
SOURCE: Final = r"\([^()\s]*[/.]\w*:[\d?]+(?::\d+)?(?: \(discriminator \d+\))?\)"
_DECODED: Final = regex(
    rf" in: (?P<function>{NAME}) \((?:[^()\s]+:[\d?]+|\(discriminator \d+\)| )+\)"
    r"(?: \[?(?P<module>[A-Za-z]\w*)\]?)?\s*$"
)
"""The place in a headline after scripts/decode_stacktrace.sh, with the lines of what is inlined."""
_TOOLS: Final = tuple(
    (word, regex(p))
    for word, p in (
        # crash's bt (kernel.c, print_stack_text_syms), with and without its option -s
        (" at ", rf"\s*#\d+ \[[0-9a-f]+\] (?P<function>{NAME})(?:\+(?:0x)?[0-9a-f]+)? at"
                 rf" (?P<address>[0-9a-f]{{8,16}}){_MODULE}"),
        # ksymoops (ksymoops.c, Oops_print_decoded), which counts in hex without saying so
        ("Trace; ", r"Trace; (?P<address>[0-9a-f]{8,16}) <(?:\[(?P<old_module>[\w-]+)\])?"
                    rf"(?P<function>{NAME})\+(?P<offset>[0-9a-f]+)/(?P<size>[0-9a-f]+)>"),
        # scripts/decode_stacktrace.sh, and drgn's stack traces
        (":", rf"\s*(?:#\d+ +)?{_MARK}(?P<doubt>\? +)?(?P<function>{NAME})"
              rf"(?:\+0x(?P<offset>[0-9a-f]+)/0x(?P<size>[0-9a-f]+))? {SOURCE}"
              r"(?: \[?(?P<module>\w[\w-]*)\]?)?(?: \([A-Z]+\))?\s*$"),
        # gdb's bt
        ("#", rf"#\d+ +(?:0x(?P<address>[0-9a-f]+) in )?(?P<function>{NAME}) \(.*\) at \S+:\d+"),
    )
)  # fmt: skip
"""A word that the line must hold, and how a tool writes a frame."""
BRACES: Final = (
    r"<(?P<address>[0-9a-f]{8,16})>\{:?(?:(?P<old_module>[\w-]+):)?(?P<function>[\w.$]+)"
    r"\+(?P<decimal>\d{1,7})\}"
)
"""As x86-64 printed them until 2.6.16, several a line (`arch/x86_64/kernel/traps.c`)."""
_BRACES: Final = regex(BRACES)
_IN_BRACES: Final = regex(r"(?:Call Trace:)?\s*(?:<EOE>|<IRQ>)?\s*(?<=[\s:])<[0-9a-f]{8,16}>\{")
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
    r"^\s*(?:Code:|RIP: (?!0010:|[0-9a-f]{16} +RSP)|---\[ end|Modules linked in"
    r"|(?:[Aa]llocated|[Ff]reed) by"
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
_STOPPED: Final = ("RIP: 0010:", "[exception RIP: ")
_REGISTERS: Final = 16
"""Lines that the registers of an interrupted task take up between its frames and the handler's."""


_SIGNS: Final = ("0x", " from ", "#", "; ", ".c:", ".h:", ".S:", ".rs:", "}")
"""What such a line holds at the least."""


def may_be_frame(text: str) -> bool:
    """Whether a line is short and little indented enough, before anything dearer is tried."""
    return (
        len(text) <= _LONGEST
        and any(map(text.__contains__, _SIGNS))
        and text[:_DEEPEST].strip() != ""
    )


def _framed(parts: tuple[Any, ...], number: int, context: str | None = None) -> Frame:
    """Return the frame of a line with that number, of which `LogLine.frame` has the parts."""
    doubt, function, offset, size, module = parts
    return Frame(function, int(offset, 16), int(size, 16), module, not doubt, context, None, number)


def frame_of(line: LogLine, context: str | None = None) -> Frame | None:
    """Return the frame that a line of a call trace shows, or None where it shows none."""
    if line.frame:
        return _framed(line.frame, line.number, context)
    text = line.text
    if not may_be_frame(text):
        return None
    match = _LINE.match(text)
    if match is None and " from " in text:
        match = _ARM.match(text) or _ARM_NEW.match(text)
    match = match or _of_tool(text) or _BARE.match(text)
    return frame_from(match.groupdict(), line.number, context) if match else None


def _of_tool(text: str) -> re.Match[str] | None:
    found = (pattern.match(text) for word, pattern in _TOOLS if word in text)
    return next(filter(None, found), None)


def frames_of(line: LogLine, context: str | None = None) -> Iterator[Frame]:
    """Yield the frames that a line shows: old kernels print several, also behind a trace's head."""
    if not line.frame and "}" in line.text and _IN_BRACES.match(line.text):
        for match in _BRACES.finditer(line.text):
            yield frame_from(match.groupdict(), line.number, context)
    elif frame := frame_of(line, context) or _behind_head(line, context):
        yield frame


def frames_of_tools(line: LogLine) -> Iterator[Frame]:
    """Yield the frames of a line that is worded as no kernel of today words it."""
    if "}" in line.text and _IN_BRACES.match(line.text):
        yield from frames_of(line)
    elif match := _of_tool(line.text):
        yield frame_from(match.groupdict(), line.number)


def _behind_head(line: LogLine, context: str | None) -> Frame | None:
    text = line.text
    head = _HEAD.match(text) if any(map(text.__contains__, HEADS)) else None
    rest = text[head.end() :] if head else ""
    return frame_of(structs.replace(line, text=rest), context) if rest.strip() else None


def frame_from(found: Mapping[str, str | None], line: int, context: str | None = None) -> Frame:
    """Return the frame that the named groups of an expression found in a line.

    Raises UnreadableError for an address that is wider than any register.
    """
    address = found.get("address")
    if address and len(address) > _MOST_DIGITS:
        raise UnreadableError(address)
    function, decimal = found.get("function"), found.get("decimal")
    return Frame(
        function=function.lstrip(".") if function else None,
        offset=int(decimal) if decimal else _hex(found.get("offset")),
        size=_hex(found.get("size")),
        module=found.get("module") or found.get("old_module"),
        reliable=not (found.get("doubt") or found.get("unreliable")),
        context=context,
        address="0x" + address if address else None,
        line=line,
    )


def place_in(line: LogLine) -> Frame | None:
    """Return the function that a headline names with its offset or its source, or None."""
    match = _NAMED.search(line.text) or _DECODED.search(line.text)
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
        found: Iterable[Frame]
        if line.frame:
            found = (_framed(line.frame, line.number, context),)
        else:
            context, only = _mark(line.text, context)
            if only:
                continue
            found = tuple(frames_of(line, context))
        if found:
            frames.extend(found)
            strangers, patience = 0, _PATIENCE
        elif frames:
            patience = _REGISTERS if any(map(line.text.__contains__, _STOPPED)) else patience
            strangers += 1
            if strangers > patience or _END.match(line.text) or is_head(line.text):
                break
    return tuple(frames)
