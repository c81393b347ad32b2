"""The account of a fault, and the experiment that splits its two likeliest causes."""

from __future__ import annotations

import itertools

import pytest

from diagnosis.logs import gpf, oops, page_fault, stamped, verdict
from diagnosis.test_every_cause import CAUSES, HUNG, KILLED, SEGFAULT, kasan, says
from pagefault_doctor.diagnosis.experiments import (
    EXPERIMENTS,
    WORTH_AN_EXPERIMENT,
    between_causes,
    without_module,
)
from pagefault_doctor.model.diagnosis import Attribution, Candidate, Explanation, RootCause

CODE = "90 <c6> 40 08 41 c3"  # movb $0x41,8(%rax)
NULL = page_fault("0000000000000008", 2, code=CODE, registers={"rax": "0"})


def account(log: str) -> Explanation:
    """Return the account of a log's fault."""
    found = verdict(log).account
    assert found is not None
    return found


def told(part: tuple[object, ...]) -> str:
    """Return the sentences of a part of an account."""
    return " | ".join(getattr(sentence, "text", "") for sentence in part)


class TestWhatHappened:
    def test_who_did_what_where(self) -> None:
        said = told(account(NULL).happened)
        assert "cat[321] on CPU 1 wrote to the address 0x8 in demo_poll+0x24 of module demo" in said
        assert "write by the kernel; no page is mapped" in said
        assert "RAX was 0x0" in said

    def test_each_sentence_rests_on_a_line(self) -> None:
        for sentence in account(NULL).happened:
            assert sentence.line is not None
            assert sentence.line <= NULL.count("\n")

    @pytest.mark.parametrize(
        ("registers", "words"),
        [
            ({"cr2": "ffffc900000f7ff8"}, "the access to 0xffffc900000f7ff8 went below its end"),
            ({"cr2": "00007f0000001000"}, "0xffffc900000f8000, the first address of a page"),
            ({"rsp": "ffffc900000f8010"}, "RSP was 0xffffc900000f8010"),
        ],
    )
    def test_a_hashed_address_of_a_full_stack_is_not_taken_for_one(
        self, registers: dict[str, str], words: str
    ) -> None:
        full = {"rsp": "ffffc900000f8000"} | registers
        lines = "".join(f"[   50.100000] {n.upper()}: {v}\n" for n, v in full.items())
        log = (
            "[   50.100000] BUG: TASK stack guard page was hit at 00000000abcdef12"
            " (stack is 00000000b3aa1203..00000000d1e00412)\n"
            "[   50.100000] RIP: 0010:demo_walk+0x5/0x70 [demo]\n"
        ) + lines
        said = account(log)
        assert said.crux.text.startswith("In demo_walk, the kernel stack was full")
        assert said.crux.text.endswith(words)
        assert "abcdef12" not in said.crux.text + told(said.happened)

    def test_without_an_address_the_headline_stands_for_it(self) -> None:
        assert "task app:71 blocked for more than" in told(account(HUNG).happened)


class TestHowItCameToThat:
    def test_who_allocated_and_who_freed(self) -> None:
        log = kasan("slab-use-after-free") + stamped(
            "", "Allocated by task 300:", " kasan_save_stack+0x1e/0x40",
            " demo_open+0x2c/0x80 [demo]", " vfs_open+0x2c/0x80", "",
            "Freed by task 301:", " kasan_save_stack+0x1e/0x40", " kfree+0x1/0x2",
            " demo_close+0x1c/0x40 [demo]", " vfs_close+0x2c/0x80",
        )  # fmt: skip
        came = told(account(log).came)
        assert "allocated by demo_open of module demo" in came
        assert "freed by demo_close of module demo" in came
        assert "who freed it is not in the log" not in told(account(log).unknown)

    def test_a_module_that_was_being_loaded(self) -> None:
        assert "demo was just being loaded" in told(account(oops("Oops: 0000 [#1]",
            modules="demo(OE+) ext4")).came)  # fmt: skip

    def test_a_module_loaded_shortly_before_and_not_one_loaded_long_before(self) -> None:
        notice = "demo: loading out-of-tree module taints kernel."
        assert "9.1 s before" in told(account(stamped(notice, at=41.0) + NULL).came)
        late = page_fault("0000000000000008", 2, code=CODE, registers={"rax": "0"}, at=900.5)
        assert "loaded" not in told(account(stamped(notice, at=41.0) + late).came)

    def test_a_timer_is_not_in_its_own_trace(self) -> None:
        log = page_fault("0000000000000008", 2, trace=("call_timer_fn+0x27/0x130",))
        assert "who" in told(account(log).came)
        assert "armed" in told(account(log).came)

    def test_the_last_module_unloaded(self) -> None:
        log = page_fault("0000000000000008", 2, modules="ext4 [last unloaded: gone]")
        assert "unloaded was gone" in told(account(log).came)


class TestWhatCannotBeKnown:
    @pytest.mark.parametrize(
        "cause",
        [RootCause.NULL_DEREF, RootCause.ERR_PTR, RootCause.USE_AFTER_FREE, RootCause.LOCKUP_HANG],
    )
    def test_it_is_said(self, cause: RootCause) -> None:
        assert "not in the log" in told(account(CAUSES[cause].it).unknown)


class TestWhereTheCureBelongs:
    def test_in_the_module_that_faulted(self) -> None:
        assert "in module demo" in told(account(NULL).fix)

    def test_not_in_the_helper_that_only_carried_it(self) -> None:
        log = gpf("6b6b6b6b6b6b6b6b", place="__list_del_entry+0x1/0x40", code=None,
                  trace=("demo_poll+0x24/0x90 [demo]",))  # fmt: skip
        said = told(account(log).fix)
        assert "in module demo" in said
        assert "__list_del_entry only worked with what it was given" in said

    @pytest.mark.parametrize(
        ("log", "words"),
        [
            (KILLED, "less load"),
            (SEGFAULT, "the program"),
            (CAUSES[RootCause.HARDWARE].it, "repair"),
        ],
    )
    def test_not_in_the_kernel_where_it_is_not_the_kernels(self, log: str, words: str) -> None:
        assert words in told(account(log).fix)

    def test_nowhere_where_nothing_is_wrong(self) -> None:
        assert account(CAUSES[RootCause.NONE].it).fix == ()


def rivals(first: RootCause, second: RootCause, share: float = 0.4) -> tuple[Candidate, ...]:
    """Return two candidates of a module."""
    kind = Attribution.MODULE
    return (Candidate(first, kind, "demo", 0.5), Candidate(second, kind, "demo", share))


class TestExperiments:
    MEMORY = (
        RootCause.NULL_DEREF, RootCause.ERR_PTR, RootCause.USE_AFTER_FREE, RootCause.DOUBLE_FREE,
        RootCause.OUT_OF_BOUNDS, RootCause.WILD_POINTER, RootCause.USER_ACCESS,
        RootCause.READONLY_WRITE, RootCause.LIST_CORRUPTION, RootCause.STACK_OVERFLOW,
        RootCause.PAGE_TABLE, RootCause.LOGIC_ERROR, RootCause.HARDWARE, RootCause.API_MISMATCH,
    )  # fmt: skip

    @pytest.mark.parametrize(("first", "second"), tuple(itertools.permutations(MEMORY, 2)))
    def test_there_is_one_for_every_two_causes_of_a_crash(
        self, first: RootCause, second: RootCause
    ) -> None:
        found = between_causes(rivals(first, second))
        assert found is not None
        (one, outcome), (other, another) = found.tells
        assert (one, other) == (first, second)
        assert outcome != another

    def test_there_is_none_where_no_second_cause_is_worth_it(self) -> None:
        causes = (RootCause.NULL_DEREF, RootCause.ERR_PTR)
        assert between_causes(rivals(*causes, share=WORTH_AN_EXPERIMENT / 2)) is None
        assert between_causes(rivals(*causes)[:1]) is None

    def test_each_belongs_to_a_step_and_splits_something(self) -> None:
        for trial in EXPERIMENTS:
            assert trial.step in STEPS_OF_THE_PLAYBOOK
            assert len(set(trial.expects.values())) > 1

    def test_a_name_from_a_log_is_no_format(self) -> None:
        first = Candidate(RootCause.NULL_DEREF, Attribution.MODULE, "{0}%s", 0.9)
        found = without_module(first)
        assert found is not None
        assert "without {0}%s" in found.do

    def test_of_no_module_there_is_none_to_leave_out(self) -> None:
        assert (
            without_module(Candidate(RootCause.NULL_DEREF, Attribution.KERNEL, None, 0.9)) is None
        )

    def test_a_module_blamed_by_circumstance_is_left_out_once(self) -> None:
        log = gpf("6b6b6b6b6b6b6b6b", place="tcp_ack+0x1/0x40", code=None, registers={"rsi": "0"},
                  trace=("demo_poll+0x24/0x90 [demo]",))  # fmt: skip
        found = verdict(log)
        assert found.module == "demo"
        assert found.experiment is not None

    def test_a_clear_cause_in_the_module_that_faulted_needs_none(self) -> None:
        assert verdict(NULL).experiment is None

    def test_what_no_rule_knows_is_told_as_such(self) -> None:
        found = verdict(says("BUG kmalloc-8: something new"))
        assert found.account is not None
        assert found.confidence < 0.75


STEPS_OF_THE_PLAYBOOK = (
    "check-logs", "identify-module", "reproduce", "analyse-crash-dump", "debug-module",
    "fix-code", "validate",
)  # fmt: skip
