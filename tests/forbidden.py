"""What must never reach a terminal, a ticket or a browser: a list of its own, for the tests."""

from __future__ import annotations

CONTROLS = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0)))) - {"\n", "\t"}
"""C0 without newline and tab, DEL, and C1 (ECMA-48)."""

BIDI = frozenset(
    "\N{ARABIC LETTER MARK}\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}"
    "\N{LEFT-TO-RIGHT EMBEDDING}\N{RIGHT-TO-LEFT EMBEDDING}\N{POP DIRECTIONAL FORMATTING}"
    "\N{LEFT-TO-RIGHT OVERRIDE}\N{RIGHT-TO-LEFT OVERRIDE}"
    "\N{LEFT-TO-RIGHT ISOLATE}\N{RIGHT-TO-LEFT ISOLATE}\N{FIRST STRONG ISOLATE}"
    "\N{POP DIRECTIONAL ISOLATE}"
)
"""Bidi_Control of the Unicode Character Database (PropList.txt)."""

LINE_ENDS = frozenset("\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}")

FORBIDDEN = CONTROLS | BIDI | LINE_ENDS

SEQUENCES = (
    "\x1b[2J",  # erases the screen
    "\x9b31m",  # the same kind, begun by one C1 character
    "\x1b]52;c;ZXZpbA==\x07",  # OSC: sets the clipboard
    "\x1b]0;title\x1b\\",
    "\x1bP+q544e\x1b\\",  # DCS: asks the terminal, which types the answer
    "\x9d0;title\x9c",
    "\x9fAPC\x9c",
    "over\rwritten",
    "erased\b\b\b",
    "nul\0",
    "\x7f\x85",
    "user\u202etxt.exe",
    "\u2066isolated\u2069",
    "\u061c\u200e\u200f",
    "line\u2028line\u2029line",
)
"""Text that a terminal would obey, or show as something else."""


def forbidden_in(text: str) -> list[str]:
    """Return the code points in the text that must not be there."""
    return sorted({f"U+{ord(c):04X}" for c in text if c in FORBIDDEN})
