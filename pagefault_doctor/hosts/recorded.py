"""A host that replays a recorded session: it returns the recorded results of commands."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from pagefault_doctor.hosts.host import Host, OnOutput
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    SessionStarted,
    ToolFinished,
)


class RecordedHost(Host):
    """Replays the commands of a session log or recording; nothing runs.

    Scripts in an argv are equal whatever their text, so that an improved script still finds the
    result of the one before it. The n-th run of an argv gets the result of its n-th run in the
    recording; later runs get the last one again, because a machine that nothing happens to does not
    change. A command that was cut short has no result. A tool added after the recording is unknown.
    """

    live = False

    def __init__(self, events: Iterable[Event], name: str = "") -> None:
        self._remembered: dict[tuple[str, ...], deque[CommandFinished]] = {}
        self._tools: set[str] = set()
        started: dict[int, CommandStarted] = {}
        host = ""
        for event in events:
            match event:
                case SessionStarted():
                    host = host or event.host
                case CommandStarted():
                    started[event.number] = event
                case ToolFinished():
                    self._tools.add(event.tool)
                case CommandFinished() if before := started.pop(event.number, None):
                    self._remembered.setdefault(_asked(before.argv), deque()).append(event)
        self.name = untrusted.clean_line(name or host or "recording")

    def run(
        self,
        command: Command,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Return the recorded result at once, or `missing` where there is none."""
        remembered = self._remembered.get(_asked(command.argv))
        if not remembered:
            reason = "not in the recording"
            return Result(command=command, status=ResultStatus.MISSING, errors=reason)
        finished = remembered.popleft() if len(remembered) > 1 else remembered[0]
        # A recording may come from anywhere.
        output, errors = untrusted.clean(finished.output), untrusted.clean(finished.errors)
        if on_output and (said := output + errors):
            on_output(said)
        return Result(
            command=command,
            status=finished.status,
            exit_code=finished.exit_code,
            output=output,
            errors=errors,
            seconds=finished.seconds,
        )

    def knows(self, tool: str) -> bool:
        """Return whether the recorded walk used the tool, or found it unnecessary."""
        return not self._tools or tool in self._tools


def _asked(argv: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("(script)" if "\n" in word else word for word in argv)
