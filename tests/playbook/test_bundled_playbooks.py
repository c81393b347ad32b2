"""The playbooks and causes that come with pfdoctor are sound and complete."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec
import pytest

from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.event import Outcome, StepEntered, StepFinished, ToolFinished
from pagefault_doctor.model.fact import Fact, Source, Value
from pagefault_doctor.model.playbook import Playbook, StepStatus
from pagefault_doctor.model.report import Kind
from pagefault_doctor.playbook import loader, shelf
from pagefault_doctor.playbook.engine import (
    Conclude,
    OutputLearned,
    Suggest,
    WalkState,
    advance,
    start,
    step_now,
)
from pagefault_doctor.playbook.folder import folder
from pagefault_doctor.playbook.schema import json_schema
from pagefault_doctor.session.derived_facts import known_facts
from pagefault_doctor.tools import TOOLS

FACTS: Final = known_facts(TOOLS.values())

IDS: Final = shelf.playbook_ids()

SEVEN: Final = [
    "check-logs",
    "identify-module",
    "reproduce",
    "analyse-crash-dump",
    "debug-module",
    "fix-code",
    "validate",
]


def test_the_four_playbooks_are_there() -> None:
    assert set(IDS) >= {
        "kernel-page-fault",
        "user-space-segfault",
        "memory-pressure",
        "corrupted-stack",
    }


@pytest.mark.parametrize("playbook_id", IDS)
def test_a_playbook_is_valid_and_names_only_known_tools_and_facts(playbook_id: str) -> None:
    text = loader.read(folder() / f"{playbook_id}.yaml")
    assert loader.check(text, playbook_id, frozenset(TOOLS), FACTS, shelf.step_ids()) == ()


@pytest.mark.parametrize("playbook_id", IDS)
def test_each_step_explains_itself(playbook_id: str) -> None:
    for step in shelf.playbook(playbook_id).steps:
        assert 2 <= step.why.count(".") <= 6, f"{step.id}: two to five sentences say why"
        assert len(step.help.splitlines()) >= 2, f"{step.id}: terms are explained"
        assert len(step.by_hand.splitlines()) >= 2, f"{step.id}: a way without tools"
        assert step.suggest
        assert step.suggest[-1].when is None, f"{step.id}: there is always a suggestion"


@pytest.mark.parametrize("playbook_id", IDS)
def test_each_text_is_ascii_and_fits_a_narrow_screen(playbook_id: str) -> None:
    assert loader.read(folder() / f"{playbook_id}.yaml").isascii()
    for step in shelf.playbook(playbook_id).steps:
        assert len(step.title) <= 40
        assert [line for line in step.by_hand.splitlines() if len(line) > 78] == []


def test_the_kernel_playbook_has_the_seven_steps() -> None:
    assert [step.id for step in shelf.playbook("kernel-page-fault").steps] == SEVEN


def test_every_tool_is_used_by_some_playbook() -> None:
    steps = [step for i in IDS for step in shelf.playbook(i).steps]
    forms = [step.as_form(form) for step in steps for form in step.forms]
    used = {tool for step in (*steps, *forms) for tool in step.tools}
    assert used == set(TOOLS)


@pytest.mark.parametrize("playbook_id", IDS)
def test_every_kind_that_a_playbook_asks_for_exists(playbook_id: str) -> None:
    text = msgspec.json.encode(shelf.playbook(playbook_id)).decode()
    conditions = msgspec.json.decode(text)["steps"]
    asked = [
        condition
        for step in conditions
        for suggestion in step["suggest"]
        for condition in _tests(suggestion.get("when", {}))
    ]
    kinds = {k for c in asked if c["fact"] == "report.kind" for k in c.get("in", [c.get("is")])}
    assert kinds <= {kind.value for kind in Kind}
    causes = {c["is"] for c in asked if c["fact"] == "verdict.root_cause"}
    assert causes <= {cause.value for cause in RootCause}


def _tests(condition: dict[str, object]) -> list[dict[str, str]]:
    if "fact" in condition:
        return [condition]  # type: ignore[list-item]
    inner = [*condition.get("all", ()), *condition.get("any", ())]  # type: ignore[misc]
    if "not" in condition:
        inner.append(condition["not"])
    return [test for part in inner for test in _tests(part)]


def finish_step(state: WalkState, step: str, outcome: Outcome, facts: dict[str, Value]) -> Suggest:
    """Walk one step with every tool ending the same way, and return what it suggests."""
    state, effects = advance(state, StepEntered(step=step))
    state, _ = advance(
        state, OutputLearned(tuple(Fact(n, v, Source("x")) for n, v in facts.items()))
    )
    for tool in step_now(state, step).tools:
        done = ToolFinished(step=step, tool=tool, outcome=outcome, reason="no")
        state, effects = advance(state, done)
    (conclusion,) = effects
    assert isinstance(conclusion, Conclude)
    finished = StepFinished(step=step, status=conclusion.status, reason=conclusion.reason)
    _, (suggestion,) = advance(state, finished)
    assert isinstance(suggestion, Suggest)
    return suggestion


def kernel_book() -> Playbook:
    return shelf.playbook("kernel-page-fault")


MODULE_FAULT: Final[dict[str, Value]] = {
    "report.kind": "null-pointer-dereference",
    "report.title": "BUG: unable to handle kernel NULL pointer dereference in faulty_init",
    "report.module": "faulty",
    "report.is_kernel_fault": True,
    "suspect.module": "faulty",
    "verdict.attribution": "module",
    "verdict.root_cause": "null-deref",
}


@pytest.mark.parametrize(
    ("step", "facts", "go", "words"),
    [
        ("check-logs", {}, "end", "No fault was found"),
        ("check-logs", MODULE_FAULT, "identify-module", "in the module faulty"),
        (
            "check-logs",
            {"report.kind": "user-space-segfault", "report.title": "app died"},
            "examine-core",
            "a program died, not the kernel (app died)",
        ),
        (
            "check-logs",
            {"report.kind": "oom-kill", "report.title": "killed app"},
            "measure-pressure",
            "Memory ran out",
        ),
        (
            "check-logs",
            {"report.kind": "hardware-error", "report.is_kernel_fault": True},
            "reproduce",
            "memory",
        ),
        ("check-logs", {"given.vmcore": "/tmp/v"}, "analyse-crash-dump", "dump"),
        ("identify-module", MODULE_FAULT, "reproduce", "spare VM"),
        (
            "identify-module",
            MODULE_FAULT
            | {"module.vermagic_fits": False, "module.vermagic": "5.10.0", "host.kernel": "6.1.0"},
            "fix-code",
            "built for another kernel (5.10.0); this one is 6.1.0",
        ),
        ("identify-module", {"verdict.attribution": "kernel"}, "analyse-crash-dump", "kernel"),
        ("identify-module", {}, "reproduce", "No module stands out"),
        ("reproduce", {"memtest.failures": 3}, "end", "found 3 failures"),
        (
            "reproduce",
            {"reproduce.reproduced": True, "reproduce.new_reports": 1},
            "analyse-crash-dump",
            "1 new",
        ),
        (
            "reproduce",
            {"reproduce.reproduced": True, "kdump.ready": False},
            "debug-module",
            "writes no dump",
        ),
        (
            "reproduce",
            {"reproduce.reproduced": False, "reproduce.tried": True},
            "analyse-crash-dump",
            "did not come back",
        ),
        (
            "analyse-crash-dump",
            {"dump.module": "faulty", "dump.function": "faulty_init"},
            "debug-module",
            "faulty_init of the module faulty",
        ),
        ("analyse-crash-dump", {"verdict.attribution": "kernel"}, "fix-code", "newer kernel"),
        (
            "debug-module",
            {"debug.file": "faulty.c", "debug.line": 12, "debug.pointer": "ptr"},
            "fix-code",
            "faulty.c line 12 is the place, and ptr",
        ),
        ("fix-code", {"fix.built": True}, "validate", "builds"),
        ("fix-code", {"fix.built": False}, "fix-code", "does not build yet"),
        ("validate", {"validate.verdict": "fixed"}, "end", "The fault is gone"),
        (
            "validate",
            {"validate.verdict": "not-fixed", "validate.new_reports": 2},
            "check-logs",
            "gained 2 reports",
        ),
        ("validate", {"validate.verdict": "inconclusive"}, "end", "was not tried here"),
        (
            "validate",
            {"validate.verdict": "inconclusive", "validate.inserted": True},
            "reproduce",
            "enough to tell",
        ),
    ],
)
def test_the_kernel_playbook_suggests(
    step: str, facts: dict[str, Value], go: str, words: str
) -> None:
    suggestion = finish_step(start(kernel_book()), step, Outcome.USED, facts)
    assert suggestion.go == go
    assert words in suggestion.because
    assert "?" not in suggestion.because.replace("behind it?", ""), "every fact it names is known"


@pytest.mark.parametrize(("step", "following"), [*pairwise(SEVEN)])
def test_a_blocked_step_leads_on_and_says_why_one_can_go_on(step: str, following: str) -> None:
    suggestion = finish_step(start(kernel_book()), step, Outcome.BLOCKED, {})
    assert suggestion.go == ("analyse-crash-dump" if step == "check-logs" else following)
    assert "One can go on" in suggestion.because


def test_a_blocked_validation_does_not_claim_a_proof() -> None:
    suggestion = finish_step(start(kernel_book()), "validate", Outcome.BLOCKED, {})
    assert suggestion.go == "end"
    assert "not proven" in suggestion.because


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("playbook_id", IDS)
def test_every_playbook_comes_to_its_end_however_its_tools_fare(
    playbook_id: str, outcome: Outcome
) -> None:
    book = shelf.playbook(playbook_id)
    facts: dict[str, Value] = {"report.comm": "app", "report.module": "faulty"}
    step, seen = book.steps[0].id, list[str]()
    while step != "end":
        assert step not in seen, f"goes round in a circle at {step}"
        seen.append(step)
        step = finish_step(start(book), step, outcome, facts).go
    assert StepStatus.TODO not in seen


def test_there_is_a_cause_for_every_root_cause_but_none() -> None:
    assert list(shelf.causes()) == [c.value for c in RootCause if c is not RootCause.NONE]


def test_every_cause_teaches() -> None:
    for cause in shelf.causes().values():
        assert len(cause.shows) >= 4, cause.id
        assert cause.what, cause.id
        assert cause.remedy.api, cause.id
        assert cause.prove, cause.id
        has_no_code = cause.id in ("hardware", "unknown")
        assert bool(cause.remedy.before) is bool(cause.remedy.after) is not has_no_code, cause.id
        assert has_no_code or cause.remedy.before != cause.remedy.after, cause.id


def test_every_example_is_in_kernel_style() -> None:
    for cause in shelf.causes().values():
        for code in (cause.remedy.before, cause.remedy.after):
            assert code.count("{") == code.count("}"), cause.id
            assert code.count("(") == code.count(")"), cause.id
            depth = 0
            for line in code.splitlines():
                assert len(line) <= 76, f"{cause.id}: {line}"
                indent = len(line) - len(line.lstrip())
                assert depth or indent % 8 == 0, f"{cause.id}: {line}"
                depth += line.count("(") - line.count(")")


def test_the_schema_describes_a_playbook() -> None:
    schema = json_schema()
    definitions = schema["$defs"]
    assert definitions["Playbook"]["required"] == ["schema", "id", "title", "summary", "steps"]
    assert definitions["Playbook"]["additionalProperties"] is False
    assert set(definitions["Condition"]["properties"]) == {
        *("fact", "is", "in", "present", "at_least", "all", "any", "not")
    }
