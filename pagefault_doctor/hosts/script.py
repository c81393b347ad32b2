"""Programs that run elsewhere, on the host, in another shell here or in drgn: each is a file."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pagefault_doctor

IF_PYTHON: Final = 'command -v python3 >/dev/null || exit 0; exec python3 -c "$@"'
"""For sh; its first argument is the script. Without Python it prints nothing."""


@cache
def script(*paths: str) -> str:
    """Return the text of the files at these paths within the package, one after the other."""
    # The loader reads from a folder or a zip file; importlib.resources takes 1 % of the start.
    spec = pagefault_doctor.__spec__
    assert spec is not None
    assert spec.submodule_search_locations
    folder = spec.submodule_search_locations[0]
    loader: Any = spec.loader
    return "".join(loader.get_data(f"{folder}/{path}").decode() for path in paths)


def shell_argv(*paths: str, name: str = "sh") -> tuple[str, ...]:
    """Return the words that run these scripts in sh, before their arguments; `name` is `$0`."""
    return ("sh", "-c", script(*paths), name)


def python_argv(*paths: str) -> tuple[str, ...]:
    """Return the words that run these scripts in the host's Python, before their arguments."""
    return ("sh", "-c", IF_PYTHON, "sh", script(*paths))
