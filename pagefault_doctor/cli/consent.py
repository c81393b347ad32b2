"""Questions on the terminal."""

from __future__ import annotations

import sys

from pagefault_doctor.cli.stdout import print_document, print_line


def ask(question: str) -> str | None:
    """Return the person's answer without blanks around it, None where no more input comes."""
    # Not as the prompt of `input`, which goes to the terminal past our streams.
    print_document(question)
    sys.stdout.flush()
    try:
        return input().strip()
    except (EOFError, OSError, UnicodeDecodeError):
        # The end of the input; closed from the start; no text.
        print_line("(no answer)")
        return None


def ask_consent(question: str) -> bool:
    """Return whether the person agrees; the end of the input counts as no."""
    return (ask(f"{question}? y/n: ") or "").lower() in ("y", "yes")
