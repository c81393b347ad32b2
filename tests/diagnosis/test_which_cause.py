"""Which cause: what the parts of a report mean, one sentence each, with a near miss beside it.

The logs are made for these tests, in the words of several kernels and architectures.
"""

from __future__ import annotations

import pytest

from diagnosis.logs import gpf, oops, page_fault, stamped, verdict
from diagnosis.test_crashes_of_many_kernels import log_of, verdict_on
from diagnosis.test_every_cause import bug
from diagnosis.test_hard_pairs import broken_list
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause

BEGIN = "66 66 2e 0f 1f 84 00 00 00 00 00 0f 1f 00 90 90 90 90 90 90 90 90 90 90 0f 1f 44 00 00 53 "
THROUGH_RAX = "<48> 8b 10 c3 90"


def causes(found: Diagnosis) -> list[RootCause]:
    return [candidate.root_cause for candidate in found.candidates]


# -1 and -2 are ERR_PTR only where the instruction and the other registers agree.


def through(value: str, before: str) -> RootCause:
    """Return the cause of an access through RAX, which the code before it had set."""
    return verdict(
        page_fault(value, code=BEGIN + before + THROUGH_RAX, registers={"rax": value})
    ).root_cause


RETURNED, LOADED, ADDED = "e8 11 22 33 44 ", "48 8b 43 08 ", "48 8d 43 08 "


@pytest.mark.parametrize("value", ["ffffffffffffffff", "fffffffffffffffe"])
def test_what_a_function_just_returned_is_an_error_code(value: str) -> None:
    assert through(value, RETURNED) is RootCause.ERR_PTR


@pytest.mark.parametrize("value", ["ffffffffffffffff", "fffffffffffffffe"])
def test_all_bits_set_in_memory_is_no_error_code(value: str) -> None:
    assert through(value, LOADED) is RootCause.WILD_POINTER


@pytest.mark.parametrize("value", ["fffffffffffffff3", "ffffffffffffffef", "ffffffffffffffed"])
def test_other_error_codes_are_so_wherever_they_were(value: str) -> None:
    assert through(value, LOADED) is RootCause.ERR_PTR
    assert verdict(page_fault(value, code=None)).root_cause is RootCause.ERR_PTR


def test_an_address_of_all_bits_set_alone_is_memory_full_of_ff() -> None:
    found = verdict(page_fault("ffffffffffffffff", code=None))
    assert found.root_cause is RootCause.WILD_POINTER
    assert RootCause.ERR_PTR in causes(found)


# A small value just loaded from memory is garbage, not NULL plus an offset.


def test_a_small_number_that_was_just_loaded_is_garbage() -> None:
    assert through("400", LOADED) is RootCause.WILD_POINTER


def test_a_small_number_that_was_added_to_null_is_a_member_of_null() -> None:
    assert through("400", ADDED) is RootCause.NULL_DEREF


def test_null_that_was_loaded_is_still_null() -> None:
    member = BEGIN + LOADED + "<48> 8b 90 00 04 00 00 c3"
    found = verdict(page_fault("400", code=member, registers={"rax": "0"}))
    assert found.root_cause is RootCause.NULL_DEREF


# One differing bit, at bit 12 or above, is the hardware first; sixteen are software.


def test_one_high_bit_in_a_link_is_the_hardware() -> None:
    assert verdict(broken_list("ffff88800cc12340")).root_cause is RootCause.HARDWARE


@pytest.mark.parametrize("link", ["ffff888004c12360", "ffff88819a3d7e00"])
def test_a_low_bit_or_many_bits_in_a_link_are_software(link: str) -> None:
    assert verdict(broken_list(link)).root_cause is RootCause.LIST_CORRUPTION


def bad_entry(pte: str) -> RootCause:
    return verdict_on(
        f"BUG: Bad page map in process editor  pte:{pte} pmd:10a5f1067",
        "addr:00007f1234567000 vm_flags:08100073 anon_vma:ffff888101234567 index:7f1234567",
        "CPU: 1 PID: 912 Comm: editor Not tainted 5.10.0-20-amd64 #1",
        "Call Trace:",
        " print_bad_pte+0x190/0x220",
        " unmap_page_range+0x6b/0x83",
    ).root_cause


def test_an_empty_entry_of_a_page_table_with_one_bit_set_is_the_hardware() -> None:
    assert bad_entry("0000200000000000") is RootCause.HARDWARE
    assert (
        verdict_on("mm/pgtable-generic.c:50: bad pmd ffff888104a5d1c0(0000000000800000)").root_cause
        is RootCause.HARDWARE
    )


@pytest.mark.parametrize("pte", ["0000000000000020", "8000000412345867"])
def test_other_bad_entries_are_page_tables(pte: str) -> None:
    assert bad_entry(pte) is RootCause.PAGE_TABLE


def test_null_with_one_bit_set_is_the_hardware() -> None:
    one, two = "0000000000200000", "0000000000210000"
    found = [
        verdict(page_fault(value, code=BEGIN + "53 <48> 8b 03 c3", registers={"rbx": value}))
        for value in (one, two)
    ]
    assert found[0].root_cause is RootCause.HARDWARE
    assert RootCause.HARDWARE not in causes(found[1])


# POISON_FREE is freed memory, or memory of a checking allocator that nobody filled.


def test_poison_of_freed_memory_may_be_memory_that_was_never_set() -> None:
    code = "90 90 <48> 8b 43 10 c3"
    found = verdict(gpf("6b6b6b6b6b6b6b7b", code=code, registers={"rbx": "6b" * 8}))
    assert causes(found)[:2] == [RootCause.USE_AFTER_FREE, RootCause.WILD_POINTER]


def test_other_poison_of_freed_memory_is_that_alone() -> None:
    found = verdict(gpf("aaaaaaaaaaaaaaba", code="90 <48> 8b 43 10", registers={"rbx": "aa" * 8}))
    assert found.root_cause is RootCause.USE_AFTER_FREE
    assert RootCause.WILD_POINTER not in causes(found)


# Text in PC or registers, not only in the address, is an overrun.


def arm_jump(pc: str, fp: str) -> Diagnosis:
    return verdict_on(
        f"Unable to handle kernel paging request at virtual address {pc}",
        "pgd = c0004000",
        "Internal error: Oops: 80000005 [#1] SMP ARM",
        "CPU: 0 PID: 412 Comm: sh Tainted: G           O      5.4.83-v7 #1",
        f"PC is at 0x{pc}",
        f"LR is at 0x{pc}",
        f"pc : [<{pc}>]    lr : [<{pc}>]    psr: 60000013",
        f"sp : b9d4be20  ip : 00000000  fp : {fp}",
        "r10: 00000000  r9 : b9d4a000  r8 : 00000000",
    )


def test_a_jump_to_text_is_an_overrun_stack() -> None:
    text = "6b63616a206f6c6c"
    assert verdict(gpf(text, place=f"0x{text}", code=None)).root_cause is RootCause.OUT_OF_BOUNDS
    assert arm_jump("6c6c6568", "64636261").root_cause is RootCause.OUT_OF_BOUNDS


def test_a_jump_to_a_filled_pattern_or_to_one_text_of_four_letters_is_less_sure() -> None:
    for found in (arm_jump("6c6c6568", "b9d4be24"), arm_jump("61616161", "61616161")):
        texts = [e.text for c in found.candidates for e in c.evidence]
        assert not any("overran the stack" in text for text in texts)


# A null dereference is one in every spelling, also where a person typed it from a screen.


@pytest.mark.parametrize(
    ("headline", "address"),
    [
        ("BUG: kernel NULL pointer dereference, address: 00000000000000b8", "0xb8"),
        ("BUG: kernel NULL pointer dereference, address: ...b8", "0xb8"),
        ("BUG: kernel NULL pointer dereference, address 00...00b8", "0xb8"),
        ("BUG: kernel NULL pointer dereference,", None),
        ("BUG: unable to handle kernel NULL pointer dereference at 000000b8", "0xb8"),
        ("Unable to handle kernel NULL pointer dereference at virtual address 000000b8", "0xb8"),
    ],
)
def test_a_null_dereference_is_one_in_every_spelling(headline: str, address: str | None) -> None:
    log = log_of(headline, "#PF: supervisor read access in kernel mode")
    (report,) = log.reports
    assert (report.fault.address if report.fault else None) == address
    assert diagnose((log,), {}).verdict.root_cause is RootCause.NULL_DEREF


# The bus answers with an error where a device has no power or clock.

ABORTED = (
    "panic+0x15c/0x320",
    "nmi_panic+0x8c/0x90",
    "arm64_serror_panic+0x78/0x84",
    "do_serror+0x60/0x70",
    "el1_error+0x90/0x10c",
)


def serror(*frames: str) -> Diagnosis:
    return verdict_on(
        "SError Interrupt on CPU2, code 0x00000000bf000002 -- SError",
        "CPU: 2 PID: 71 Comm: kworker/2:1 Not tainted 5.10.110 #1",
        f"pc : {frames[0]}",
        "Kernel panic - not syncing: Asynchronous SError Interrupt",
        "CPU: 2 PID: 71 Comm: kworker/2:1 Not tainted 5.10.110 #1",
        "Call trace:",
        *(f" {frame}" for frame in (*ABORTED, *frames)),
    )


def external_abort(place: str) -> Diagnosis:
    return verdict_on(
        "Unhandled fault: external abort on non-linefetch (0x1008) at 0xf0a3c010",
        "Internal error: : 1008 [#1] SMP ARM",
        "CPU: 0 PID: 161 Comm: cat Not tainted 4.9.32 #1",
        f"PC is at {place}",
        "LR is at vfs_read+0x18/0x24",
    )


def bus_error(place: str) -> Diagnosis:
    return verdict_on(
        "Data bus error, epc == 80412344, ra == 80412300",
        "Oops[#1]:",
        "CPU: 0 PID: 107 Comm: modprobe Not tainted 6.1.0-50-4kc-malta #1",
        f"epc   : 80412344 {place}",
        "Call Trace:",
        f"[<80412344>] {place}",
    )


@pytest.mark.parametrize(
    ("found", "module"),
    [
        (serror("regmap_mmio_read32le+0x10/0x20", "plume_poll+0x4/0x6 [plume]"), "plume"),
        (serror("readl_relaxed+0x10/0x20", "clk_gate_endisable+0x4/0x60"), None),
        (external_abort("gannet_show+0x18/0x24 [gannet]"), "gannet"),
        (external_abort("gannet_reg_write+0x18/0x24"), None),
        (bus_error("prism_reg_read+0x48/0x94"), None),
    ],
)
def test_a_bus_error_at_a_register_is_the_driver_before_the_memory(
    found: Diagnosis, module: str | None
) -> None:
    assert (found.root_cause, found.module) == (RootCause.LOGIC_ERROR, module)
    assert RootCause.HARDWARE in causes(found)


@pytest.mark.parametrize(
    "found",
    [
        serror("cpuidle_enter_state+0xb4/0x2f0", "cpuidle_enter+0x38/0x50"),
        external_abort("memcpy+0x18/0x24"),
    ],
)
def test_a_bus_error_elsewhere_is_the_hardware(found: Diagnosis) -> None:
    assert found.root_cause is RootCause.HARDWARE


# An instruction fetch at a resolved symbol is freed __init code, or a page's permissions.


def fetch_at(place: str, address: str = "ffffffff82d1e5a0") -> Diagnosis:
    return verdict(page_fault(address, 0x11, place=place, code=None, modules="ext4"))


def test_a_fetch_of_a_named_function_is_freed_init_code_or_permissions() -> None:
    found = fetch_at("harbour_setup+0x0/0x60")
    assert causes(found)[:2] == [RootCause.USE_AFTER_FREE, RootCause.PAGE_TABLE]
    texts = [e.text for c in found.candidates for e in c.evidence]
    assert not any("where no code is" in text for text in texts)


def test_a_fetch_where_no_name_is_goes_where_no_code_is() -> None:
    assert fetch_at("0xffff888004c12000", "ffff888004c12000").root_cause is RootCause.WILD_POINTER


# A stack pointer outside the stack, or at its end, is an overflow.


def arm_oops(*lines: str, sp: str = "b9d4bfd0") -> RootCause:
    return verdict_on(
        "Unable to handle kernel paging request at virtual address e5902000",
        "Internal error: Oops: 805 [#1] SMP ARM",
        "CPU: 0 PID: 412 Comm: sh Not tainted 4.4.83-v7 #1",
        "PC is at harbour_walk+0x1c/0x20",
        f"sp : {sp}  ip : 00000000  fp : b9d4be24",
        *lines,
    ).root_cause


@pytest.mark.parametrize(
    "line",
    [
        "Process sh (pid: 412, stack limit = 0xb9d4c210)",
        "Process sh (pid: 412, ti=b9d4c000 task=b9d00000 task.ti=b9d4c000)",
        "Stack: (0xb9d4dfd0 to 0xb9d4e000)",
    ],
)
def test_a_stack_pointer_outside_of_the_stack_is_an_overflow(line: str) -> None:
    assert arm_oops(line) is RootCause.STACK_OVERFLOW


@pytest.mark.parametrize(
    "line",
    ["Process sh (pid: 412, stack limit = 0xb9d4c210)", "Process sh (pid: 412, stack limit = 0x"],
)
def test_a_stack_pointer_inside_of_the_stack_is_none(line: str) -> None:
    assert arm_oops(line, sp="b9d4da10") is not RootCause.STACK_OVERFLOW


# What a module does that this kernel does not allow, or notes: it does not fit.


def refused(place: str, code: str | None, trace: tuple[str, ...] = ()) -> Diagnosis:
    head = "general protection fault: 0000 [#1] SMP"
    text = oops(head, place=place, code=code, trace=(*trace, "do_one_initcall+0x4/0x9"))
    return verdict(text.replace("RIP: 0010:", "RIP: e030:") if code is None else text)


WRITES_CR0, WRITES_CR4 = "48 25 ff ff fe ff <0f> 22 c0 c3", "48 89 c7 <0f> 22 e7 c3"


@pytest.mark.parametrize(
    "found",
    [
        refused("demo_unprotect+0x4/0x9 [demo]", WRITES_CR0),
        refused("native_write_cr4+0x8/0x10", WRITES_CR4, ("demo_unprotect+0x4/0x9 [demo]",)),
        refused("demo_unprotect+0x4/0x9 [demo]", None),
    ],
)
def test_a_module_that_writes_control_registers_does_not_fit(found: Diagnosis) -> None:
    assert (found.root_cause, found.module) == (RootCause.API_MISMATCH, "demo")


def test_a_pointer_of_a_module_that_is_no_address_is_no_privileged_instruction() -> None:
    found = verdict(gpf("6161616161616169", code=" 90 <48> 8b 03", registers={"rbx": "61" * 8}))
    assert RootCause.API_MISMATCH not in causes(found)


def noted(*words: str, tainted: str = "Tainted: G           OE     ") -> Diagnosis:
    return verdict(
        oops(
            "------------[ cut here ]------------",
            *words,
            "WARNING: CPU: 1 PID: 912 at demo.c:7 demo_poll+0x24/0x90 [demo]",
            code=None,
            tainted=tainted,
        )
    )


WHITELIST = "Bad or missing usercopy whitelist? Kernel memory exposure attempt detected from SLUB"
SPANNING = 'memcpy: detected field-spanning write (size 60) of single field "&h->body" at demo.c:7'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Unpatched return thunk in use. This should not happen!", "harmless"),
        (f"{SPANNING} (size 4)", "harmless"),
        (f"{WHITELIST} object 'demo_ring' (offset 24, size 40)!", "slab cache of demo"),
    ],
)
def test_a_module_that_newer_checks_of_the_kernel_catch_does_not_fit(words: str, said: str) -> None:
    found = noted(words)
    assert (found.root_cause, found.module) == (RootCause.API_MISMATCH, "demo")
    assert any(said in evidence.text for evidence in found.candidates[0].evidence)


def test_an_unpatched_return_is_of_the_module_that_the_trace_names_whatever_the_taint() -> None:
    lost = stamped(
        "RIP: 0010:__warn_thunk+0x10/0x20",
        "Call Trace:",
        " warn_thunk_thunk+0x16/0x30",
        " quay_start+0x52/0x110 [quay]",
    )
    found, core = verdict(lost), verdict(lost.replace("quay_start+0x52/0x110 [quay]", "go+0x1/0x2"))
    assert (found.root_cause, found.module) == (RootCause.API_MISMATCH, "quay")
    assert core.root_cause is not RootCause.API_MISMATCH


def test_a_real_field_was_overrun() -> None:
    assert noted(f"{SPANNING} (size 16)").root_cause is RootCause.OUT_OF_BOUNDS


def index(kind: str) -> Diagnosis:
    return verdict_on(
        "UBSAN: array-index-out-of-bounds in /var/lib/dkms/carafe/1.0/build/tx.c:120:33",
        f"index 1 is out of range for type '{kind}'",
        "CPU: 1 PID: 912 Comm: wpa Tainted: G           OE      6.5.0-14-generic #14",
        "Call Trace:",
        " __ubsan_handle_out_of_bounds+0x69/0x80",
        " carafe_tx+0x9c/0xb0 [carafe]",
    )


def test_an_index_behind_an_array_of_one_element_may_be_a_notice_alone() -> None:
    one, eight = index("u8 [1]"), index("u8 [8]")
    assert causes(one)[:2] == [RootCause.OUT_OF_BOUNDS, RootCause.API_MISMATCH]
    assert any("harmless" in evidence.text for evidence in one.candidates[1].evidence)
    assert (eight.root_cause, len(eight.candidates)) == (RootCause.OUT_OF_BOUNDS, 1)


def copied(cache: str) -> RootCause:
    words = "usercopy: Kernel memory exposure attempt detected from SLUB object"
    return verdict(bug("mm/usercopy.c:99", f"{words} '{cache}' (offset 24, size 40)!")).root_cause


def test_a_copy_out_of_a_cache_of_a_module_misses_its_whitelist() -> None:
    assert copied("demo_ring") is RootCause.API_MISMATCH
    assert copied("kmalloc-64") is RootCause.OUT_OF_BOUNDS


def test_a_check_of_indirect_calls_that_no_module_meets_is_one_of_the_kernel() -> None:
    found = verdict_on(
        "Missing ENDBR: native_frob+0x0/0x40",
        "------------[ cut here ]------------",
        "kernel BUG at arch/x86/kernel/cet.c:102!",
        "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
        "CPU: 3 PID: 711 Comm: udevd Not tainted 6.8.0-31-generic #31",
        "RIP: 0010:exc_control_protection+0xc8/0xd0",
        "Call Trace:",
        " asm_exc_control_protection+0x26/0x30",
        " chrdev_open+0xa2/0x250",
    )
    assert (found.root_cause, found.attribution) == (RootCause.LOGIC_ERROR, Attribution.KERNEL)


# Who triggers a crash through sysrq asked for it.


@pytest.mark.parametrize("words", ["SysRq : Trigger a crash", "sysrq: Trigger a crash"])
def test_a_crash_that_was_asked_for_is_no_null_dereference(words: str) -> None:
    fault = "BUG: unable to handle kernel NULL pointer dereference at           (null)"
    assert verdict_on(words, fault, "Oops: 0002 [#1] SMP").root_cause is RootCause.NONE
    other = "sysrq: Show Blocked State"
    assert verdict_on(other, fault, "Oops: 0002 [#1] SMP").root_cause is RootCause.NULL_DEREF


# 32-bit machines have no pointer cut to 32 bits.


def test_a_pointer_is_cut_to_32_bits_only_where_it_has_more() -> None:
    def told(*lines: str) -> bool:
        found = verdict_on("BUG: unable to handle page fault for address: 00b8f2c0", *lines)
        texts = [e.text for c in found.candidates for e in c.evidence]
        return any("32 bits" in text for text in texts)

    assert told("RIP: 0010:bench+0x4/0x9", "RAX: 0000000000b8f2c0 RBX: ffff888012345600")
    assert not told("EIP: bench+0x4/0x9", "EAX: 00b8f2c0 EBX: c1234567 ECX: 00000000")


# What %p prints is a hash: two of them are not compared. CR2 and registers are no hashes.


def test_hashed_links_of_a_list_are_not_compared() -> None:
    one_bit = broken_list("0000000004c12341").replace("ffff888004c12340", "0000000004c12340")
    assert RootCause.HARDWARE not in causes(verdict(one_bit))


# Where a fault is certain and its cause is not in the text, the cause is unknown.


@pytest.mark.parametrize(
    "line",
    [
        "Kernel panic - not syncing: the moon set early",
        "Oops: 0000 [#1] SMP",
    ],
)
def test_a_fault_without_a_cause_is_no_error_of_logic(line: str) -> None:
    found = verdict_on(line, "CPU: 1 PID: 912 Comm: cat Not tainted 5.10.0-20-amd64 #1")
    assert found.root_cause is not RootCause.LOGIC_ERROR
    assert found.confidence < 0.5


# A machine that does not start: the set-up or the first program, and the lines above say which.

NO_ROOT = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"
NO_INIT = "Kernel panic - not syncing: No working init found.  Try passing init= option to kernel."
KILLED = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000{}"
LIST = 'Please append a correct "root=" boot option; here are the available partitions:'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("RAMDISK: incomplete write (-28 != 32768)", NO_ROOT), "ramdisk did not fit"),
        (("check access for rdinit=/init failed: -2, ignoring", NO_INIT), "no such program"),
        (("Failed to execute /sbin/start (error -8)", NO_INIT), "cannot be run"),
        (("Initramfs unpacking failed: write error", NO_ROOT), "initramfs is damaged"),
        ((LIST, NO_ROOT), "sees no disk"),
        ((LIST, "0800       976762584 sda driver: sd", NO_ROOT), "not that of one"),
        ((KILLED.format("7f00"),), "its interpreter or a library"),
        ((KILLED.format("000b"),), "SIGSEGV"),
        ((KILLED.format("0007"),), "SIGBUS"),
        ((KILLED.format("0100"),), "returned 1"),
    ],
)
def test_a_machine_that_does_not_start_is_told_why(lines: tuple[str, ...], said: str) -> None:
    found = verdict_on(*lines)
    assert found.root_cause is RootCause.USER_SPACE
    assert any(said in evidence.text for evidence in found.candidates[0].evidence)


def test_init_that_an_oops_killed_is_no_fault_of_init() -> None:
    found = verdict_on(
        "BUG: kernel NULL pointer dereference, address: 0000000000000010",
        "CPU: 1 PID: 1 Comm: systemd Not tainted 5.10.0-20-amd64 #1",
        "RIP: 0010:bench_rotate+0x48/0x90",
        "Call Trace:",
        " vfs_read+0x9f/0x190",
        KILLED.format("0009"),
    )
    assert found.root_cause is RootCause.NULL_DEREF
