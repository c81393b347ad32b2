"""What is left of a report where no line that opens one is in the text: registers, a trace, code.

It is looked for only where nothing else was found, and only in a text short enough to be a paste:
a whole log has its headlines. The rows are `REMAINS` of `klog/formats/headless.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from pagefault_doctor.klog.formats import headless, table
from pagefault_doctor.klog.input.input_file import FileBytes
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.stack import frames_of, is_head
from pagefault_doctor.klog.text import Lines
from pagefault_doctor.model.pattern import regex

END: Final = regex(
    r"Kernel panic - not syncing: (?:[\w ]{1,40}: )?"
    r"(?:Fatal exception|Attempted to kill the idle task|Aiee, killing interrupt handler)"
)
"""The last line of an oops, which says nothing of it (`oops_end`, `die` of each architecture).

ARM and arm64 put what it was before the words (`arch/arm64/kernel/traps.c`, die); a task that
cannot be missed dies of its oops in `kernel/exit.c` (make_task_dead, do_exit).
"""
ENDED: Final = "kernel panic: Fatal exception"
"""The title of what has no other headline than that line."""
LONGEST: Final = 1 << 17
"""Bytes of a text in which the remains of a report are looked for."""
_SIGNS: Final = regex(
    rb"\+0x|\+\d+\}|; |[Tt]race|RIP|[RE][A-D]X|e[a-d]x|CR2|Code|[pP][cC]|NIP|PSW|GPR|ESR|BadVA"
    rb"|BADV|ERA|bt|#\d|ainted|Modules linked| from "
)
"""Of a text with remains, what it holds one of."""
_REGISTERS: Final = regex(
    r"\bRIP: (?:0010|e030):\S+\+0x[0-9a-f]+/0x|^\s*RIP +\[<[0-9a-f]{16}>\]"
    r"|^\s*(?:RIP: (?:0010|e030):|PANIC: \"|RAX: [0-9a-f]{16}|EAX: [0-9a-f]{8}|eax: [0-9a-f]{8}"
    r"|EIP: +(?:00[16]0:\[<|[\w.]+\+0x)|EIP is at |CR2: [0-9a-f]{8,16}\b|>>EIP; "
    r"|Mem abort info:|Data abort info:|ESR = 0x|e?pc +: |P?[CR] is at \w+\+"
    r"|x\d{1,2} ?: [0-9a-f]{16}|R(?:DX|BP|0[89]|1[0-5]): [0-9a-f]{16} R"
    r"|e(?:[bcd]x|[sd]i|bp): [0-9a-f]"
    r"|\b(?:gp|t[0-6]|s\d{1,2}|a[0-7]) ?: [0-9a-f]{16}  ?\w|\$ ?\d{1,2} *: [0-9a-f]{8}\b"
    r"|GPR\d\d: [0-9a-f]{8}|r\d{1,2} ?: [0-9a-f]{8} +r\d|[CF]S: +[0-9a-f]{4,16}(?:\(| DS)"
    r"|pc : \[<|badaddr: |NIP \[|NIP: +[0-9a-f]{8,16}|GPR00: |DAR: |Krnl (?:PSW|GPRS|Code)"
    r"|epc +: [0-9a-f]|BadVA +: |ERA: [0-9a-f]{16}|pc [0-9a-f]{16} ra |TPC: <|TSTATE: |IAOQ\[0\]: "
    r"|IASQ: |PC: \[<|\[exception RIP: |RIP: 00[01]0:|Code: (?:[0-9a-f]{2,8} )+[<(]"
    r"|Code: (?:Bad RIP|Unable to access)|Instruction dump:|---\[ end trace [0-9a-f]+ \]---"
    r"|Modules linked in: \w|CPU: \d+ (?:UID: \d+ )?PID: \d+ Comm: .*[Tt]ainted"
    r"|Pid: \d+, comm: .*[Tt]ainted|Process \S+ \(pid: \d+, |Stack: ?\(0x[0-9a-f]+ to 0x)"
)
"""Lines of registers, code and processes as only a kernel that stops prints them."""
_ENTRIES: Final = frozenset(
    {
        *("asm_exc_page_fault", "page_fault", "async_page_fault", "error_code", "common_exception"),
        *("asm_exc_general_protection", "general_protection", "asm_exc_invalid_op", "invalid_op"),
        *("asm_exc_control_protection", "asm_exc_int3", "asm_exc_divide_error", "divide_error"),
        *("el1_sync", "el1h_64_sync", "el1_da", "__dabt_svc", "__pabt_svc", "__und_svc"),
        *("handle_exception", "ret_from_exception", "tlb_do_page_fault_0", "tlb_do_page_fault_1"),
        *("asm_exc_alignment_check", "asm_exc_double_fault", "stack_segment", "int3"),
    }
)
"""What an exception enters the kernel through: the function behind it in the trace was stopped."""
_SYSTEM_CALLS: Final = frozenset(
    {
        *("do_syscall_64", "do_int80_syscall_32", "__do_fast_syscall_32", "el0_svc", "do_el0_svc"),
        *("invoke_syscall", "__do_syscall", "system_call_exception", "do_trap_ecall_u"),
        *("entry_SYSCALL_64_after_hwframe", "system_call_fastpath", "ret_fast_syscall"),
    }
)


def first_of(data: bytes | FileBytes, lines: Lines) -> tuple[int, LogLine] | None:
    """Return the place and the line with which the remains of a report begin, or None."""
    if len(data) > LONGEST or not _SIGNS.search(data[: len(data)]):
        return None
    if _is_asked_for(certain(lines.after(0, 1))):
        return None
    place, number = 0, 1
    while place < len(data):
        line, after = lines.at(place, number)
        if _is_remains(line):
            return place, line
        place, number = after, number + 1
    return None


def _is_asked_for(lines: Iterable[LogLine]) -> bool:
    """Whether a driver printed its stack of its own accord, which is no fault."""
    text = "\n".join([line.text for line in lines])
    reported = table.REMAINS.rows[: -headless.UNTOLD]
    return "dump_stack" in text and not any(row.wording.search(text) for row in reported)


def _is_remains(line: LogLine) -> bool:
    if line.frame:
        return True
    text = line.text
    if is_head(text) or _REGISTERS.search(text):
        return True
    frame = next(frames_of(line), None)
    if frame is None or frame.function is None:
        return False
    return bool(frame.size or frame.address) or " from " in text


def certain(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """Return the lines with what an exception stopped marked as certain, and without residue.

    x86 marks the function with `?` since 6.5, as every frame above the one of the unwinder's start.
    Below a system call, what has the mark was on the stack before, handlers of page faults too.
    """
    found: list[LogLine] = []
    entered = below = False
    for line in lines:
        frame = next(frames_of(line), None)
        below = frame is not None and (below or frame.function in _SYSTEM_CALLS)
        if below and frame is not None and not frame.reliable:
            continue
        if entered and frame is not None:
            whole = line.text.replace("? ", "", 1)
            parts = (None, *line.frame[1:]) if line.frame else None
            line = structs.replace(line, text=whole, frame=parts)
        entered = frame is not None and frame.function in _ENTRIES
        found.append(line)
    return tuple(found)
