"""Faults of programs, which the kernel reports in one line.

Details: `program`; `ip` and `sp`; `object` the mapping the instruction was in, its `base` and
`object_size`, `object_offset` of the instruction in the mapping; `trap` what it was, where it was
no page fault; `crash_frame`, the first of systemd-coredump's; `on_cpu`, `core`, `socket` where the
kernel prints them (since 6.1).
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
    r"likely on CPU (?P<on_cpu>\d+) \(core (?P<core>\d+), socket (?P<socket>\d+)\)",
    r"#0 +(?P<crash_frame>0x[0-9a-f]+ \S+ \(\S+(?: \+ 0x[0-9a-f]+)?\))",
    r"traps: .*?\] (?:trap )?(?P<trap>[a-z][\w /-]*?) ip:",
)

# Fuzzers kill and fault their own programs (syz-executor, syz.1.2) on purpose.
_BY: Final = r"^(?!syz)[\w.@/+:()# -]{1,40}\[\d+\]: "
_UNHANDLED: Final = _BY + r"unhandled .{3,60}? (?:\(\d+\) )?(?:at|code) (?:0x)?[0-9a-f]+"
_NAMED: Final = r"(?!syz|traps: )[\w.@/+:()# -]{1,40}"
_program = partial(Format, plain=True)
_segfault = partial(_program, kind=Kind.USER_SEGFAULT)
_trapped = partial(_program, kind=Kind.USER_TRAP)
_told = partial(_program, fragment=True, said=True, kind=Kind.USER_SEGFAULT)

FORMATS: Final = (
    _program(
        start=_BY + r"segfault (?:at [0-9a-f]+ ip [0-9a-f]+ sp |\(\d+\) at [0-9a-f]+ nip )",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: segfault",
        title="segfault in {1}",
        kind=Kind.USER_SEGFAULT,
        source="arch/x86/mm/fault.c (show_signal_msg)",
    ),
    _program(
        start=r"^traps: (?!syz)[^\[\]]+\[\d+\] [a-z][\w /-]*? ip:[0-9a-f]+ sp:[0-9a-f]+ error:",
        pattern=r"traps: (.{1,40}?)\[\d+\] (?:trap )?([a-z][\w /-]*?) ip:",
        title="{2} in {1}",
        kind=Kind.USER_TRAP,
        source="arch/x86/kernel/traps.c (show_signal)",
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
        start=r"^(?!syz)[\w.@/+:()# -]{1,40}: unhandled page fault \(\d+\) at ",
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
        start=_BY + r"segfault at [0-9a-f]+ ip [0-9a-f]+ \(rpc ",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: segfault",
        title="segfault in {1}",
        source="arch/sparc/mm/fault_64.c (show_signal_msg)",
    ),
    _trapped(
        start=rf"^{_NAMED}\[\d+\] (?:trap |general protection )[\w ]*(?:r?ip):",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\] (?:trap )?(\w[\w ]*?) r?ip:",
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
        start=rf"^{_NAMED}\[\d+\]: unhandled (?:exception: |signal \d+ at )",
        pattern=r"(?:^|\n)(.{1,40}?)\[\d+\]: unhandled (exception: [^,]+|signal \d+)",
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
    _told(
        start=r"Process \d+ \([^)]+\) of user \d+ (?:dumped core|terminated abnormally)",
        pattern=r"Process \d+ \((?P<who>[^)]+)\) of user",
        title="{1} dumped core",
        source="systemd's src/coredump/coredump.c (submit_coredump)",
    ),
    _told(
        start=r"process exited, code=(?:dumped|killed), status=\d+/(?:SEGV|BUS|ILL|FPE|TRAP|ABRT)",
        pattern=r"(\S+): \w+ process exited, code=\w+, status=\d+/(\w+)",
        title="{1} died of SIG{2}",
        source="systemd's src/core/service.c (service_sigchld_event)",
    ),
    _told(
        start=r"type=1701 audit\(.* sig=(?:4|5|6|7|8|11)\b",
        needles=(" sig=",),
        pattern=r'comm="([^"]+)".* sig=(\d+)',
        title="{1} died of signal {2}",
        source="kernel/auditsc.c (audit_core_dumps)",
    ),
    _told(
        start=r"^(?:\[\d+\] .*|\w[\w./ -]*: )?Segmentation fault *(?:\(core dumped\)|\n|$)",
        needles=("Segmentation fault",),
        title="segmentation fault of a program",
        source="bash's jobs.c and siglist.c, of a program that died of SIGSEGV",
    ),
    _told(
        start=r"request_module: runaway loop modprobe binfmt-|exists but couldn't execute it"
        r"|^INIT: Id \"\w+\" respawning too fast",
        needles=("runaway loop", "couldn't execute it", "respawning too fast"),
        title="a program of the boot cannot run",
        source="kernel/module/kmod.c (__request_module), init/main.c (try_to_run_init_process),"
        " sysvinit's init.c",
    ),
    _told(
        start=r"line \d+: +\d+ (?:Segmentation fault|Aborted|Bus error|Illegal instruction)\b",
        needles=("Segmentation fault", "Aborted", "Bus error", "Illegal instruction"),
        pattern=r"line \d+: +\d+ (\w+ ?\w*)",
        title="a program of a script died: {1}",
        source="bash's jobs.c (notify_of_job_status), of a program in a script",
    ),
    _told(
        start=r"[Ff]atal signal \d+ \(SIG\w+\)|^signal \d+ \(SIG\w+\), code ",
        needles=(" (SIG",),
        pattern=r"signal \d+ \((SIG\w+)\)",
        title="{1} of a program",
        source="Android's debuggerd (debuggerd_handler.cpp, tombstone.cpp)",
    ),
    _told(
        start=r"^# +SIG\w+ \(0x[0-9a-f]+\) at pc=",
        needles=(") at pc=",),
        pattern=r"# +(SIG\w+) \(0x",
        title="{1} in Java's virtual machine",
        source="HotSpot's vmError.cpp (VMError::report)",
    ),
    _told(
        start=r"^==\d+==ERROR: \w+Sanitizer: ",
        needles=("Sanitizer: ",),
        pattern=r"ERROR: (\w+Sanitizer: [\w-]+)",
        title="{1} in a program",
        source="compiler-rt's lib/asan/asan_report.cpp and its like, of programs",
    ),
    _told(
        start=r"^\*\*\* (?:Error in .*: |stack smashing detected|buffer overflow detected)"
        r"|^(?:free|malloc|realloc|munmap_chunk)\(\): (?:invalid|corrupted|double free)",
        needles=(
            "*** Error in ",
            "*** stack smashing",
            "*** buffer overflow",
            "free(): ",
            "malloc(): ",
            "realloc(): ",
            "munmap_chunk(): ",
        ),
        title="a program found its memory damaged",
        source="glibc's malloc/malloc.c (malloc_printerr), debug/fortify_fail.c",
    ),
    _told(
        start=r"^(?:Thread .*)?Program (?:received|terminated with) signal SIG\w+",
        needles=("signal SIG",),
        pattern=r"signal (SIG\w+)",
        title="{1} of a program",
        source="gdb's infrun.c (print_signal_received_reason), of a program",
    ),
    _told(
        start=r"^You are in (?:emergency|rescue) mode|^Mounting root failed"
        r"|initramfs emergency recovery shell launched",
        needles=("You are in ", "Mounting root failed", "initramfs emergency"),
        title="the boot stopped for want of a file system",
        source="systemd's emergency.service, mkinitfs' initramfs-init",
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
