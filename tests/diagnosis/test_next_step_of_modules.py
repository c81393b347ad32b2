"""The next step where a module is or may be to blame: first what whoever runs it can do."""

from __future__ import annotations

from typing import Final

import pytest

from diagnosis.logs import gpf, page_fault, stamped, verdict
from diagnosis.test_next_step import oops, step
from klog.test_printed_otherwise import OLD, PANIC

PROCESS: Final = "[  50.1] CPU: 1 PID: 9 Comm: {} {} 6.9.0 #1\n"
OUT: Final = "Tainted: G           O     "


def canary(place: str, frame: str = "vfs_read+0x44/0x200", taint: str = "Not tainted") -> str:
    trace = f"[  50.1] Call Trace:\n[  50.1]  panic+0x1/0x2\n[  50.1]  {frame}\n"
    return f"{PANIC.format(place)}\n{PROCESS.format('udevd', taint)}{trace}"


@pytest.mark.parametrize(
    ("log", "situation", "words"),
    [
        (canary("quay_log+0x9/0x9 [quay]", taint=OUT), "stack-canary-outside", "newest quay"),
        (canary("put_all+0x9/0x9", "really_probe+0x1/0x2"), "stack-canary-in-probe", "udevd bound"),
        (canary("vfs_log+0x9/0x9"), "stack-canary-found", "on the stack of vfs_log"),
        (OLD, "left-in-a-list", "kobject_add only met that"),
    ],
)
def test_the_step_begins_with_what_a_person_can_do(log: str, situation: str, words: str) -> None:
    found = step(log)
    assert found.situation == situation
    assert words in found.why


def test_an_address_alone_is_no_name_of_who_overran_its_stack() -> None:
    log = canary("c02e62f8").replace("panic+0x1/0x2", "i2c_xfer+0x508/0x54c")
    assert "c02e62f8" not in step(log).why


FULL: Final = stamped(
    "BUG: TASK stack guard page was hit at 00000000abcdef12 (stack is 00000000b3..00000000d1)",
    "CPU: 1 PID: 9 Comm: qemu Not tainted 6.9.0 #1",
    "RIP: 0010:vm_update_irq+0x5/0x70",
    "RSP: 0018:ffffc90001dd8000 EFLAGS: 00010246",
)


def test_what_filled_a_stack_is_asked_for_only_where_its_trace_is_missing() -> None:
    assert step(FULL).situation == "stack-without-trace"
    traced = FULL + stamped("Call Trace:", " vm_set_irq+0x1/0x2", " vm_ack_irq+0x1/0x2")
    assert step(traced).situation == "stack"


QUAY: Final = {"function": "quay_read", "module": " [quay]", "taint": "Tainted: G OE"}


def test_a_file_below_sys_was_used_without_the_drivers_data() -> None:
    log = oops(**QUAY, linked="quay(OE)").replace("vfs_read+0x44/0x200", "dev_attr_show+0x1d/0x70")
    found = step(log)
    assert found.situation == "outside-null-in-attribute"
    assert "Stop cat for now" in found.why
    assert step(oops(**QUAY, linked="quay(OE)")).situation == "outside-null-by-program"


@pytest.mark.parametrize(
    ("rip", "situation"), [("e030", "refused-by-xen"), ("0010", "outside-wild")]
)
def test_a_guest_of_xen_may_not_write_to_control_registers(rip: str, situation: str) -> None:
    log = stamped(
        "general protection fault: 0000 [#1] SMP NOPTI",
        "CPU: 0 PID: 16 Comm: cat Tainted: G           OE     4.19.0-26-amd64 #1",
        f"RIP: {rip}:quay_write_cr0+0x11/0x20 [quay]",
    )
    found = verdict(log)
    assert found.next_step is not None
    assert found.next_step.situation == situation
    assert (found.experiment is None) or rip == "0010"
    code = verdict(f"{log}[   50.100000] Code: ff ff 89 0d 49 04 01 00 89\n").missing
    (registers,) = (part for part in code if part.name == "registers")
    assert "below the Code: line" in registers.what
    (without,) = (part for part in found.missing if part.name == "registers")
    assert "below the headline" in without.what


CRASHED: Final = "crash> log\n(...)\n"


def test_a_person_in_crash_is_told_its_commands_for_this_fault() -> None:
    quay = page_fault("ffff888012345670", place="quay_poll+0x24/0x90 [quay]", tainted=OUT)
    found = step(CRASHED + quay)
    assert found.situation == "in-the-dump-module"
    assert "mod -s quay" in found.why
    assert "dis -rl quay_poll+0x24" in found.why
    core = gpf("6b6b6b6b6b6b6b6b", place="vfs_poll+0x24/0x90", code="48 89 c3 90 <8b> 03 c3 90",
               tainted="Not tainted", modules="ext4",
               registers={"rbx": "6b6b6b6b6b6b6b6b"})  # fmt: skip
    found = step(CRASHED + core)
    assert found.situation == "in-the-dump-pointer"
    assert "kmem 0x6b6b6b6b6b6b6b6b" in found.why
    assert not step(core).situation.startswith("in-the-dump")
    missing = verdict(CRASHED + stamped("BUG: unable to handle page fault for address: ffff8880"))
    assert any("in crash" in part.how for part in missing.missing)


def test_who_loaded_a_module_at_a_prompt_has_its_report_in_dmesg() -> None:
    log = stamped(
        "Internal error: Oops: 5 [#1] SMP ARM", "Process insmod (pid: 9850, stack limit = 0xb938)"
    )
    found = step("$ sudo insmod quay.ko\n" + log)
    assert (found.situation, found.command) == ("no-address-at-the-prompt", ("dmesg",))
    assert verdict("$ sudo insmod quay.ko\n" + log).experiment is None
    assert step(log).situation == "no-address"


@pytest.mark.parametrize(
    ("function", "situation"),
    [("ibmvnic_xmit", "null-in-transmit"), ("ibmvnic_open", "null-in-network-driver")],
)
def test_a_packet_was_sent_while_the_queues_were_away(function: str, situation: str) -> None:
    assert (
        step(oops(function=function, module=" [ibmvnic]", linked="ibmvnic")).situation == situation
    )


def test_the_work_that_ran_names_the_function_to_look_at() -> None:
    log = stamped(
        "list_del corruption. next->prev should be ffff9646a3de9460, but was dead000000000122",
        "kernel BUG at lib/list_debug.c:62!",
        "CPU: 1 PID: 20 Comm: kworker/1:1 Tainted: G           OE     5.10.0-20-amd64 #1",
        "Workqueue: quay-events quay_delete_work [quay]",
        "RIP: 0010:__list_del_entry_valid.cold+0x1d/0x69",
    )
    found = step(log)
    assert found.situation == "outside-list"
    assert "quay_delete_work" in found.why
    other = log.replace("quay_delete_work [quay]", "vmstat_update")
    assert "vmstat_update" not in step(other).why


@pytest.mark.parametrize(
    ("place", "situation"),
    [("quay_bind+0x24/0x90 [quay]", "called-null-by-module"), ("vfs_bind+0x24/0x90", None)],
)
def test_a_module_called_a_function_that_it_had_not_found(
    place: str, situation: str | None
) -> None:
    log = page_fault("0000000000000000", 0x10, place="0x0", code=None, modules="ext4",
                     tainted="Not tainted", trace=(place, "ksys_read+0x6b/0xf0"))  # fmt: skip
    found = step(log.replace("quay", "cfg80211")).situation
    assert (found == "called-null-by-module") is (situation is not None)


def test_a_person_in_crash_is_told_of_a_pointer_only_where_one_was_bad() -> None:
    log = CRASHED + stamped(
        "kernel BUG at quay/lock.c:1084!",
        "invalid opcode: 0000 [#1] SMP",
        "CPU: 1 PID: 9 Comm: app Tainted: G           O     6.9.0 #1",
        "RIP: 0010:quay_lock+0xa2/0xb0 [quay]",
    )
    assert step(log).situation == "in-the-dump"


def test_the_path_of_a_file_begins_at_the_root_of_the_tree() -> None:
    log = stamped(
        "------------[ cut here ]------------",
        "WARNING: CPU: 1 PID: 5 at /build/linux-W6HB68/linux-4.4.0/drivers/quay/core.c:88 "
        "quay_check+0x10/0x20 [e1000]",
        "CPU: 1 PID: 5 Comm: sh Not tainted 4.4.0 #1",
        "Call Trace:",
        " vfs_write+0x1/0x9",
    )
    found = step(log)
    assert found.situation == "warning-in-driver"
    assert "comment at drivers/quay/core.c" in found.why


def cfi(target: str, headline: str = "CFI failure (target: {}):") -> str:
    return stamped(
        headline.format(target),
        "WARNING: CPU: 3 PID: 861 at kernel/cfi.c:29 __ubsan_handle_cfi_check_fail+0x54/0x58",
        "Modules linked in: quay(OE) buoy(OE) cfg80211",
        "CPU: 3 PID: 861 Comm: irq/231 Tainted: G           OE     5.10.136 #1",
        "Call trace:",
        " irq_thread_fn+0x84/0x13c",
    )


def test_a_function_of_another_type_is_the_fault_of_the_module_it_is_of() -> None:
    found = verdict(cfi("quay_irq+0x0/0x30c [quay]"))
    assert found.module == "quay"
    assert step(cfi("quay_irq+0x0/0x30c [quay]")).situation == "cfi"
    new = "CFI failure at cfg80211_go+0x31/0x40 [cfg80211] (target: {}; expected type: 0x6efa3f60)"
    assert verdict(cfi("buoy_show+0x0/0x40 [buoy]", new)).module == "buoy"
    for core in ("irq_default+0x0/0x40", "cfg80211_x+0x0/0x40 [cfg80211]"):
        assert verdict(cfi(core)).module not in ("quay", "buoy")


BARE: Final = """\
Unable to handle kernel paging request at virtual address c9876fff
NIP: C9471C7C XER: 20000000 LR: C0018C74 SP: C0198E20 REGS: c0198d70 TRAP: 0800    Not tainted
DEAR: C9876FFF, ESR: 00000000
GPR00: 00000000 C0198E20 C0197020 00000000 C016E494 000000C2 C01D0000 00000000
Call backtrace:
00000001 C0018C74 C0018A1C C0005E14
"""


def test_an_address_without_a_name_is_to_be_looked_up() -> None:
    found = step(BARE)
    assert found.situation == "addresses-alone"
    assert "look 0xC9471C7C up" in found.why
    named = BARE.replace("NIP: C9471C7C XER: 20000000", "NIP [c0018c74] quay_go+0x10/0x20")
    assert step(named).situation != "addresses-alone"


def ubsan(kind: str, folder: str = "/build/linux-6.8.0/kernel", module: str = "") -> str:
    return stamped(
        f"UBSAN: array-index-out-of-bounds in {folder}/tx.c:120:33",
        f"index 9 is out of range for type '{kind}'",
        f"CPU: 1 PID: 912 Comm: wpa Tainted: G           {'OE' * bool(module)}      6.5.0-14 #14",
        "Call Trace:",
        " __ubsan_handle_out_of_bounds+0x69/0x80",
        f" carafe_tx+0x9c/0xb0{module}",
    )


def test_an_array_without_a_length_is_no_reason_to_look_for_an_index() -> None:
    assert step(ubsan("u8 [*]")).situation == "flexible-array-in-kernel"
    assert step(ubsan("u8 [8]")).situation == "undefined"


def test_the_version_that_dkms_built_is_the_one_to_look_beyond() -> None:
    path = "/var/lib/dkms/carafe/1.0.3/build"
    found = step(ubsan("u8 [8]", path, " [carafe]"))
    assert found.situation == "dkms-version"
    assert "You run carafe 1.0.3" in found.why
    assert found.command == ("dkms", "status", "carafe")
    assert step(ubsan("u8 [8]", "/usr/src/carafe", " [carafe]")).situation != "dkms-version"


def test_the_allocator_that_met_the_damage_is_not_the_code_to_fix() -> None:
    log = page_fault("ffff888107407800", tainted="Not tainted", modules="ext4 mt76", code=None,
                     place="__kmalloc_track_caller+0x51/0x90",
                     trace=("__alloc_skb+0x1/0x9", "napi_alloc_skb+0x1/0x9"))  # fmt: skip
    assert step(log).situation == "allocator-found-it"
    other = log.replace("__kmalloc_track_caller", "tcp_ack")
    assert step(other).situation != "allocator-found-it"
