"""Causes, the evidence for and against them, and what to do next."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from pagefault_doctor.model.known_case import KnownCase, KnownLine, Seen

_CITED: Final = 40
"""Longest citation of a command, in characters."""


class RootCause(StrEnum):
    """Why it happened. `playbooks/causes.yaml` explains each in words."""

    NULL_DEREF = "null-deref"
    ERR_PTR = "err-ptr"
    USE_AFTER_FREE = "use-after-free"
    DOUBLE_FREE = "double-free"
    OUT_OF_BOUNDS = "out-of-bounds"
    WILD_POINTER = "wild-pointer"
    USER_ACCESS = "user-access"
    READONLY_WRITE = "readonly-write"
    STACK_OVERFLOW = "stack-overflow"
    LIST_CORRUPTION = "list-corruption"
    PAGE_TABLE = "page-table"
    API_MISMATCH = "api-mismatch"
    LOGIC_ERROR = "logic-error"
    LOCKUP_HANG = "lockup-hang"
    OOM = "oom"
    HARDWARE = "hardware"
    USER_SPACE = "user-space"
    UNKNOWN = "unknown"
    NONE = "none"


class Attribution(StrEnum):
    """Who has to act."""

    MODULE = "module"
    KERNEL = "kernel"
    HARDWARE = "hardware"
    USER_SPACE = "user-space"
    MEMORY_PRESSURE = "memory-pressure"
    NONE = "none"


class Evidence(msgspec.Struct, frozen=True):
    """One reason for (weight above 0) or against (below 0) a cause.

    `weight` is in natural log-odds. `line` is a line of the report's log; where the evidence comes
    from a command instead, `origin` is that command.
    """

    text: str
    weight: float
    line: int | None = None
    origin: str | None = None

    @property
    def place(self) -> str:
        """Where it was read, for display: `line 12`, `modinfo demo, line 3`, or an empty string."""
        line = f"line {self.line}" if self.line else ""
        return ", ".join(part for part in (_command_of(self.origin or ""), line) if part)


def _command_of(origin: str) -> str:
    """Return a command, shortened for a citation: a script in it is left out."""
    if "\n" in origin:
        origin = f"{origin.split()[0]} (script)"
    return origin if len(origin) <= _CITED else f"{origin[:_CITED]}..."


class Candidate(msgspec.Struct, frozen=True):
    """A possible cause. `confidence` is between 0 and 1, over all candidates of one report.

    `circumstantial` means that no trace leads to who has to act, but what the module was doing.
    """

    root_cause: RootCause
    attribution: Attribution
    module: str | None
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    circumstantial: bool = False

    @property
    def supporting(self) -> tuple[Evidence, ...]:
        """The evidence for it, strongest first."""
        return tuple(sorted((e for e in self.evidence if e.weight > 0), key=lambda e: -e.weight))

    @property
    def opposing(self) -> tuple[Evidence, ...]:
        """The evidence against it, strongest first."""
        return tuple(sorted((e for e in self.evidence if e.weight < 0), key=lambda e: e.weight))


class NextStep(msgspec.Struct, frozen=True):
    """What to do next and why. `command` is an argv, empty where there is none to run.

    `situation` is the row of `playbooks/next-steps.yaml` that it comes from.
    """

    step: str
    why: str
    command: tuple[str, ...] = ()
    situation: str = ""


class Missing(msgspec.Struct, frozen=True):
    """A part that a report lacks.

    `name` is the part's, `what` where it stands, `why` what it would decide, `how` the command or
    the file that brings it.
    """

    name: str
    what: str
    why: str
    how: str


class Experiment(msgspec.Struct, frozen=True):
    """What to try so that one cause is left. `tells` has the outcome that each cause predicts.

    `name` is its name in `diagnosis/experiments.py`, `step` the step where it belongs, `do` what
    to do, `command` an argv where one command is enough.
    """

    name: str
    step: str
    do: str
    command: tuple[str, ...] = ()
    tells: tuple[tuple[RootCause, str], ...] = ()


class RegisterNote(msgspec.Struct, frozen=True):
    """The meaning of a register's value. `value` is hexadecimal with `0x`.

    `telling` is whether it bears on the fault; other values are ordinary. `line` is the line of the
    log that prints it.
    """

    register: str
    value: str
    means: str
    telling: bool
    line: int | None = None


class Quote(msgspec.Struct, frozen=True):
    """Words of the log that decide something, and the line they stand in.

    `text` stands in that line as it is. `means` is what they mean, where that has to be worked out:
    an exit code in words, a place ready for addr2line.
    """

    text: str
    line: int
    means: str = ""

    @property
    def words(self) -> str:
        """The quotation and what it means, for a person."""
        return f"{self.text}: {self.means}" if self.means else self.text


class Explanation(msgspec.Struct, frozen=True):
    """The explanation of a fault, each sentence with the line or the command it was read from.

    `crux` is the essential point in one sentence, `story` what the task was doing, where the trace
    tells it, `happened` what the processor or the kernel met,
    `came` what may have led to it, `unknown` what the evidence does not show, `fix` where the fix
    belongs, `tried` what a walk did about it and what that showed.
    """

    crux: Evidence
    story: Evidence | None = None
    happened: tuple[Evidence, ...] = ()
    came: tuple[Evidence, ...] = ()
    unknown: tuple[Evidence, ...] = ()
    fix: tuple[Evidence, ...] = ()
    tried: tuple[Evidence, ...] = ()


class Owner(msgspec.Struct, frozen=True):
    """Who takes reports about the code that has to change: a subsystem or a project.

    `place` is the code, a path in the kernel's tree or a module. `mailing_list` and `tracker`, an
    address on the web, are None where there is none. `why` tells how it is known.
    """

    subsystem: str
    mailing_list: str | None = msgspec.field(name="list")
    tracker: str | None
    why: str
    place: str

    @property
    def text(self) -> str:
        """All of it but the reason, for display."""
        where = (part for part in (self.mailing_list, self.tracker) if part)
        return f"{self.place}: {', '.join((self.subsystem, *where))}"


class Diagnosis(msgspec.Struct, frozen=True):
    """The ranked causes of one report, or of a whole input.

    The first candidate is repeated in `root_cause`, `attribution`, `module` and `confidence`.
    `summary` is one sentence for a person. `account`, `facts` (what an expert would quote of the
    log, the most decisive first), `registers`, `owner` and `module_directory`, where the module
    lies in the kernel's tree, are None or empty until somebody reads the explanation
    (`diagnosis/explanation/__init__.py`). `notes` are sentences on what could not be worked out,
    because a rule or another part of pfdoctor failed. `missing` is what a report of its kind has
    and this one lacks. `known` are the cases of the book that fit the report, and `seen` is how
    often it was met before (`session/known.py`).
    """

    root_cause: RootCause
    attribution: Attribution
    module: str | None
    confidence: float
    summary: str
    candidates: tuple[Candidate, ...] = ()
    next_step: NextStep | None = None
    experiment: Experiment | None = None
    # Named `account` in JSON since the first version; readers of the JSON depend on it.
    account: Explanation | None = None
    facts: tuple[Quote, ...] = ()
    registers: tuple[RegisterNote, ...] = ()
    module_directory: str | None = None
    owner: Owner | None = None
    notes: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    known: tuple[KnownCase, ...] = ()
    seen: Seen | None = None

    @property
    def is_ignored(self) -> bool:
        """Whether an entry of the book says that the report does not count."""
        return any(case.ignored for case in self.known)


class Opinion(msgspec.Struct, frozen=True):
    """The diagnosis of all logs together.

    `by_report` has one diagnosis for each report, in the order of the logs and their reports.
    `verdict` is that of the whole input: its root cause is `none` when nothing faulted. `report` is
    the index of its report, None where there is no report. `known_lines` are lines of logs without
    a report that the book knows, and `known_problems` what is wrong with files of the book.
    """

    by_report: tuple[Diagnosis, ...]
    verdict: Diagnosis
    report: int | None = None
    known_lines: tuple[KnownLine, ...] = ()
    known_problems: tuple[str, ...] = ()

    @property
    def counts_as_fault(self) -> bool:
        """Whether a fault was found that no entry of the book tells to ignore."""
        if self.verdict.root_cause is RootCause.NONE:
            return False
        faults = [each for each in self.by_report if each.root_cause is not RootCause.NONE]
        return self.report is None or not all(each.is_ignored for each in faults)
