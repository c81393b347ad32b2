"""Names of Rust and C++ functions as their source writes them.

Rust mangles by RFC 2603 (`_R…`, v0) or, before that, as C++ does (`_ZN…E` with a hash at the end);
the kernel prints what the object files have.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pagefault_doctor.model.pattern import regex

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASIC: Final = {
    "a": "i8", "b": "bool", "c": "char", "d": "f64", "e": "str", "f": "f32", "h": "u8",
    "i": "isize", "j": "usize", "l": "i32", "m": "u32", "n": "i128", "o": "u128", "p": "_",
    "s": "i16", "t": "u16", "u": "()", "v": "...", "x": "i64", "y": "u64", "z": "!",
}  # fmt: skip
_POINTERS: Final = {"R": "&", "Q": "&mut ", "P": "*const ", "O": "*mut "}
_DEEPEST: Final = 60
_LONGEST: Final = 400
_MOST_STEPS: Final = 500
"""A name may refer back to parts of itself, so that a short one stands for an endless one."""
_HASH: Final = regex(r"h[0-9a-f]{16}")
_ESCAPE: Final = regex(r"\$(?:u(?P<code>[0-9a-f]{1,4})|(?P<word>SP|BP|RF|LT|GT|LP|RP|C))\$")
_ESCAPES: Final = {
    "SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ",",
}  # fmt: skip


def demangled(name: str) -> str:
    """Return the name as the source has it; one that is not mangled, or is cut off, as it is."""
    if not name.startswith(("_R", "_ZN")) or len(name) > _LONGEST:
        return name
    try:
        return _V0(name[2:]).path(0) if name[1] == "R" else _legacy(name[3:])
    except (ValueError, IndexError):
        return name


def _legacy(text: str) -> str:
    parts: list[str] = []
    while match := re.match(r"(\d{1,3})", text):
        start = match.end()
        end = start + int(match[1])
        if end > len(text):
            raise ValueError(text)
        parts.append(text[start:end])
        text = text[end:]
    if not parts or not text.startswith("E"):
        raise ValueError(text)
    if len(parts) > 1 and _HASH.fullmatch(parts[-1]):
        parts.pop()
    return "::".join(
        _ESCAPE.sub(_unescaped, p.removeprefix("_")).replace("..", "::") for p in parts
    )


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match["code"], 16)) if match["code"] else _ESCAPES[match["word"]]


class _V0:
    """A reader of one v0 name. Each method raises ValueError or IndexError where it ends early."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.steps = 0

    def path(self, depth: int) -> str:
        tag = self._next(depth)
        if tag == "C":
            return self._identifier()
        if tag == "N":
            space = self._next(depth)
            parent, inner = self.path(depth + 1), self._identifier()
            if space.isupper():
                return f"{parent}::{{{'closure' if space == 'C' else 'shim'}}}"
            return f"{parent}::{inner}" if inner else parent
        if tag == "M":
            self._impl(depth)
            return f"<{self._type(depth + 1)}>"
        if tag in ("X", "Y"):
            if tag == "X":
                self._impl(depth)
            return f"<{self._type(depth + 1)} as {self.path(depth + 1)}>"
        if tag == "I":
            return f"{self.path(depth + 1)}<{', '.join(self._until_end(depth + 1))}>"
        if tag == "B":
            return self._back(self.path, depth)
        raise ValueError(tag)

    def _next(self, depth: int) -> str:
        self.steps += 1
        if depth > _DEEPEST or self.steps > _MOST_STEPS:
            raise ValueError(self.text)
        self.place += 1
        return self.text[self.place - 1]

    def _take(self, tag: str) -> bool:
        found = self.text.startswith(tag, self.place)
        self.place += len(tag) if found else 0
        return found

    def _number(self) -> int:
        """Read a number of base 62, which ends with an underscore."""
        end = self.text.index("_", self.place)
        digits, self.place = self.text[self.place : end], end + 1
        value = 0
        for digit in digits:
            value = value * 62 + _DIGITS.index(digit)
        return value + 1 if digits else 0

    def _identifier(self) -> str:
        if self._take("s"):
            self._number()
        self._take("u")
        match = re.compile(r"\d{1,3}").match(self.text, self.place)
        if match is None:
            raise ValueError(self.text)
        self.place = match.end()
        self._take("_")
        start, self.place = self.place, self.place + int(match[0])
        if self.place > len(self.text):
            raise ValueError(self.text)
        return self.text[start : self.place]

    def _impl(self, depth: int) -> None:
        if self._take("s"):
            self._number()
        self.path(depth + 1)

    def _back(self, read: Callable[[int], str], depth: int) -> str:
        start = self.place
        target = self._number()
        if target >= start:
            raise ValueError(target)
        after, self.place = self.place, target
        part = read(depth + 1)
        self.place = after
        return part

    def _until_end(self, depth: int) -> list[str]:
        parts: list[str] = []
        while not self._take("E"):
            if self._take("L"):
                self._number()
            elif self._take("K"):
                parts.append(self._constant(depth))
            else:
                parts.append(self._type(depth))
        return parts

    def _constant(self, depth: int) -> str:
        if self._next(depth) == "p":
            return "_"
        self._take("n")
        end = self.text.index("_", self.place)
        digits, self.place = self.text[self.place : end], end + 1
        return str(int(digits or "0", 16))

    def _type(self, depth: int) -> str:
        tag = self._next(depth)
        if tag in _BASIC:
            return _BASIC[tag]
        if tag in _POINTERS:
            if tag in "RQ" and self._take("L"):
                self._number()
            return _POINTERS[tag] + self._type(depth + 1)
        if tag == "S":
            return f"[{self._type(depth + 1)}]"
        if tag == "A":
            return f"[{self._type(depth + 1)}; {self._constant(depth + 1)}]"
        if tag == "T":
            return f"({', '.join(self._until_end(depth + 1))})"
        if tag == "B":
            return self._back(self._type, depth)
        self.place -= 1
        return self.path(depth + 1)
