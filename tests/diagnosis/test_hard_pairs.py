"""Faults that look alike: each pair is separated, or left open with an experiment."""

from __future__ import annotations

from diagnosis.logs import (
    BANNER,
    SANE,
    diagnosed,
    gpf,
    of,
    oops,
    page_fault,
    stamped,
    verdict,
)
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause

TOP = "fffffffffffffff0"
LOCK_DECL = "90 <f0> ff 48 f0 0f"  # lock decl -0x10(%rax)
LOCK_DECL_PLAIN = "90 <f0> ff 08 0f"  # lock decl (%rax)
STORE = "90 <c6> 40 08 41 c3"  # movb $0x41,8(%rax)
LOAD = "90 <48> 8b 06 c3"  # mov (%rsi),%rax
INVPCID = "90 <66> 0f 38 82 06 c3"
BOARD, GUEST = "ACME Board/B1, BIOS 1.0", "QEMU Standard PC (Q35)"
BOOT = stamped(BANNER, at=0.0)
NULL_WRITE = page_fault("0000000000000008", 2, code=STORE, registers={"rax": "0"})
GARBAGE = gpf("1f3e5d7c9b8a6543", code=LOAD, registers={"rsi": "1f3e5d7c9b8a6543"})
LINK = "ffff888004c12340"


def poison_overwritten(byte: int, last: str = LINK, hardware: str = BOARD) -> str:
    """Return the slab checks' report on freed memory whose first changed byte is `byte`."""
    return stamped(
        "=" * 77,
        "BUG kmalloc-64 (Tainted: G           OE     ): Poison overwritten",
        "-" * 77,
        f"0x{LINK}-0x{last} @offset=832. First byte 0x{byte:02x} instead of 0x6b",
        "Allocated in demo_open+0x2c/0x80 [demo] age=900 cpu=1 pid=300",
        "Freed in demo_close+0x1c/0x40 [demo] age=800 cpu=1 pid=300",
        f"Object 0x{LINK} @offset=832 fp=0x0000000000000000",
        "CPU: 1 PID: 321 Comm: cat Tainted: G    B      OE      6.1.0-1-amd64 #1",
        f"Hardware name: {hardware}",
        "Call Trace:",
        " <TASK>",
        " check_bytes_and_report+0xe5/0x120",
        " check_object+0x1ce/0x2d0",
        " demo_open+0x2c/0x80 [demo]",
        " </TASK>",
    )


def broken_list(actual: str, hardware: str = BOARD) -> str:
    """Return the list checks' report on a link that should be LINK."""
    return stamped(
        f"list_del corruption. prev->next should be {LINK}, but was {actual}. (prev={LINK[:-2]}c0)",
        "------------[ cut here ]------------",
        "kernel BUG at lib/list_debug.c:62!",
        "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
        "CPU: 1 PID: 52 Comm: cat Tainted: G           OE      6.1.0-1-amd64 #1",
        f"Hardware name: {hardware}",
        "RIP: 0010:__list_del_entry_valid.cold+0xf/0x6f",
        SANE,
        "Call Trace:",
        " <TASK>",
        " demo_release+0x1c/0x40 [demo]",
        " __fput+0x89/0x250",
        " </TASK>",
        "Modules linked in: demo(OE)",
    )


def hung(task: str, *frames: str, at: float = 300.0, blocked_on: str = "") -> str:
    """Return the report of a hung task; `task` is `name:pid`."""
    name, pid = task.split(":")
    return stamped(
        f"INFO: task {task} blocked for more than 120 seconds.",
        "      Tainted: G           OE      6.1.0-1-amd64 #1",
        '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
        *((f"INFO: task {task} {blocked_on}",) if blocked_on else ()),
        f"task:{name}  state:D stack:0     pid:{pid}   ppid:1      flags:0x00000002",
        "Call Trace:",
        " <TASK>",
        " __schedule+0x34d/0x9e0",
        " schedule+0x5a/0xd0",
        *(f" {frame}" for frame in frames),
        " </TASK>",
        at=at,
    )


MUTEX = ("schedule_preempt_disabled+0x11/0x20", "__mutex_lock.constprop.0+0x3a4/0x700")
VICTIM = (*MUTEX, "reader_show+0x1c/0x60 [reader]", "seq_read_iter+0x124/0x4b0")
HOLDER = ("schedule_timeout+0x118/0x150", "wait_for_completion+0x8a/0x160",
          "demo_reset+0x44/0xa0 [demo]", "kthread+0xe9/0x110")  # fmt: skip


def is_open(found: Diagnosis, *causes: RootCause) -> bool:
    """Whether these two causes lead, neither is certain, and an experiment separates them."""
    leading = {candidate.root_cause for candidate in found.candidates[:2]}
    told = {cause for cause, _ in found.experiment.tells} if found.experiment else set()
    return leading == set(causes) == told and found.confidence < 0.9


class TestTheTopOfMemory:
    def test_with_a_base_of_zero_it_is_container_of_null(self) -> None:
        found = verdict(page_fault(TOP, 2, code=LOCK_DECL, registers={"rax": "0"}))
        assert found.root_cause is RootCause.NULL_DEREF
        assert found.confidence > 0.9

    def test_with_that_value_in_the_base_it_is_an_error_code(self) -> None:
        found = verdict(page_fault(TOP, 2, code=LOCK_DECL_PLAIN, registers={"rax": TOP}))
        assert found.root_cause is RootCause.ERR_PTR
        assert found.confidence > 0.9

    def test_without_the_instruction_it_is_open_until_it_is_disassembled(self) -> None:
        found = verdict(page_fault(TOP, 2, code=None))
        assert is_open(found, RootCause.ERR_PTR, RootCause.NULL_DEREF)
        assert found.experiment is not None
        assert found.experiment.name == "registers"


class TestOneOddByteInFreedMemory:
    def test_a_decrement_is_a_count_dropped_after_the_free(self) -> None:
        found = verdict(poison_overwritten(0x6A))
        assert (found.root_cause, found.module) == (RootCause.USE_AFTER_FREE, "demo")
        hardware = of(found, RootCause.HARDWARE)
        assert hardware is not None
        assert 0.02 < hardware.confidence < found.confidence

    def test_another_single_bit_is_rather_the_memory_itself(self) -> None:
        found = verdict(poison_overwritten(0x2B))
        assert found.root_cause is RootCause.HARDWARE
        assert is_open(found, RootCause.HARDWARE, RootCause.USE_AFTER_FREE)

    def test_in_a_virtual_machine_neither_is_hardware(self) -> None:
        for byte in (0x6A, 0x2B):
            found = verdict(poison_overwritten(byte, hardware=GUEST))
            assert found.root_cause is RootCause.USE_AFTER_FREE

    def test_a_run_of_bytes_is_a_write_whatever_its_first_byte(self) -> None:
        found = verdict(poison_overwritten(0x2B, last="ffff888004c12347"))
        assert found.root_cause is RootCause.USE_AFTER_FREE
        assert of(found, RootCause.HARDWARE) is None


class TestAGeneralProtectionFault:
    def test_maybe_for_an_address_is_about_the_instruction(self) -> None:
        head = "general protection fault, maybe for address 0xffffc90000346800: 0000 [#1] SMP"
        found = verdict(oops(head, code=INVPCID, registers={"rsi": "ffffc90000346800"}))
        assert found.root_cause is RootCause.LOGIC_ERROR
        assert any("invpcid" in e.text for e in found.candidates[0].supporting)

    def test_maybe_for_an_address_with_a_plain_load_is_not_called_a_wild_pointer(self) -> None:
        head = "general protection fault, maybe for address 0x0: 0000 [#1] SMP"
        found = verdict(oops(head, code="90 <0f> 28 06 c3", registers={"rsi": "ffffc90000346804"}))
        assert found.root_cause is not RootCause.WILD_POINTER
        assert of(found, RootCause.NULL_DEREF) is None

    def test_for_a_non_canonical_address_it_is_about_the_pointer(self) -> None:
        found = verdict(GARBAGE)
        assert found.root_cause is RootCause.WILD_POINTER


class TestABrokenLink:
    def test_noise_is_a_hardened_freelist_pointer_so_freed_memory(self) -> None:
        found = verdict(broken_list("5a3c71e98b2fd046"))
        assert found.root_cause is RootCause.USE_AFTER_FREE
        assert is_open(found, RootCause.USE_AFTER_FREE, RootCause.LIST_CORRUPTION)
        assert of(found, RootCause.HARDWARE) is None

    def test_one_bit_that_no_entry_can_have_is_the_memory(self) -> None:
        for actual in ("ffff888004c12342", "dfff888004c12340"):
            found = verdict(broken_list(actual))
            assert is_open(found, RootCause.HARDWARE, RootCause.LIST_CORRUPTION)
            assert found.root_cause is RootCause.HARDWARE
            assert of(found, RootCause.USE_AFTER_FREE) is None

    def test_one_bit_to_where_another_entry_may_lie_is_a_list_first(self) -> None:
        found = verdict(broken_list("ffff888004c12360"))
        assert found.root_cause is RootCause.LIST_CORRUPTION
        assert of(found, RootCause.HARDWARE) is not None

    def test_the_same_bit_in_a_virtual_machine_is_the_list(self) -> None:
        assert verdict(broken_list("dfff888004c12340", GUEST)).root_cause is (
            RootCause.LIST_CORRUPTION
        )

    def test_poison_of_freed_memory_is_use_after_free(self) -> None:
        found = verdict(broken_list("6b6b6b6b6b6b6b6b"))
        assert found.root_cause is RootCause.USE_AFTER_FREE

    def test_the_poison_of_list_del_is_a_matter_of_the_list(self) -> None:
        assert verdict(broken_list("dead000000000122")).root_cause is RootCause.LIST_CORRUPTION


class TestAHungTask:
    def test_the_holder_is_blamed_and_not_the_victim_that_was_reported_first(self) -> None:
        found = verdict(hung("cat:277", *VICTIM) + hung("demo_poll:301", *HOLDER, at=301))
        assert (found.root_cause, found.module) == (RootCause.LOCKUP_HANG, "demo")
        assert "holds" in found.candidates[0].evidence[-1].text

    def test_the_holder_is_the_one_the_kernel_names(self) -> None:
        named = "is blocked on a mutex likely owned by task keeper:302."
        log = (
            hung("cat:277", *VICTIM, blocked_on=named)
            + hung("demo_poll:301", *HOLDER, at=301)
            + hung("keeper:302", *HOLDER[:2], "keep_all+0x10/0x40 [keeper]", at=302)
        )
        assert verdict(log).module == "keeper"

    def test_a_victim_alone_leaves_the_holder_open_and_says_how_to_find_it(self) -> None:
        found = verdict(hung("cat:277", *VICTIM))
        assert found.experiment is not None
        assert found.experiment.name == "blocked-tasks"
        assert "who holds it is not shown" in found.candidates[0].evidence[-1].text
        assert found.account is not None
        assert any("who holds" in e.text for e in found.account.unknown)

    def test_of_two_possible_holders_none_is_picked(self) -> None:
        other = (*HOLDER[:2], "keep_all+0x10/0x40 [keeper]")
        log = hung("cat:277", *VICTIM) + hung("a:301", *HOLDER) + hung("b:302", *other)
        assert verdict(log).module == "reader"


class TestAPanic:
    def test_one_that_was_asked_for_is_no_fault(self) -> None:
        found = verdict(
            stamped(
                "sysrq: Trigger a crash",
                "Kernel panic - not syncing: sysrq triggered crash",
                "CPU: 1 PID: 52 Comm: bash Not tainted 6.1.0-1-amd64 #1",
                "Call Trace:",
                " <TASK>",
                " panic+0x118/0x2ed",
                " sysrq_handle_crash+0x16/0x20",
                " __handle_sysrq.cold+0x43/0x11e",
                " write_sysrq_trigger+0x24/0x40",
                " </TASK>",
            )
        )
        assert found.root_cause is RootCause.NONE
        assert found.attribution is Attribution.NONE

    def test_older_kernels_write_through_null_to_crash_on_request(self) -> None:
        place = "sysrq_handle_crash+0x16/0x20"
        found = verdict(page_fault("0000000000000000", 2, place=place, modules="ext4"))
        assert found.root_cause is RootCause.NONE

    def test_one_after_a_null_dereference_is_that(self) -> None:
        log = NULL_WRITE + stamped("Kernel panic - not syncing: Fatal exception")
        assert verdict(log).root_cause is RootCause.NULL_DEREF


class TestTheSecondReportOfABoot:
    SECOND = page_fault(
        "ffff888004c12340",
        die=2,
        at=51,
        place="other_poll+0x1/0x20 [other]",
        tainted="Tainted: G      D    OE     ",
        code=LOAD,
        registers={"rsi": "ffff888004c12340"},
    )

    def test_the_verdict_is_about_the_first(self) -> None:
        found = verdict(NULL_WRITE + self.SECOND)
        assert (found.root_cause, found.module) == (RootCause.NULL_DEREF, "demo")

    def test_the_second_is_believed_less_and_says_why(self) -> None:
        second = diagnosed(NULL_WRITE + self.SECOND)[1]
        assert second.confidence < 0.75
        assert any("earlier fault" in e.text for e in second.candidates[0].opposing)

    def test_the_second_alone_points_to_the_one_that_is_not_in_the_log(self) -> None:
        found = verdict(self.SECOND)
        assert found.confidence < 0.75
        assert found.account is not None
        assert any("number 2 of this boot" in e.text for e in found.account.came)


class TestAnotherBoot:
    def test_the_last_boot_with_a_fault_is_what_the_verdict_is_about(self) -> None:
        found = verdict(BOOT + NULL_WRITE + BOOT + GARBAGE)
        assert found.root_cause is RootCause.WILD_POINTER

    def test_a_fault_of_the_boot_before_is_told_as_one(self) -> None:
        log = BOOT + NULL_WRITE + BOOT + stamped("systemd[1]: Startup finished", at=9)
        found = verdict(log)
        assert found.root_cause is RootCause.NULL_DEREF
        assert found.account is not None
        assert any("an earlier boot" in e.text for e in found.account.came)

    def test_a_fault_of_this_boot_is_not(self) -> None:
        found = verdict(BOOT + stamped("systemd[1]: Startup finished") + BOOT + NULL_WRITE)
        assert found.account is not None
        assert not any("an earlier boot" in e.text for e in found.account.came)


def test_a_counter_in_freed_memory_that_was_raised_is_told() -> None:
    raised, other = verdict(poison_overwritten(0x6C)), verdict(poison_overwritten(0x41))
    assert any("was raised" in quote.means for quote in raised.facts)
    assert any("raised" in evidence.text for evidence in raised.candidates[0].evidence)
    assert not any("raised" in quote.means for quote in other.facts)
    broken = poison_overwritten(0x6C).replace(" instead of", "\n[   50.100000] instead of")
    assert any("was raised" in quote.means for quote in verdict(broken).facts)
