"""Facts that follow from reports and the diagnosis."""

from __future__ import annotations

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.case import Case
from pagefault_doctor.session.derived_facts import DERIVED, derived_facts, known_facts
from pagefault_doctor.tools import TOOLS
from test_import_hygiene import OOPS


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


def test_a_quiet_log_suspects_nobody() -> None:
    facts = facts_of("[    1.0] hello\n")
    assert facts == {"report.count": 0, "verdict.root_cause": "none"}


def test_every_derived_fact_is_known_to_playbooks() -> None:
    assert set(facts_of(OOPS)) <= set(DERIVED) <= known_facts(TOOLS.values())
