"""Make text from outside harmless: bytes of logs, hosts and files become strings here, only here.

A control character could move the cursor, set the clipboard or retitle the terminal, and a
bidirectional control could make a line read as something else. Both are shown, not obeyed: as
`\\xNN` or `\\uNNNN`, which is how printk itself escapes (`lib/string_helpers.c`).
"""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.pattern import regex

HARMFUL: Final = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and newline
    r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"  # bidirectional and line controls
    r"\ud800-\udfff"  # surrogates, which no terminal can be sent
)
"""The characters that are not let through, as the inside of a character class."""

_IN_TEXT: Final = regex(f"[{HARMFUL}]")
_IN_LINE: Final = regex(f"[{HARMFUL}\\n]")


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def clean(text: str) -> str:
    """Return the text with every control and bidi character but newline and tab made visible."""
    # Most text is plain ASCII, and this check is many times faster than the expression.
    if text.isascii() and text.isprintable():
        return text
    return _IN_TEXT.sub(_shown, text)


def clean_line(text: str) -> str:
    """Return the text as one harmless line: as `clean`, newlines visible too and tabs as blanks."""
    if text.isascii() and text.isprintable():
        return text
    return _IN_LINE.sub(_shown, text).replace("\t", " ")


def decode(data: bytes) -> str:
    """Return bytes from outside as harmless text: UTF-8 with replacements, CRLF as newline."""
    return clean(data.decode("utf-8", "replace").replace("\r\n", "\n"))


def is_clean(text: str) -> bool:
    """Return whether the text holds nothing that `clean` would change."""
    return clean(text) == text
