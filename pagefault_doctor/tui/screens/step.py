"""The screen of a step: everything happens here, and every other screen comes back here."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Paste

from pagefault_doctor.model.command import Command
from pagefault_doctor.model.event import NoteWritten, ToolFinished
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.playbook import Step
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.scenario import Question
from pagefault_doctor.playbook.engine import END, step_now
from pagefault_doctor.session.given_input import wanted
from pagefault_doctor.session.view import CommandRecord
from pagefault_doctor.tui import keys
from pagefault_doctor.tui.pages import next as next_page
from pagefault_doctor.tui.pages import phrases, status, training
from pagefault_doctor.tui.pages import step as step_page
from pagefault_doctor.tui.row import Row, Tone
from pagefault_doctor.tui.screens import case
from pagefault_doctor.tui.screens.page import PageScreen, ScreenResult
from pagefault_doctor.tui.widgets.row_view import RowView
from pagefault_doctor.tui.widgets.rows import Rows, Rule


class StepScreen(PageScreen):
    """The current step, or another one that is looked at."""

    PLACE = keys.KeyScope.STEP
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(
        keys.of(keys.KeyScope.STEP, keys.KeyScope.ANYWHERE)
    )

    def __init__(self) -> None:
        super().__init__()
        self._looked_at: str | None = None
        self._seen: tuple[str | None, int, bool] = (None, -1, False)
        self._busy_notice = False

    def compose(self) -> ComposeResult:
        """Yield the lines on top, the columns, and the lines at the bottom."""
        sign = self.wizard.glyphs.rule
        yield Rows(id="top")
        yield Rows(id="steps-line")
        yield Rule(sign, id="above")
        with Horizontal(id="body"):
            yield Rows(id="steps")
            yield RowView(id="centre")
            with Vertical(id="side"):
                yield Rows(id="side-causes")
        yield Rows(id="causes")
        yield Rule(sign, id="below")
        yield Rows(id="notice")
        yield Rows(id="next")
        yield Rows(id="hints")

    def on_mount(self) -> None:
        """Show the walk."""
        self.centre.focus()

    def on_screen_resume(self) -> None:
        """Show the walk, at first and again, whatever happened meanwhile.

        The vitals come a moment later: the first paint does not wait for them.
        """
        self.update(vitals=False)
        self.call_after_refresh(self.update)

    @property
    def centre(self) -> RowView:
        """The page of the step."""
        return self.query_one("#centre", RowView)

    @property
    def shown(self) -> Step:
        """The step that is looked at, in the form that fits the case."""
        view = self.wizard.walk.view
        step = self._looked_at or view.step or view.playbook.steps[0].id
        return step_now(view.state, step)

    def look(self, step: str | None) -> None:
        """Look at a step, None for the current one."""
        self._looked_at = step

    def update(self, vitals: bool = True) -> None:
        """Show what is true now. Lines that are the same as before cost nothing."""
        wizard = self.wizard
        view = wizard.walk.view
        self._update_top(vitals)
        steps = (
            Row()
            if not self.size.width
            else status.steps_line(view, self.shown.id, self.size.width - 2)
        )
        self.query_one("#steps-line", Rows).show(steps)
        self.query_one("#steps", Rows).show(*status.steps_column(view, self.shown.id))
        secret = training.unfinished(view, wizard.scenario)
        self.query_one("#causes", Rows).show(*status.causes_rows(view, wizard.causes, 2, secret))
        self.query_one("#side-causes", Rows).show(
            *status.causes_rows(view, wizard.causes, 6, secret), *status.evidence_rows(view, secret)
        )
        now = step_page.StepMoment(
            proposed=wizard.walk.proposed,
            running=wizard.running,
            tools=wizard.walk.tools,
            causes={} if secret else wizard.causes,
        )
        self.centre.show(step_page.rows(view, self.shown, now))
        self.call_after_refresh(self._follow)
        text = next_page.text(
            view,
            wizard.walk.proposed,
            wizard.walk.suggestion,
            wizard.running,
            training.waiting(view, wizard.scenario),
            self._looked_at,
            wizard.walk.suggested_playbook,
        )
        self.query_one("#next", Rows).show(Row(text, tone=Tone.TITLE, hang=6))
        self._update_hints()
        if self._busy_notice and not wizard.running:
            self._busy_notice = False
            self.clear_notice()
        if wizard.walk.unsaved:
            self.show_notice(f"Not saved: {wizard.walk.unsaved}")

    def _update_top(self, vitals: bool) -> None:
        wizard = self.wizard
        text = wizard.vitals_text(ask=vitals)
        host = wizard.walk.host
        self.query_one("#top", Rows).show(status.top(wizard.walk.view, host.name, host.live, text))

    def _update_hints(self) -> None:
        wizard = self.wizard
        lacking = wanted(wizard.walk.view, self.shown.id)
        give = [("f", phrases.GIVE[lacking[0].kind])] if lacking and not wizard.running else []
        if self._looked_at:
            first = [("Enter", "back"), *give, ("g", "go here"), ("Left Right", "look")]
        elif wizard.running:
            first = [("Esc", "cancel"), ("n", "note"), ("o", "output")]
        elif wizard.walk.proposed:
            # All of them do not fit into 80 columns.
            third = give or [("s", "skip")]
            first = [("Enter", "run"), ("e", "edit"), *third, ("d", "diagnosis")]
        elif give:
            first = [("Enter", "next"), *give, ("d", "diagnosis"), ("o", "output")]
        else:
            first = [("Enter", "next"), ("d", "diagnosis"), ("o", "output"), ("/", "search")]
        self.show_keys(*first, ("?", "help"), ("q", "quit"))

    def _follow(self) -> None:
        """Keep in sight what goes on; once a step is over, its first finding."""
        walk = self.wizard.walk
        rows = self.centre.rows
        moment = (self.shown.id, len(rows), bool(self.wizard.running))
        if moment == self._seen or self._looked_at:
            return
        self._seen = moment
        is_elsewhere = walk.view.case.get("log.of", "") == ANOTHER_MACHINE
        if self.wizard.running or (walk.proposed and not is_elsewhere):
            self._reveal_command()
        elif is_elsewhere:
            # What its steps tell stands at the top, and the last line has the next command.
            self.centre.scroll_to(y=0, animate=False)
        elif self.centre.below or self.centre.above:
            first = next((n for n, r in enumerate(rows) if isinstance(r.ref, Finding)), None)
            if first is not None:
                self.centre.reveal(first, at_top=True)

    def _reveal_command(self) -> None:
        rows = self.centre.rows
        for number, row in enumerate(rows):
            live = isinstance(row.ref, CommandRecord) and row.ref.result is None
            if row.ref is self.wizard.walk.proposed or (live and self.wizard.running):
                tail = len(self.wizard.running.tail) if self.wizard.running else 0
                self.centre.reveal(min(number + tail, len(rows) - 1))
                return

    def on_resize(self) -> None:
        """Fit the line of steps to the new width."""
        self.update()

    def on_paste(self, event: Paste) -> None:
        """Take a paste for a log."""
        event.stop()
        self._paste(event.text)

    def _paste(self, text: str) -> None:
        from pagefault_doctor.tui.screens.paste import PasteScreen, found

        def given(log: ScreenResult) -> None:
            if isinstance(log, KernelLog):
                self.wizard.when_idle(lambda: self.wizard.walk.give_log(log))
                self.show_notice(found(log))

        self.app.push_screen(PasteScreen(text), given)

    def selected_text(self) -> str:
        """Return the selected command or finding, else the next command."""
        row = self.centre.chosen
        if row is None:
            running = self.wizard.running
            command = running.command if running else self.wizard.walk.proposed
            return command.text if command else ""
        match row.ref:
            case Command() as command:
                return command.text
            case CommandRecord() as record:
                return record.command.text
            case Finding() as finding:
                return finding.text
            case Report() as report:
                return report.message
            case NoteWritten() as note:
                return note.text
            case ToolFinished() as tool:
                return tool.remedy or tool.reason
        return row.left.strip()

    def action_next(self) -> None:
        """Do what the last line suggests."""
        wizard, walk = self.wizard, self.wizard.walk
        if self._looked_at and self._looked_at != walk.view.step:
            self._look_at(None)
        elif wizard.running:
            self.show_notice(f"{wizard.running.command.text} still runs. Esc cancels it.")
            self._busy_notice = True
        elif walk.proposed:
            wizard.offer(walk.proposed)
        elif questions := training.waiting(walk.view, wizard.scenario):
            self._ask(questions)
        elif walk.suggestion:
            self._go_on()
        else:
            wizard.enter(walk.view.step or walk.view.playbook.steps[0].id)

    def _go_on(self) -> None:
        """Go where the last line suggests; tell which steps were passed over, and why."""
        wizard, walk = self.wizard, self.wizard.walk
        if walk.suggestion and walk.suggestion.go == END:
            wizard.enter(END)
            return
        before = walk.view.playbook.id
        passed = walk.go_on(lambda view: bool(training.waiting(view, wizard.scenario)))
        self.look(None)
        wizard.changed()
        told = [next_page.passed_over(walk.view, passed)] if passed else []
        if (book := walk.view.playbook).id != before:
            told.insert(0, f"The playbook is now: {book.title}.")
        if told:
            self.show_notice(" ".join(told))

    def _ask(self, questions: tuple[Question, ...]) -> None:
        from pagefault_doctor.tui.screens.training import QuestionScreen

        self.app.push_screen(QuestionScreen(questions))

    def action_edit(self) -> None:
        """Let the person change the next command."""
        command = self.wizard.walk.proposed
        if self.wizard.running or command is None:
            self.show_notice("There is no command waiting to be edited.")
            return
        if self.wizard.read_only:
            self.show_notice("Read-only: commands run as they are or not at all.")
            return
        from pagefault_doctor.tui.screens.ask import EditScreen

        def answered(edited: ScreenResult) -> None:
            if isinstance(edited, Command):
                self.wizard.offer(edited)

        self.app.push_screen(EditScreen(command), answered)

    def action_skip(self) -> None:
        """Leave the current step as it is."""
        wizard = self.wizard
        if wizard.running:
            self.show_notice("A command runs. Esc cancels it, then s skips the step.")
        elif wizard.walk.proposed is None:
            self.show_notice("This step is over already. Enter goes on.")
        else:
            wizard.walk.skip()
            wizard.changed()

    def action_note(self) -> None:
        """Let the person write something down."""
        from pagefault_doctor.tui.screens.ask import LineScreen

        def written(text: ScreenResult) -> None:
            if isinstance(text, str) and text.strip():
                now = self.wizard.when_idle(lambda: self.wizard.walk.note(text))
                later = "It is kept as soon as the command has ended."
                self.show_notice("Noted." if now else later)

        self.app.push_screen(LineScreen("A note for the session", "", "keep it"), written)

    def action_output(self) -> None:
        """Show the output of all commands, at the selected one."""
        from pagefault_doctor.tui.screens.viewers import OutputScreen

        ref = self.centre.chosen.ref if self.centre.chosen else None
        number = ref.number if isinstance(ref, CommandRecord) else None
        number = 0 if isinstance(ref, Command) else number
        self.app.push_screen(OutputScreen(number))

    def action_diagnosis(self) -> None:
        """Show the causes and the evidence."""
        from pagefault_doctor.tui.screens.viewers import DiagnosisScreen

        self.app.push_screen(DiagnosisScreen())

    def action_log(self) -> None:
        """Show the place that the selected finding was read from, else the main report."""
        from pagefault_doctor.tui.screens.viewers import EvidenceScreen, place_of

        ref = self.centre.chosen.ref if self.centre.chosen else None
        if isinstance(ref, Finding):
            self.app.push_screen(place_of(self.wizard.walk.view, ref.source))
        elif isinstance(ref, Report):
            self.app.push_screen(EvidenceScreen(ref.line_of("headline")))
        else:
            self.app.push_screen(EvidenceScreen())

    def action_paste(self) -> None:
        """Take a kernel log from the clipboard."""
        self._paste("")

    def action_give(self) -> None:
        """Ask for what the step lacks, and go on with it."""
        case.give(self, self.shown.id)

    def action_machine(self) -> None:
        """Say that the log is of the other machine than was believed."""
        case.change_machine(self)

    def action_move(self) -> None:
        """Run the commands on another host from now on."""
        case.move(self)

    def action_add_log(self) -> None:
        """Add another log of the same case."""
        case.add_log(self)

    def action_report(self) -> None:
        """Show the report so far."""
        self.wizard.show_report()

    def action_look(self, number: int) -> None:
        """Look at a step by its number, counted from 0."""
        steps = self.wizard.walk.view.playbook.steps
        if number < len(steps):
            self._look_at(steps[number].id)

    def action_look_back(self) -> None:
        """Look at the step before."""
        self.action_look(max(self._number() - 1, 0))

    def action_look_on(self) -> None:
        """Look at the step after."""
        self.action_look(self._number() + 1)

    def _number(self) -> int:
        return next_page.number(self.wizard.walk.view, self.shown.id) - 1

    def _look_at(self, step: str | None) -> None:
        current = self.wizard.walk.view.step
        self._looked_at = None if step == current else step
        self._seen = (None, -1, False)
        self.centre.cursor = None
        self.update()
        self.centre.scroll_to(y=0, animate=False)

    def action_go(self) -> None:
        """Make the step that is looked at the current one."""
        if self.wizard.running:
            self.show_notice("A command runs. Esc cancels it first.")
        else:
            self.wizard.enter(self.shown.id)

    def action_cancel(self) -> None:
        """End the running command."""
        if self.wizard.running:
            self.wizard.cancel_command()
        elif self._looked_at:
            self._look_at(None)
        else:
            self.show_notice("Nothing runs. q leaves the wizard.")

    def action_leave(self) -> None:
        """Leave the wizard."""
        self.wizard.action_leave()
