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
