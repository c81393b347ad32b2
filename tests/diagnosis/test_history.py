"""What several faults show together: within one boot, and from boot to boot."""

from __future__ import annotations

from typing import Any

import pytest

from diagnosis.logs import BANNER, diagnosed, gpf, of, page_fault, stamped, verdict
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.fact import Fact, Source

BOOT = stamped(BANNER, at=0.0)
LOAD = "90 <48> 8b 06 c3"  # mov (%rsi),%rax
GUEST = "QEMU Standard PC (Q35), BIOS 1.16"
PLACES = (
    ("ext4_find_entry+0x1a/0x40 [ext4]", "rsync"),
    ("tcp_ack+0x2f/0x90", "nginx"),
    ("snd_pcm_update+0x10/0x50 [snd_pcm]", "player"),
    ("shrink_dentry+0x5/0x60", "kswapd0"),
)


def crash(place: str, comm: str, address: str, **rest: Any) -> str:
    """Return a crash on a garbage pointer; without an out-of-tree module unless one is given."""
    known: dict[str, Any] = {"modules": "ext4 snd_pcm", "tainted": "Not tainted", **rest}
    value = address.zfill(16)
    known |= {"code": LOAD, "registers": {"rsi": value}, "trace": ()}
    return gpf(value, place=place, comm=comm, **known)


def boots(*crashes: str) -> str:
    """Return a log of one boot for each crash."""
    return "".join(BOOT + text for text in crashes)


def ever_others(**rest: str) -> list[str]:
    """Return crashes that have nothing in common."""
    addresses = ("1f3e5d7c9b8a6543", "2c9b8a6543f1e5d7", "3d7c9b8a65431f3e", "4b8a65431f3e5d7c")
    return [crash(*p, a, **rest) for p, a in zip(PLACES, addresses, strict=True)]


def evidence(found: Diagnosis, cause: RootCause, words: str) -> bool:
    """Whether a cause has evidence with these words."""
    candidate = of(found, cause)
    return candidate is not None and any(words in e.text for e in candidate.evidence)


class TestFromBootToBoot:
    def test_ever_other_places_are_the_hardware(self) -> None:
        found = verdict(boots(*ever_others()))
        assert found.root_cause is RootCause.HARDWARE
        assert evidence(found, RootCause.HARDWARE, "4 boots have nothing in common")

    def test_in_a_virtual_machine_they_are_not(self) -> None:
        found = verdict(boots(*ever_others(hardware=GUEST)))
        assert found.root_cause is RootCause.WILD_POINTER

    def test_a_foreign_module_loaded_each_time_may_have_done_it_as_well(self) -> None:
        found = verdict(boots(*ever_others(modules="demo(OE) ext4 snd_pcm")))
        assert found.root_cause is RootCause.WILD_POINTER
        assert evidence(found, RootCause.HARDWARE, "but for demo")

    def test_two_boots_are_no_pattern(self) -> None:
        assert of(verdict(boots(*ever_others()[:2])), RootCause.HARDWARE) is None

    def test_a_module_in_every_trace_is_what_they_have_in_common(self) -> None:
        places = [f"demo_{name}+0x1/0x20 [demo]" for name in ("open", "poll", "close")]
        log = boots(*(crash(p, f"app{i}", "1f3e5d7c9b8a6543") for i, p in enumerate(places)))
        found = verdict(log)
        assert of(found, RootCause.HARDWARE) is None
        assert found.module == "demo"

    def test_the_same_fault_again_speaks_against_hardware(self) -> None:
        flipped = gpf("dfff91a2c3d4e5f0", code=LOAD, tainted="Not tainted", modules="ext4",
                      registers={"rsi": "dfff91a2c3d4e5f0", "rbx": "ffff91a2c3d4e000"})  # fmt: skip
        once, thrice = verdict(boots(flipped)), verdict(boots(flipped, flipped, flipped))
        assert once.root_cause is RootCause.HARDWARE
        assert thrice.root_cause is not RootCause.HARDWARE
        assert evidence(thrice, RootCause.HARDWARE, "the same fault came in 2 more boots")
        assert thrice.account is not None
        assert any("2 other boots" in e.text for e in thrice.account.came)


def in_a_row(crashes: list[str]) -> str:
    """Return the crashes as they come one after the other in one boot."""
    later = (
        text.replace("[#1]", f"[#{i + 1}]").replace("50.1", f"5{i}.1")
        for i, text in enumerate(crashes)
    )
    return "".join(later)


class TestWithinOneBoot:
    def test_faults_with_nothing_in_common_are_a_hint_at_hardware(self) -> None:
        found = diagnosed(BOOT + in_a_row(ever_others()))[0]
        assert evidence(found, RootCause.HARDWARE, "this boot have nothing in common")

    def test_one_process_is_something_in_common(self) -> None:
        crashes = [crash(place, "rsync", "1f3e5d7c9b8a6543") for place, _ in PLACES]
        found = diagnosed(BOOT + in_a_row(crashes))[0]
        assert of(found, RootCause.HARDWARE) is None


def segfault(comm: str, cpu: int) -> str:
    """Return the line of a program that crashed on a processor."""
    return stamped(
        f"{comm}[71]: segfault at 18 ip 0000555555555131 sp 00007ffe12345678 error 4 "
        f"in {comm}[555555555000+1000] likely on CPU {cpu} (core {cpu}, socket 0)"
    )


class TestProgramsThatCrash:
    def test_unrelated_ones_on_one_processor_are_the_processor(self) -> None:
        found = verdict("".join(segfault(name, 3) for name in ("bash", "gcc", "python3")))
        assert found.root_cause is RootCause.HARDWARE
        assert evidence(found, RootCause.HARDWARE, "CPU 3")
        assert found.candidates[1].root_cause is RootCause.USER_SPACE

    @pytest.mark.parametrize(
        "crashes",
        [
            (("bash", 3), ("gcc", 3), ("python3", 1)),
            (("gcc", 3), ("gcc", 3), ("gcc", 3)),
            (("bash", 3), ("gcc", 3)),
        ],
        ids=["two processors", "one program", "two crashes"],
    )
    def test_else_it_is_the_program(self, crashes: tuple[tuple[str, int], ...]) -> None:
        found = verdict("".join(segfault(*one) for one in crashes))
        assert found.root_cause is RootCause.USER_SPACE
        assert of(found, RootCause.HARDWARE) is None


class TestASuspectThatWasNotThere:
    PLACE = "shrink_dentry+0x5/0x60"
    TRACE = ("helper_one+0x1/0x20", "demo_poll+0x24/0x90 [demo]")

    def fault(self, modules: str, *trace: str) -> str:
        return page_fault("ffff888004c12340", place=self.PLACE, trace=trace, code=None,
                          tainted="Not tainted", modules=modules)  # fmt: skip

    def test_it_is_blamed_as_long_as_nothing_clears_it(self) -> None:
        assert verdict(boots(self.fault("demo ext4", *self.TRACE))).module == "demo"

    def test_the_same_fault_without_it_clears_it(self) -> None:
        log = boots(self.fault("ext4", "helper_one+0x1/0x20"), self.fault("demo ext4", *self.TRACE))
        found = verdict(log)
        assert (found.attribution, found.module) == (Attribution.KERNEL, None)
        assert "was not loaded when the same came" in found.candidates[0].evidence[-1].text

    def test_another_fault_without_it_does_not(self) -> None:
        other = page_fault("ffff888004c12340", place="tcp_ack+0x1/0x20", modules="ext4", code=None)
        assert verdict(boots(other, self.fault("demo ext4", *self.TRACE))).module == "demo"


class TestWhatTheTaintTells:
    def came(self, log: str) -> str:
        account = verdict(log).account
        assert account is not None
        return " ".join(e.text for e in account.came)

    @pytest.mark.parametrize(
        ("letter", "what"), [("W", "a warning"), ("B", "damaged"), ("L", "lockup"), ("M", "check")]
    )
    def test_what_came_before_is_worth_a_look(self, letter: str, what: str) -> None:
        text = self.came(page_fault("18", tainted=f"Tainted: G   {letter}       "))
        assert what in text
        assert "earlier" in text

    def test_what_is_in_the_log_need_not_be_looked_for(self) -> None:
        warned = stamped("WARNING: CPU: 1 PID: 5 at fs/demo.c:7 demo_open+0x1/0x20 [demo]")
        assert "earlier" not in self.came(warned + page_fault("18", tainted="Tainted: G   W"))

    def test_a_clean_kernel_has_nothing_to_tell(self) -> None:
        assert "earlier" not in self.came(page_fault("18", tainted="Not tainted"))


def test_what_is_in_memory_now_is_not_held_against_an_earlier_boot() -> None:
    fact = Fact("module.srcversion_fits", False, Source("modinfo demo", 3))
    fault = page_fault("ffff888004c12340", code=None)
    now = verdict(boots(fault), {fact.name: fact})
    before = verdict(boots(fault, stamped("systemd[1]: up")), {fact.name: fact})
    assert of(now, RootCause.API_MISMATCH) is not None
    assert of(before, RootCause.API_MISMATCH) is None
