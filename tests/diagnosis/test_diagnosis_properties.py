"""For any report the diagnosis is complete and its confidences are valid."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosis.conftest import with_messages
from pagefault_doctor import diagnosis
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.weights import HIGHEST, WEIGHT
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import (
    Access,
    Fault,
    Frame,
    Kind,
    Line,
    LinkedModule,
    Report,
    Span,
)

NUMBERS = st.one_of(
    st.sampled_from(
        ["0x0", "0x8", "0xfffffffffffffff0", "0xdead000000000108", "0x6b6b6b6b6b6b6b6b"]
    ),
    st.integers(0, 2**64 - 1).map(hex),
)
WORDS = st.one_of(
    st.text(st.characters(exclude_characters="\n"), max_size=40),
    st.sampled_from(
        [
            "BUG: KASAN: use-after-free in f",
            "list_del corruption. prev->next should be 0123456789abcdef, but was 0",
            "general protection fault, maybe for address 0x0",
            "Freed by task 4:",
            "Missing ENDBR: f+0x0/0x1",
            "Bad page map in process x",
        ]
    ),
)
CODE = st.one_of(
    st.none(),
    st.binary(min_size=1, max_size=16).map(lambda b: "90 <" + b.hex(" ").replace(" ", "> ", 1)),
    st.text("0123456789abcdef<>() ", max_size=30),
)
NAMES = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["kfree", "demo", "cr2"]))
FRAMES = st.builds(Frame, NAMES, module=NAMES, reliable=st.booleans())
FAULTS = st.builds(
    Fault,
    st.one_of(st.none(), NUMBERS),
    st.one_of(st.none(), st.sampled_from(Access)),
    NAMES,
    NAMES,
    st.one_of(st.none(), NUMBERS, st.text(max_size=5)),
)
REPORTS = st.builds(
    Report,
    kind=st.sampled_from(Kind),
    title=WORDS,
    arch=st.sampled_from([None, "x86_64", "i386", "arm64", "arm", "riscv64", "odd"]),
    boot=st.integers(0, 2),
    number=st.integers(1, 4),
    die_count=st.one_of(st.none(), st.integers(0, 9)),
    function=NAMES,
    module=NAMES,
    fault=st.one_of(st.none(), FAULTS),
    hardware=NAMES,
    workqueue=NAMES,
    tainted=st.one_of(st.none(), st.lists(st.sampled_from("DMOSW"), max_size=4).map(tuple)),
    modules=st.lists(st.builds(LinkedModule, st.text(max_size=9)), max_size=3).map(tuple),
    last_unloaded=NAMES,
    registers=st.dictionaries(
        st.sampled_from(["rax", "RBX", "rsp", "rip", "x0", "r08", "sp"]),
        st.one_of(NUMBERS, st.text(max_size=6)),
        max_size=4,
    ),
    code=CODE,
    frames=st.lists(FRAMES, max_size=5).map(tuple),
    span=st.just(Span(1, 9)),
    excerpt=st.lists(st.builds(Line, st.integers(1, 9), WORDS), max_size=5).map(tuple),
).map(with_messages)


@given(st.lists(REPORTS, max_size=3).map(tuple))
@settings(max_examples=150)
def test_any_reports_get_a_diagnosis_with_confidences_that_add_up(
    reports: tuple[Report, ...],
) -> None:
    opinion = diagnose((KernelLog(source="any", reports=reports),), {})
    assert len(opinion.by_report) == len(reports)
    for found in (*opinion.by_report, opinion.verdict):
        shares = [candidate.confidence for candidate in found.candidates]
        assert sum(shares) <= 1.001
        assert all(0 <= share <= HIGHEST for share in shares)
        assert shares == sorted(shares, reverse=True)
        assert found.summary


def test_every_weight_is_used_and_every_used_weight_exists() -> None:
    assert diagnosis.__file__ is not None
    folder = Path(diagnosis.__file__).parent
    text = "".join(p.read_text() for p in folder.rglob("*.py") if p.name != "weights.py")
    prefixes = "|".join(sorted({key.split(".")[0] for key in WEIGHT}))
    used = set(re.findall(rf'"((?:{prefixes})\.[a-z0-9-]+)"', text))
    assert used == set(WEIGHT)
