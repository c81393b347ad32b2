"""An outline as one HTML page without external files.

The Content-Security-Policy keeps the page inert even if some text of a log were not escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim, harmless

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>pfdoctor report</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 sans-serif; }
pre { padding: .7rem; overflow-x: auto; background: #f3f3f3; font: 13px/1.4 monospace; }
</style></head><body>
"""


def render(outline: Iterable[Block]) -> str:
    """Return the blocks as an HTML page in which text from logs stays literal."""
    return _HEAD + "\n".join(map(_block, map(harmless, outline))) + "\n</body></html>\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text=text, level=level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Paragraph(text=text):
            return f"<p>{escape(text)}</p>"
        case Items(items=items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Verbatim(text=text):
            return f"<pre>{escape(text)}</pre>"
