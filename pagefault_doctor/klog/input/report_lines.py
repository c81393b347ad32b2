"""How the lines of a kernel report begin, in bytes, whatever stands before and behind them.

This only tells where a line begins, for text whose lines were joined, broken or marked by others;
what a line means is known in `klog.formats`. The words are those of `kernel/panic.c`,
`lib/dump_stack.c`, `kernel/module/main.c` (print_modules) and show_regs, show_stack and die of the
architectures.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex

CLOCK: Final = rb"(?:<\d{1,3}>)?\[ *\d{1,9}\.\d{6}\]"
"""What printk puts first (`kernel/printk/printk.c`, print_time)."""
_DATE: Final = (
    rb"(?:[A-Z][a-z]{2} [ \d]\d |\d{4}-\d\d-\d\d[T ])\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    rb"(?:Z|[+-]\d\d:?\d\d)?"
)
"""A date as syslog writes it (RFC 3164, RFC 5424)."""
STAMP: Final = CLOCK + rb"|" + _DATE
FRAME: Final = (
    rb"(?:(?:\[<[0-9a-f]{8,16}>\]|<[A-Z]{3,8}>|\[[0-9a-f]{8,16}\]) *)*(?:\? )?"
    rb"[A-Za-z_$][\w$.]{0,127}\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}(?![\w)\]])"
)
_REGISTER: Final = (
    rb"R[A-D]X: |RSP: |RBP: |R1[03]: |E[A-D]X: |ES[IP]: |DS: |CR2: |[xr][12]?\d ?: |[pl][cr] ?: "
    rb"|sp ?: |epc ?: |ra ?: |gp ?: |GPR\d\d|NIP |LR \[|MSR: |CFAR: |Krnl |FS:  ?|ESR |FAR "
    rb"|pstate: "
)
_HEADS: Final = (
    rb"BUG: |BUG [\w-]{3,40} \(|Oops|WARNING: |INFO: |[Kk]ernel BUG at "
    rb"|(?<!\d\] )general protection fault|Unable to handle |#PF: |PGD |RIP: |EIP: |IP: "
    rb"|PC is at |LR is at |Code: |CPU: \d|CPU \d+ Unable|Hardware name: "
    rb"|Workqueue: |Modules linked in:|Call [Tt]race:|Backtrace: ?"
    rb"|Internal error: |Kernel panic - not|---\[ |Process \w|Stack: ?|Mem abort info|</?(?:TASK"
    rb"|IRQ|NMI|EOI)>|Data abort info|list_(?:add|del) corruption|refcount_t: |Kernel Offset: "
    rb"|CPU#\d|invalid opcode: |divide error: |Mem-Info:|Dumping ftrace|Instruction dump"
    rb"|Exception in |traps: |Last Breaking|[\w./-]{1,32}\[\d{1,8}\]: (?:segfault at |unhandled "
    rb"|trap |bad )|User process fault: |Out of memory: |oom-kill:|Allocated in |Freed in |Slab 0x"
    rb"|Object 0x|[-=]{8}"
)
_OF_TOOLS: Final = (
    rb"|#\d{1,3} +(?:\[[0-9a-f]|0x|\w+ \()|\[exception RIP|Trace; |>>[EN]|\(XEN\)|Killed process "
    rb"|TPC: |TSTATE: |IAOQ\[|"
)
"""Frames and registers as crash, gdb, ksymoops, Xen and the rarer architectures have them."""
START: Final = regex(
    rb"[ \t]{0,8}(?:" + _HEADS + rb"|PID: \d|Tainted: |" + _REGISTER + _OF_TOOLS + FRAME + rb")"
)
"""What a line without a clock begins with."""
AT_CLOCKS: Final = regex(rb"(?<![ \t])[ \t]++(?=" + CLOCK + rb"[ \[])")
AT_DATES: Final = regex(rb"(?<![ \t])[ \t]++(?=" + _DATE + rb" )")
"""The blanks before a clock, and before a date, inside a line."""
BETWEEN: Final = regex(
    rb"(?<![ \t])(?<!WARNING:)(?<!Oops:)[ \t]++(?=" + _HEADS + rb"|" + _REGISTER + rb")"
    rb"|(?:(?<=race:)|(?<=[A-Z]>)|(?<=\w\])|(?<=/0x[0-9a-f])|(?<=/0x[0-9a-f]{2})"
    rb"|(?<=/0x[0-9a-f]{3})|(?<=/0x[0-9a-f]{4}))[ \t]++(?=" + FRAME + rb")"
)
"""The blanks before what a line without a clock begins with, inside a line; a frame stands behind
the head of a trace, a mark, a module or another frame."""
