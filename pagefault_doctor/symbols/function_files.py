"""Which file of the kernel's tree a function is of that is built in, by its name.

`function_files.zlib` is text, packed: a row for each file or folder (which ends with `/`), with the
names of its functions behind it, without the leading `_` and each with a space on both sides. A
name that ends with `_` stands for all that begin so. It is read from the debug information of one
x86 kernel (`make function-files`); functions of other releases
that are named alike lie in the same folder nearly always.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).with_name("function_files.zlib")


@lru_cache(256)
def file_of(function: str) -> str | None:
    """Return the file or folder of a function, such as `mm/rmap.c`; None where it is not known."""
    text = _text()
    for name in _beginnings(function.lstrip("_").partition(".")[0]):
        if (at := text.find(f" {name} ")) >= 0:
            begin = text.rfind("\n", 0, at) + 1
            return text[begin : text.index(" ", begin)]
    return None


def _beginnings(name: str) -> Iterator[str]:
    """Yield a name and its beginnings of whole words, the longest first."""
    yield name
    words = name.split("_")
    for count in range(len(words) - 1, 0, -1):
        yield "_".join(words[:count]) + "_"


@cache
def _text() -> str:
    return zlib.decompress(_TABLE.read_bytes()).decode("ascii")
