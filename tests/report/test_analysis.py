"""The analysis reads like an expert's, and each of its sentences can be looked up."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from pagefault_doctor.model.diagnosis import (
    Attribution,
    Diagnosis,
    Evidence,
    Explanation,
    NextStep,
    RootCause,
)
from pagefault_doctor.model.known_case import KnownCase
from pagefault_doctor.playbook import shelf
from pagefault_doctor.report import markdown
from pagefault_doctor.report.analysis import LEAST, analysis, in_short
from pagefault_doctor.report.known import NOTHING_TO_DO
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.session.view import View
from scenarios.test_every_scenario import EACH, visited, walk_again

TOLD = {
    "null-deref-module": (
        "In faulty_init (faulty.c:37), state in RAX was NULL",
        "line 35 may have left it NULL",
        "if (!state)\n        return -ENOMEM;",
    ),
    "err-ptr": (
        "which held 0xfffffffffffffffe (the error code -ENOENT)",
        "No other cause fits.",
        "if (IS_ERR(firmware))",
    ),
    "use-after-free-timer": (
        "which held 0x6b6b6b6b6b6b6b6b (POISON_FREE: freed slab memory)",
        "sensor of thermo is freed and keeps its value",
        "it ran as a work item (events_unbound thermo_poll [thermo])",
    ),
    "out-of-bounds-slab": (
        "the memory was allocated by label_write of module label",
        "before it was given out again, the memory had been freed by",
        "no change belongs there",
    ),
    "poison-overwritten": (
        "stands there, 0x6b should",
        "the memory was freed by meter_close.part.0 of module meter",
        "in module meter: the object was freed by meter_close.part.0 of meter",
    ),
    "double-list-del": (
        "list corruption in module jobs",
        "is LIST_POISON1 (dead000000000100)",
        "__list_del_entry_valid.cold only worked with what it was given",
    ),
}
"""For six cases: what happened, how it came to that or what is unknown, and where the cure goes."""


FIXED = [name for name in shelf.scenario_ids() if "validate" in visited(name)]
"""Cases with something to mend."""


def sentences(account: Explanation) -> Iterator[Evidence]:
    yield account.crux
    for part in (account.happened, account.came, account.fix, account.tried):
        yield from part


def lines_of_the_logs(view: View) -> set[int]:
    spans = [range(r.span.first_line, r.span.last_line + 1) for r in view.case.reports]
    events = [event.line.number for log in view.case.logs for event in log.module_events]
    return {line for span in spans for line in span} | set(events)


@pytest.mark.parametrize("scenario_id", TOLD)
def test_the_report_tells_what_happened_why_and_what_to_change(scenario_id: str) -> None:
    view = walk_again(scenario_id)[0].view
    told = markdown.render(session_outline(view)).replace("\\", "")
    for piece in TOLD[scenario_id]:
        assert piece in told
    cause = shelf.causes()[view.opinion.verdict.root_cause]
    assert " ".join(cause.what.split()) in " ".join(told.split())
    assert " ".join(cause.prove.split()) in " ".join(told.split())


@EACH
def test_every_sentence_names_a_line_of_a_log_or_a_command_that_ran(scenario_id: str) -> None:
    view = walk_again(scenario_id)[0].view
    verdict, there = view.explained.verdict, lines_of_the_logs(view)
    ran = {record.command.text for record in view.commands}
    assert verdict.account is not None
    cited = [*sentences(verdict.account), *(e for c in verdict.candidates for e in c.evidence)]
    assert len(cited) > 5
    for sentence in cited:
        if sentence.origin is None:
            assert sentence.line in there, sentence.text
        else:
            assert sentence.origin in ran or sentence.origin in view.started.host, sentence.text


@pytest.mark.parametrize("scenario_id", FIXED)
def test_the_account_says_that_the_fix_was_proven(scenario_id: str) -> None:
    verdict = walk_again(scenario_id)[0].view.explained.verdict
    assert verdict.account is not None
    assert verdict.account.tried[-1].text.startswith("with it the trigger")
    assert verdict.next_step is not None
    assert verdict.next_step.situation == "fix-proven"


def test_an_answer_in_short_leaves_out_a_cause_that_hardly_fits() -> None:
    verdict = walk_again("err-ptr")[0].view.explained.verdict
    short = in_short(verdict, shelf.causes()["err-ptr"])
    assert short.startswith("Very likely error code used as a pointer in module fwsize (9")
    assert verdict.candidates[1].confidence < LEAST
    assert "Next likely" not in short
    assert short.endswith("and return PTR_ERR().")


def test_an_answer_in_short_names_the_runner_up_and_what_speaks_against_it() -> None:
    verdict = walk_again("err-ptr")[0].view.explained.verdict
    first, second, *others = verdict.candidates
    near = msgspec.structs.replace(second, confidence=0.2)
    doubtful = msgspec.structs.replace(verdict, candidates=(first, near, *others))
    short = in_short(doubtful, shelf.causes()["err-ptr"])
    assert "Next likely is null-deref (20%): against it, RAX holds an error code" in short


@pytest.mark.parametrize(("do", "said"), [("Leave it.", "Leave it."), ("", NOTHING_TO_DO)])
def test_what_is_harmless_asks_for_nothing_else(do: str, said: str) -> None:
    step = NextStep("reproduce", "Try the newest kernel.")
    case = KnownCase(id="quay", says="As it should be.", do=do, harmless=True)
    known = Diagnosis(
        RootCause.LOGIC_ERROR, Attribution.KERNEL, None, 0.8, "", next_step=step, known=(case,)
    )
    text = markdown.render(analysis(known, {}))
    assert said in text
    assert "Try the newest kernel." not in text
    asking = msgspec.structs.replace(known, known=())
    assert "Try the newest kernel." in markdown.render(analysis(asking, {}))
