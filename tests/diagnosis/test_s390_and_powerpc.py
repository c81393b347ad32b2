"""What s390 and powerpc print of a fault, on logs made for these tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from diagnosis.logs import page_fault, stamped, verdict
from pagefault_doctor import klog
from pagefault_doctor.model.diagnosis import Attribution, RootCause
from pagefault_doctor.model.report import Access, Kind, Report

_FAULT = "Unable to handle kernel pointer dereference in virtual kernel address space"
_MODULES = "Modules linked in: quay(OE) abacus(OE)"
_TAINT = "Tainted: G           OE     "


def _four(registers: Mapping[int, int]) -> list[str]:
    values = [f"{registers.get(n, 0x2A):016x}" for n in range(32)]
    return [" ".join(values[n : n + 4]) for n in range(0, 32, 4)]


def s390_state(
    place: str = "quay_read+0x32/0x58 [quay]",
    instruction: str = "e31010000004\tlg\t%r1,0(%r1)",
    registers: Mapping[int, int] | None = None,
    trace: tuple[str, ...] = ("quay_read+0x32/0x58 [quay]", "vfs_read+0x1fe/0x310"),
) -> list[str]:
    """Return what show_regs prints (arch/s390/kernel/dumpstack.c)."""
    first, *rest = _four({15: 0x37FFE9AFAC8, **(registers or {})})[:4]
    return [
        f"CPU: 0 PID: 196 Comm: cat {_TAINT} 6.12.0 #1",
        f"Krnl PSW : 0704c00180000000 000003ff7e8760a2 ({place})",
        "           R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:0 PM:0 RI:0 EA:3",
        f"Krnl GPRS: {first}",
        *(f"           {row}" for row in rest),
        "Krnl Code: 000003ff7e876098: b90400b2\t\tlgr\t%r11,%r2",
        "          #000003ff7e87609c: a718ffff\t\tlhi\t%r1,-1",
        f"          >000003ff7e8760a2: {instruction}",
        "           000003ff7e8760a8: b904002b\t\tlgr\t%r2,%r11",
        "Call Trace:",
        *(f" [<000003ff7e8760a2>] {frame} " for frame in trace),
        "Last Breaking-Event-Address:",
        " [<000003ff7e876000>] quay_open+0x2a/0x30 [quay]",
    ]


def s390_fault(address: int, teid: int = 0x803, code: int = 0x11, **state: Any) -> str:
    """Return a fault as s390 reports it (arch/s390/mm/fault.c): the page of the address alone."""
    page = address & 0xFFFFFFFFFFFFF000
    return stamped(
        _FAULT,
        f"Failing address: {page:016x} TEID: {page | teid:016x}",
        "Fault in home space mode while using kernel ASCE.",
        "AS:0000000002040007 R3:00000000163a4007 S:0000000016398000 P:00000000020ff13d ",
        f"Oops: {code:04x} ilc:3 [#1] SMP ",
        _MODULES,
        *s390_state(**state),
    )


def report_of(text: str) -> Report:
    """Return the only report of a log."""
    (report,) = klog.read(text.encode(), "serial.log").reports
    return report


def test_a_stack_overflow_of_s390() -> None:
    text = stamped(
        "Kernel stack overflow.",
        *s390_state(trace=()),
        "Kernel panic - not syncing: Corrupt kernel stack, can't continue.",
        "Call Trace:",
        " [<000003ffff3f4ed8>] panic+0x118/0x318 ",
        " [<000003fffe8f8ce6>] kernel_stack_overflow+0x56/0x58 ",
    )
    found = verdict(text)
    assert (found.root_cause, found.module) == (RootCause.STACK_OVERFLOW, "quay")
    assert report_of(text).function == "quay_read"


def test_other_words_of_a_stack_are_no_overflow() -> None:
    text = stamped("quay: kernel stack overflowing soon", *s390_state())
    (report,) = klog.read(text.encode(), "serial.log").reports
    assert (report.kind, "headless" in report.details) == (Kind.PAGE_FAULT, True)


def powerpc_fault(
    headline: str,
    dar: int,
    dsisr: int = 0x40000000,
    code: str = "60000000 <e9230000> 7d295214",
    registers: Mapping[int, int] | None = None,
) -> str:
    """Return a fault as powerpc reports it (arch/powerpc/mm/fault.c, __bad_page_fault)."""
    rows = enumerate(_four(registers or {}))
    place = "quay_read+0x10/0x28 [quay]"
    return stamped(
        f"BUG: {headline} at 0x{dar:08x}",
        "Faulting instruction address: 0xc0080000003a5010",
        "Oops: Kernel access of bad area, sig: 11 [#1]",
        "LE PAGE_SIZE=4K MMU=Radix SMP NR_CPUS=2048 NUMA pSeries",
        _MODULES,
        f"CPU: 1 PID: 25 Comm: cat {_TAINT} 6.12.0 #1",
        "NIP:  c0080000003a5010 LR: c0000000001721dc CTR: c0080000003a5000",
        f"REGS: c000000005c87bb0 TRAP: 0300   {_TAINT} (6.12.0)",
        "MSR:  800000000280b033 <SF,VEC,VSX,EE,FP,ME,IR,DR,RI,LE>  CR: 24000402  XER: 2004002d",
        f"CFAR: c0000000001721d8 DAR: {dar:016x} DSISR: {dsisr:08x} IRQMASK: 0 ",
        *(f"GPR{4 * n:02}: {row} " for n, row in rows),
        f"NIP [c0080000003a5010] {place}",
        "LR [c0000000001721dc] vfs_read+0x1fc/0x500",
        "Call Trace:",
        f"[c000000005c87e50] [c0080000003a5010] {place} (unreliable)",
        "[c000000005c87f00] [c0000000001730cc] vfs_read+0x20c/0x470",
        f"Code: {code} ",
    )


READ = "Unable to handle kernel data access on read"
WRITE = "Unable to handle kernel data access on write"
NULL = "Kernel NULL pointer dereference on read"
ENETUNREACH = (1 << 64) - 101
BEFORE: Final[dict[str, Any]] = {"instruction": "e3402ff0ff58\tly\t%r4,-16(%r2)"}
BEHIND: Final[dict[str, Any]] = {"instruction": "5830b040\t\tl\t%r3,64(%r11)"}


def test_the_instruction_of_s390_tells_null_from_an_error_code() -> None:
    around_null = s390_fault(-16 % (1 << 64), code=0x38, registers={2: 0}, **BEFORE)
    assert verdict(around_null).root_cause is RootCause.NULL_DEREF
    error = s390_fault(-37 % (1 << 64), code=0x38, registers={11: ENETUNREACH}, **BEHIND)
    assert verdict(error).root_cause is RootCause.ERR_PTR


def test_a_page_that_the_instruction_does_not_lead_to_tells_nothing_of_its_registers() -> None:
    elsewhere = s390_fault(0x3FF12345000, registers={2: 0}, **BEFORE)
    assert verdict(elsewhere).root_cause is RootCause.WILD_POINTER


def test_the_instruction_of_powerpc_tells_an_error_code_from_null() -> None:
    code = "8123ffff <a1490090> 3d220000"  # lhz r10,0x90(r9)
    error = powerpc_fault(NULL, 0x2B, code=code, registers={9: ENETUNREACH})
    assert verdict(error).root_cause is RootCause.ERR_PTR
    null = powerpc_fault(NULL, 0x90, code=code, registers={9: 0})
    assert verdict(null).root_cause is RootCause.NULL_DEREF


CODE = 0x3FFFF7FC860
STORE: Final[dict[str, Any]] = {
    "instruction": "e34010200024\tstg\t%r4,32(%r1)",
    "registers": {1: CODE - 32},
}


def test_a_write_that_the_page_tables_refused_was_to_constant_data() -> None:
    on_s390 = s390_fault(CODE, teid=0x407, code=0x04, **STORE)
    assert verdict(on_s390).root_cause is RootCause.READONLY_WRITE
    on_powerpc = powerpc_fault(WRITE, 0xC0000000010E6DB8, dsisr=0x0A000000)
    assert verdict(on_powerpc).root_cause is RootCause.READONLY_WRITE


def test_a_write_to_where_nothing_is_was_not() -> None:
    on_s390 = s390_fault(CODE - (1 << 36), teid=0x403, code=0x11, registers={1: CODE - (1 << 36)})
    assert verdict(on_s390).root_cause is RootCause.WILD_POINTER
    on_powerpc = powerpc_fault(WRITE, 0xC0000000010E6DB8, dsisr=0x42000000)
    assert verdict(on_powerpc).root_cause is RootCause.WILD_POINTER


def test_a_protected_low_address_is_null() -> None:
    low = s390_fault(0, teid=0x400, code=0x04, instruction="50301000\t\tst\t%r3,0(%r1)",
                     registers={1: 0})  # fmt: skip
    assert verdict(low).root_cause is RootCause.NULL_DEREF


@pytest.mark.parametrize(
    "text",
    [
        s390_fault(0x2AA419B77C0, code=0x3B, registers={1: 0x2AA419B77C0}),
        powerpc_fault(READ, 0x10DD897C0),
        powerpc_fault(READ, 0x7FFF872F8000),
        page_fault("00007ffc12345678", code=None),
        page_fault("0000561212345678", code=None),
    ],
)
def test_an_address_where_programs_have_memory_is_a_pointer_of_theirs(text: str) -> None:
    assert verdict(text).root_cause is RootCause.USER_ACCESS


@pytest.mark.parametrize(
    "text",
    [
        s390_fault(0x1AA419B77C0, code=0x3B, registers={1: 0x1AA419B77C0}),
        powerpc_fault(READ, 0x2010DD897C0),
        page_fault("0000123412345678", code=None),
    ],
)
def test_an_address_where_they_have_none_is_a_wild_one(text: str) -> None:
    assert verdict(text).root_cause is RootCause.WILD_POINTER


def test_a_kernel_address_of_powerpc_is_a_valid_one() -> None:
    text = powerpc_fault(READ, 0xC008000000375040)
    (wild, *_) = verdict(text).candidates
    assert not any("no valid address" in evidence.text for evidence in wild.evidence)


def test_unreadable_instructions_before_the_one_that_faulted() -> None:
    code = "XXXXXXXX XXXXXXXX 7c0802a6 <894a0000> 7d295214"
    assert report_of(powerpc_fault(READ, 0x10DD897C0, code=code)).code == code


def test_the_instructions_of_s390_are_listed_as_those_of_others() -> None:
    code = report_of(s390_fault(0x3FF12345000)).code
    assert code == "b90400b2 a718ffff <e31010000004> b904002b"


def test_a_register_of_powerpc_is_cited_where_it_is_printed() -> None:
    text = powerpc_fault(NULL, 0x2B, code="<a1490090>", registers={9: ENETUNREACH})
    error = next(c for c in verdict(text).candidates if c.root_cause is RootCause.ERR_PTR)
    (line,) = {e.line for e in error.evidence if "R9" in e.text}
    assert "GPR08" in text.splitlines()[(line or 0) - 1]


PLACE = "quay_read+0x32/0x58 [quay]"
AT = "quay_read+0x10/0x28 [quay]"
TIMER = "quay_ring+0x2c/0x48 [quay]"
CORE = "call_timer_fn+0x50/0x1c0"


def s390_jump(target: int, last: str, unloaded: str = "", code: int = 0x11) -> str:
    """Return a fault of s390 at the fetch of an instruction, reached from `last`."""
    text = s390_fault(target, code=code, trace=(f"0x{target:x}", "call_timer_fn+0x38/0x118"))
    lines = [line for line in text.splitlines() if "000003ff7e8760a8" not in line]
    text = "\n".join(lines).replace("quay_open+0x2a/0x30 [quay]", last)
    psw = f"000003ff7e8760a2 ({PLACE})"
    assert psw in text
    text = text.replace(psw, f"{target:016x} (0x{target:x})").replace(_MODULES, _MODULES + unloaded)
    return text.replace(
        "Krnl Code: 000003ff7e876098: b90400b2\t\tlgr\t%r11,%r2", "Krnl Code: Bad PSW."
    )


def powerpc_jump(target: int, link: str, unloaded: str = "", later: str = "") -> str:
    """Return a fault of powerpc at the fetch of an instruction, called from `link`."""
    text = powerpc_fault("Unable to handle kernel instruction fetch", 0)
    text = text.replace(" at 0x00000000", "").replace("0xc0080000003a5010", f"0x{target:x}")
    text = text.replace("NIP [c0080000003a5010] " + AT, f"NIP [{target:016x}] 0x{target:x}")
    text = text.replace("vfs_read+0x1fc/0x500", link).replace(AT, "0xc00000003ffffb00")
    text = text.replace("DAR: 0000000000000000 DSISR: 40000000 ", "")
    return text.replace(_MODULES, _MODULES + unloaded) + later


@pytest.mark.parametrize(
    "text", [s390_jump(0x3E8000004E2, TIMER), powerpc_jump(0x4E2000003E8, TIMER)]
)
def test_a_jump_to_where_no_code_is_came_from_a_module(text: str) -> None:
    found = verdict(text)
    assert (found.root_cause, found.module) == (RootCause.WILD_POINTER, "quay")
    report = report_of(text)
    assert report.fault
    assert report.fault.access is Access.EXECUTE
    assert report.frames[0].function is None
    assert report.registers


@pytest.mark.parametrize(
    "text", [s390_jump(0x3E8000004E2, CORE), powerpc_jump(0x4E2000003E8, CORE)]
)
def test_a_jump_of_the_kernels_own_code_is_of_no_module(text: str) -> None:
    assert verdict(text).module is None


@pytest.mark.parametrize(
    "text", [s390_jump(0x3030303030303030, TIMER), powerpc_jump(0x3030303030303030, TIMER)]
)
def test_a_target_that_is_text_was_overrun(text: str) -> None:
    assert verdict(text).root_cause is RootCause.OUT_OF_BOUNDS


@pytest.mark.parametrize(
    "text",
    [
        s390_jump(0x3FF7E893096, CORE, " [last unloaded: quay(OE)]"),
        powerpc_jump(0xC0080000003A5038, CORE, " [last unloaded: quay(OE)]"),
    ],
)
def test_code_of_an_unloaded_module_is_used_after_it_was_freed(text: str) -> None:
    found = verdict(text.replace(" quay(OE)", "", 1))
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "quay")


def test_a_read_of_the_page_of_its_own_code_is_a_jump_but_no_write_to_it() -> None:
    own = 0x3FF7E8760A2
    read = report_of(s390_fault(own))
    write = report_of(s390_fault(own, teid=0x407, code=0x04))
    assert (read.fault and read.fault.access) is Access.EXECUTE
    assert (write.fault and write.fault.access) is Access.WRITE


INTERRUPTED = stamped(
    "--- interrupt: 900 at set_pte_range+0x10c/0x190",
    "NIP:  c0000000004d6f8c LR: c0000000004d6f8c CTR: 0000000000000000",
    "NIP [c0000000004d6f8c] set_pte_range+0x10c/0x190",
    "LR [c0000000004d6f8c] set_pte_range+0x10c/0x190",
    "--- interrupt: 900",
)


def test_what_powerpc_interrupted_is_not_what_faulted() -> None:
    report = report_of(powerpc_jump(0x4E2000003E8, TIMER, later=INTERRUPTED))
    assert report.function != "set_pte_range"
    assert "set_pte_range" not in report.title


def test_the_stack_of_a_notice_on_powerpc_has_no_instruction_that_faulted() -> None:
    notice = stamped(
        "cat: page allocation failure: order:9, mode:0x820(GFP_ATOMIC), nodemask=(null)",
        f"CPU: 1 PID: 25 Comm: cat {_TAINT} 6.12.0 #1",
        "Call Trace:",
        "[c00000003ff8f950] [c000000000517020] warn_alloc+0x150/0x1d0",
        f"[c00000003ff8fc80] [c008000000375038] {TIMER}",
    )
    report = report_of(notice + INTERRUPTED)
    assert "set_pte_range" not in {frame.function for frame in report.frames}


def test_the_caller_of_a_function_that_has_called_nothing() -> None:
    text = powerpc_fault(WRITE, 0xC0080000003A7093, 0x0A000000).replace(AT, "strsep+0x98/0xb0")
    called = text.replace("vfs_read+0x1fc/0x500", "quay_hoist+0x50/0xe4 [quay]")
    assert verdict(called).module == "quay"
    by_core = text.replace("vfs_read+0x1fc/0x500", "kthread+0x50/0xe4")
    assert verdict(by_core).module is None
    # It points into the function itself: that has called another, and come back.
    came_back = called.replace("strsep+0x98/0xb0", "quay_hoist+0x60/0xe4", 1)
    assert "return address" not in str(verdict(came_back).candidates[0].evidence)


def test_the_start_of_a_page_is_none_of_a_walk_where_s390_prints_no_more() -> None:
    unknown = s390_fault(0x3FF12345000, instruction="0101\t\tpr", registers={4: 0x3FF12344F00})
    causes = [c.root_cause for c in verdict(unknown).candidates]
    assert RootCause.OUT_OF_BOUNDS not in causes
    walked = s390_fault(0x3FF12345000, registers={1: 0x3FF12345000, 4: 0x3FF12344F00})
    causes = [c.root_cause for c in verdict(walked).candidates]
    assert RootCause.OUT_OF_BOUNDS in causes


def test_the_walk_off_a_buffer_left_an_earlier_page() -> None:
    walked = page_fault("ffffc90000346000", code=None, registers={"rsi": "ffffc90000345f80"})
    assert verdict(walked).root_cause is RootCause.OUT_OF_BOUNDS
    began = page_fault("ffffc90000346008", code=None, registers={"rsi": "ffffc90000346000"})
    assert verdict(began).root_cause is RootCause.WILD_POINTER


SEARCH: Final[dict[str, Any]] = {"instruction": "b25e0041\t\tsrst\t%r4,%r1"}


def test_a_register_on_the_page_is_the_address_of_an_instruction_without_one() -> None:
    error = -36 % (1 << 64)
    text = s390_fault(error, code=0x38, registers={1: error, 3: error}, **SEARCH)
    assert verdict(text).root_cause is RootCause.ERR_PTR
    # Two values lie there: neither is the address for sure.
    two = s390_fault(error, code=0x38, registers={1: error, 3: error - 8}, **SEARCH)
    assert verdict(two).root_cause is not RootCause.ERR_PTR


def test_the_branch_that_s390_took_last_shows_the_caller() -> None:
    text = s390_fault(0x3FF12345000, place="strsep+0x2e/0xc8", trace=("strsep+0x2e/0xc8",))
    assert verdict(text).module == "quay"
    own = text.replace("quay_open+0x2a/0x30 [quay]", "strsep+0x10/0xc8")
    assert verdict(own).module is None


DELETE: Final[dict[str, Any]] = {"instruction": "e31020000024\tstg\t%r1,0(%r2)"}


def test_a_deleted_entry_of_s390_is_deleted_again() -> None:
    twice = s390_fault(0x122, 0x483, code=0x04, registers={1: 0x100, 2: 0x122}, **DELETE)
    assert verdict(twice).root_cause is RootCause.LIST_CORRUPTION
    null = s390_fault(0x122, 0x483, code=0x04, registers={2: 0},
                      instruction="e31021220024\tstg\t%r1,290(%r2)")  # fmt: skip
    assert verdict(null).root_cause is RootCause.NULL_DEREF
    other = s390_fault(0x124, 0x483, code=0x04, registers={1: 0x100, 2: 0x124}, **DELETE)
    assert verdict(other).root_cause is RootCause.NULL_DEREF


TEXT = 0x3030303030303030


def test_text_that_was_given_to_kfree() -> None:
    place: dict[str, Any] = {
        "place": "kfree+0x66/0x4f0",
        "instruction": "e320a0080004\tlg\t%r2,8(%r10)",
    }
    text = s390_fault(0xC0C422C0C900C8, registers={2: TEXT, 10: 0xC0C422C0C900C0}, **place)
    assert verdict(text).root_cause is RootCause.OUT_OF_BOUNDS
    elsewhere = text.replace("kfree+0x66/0x4f0", "tide_add+0x66/0x4f0")
    assert verdict(elsewhere).root_cause is RootCause.WILD_POINTER


def test_what_an_unloaded_module_left_behind_lies_below_the_image_of_s390() -> None:
    text = s390_fault(0x3FF7E780008, place="notifier_call_chain+0x40/0xe8",
                      instruction="e390a0080004\tlg\t%r9,8(%r10)", registers={10: 0x3FF7E780000},
                      trace=("notifier_call_chain+0x40/0xe8", "__dev_open+0x80/0x1b8"))  # fmt: skip
    text = text.replace("000003ff7e8760a2 (notif", "000003fffe9796c0 (notif")
    text = text.replace("quay_open+0x2a/0x30 [quay]", "notifier_call_chain+0x20/0xe8")
    gone = text.replace(_MODULES, "Modules linked in: abacus(OE) [last unloaded: quay(OE)]")
    found = verdict(gone)
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "quay")
    assert verdict(text).root_cause is RootCause.WILD_POINTER
    above = gone.replace("3ff7e780", "3ffff780")
    assert verdict(above).root_cause is RootCause.WILD_POINTER


def test_an_odd_error_code_in_a_base_register_is_no_container_of_null() -> None:
    rare = powerpc_fault(NULL, 0x90 - 117, code="<a1490090>", registers={9: -117 % (1 << 64)})
    found = verdict(rare)
    assert found.root_cause is RootCause.ERR_PTR
    assert found.confidence > 0.9


def again(*addresses: int, end: str = "") -> str:
    """Return faults of powerpc, each met while the one before it was printed."""
    lines = (
        (f"BUG: Unable to handle kernel data access at 0x{at:x}", "Faulting instruction address: "
         "0xc000000000080120", f"Oops: Kernel access of bad area, sig: 11 [#{number}]")
        for number, at in enumerate(addresses, 1)
    )  # fmt: skip
    return "".join(stamped(*each) for each in lines) + end


LOST: Final = 0xC008000000371080


def test_a_stack_without_a_guard_page_leaves_no_report_whole() -> None:
    assert verdict(again(*[LOST] * 5)).root_cause is RootCause.STACK_OVERFLOW


def test_faults_at_other_addresses_or_too_few_of_them_are_no_sign_of_it() -> None:
    for addresses in ([LOST] * 3, [LOST + 0x1000 * n for n in range(5)]):
        assert verdict(again(*addresses)).root_cause is RootCause.WILD_POINTER


def test_a_report_that_is_whole_is_no_sign_of_it() -> None:
    first = powerpc_fault(READ, 0xC008000000A75040)
    assert verdict(first + again(*[LOST] * 5)).root_cause is RootCause.WILD_POINTER


def test_a_panic_after_a_drivers_words_is_a_report_of_its_own() -> None:
    boot = "".join(stamped(f"tide{n}: registered") for n in range(30))
    panic = stamped("Kernel panic - not syncing: the tide is out", "Call Trace:",
                    "[c000000006817df0] [c0080000003a5178] quay_put+0x70/0xef8 [quay]")  # fmt: skip
    words = stamped("WARNING: tide table damaged: 0-length entry")
    assert verdict(words + boot + panic).module == "quay"


def test_what_an_unloaded_module_of_powerpc_left_behind() -> None:
    place = "notifier_call_chain+0x70/0x180"
    text = powerpc_fault(READ, 0xC0080000003A5018).replace(AT, place)
    text = text.replace("vfs_read+0x1fc/0x500", "notifier_call_chain+0x94/0x180")
    gone = text.replace(_MODULES, "Modules linked in: abacus(OE) [last unloaded: quay(OE)]")
    found = verdict(gone)
    assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "quay")
    assert verdict(text).root_cause is RootCause.WILD_POINTER
    linear = gone.replace("c0080000003a5018", "c0000f00003a5018")
    assert verdict(linear).root_cause is RootCause.WILD_POINTER


def s390_trap(psw: int, last: str) -> str:
    """Return an illegal operation of s390 (arch/s390/kernel/traps.c) where no function is."""
    text = s390_jump(psw, last).splitlines()[4:]
    return "\n".join(text).replace("Oops: 0011 ilc:3", "illegal operation: 0001 ilc:1")


def test_a_call_through_null_runs_into_page_0_of_s390() -> None:
    found = verdict(s390_trap(2, TIMER))
    assert (found.root_cause, found.module) == (RootCause.NULL_DEREF, "quay")
    elsewhere = verdict(s390_trap(0x3E8000004E2, TIMER))
    assert elsewhere.root_cause is not RootCause.NULL_DEREF


LEAF = "module_put+0x9a/0xa8"


def leaf(link: int) -> str:
    """Return a fault of s390 in a function of the kernel, with a return address."""
    text = s390_fault(0x1234512345000, place=LEAF, trace=(LEAF,), registers={14: link})
    text = text.replace("quay_open+0x2a/0x30 [quay]", "module_put+0x20/0xa8")
    return text.replace("000003ff7e8760a2", "000003fffe9f18ea")


def test_a_return_address_below_the_image_of_s390_is_one_of_a_module() -> None:
    assert verdict(leaf(0x3FF7E90107C)).attribution is Attribution.MODULE
    assert "return address in R14" in str(verdict(leaf(0x3FF7E90107C)).candidates)
    for link in (0x3FFFE8FB104, 0x3FFFF40D840, 0x37FFE9AFAC8):
        assert "return address in R14" not in str(verdict(leaf(link)).candidates)


def test_the_older_dump_of_powerpcs_instructions() -> None:
    rows = ("XXXXXXXX " * 8, "60000000 " * 6 + "<a1490090> XXXXXXXX")
    text = powerpc_fault(NULL, 0x2B, registers={9: ENETUNREACH})
    text = text[: text.rindex("[   50")] + stamped(
        "Instruction dump:", *rows, "---[ end trace ]---"
    )
    assert report_of(text).code == f"{rows[0]}{rows[1]}"
    assert verdict(text).root_cause is RootCause.ERR_PTR


def test_where_s390_shares_addresses_a_pointer_far_from_the_kernels_is_one_of_a_program() -> None:
    far, near = 0x3FFF6DFA254, 0x3FF7E9FA254 + 0x2000000
    user = s390_fault(far, teid=0x403, code=0x10, registers={1: far})
    assert verdict(user).root_cause is RootCause.USER_ACCESS
    beside = s390_fault(near, teid=0x403, code=0x10, registers={1: near})
    assert verdict(beside).root_cause is RootCause.WILD_POINTER
    indexed: dict[str, Any] = {"instruction": "e34530000004\tlg\t%r4,0(%r5,%r3)", "code": 0x10}
    summed = s390_fault(far, registers={3: 0x3FF7E905700, 5: far - 0x3FF7E905700}, **indexed)
    assert verdict(summed).root_cause is RootCause.WILD_POINTER
