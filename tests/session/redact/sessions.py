"""Sessions to redact, and the lines with planted names in `planted/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pagefault_doctor.model.command import ResultStatus
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.session.redact.redaction import Redaction

PLANTED = Path(__file__).parent / "planted"


class PlantedLine(NamedTuple):
    """A line, and the names in it that must go."""

    text: str
    names: tuple[str, ...]


def planted_lines(name: str) -> Iterator[PlantedLine]:
    """Yield the lines of a file in `planted/`."""
    for line in (PLANTED / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            text = re.sub("[⟦⟧]", "", line).replace(r"\n", "\n")
            yield PlantedLine(text, tuple(re.findall("⟦(.*?)⟧", line)))


def session_of(output: str) -> list[Event]:
    """Return a session with one command and its output, on a host that identifies nobody."""
    return [
        SessionStarted(id="20260102-010207-ab12", version="1", playbook="kernel-page-fault",
                       host="lab"),
        StepEntered(step="check-logs"),
        CommandStarted(number=1, step="check-logs", tool="dmesg", argv=("cat", "x")),
        CommandFinished(number=1, status=ResultStatus.OK, exit_code=0, output=output),
    ]  # fmt: skip


def redacted(output: str) -> str:
    """Return the output of a session after redaction."""
    finished = Redaction().events(session_of(output))[3]
    assert isinstance(finished, CommandFinished)
    return finished.output
