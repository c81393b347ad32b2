"""Start or resume a walk: combine the host, the session file and the playbook."""

from __future__ import annotations

import argparse
import atexit
import getpass
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from pagefault_doctor import __version__
from pagefault_doctor.cli.inputs import chosen_logs, given_files
from pagefault_doctor.cli.session_trust import is_trusted, vouch
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.hosts.ssh import SshHost
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.event import CommandStarted, Event, LabCase, SessionStarted
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.playbook.choice import DEFAULT_PLAYBOOK
from pagefault_doctor.playbook.shelf import playbook, recording_path
from pagefault_doctor.session.chosen_playbook import playbook_of
from pagefault_doctor.session.event_log import (
    EventLog,
    MemoryLog,
    SessionError,
    Sink,
    check_own_file,
    parse_events,
    read_events,
    read_session,
)
from pagefault_doctor.session.store import (
    checked_sessions_folder,
    find,
    make_sessions_folder,
    new_id,
    path_of,
    sessions_folder,
)
from pagefault_doctor.session.view import Fold
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.fix.editor import edit_tool, own_editor
from pagefault_doctor.tools.tool import Tool


def start_walk(
    host: Host,
    playbook_id: str = DEFAULT_PLAYBOOK,
    *,
    given: dict[str, str] | None = None,
    logs: tuple[KernelLog, ...] = (),
    read_only: bool = False,
    scenario: str | None = None,
    lab: LabCase | None = None,
    saved: bool = True,
) -> Walk:
    """Return a new walk on the host, at its first step if logs are given.

    If no session file can be written, the walk is kept in memory, with a warning. Raises UsageError
    for an unknown playbook.
    """
    chosen = playbook(playbook_id)
    session_id = new_id(time.time())
    started = SessionStarted(
        id=session_id,
        version=__version__,
        playbook=chosen.id,
        host=host.name,
        user="" if scenario else _user_name(),
        destination=host.destination if isinstance(host, SshHost) else None,
        ssh_config=host.config if isinstance(host, SshHost) else None,
        read_only=read_only,
        scenario=scenario,
        lab=lab,
        given=given or {},
    )
    tools = tools_for(host, lab)
    sink = _sink(session_id) if saved else MemoryLog()
    try:
        walk = Walk.start(started, chosen, host=host, sink=sink, tools=tools)
    except SessionError as error:
        # A full disk accepts a new file, but no data.
        _warn_unsaved(error)
        # A disk that takes no data may not let go of the file either.
        with suppress(OSError):
            path_of(sessions_folder(), session_id).unlink()
        sink.close()
        walk = Walk.start(started, chosen, host=host, sink=MemoryLog(), tools=tools)
    if logs:
        walk.enter(chosen.steps[0].id)
    for log in logs:
        walk.give_log(log)
    return walk


def _user_name() -> str:
    """Return the login name of the person, also behind sudo; empty if unknown."""
    try:
        return clean_line(os.environ.get("SUDO_USER") or getpass.getuser())
    except (KeyError, OSError):
        return ""


def begin_asked(args: argparse.Namespace) -> Walk:
    """Return a new walk with the host, playbook, files and logs that the arguments name.

    Where they name no playbook, it is the one for what the logs say. Raises what `host_of`,
    `given_files`, `chosen_logs` and `begin` raise.
    """
    host = host_of(args)
    given = given_files(args) | ({"log_of": args.log_of} if args.log_of else {})
    logs = chosen_logs(args, host)
    return start_walk(
        host,
        args.playbook or playbook_of(logs, given),
        given=given,
        logs=logs,
        read_only=args.read_only,
    )


def host_of(args: argparse.Namespace) -> Host:
    """Return the machine of `--host`, connected until this process exits, else this machine.

    Raises what `connect` raises.
    """
    return connect(args.host, args.ssh_config) if args.host else LocalHost()


def connect(destination: str, config: str | None) -> SshHost:
    """Return another machine, connected until this process exits; ssh may ask the person.

    Raises MissingError if the connection fails, UsageError for an invalid destination.
    """
    host = SshHost(destination, config)
    atexit.register(host.close)
    host.connect(ask=sys.stdin.isatty())
    return host


@contextmanager
def lab_walk(
    case: LabCase,
    playbook_id: str = DEFAULT_PLAYBOOK,
    *,
    read_only: bool = False,
    scenario: str | None = None,
) -> Iterator[Walk]:
    """Yield a new walk on the lab machine, and remove the machine afterwards.

    With a `scenario` it is a training walk.
    """
    from pagefault_doctor.cli.lab_commands.host import given_facts, lab_host

    with lab_host(case) as host:
        yield start_walk(
            host,
            playbook_id,
            given=given_facts(case),
            read_only=read_only,
            scenario=scenario,
            lab=case,
        )


def start_training(scenario: Scenario) -> Walk:
    """Return a walk through a scenario on its recording; nothing runs on this machine."""
    recorded = read_events(recording_path(scenario.id))
    return start_walk(
        RecordedHost(recorded, _start_event(recorded).host),
        scenario.playbook,
        given=_start_event(recorded).given,
        scenario=scenario.id,
    )


@contextmanager
def resumed_walk(session_id: str | None, *, trusted: bool = False) -> Iterator[Walk]:
    """Yield the walk of a saved session, to continue it.

    Without an id, it is the newest session. Where the session is not known to be this user's and
    names what would be run or opened, the person is asked, unless it is `trusted`. Raises
    UsageError if there is no session or the answer is no, SessionHeldError if another process has
    it open. A session in the lab gets a new machine with the same fault; `lab_commands.restore`
    repeats the person's changes.
    """
    path = find(checked_sessions_folder(), session_id)
    check_own_file(path)
    with ExitStack() as stack:
        sink = _reopened(path)
        stack.callback(sink.close)
        data = read_session(path)
        events = _named(path.stem, parse_events(data, str(path)))
        chosen = playbook(_start_event(events).playbook)
        view = Fold(TOOLS).replay(events, chosen)
        if is_trusted(path, data, view, by_option=trusted):
            vouch(sink)
        started = view.started
        host = _resumed_host(started, events, stack)
        tools = tools_for(host, started.lab)
        yield Walk.resume(events, chosen, host=host, sink=sink, tools=tools)


def tools_for(host: Host, lab: LabCase | None) -> Mapping[str, Tool]:
    """Return the tools of a walk; what is edited on this machine, the person's editor opens."""
    if not (isinstance(host, LocalHost) or lab):
        return TOOLS
    return {**TOOLS, "edit": edit_tool(own_editor(os.environ))}


def _named(session_id: str, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return the events of a session that may be a renamed copy, with the id of its file."""
    return (msgspec.structs.replace(_start_event(events), id=session_id), *events[1:])


def _reopened(path: Path) -> Sink:
    try:
        log = EventLog.reopen(path)
    except SessionError as error:
        _warn_unsaved(error)
        return MemoryLog()
    _warn_unlocked(log)
    return log


def _resumed_host(started: SessionStarted, events: tuple[Event, ...], stack: ExitStack) -> Host:
    """Return the host of a session; a recording is advanced to the session's position."""
    if started.destination is not None:
        return connect(started.destination, started.ssh_config)
    if started.lab is not None:
        from pagefault_doctor.cli.lab_commands.host import lab_host

        return stack.enter_context(lab_host(started.lab))
    if started.scenario is None:
        return LocalHost()
    host = RecordedHost(read_events(recording_path(started.scenario)), started.host)
    for event in events:
        if isinstance(event, CommandStarted):
            host.run(Command(argv=event.argv, tool=event.tool))
    return host


def _start_event(events: tuple[Event, ...]) -> SessionStarted:
    first = events[0]
    assert isinstance(first, SessionStarted)
    return first


def _sink(session_id: str) -> Sink:
    try:
        folder = make_sessions_folder()
        log = EventLog.create(path_of(folder, session_id))
    except SessionError as error:
        _warn_unsaved(error)
        return MemoryLog()
    _warn_unlocked(log)
    vouch(log)
    return log


def _warn_unlocked(log: EventLog) -> None:
    if log.unlocked:
        print_message(
            f"{log.path} cannot be locked ({log.unlocked}); do not resume it while it is open"
        )


def _warn_unsaved(error: SessionError) -> None:
    print_message(f"{error}; what is done from now on will not be kept")
