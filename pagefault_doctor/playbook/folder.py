"""Where the playbooks lie: in the installed package, else in the source checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pagefault_doctor.model.errors import MissingError

CAUSES: Final = "causes.yaml"


def folder() -> Path:
    """Return the folder of the playbooks: the installed package's own, else the source checkout's.

    Raises MissingError where neither exists.
    """
    package = Path(__file__).resolve().parents[1]
    # The wheel has a copy inside the package (see pyproject.toml); a checkout has the original.
    for place in (package / "_playbooks", package.parent / "playbooks"):
        if (place / CAUSES).is_file():
            return place
    raise MissingError("the playbooks are not installed", "install pagefault-doctor again")
