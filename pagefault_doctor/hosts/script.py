"""Programs that run elsewhere, on the host, in another shell here or in drgn: each is a file."""

from __future__ import annotations

from functools import cache
from typing import Final

IF_PYTHON: Final = 'command -v python3 >/dev/null || exit 0; exec python3 -c "$@"'
"""For sh; its first argument is the script. Without Python it prints nothing."""


@cache
def script(*paths: str) -> str:
    """Return the text of the files at these paths within the package, one after the other."""
    from importlib import resources  # It takes a while to import.

    package = resources.files("pagefault_doctor")
    return "".join(package.joinpath(path).read_text("utf-8") for path in paths)


def shell_argv(*paths: str, name: str = "sh") -> tuple[str, ...]:
    """Return the words that run these scripts in sh, before their arguments; `name` is `$0`."""
    return ("sh", "-c", script(*paths), name)


def python_argv(*paths: str) -> tuple[str, ...]:
    """Return the words that run these scripts in the host's Python, before their arguments."""
    return ("sh", "-c", IF_PYTHON, "sh", script(*paths))
