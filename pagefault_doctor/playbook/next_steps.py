"""`playbooks/next-steps.yaml`: the situations and what helps in each."""

from __future__ import annotations

from functools import cache
from typing import Final

from pagefault_doctor.model.situation import Situation, Situations
from pagefault_doctor.playbook.compiled import read_table, write_table

FILE: Final = "next-steps.yaml"


@cache
def situations() -> tuple[Situation, ...]:
    """Return the bundled situations in order; raises MissingError, PlaybookError."""
    held = read_table(FILE, Situations) or _checked()
    return held.situations


def compile_table() -> None:
    """Write the compiled table; raises MissingError, PlaybookError."""
    write_table(FILE, _checked())


def _checked() -> Situations:
    # With the compiled table the YAML parser need not even be imported.
    from pagefault_doctor.playbook import situation_checks

    return situation_checks.bundled(FILE)
