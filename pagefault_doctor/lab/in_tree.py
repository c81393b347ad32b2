"""The modules of a kernel's own package: found by name, with all that they depend on."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.lab.kernels import kernels_here
from pagefault_doctor.lab.module import Module, is_module_name, listed_modules, module_name, read
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.model.errors import MissingError, UsageError

_CLOSE: Final = 0.75
"""How alike two names are, of 1, so that one may be a slip for the other."""


def in_tree_module(name: str, release: str, stock: Stock) -> Module:
    """Return a kernel's own module; `depends` are all modules that modprobe loads with it.

    Raises MissingError if that kernel has no such module, UsageError if it is no name of one.
    """
    if not is_module_name(name):
        raise UsageError(f"--in-tree: {name!r} is no name of a module", "give it as lsmod does")
    files = listed_modules(name, release, stock)
    own = _own(name, files)
    if own is None:
        raise _no_module(name, release, stock)
    depends = tuple(module_name(file) for file in files if file != own)
    return msgspec.structs.replace(read(own), depends=depends)


def _own(name: str, files: tuple[Path, ...]) -> Path | None:
    """Return the file of that name: modprobe takes an alias of a module for its name."""
    return next((file for file in files if _same(module_name(file), name)), None)


def _same(one: str, other: str) -> bool:
    return one.replace("-", "_") == other.replace("-", "_")


def _no_module(name: str, release: str, stock: Stock) -> MissingError:
    """Return the error that says why a kernel has no such module, and what has."""
    home = stock.path(f"lib/modules/{release}")
    built_in = any(_same(found, name) for found in _names(home / "modules.builtin"))
    problem = f"{name} is no module of {release}" + ("; it is built in" if built_in else "")
    for kernel in kernels_here(stock.machine):
        if _own(name, listed_modules(name, kernel.release, kernel.stock(stock.machine))):
            return MissingError(problem, f"--kernel {kernel.name} has it as a module")
    close = () if built_in else get_close_matches(name, _names(home / "modules.dep"), 1, _CLOSE)
    if close:
        return MissingError(problem, f"did you mean {close[0]}?")
    return MissingError(problem, "another kernel may have it: pfdoctor lab kernels")


def _names(listing: Path) -> tuple[str, ...]:
    """Return the names of the modules whose files begin the lines of a list of depmod's."""
    try:
        lines = listing.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(module_name(Path(line.partition(":")[0])) for line in lines)
