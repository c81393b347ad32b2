"""The one door in for text: bytes from logs, hosts and files become harmless strings.

A control character could move the cursor, set the clipboard or retitle the terminal, and a
bidirectional control could make a line read as something else. Both are shown, not obeyed: as
`\\xNN` or `\\uNNNN`, which is how printk itself escapes (`lib/string_helpers.c`).
"""

from __future__ import annotations

from typing import Final

_CONTROL: Final = (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))
_BIDI: Final = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_SURROGATES: Final = range(0xD800, 0xE000)

_VISIBLE: Final = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*_CONTROL, *_BIDI, *_SURROGATES)
}
_VISIBLE_IN_LINE: Final = _VISIBLE | {0x0A: "\\x0a", 0x09: " "}


def clean(text: str) -> str:
    """Return the text with every control and bidi character but newline and tab made visible."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_VISIBLE)


def clean_line(text: str) -> str:
    """Return the text as one harmless line: as `clean`, newlines visible too and tabs as blanks."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_VISIBLE_IN_LINE)


def decode(data: bytes) -> str:
    """Return bytes from outside as harmless text: UTF-8 with replacements, CRLF as newline."""
    return clean(data.decode("utf-8", "replace").replace("\r\n", "\n"))


def is_clean(text: str) -> bool:
    """Return whether the text holds nothing that `clean` would change."""
    return clean(text) == text
