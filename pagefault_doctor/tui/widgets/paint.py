"""Draw a line of the layout as a Textual strip."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from pagefault_doctor.tui.row import ScreenLine, Tone
from pagefault_doctor.tui.safe_text import ascii_only, cells, strip

TONES = frozenset(f"tone--{tone}" for tone in Tone) | {"tone--cursor"}
"""The component classes with styles in `wizard.tcss`.

Screens have them, not each widget: Textual computes them again for every node that has them.
"""


def paint(
    widget: Widget, line: ScreenLine, width: int, *, gutter: str = "", chosen: bool = False
) -> Strip:
    """Return the line in its screen's styles; the width includes `gutter`, which precedes it."""
    tone = "tone--cursor" if chosen else f"tone--{line.tone}"
    main = widget.screen.get_component_rich_style(tone)
    side = main if chosen else widget.screen.get_component_rich_style("tone--dim")
    left, right = line.left, line.right
    if getattr(widget.app, "ascii_only", False):
        left, right = ascii_only(left), ascii_only(right)
    gap = width - cells(gutter) - cells(left) - cells(right)
    parts = ((gutter + left, main), (" " * max(gap, 1 if right else 0), main), (right, side))
    return strip(parts, width, widget.rich_style)
