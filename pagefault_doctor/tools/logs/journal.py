"""journalctl: the kernel messages that systemd saved, of this boot and the one before."""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.log import JOURNAL_NOW
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.logs.dmesg import is_complete
from pagefault_doctor.tools.logs.log_reading import log_reading
from pagefault_doctor.tools.permission import answered, is_refused
from pagefault_doctor.tools.tool import Tool, finding, remark

JOURNAL_LAST: Final = "journalctl -k -b -1"
"""The source name of the log of the boot before."""

_OPTIONS: Final = ("-o", "short-monotonic", "--no-pager")
_THIS_BOOT: Final = ("journalctl", "-k", "-b", *_OPTIONS)
_LAST_BOOT: Final = ("journalctl", "-k", "-b", "-1", *_OPTIONS)

_NO_FILES = regex(r"no journal files were (?:found|opened)", re.IGNORECASE)
_NOT_ALLOWED = regex(r"not seeing messages from|insufficient permissions", re.IGNORECASE)
_NO_SUCH_BOOT = regex(
    r"no such boot|boot .{0,40}is not available|no persistent journal|failed to look up boot",
    re.IGNORECASE,
)
_NOTE = regex(r"^-- .* --$")

_KEEP: Final = (
    "to keep the journal over a reboot, as root: "
    "mkdir -p /var/log/journal && systemctl restart systemd-journald"
)


def _is_unreadable(result: Result) -> bool:
    is_empty = not _messages(result)
    return is_refused(result) or (is_empty and bool(_NOT_ALLOWED.search(result.errors)))


def _messages(result: Result) -> str:
    """Return the output, or an empty text if it has only notes such as `-- No entries --`."""
    lines = (line for line in result.output.splitlines()[:20] if line.strip())
    return result.output if any(not _NOTE.match(line) for line in lines) else ""


def _obstacle(result: Result) -> Blocked | None:
    if _is_unreadable(result):
        return Blocked(
            "the journal is not readable for this user",
            "run pfdoctor as root, or join the group: usermod -aG systemd-journal USER",
        )
    if not _messages(result) and _NO_FILES.search(result.errors):
        return Blocked("there are no journal files on this box", f"read /var/log instead; {_KEEP}")
    return None


def _plan(case: Case) -> Command | Blocked | None:
    if case.has("given.log"):
        return None
    done = case.done("journal")
    for result in done:
        if (obstacle := _obstacle(result)) is not None:
            return obstacle
    commands = _commands(case)
    if len(done) < len(commands):
        argv, why = commands[len(done)]
        return Command(argv=argv, tool="journal", why=why, timeout=60)
    if not any(map(_messages, done)):
        return Blocked("the journal holds no kernel message of this boot or the last", _KEEP)
    return None


def _commands(case: Case) -> list[tuple[tuple[str, ...], str]]:
    last_boot = (_LAST_BOOT, "a fault that took the machine down is in the log of the boot before")
    if is_complete(case):
        return [last_boot]
    return [(_THIS_BOOT, "dmesg did not give the whole log of this boot"), last_boot]


def _read(result: Result, case: Case) -> ToolReading:
    if (obstacle := _obstacle(result)) is not None:
        return remark(f"{obstacle.reason}: {obstacle.remedy}", result)
    last = "-1" in result.command.argv
    boot = "the boot before this one" if last else "this boot"
    if _messages(result):
        source = JOURNAL_LAST if last else JOURNAL_NOW
        reading = log_reading(result, case, source=source, boot=boot)
        is_cut_off = result.status in (ResultStatus.OVERFLOW, ResultStatus.TIMEOUT)
        return _add_cut_off_finding(reading, result) if is_cut_off else reading
    if _NO_SUCH_BOOT.search(result.errors):
        text = f"The journal holds nothing of {boot}; {_KEEP}"
    else:
        text = f"The journal holds no kernel message of {boot}"
    return remark(text, result)


def _add_cut_off_finding(reading: ToolReading, result: Result) -> ToolReading:
    text = "The journal is longer than what was read; later messages are missing here"
    return ToolReading(
        findings=(*reading.findings, finding(text, Mark.NEUTRAL, result)), log=reading.log
    )


TOOL: Final = Tool(
    id="journal",
    purpose="reads the kernel messages that systemd kept, of this boot and the one before",
    programs=("journalctl",),
    package={"": "systemd"},
    facts=("log.lines",),
    plan=_plan,
    read=answered(_read),
    by_hand="Without systemd, read /var/log/kern.log or /var/log/messages.",
)
