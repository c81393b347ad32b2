"""Faults and traps as every machine and age of the kernel words them.

Each row is a headline, the body below it, and its title, type and kind.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel_messages import (
    ARM,
    ARM64,
    I386,
    PLACE,
    PPC,
    RISCV,
    S390,
    STALLED,
    TRACE,
    X86,
    X86_OLD,
    Row,
    assert_told,
    headline,
    stamped,
)
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]

_NULL = "BUG: unable to handle kernel NULL pointer dereference in {f}"
_PAGING = "BUG: unable to handle kernel paging request in {f}"
_USER = "BUG: unable to handle kernel access to user memory in {f}"
_NPD, _MEM, _DOS = "NULL-POINTER-DEREFERENCE", "MEMORY_SAFETY_BUG", "DoS"

FAULTS: tuple[Row, ...] = (
    ("BUG: kernel NULL pointer dereference, address: 0000000000000018\n" + X86,
     _NULL, _NPD, Kind.NULL_POINTER),
    ("BUG: kernel NULL pointer dereference, address: 00000018\n" + I386,
     _NULL, _NPD, Kind.NULL_POINTER),
    ("BUG: unable to handle kernel NULL pointer dereference at           (null)\n" + X86_OLD,
     _NULL, _NPD, Kind.NULL_POINTER),
    ("BUG: unable to handle kernel NULL pointer dereference at 0000000000000018\n"
     "IP: [<ffffffffa0123012>] pfd_f+0x12/0x40 [pfd]\n" + X86_OLD, _NULL, _NPD, Kind.NULL_POINTER),
    ("BUG: unable to handle kernel NULL pointer dereference at 0000000000000018\n"
     "IP: pfd_f+0x12/0x40 [pfd]\n" + X86, _NULL, _NPD, Kind.NULL_POINTER),
    ("BUG: unable to handle page fault for address: ffffffffc0a01000\n" + X86,
     _PAGING, _MEM, Kind.PAGE_FAULT),
    ("BUG: unable to handle kernel paging request at ffffffffc0a01000\n" + X86_OLD,
     _PAGING, _MEM, Kind.PAGE_FAULT),
    ("BUG: unable to handle kernel paging request at f8a01004\nIP: [<f8a01012>] pfd_f+0x12/0x40"
     " [pfd]\n" + I386, _PAGING, _MEM, Kind.PAGE_FAULT),
    ("general protection fault: 0000 [#1] SMP\n" + X86_OLD,
     "general protection fault in {f}", _DOS, Kind.GENERAL_PROTECTION),
    ("general protection fault: 0000 [#1] PREEMPT SMP KASAN PTI\n" + X86,
     "general protection fault in {f}", _DOS, Kind.GENERAL_PROTECTION),
    ("general protection fault, probably for non-canonical address 0xdffffc0000000003: 0000 [#1]"
     " SMP KASAN\nKASAN: null-ptr-deref in range [0x0000000000000018-0x000000000000001f]\n" + X86,
     "general protection fault in {f}", _DOS, Kind.GENERAL_PROTECTION),
    ("Oops: general protection fault, maybe for address 0xffff888012345678: 0000 [#1] SMP NOPTI\n"
     + X86, "general protection fault in {f}", _DOS, Kind.GENERAL_PROTECTION),
    ("Oops: general protection fault, kernel NULL pointer dereference 0x8: 0000 [#1] SMP NOPTI\n"
     + X86, "general protection fault in {f}", _DOS, Kind.GENERAL_PROTECTION),
    ("segment-related general protection fault: 0018 [#1] SMP\n" + X86,
     "general protection fault in {f}", _DOS, Kind.GENERAL_PROTECTION),
    ("stack segment: 0000 [#1] SMP\n" + X86, "stack segment fault in {f}", _DOS, Kind.TRAP),
    ("Oops: stack segment: 0000 [#1] SMP\n" + X86, "stack segment fault in {f}", _DOS, Kind.TRAP),
    ("divide error: 0000 [#1] SMP\n" + X86, "divide error in {f}", _DOS, Kind.TRAP),
    ("Oops: divide error: 0000 [#1] SMP NOPTI\n" + X86, "divide error in {f}", _DOS, Kind.TRAP),
    ("divide_error: 0000 [#1] SMP\n" + X86, "divide error in {f}", _DOS, Kind.TRAP),
    ("invalid opcode: 0000 [#1] SMP\n" + X86, "invalid opcode in {f}", _DOS, Kind.TRAP),
    ("Oops: invalid opcode: 0000 [#1] SMP NOPTI\n" + X86, "invalid opcode in {f}", _DOS, Kind.TRAP),
    ("int3: 0000 [#1] SMP\n" + X86, "int3 in {f}", _DOS, Kind.TRAP),
    ("Oops: int3: 0000 [#1] SMP NOPTI\n" + X86, "int3 in {f}", _DOS, Kind.TRAP),
    ("PANIC: double fault, error_code: 0x0\n" + X86, "PANIC: double fault in {f}", _DOS,
     Kind.DOUBLE_FAULT),
    ("traps: PANIC: double fault, error_code: 0x0\n" + X86, "PANIC: double fault in {f}", _DOS,
     Kind.DOUBLE_FAULT),
    # arch/arm64/mm/fault.c, arch/arm64/kernel/traps.c
    ("Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018\n"
     + ARM64, _NULL, _NPD, Kind.NULL_POINTER),
    ("Unable to handle kernel paging request at virtual address dead000000000108\n" + ARM64,
     _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Unable to handle kernel write to read-only memory at virtual address ffff800012345678\n"
     + ARM64, _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Unable to handle kernel read from unreadable memory at virtual address ffff800012345678\n"
     + ARM64, _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Unable to handle kernel execute from non-executable memory at virtual address"
     " ffff800012345678\n" + ARM64, _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Unable to handle kernel access to user memory outside uaccess routines at virtual address"
     " 0000aaaad0001000\n" + ARM64, _USER, None, Kind.USER_ACCESS),
    ("Unable to handle kernel access to user memory with fs=KERNEL_DS at virtual address"
     " 0000aaaad0001000\n" + ARM64, _USER, None, Kind.USER_ACCESS),
    ("Internal error: Oops: 96000004 [#1] PREEMPT SMP\n" + ARM64, "Internal error in {f}", _DOS,
     Kind.PAGE_FAULT),
    ("Internal error: Oops - BUG: 00000000f2000800 [#1] SMP\n" + ARM64, "Internal error in {f}",
     _DOS, Kind.KERNEL_BUG),
    ("Internal error: Oops - Undefined instruction: 0000000002000000 [#1] SMP\n" + ARM64,
     "Internal error in {f}", _DOS, Kind.TRAP),
    ("Internal error: Oops - BTI: 0000000036000002 [#1] SMP\n" + ARM64, "Internal error in {f}",
     _DOS, Kind.TRAP),
    ("Internal error: Oops - FPAC: 0000000072000000 [#1] SMP\n" + ARM64, "Internal error in {f}",
     _DOS, Kind.TRAP),
    ("Internal error: Oops - CFI: 00000000f2008228 [#1] SMP\n" + ARM64, "Internal error in {f}",
     _DOS, Kind.TRAP),
    ("Internal error: BRK handler: 00000000f2000001 [#1] SMP\n" + ARM64, "Internal error in {f}",
     _DOS, Kind.KERNEL_BUG),
    ("Internal error: synchronous external abort: 0000000096000210 [#1] SMP\n" + ARM64,
     "Internal error in {f}", _DOS, Kind.HARDWARE),
    ("Internal error: SP/PC alignment exception: 000000008a000000 [#1] SMP\n" + ARM64,
     "Internal error in {f}", _DOS, Kind.TRAP),
    ("Internal error: Accessing user space memory outside uaccess.h routines: 96000045 [#1] SMP\n"
     + ARM64, "Internal error in {f}", _DOS, Kind.PAGE_FAULT),
    ("Unhandled fault: synchronous external abort (0x96000210) at 0xffff800010020000\n" + ARM64,
     "Unhandled fault in {f}", _DOS, Kind.PAGE_FAULT),
    # arch/arm/mm/fault.c, arch/arm/mm/alignment.c
    ("8<--- cut here ---\nUnable to handle kernel NULL pointer dereference at virtual address"
     " 00000018 when read\n[00000018] *pgd=00000000\nInternal error: Oops: 5 [#1] SMP ARM\n" + ARM,
     _NULL, _NPD, Kind.NULL_POINTER),
    ("Unable to handle kernel paging request at virtual address bf001000 when write\n"
     "Internal error: Oops: 807 [#1] SMP ARM\n" + ARM, _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Unable to handle kernel paging request at virtual address bf001000\npgd = c2a00000\n"
     "[bf001000] *pgd=2e8ab811\nInternal error: Oops: 17 [#1] PREEMPT SMP THUMB2\n" + ARM,
     _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Unhandled fault: page domain fault (0x01b) at 0x00010000\n" + ARM, "Unhandled fault in {f}",
     _DOS, Kind.PAGE_FAULT),
    ("Unhandled fault: imprecise external abort (0x1406) at 0x00000000\n" + ARM,
     "Unhandled fault in {f}", _DOS, Kind.PAGE_FAULT),
    ("Alignment trap: not handling instruction e1b02f9f at [<bf000012>]\n" + ARM,
     "Alignment trap in {f}", _DOS, Kind.TRAP),
    ("Internal error: Oops - undefined instruction: 0 [#1] SMP ARM\n" + ARM,
     "Internal error in {f}", _DOS, Kind.TRAP),
    ("Internal error: Oops - BUG: 0 [#1] SMP ARM\n" + ARM, "Internal error in {f}", _DOS,
     Kind.KERNEL_BUG),
    (
        "Unable to handle kernel NULL pointer dereference at virtual address 00000018\n"
        "pgd = c0004000\n[00000018] *pgd=00000000\nInternal error: Oops: 17 [#1] PREEMPT SMP ARM\n"
        "Modules linked in: pfd(O+)\nCPU: 0    Not tainted  (3.4.0 #1)\n"
        "PC is at pfd_f+0x12/0x40 [pfd]\nLR is at pfd_g+0x8/0x20 [pfd]\n"
        "[<bf000012>] (pfd_f+0x12/0x40 [pfd]) from [<bf000108>] (pfd_g+0x8/0x20 [pfd])\n"
        "[<bf000108>] (pfd_g+0x8/0x20 [pfd]) from [<c00086a4>] (do_one_initcall+0x1/0x2)\n",
        _NULL,
        _NPD,
        Kind.NULL_POINTER,
    ),
    (
        "Bad mode in Synchronous Abort handler detected on CPU1, code 0x8600000f -- IABT (current"
        " EL)\nInternal error: Oops - bad mode: 0 [#1] SMP\n" + ARM64,
        "Internal error in {f}",
        _DOS,
        Kind.TRAP,
    ),
    # arch/riscv/mm/fault.c, arch/riscv/kernel/traps.c
    ("Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010\n"
     "Oops [#1]\n" + RISCV, _NULL, _NPD, Kind.NULL_POINTER),
    ("Unable to handle kernel paging request at virtual address ff60000112345678\nOops [#1]\n"
     + RISCV, _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Unable to handle kernel access to user memory without uaccess routines at virtual address"
     " 0000000000012000\nOops [#1]\n" + RISCV, _USER, None, Kind.USER_ACCESS),
    ("Oops - illegal instruction [#1]\n" + RISCV, "Oops in {f}", None, Kind.TRAP),
    ("Oops - load address misaligned [#1]\n" + RISCV, "Oops in {f}", None, Kind.TRAP),
    # arch/powerpc/mm/fault.c
    ("BUG: Kernel NULL pointer dereference on read at 0x00000018\n" + PPC, _NULL, _NPD,
     Kind.NULL_POINTER),
    ("BUG: Kernel NULL pointer dereference at 0x00000018\n" + PPC, _NULL, _NPD, Kind.NULL_POINTER),
    ("BUG: Kernel NULL pointer dereference on write at 0x00000018\n" + PPC, _NULL, _NPD,
     Kind.NULL_POINTER),
    ("BUG: Unable to handle kernel data access on read at 0xc00a000000000000\n" + PPC, _PAGING,
     _MEM, Kind.PAGE_FAULT),
    ("BUG: Unable to handle kernel data access at 0xc00a000000000000\n" + PPC, _PAGING, _MEM,
     Kind.PAGE_FAULT),
    ("BUG: Unable to handle kernel instruction fetch (NULL pointer?)\n" + PPC, _PAGING, _MEM,
     Kind.NULL_POINTER),
    ("BUG: Unable to handle kernel unaligned access at 0xc00a000000000001\n" + PPC, _PAGING, _MEM,
     Kind.PAGE_FAULT),
    ("Unable to handle kernel paging request for data at address 0x00000018\n" + PPC, _PAGING,
     _MEM, Kind.NULL_POINTER),
    ("Unable to handle kernel paging request for instruction fetch\n"
     + PPC.replace("DAR: 0000000000000018", "DAR: c008000000b00000"), _PAGING, _MEM,
     Kind.PAGE_FAULT),
    ("Oops: Exception in kernel mode, sig: 4 [#1]\n" + PPC, "Oops in {f}", None, Kind.TRAP),
    # arch/s390/mm/fault.c
    ("Unable to handle kernel pointer dereference in virtual kernel address space\n"
     "Failing address: 0000000000000000 TEID: 0000000000000483\n" + S390, _PAGING, _MEM,
     Kind.NULL_POINTER),
    ("Unable to handle kernel pointer dereference at virtual kernel address 000003ff80b00000\n"
     + S390, _PAGING, _MEM, Kind.PAGE_FAULT),
    ("Kernel stack overflow.\n" + S390, "kernel stack overflow in {f}", "DoS", Kind.STACK_GUARD),
    ("specification exception: 0006 ilc:2 [#1] SMP\n" + S390, "specification exception in {f}",
     None, Kind.TRAP),
    ("illegal operation: 0001 ilc:1 [#1] SMP\n" + S390, "illegal operation in {f}", None,
     Kind.TRAP),
    (
        "Unable to handle kernel pointer dereference at virtual kernel address           (null)\n"
        "Oops: 0004 [#1] SMP\n" + S390,
        _PAGING,
        _MEM,
        Kind.NULL_POINTER,
    ),
    # arch/mips/mm/fault.c, arch/loongarch/mm/fault.c
    ("CPU 0 Unable to handle kernel paging request at virtual address 00000018, epc == 80a10012,"
     " ra == 80a10108\nOops[#1]:\nepc   : 80a10012 pfd_f+0x12/0x40 [pfd]\n"
     "ra    : 80a10108 pfd_g+0x8/0x20 [pfd]\nCall Trace:\n[<80a10012>] pfd_f+0x12/0x40 [pfd]\n"
     "[<80a10108>] pfd_g+0x8/0x20 [pfd]\n[<800120e0>] do_one_initcall+0x40/0x2a0\n",
     _PAGING, _MEM, Kind.NULL_POINTER),
    # arch/mips/kernel/unaligned.c
    *((words + "[#1]:\nepc   : 80a10012 pfd_f+0x12/0x40 [pfd]\n"
       "BadVA : 2b000018\nCall Trace:\n[<80a10012>] pfd_f+0x12/0x40 [pfd]\n"
       "[<80a10108>] pfd_g+0x8/0x20 [pfd]\n[<800120e0>] do_one_initcall+0x40/0x2a0\n",
       "kernel unaligned access in {f}", None, Kind.PAGE_FAULT)
      for words in ("Kernel unaligned instruction access", "Unhandled kernel unaligned access")),
    # arch/mips/kernel/traps.c
    *((words + "[#1]:\nepc   : 80a10012 pfd_f+0x12/0x40 [pfd]\nCause : 10800034 (ExcCode 0d)\n"
       "Call Trace:\n[<80a10012>] pfd_f+0x12/0x40 [pfd]\n[<80a10108>] pfd_g+0x8/0x20 [pfd]\n"
       "[<800120e0>] do_one_initcall+0x40/0x2a0\n", title, type_, kind)
      for words, title, type_, kind in (
          ("Kernel bug detected", "kernel BUG in {f}", "BUG", Kind.KERNEL_BUG),
          ("Trap instruction in kernel code", "invalid opcode in {f}", _DOS, Kind.TRAP),
          ("Break instruction in kernel code", "invalid opcode in {f}", _DOS, Kind.TRAP),
          ("Reserved instruction in kernel code", "invalid opcode in {f}", _DOS, Kind.TRAP))),
    ("CPU 1 Unable to handle kernel paging request at virtual address ffff800012345678, era =="
     " ffff800002a10012, ra == ffff800002a10108\nOops[#1]:\n"
     "pc ffff800002a10012 ra ffff800002a10108 tp 900000010a3bc000 sp 900000010a3bfa50\n"
     "   ra: ffff800002a10108 pfd_g+0x8/0x20 [pfd]\n  ERA: ffff800002a10012 pfd_f+0x12/0x40 [pfd]\n"
     "Call Trace:\n[<ffff800002a10012>] pfd_f+0x12/0x40 [pfd]\n"
     "[<ffff800002a10108>] pfd_g+0x8/0x20 [pfd]\n[<9000000000a120e0>] do_one_initcall+0x40/0x2a0\n",
     _PAGING, _MEM, Kind.PAGE_FAULT),
)  # fmt: skip

STACKS: tuple[Row, ...] = (
    ("BUG: stack guard page was hit at ffffc90000e07ff8 (stack is"
     " ffffc90000e08000..ffffc90000e0bfff)\nkernel stack overflow (double-fault): 0000 [#1] SMP\n"
     + STALLED, "BUG: stack guard page was hit in {f}", None, Kind.STACK_GUARD),
    ("BUG: TASK stack guard page was hit at 00000000d3c6e2c4 (stack is"
     " 00000000ad7b7d47..000000003a7e3b33)\n" + STALLED,
     "BUG: stack guard page was hit in {f}", None, Kind.STACK_GUARD),
    ("BUG: IRQ stack guard page was hit at 00000000d3c6e2c4 (stack is"
     " 00000000ad7b7d47..000000003a7e3b33)\n" + STALLED,
     "BUG: stack guard page was hit in {f}", None, Kind.STACK_GUARD),
    *((f"Kernel panic - not syncing: {word} stack overflow\n" + STALLED,
       "kernel stack overflow in {f}", _DOS, Kind.STACK_GUARD) for word in ("kernel", "Kernel")),
    ("Kernel panic - not syncing: corrupted stack end detected inside scheduler\n" + STALLED,
     "kernel panic: corrupted stack end in {f}", _DOS, Kind.STACK_CORRUPTED),
    ("Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: " + PLACE + "\n"
     + TRACE, "kernel panic: stack is corrupted in {f}", _DOS, Kind.STACK_CORRUPTED),
    ("Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: ffffffffa0123012\n"
     + TRACE, "kernel panic: stack is corrupted in {f}", _DOS, Kind.STACK_CORRUPTED),
)  # fmt: skip

ROWS = (*FAULTS, *STACKS)


@pytest.mark.parametrize("row", ROWS, ids=headline)
def test_a_wording_is_told_by_title_type_and_kind(read: Read, row: Row) -> None:
    assert_told(read(row[0]), row)
    assert_told(read(stamped(row[0])), row)
