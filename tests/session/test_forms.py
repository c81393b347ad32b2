"""Each bundled playbook with a log from elsewhere: nothing about this box runs, and it ends."""

from __future__ import annotations

import msgspec
import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.unattended import walk_playbook
from pagefault_doctor.model.event import CommandStarted, SessionStarted, ToolFinished
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.event_log import MemoryLog
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from session.logs_from_elsewhere import LOGS
from session.test_log_of import Carrot

OF_LOGS = {"dmesg", "journal", "kern-log", "pstore", "var-crash"}
OF_THIS_KERNEL = {"modinfo", "module-file", "newer-kernel", "module-build", "other-kernels"}
BOOKS = shelf.playbook_ids()


def begun(book: str, log: str) -> tuple[Walk, MemoryLog]:
    sink, chosen = MemoryLog(), shelf.playbook(book)
    given = {"log_of": "another"}
    started = SessionStarted(id="s", version="1", playbook=book, host="carrot", given=given)
    walk = Walk.start(started, chosen, host=Carrot(), sink=sink, tools=TOOLS)
    walk.enter(chosen.steps[0].id)
    walk.give_log(klog.read(LOGS[log][0].encode(), "case.log"))
    return walk, sink


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("book", BOOKS)
def test_no_step_has_a_tool_about_this_box(book: str, log: str) -> None:
    walk, sink = begun(book, log)
    for step in shelf.playbook(book).steps:
        walk.enter(step.id)
        while walk.proposed is not None:
            tool = walk.proposed.tool
            assert not TOOLS[tool].of_box
            assert tool not in OF_LOGS | OF_THIS_KERNEL
            walk.run(walk.proposed, "yes")
        assert walk.suggestion, "there is always a way on"
    told = [event for event in sink.events if isinstance(event, ToolFinished)]
    assert not [e.tool for e in told if "another machine" in e.reason], "blocked, not left out"


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("book", BOOKS)
def test_the_suggestions_lead_to_the_end_in_the_playbook_for_it(book: str, log: str) -> None:
    walk, sink = begun(book, log)
    walk_playbook(walk)
    assert walk.suggestion
    assert walk.suggestion.go == "end"
    assert "{" not in walk.suggestion.because
    ran = {event.tool for event in sink.events if isinstance(event, CommandStarted)}
    assert not {tool for tool in ran if TOOLS[tool].of_box} | (ran & OF_LOGS)
    # Seven steps of a plain fault are in the stack's playbook as well.
    assert walk.view.playbook.id in (LOGS[log][1], book)
    if book == "kernel-page-fault":
        assert walk.view.playbook.id == LOGS[log][1]


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("book", BOOKS)
def test_every_sentence_names_only_what_is_known(book: str, log: str) -> None:
    walk, _ = begun(book, log)
    for step in shelf.playbook(book).steps:
        walk.enter(step.id)
        while walk.proposed is not None:
            walk.decline(walk.proposed, "no")
        assert walk.suggestion
        assert "?" not in walk.suggestion.because.replace("behind it?", "")


@pytest.mark.parametrize("book", BOOKS)
def test_each_step_has_a_form_for_it(book: str) -> None:
    for step in shelf.playbook(book).steps:
        forms = [form for form in step.forms if b'"log.of"' in msgspec.json.encode(form.when)]
        assert [form for form in forms if form.when.fact == "log.of"], step.id
        for form in forms:
            assert form.tools is None or not {t for t in form.tools if TOOLS[t].of_box}
            assert form.suggest is None or form.suggest[-1].when is None


def test_what_a_step_lacks_for_a_program_that_died_can_be_given() -> None:
    walk, sink = begun("user-space-segfault", "segfault")
    walk_playbook(walk)
    remedies = {
        event.tool: event.remedy for event in sink.events if isinstance(event, ToolFinished)
    }
    assert "--program" in remedies["valgrind"]
    assert "--core" in remedies["gdb-core"]
