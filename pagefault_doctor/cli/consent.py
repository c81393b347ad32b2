"""A question on the terminal whether to do something."""

from __future__ import annotations


def ask_consent(question: str) -> bool:
    """Return whether the person agrees; the end of the input counts as no."""
    try:
        return input(f"{question}? y/n: ").strip().lower() in ("y", "yes")
    except EOFError:
        print("(no answer)")
        return False
