"""What `pfdoctor lab run --json` answers: how often the module faulted, where, and why not."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pagefault_doctor.model.command import Result
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.tools.tool import NO_ANSWER

RUN: Final = ("pfdoctor", "lab", "run")

_TEXT: Final = 200
"""Characters of a text that are shown."""


class LabFault(msgspec.Struct, frozen=True):
    """A report of a guest."""

    title: str
    function: str | None = None

    @property
    def shown_title(self) -> str:
        """The title as harmless text."""
        return clean_line(self.title)[:_TEXT]


class LabRuns(msgspec.Struct, frozen=True):
    """How the guests went: how many there were, in how many the kernel reported a fault."""

    runs: int
    reproduced: int
    kernel: str
    notes: tuple[str, ...] = ()
    gdb: dict[str, Any] | None = None

    @property
    def release(self) -> str:
        """The kernel's release as harmless text."""
        return clean_line(self.kernel)[:_TEXT]

    @property
    def first_notes(self) -> tuple[str, ...]:
        """What the lab noted of the guests, as harmless text."""
        return tuple(clean_line(note)[:_TEXT] for note in self.notes[:3])


class _Verdict(msgspec.Struct, frozen=True):
    report: int | None = None


class LabAnswer(msgspec.Struct, frozen=True):
    """What is read of the answer."""

    lab: LabRuns
    verdict: _Verdict
    reports: tuple[LabFault, ...] = ()

    @property
    def shown(self) -> LabFault | None:
        """The report that the verdict is about."""
        place = self.verdict.report
        return self.reports[place] if place is not None and place < len(self.reports) else None


def answer_of(result: Result) -> LabAnswer | None:
    """Return the answer, None where there is none or it is damaged."""
    try:
        return msgspec.json.decode(result.output, type=LabAnswer)
    except (msgspec.DecodeError, RecursionError):
        return None


_UNBUILT: Final = "no module was built from "
"""How `pfdoctor lab run` begins its complaint of a source that does not compile."""


def build_error(result: Result) -> str | None:
    """Return the compiler's first error if the source did not build for that kernel, else None."""
    lines = [line for line in result.errors.splitlines() if _UNBUILT in line]
    if result.ok or not lines:
        return None
    first = clean_line(lines[-1]).partition("; ")[2].partition(" [-W")[0]
    return first[:_TEXT] or "no module came out of it"


def kernel_of(result: Result) -> str:
    """Return the lab's name of the kernel that a run was for."""
    words = result.command.argv
    place = words.index("--kernel") + 1 if "--kernel" in words else len(words)
    return words[place] if place < len(words) else ""


def complaint(result: Result) -> str:
    """Return the last line that pfdoctor said on standard error, else how it ended."""
    if result.status in NO_ANSWER:
        return f"pfdoctor {NO_ANSWER[result.status]}"
    lines = [line for line in result.errors.splitlines() if line.strip()]
    return clean_line(lines[-1]).removeprefix("pfdoctor: ")[:_TEXT] if lines else "no output"
