"""How the wizard is shown, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypedDict

from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.session.walk import Walk


class WizardOptions(TypedDict, total=False):
    """How the wizard is shown, and on what. None is the same as not given.

    `vitals` returns the text of the vitals; it is called only when something happens anyway. `move`
    lets the walk run its commands on the host of that name; `read_logs` returns those of a file.
    """

    ascii: bool
    theme: str | None
    slow_link: bool
    scenario: Scenario | None
    causes: Mapping[str, Cause] | None
    session_path: Path | None
    vitals: Callable[[], str] | None
    move: Callable[[Walk, str], None] | None
    read_logs: Callable[[str], tuple[KernelLog, ...]] | None
    clock: Callable[[], float]
