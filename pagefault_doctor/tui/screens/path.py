"""Asks for what a step lacks; Tab completes a path, and all is checked before it is taken."""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path
from typing import ClassVar, Final

from textual.binding import BindingType

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.given_input import GivenInput, InputKind
from pagefault_doctor.session.given_input import checked
from pagefault_doctor.tui.safe_text import plain
from pagefault_doctor.tui.screens.ask import LineScreen
from pagefault_doctor.tui.screens.page import QuietInput

_MOST_ENTRIES: Final = 10_000
_MOST_SHOWN: Final = 8
_KINDS: Final = {
    InputKind.FILE: "File",
    InputKind.FOLDER: "Folder",
    InputKind.COMMAND: "Command",
}


class PathScreen(LineScreen):
    """Asks for one of the inputs; returns its absolute path, or the command, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("tab", "complete", "complete"),
        ("escape", "back", "back"),
    ]

    def __init__(self, wanted: GivenInput, case: Case, is_here: bool) -> None:
        where = "" if is_here or not wanted.is_path else ", on the other machine"
        hint = "take it   Tab: complete" if wanted.is_path else "take it"
        now = "" if wanted.is_path else case.get("given.trigger", case.get("lab.trigger", ""))
        super().__init__(f"{_KINDS[wanted.kind]}{where}: {wanted.what}", now, hint)
        self._wanted, self._case, self._is_here = wanted, case, is_here

    def take(self, text: str) -> None:
        """Return the path, or show why it is not the one."""
        try:
            self.dismiss(checked(self._wanted, text, self._case, is_here=self._is_here))
        except UsageError as error:
            self.show_notice(str(error))

    def action_complete(self) -> None:
        """Complete the path as far as it is clear, and show what there is."""
        field = self.query_one("#field", QuietInput)
        if not self._wanted.is_path:
            return
        if not self._is_here:
            self.show_notice("Paths of the other machine cannot be completed here.")
            return
        field.value, names = completed(field.value, folders_only=self._wanted.is_folder)
        field.cursor_position = len(field.value)
        if len(names) > 1:
            more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
            self.show_notice("  ".join(names[:_MOST_SHOWN]) + more)
        elif not names:
            self.show_notice("There is nothing that begins so.")


def completed(text: str, *, folders_only: bool) -> tuple[str, list[str]]:
    """Return the text with what all candidates have in common, and the candidates' names."""
    folder, _, begin = text.rpartition("/")
    shown = f"{folder}/" if "/" in text else ""
    place = Path(shown or ".").expanduser()
    try:
        with os.scandir(place) as entries:
            found = [
                plain(entry.name) + ("/" if entry.is_dir() else "")
                for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False)
                if entry.name.startswith(begin) and (entry.is_dir() or not folders_only)
            ]
    except OSError:
        return text, []
    names = sorted(name for name in found if begin.startswith(".") or not name.startswith("."))
    return (shown + _common_begin(names) if names else text), names


def _common_begin(names: list[str]) -> str:
    """Return what the first and the last of sorted names have in common."""
    pairs = zip(names[0], names[-1], strict=False)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
