"""Which report the verdict is about, and what to do next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.rules import RULES
from pagefault_doctor.diagnosis.wording import NAMES
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind, Report

MakeReport = Callable[..., Report]
Diagnose = Callable[..., Diagnosis]
STEPS = {
    "check-logs", "identify-module", "reproduce", "analyse-crash-dump", "debug-module",
    "fix-code", "validate",
}  # fmt: skip


def test_the_verdict_is_of_the_main_report(report: MakeReport) -> None:
    reports = (
        report(Kind.KERNEL_BUG, boot=0),
        report(Kind.USER_SEGFAULT, boot=1, number=1),
        report(Kind.NULL_POINTER, boot=1, number=2),
        report(Kind.PAGE_FAULT, boot=1, number=3),
    )
    opinion = diagnose((KernelLog(source="a", reports=reports, boots=2),), {})
    assert opinion.report == 2
    assert opinion.verdict is opinion.by_report[2]


@pytest.mark.parametrize("kind", [Kind.PAGE_FAULT, Kind.KERNEL_BUG])
def test_a_later_fault_says_that_the_first_is_missing(report: MakeReport, kind: Kind) -> None:
    first, second = report(kind, die_count=1), report(kind, die_count=2, first_line=90)
    alone = diagnose((KernelLog(source="a", reports=(second,)),), {}).verdict
    both = diagnose((KernelLog(source="a", reports=(first, second)),), {}).by_report[1]
    missing = "fault #2 of its boot: the first one is not in this log"
    assert any(missing in e.text for e in alone.candidates[0].evidence)
    assert not any(missing in e.text for e in both.candidates[0].evidence)


def test_there_is_a_diagnosis_for_each_report_in_order(report: MakeReport) -> None:
    logs = (
        KernelLog(source="a", reports=(report(Kind.LOCKUP), report(Kind.OOM_KILL))),
        KernelLog(source="b", reports=(report(Kind.USER_SEGFAULT),)),
    )
    opinion = diagnose(logs, {})
    causes = [d.root_cause for d in opinion.by_report]
    assert causes == [RootCause.LOCKUP_HANG, RootCause.OOM, RootCause.USER_SPACE]
    assert (opinion.report, opinion.verdict) == (0, opinion.by_report[0])


def test_no_logs_no_fault() -> None:
    opinion = diagnose((), {})
    assert (opinion.report, opinion.verdict.root_cause) == (None, RootCause.NONE)


@pytest.mark.parametrize("later", [{"die_count": 2}, {"tainted": ("D", "O")}])
def test_what_follows_a_fault_is_believed_less(
    diagnosis: Diagnose, later: dict[str, object]
) -> None:
    first, second = diagnosis(Kind.KERNEL_BUG), diagnosis(Kind.KERNEL_BUG, **later)
    assert second.confidence < first.confidence
    assert any("earlier fault" in e.text for e in second.candidates[0].opposing)


def test_every_piece_of_evidence_from_a_log_has_its_line(diagnosis: Diagnose) -> None:
    found = diagnosis(
        Kind.SANITIZER,
        "==================================================================",
        "BUG: KASAN: slab-use-after-free in f+0x1/0x2 [demo]",
        first_line=40,
        cited={"headline": 41},
    )
    assert {e.line for c in found.candidates for e in c.evidence if e.weight} == {41}


@pytest.mark.parametrize("kind", tuple(Kind))
def test_there_is_always_a_next_step_of_the_playbook(diagnosis: Diagnose, kind: Kind) -> None:
    for module in (None, "demo"):
        step = diagnosis(kind, "something", module=module).next_step
        assert step is not None
        assert step.step in STEPS
        assert step.why


def test_a_module_at_fault_is_looked_for_in_its_tracker(diagnosis: Diagnose) -> None:
    found = diagnosis(Kind.NULL_POINTER, address="0x8", module="demo")
    assert found.next_step is not None
    assert found.next_step.command == ("modinfo", "-F", "version", "demo")
    assert "Try a newer demo first" in found.next_step.why
    assert "tracker" in found.next_step.why


def test_every_cause_has_a_rule_and_a_name() -> None:
    weighed = {cause for cause, _ in RULES}
    assert weighed == set(RootCause) - {RootCause.UNKNOWN}
    assert set(NAMES) == set(RootCause)
