"""Characters that other programs put in the place of the kernel's own, which are ASCII."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pagefault_doctor.klog.input.whole_lines import whole_lines
from pagefault_doctor.model.pattern import regex

_TYPOGRAPHY: Final = {
    "\u00a0": " ", "\u2007": " ", "\u202f": " ", "\u3000": " ",
    "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\u00ad": "",
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-",
    "\u00d7": "x", "\u2013": "--", "\u2014": "---", "\u2026": "...",
}  # fmt: skip
"""What web pages and office programs make of blanks, quotes, dashes and dots."""
_INSTEAD: Final = {sign.encode(): ascii_.encode() for sign, ascii_ in _TYPOGRAPHY.items()}
_TYPOGRAPHIC: Final = regex(rb"|".join(_INSTEAD))
_MISREAD_ZERO: Final = regex(rb"(?<![\w])[Oo]x(?=[0-9a-fA-F]{1,16}\b)")
_SURE_OF: Final = regex(rb"[+/]Ox[0-9a-f]|\bOx\d[0-9a-f]{0,15}\b")
_MISREAD_CLOCK: Final = regex(
    rb"^(?!\[)[|(Il]? {0,4}(\d{1,6}\.\d{6})[\])|]? (?= {0,8}[A-Za-z_#<?\[-])"
)


def has_typography(head: bytes) -> bool:
    """Whether a text has characters that a program put in the place of ASCII."""
    return not head.isascii() and _TYPOGRAPHIC.search(head) is not None


def in_ascii(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text with those characters as they were."""
    for line in whole_lines(pieces):
        yield _TYPOGRAPHIC.sub(lambda match: _INSTEAD[match[0]], line)


def is_misread(head: bytes) -> bool:
    """Whether a program read a picture of the text: it takes the zero of `0x` for a letter."""
    return b"Ox" in head and _SURE_OF.search(head) is not None


def reread(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text with zeros for such letters, and with the brackets of the clock."""
    for line in whole_lines(pieces):
        yield _MISREAD_CLOCK.sub(rb"[\1] ", _MISREAD_ZERO.sub(b"0x", line))
