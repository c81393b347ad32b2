"""The screens of a training walk: the introduction, the questions, the score."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from pagefault_doctor.model.event import QuestionAnswered
from pagefault_doctor.model.scenario import Question, Scenario
from pagefault_doctor.tui.pages import training
from pagefault_doctor.tui.row import Row, Tone
from pagefault_doctor.tui.screens.page import PageScreen
from pagefault_doctor.tui.widgets.row_view import RowView
from pagefault_doctor.tui.widgets.rows import Rows


class TextScreen(PageScreen):
    """A page to read, then Enter."""

    BINDINGS = [("enter,escape,b,q", "back", "go on"), ("w", "write", "write")]
    TITLE = "Training"
    HINT = "Enter: go on"

    def __init__(self, scenario: Scenario) -> None:
        super().__init__()
        self.scenario = scenario

    def compose(self) -> ComposeResult:
        """Yield the page."""
        return self.page_layout(str(self.TITLE), self.rows(), keys=self.HINT)

    def on_mount(self) -> None:
        """Let the page be scrolled."""
        self.query_one("#page").focus()

    def rows(self) -> Iterator[Row]:
        """Return the rows of the page."""
        raise NotImplementedError


class IntroductionScreen(TextScreen):
    """How the case begins."""

    HINT = "Enter: begin"

    def rows(self) -> Iterator[Row]:
        """Return the introduction."""
        return training.introduction(self.scenario, self.wizard.walk.host.live)


class ScoreScreen(TextScreen):
    """How it went, and what there was to learn."""

    TITLE = "The case is closed"
    HINT = "Enter: the report of the session   w: write this to a file"

    def rows(self) -> Iterator[Row]:
        """Return the score."""
        return training.score(self.scenario, self.wizard.walk.view.answers)

    def all_text(self) -> str:
        """Return the score and the lesson."""
        return "\n".join(f"{row.left}  {row.right}".rstrip() for row in self.rows())


class QuestionScreen(PageScreen):
    """Asks the questions of a step, one after the other.

    Those that are not answered come again.
    """

    BINDINGS = [
        *((str(n), f"choose({n - 1})", "answer") for n in range(1, 10)),
        ("h", "show_hint", "hint"),
        ("enter", "onward", "go on"),
        ("escape,b,q", "back", "back"),
    ]

    def __init__(self, questions: tuple[Question, ...]) -> None:
        super().__init__()
        self._questions = questions
        self._number = 0
        self._answer: int | None = None
        self._hinted = False

    @property
    def question(self) -> Question:
        """The question that is asked now."""
        return self._questions[self._number]

    def compose(self) -> ComposeResult:
        """Yield the layout; `on_mount` fills in the question."""
        return self.page_layout("")

    def on_mount(self) -> None:
        """Ask the first question."""
        self.query_one("#page").focus()
        self._show()

    def _show(self) -> None:
        title = f"Question {self._number + 1} of {len(self._questions)}"
        self.query_one("#title", Rows).show(Row(title, tone=Tone.TITLE))
        page = self.query_one("#page", RowView)
        page.show(tuple(training.question(self.question, self._answer, self._hinted)))
        if self._answer is None:
            count = len(self.question.choices)
            self.show_keys((f"1-{count}", "answer"), ("h", "hint"), ("q", "back to the step"))
        else:
            self.show_keys(("Enter", "go on"))

    def action_hint_please(self) -> None:
        """Show the hint."""
        self._hinted = self._hinted or self._answer is None
        self._show()

    def action_choose(self, choice: int) -> None:
        """Take an answer, once."""
        question = self.question
        if self._answer is not None or choice >= len(question.choices):
            return
        self._answer = choice
        self.wizard.walk.answer(
            QuestionAnswered(
                step=question.step,
                question=question.id,
                choice=choice,
                right=choice == question.answer,
                hinted=self._hinted,
            )
        )
        self._show()

    def action_onward(self) -> None:
        """Go to the next question, or back to the step after the last."""
        if self._answer is None:
            chosen = self.query_one("#page", RowView).chosen
            if chosen is not None and isinstance(chosen.ref, int):
                self.action_choose(chosen.ref)
            else:
                self.show_notice("Press the number of the answer that you think is right.")
            return
        if self._number + 1 == len(self._questions):
            self.dismiss(None)
            return
        self._number, self._answer, self._hinted = self._number + 1, None, False
        self._show()
