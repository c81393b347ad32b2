"""An outline as Markdown (CommonMark)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim, harmless

_SPECIAL = regex(r"([\\`*_{}\[\]<>#|~!&$])")
"""What CommonMark, tables, strikethrough and formulas (`$`) are made of."""
_FIRST = regex(r"^(\d*)([-+=.)])")
"""What at the start of a line makes it a list, a rule, or the line before it a heading."""
_FENCES = regex(r"^\s*(`{3,})", re.MULTILINE)


def render(outline: Iterable[Block]) -> str:
    """Return the blocks as Markdown in which text from logs stays literal."""
    return "\n\n".join(map(_block, map(harmless, outline))) + "\n"


def literal(text: str) -> str:
    """Return the text with everything escaped that Markdown would read as markup."""
    return _FIRST.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text.strip()))


def _block(block: Block) -> str:
    match block:
        case Heading(text=text, level=level):
            return f"{'#' * level} {literal(text)}"
        case Paragraph(text=text):
            return literal(text)
        case Items(items=items):
            return "\n".join(f"- {literal(item)}" for item in items)
        case Verbatim(text=text):
            # A fence must be longer than any in the text (CommonMark, 4.5).
            longest = max(map(len, _FENCES.findall(text)), default=2)
            fence = "`" * max(3, longest + 1)
            return f"{fence}text\n{text}\n{fence}"
