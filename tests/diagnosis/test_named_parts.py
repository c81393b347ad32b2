"""Hardware that names its part: the status of a machine check, the address of a card."""

from __future__ import annotations

import pytest

from diagnosis.logs import stamped, verdict

_MCE = "mce: [Hardware Error]: "


def machine_check(status: str, microcode: str = "aa") -> str:
    return stamped(
        f"{_MCE}CPU 0: Machine Check Exception: 5 Bank 7: {status}",
        f"{_MCE}TSC 2db9f8ee73 ADDR 1ff41240 MISC 152c2c00",
        f"{_MCE}PROCESSOR 0:50657 TIME 1700000000 SOCKET 0 APIC 0 microcode {microcode}",
        f"{_MCE}Machine check: Processor context corrupt",
    )


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("be00000000010092", "code 0x0092: the memory controller, channel 2"),
        ("8c0000400001009f", "corrected; code 0x009f: the memory controller, a channel"),
        ("b200000000070135", "code 0x0135: the processor's cache, level 1"),
        ("b200000000000400", "code 0x0400: a timer inside the processor ran out"),
        ("fa000000000b0e0f", "one of several, the processor could not go on; code 0x0e0f: the bus"),
        ("b200000080060001", "code 0x0001: of no class that is told"),
        ("b200000000001135", "code 0x1135: the processor's cache, level 1"),
    ],
)
def test_the_status_of_a_bank_is_read(status: str, meaning: str) -> None:
    found = verdict(machine_check(status))
    assert any(meaning in fact.means for fact in found.facts), found.facts
    assert found.next_step is not None
    assert meaning.split(":")[0][-6:] in found.next_step.why


@pytest.mark.parametrize(
    ("status", "microcode", "situation"),
    [
        ("be00000000010092", "aa", "processor-memory"),
        ("b200000000070135", "aa", "processor-bank"),
        ("be00000000010092", "ffffffff", "processor-bank-of-guest"),
        ("b200000000070f0f", "ffffff", "processor-bank"),
    ],
)
def test_the_step_is_for_the_part_and_where_it_is(
    status: str, microcode: str, situation: str
) -> None:
    found = verdict(machine_check(status, microcode))
    assert found.next_step is not None
    assert found.next_step.situation == situation
    assert (found.confidence >= 0.9) is (microcode != "ffffffff")


def test_a_status_that_is_not_valid_says_nothing() -> None:
    found = verdict(machine_check("0000000000000000"))
    assert not any("code 0x" in fact.means for fact in found.facts)


LOST = (
    "[   62.933536] NVRM: The NVIDIA GPU 0000:b3:00.0\n"
    "{indent}NVRM: (PCI ID: 10de:26b5) installed in this system has\n"
    "{indent}NVRM: fallen off the bus and is not responding to commands.\n"
    "[   62.945060] NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.1.2  Release\n"
)


def test_a_card_is_named_by_the_line_that_dmesg_broke() -> None:
    found = verdict(LOST.format(indent=" " * 15))
    assert found.next_step is not None
    assert found.next_step.situation == "gpu-lost-at"
    assert found.next_step.command[-1] == "0000:b3:00.0"
    texts = [fact.text for fact in found.facts]
    assert any("10de:26b5" in text for text in texts)
    assert any("570.1.2" in text for text in texts)


def test_a_line_without_a_clock_that_is_not_indented_is_of_something_else() -> None:
    text = "[   62.9] NVRM: GPU 0000:b3:00.0 is fine\nNVRM: fallen off the bus and is gone.\n"
    found = verdict(text)
    assert found.next_step is not None
    assert found.next_step.situation == "gpu-lost"
