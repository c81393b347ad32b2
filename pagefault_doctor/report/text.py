"""An outline as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim, harmless

WIDTH = 80


def render(outline: Iterable[Block]) -> str:
    """Return the blocks as text of at most 80 columns, but for what is kept verbatim."""
    return "\n\n".join(filter(None, map(_block, map(harmless, outline)))) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text=text, level=1):
            return f"{text}\n{'=' * len(text)}"
        case Heading(text=text, level=2):
            return f"{text}\n{'-' * len(text)}"
        case Heading(text=text):
            return text
        case Paragraph(text=text):
            return textwrap.fill(text, WIDTH)
        case Items(items=items):
            return "\n".join(
                textwrap.fill(
                    i,
                    WIDTH,
                    initial_indent="  ",
                    subsequent_indent="    ",
                    # Commands, addresses and names of packages stay whole, to be copied.
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                for i in items
            )
        case Verbatim(text=text):
            return textwrap.indent(text, "    ", lambda line: True)
