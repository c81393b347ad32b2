"""Replaying the commands of a recording."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.hosts.host import Host
from pagefault_doctor.hosts.recorded import RecordedHost
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    NoteWritten,
    Outcome,
    SessionStarted,
    StepEntered,
    ToolFinished,
)

LSMOD = ("lsmod",)
DMESG = ("dmesg", "--raw")


def started(number: int, argv: tuple[str, ...]) -> CommandStarted:
    return CommandStarted(number=number, step="check-logs", tool=argv[0], argv=argv)


def finished(number: int, output: str, code: int = 0, errors: str = "") -> CommandFinished:
    status = ResultStatus.FAILED if code else ResultStatus.OK
    return CommandFinished(
        number=number, status=status, exit_code=code, seconds=0.25, output=output, errors=errors
    )


def replay(*events: Event) -> RecordedHost:
    return RecordedHost(events)


def run(host: Host, argv: tuple[str, ...]) -> Result:
    return host.run(Command(argv=argv, tool=argv[0]))


def test_a_command_gives_what_it_gave_when_it_was_recorded() -> None:
    host = replay(started(1, LSMOD), finished(1, "Module Size\n", 1, "lsmod: broken\n"))
    command = Command(argv=LSMOD, tool="lsmod", why="to see")
    seen: list[str] = []
    assert host.run(command, seen.append) == Result(
        command=command,
        status=ResultStatus.FAILED,
        exit_code=1,
        output="Module Size\n",
        errors="lsmod: broken\n",
        seconds=0.25,
    )
    assert "".join(seen) == "Module Size\nlsmod: broken\n"
    assert not host.live


def test_a_command_that_was_not_recorded_is_missing() -> None:
    result = run(replay(started(1, LSMOD), finished(1, "")), DMESG)
    assert result.status is ResultStatus.MISSING
    assert result.errors == "not in the recording"


def test_each_run_gets_the_result_of_that_run() -> None:
    host = replay(
        started(1, DMESG),
        finished(1, "before"),
        started(2, LSMOD),
        finished(2, "modules"),
        started(3, DMESG),
        finished(3, "after"),
    )
    assert run(host, DMESG).output == "before"
    assert run(host, DMESG).output == "after"
    assert run(host, LSMOD).output == "modules"


def test_after_the_last_recording_the_machine_stays_as_it_was() -> None:
    host = replay(started(1, DMESG), finished(1, "before"), started(2, DMESG), finished(2, "after"))
    assert [run(host, DMESG).output for _ in range(4)] == ["before", "after", "after", "after"]


def test_a_command_cut_short_was_not_recorded() -> None:
    host = replay(started(1, DMESG), StepEntered(step="x"), started(2, DMESG), finished(2, "whole"))
    assert run(host, DMESG).output == "whole"


def test_a_result_without_its_command_is_passed_over() -> None:
    host = replay(finished(1, "lost"), started(1, DMESG), finished(1, "one"), finished(1, "two"))
    assert [run(host, DMESG).output for _ in range(2)] == ["one", "one"]


def test_it_is_named_after_the_recorded_machine() -> None:
    session = SessionStarted(id="a", version="1", playbook="p", host="db7\x1b[2J")
    assert replay(session).name == "db7\\x1b[2J"
    assert replay().name == "recording"
    assert RecordedHost((session,), "training").name == "training"


def test_of_a_tool_that_the_recorded_walk_did_not_have_it_knows_nothing() -> None:
    used = ToolFinished(step="x", tool="dmesg", outcome=Outcome.USED)
    host = replay(started(1, DMESG), finished(1, "all"), used)
    assert host.knows("dmesg")
    assert not host.knows("younger")
    assert replay(started(1, DMESG)).knows("younger"), "nothing tells which tools there were"


texts = st.text(max_size=12)
argvs = st.lists(texts, min_size=1, max_size=2).map(tuple)
numbers = st.integers(0, 3)
events = st.lists(
    st.builds(started, numbers, argvs)
    | st.builds(finished, numbers, texts, st.integers(0, 255), texts)
    | st.builds(NoteWritten, step=texts, text=texts),
    max_size=12,
)


@given(events)
def test_any_recording_gives_harmless_text(recording: list[Event]) -> None:
    host = RecordedHost(recording)
    for event in recording:
        if isinstance(event, CommandStarted):
            result = run(host, event.argv)
            assert untrusted.is_clean(result.output + result.errors)
