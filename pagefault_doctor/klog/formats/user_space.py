"""Faults of programs, which the kernel reports in one line.

Details: `program`; `ip` and `sp`; `object` the mapping the instruction was in, its `base` and
`object_size`, `object_offset` of the instruction in the mapping; `trap` what it was, where it was
no page fault; `crash_frame`, the first of systemd-coredump's, its `died_pid`, the call that it
`waited_in`, the `own_function` below what stopped it; `on_cpu`,
`core`, `socket` where the kernel prints them (since 6.1).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec import structs

from pagefault_doctor.klog.fault import x86_access, x86_reason
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.process import ProcessInfo
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Fault, Kind

_MAPPED: Final = (
    r"(?P<object>\S+?)\[(?:(?P<object_offset>[0-9a-f]+),)?(?P<base>[0-9a-f]+)"
    r"\+(?P<object_size>[0-9a-f]+)\]"
)

DETAILS: Final = (
    r"^(?:traps: )?(?P<program>.{1,40}?)\[\d+\]:? (?:segfault|unhandled|trap |[a-z])",
    r" ip[ :](?P<ip>[0-9a-f]+) sp[ :](?P<sp>[0-9a-f]+)",
    r" nip (?P<ip>[0-9a-f]+) lr ",
    rf"(?:error[ :][0-9a-f]+|code \w+|esr \w+,|0x[0-9a-f]+|ilc:\d|^) in {_MAPPED}",
    r"#\d{1,2} +0x[0-9a-f]+ (?P<own_function>(?!n/a|_*(?:pthread_kill|GI_|libc_|assert|gsignal)"
    r"|raise|abort|sd_event_wait|_?g_(?:log|assert|abort)|malloc_printerr|_int_|_*(?:epoll|p?poll|p?select)"
    r"|\w*nanosleep)[\w:~$.]+) \(",
    r"^pc : (?P<ip>[0-9a-f]{8,16})\s*$",
    r"#[0-4] +0x[0-9a-f]+ (?P<waited_in>epoll_p?wait\w*|_*p?poll\w*|sd_event_wait|_*p?select\w*"
    r"|\w*nanosleep\w*) \(",
    r"sending SIG\w+ to (?P<program>.{1,40}?) for ",
    rf"^\s*epc *= *(?P<ip>[0-9a-f]+) in {_MAPPED}",
    r"^\s*(?P<return_address>ra *= *[0-9a-f]+ in \S+)",
    r"\bProcess (?P<died_pid>\d+) \((?P<program>[^)\n]{1,40})\) of user \d+ ",
    r"likely on CPU (?P<on_cpu>\d+) \(core (?P<core>\d+), socket (?P<socket>\d+)\)",
    r"#0 +(?P<crash_frame>0x[0-9a-f]+ \S+ \(\S+(?: \+ 0x[0-9a-f]+)?\))",
    r"traps: .*?\] (?:trap )?(?P<trap>[a-z][\w /-]*?) ip:",
)

# Fuzzers kill and fault their own programs (syz-executor, syz.1.2) on purpose.
_BY: Final = r"^(?!syz).{1,40}?\[\d+\]: "
_UNHANDLED: Final = _BY + r"unhandled .{3,60}? (?:\(\d+\) )?(?:at|code) (?:0x)?[0-9a-f]+"
_NAMED: Final = r"(?!syz|traps: ).{1,40}?"
_program = partial(Format, plain=True)
_segfault = partial(_program, kind=Kind.USER_SEGFAULT)
_trapped = partial(_program, kind=Kind.USER_TRAP)

FORMATS: Final = (
    _program(
        start=_BY + r"segfault (?:at [0-9a-f]+ ip +(?:[0-9a-f]+|\(null\)) sp "
        r"|\(\d+\) at [0-9a-f]+ nip )",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: segfault",
        title="segfault in {1}",
        kind=Kind.USER_SEGFAULT,
        source="arch/x86/mm/fault.c (show_signal_msg)",
    ),
    _program(
        start=r"^traps: (?!syz)[^\[\]]+\[\d+\] [a-z][\w /-]*? ip:[0-9a-f]+ sp:[0-9a-f]+"
        r" (?:ssp:[0-9a-f]+ )?error:",
        pattern=r"traps: (.{1,40}?)\[\d+\] (?:trap )?([a-z][\w /-]*?) ip:",
        title="{2} in {1}",
        kind=Kind.USER_TRAP,
        source="arch/x86/kernel/traps.c (show_signal)",
    ),
    _program(
        start=r"^traps: (?!syz)[^\[\]]{1,40}\[\d+\] (?:trap )?(?:general protection|invalid opcode"
        r"|divide error|int3|stack segment|control protection)(?: fault)?\s*(?:\n|$)",
        pattern=r"traps: (.{1,40}?)\[\d+\] (?:trap )?([a-z][\w ]*)",
        title="{2} in {1}",
        kind=Kind.USER_TRAP,
        source="arch/x86/kernel/traps.c (show_signal), of a line whose end was broken off",
    ),
    _program(
        start=_UNHANDLED,
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: unhandled (.{3,60}?(?= \(\d+\) at)"
        r"|signal \d+(?= code))",
        title="{2} in {1}",
        kind=Kind.USER_SEGFAULT,
        alike="unhandled",
        source="arch/arm64/kernel/traps.c (arm64_show_signal), arch/riscv/kernel/traps.c (do_trap)",
    ),
    _program(
        start=r"^(?!syz).{1,40}?: unhandled page fault \(\d+\) at ",
        pattern=r"(?:^|\n)(.{1,40}?): unhandled (page fault) \(\d+\) at",
        title="{2} in {1}",
        kind=Kind.USER_SEGFAULT,
        alike="unhandled",
        source="arch/arm/mm/fault.c (__do_user_fault)",
    ),
    _program(
        start=_BY + r"(?:bad frame|illegal inst|trap|bus error).* nip [0-9a-f]+ lr [0-9a-f]+",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: (bad frame|illegal instruction|trap|bus error)",
        title="{2} in {1}",
        kind=Kind.USER_TRAP,
        source="arch/powerpc/kernel/traps.c (show_signal_msg)",
    ),
    _program(
        start=r"^(?!syz).{1,40}: potentially unexpected fatal signal \d+\.",
        pattern=r"(?:^|\n)(.{1,40}?)(?:/\d+)?: .*potentially unexpected fatal signal",
        title="fatal signal in {1}",
        kind=Kind.USER_TRAP,
        source="kernel/signal.c (print_fatal_signal)",
    ),
    _program(
        start=r"^potentially unexpected fatal signal \d+\.",
        title="fatal signal in a program",
        kind=Kind.USER_TRAP,
        source="kernel/signal.c (print_fatal_signal), as 5.10 and 6.1 have it",
    ),
    _program(
        start=r"^User process fault: interruption code .* ilc:",
        pattern=r"User process fault: interruption code ([0-9a-f]{4})(?:.*? in ([^\s\[]+)\[)?",
        title="user process fault {1} in {2}",
        kind=Kind.USER_SEGFAULT,
        source="arch/s390/mm/fault.c (report_user_fault)",
    ),
    _segfault(
        start=_BY + r"segfault at [0-9a-f]+ (?:r|e)ip [0-9a-f]+ (?:r|e)sp ",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: segfault",
        title="segfault in {1}",
        source="arch/x86_64/mm/fault.c (do_page_fault), before 2.6.25",
    ),
    _segfault(
        start=r"(?:^|[\s\]>])(?!syz)[^\s\[\]]{1,40}(?:\[\d+\])?: segfault at [0-9a-f]{1,16} r?ip"
        r" [0-9a-f]{1,16} r?sp [0-9a-f]{1,16} error ",
        pattern=r"(?:^|[\s\]>])([^\s\]>]{1,40}?)(?:\[\d+\])?: segfault at",
        title="segfault in {1}",
        source="arch/x86/mm/fault.c (show_signal_msg), with its begin or the number lost",
    ),
    _segfault(
        start=_BY + r"segfault at [0-9a-f]+ ip [0-9a-f]+ \(rpc ",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: segfault",
        title="segfault in {1}",
        source="arch/sparc/mm/fault_64.c (show_signal_msg)",
    ),
    _trapped(
        start=rf"^{_NAMED}\[\d+\] (?:trap |general protection )[\w ]*(?:r?ip):"
        r"|(?:^|[\s\]>])(?!syz)[^\s\[\]]{1,40}(?:\[\d+\])? general protection"
        r" r?ip:[0-9a-f]+ r?sp:",
        needles=("ip:",),
        pattern=r"(?:^|[\n\s\]>])([^\n\]>]{1,40}?)(?:\[\d+\])? (?:trap )?(\w[\w ]*?) r?ip:",
        title="{2} in {1}",
        source="arch/x86/kernel/traps.c (show_signal), before 4.12 and of one whose begin is lost",
    ),
    _segfault(
        start=r"do_page_fault\(\)(?: #\d+)?: sending SIG\w+ to (?!syz)",
        pattern=r"sending (SIG\w+) to (.{1,40}?) for ",
        title="{1} in {2}",
        source="arch/mips/mm/fault.c (__do_page_fault), arch/loongarch/mm/fault.c",
    ),
    _segfault(
        start=rf"^{_NAMED}(?:\[\d+\])?: unhandled (?:exception: .*\bESR 0x|signal \d+ at )"
        rf"|^{_NAMED}\[\d+\]: unhandled exception: ",
        needles=(": unhandled ",),
        pattern=r"(?:^|\n)(.{1,40}?)(?:\[\d+\])?: unhandled (exception: [^,]+|signal \d+)",
        title="unhandled {2} in {1}",
        alike="unhandled",
        source="arch/arm64/kernel/traps.c (arm64_show_signal), since 4.17",
    ),
    _trapped(
        start=rf"^{_NAMED}(?:\[\d+\]| \(\d+\)): undefined instruction: pc=",
        pattern=r"(?:^|\n)(.{1,40}?)(?:\[\d+\]| \(\d+\)): undefined instruction",
        title="undefined instruction in {1}",
        source="arch/arm64/kernel/traps.c (force_signal_inject), arch/arm/kernel/traps.c",
    ),
    _segfault(
        start=rf"^{_NAMED}: unhandled page fault at |do_page_fault\(\) command='(?!syz)",
        pattern=r"(?:^|\n)(.{1,40}?): unhandled page fault at|command='([^']{1,40})'",
        title="page fault in {1}{2}",
        source="arch/parisc/mm/fault.c (show_signal_msg)",
    ),
    _segfault(
        start=r"^User process fault: interruption code (?:0x)?[0-9A-Fa-f]+ *(?:\n|$)",
        title="user process fault",
        source="arch/s390/kernel/traps.c (do_trap), before 3.16",
    ),
    _trapped(
        start=rf"^{_NAMED}\[\d+\] bad frame in [\w ]{{3,40}}? frame:[0-9a-f]+ ip:",
        needles=(" bad frame in ",),
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\] (bad frame) in",
        title="{2} in {1}",
        source="arch/x86/kernel/signal.c (signal_fault)",
    ),
    _trapped(
        start=rf"^{_NAMED}\[\d+\] (?:vsyscall attempted with vsyscall=none|misaligned vsyscall"
        r"|vsyscall fault)",
        needles=(" vsyscall",),
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\] (?:misaligned )?vsyscall",
        title="vsyscall of {1}",
        source="arch/x86/entry/vsyscall/vsyscall_64.c (warn_bad_vsyscall)",
    ),
    _segfault(
        start=rf"^{_NAMED}\[\d+\]: User access of kernel address \([0-9a-f]+\) - exploit attempt",
        needles=(": User access of kernel address",),
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: User access of kernel",
        title="user access of a kernel address in {1}",
        source="arch/powerpc/mm/fault.c (sanity_check_fault)",
    ),
    _trapped(
        start=r"^(?:Caught unhandled exception|Illegal [Ii]nstruction"
        r"|Unaligned memory access to \S+) in '(?!syz)[^']{1,40}' \(pid = \d+, pc = ",
        needles=("' (pid = ",),
        pattern=r" in '([^']{1,40})' \(pid = ",
        title="unhandled exception in {1}",
        source="arch/xtensa/kernel/traps.c (do_unhandled, do_illegal_instruction)",
    ),
)

_FAULT: Final = regex(
    r"^(?:traps: )?(?P<program>.{1,40}?)(?:(?:\[| \()(?P<pid>\d{1,10})[\])]:?| *:(?= unhandled))"
    r" [a-z]"
    r"(?:.*? at (?:0x)?(?P<address>[0-9a-f]{1,16})\b)?"
)
_CODE: Final = regex(r"(?:error[ :]|esr |, code )(?:0x)?(?P<code>[0-9a-f]{1,16})")


def user_fault(line: LogLine, process: ProcessInfo) -> tuple[Fault | None, int | None, ProcessInfo]:
    """Return the fault of a program that its line reports, and the process with its name."""
    match = _FAULT.match(line.text)
    if match is None:
        return None, None, process
    code = _CODE.search(line.text)
    value = int(code["code"], 16) if code else None
    x86 = value is not None and " ip " in line.text
    fault = Fault(
        address=f"0x{int(match['address'], 16):x}" if match["address"] else None,
        access=x86_access(value) if x86 and value is not None else None,
        mode="user",
        reason=x86_reason(value) if x86 and value is not None else None,
        error_code=f"0x{value:x}" if value is not None else None,
    )
    named = structs.replace(
        process,
        pid=int(match["pid"]) if match["pid"] else None,
        comm=match["program"],
        line=line.number,
    )
    return fault, line.number, named
