"""Panics: `kernel/panic.c`, `kernel/exit.c`, `kernel/sched/core.c`, `kernel/locking/…`.

What stands behind `Kernel panic - not syncing:` is the caller's; where it is only that an
earlier report was fatal, that earlier report is the one that counts.

Details: `panic` the words; `corrupted_in` the function whose stack was,
`corrupted_at` its line of source; `exitcode` of init;
what stands above a panic while the kernel starts, as printed: `ramdisk_error`, `unpack_error`,
`rdinit_error`, `init_error`, the first `partition` of the `partition_list`;
`hardware_error` the words of the hardware.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import FAULT, TRACED, Continuation, Format, Lead
from pagefault_doctor.klog.guilty_function import Choice
from pagefault_doctor.model.report import Kind

_PANIC: Final = r"Kernel panic(?: - not syncing)?: "
"""With the words that 2.4 printed behind the reason."""


DETAILS: Final = (
    r"Kernel panic(?: - not syncing)?: (?P<panic>.+)",
    r"Kernel stack is corrupted in: (?P<corrupted_in>\S+(?: \[[\w-]+\])?)",
    # After scripts/decode_stacktrace.sh; the last place is of the function itself
    r"corrupted in: \S+ \([^()]*?(?P<corrupted_at>[^\s()]+:\d+)(?: \(discriminator \d+\))?\)",
    r"exitcode=(?P<exitcode>0x[0-9a-f]{1,8})",
    r"(?P<ramdisk_error>RAMDISK: .*-\d+.*)",
    r"(?P<unpack_error>Initramfs unpacking failed: .+)",
    r"rdinit=(?P<rdinit_error>\S+ failed: -\d+)",
    r"(?:Failed to execute|Starting init:|Requested init) (?P<init_error>.+-\d+\)?.*)",
    r"^ *[0-9a-f]{4} +\d+ (?P<partition>[a-z]+\d*) .*driver: ",
    # Since 4.11 the driver is in a line of its own (block/early-lookup.c, printk_all_partitions)
    r"^ *[0-9a-f]{4,8} +\d+ (?P<partition>(?:mmcblk|nvme|sd|hd|vd|xvd|mtdblock)\w+)",
    r"here are the available (?P<partition_list>partitions|bdev options):",
    r"(?P<hardware_error>\[Hardware Error\]: .+)",
)

_panic = partial(
    Format, header="Kernel panic", follows=True, kind=Kind.PANIC, source="kernel/panic.c (vpanic)"
)
# The report that was fatal is the one that counts.
_repeated = partial(_panic, lost=True)

FORMATS: Final = (
    Continuation(
        lead=r"RAMDISK: .*-\d|Initramfs unpacking failed: |check access for rdinit="
        r"|^(?:Failed to execute|Starting init:) |here are the available \w+",
        source="init/do_mounts.c and do_mounts_rd.c, init/initramfs.c, init/main.c (kernel_init)",
    ),
    _panic(
        pattern=_PANIC + "Attempted to kill init!",
        title="kernel panic: Attempted to kill init!",
        source="kernel/exit.c (do_exit)",
    ),
    _panic(
        pattern=_PANIC + "Couldn't open N_TTY ldisc for .*? --- error",
        title="kernel panic: Couldn't open N_TTY ldisc",
        source="drivers/tty/tty_ldisc.c (tty_ldisc_init)",
    ),
    _panic(
        pattern=_PANIC + "[Kk]ernel stack overflow",
        title="kernel stack overflow in {f}",
        kind=Kind.STACK_GUARD,
        ways=(*FAULT, *TRACED),
        alts=("stack-overflow in {f}",),
        take=Choice.STALL,
        source="arch/arm64/kernel/traps.c (panic_bad_stack), arch/riscv/kernel/traps.c"
        " (handle_bad_stack)",
    ),
    _panic(
        pattern=_PANIC + "corrupted stack end detected inside scheduler",
        title="kernel panic: corrupted stack end in {f}",
        kind=Kind.STACK_CORRUPTED,
        ways=TRACED,
        alts=("stack-overflow in {f}",),
        skip="schedule",
        take=Choice.STALL,
        source="kernel/sched/core.c (schedule_debug)",
    ),
    _panic(
        pattern=_PANIC + "stack-protector: Kernel stack is corrupted in:",
        title="kernel panic: stack is corrupted in {f}",
        kind=Kind.STACK_CORRUPTED,
        ways=((r"Kernel stack is corrupted in: (?P<f>[A-Za-z_]\w*)(?:[+.]| \()",), *TRACED),
        skip="stack_chk",
        plain=True,
        source="kernel/panic.c (__stack_chk_fail)",
    ),
    _repeated(
        pattern=_PANIC + ".*panic_on_warn set",
        title="kernel panic: panic_on_warn set",
        source="kernel/panic.c (check_panic_on_warn)",
    ),
    _repeated(
        pattern=_PANIC + "(Fatal exception(?: in interrupt)?)",
        title="kernel panic: Fatal exception",
        source="arch/x86/kernel/dumpstack.c (oops_end), arch/arm64/kernel/traps.c (die)",
    ),
    _repeated(
        pattern=_PANIC + "(hung_task: blocked tasks)",
        title="kernel panic: {1}",
        source="kernel/hung_task.c (check_hung_uninterruptible_tasks)",
    ),
    _panic(
        pattern=_PANIC
        + "(NMI(?:: Not| IOCK|: IOCK| PCI).*|.*(?:[Mm]achine check|SError|[Hh]ardware [Ee]rror"
        "|cache error|broadcast exception handler|memory error|corrected error).*)",
        title="kernel panic: {1}",
        kind=Kind.HARDWARE,
        source="arch/x86/kernel/cpu/mce/core.c (mce_panic), arch/x86/kernel/nmi.c"
        " (unknown_nmi_error), arch/arm64/kernel/traps.c (arm64_serror_panic),"
        " drivers/acpi/apei/ghes.c (__ghes_panic)",
    ),
    _panic(pattern=_PANIC + "(.*)", title="kernel panic: {1}"),
    Format(
        start=r"^(?: *PANIC: \")?(?:sysrq: )?(?:SysRq : )?Trigger a crash",
        notice=True,
        lead=Lead.KEPT,
        pattern=r"(?:sysrq: (?:SysRq : )?|SysRq : )Trigger a crash",
        title="kernel panic: sysrq triggered crash",
        kind=Kind.PANIC,
        plain=True,
        source="drivers/tty/sysrq.c (sysrq_handle_crash); the panic itself is not in the log",
    ),
    Format(
        start=r"Unhandled [\w -]+ exception(?: on CPU\d+)?, ESR 0x[0-9a-f]+",
        lead=Lead.DROPPED,
        pattern=r"Unhandled ([\w -]+ exception).*, ESR ",
        title="unhandled {1} in {f}",
        kind=Kind.TRAP,
        ways=FAULT,
        source="arch/arm64/kernel/entry-common.c (__panic_unhandled)",
    ),
    Format(
        start=r"end Kernel panic - not syncing",
        fragment=True,
        follows=True,
        lost=True,
        plain=True,
        pattern=r"end Kernel panic - not syncing: (.*?)(?: \]---)?(?:\n|$)",
        title="kernel panic: {1}",
        kind=Kind.PANIC,
        source="kernel/panic.c (vpanic): the last line; the panic itself is not in the log",
    ),
    Format(
        start=r"^KERNEL PAN[I1l]C ?!(?:\n|$)",
        needles=("KERNEL PAN",),
        fragment=True,
        plain=True,
        title="kernel panic",
        kind=Kind.PANIC,
        source="drivers/gpu/drm/drm_panic.c (draw_panic_static_user)",
    ),
    Format(
        start=r"VFS: Cannot open root device|^Please append a correct \"root=\" boot option"
        r"|Gave up waiting for root (?:file ?system )?device|ALERT! .* does not exist"
        r"|dracut: Refusing to continue|Warning: dracut-initqueue timeout",
        needles=(
            *("VFS: Cannot open", "Please append a", "Gave up waiting", "ALERT! "),
            *("dracut: Refusing", "dracut-initqueue"),
        ),
        fragment=True,
        said=True,
        plain=True,
        title="no root file system",
        kind=Kind.PANIC,
        source="init/do_mounts.c (mount_root_generic), initramfs-tools' scripts/local, dracut",
    ),
)
