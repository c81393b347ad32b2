"""Screens to read in: output, log, diagnosis, help, report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from pagefault_doctor.model.diagnosis import Evidence, Quote
from pagefault_doctor.model.fact import Source
from pagefault_doctor.model.playbook import Step
from pagefault_doctor.session.view import CommandRecord, View
from pagefault_doctor.tui import keys
from pagefault_doctor.tui.pages import diagnosis, evidence, output, report
from pagefault_doctor.tui.pages import help as help_page
from pagefault_doctor.tui.row import Row
from pagefault_doctor.tui.screens.page import PageScreen, QuietInput
from pagefault_doctor.tui.widgets.row_view import RowView


class ViewerScreen(PageScreen):
    """A long page with a cursor and a search."""

    PLACE = keys.KeyScope.VIEWER
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(
        keys.of(keys.KeyScope.VIEWER, keys.KeyScope.ANYWHERE)
    )
    TITLE = ""

    def __init__(self) -> None:
        super().__init__()
        self._sought = ""

    def compose(self) -> ComposeResult:
        """Yield a title, the page, a hidden line to search with, and the keys."""
        field = QuietInput(id="field")
        field.display = False
        return self.page_layout(str(self.TITLE), field=field)

    @property
    def page(self) -> RowView:
        """The page that is read."""
        return self.query_one("#page", RowView)

    def rows(self) -> Sequence[Row]:
        """Return the rows of the page."""
        raise NotImplementedError

    def first(self, rows: Sequence[Row]) -> int | None:
        """Return the row that the cursor is put on at first."""
        return None

    def on_mount(self) -> None:
        """Show the page."""
        rows = self.rows()
        self.page.show(rows)
        self.page.focus()
        self.show_keys(*self.key_list())
        first = self.first(rows)
        if first is not None:
            self.call_after_refresh(self._begin_at, first)
        self.begin()

    def begin(self) -> None:
        """Do what else this page begins with."""

    def _begin_at(self, row: int) -> None:
        self.page.reveal(max(row - 4, 0), at_top=True)
        self.page.choose(row)

    def key_list(self) -> tuple[tuple[str, str], ...]:
        """Return the keys for the last line."""
        return ("/", "search"), ("n N", "next, previous"), ("y", "copy"), ("w", "write"), (
            "q", "back",
        )  # fmt: skip

    def selected_text(self) -> str:
        """Return the line that the cursor is on."""
        return self.page.chosen.left.strip() if self.page.chosen else ""

    def all_text(self) -> str:
        """Return the whole page."""
        return "\n".join(f"{row.left}  {row.right}".rstrip() for row in self.page.rows)

    def action_back(self) -> None:
        """Close the search, else go back."""
        field = self.query_one("#field", QuietInput)
        if field.display:
            field.display = False
            self.page.focus()
        else:
            self.dismiss(None)

    def action_open(self) -> None:
        """Open what the cursor is on."""

    def action_search(self) -> None:
        """Ask what to search for."""
        field = self.query_one("#field", QuietInput)
        field.display = True
        field.value = self._sought
        field.focus()
        self.show_keys(("Enter", "search"), ("Esc", "back"))

    @on(Input.Submitted, "#field")
    def _search(self, event: Input.Submitted) -> None:
        event.stop()
        self._sought = event.value
        self.query_one("#field").display = False
        self.page.focus()
        self.show_keys(*self.key_list())
        self._find(1, from_here=True)

    def action_find_next(self) -> None:
        """Go to the next place found."""
        self._find(1)

    def action_find_previous(self) -> None:
        """Go to the place found before."""
        self._find(-1)

    def _find(self, by: int, from_here: bool = False) -> None:
        wanted = self._sought.casefold()
        if not wanted:
            self.show_notice("/ asks what to search for.")
            return
        rows = self.page.rows
        found = [n for n, row in enumerate(rows) if wanted in row.left.casefold()]
        if not found:
            self.show_notice(f"Not found: {self._sought}")
            return
        here = self.page.cursor if self.page.cursor is not None else -1
        here -= 1 if from_here else 0
        after = [n for n in found if (n > here if by > 0 else n < here)]
        chosen = (after[0 if by > 0 else -1]) if after else found[0 if by > 0 else -1]
        self.page.choose(chosen)
        wrapped = "" if after else ", from the other end"
        self.show_notice(f"{found.index(chosen) + 1} of {len(found)} lines with it{wrapped}")


class OutputScreen(ViewerScreen):
    """The output of all commands."""

    TITLE = "Output of the commands"

    def __init__(self, command: int | None = None, line: int | None = None) -> None:
        super().__init__()
        self._command = command
        self._line = line

    def rows(self) -> Sequence[Row]:
        """Return every command with its output, and the next one."""
        walk = self.wizard.walk
        return tuple(output.rows(walk.view, walk.proposed))

    def first(self, rows: Sequence[Row]) -> int | None:
        """Begin at the line asked for, else at the last command."""
        commands = self.wizard.walk.view.commands
        number = self._command if self._command is not None else self._last(commands)
        return output.find(rows, number, self._line)

    @staticmethod
    def _last(commands: Sequence[CommandRecord]) -> int:
        return commands[-1].number if commands else 0


class EvidenceScreen(ViewerScreen):
    """The reports as they stand in the logs."""

    TITLE = "The report in the log; ! marks what the diagnosis rests on"

    def __init__(self, line: int | None = None) -> None:
        super().__init__()
        self._line = line

    def rows(self) -> Sequence[Row]:
        """Return the reports, the main one first."""
        return tuple(evidence.rows(self.wizard.walk.view))

    def first(self, rows: Sequence[Row]) -> int | None:
        """Begin at the line asked for."""
        if self._line is None:
            return None
        return evidence.find(rows, self._line, evidence.main_index(self.wizard.walk.view))


class EverythingScreen(ViewerScreen):
    """Logs and output together, to search in."""

    TITLE = "Search the reports and all output"

    def rows(self) -> Sequence[Row]:
        """Return the reports, then every command with its output."""
        view = self.wizard.walk.view
        return (*evidence.rows(view), *output.rows(view))

    def begin(self) -> None:
        """Ask at once what to search for."""
        self.action_search()


class DiagnosisScreen(ViewerScreen):
    """The ranked causes; Enter opens one, and goes from evidence to its line."""

    TITLE = "Diagnosis"

    def __init__(self) -> None:
        super().__init__()
        self._opened = {0}

    def rows(self) -> Sequence[Row]:
        """Return the causes, opened ones with their evidence."""
        return tuple(
            diagnosis.rows(self.wizard.walk.view, self.wizard.causes, frozenset(self._opened))
        )

    def first(self, rows: Sequence[Row]) -> int | None:
        """Begin at the likeliest cause."""
        return next((n for n, row in enumerate(rows) if row.ref == 0), None)

    def _begin_at(self, row: int) -> None:
        # From the top: what to do next stands there.
        self.page.choose(row)

    def key_list(self) -> tuple[tuple[str, str], ...]:
        """Return the keys for the last line."""
        return ("Enter", "open, or go to the line"), ("y", "copy"), ("w", "write"), ("q", "back")

    def action_open(self) -> None:
        """Open or close a cause; go from evidence to where it was read."""
        match self.page.chosen.ref if self.page.chosen else None:
            case int(rank):
                self._opened ^= {rank}
                self.page.show(self.rows())
            case Evidence(line=int(line), origin=None) | Quote(line=line):
                self.app.push_screen(EvidenceScreen(line))
            case Evidence(line=line, origin=str(origin)):
                self.app.push_screen(place_of(self.wizard.walk.view, Source(origin, line)))
            case _:
                self.show_notice("Up and Down choose a cause or a piece of evidence.")


class HelpScreen(ViewerScreen):
    """What the step is about."""

    TITLE = "Help"

    def __init__(self, step: Step) -> None:
        super().__init__()
        self._step = step

    def rows(self) -> Sequence[Row]:
        """Return the help of the step."""
        return tuple(help_page.rows(self._step, self.wizard.walk.tools))

    def action_explain(self) -> None:
        """Close the help again."""
        self.dismiss(None)


class ReportScreen(ViewerScreen):
    """The report of the session."""

    TITLE = "Report"

    def rows(self) -> Sequence[Row]:
        """Return the report."""
        saved = self.wizard.session_path is not None
        return tuple(report.rows(self.wizard.walk.view, saved))


def place_of(view: View, source: Source) -> ViewerScreen:
    """Return the screen that shows where something was read: a command's output or a log."""
    ran = [record.number for record in view.commands if record.command.text == source.origin]
    in_log = evidence.find(tuple(evidence.rows(view)), source.line, evidence.main_index(view))
    logs = {log.source for log in view.case.logs}
    if ran and not (source.origin in logs and in_log is not None):
        return OutputScreen(ran[-1], source.line)
    return EvidenceScreen(source.line)
