"""A walk that goes on with another host: what is kept, and what does not count any more."""

from __future__ import annotations

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Result
from pagefault_doctor.model.event import HostChanged, LabCase
from pagefault_doctor.model.log import DMESG
from pagefault_doctor.model.playbook import StepStatus
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.leads_to import leads_to
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools.arguments import is_log_of_this_boot
from pagefault_doctor.tools.tool import Tool, fact, once
from session.replay import replay, without_times
from session.small_walk import PLAYBOOK, TOOLS, MakeWalk, TableHost
from tools.example_reports import OOPS

AWAY = HostChanged(host="pi", destination="root@pi", ssh_config="/etc/ssh/mine")
NAMES = ("host.kernel", "taint.letters", "debug.file", "dump.path")


def read(result: Result, case: Case) -> ToolReading:
    return ToolReading(facts=tuple(fact(name, result.output.strip(), result) for name in NAMES))


LOOK = Tool(id="look", purpose="for the test", plan=once("look", "look", "around"), read=read)
ALL = {**TOOLS, "look": LOOK}


def begun(make_walk: MakeWalk, sink: MemoryLog | None = None) -> Walk:
    walk = make_walk(tools=ALL, sink=sink or MemoryLog())
    walk.enter("first")
    walk.give_log(klog.read(OOPS.encode(), "crash.log"))
    walk.give_fact("log_of", "this-box")
    assert walk.proposed
    walk.run(walk.proposed)
    walk.note("seen on the box")
    return walk


def test_commands_run_on_the_new_host_from_the_first_step_on(make_walk: MakeWalk) -> None:
    walk = begun(make_walk)
    pi = TableHost({("look", "around"): "pi-kernel"})
    walk.move(pi, AWAY, ALL)
    proposed = walk.proposed
    assert proposed is None
    walk.enter("first")
    assert walk.view.step == "first"
    assert walk.view.state.steps["first"].status is StepStatus.RUNNING
    assert walk.proposed
    walk.run(walk.proposed)
    assert pi.ran == [("look", "around")]
    assert [record.host for record in walk.view.commands] == ["box", "pi"]
    assert walk.view.case.get("host.kernel", "") == "pi-kernel"


def test_what_was_known_of_the_old_host_does_not_count_and_the_case_stays(
    make_walk: MakeWalk,
) -> None:
    walk = begun(make_walk)
    walk.move(TableHost(), AWAY, ALL)
    for facts in (walk.view.case.facts, walk.view.state.facts):
        assert not {"host.kernel", "taint.letters", "dump.path", "given.log_of"} & {*facts}
        assert {"debug.file", "given.log", "report.kind"} <= {*facts}
    assert walk.view.case.reports
    assert [note.text for note in walk.view.notes] == ["seen on the box"]


def test_a_session_resumes_and_is_judged_with_its_last_host(make_walk: MakeWalk) -> None:
    sink = MemoryLog()
    walk = begun(make_walk, sink)
    walk.move(TableHost(), AWAY, ALL)
    assert "connects with: ssh -F /etc/ssh/mine root@pi" in leads_to(walk.view)
    again = Walk.resume(tuple(sink.events), PLAYBOOK, host=TableHost(), sink=MemoryLog(), tools=ALL)
    assert again.view.started.destination == "root@pi"
    assert again.view.started.host == "pi"
    walk.move(TableHost(), HostChanged(host="lab", lab=LabCase(source="/src")), ALL)
    assert (walk.view.started.destination, walk.view.started.lab) == (None, LabCase(source="/src"))


def test_a_replay_writes_the_same_events(make_walk: MakeWalk) -> None:
    sink, second = MemoryLog(), MemoryLog()
    walk = begun(make_walk, sink)
    walk.move(walk.host, AWAY, ALL)
    again = make_walk(tools=ALL, sink=second)
    replay(sink.events[1:], again)
    assert without_times(second.events) == without_times(sink.events)


def test_the_event_is_kept_as_it_was_written() -> None:
    written = msgspec.json.encode(AWAY)
    assert b'"event":"host-changed"' in written
    assert msgspec.json.decode(written, type=HostChanged) == AWAY


def test_a_log_that_the_old_host_printed_is_not_taken_for_the_new_one_s(
    make_walk: MakeWalk,
) -> None:
    walk = begun(make_walk)
    walk.give_log(klog.read(OOPS.encode(), DMESG))
    walk.move(TableHost(), AWAY, ALL)
    assert [log.source for log in walk.view.case.logs] == ["crash.log", f"{DMESG} on box"]
    assert not any(is_log_of_this_boot(log, walk.view.case) for log in walk.view.case.logs)
