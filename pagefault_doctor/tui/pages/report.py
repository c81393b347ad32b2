"""The report at the end of a walk."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.report import outline, text
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.row import Row, Tone


def rows(view: View, saved: bool) -> Iterator[Row]:
    """Yield the report of the session, and how to get back to it."""
    session = view.started.id
    if saved:
        yield Row(f"pfdoctor report {session}  prints this; --format md|html|json|text", hang=4)
        yield Row(f"pfdoctor resume {session}  goes on with this session", hang=4)
    else:
        yield Row("This session is kept in memory only; w writes this report to a file.")
    yield Row()
    for number, line in enumerate(text.render(outline.session_outline(view)).splitlines()):
        heading = line[:1] not in ("", " ", "-", "=")
        yield Row(line, "", Tone.TITLE if heading else Tone.PLAIN, 4, line[:4] == "    ",
                  number)  # fmt: skip
