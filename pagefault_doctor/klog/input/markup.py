"""Text that was copied with the tags and entities of a web page (HTML)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pagefault_doctor.klog.input.whole_lines import whole_lines
from pagefault_doctor.model.pattern import regex

_TAG: Final = regex(
    rb"<(?P<close>/?)(?P<name>a|b|body|br|code|div|em|font|h[1-6]|head|html|i|li|ol|p|pre|s|samp|small"
    rb"|span|strong|table|tbody|td|th|thead|tr|tt|u|ul)(?:[ \t][^<>\n]{0,400})?/?>",
)
"""Tags by their names: the kernel prints `<TASK>` and `<0f>`."""
_ENTITY: Final = regex(rb"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,5}|#[xX][0-9a-fA-F]{1,4});")
_CLOSING: Final = regex(rb"</[a-z]|<br")
_FEWEST: Final = 3
_ENDS_LINE: Final = frozenset((b"br", b"div", b"li", b"p", b"tr", b"h1", b"h2", b"h3"))


def is_markup(head: bytes) -> bool:
    """Whether a text has tags or entities of HTML."""
    if b"&" in head and _ENTITY.search(head):
        return True
    return _CLOSING.search(head) is not None and len(_TAG.findall(head)) >= _FEWEST


def text_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text that a browser would show, line by line."""
    return map(_shown, whole_lines(pieces))


def _shown(text: bytes) -> bytes:
    """Return the text without tags; a cell ends with a tab, a paragraph with its line."""
    if b"<" in text:
        text = _TAG.sub(_instead, text).replace(b"\0\n", b"\n").replace(b"\0", b"\n")
    if b"&" in text:
        # Few logs are web pages, and its table of entities is large.
        import html

        text = _ENTITY.sub(lambda m: html.unescape(m[0].decode()).encode("utf-8", "replace"), text)
    return text


def _instead(tag: re.Match[bytes]) -> bytes:
    name = tag["name"]
    if name in (b"td", b"th"):
        return b"\t" if tag["close"] else b""
    ends = name == b"br" or tag["close"]
    return b"\0" if name in _ENDS_LINE and ends else b""
