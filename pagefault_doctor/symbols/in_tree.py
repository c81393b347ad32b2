"""The modules of the kernel's own tree, by name: which there are, and the folder of each.

`in_tree_modules.txt` has those of every architecture and option, of the releases in its first line.
A module that it lacks is from outside the tree, of a vendor's tree, or left the tree before them.
`make in-tree` writes it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Final

_LIST: Final = Path(__file__).with_name("in_tree_modules.txt")


@lru_cache(1024)
def path_of(module: str) -> str | None:
    """Return the folder of a module, such as `drivers/net/wireless/realtek/rtw88`, or None."""
    text = _text()
    at = text.find(f" {module.replace('-', '_')} ", text.index("\n"))
    row = text.rfind("\n", 0, at) + 1
    return text[row : text.index(" ", row)] if at >= 0 else None


def releases() -> tuple[str, ...]:
    """Return the releases whose modules are known, such as `6.12`, the oldest first."""
    whole = _text().partition("\n")[0].split()[1:]
    return tuple(".".join(release.split(".")[:2]) for release in whole)


@cache
def _text() -> str:
    """Return the list with a space behind each name: to search it is quicker than to split it."""
    return _LIST.read_text(encoding="ascii").replace("\n", " \n")
