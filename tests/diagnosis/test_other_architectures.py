"""What riscv and MIPS say of the address and the register, on logs made for these tests."""

from __future__ import annotations

import pytest

from diagnosis.test_crashes_of_many_kernels import log_of, verdict_on
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.report import Access, Kind

RISCV_GP = 0xFFFFFFFF81DB6E50
"""Where riscv's global pointer is: in the kernel's variables."""
LOAD = "80e7 5a40 (2603) ff05"
"""lw a2,-16(a0)"""


def riscv(
    head: str, cause: str, at: int, *, a0: int = 0x10, code: str = "0001 (9002)"
) -> Diagnosis:
    """Return the verdict on a fault of module quay on riscv64."""
    return verdict_on(
        f"{head} at virtual address {at:016x}",
        "Oops [#1]",
        "Modules linked in: quay(OE) abacus(OE)",
        "CPU: 0 PID: 192 Comm: cat Tainted: G           OE      6.1.0-1-riscv64 #1",
        "epc : quay_show+0x24/0x46 [quay]",
        " ra : quay_show+0x20/0x46 [quay]",
        "epc : ffffffff01e8a024 ra : ffffffff01e8a020 sp : ff2000000032bbd0",
        f" gp : {RISCV_GP:016x} tp : ff60000009508000 t0 : ff60000002fac000",
        f" s1 : ff60000002e158e8 a0 : {a0:016x} a1 : 0000000000000001",
        f"status: 0000000200000120 badaddr: {at:016x} cause: {cause}",
        "[<ffffffff01e8a024>] quay_show+0x24/0x46 [quay]",
        "[<ffffffff8034a924>] seq_read_iter+0xe0/0x358",
        f"Code: {code}",
    )


PAGING = "Unable to handle kernel paging request"
USER = "Unable to handle kernel access to user memory without uaccess routines"
READ, WRITE = "000000000000000d", "000000000000000f"


@pytest.mark.parametrize(("a0", "cause"), [(0, RootCause.NULL_DEREF), (-22, RootCause.ERR_PTR)])
def test_the_base_register_tells_null_from_an_error_code(a0: int, cause: RootCause) -> None:
    mask = (1 << 64) - 1
    assert riscv(PAGING, READ, a0 - 16 & mask, a0=a0 & mask, code=LOAD).root_cause is cause


@pytest.mark.parametrize(
    ("at", "access", "cause"),
    [
        (RISCV_GP - 0x100000, WRITE, RootCause.READONLY_WRITE),
        (RISCV_GP - 0x100000, READ, RootCause.WILD_POINTER),
        (RISCV_GP + 0x100000, WRITE, RootCause.WILD_POINTER),
        (0xFFFFFFFF01E90000, WRITE, RootCause.READONLY_WRITE),
        (0xFFFFFFFF01E90000, READ, RootCause.WILD_POINTER),
        (0xFFFFFFFF01F00000, WRITE, RootCause.WILD_POINTER),
    ],
    ids=[
        "constants",
        "a read of them",
        "above the variables",
        "constants of the module",
        "a read of those",
        "far from the module",
    ],
)
def test_a_write_where_constants_lie_is_one_to_constants(
    at: int, access: str, cause: RootCause
) -> None:
    assert riscv(PAGING, access, at).root_cause is cause


def test_an_address_of_a_program_is_a_user_pointer() -> None:
    assert riscv(PAGING, READ, 0x55558135C7C0).root_cause is RootCause.USER_ACCESS
    assert riscv(USER, READ, 0x7FFFB135C7C0).root_cause is RootCause.USER_ACCESS


def test_another_address_below_the_kernels_is_none_whatever_riscv_calls_it() -> None:
    assert riscv(USER, READ, 0x64047).root_cause is RootCause.WILD_POINTER
    assert riscv(PAGING, READ, 0x12348135C7C0).root_cause is RootCause.WILD_POINTER


def test_a_riscv_stack_overflow_is_one() -> None:
    verdict = verdict_on(
        "Insufficient stack space to handle exception!",
        "Task stack:     [0xff20000000230000..0xff20000000234000]",
        "CPU: 1 PID: 174 Comm: modprobe Tainted: G           OE      6.1.0-1-riscv64 #1",
        "epc : __memset+0x9c/0xfe",
        " ra : quay_deep+0x42/0x8c [quay]",
        "epc : ffffffff80a65504 ra : ffffffff01e8a0c4 sp : ff2000000022fea0",
        "status: 0000000200000120 badaddr: ff2000000022fea0 cause: 000000000000000f",
        "Kernel panic - not syncing: Kernel stack overflow",
        "Call Trace:",
        "[<ffffffff01e8a0c4>] quay_deep+0x42/0x8c [quay]",
    )
    assert (verdict.root_cause, verdict.module) == (RootCause.STACK_OVERFLOW, "quay")


def mips(
    head: str, exception: int, at: int, *, s1: int, code: str = "<fe220018>"
) -> tuple[str, ...]:
    """Return a fault of module quay on mips64; its instruction is sd v0,24(s1)."""
    return (
        f"{head}[#1]:",
        "CPU: 0 PID: 121 Comm: sh Tainted: G           OE      6.1.0-1-5kc-malta #1",
        "$ 0   : 0000000000000000 ffffffff81c75694 0000000000000029 e247ddcef70243b6",
        f"$16   : 0000000000000003 {s1:016x} 9000000005e71700 9000000005e71720",
        "epc   : ffffffffc000607c quay_store+0x5c/0x80 [quay]",
        "ra    : ffffffffc000607c quay_store+0x5c/0x80 [quay]",
        "Status: 3400a4e3\tKX SX UX KERNEL EXL IE ",
        f"Cause : 10800014 (ExcCode {exception:02x})",
        f"BadVA : {at:016x}",
        "Modules linked in: quay(OE) abacus(OE)",
        "Call Trace:",
        "[<ffffffffc000607c>] quay_store+0x5c/0x80 [quay]",
        "[<ffffffff81c75694>] kernfs_fop_write_iter+0x13c/0x260",
        "",
        f"Code: 6442f370  0040f809  00002825 {code} dfbf0018 ",
    )


@pytest.mark.parametrize(
    "head", ["Kernel unaligned instruction access", "Unhandled kernel unaligned access"]
)
def test_an_address_that_mips_refuses_is_a_wild_pointer(head: str) -> None:
    text = mips(head, 5, 0x2B00000005E78B98, s1=0x2B00000005E78B80)
    (report,) = log_of(*text).reports
    assert (report.kind, report.arch, report.function) == (Kind.PAGE_FAULT, "mips64", "quay_store")
    assert report.fault is not None
    assert report.fault.access is Access.WRITE
    verdict = verdict_on(*text)
    assert (verdict.root_cause, verdict.module) == (RootCause.WILD_POINTER, "quay")


def test_a_program_may_have_such_a_fault_without_a_report_of_the_kernel() -> None:
    assert not log_of("quay: unaligned access to the pier", "unaligned access handled").reports


@pytest.mark.parametrize(("s1", "cause"), [(0, RootCause.NULL_DEREF), (-22, RootCause.ERR_PTR)])
def test_mips_registers_without_names_are_known_by_their_numbers(s1: int, cause: RootCause) -> None:
    mask = (1 << 64) - 1
    head = f"CPU 0 Unable to handle kernel paging request at virtual address {s1 + 24 & mask:016x}"
    text = mips("Oops", 3, s1 + 24 & mask, s1=s1 & mask)
    where = ", epc == ffffffffc000607c, ra == ffffffffc000607c"
    assert verdict_on(head + where, *text).root_cause is cause


def test_memory_that_mips_maps_is_a_valid_address() -> None:
    at = 0x9000000005E78B98
    verdict = verdict_on(
        f"CPU 0 Unable to handle kernel paging request at virtual address {at:016x}",
        *mips("Oops", 3, at, s1=at - 24),
    )
    assert "is no valid address" not in str(verdict)


def freed(*, s2: int, callers: tuple[str, ...]) -> Diagnosis:
    """Return the verdict on a fault in a function that looks up a page on riscv64."""
    return verdict_on(
        "Unable to handle kernel paging request at virtual address ff1c000002007fc8",
        "Oops [#1]",
        "CPU: 1 PID: 189 Comm: sh Tainted: G           OE      6.1.0-1-riscv64 #1",
        "epc : virt_to_folio+0x5e/0xaa",
        " ra : kfree+0x38/0x32a",
        f" s2 : {s2 & (1 << 64) - 1:016x} s3 : ff60000002eb1780 s4 : 00005555852ee5b0",
        "status: 0000000200000120 badaddr: ff1c000002007fc8 cause: 000000000000000d",
        "[<ffffffff8029c68c>] virt_to_folio+0x5e/0xaa",
        *(f"[<ffffffff802a0afe>] {caller}" for caller in callers),
        "[<ffffffff01e8a058>] quay_write+0x58/0x74 [quay]",
    )


def test_an_error_code_that_was_freed_is_found_in_the_function_that_kfree_calls() -> None:
    assert freed(s2=-22, callers=("kfree+0x38/0x32a",)).root_cause is RootCause.ERR_PTR
    assert freed(s2=2200, callers=("kfree+0x38/0x32a",)).root_cause is RootCause.WILD_POINTER
    assert freed(s2=-22, callers=("ksize+0x38/0x32a",)).root_cause is RootCause.WILD_POINTER


@pytest.mark.parametrize(
    ("at", "access"),
    [(0x3030303030303030, Access.EXECUTE), (0x3030303030303038, Access.READ)],
)
def test_mips_fetched_what_it_could_not_read_where_the_instruction_stands(
    at: int, access: Access
) -> None:
    (report,) = log_of(
        "Kernel unaligned instruction access[#1]:",
        "epc   : 3030303030303030 0x3030303030303030",
        "ra    : ffffffffc00060c8 quay_read+0x58/0xa8 [quay]",
        "Cause : 10800010 (ExcCode 04)",
        f"BadVA : {at:016x}",
    ).reports
    assert report.fault is not None
    assert report.fault.access is access


def test_a_check_of_the_kernel_that_failed_on_mips_is_a_bug() -> None:
    verdict = verdict_on(
        "Kernel bug detected[#1]:",
        "CPU: 0 PID: 135 Comm: sh Tainted: G           OE      6.1.0-1-5kc-malta #1",
        "epc   : ffffffff827f2860 register_netdevice+0x70/0x810",
        "ra    : ffffffff827f2858 register_netdevice+0x68/0x810",
        "Cause : 10800034 (ExcCode 0d)",
        "Modules linked in: quay(OE) abacus(OE)",
        "Call Trace:",
        "[<ffffffff827f2860>] register_netdevice+0x70/0x810",
        "[<ffffffffc0006038>] quay_write+0x38/0x50 [quay]",
    )
    assert (verdict.root_cause, verdict.module) == (RootCause.LOGIC_ERROR, "quay")


def test_a_jump_into_code_that_is_gone_is_of_the_module_that_was_unloaded() -> None:
    at = "ffffffffc0006038"
    verdict = verdict_on(
        f"CPU 0 Unable to handle kernel paging request at virtual address {at}, epc == {at}",
        "Oops[#1]:",
        "CPU: 0 PID: 111 Comm: quay Tainted: G           OE      6.1.0-1-5kc-malta #1",
        "$ 0   : 0000000000000000 ffffffff8212ab48 0000000000000000 9cb082d2bf93cd37",
        f"epc   : {at} 0x{at}",
        f"ra    : {at} 0x{at}",
        "Cause : 10800008 (ExcCode 02)",
        f"BadVA : {at}",
        "Modules linked in: abacus(OE) [last unloaded: quay(OE)]",
        "Call Trace:",
        "[<ffffffff820a3860>] kthread+0x110/0x138",
    )
    assert (verdict.root_cause, verdict.module) == (RootCause.USE_AFTER_FREE, "quay")


@pytest.mark.parametrize("words", ["", " when write"])
@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("80d", RootCause.READONLY_WRITE),
        ("80f", RootCause.READONLY_WRITE),
        ("a0e", RootCause.READONLY_WRITE),
        ("80e", RootCause.WILD_POINTER),  # an external abort while the tables are walked
        ("807", RootCause.WILD_POINTER),
        ("a06", RootCause.WILD_POINTER),
    ],
)
def test_arm_tells_a_page_that_it_may_not_write_to_from_one_that_is_not_there(
    status: str, cause: RootCause, words: str
) -> None:
    verdict = verdict_on(
        f"Unable to handle kernel paging request at virtual address c132189c{words}",
        "[c132189c] *pgd=80000040207003, *pmd=4000004120079d",
        f"Internal error: Oops: {status} [#1] SMP ARM",
        "Modules linked in: quay(OE) abacus(OE)",
        "CPU: 0 PID: 175 Comm: modprobe Tainted: G           OE      6.1.0-1-armmp #1",
        "PC is at quay_init+0x20/0x1000 [quay]",
        "LR is at do_one_initcall+0x54/0x240",
        "r10: 00000000  r9 : bf004000  r8 : bf005000",
        "Call trace:",
        " quay_init [quay] from do_one_initcall+0x54/0x240",
    )
    assert verdict.root_cause is cause


def powerpc_call(r3: str) -> Diagnosis:
    """Return the verdict on a call through NULL on powerpc, made with an argument."""
    return verdict_on(
        "kernel tried to execute user page (0) - exploit attempt? (uid: 0)",
        "BUG: Unable to handle kernel instruction fetch (NULL pointer?)",
        "Faulting instruction address: 0x00000000",
        "Oops: Kernel access of bad area, sig: 11 [#1]",
        "Modules linked in: quay(OE) abacus(OE)",
        "CPU: 1 PID: 195 Comm: ip Tainted: G           OE      6.1.0-1-powerpc64le #1",
        "NIP:  0000000000000000 LR: c000000000185224 CTR: 0000000000000000",
        f"GPR00: c000000000185224 c00000000767f5f0 c000000001930100 {r3} ",
        "NIP [0000000000000000] 0x0",
        "LR [c000000000185224] notifier_call_chain+0x94/0x180",
        "Call Trace:",
        "[c00000000767f650] [c000000000185504] blocking_notifier_call_chain+0x64/0xa0",
        "[c00000000767f690] [c000000000e4b1b0] __inet_insert_ifa+0x2b0/0x3e0",
    )


def test_an_object_with_a_callback_in_vmalloc_memory_is_a_modules_on_powerpc() -> None:
    assert powerpc_call("c008000000323620").attribution is Attribution.MODULE
    assert powerpc_call("c000000006980880").confidence < 0.9


def endless(modules: str, arch: str = "powerpc") -> Diagnosis:
    """Return the verdict on a fault that the kernel could not print for others."""
    again = (
        "BUG: Unable to handle kernel data access on read at 0xc008000000371080",
        "Faulting instruction address: 0xc000000000246c1c",
        "Oops: Kernel access of bad area, sig: 11 [#2]",
        f"Modules linked in: {modules}",
    )
    return verdict_on(
        f"kernel BUG at arch/{arch}/lib/qspinlock.c:280!",
        "Oops: Exception in kernel mode, sig: 5 [#1]",
        f"Modules linked in: {modules}",
        *again * 8,
    )


def test_the_only_module_from_outside_filled_the_stack_that_nothing_guards() -> None:
    verdict = endless("quay(OE)")
    assert (verdict.root_cause, verdict.module) == (RootCause.STACK_OVERFLOW, "quay")
    assert endless("quay(OE) abacus(OE)").module is None


def test_a_read_that_arm_refuses_is_no_write_to_constants() -> None:
    verdict = verdict_on(
        "Unable to handle kernel paging request at virtual address c132189c when read",
        "Internal error: Oops: 00d [#1] SMP ARM",
        "Modules linked in: quay(OE) abacus(OE)",
        "PC is at quay_init+0x20/0x1000 [quay]",
        "LR is at do_one_initcall+0x54/0x240",
        "r10: 00000000  r9 : bf004000  r8 : bf005000",
    )
    assert verdict.root_cause is RootCause.WILD_POINTER
