"""Walk again by a session's events, with the same choices."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    Event,
    FactGiven,
    HostChanged,
    LogRead,
    NoteWritten,
    PlaybookChanged,
    QuestionAnswered,
    SessionEnded,
    SessionStarted,
    StepEntered,
    StepFinished,
    ToolFinished,
)
from pagefault_doctor.session.walk import Walk


def replay(events: Iterable[Event], walk: Walk) -> None:
    """Make every choice that the events record. The walk does the rest by itself."""
    for event in events:
        match event:
            case StepEntered(step=step):
                walk.enter(step)
            case LogRead(log=log):
                walk.give_log(log)
            case CommandStarted(consent=consent):
                assert walk.proposed is not None, event
                walk.run(walk.proposed, consent)
            case CommandDeclined(argv=argv, reason=reason):
                # A read-only walk declines by itself.
                if walk.proposed and walk.proposed.argv == argv:
                    walk.decline(walk.proposed, reason)
            case StepFinished(reason=reason) if reason == "skipped by you":
                walk.skip(reason)
            case FactGiven(name=name, value=value):
                walk.give_fact(name, value)
            case HostChanged():
                walk.move(walk.host, event, walk.tools)
            case PlaybookChanged(playbook=playbook):
                walk.change_playbook(playbook)
            case NoteWritten(text=text):
                walk.note(text)
            case QuestionAnswered():
                walk.answer(event)
            case SessionEnded(reason=reason):
                walk.end(reason)


def of_known_tools(events: Iterable[Event], recording: Iterable[Event]) -> list[Event]:
    """Return the events without the ends of tools that are younger than the recording."""
    known = {event.tool for event in recording if isinstance(event, ToolFinished)}
    return [e for e in events if not isinstance(e, ToolFinished) or e.tool in known]


def without_times(events: Iterable[Event]) -> list[Event]:
    """Return the events without what differs between two runs of one walk.

    A script may have changed since a walk was recorded, so only its position is kept.
    """
    plain: list[Event] = []
    for event in events:
        event = msgspec.structs.replace(event, at=0.0)
        if isinstance(event, SessionStarted):
            event = msgspec.structs.replace(event, id="")
        if isinstance(event, CommandStarted | CommandDeclined):
            argv = tuple("(script)" if "\n" in word else word for word in event.argv)
            event = msgspec.structs.replace(event, argv=argv)
        if isinstance(event, CommandFinished):
            event = msgspec.structs.replace(event, seconds=0.0)
        plain.append(event)
    return plain
