"""What is said to the person on standard error; standard output is for data."""

from __future__ import annotations

import sys

from pagefault_doctor.model.untrusted import clean_line


def say(text: str) -> None:
    """Print one line on standard error."""
    print(f"pfdoctor: {clean_line(text)}", file=sys.stderr, flush=True)


def why_no_terminal() -> str | None:
    """Return why the wizard cannot be shown here, or None when it can."""
    import os

    if not (sys.__stdin__ and sys.__stdin__.isatty()):
        return "standard input is no terminal"
    if not (sys.__stderr__ and sys.__stderr__.isatty()):
        return "standard error is no terminal"
    if os.environ.get("TERM", "") == "dumb":
        return "TERM=dumb cannot show it"
    return None
