"""The one line with the next thing to do, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.event import Outcome
from pagefault_doctor.model.playbook import Playbook
from pagefault_doctor.model.scenario import Question
from pagefault_doctor.playbook.engine import END, Suggest
from pagefault_doctor.session.given_input import wanted
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.pages import phrases
from pagefault_doctor.tui.running import LAB, Running

_MAX_COMMAND = 70
_RISK_REASONS = {
    Risk.LOAD: "it puts load on the machine, so it asks first",
    Risk.CHANGE: "it changes the system, so it asks first",
    Risk.CRASH: "it may take the machine down, so it asks first",
}
_SUDO_ASKS: Final = "sudo asks for your password"


def text(
    view: View,
    proposed: Command | None,
    suggestion: Suggest | None,
    running: Running | None,
    questions: Sequence[Question],
    looking_at: str | None,
    book: Playbook | None = None,
) -> str:
    """Return the line `Next: …` for what is going on.

    `book` is the playbook that the suggested step is of, by default the one that is walked.
    """
    if running and running.is_preparing_lab:
        return f"Now: the lab makes its machine ready ({running.tail[-1].removeprefix(LAB)})." + (
            " Esc cancels it."
        )
    if running:
        what = running.command.why or phrases.command(running.command.words)
        return f"Now: {what}. Esc cancels it."
    if looking_at and view.step and looking_at != view.step:
        return f"Next: back to step {number(view, view.step)}; g makes this the current step"
    if proposed:
        return f"Next: {_command_text(proposed)}"
    if questions:
        return f"Next: {_question_count(len(questions))} about this step"
    if suggestion is None:
        return "Next: begin with the first step"
    because = " ".join(suggestion.because.split())
    if suggestion.go == END:
        return f"Next: the report. {because}"
    book = book or view.playbook
    place = f"step {_number(book, suggestion.go)}"
    place += f" of the playbook {book.title}" if suggestion.playbook else ""
    return f"Next: {place}, {book.step(suggestion.go).title}. {because}"


def passed_over(view: View, steps: Sequence[str]) -> str:
    """Return which steps could do nothing, with the reason of each, and the way to change that."""
    told = [f"{number(view, step)} {phrases.short(step)} ({_reason(view, step)})" for step in steps]
    lacking = next((step for step in steps if wanted(view, step)), None)
    way = f" {number(view, lacking)}, then f, to give what it lacks." if lacking else ""
    return f"Passed over: {', '.join(told)}.{way}"


def _reason(view: View, step: str) -> str:
    finished = view.state.steps[step].finished
    reasons = (tool.reason for tool in finished if tool.outcome is Outcome.BLOCKED)
    return next(reasons, "nothing to do or to tell")


def number(view: View, step_id: str) -> int:
    """Return the number of a step, counted from 1."""
    return _number(view.playbook, step_id)


def _number(book: Playbook, step_id: str) -> int:
    return [step.id for step in book.steps].index(step_id) + 1


def _command_text(proposed: Command) -> str:
    """Return the command with its reason; a long one only by its purpose."""
    text = phrases.command(proposed.words)
    reason = _RISK_REASONS.get(proposed.risk, "") or (_SUDO_ASKS if proposed.asks else "")
    if phrases.is_script(proposed.argv) or len(text) > _MAX_COMMAND:
        what = proposed.why or text
        return f"{what} (asks first)" if reason else what
    reason = reason or proposed.why
    return f"run {text} ({reason})" if reason else f"run {text}"


def _question_count(questions: int) -> str:
    return "a question" if questions == 1 else f"{questions} questions"
