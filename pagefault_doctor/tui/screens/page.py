"""The base of all screens: a notice, a line of keys, copying and help."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final, cast

from textual.app import ComposeResult
from textual.events import Key, Paste
from textual.screen import Screen
from textual.widgets import Input

from pagefault_doctor.model.command import Command
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.tui import clipboard, keys
from pagefault_doctor.tui.app_protocol import Wizard
from pagefault_doctor.tui.row import Row, Tone
from pagefault_doctor.tui.safe_text import plain
from pagefault_doctor.tui.widgets.paint import TONES
from pagefault_doctor.tui.widgets.row_view import RowView
from pagefault_doctor.tui.widgets.rows import Rows, Rule

ScreenResult = str | int | bool | Command | KernelLog | None


class PageScreen(Screen[ScreenResult]):
    """A screen of rows. Subclasses yield `Rows` called `notice` and `hints`, and where
    there is a `RowView` also rules called `above` and `below` around it."""

    COMPONENT_CLASSES = set(TONES)
    PLACE: ClassVar[keys.KeyScope | None] = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]

    @property
    def wizard(self) -> Wizard:
        """The app this screen belongs to."""
        return cast(Wizard, self.app)

    def page_layout(
        self, title: str, rows: Iterable[Row] = (), *, field: Input | None = None, keys: str = ""
    ) -> ComposeResult:
        """Yield a title, a page of rows, the notice, a line to type in, and the keys."""
        yield Rows((Row(title, tone=Tone.TITLE),), id="title")
        yield Rule(self.wizard.glyphs.rule, id="above")
        yield RowView(tuple(rows), id="page")
        yield Rule(self.wizard.glyphs.rule, id="below")
        yield Rows(id="notice")
        if field is not None:
            yield field
        yield Rows((Row(keys, tone=Tone.TITLE),), id="hints")

    def show_notice(self, text: str) -> None:
        """Show a line above the keys, until the next key is pressed."""
        self.query_one("#notice", Rows).show(Row(text, tone=Tone.WARN))

    def show_keys(self, *pairs: tuple[str, str]) -> None:
        """Show these keys in the last line."""
        self.query_one("#hints", Rows).show(Row(keys.hints(pairs), tone=Tone.DIM))

    def clear_notice(self) -> None:
        """Remove the notice."""
        self.query_one("#notice", Rows).show()

    def on_key(self, event: Key) -> None:
        """Remove the notice: it has been read."""
        self.clear_notice()

    def on_row_view_moved(self, event: RowView.Moved) -> None:
        """Show in the rules how much of the page is out of sight."""
        page = self.query(RowView).first()
        above, below = page.above, page.below
        self.query_one("#above", Rule).show_text(f"{above} more above: PgUp" if above else "")
        self.query_one("#below", Rule).show_text(f"{below} more below: PgDn" if below else "")

    def selected_text(self) -> str:
        """Return the text that `y` and `w` are about."""
        return ""

    def all_text(self) -> str:
        """Return the text that `w` writes where nothing is selected."""
        return self.selected_text()

    def action_copy(self) -> None:
        """Send the selected text to the terminal's clipboard."""
        text, whole = clipboard.for_clipboard(self.selected_text())
        if not text:
            self.show_notice("There is nothing to copy here: choose a line with Up and Down.")
            return
        self.app.copy_to_clipboard(text)
        self.show_notice(clipboard.copied_notice(text, whole))

    def action_write(self) -> None:
        """Write the text to a file beside the session's."""
        from pagefault_doctor.session.event_log import SessionError
        from pagefault_doctor.session.store import make_sessions_folder

        path = self.wizard.session_path
        try:
            folder = path.parent if path else make_sessions_folder()
        except SessionError as error:
            self.show_notice(f"{error}.")
            return
        try:
            saved = clipboard.save(self.all_text(), folder, self.wizard.walk.view.started.id)
        except OSError as error:
            self.show_notice(f"Cannot write to {folder}: {error.strerror}.")
            return
        self.show_notice(f"Written to {saved}")

    def action_back(self) -> None:
        """Close the screen without a result."""
        self.dismiss(None)

    def action_explain(self) -> None:
        """Show the help of the step."""
        self.wizard.show_help()

    def action_search(self) -> None:
        """Search all logs and output."""
        self.wizard.show_search()

    def action_palette(self) -> None:
        """Offer every action by name."""
        steps = len(self.wizard.walk.view.playbook.steps)
        places = filter(None, (self.PLACE, keys.KeyScope.ANYWHERE))
        offered = [
            offer
            for key in keys.of(*places)
            if key.action != "palette"
            for offer in keys.offers(key, steps)
        ]
        self.wizard.show_palette(self, tuple(offered))


_LONGEST: Final = 4000
"""Characters of a paste that a line to type in takes: it draws all of them at each key."""


class QuietInput(Input):
    """A line to type in, without a blinking cursor. It obeys nothing in what is pasted."""

    def __init__(self, value: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(value, id=id, select_on_focus=False)
        self.cursor_blink = False

    def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        event.stop()
        lines = event.text[:_LONGEST].splitlines()
        super()._on_paste(Paste(plain(lines[0]) if lines else ""))
        if len(event.text) > _LONGEST and isinstance(self.screen, PageScreen):
            self.screen.show_notice(f"Only the first {_LONGEST} characters of the paste are used.")
