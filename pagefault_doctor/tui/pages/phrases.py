"""Phrases that several pages use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pagefault_doctor.model.command import Command, Result, ResultStatus, quoted
from pagefault_doctor.model.diagnosis import Attribution, Candidate, RootCause
from pagefault_doctor.model.given_input import THIS_BOX, InputKind
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.tools.tool import Tool

SHORT: Final = {
    "check-logs": "logs",
    "identify-module": "module",
    "reproduce": "reproduce",
    "analyse-crash-dump": "dump",
    "debug-module": "debug",
    "fix-code": "fix",
    "validate": "prove",
    "examine-core": "core",
    "rule-out-hardware": "hardware",
    "find-consumer": "consumer",
}
"""Short names of the steps of the bundled playbooks, for the row of steps."""

_MAX_ARGUMENT: Final = 160
"""Arguments longer than this many characters are shown by their length."""

_ATTRIBUTIONS: Final = {
    Attribution.KERNEL: "a kernel bug",
    Attribution.HARDWARE: "hardware",
    Attribution.USER_SPACE: "a program, not the kernel",
    Attribution.MEMORY_PRESSURE: "too little memory",
}

_WEIGHTS: Final = ((2.5, "very strong"), (1.2, "strong"), (0.5, "moderate"), (0.0, "weak"))
"""Least log-odds of each word: e^2.5 is 12 to 1, e^1.2 is 3 to 1."""


GIVE: Final = {
    InputKind.FILE: "give a file",
    InputKind.FOLDER: "give a folder",
    InputKind.COMMAND: "trigger",
}
"""What the key `f` does, by what is lacking."""

BOOTS: Final = {"this-boot": "this boot", "earlier-boot": "an earlier boot of this box"}
"""Of which boot a log is, in words (`tools/log_boot.py`)."""


def log_of(whose: str) -> str:
    """Return whose a log is, in words (`model.case.LOG_OF`)."""
    return "this box" if whose == THIS_BOX else "another machine"


def short(step_id: str) -> str:
    """Return a step's name as one short word."""
    return SHORT.get(step_id) or step_id.split("-")[0][:9]


def share(candidate: Candidate) -> str:
    """Return how sure a candidate is in five characters, a question mark for no known cause."""
    known = candidate.root_cause is not RootCause.UNKNOWN
    return f"{candidate.confidence * 100:3.0f} %" if known else "    ?"


def command(argv: Sequence[str]) -> str:
    """Return a command as it is typed; a script in it only by its number of lines.

    The output screen shows every command in full.
    """
    script = next((n for n, argument in enumerate(argv) if "\n" in argument), len(argv))
    typed = [_argument(argument) for argument in argv[:script]]
    if script < len(argv):
        typed.append(f"'... {len(argv[script].strip().splitlines())} lines ...'")
    return " ".join(typed)


def _argument(argument: str) -> str:
    return (
        quoted(argument) if len(argument) <= _MAX_ARGUMENT else f"'... {len(argument)} letters ...'"
    )


def of_tool(command_: Command, tools: Mapping[str, Tool]) -> str:
    """Return a command for the page of a step; a script is followed by the tool's purpose."""
    text = command(command_.words)
    tool = tools.get(command_.tool)
    return f"{text}   # {tool.purpose}" if is_script(command_.argv) and tool else text


def is_script(argv: Sequence[str]) -> bool:
    """Return whether an argument has several lines."""
    return any("\n" in argument for argument in argv)


def cause(candidate: Candidate, causes: Mapping[str, Cause]) -> str:
    """Return a candidate as a phrase: the cause, and whose code is at fault."""
    known = causes.get(candidate.root_cause.value)
    what = known.title if known else candidate.root_cause.value
    if candidate.attribution is Attribution.MODULE and candidate.module:
        return f"{what} in module {candidate.module}"
    same = candidate.root_cause.value in (Attribution.HARDWARE.value, Attribution.USER_SPACE.value)
    attribution = (
        ""
        if same or candidate.root_cause is RootCause.OOM
        else _ATTRIBUTIONS.get(candidate.attribution, "")
    )
    return f"{what}, {attribution}" if attribution else what


def weight(value: float) -> str:
    """Return the weight of a piece of evidence in words."""
    return next(word for least, word in _WEIGHTS if abs(value) >= least)


def outcome(result: Result) -> str:
    """Return how a command ended, and after how many seconds."""
    match result.status:
        case ResultStatus.OK:
            return f"done {result.seconds:.2f} s"
        case ResultStatus.FAILED:
            return f"exit {result.exit_code}, {result.seconds:.2f} s"
        case ResultStatus.SIGNALED:
            return f"killed by signal {(result.exit_code or 128) - 128}"
        case ResultStatus.TIMEOUT:
            return f"timed out after {result.seconds:.0f} s"
        case ResultStatus.CANCELLED:
            return f"cancelled after {result.seconds:.0f} s"
        case ResultStatus.OVERFLOW:
            return "stopped: too much output"
        case ResultStatus.MISSING:
            return "not there"
        case ResultStatus.REFUSED:
            return "not permitted"
        case ResultStatus.LOST:
            return "the connection was lost"
