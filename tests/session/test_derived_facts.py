"""Facts that follow from reports and the diagnosis."""

from __future__ import annotations

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.case import Case
from pagefault_doctor.session.derived_facts import DERIVED, derived_facts, known_facts
from pagefault_doctor.tools import TOOLS
from test_import_hygiene import OOPS

BOOT = "[    0.000000] Linux version {} (gcc 12) #1 SMP PREEMPT_DYNAMIC\n"
TWO_BOOTS = (
    BOOT.format("6.1.0")
    + OOPS
    + BOOT.format("6.12.7-new")
    + OOPS.replace("demo", "other").replace("6.1.0", "6.12.7-new")
)


def facts_of(text: str) -> dict[str, object]:
    logs = (klog.read(text.encode(), "test"),)
    derived = derived_facts(Case(logs=logs), diagnose(logs, {}))
    return {fact.name: fact.value for fact in derived}


def test_an_oops_in_a_module_makes_that_module_the_suspect() -> None:
    facts = facts_of(OOPS)
    assert facts["report.function"] == "demo_init"
    assert facts["report.is_kernel_fault"] is True
    assert facts["verdict.root_cause"] == "null-deref"
    assert facts["suspect.module"] == "demo"


def test_facts_and_verdict_of_two_boots_are_about_the_same_report() -> None:
    facts = facts_of(TWO_BOOTS)
    assert facts["report.count"] == 2
    assert (facts["report.boot"], facts["report.release"]) == (1, "6.12.7-new")
    assert facts["report.function"] == "other_init"
    assert facts["report.module"] == facts["suspect.module"] == "other"


def test_a_quiet_log_suspects_nobody() -> None:
    facts = facts_of("[    1.0] hello\n")
    assert facts == {"report.count": 0, "verdict.root_cause": "none"}


def test_every_derived_fact_is_known_to_playbooks() -> None:
    assert set(facts_of(OOPS)) <= set(DERIVED) <= known_facts(TOOLS.values())
