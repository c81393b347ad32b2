"""Training: the introduction, the questions, the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.event import QuestionAnswered
from pagefault_doctor.model.scenario import Question, Scenario
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.row import Row, Tone

_LIVE: Final = (
    "It happens in a virtual machine, which boots when you begin, really crashes, and is thrown "
    "away after: say yes to everything you are curious about. Debuggers, editor and compiler are "
    "those of this machine, at work on a copy of the source."
)


def waiting(view: View, scenario: Scenario | None) -> tuple[Question, ...]:
    """Return the questions of the current step that are not answered yet."""
    if scenario is None or view.step is None:
        return ()
    answered = {answer.question for answer in view.answers}
    return tuple(q for q in scenario.questions if q.step == view.step and q.id not in answered)


def unfinished(view: View, scenario: Scenario | None) -> bool:
    """Return whether questions of the scenario are not answered yet."""
    return scenario is not None and len(view.answers) < len(scenario.questions)


def introduction(scenario: Scenario, live: bool) -> Iterator[Row]:
    """Yield the introduction of a scenario."""
    yield Row(scenario.title, f"level: {scenario.level}", Tone.TITLE)
    yield Row()
    yield from paragraphs(scenario.summary)
    yield Row()
    if live:
        yield Row(_LIVE)
    else:
        yield Row("This is a replay of a real case. Nothing runs on this machine, so nothing can "
                  "be broken: say yes to everything you are curious about.")  # fmt: skip
    yield Row()
    count = len(scenario.questions)
    questions = "One question comes" if count == 1 else f"{count} questions come"
    yield Row(f"{questions} along the way. h shows a hint. Take your time.")


def question(asked: Question, answer: int | None, hinted: bool) -> Iterator[Row]:
    """Yield a question and, once answered, whether the answer was right and why."""
    yield from paragraphs(asked.ask, Tone.TITLE)
    yield Row()
    for number, choice in enumerate(asked.choices):
        mark = _choice_mark(asked, answer, number)
        tone = Tone.GOOD if mark == "v" else Tone.BAD if mark == "x" else Tone.PLAIN
        yield Row(f" {mark} {number + 1}  {choice}", tone=tone, hang=6, ref=number)
    yield Row()
    if hinted and answer is None:
        yield Row(f"Hint: {' '.join(asked.hint.split())}", hang=6)
    if answer is not None:
        yield Row("Right." if answer == asked.answer else
                  f"Not quite. {asked.answer + 1} is right.", tone=Tone.TITLE)  # fmt: skip
        yield from paragraphs(asked.explain)


def _choice_mark(asked: Question, answer: int | None, number: int) -> str:
    if answer is None:
        return " "
    if number == asked.answer:
        return "v"
    return "x" if number == answer else " "


def score(scenario: Scenario, answers: tuple[QuestionAnswered, ...]) -> Iterator[Row]:
    """Yield the result of a training walk and its lesson."""
    right = sum(answer.right for answer in answers)
    hinted = sum(answer.hinted for answer in answers)
    yield Row(f"{scenario.title}: {right} of {len(scenario.questions)} right", tone=Tone.TITLE)
    if hinted:
        yield Row(f"with {hinted} hint{'s' if hinted > 1 else ''}", tone=Tone.DIM)
    yield Row()
    by_id = {answer.question: answer for answer in answers}
    for asked in scenario.questions:
        yield _answer(asked, by_id.get(asked.id))
    yield Row()
    yield Row("What there was to learn", tone=Tone.TITLE)
    yield from paragraphs(scenario.lesson)
    yield Row()
    yield Row(f"How this case was made: {' '.join(scenario.made.split())}", tone=Tone.DIM)


def _answer(asked: Question, answer: QuestionAnswered | None) -> Row:
    question_text = " ".join(asked.ask.split())
    if answer is None:
        return Row(f"  -  {question_text}", "not answered", Tone.DIM, 5)
    mark, word = ("v", "right") if answer.right else ("x", "wrong")
    return Row(f"  {mark}  {question_text}", word, Tone.GOOD if answer.right else Tone.BAD, 5)


def paragraphs(text: str, tone: Tone = Tone.PLAIN) -> Iterator[Row]:
    """Yield the paragraphs of a text, separated by empty rows."""
    parts = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    for number, part in enumerate(parts):
        if number:
            yield Row()
        yield Row(part, tone=tone)
