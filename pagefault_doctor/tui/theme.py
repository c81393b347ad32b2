"""Which theme the wizard uses where the person names none, or the terminal allows none."""

from __future__ import annotations

import os
from typing import Final

DEFAULT_THEME: Final = "ansi-dark"
"""The terminal's own colours: they fit every terminal and cost the fewest bytes."""


def allowed_theme(wanted: str | None) -> str:
    """Return the theme to use: NO_COLOR leaves no choice but the terminal's own two colours."""
    theme = wanted or DEFAULT_THEME
    if "NO_COLOR" in os.environ and not theme.startswith("ansi"):
        return "ansi-light" if theme.endswith("light") else DEFAULT_THEME
    return theme
