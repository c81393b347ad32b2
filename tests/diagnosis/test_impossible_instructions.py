"""Exceptions that the instruction in memory cannot raise, and those that it can."""

from __future__ import annotations

import pytest

from diagnosis.logs import oops, verdict
from pagefault_doctor.model.diagnosis import RootCause

OPCODE = "invalid opcode: 0000 [#1] SMP"
DIVIDE = "divide error: 0000 [#1] SMP"


@pytest.mark.parametrize(
    ("headline", "code"),
    [
        (OPCODE, "90 <48> 8b 06 c3"),
        (OPCODE, "90 <f3> 48 a5 c3"),
        (OPCODE, "90 <f0> 48 0f b1 17 c3"),
        (OPCODE, "90 <e8> 10 20 00 00 c3"),
        (DIVIDE, "90 <48> 8b 06 c3"),
    ],
)
def test_what_every_processor_knows_is_refused_by_a_broken_one(headline: str, code: str) -> None:
    assert verdict(oops(headline, code=code)).root_cause is RootCause.HARDWARE


@pytest.mark.parametrize(
    ("headline", "code"),
    [
        (OPCODE, "90 <0f> 0b c3"),
        (OPCODE, "90 <c5> f8 28 06 c3"),
        (OPCODE, "90 <0f> 22 c8 c3"),
        (OPCODE, "90 <06> 00 00 c3"),
        (DIVIDE, "90 <48> f7 f1 c3"),
        (DIVIDE, "90 <f7> 7d fc c3"),
        (OPCODE, "90 <f0> 48 89 c3 c3"),
    ],
    ids=["ud2", "AVX", "a control register", "no instruction", "div", "idiv", "lock of a register"],
)
def test_what_may_raise_it_is_no_sign_of_broken_hardware(headline: str, code: str) -> None:
    assert verdict(oops(headline, code=code)).root_cause is not RootCause.HARDWARE
