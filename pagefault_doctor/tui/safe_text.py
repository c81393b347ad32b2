"""The one door to the screen: strings become what Textual draws here and nowhere else.

Nothing is parsed as markup, and whatever `model.untrusted` may have missed is made visible again.
A test greps the rest of this package for other ways to the screen.
"""

from __future__ import annotations

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from pagefault_doctor.model import untrusted


def plain(text: str) -> str:
    """Return the text as one line without any control or bidi character."""
    return untrusted.clean_line(text.expandtabs(8) if "\t" in text else text)


def block(text: str) -> str:
    """Return text of several lines, for an editor, without any control or bidi character."""
    return untrusted.clean(text.replace("\r\n", "\n").replace("\r", "\n"))


def ascii_only(text: str) -> str:
    """Return the text with every character above U+007E written out as an escape."""
    return text if text.isascii() else text.encode("ascii", "backslashreplace").decode()


def cells(text: str) -> int:
    """Return how many cells the text takes on the screen."""
    return cell_len(text)


def chop(text: str, width: int) -> list[str]:
    """Return the text in pieces of at most `width` cells."""
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]
    return chop_cells(text, width) or [""]


def strip(parts: tuple[tuple[str, Style], ...], width: int, base: Style) -> Strip:
    """Return one line of the screen: the parts, then blanks up to `width` cells."""
    segments = [Segment(plain(text), style) for text, style in parts if text]
    return Strip(segments).adjust_cell_length(width, base)
