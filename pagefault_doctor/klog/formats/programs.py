"""Faults of programs in the words of other programs, or of their own: no kernel prints these.

They count only in a boot that has nothing else, for such lines stand in any long log.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.model.report import Kind

_told = partial(Format, plain=True, fragment=True, said=True, kind=Kind.USER_SEGFAULT)

FORMATS: Final = (
    _told(
        start=r"^(?!.*\bsyz)(?:.*\s)?segfault (?:\(\d+\) )?at [0-9a-f]{1,16}\b",
        title="segfault in a program",
        source="arch/x86/mm/fault.c (show_signal_msg), of a line whose begin or end is lost",
    ),
    _told(
        start=r"Service '[^']+' \(pid \d+\) (?:killed by|received) signal (?:4|5|6|7|8|11)\b",
        needles=(" by signal ", " received signal "),
        pattern=r"Service '([^']+)' \(pid \d+\) \w+(?: by)? signal (\d+)",
        title="{1} died of signal {2}",
        source="Android's init (system/core/init/service.cpp, Service::Reap)",
    ),
    _told(
        start=r"\b(?:process|Process|main process) .{1,60}?\bkilled by (?:SIG)?"
        r"(?:SEGV|BUS|ILL|FPE|TRAP|ABRT)\b",
        needles=("killed by ",),
        pattern=r"killed by (?:SIG)?([A-Z]+)",
        title="a program died of SIG{1}",
        source="abrt's src/hooks/abrt-hook-ccpp.c, upstart's init/job_process.c",
    ),
    _told(
        start=r"Saved core dump of pid \d+ \(\S+\) to |called for pid \d+, signal"
        r" (?:4|5|6|7|8|11), core limit",
        needles=("Saved core dump of pid", "called for pid "),
        pattern=r"Saved core dump of pid \d+ \((\S+)\)",
        title="{1} dumped core",
        source="abrt's src/hooks/abrt-hook-ccpp.c, apport's data/apport",
    ),
    _told(
        start=r"Caught <(?:SEGV|ABRT|BUS|ILL|FPE)>, (?:dumped core|core dump failed|from our own"
        r"|cannot fork|not dumping)",
        needles=("Caught <",),
        pattern=r"Caught <(?P<first_signal>\w+)>",
        title="SIG{1} of the first process, systemd",
        fragment=False,
        details=(r"Caught <(?P<first_signal>\w+)>",),
        source="systemd's src/core/crash-handler.c (crash), src/coredump/coredump.c",
    ),
    _told(
        start=r"Due to PID 1 having crashed,? coredump collection will now be turned off",
        title="the first process, systemd, crashed",
        fragment=False,
        source="systemd's src/coredump/coredump.c (disable_coredumps)",
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
        start=r"type=(?:1701 |ANOM_ABEND msg=)audit\(.* sig=(?:4|5|6|7|8|11)\b",
        needles=(" sig=",),
        pattern=r'comm="([^"]+)".* sig=(\d+)',
        title="{1} died of signal {2}",
        source="kernel/auditsc.c (audit_core_dumps)",
    ),
    _told(
        start=r"^(?:\[\d+\] .*|[\w/][\w./ -]*: )?(?:Segmentation fault *(?:\(core dumped\)|\n|$)"
        r"|(?:Bus error|Aborted|Illegal instruction|Floating point exception) *\(core dumped\)"
        r"|(?:Bus error|Illegal instruction)\s*(?:\n|$))",
        needles=("Segmentation fault", "(core dumped)", "Bus error", "Illegal instruction"),
        title="segmentation fault of a program",
        source="bash's jobs.c and siglist.c, of a program that died of SIGSEGV",
    ),
    _told(
        start=r"request_module: runaway loop modprobe binfmt-|exists but couldn't execute it"
        r"|^INIT: Id \"\w+\" respawning too fast"
        r"|^(?:init: )?critical process '\S+' exited \d+ times",
        needles=(
            *("runaway loop", "couldn't execute it", "respawning too fast"),
            "critical process '",
        ),
        title="a program of the boot cannot run",
        source="kernel/module/kmod.c (__request_module), init/main.c (try_to_run_init_process)"
        ", sysvinit's init.c, Android's system/core/init/service.cpp",
    ),
    _told(
        start=r"line \d+: +\d+ (?:Segmentation fault|Aborted|Bus error|Illegal instruction)\b",
        needles=("Segmentation fault", "Aborted", "Bus error", "Illegal instruction"),
        pattern=r"line \d+: +\d+ (\w+ ?\w*)",
        title="a program of a script died: {1}",
        source="bash's jobs.c (notify_of_job_status), of a program in a script",
    ),
    _told(
        start=r"[Ff]atal signal \d+ \(SIG\w+\)|(?:^|: )signal \d+ \(SIG\w+\), code ",
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
        start=r"^(?:Thread .*)?(?:Program|Thread \d.*?) (?:received|terminated with) signal"
        r" SIG\w+",
        needles=("signal SIG",),
        pattern=r"signal (SIG\w+)",
        title="{1} of a program",
        source="gdb's infrun.c (print_signal_received_reason), of a program",
    ),
    _told(
        start=r"^You are in (?:emergency|rescue) mode|^Mounting root failed"
        r"|initramfs emergency recovery shell launched"
        r"|^mount: mounting \S+ on /(?:root|sysroot) failed",
        needles=(
            *("You are in ", "Mounting root failed", "initramfs emergency"),
            "mount: mounting",
        ),
        title="the boot stopped for want of a file system",
        source="systemd's emergency.service, mkinitfs' initramfs-init, busybox's"
        " util-linux/mount.c",
    ),
    _told(
        start=r"^(?:Target filesystem doesn't have requested /\S+|No init found\. Try passing init="
        r"|run-init: /\S+: |switch_root: failed to execute )"
        r"|^(?:systemd\[1\]: |\[!+\] )?(?:Failed to [\w ./-]{3,60}, freezing|Freezing execution)\.",
        needles=(
            *("Target filesystem", "No init found. Try", "run-init: /", "switch_root: failed"),
            *(", freezing.", "Freezing execution"),
        ),
        title="the first process cannot run",
        source="initramfs-tools' init, klibc's run-init.c, util-linux' sys-utils/switch_root.c,"
        " systemd's src/core/main.c and crash-handler.c",
    ),
    _told(
        start=r"\b(?:terminated by|exited (?:on|due to|with|prematurely:)|killed (?:by|with)|got"
        r"|[Cc]aught|died (?:of|from)) signal:? (?:4|6|7|8|11)\b(?!\d)"
        r"|exit signal (?:Segmentation fault|Bus error|Aborted)"
        r"|(?:crashed with|pid \d+ received) signal (?:4|6|7|8|11)\b"
        r"|terminated by SIG(?:SEGV|BUS|ILL|ABRT|FPE)\b"
        r"|uncaught target signal (?:4|6|7|8|11)\b|default action of signal (?:4|6|7|8|11)\b",
        needles=(" signal ", " signal: ", "terminated by SIG"),
        pattern=r"(?:signal:?|by) (\d+|Segmentation fault|Bus error|Aborted|SIG\w+)",
        title="a program died of signal {1}",
        source="what servers say of their workers, qemu's linux-user/signal.c, valgrind, Xorg",
    ),
    _told(
        start=r"^(?:fatal error: unexpected signal during runtime|\[?signal SIG\w+: |SIG\w+:"
        r" segmentation violation|(?:\S+\[\d+\]: )?Fatal Python error: (?:Segm|Bus error|Aborted))"
        r"|^\[[\w.-]+:\d+\] Signal: (?:Segmentation fault|Bus error|Aborted|Illegal ins)",
        needles=(
            "unexpected signal",
            "signal SIG",
            "segmentation viol",
            "Fatal Python error: ",
            "] Signal: ",
        ),
        title="a program died, in the words of its runtime",
        source="Go's src/runtime/signal_unix.go, Python's Modules/faulthandler.c, Open MPI's"
        " opal/util/stacktrace.c",
    ),
    _told(
        start=r"^\s*Signal: \d+ \((?:SEGV|BUS|ILL|FPE|TRAP|ABRT)\)|Failed with result"
        r" 'core-dump'|exited,? (?:with )?(?:code|status|code=exited,? status)[ =]13[24569]\b"
        r"|Resource limits disable core dumping for process",
        needles=("Signal: ", "'core-dump'", "exited", "Resource limits disable"),
        title="a program died of a signal",
        source="systemd's coredumpctl.c and service.c; 128 and the signal: POSIX, 2.8.2",
    ),
    _told(
        start=r"grsec: .*Segmentation fault occurred at|PAX: terminating task: ",
        needles=("grsec: ", "PAX: terminating"),
        title="segmentation fault of a program",
        source="grsecurity's grsec_sig.c (gr_log_signal), PaX's fs/exec.c (pax_report_fault)",
    ),
    _told(
        start=r"^(?:\S+: |\S+\[\d+\]: )?(?:terminate called after throwing an instance of"
        r"|\S+: \S+: Assertion `.*' failed\.|Assertion '.*' failed at \S+, function .*Aborting"
        r"|(?:\*\*\* )?FATAL EXCEPTION(?: IN SYSTEM PROCESS)?: )",
        needles=("terminate called", "Assertion `", "Assertion '", "FATAL EXCEPTION"),
        title="a program ended itself",
        source="libstdc++'s libsupc++/vterminate.cc, glibc's assert/assert.c, systemd's"
        " src/basic/log.c (log_assert_failed), Android's RuntimeInit.java",
    ),
)
