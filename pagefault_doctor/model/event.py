"""The events of a session.

A session file, a training recording and a test fixture are the same thing: one of these events a
line, as JSON. Everything else about a session is computed from its events, so an event must hold
what cannot be computed again: output, consent, times.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from pagefault_doctor.model.command import ResultStatus, Risk
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.playbook import StepStatus

SCHEMA = 1
"""Of session files. A new field with a default keeps it; old versions refuse a higher one."""


class Outcome(StrEnum):
    """What became of a tool in a step."""

    USED = "used"
    NOT_NEEDED = "not-needed"
    BLOCKED = "blocked"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    # Set by the walk, so that tests can pass a clock.
    at: float = 0.0
    """Seconds since the epoch, by the clock of the machine pfdoctor runs on."""


class LabCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What makes the lab's guest fail: a bundled `scenario`, or the module in a `source` folder.

    `trigger` holds command lines, `kernel_args` go on the kernel's command line; a scenario has its
    own before these. `arch` is the architecture of its machine where a `source` is to be built for
    another one than this machine's. `kernel` is the name of the kernel that the guest boots, as
    `pfdoctor lab kernels` has it, empty for the usual one.
    """

    scenario: str = ""
    source: str = ""
    trigger: tuple[str, ...] = ()
    kernel_args: tuple[str, ...] = ()
    arch: str = ""
    kernel: str = ""


class SessionStarted(_Event, frozen=True, kw_only=True, tag="session-started"):
    """The first event. `given` holds what the person named: `vmcore`, `module_dir` …

    `user` is the person who walks, and so consents. `scenario` is that of a training walk; `lab` is
    set where the machine is the lab's. `destination` is the argument of ssh where the host is
    another machine, `ssh_config` its configuration file where the person named one.
    """

    id: str
    schema: int = SCHEMA
    version: str
    playbook: str
    host: str
    read_only: bool = False
    scenario: str | None = None
    lab: LabCase | None = None
    # Text as typed. The meaning of each name is in `session/derived_facts.py`.
    given: dict[str, str] = {}
    user: str = ""
    destination: str | None = None
    ssh_config: str | None = None


class LogRead(_Event, frozen=True, kw_only=True, tag="log-read"):
    """A log given by the person (a file, standard input, a paste) was read."""

    log: KernelLog


class StepEntered(_Event, frozen=True, kw_only=True, tag="step-entered"):
    """The walk came to a step, for the first time or again."""

    step: str


class CommandStarted(_Event, frozen=True, kw_only=True, tag="command-started"):
    """A command is about to run. `number` counts the commands of the session from 1.

    It is logged before the command runs, so that a crash leaves a trace of what was running.
    `consent` is `not-needed` for a `read`, else how the person consented.
    """

    number: int
    step: str
    tool: str
    argv: tuple[str, ...]
    risk: Risk = Risk.READ
    consent: str = "not-needed"
    edited: bool = False
    as_root: bool = False
    asks: bool = False


class CommandFinished(_Event, frozen=True, kw_only=True, tag="command-finished"):
    """The command of that number ended; the fields are those of `model.command.Result`."""

    number: int
    status: ResultStatus
    exit_code: int | None = None
    seconds: float = 0.0
    output: str = ""
    errors: str = ""


class CommandDeclined(_Event, frozen=True, kw_only=True, tag="command-declined"):
    """A command did not run, because the person declined it or the session is read-only."""

    step: str
    tool: str
    argv: tuple[str, ...]
    risk: Risk
    reason: str


class ToolFinished(_Event, frozen=True, kw_only=True, tag="tool-finished"):
    """A tool has nothing more to do in this step. `reason` and `remedy` go with `blocked`."""

    step: str
    tool: str
    outcome: Outcome
    reason: str = ""
    remedy: str = ""


class StepFinished(_Event, frozen=True, kw_only=True, tag="step-finished"):
    """A step ended. `reason` is why, where it is not simply done."""

    step: str
    status: StepStatus
    reason: str = ""


class NoteWritten(_Event, frozen=True, kw_only=True, tag="note-written"):
    """The person wrote something down."""

    step: str
    text: str


class FactGiven(_Event, frozen=True, kw_only=True, tag="fact-given"):
    """The person said something of the case, which becomes the fact `given.NAME`."""

    name: str
    value: str


class HostChanged(_Event, frozen=True, kw_only=True, tag="host-changed"):
    """From here on commands run on another host; the fields are those of SessionStarted."""

    host: str
    destination: str | None = None
    ssh_config: str | None = None
    lab: LabCase | None = None


class PlaybookChanged(_Event, frozen=True, kw_only=True, tag="playbook-changed"):
    """From here on another playbook is walked; a step of it is entered next."""

    playbook: str


class QuestionAnswered(_Event, frozen=True, kw_only=True, tag="question-answered"):
    """A training question was answered. `choice` counts from 0; `hinted` when the hint was seen."""

    step: str
    question: str
    choice: int
    right: bool
    hinted: bool = False


class SessionResumed(_Event, frozen=True, kw_only=True, tag="session-resumed"):
    """The session goes on in a new process. `interrupted` is the number of a command cut short."""

    version: str
    interrupted: int | None = None


class SessionEnded(_Event, frozen=True, kw_only=True, tag="session-ended"):
    """The walk was left: `finished`, `quit`, `hangup`, `terminated`, or `failed` by our mistake."""

    reason: str


Event = (
    SessionStarted
    | LogRead
    | StepEntered
    | CommandStarted
    | CommandFinished
    | CommandDeclined
    | ToolFinished
    | StepFinished
    | NoteWritten
    | FactGiven
    | HostChanged
    | PlaybookChanged
    | QuestionAnswered
    | SessionResumed
    | SessionEnded
)
