"""What a blocked tool asks for can be given in the middle of a walk, and is checked at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor.cli.options import FILE_OPTIONS
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import Outcome
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.model.given_input import INPUTS, GivenInput
from pagefault_doctor.model.playbook import Playbook, Step, StepStatus
from pagefault_doctor.session.given_input import asked_for, checked, doubt, wanted
from pagefault_doctor.session.leads_to import leads_to
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools.tool import Tool
from pagefault_doctor.tui.pages.next import passed_over
from session.small_walk import TOOLS, MakeWalk, TableHost

BY_NAME = {each.name: each for each in INPUTS}
CASE = Case(
    facts={
        name: Fact(name, value, Source("test"))
        for name, value in {"given.suspect": "radish", "host.kernel": "6.9.1-amd64"}.items()
    }
)


def plan(case: Case) -> Command | Blocked | None:
    if case.done("gdb"):
        return None
    if not (folder := case.get("given.module_dir", "")):
        return Blocked("the file is not known", "name its folder: --module-dir DIR")
    return Command(argv=("gdb", folder), tool="gdb")


GDB = Tool(id="gdb", purpose="for the test", plan=plan, read=TOOLS["look"].read)


@pytest.fixture
def walk(make_walk: MakeWalk) -> Walk:
    """A walk whose first step has a tool that can run, and one that lacks a folder."""
    step = Step(id="first", title="First", why="To test.", tools=("look", "gdb"))
    playbook = Playbook(schema=1, id="p", title="P", summary="A walk.", steps=(step,))
    walk = make_walk(playbook=playbook, tools={**TOOLS, "gdb": GDB})
    walk.enter("first")
    assert walk.proposed
    walk.run(walk.proposed)
    return walk


def test_the_options_of_the_command_line_are_the_inputs() -> None:
    paths = {each.option for each in INPUTS if each.is_path}
    assert {option for option, _, _ in FILE_OPTIONS} == paths


def test_what_a_blocked_tool_asks_for_is_wanted(walk: Walk) -> None:
    assert walk.proposed is None
    assert wanted(walk.view, "first") == (BY_NAME["module_dir"],)
    assert asked_for("name its folder: --module-dir DIR")
    assert not asked_for("apt install gdb")


def test_the_walk_goes_on_at_the_tool_that_lacked_it(walk: Walk) -> None:
    assert isinstance(walk.host, TableHost)
    ran = list(walk.host.ran)
    walk.give_fact("module_dir", "/modules")
    assert walk.view.state.steps["first"].status is StepStatus.RUNNING
    assert walk.proposed
    assert walk.proposed.argv == ("gdb", "/modules")
    assert wanted(walk.view, "first") == ()
    walk.run(walk.proposed)
    assert walk.host.ran == [*ran, ("gdb", "/modules")], "what had run does not run again"
    finished = walk.view.state.steps["first"].finished
    assert [tool.tool for tool in finished] == ["look", "gdb"]
    assert all(tool.outcome is not Outcome.BLOCKED for tool in finished)


def test_a_fact_that_unblocks_nothing_leaves_the_walk_where_it_is(walk: Walk) -> None:
    walk.give_fact("source_dir", "/source")
    assert wanted(walk.view, "first") == (BY_NAME["module_dir"],)
    assert walk.suggestion is not None


def test_a_session_tells_what_was_given_on_the_way(walk: Walk) -> None:
    walk.give_fact("module_dir", "/modules")
    assert "uses as module_dir: /modules" in leads_to(walk.view)


def problem(name: str, path: object, case: Case = CASE, *, is_here: bool = True) -> str:
    with pytest.raises(UsageError) as caught:
        checked(BY_NAME[name], str(path), case, is_here=is_here)
    return str(caught.value)


def test_a_folder_without_the_suspect_is_refused_with_what_it_has(tmp_path: Path) -> None:
    assert "there is no .ko in" in problem("module_dir", tmp_path)
    (tmp_path / "turnip.ko.xz").touch()
    assert problem("module_dir", tmp_path) == (
        f"there is no radish.ko in {tmp_path}; it has turnip.ko.xz"
    )
    (tmp_path / "radish.ko").touch()
    assert checked(BY_NAME["module_dir"], str(tmp_path), CASE, is_here=True) == str(tmp_path)


def test_a_dash_in_the_name_of_a_module_is_an_underscore(tmp_path: Path) -> None:
    (tmp_path / "red-dish.ko").touch()
    facts = {"given.suspect": Fact("given.suspect", "red_dish", Source("test"))}
    assert checked(BY_NAME["module_dir"], str(tmp_path), Case(facts=facts), is_here=True)


def test_the_module_itself_stands_for_its_folder(tmp_path: Path) -> None:
    (tmp_path / "radish.ko").touch()
    path = checked(BY_NAME["module_dir"], f" {tmp_path / 'radish.ko'} ", CASE, is_here=True)
    assert path == str(tmp_path)


@pytest.mark.parametrize("one", [each for each in INPUTS if each.is_path], ids=lambda one: one.name)
def test_each_input_is_refused_in_words_that_help(one: GivenInput, tmp_path: Path) -> None:
    assert "there is no" in problem(one.name, tmp_path / "nothing")
    assert "this is no path" in problem(one.name, "")
    assert "this is no path" in problem(one.name, "a\x1b[2Jb")
    (tmp_path / "file").write_text("text")
    other = tmp_path / "file" if one.is_folder else tmp_path
    assert one.what in problem(one.name, other)


def test_what_is_to_be_a_kernel_or_a_module_must_be_one(tmp_path: Path) -> None:
    file = tmp_path / "vmlinux"
    file.write_bytes(b"\x1f\x8bpacked")
    assert "is no ELF file; unpack it first" in problem("vmlinux", file)
    file.write_bytes(b"\x7fELF and more")
    assert checked(BY_NAME["vmlinux"], str(file), CASE, is_here=True) == str(file)


def test_a_folder_without_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert "there is no source" in problem("source_dir", tmp_path)
    (tmp_path / "radish.c").touch()
    assert checked(BY_NAME["source_dir"], str(tmp_path), CASE, is_here=True) == str(tmp_path)


def test_a_path_of_another_machine_only_has_to_be_absolute() -> None:
    assert "no absolute path" in problem("module_dir", "modules", is_here=False)
    path = checked(BY_NAME["module_dir"], "/there/modules", CASE, is_here=False)
    assert path == "/there/modules"


def test_a_module_of_another_build_is_taken_with_a_doubt(tmp_path: Path) -> None:
    file = tmp_path / "radish.ko"
    file.write_bytes(b"\x7fELF....vermagic=6.1.0-9-amd64 SMP preempt\0name=radish\0")
    said = doubt(BY_NAME["module_dir"], str(tmp_path), CASE)
    assert said.startswith("it is of 6.1.0-9-amd64, and the case of 6.9.1-amd64")
    file.write_bytes(b"\x7fELF....vermagic=6.9.1-amd64 SMP preempt\0name=radish\0")
    assert not doubt(BY_NAME["module_dir"], str(tmp_path), CASE)
    file.write_bytes(b"")
    assert not doubt(BY_NAME["module_dir"], str(tmp_path), CASE)


def test_a_kernel_of_another_build_is_taken_with_a_doubt(tmp_path: Path) -> None:
    file = tmp_path / "vmlinux"
    file.write_bytes(b"\x7fELF" + b"x" * 5000 + b"Linux version 5.10.0-1-amd64 (gcc)\n")
    assert "it is of 5.10.0-1-amd64" in doubt(BY_NAME["vmlinux"], str(file), CASE)


def playbook_of(*steps: Step) -> Playbook:
    return Playbook(schema=1, id="p", title="P", summary="A walk.", steps=steps)


def step_of(name: str, *tools: str, remedy: bool = False) -> Step:
    return Step(id=name, title=name, why="To test.", tools=tools, remedy=remedy)


def test_to_go_on_passes_over_steps_in_which_nothing_can_be_done(make_walk: MakeWalk) -> None:
    steps = (step_of("one", "look"), step_of("two", "wall"), step_of("three", "wall", "idle"))
    walk = make_walk(playbook=playbook_of(*steps, step_of("four", "look")))
    walk.enter("one")
    assert walk.proposed
    walk.run(walk.proposed)
    assert walk.go_on() == ("two", "three")
    assert walk.view.step == "four"
    assert walk.proposed


def test_a_step_that_was_passed_over_always_tells_why(make_walk: MakeWalk) -> None:
    steps = (step_of("one", "idle"), step_of("two", "idle"), step_of("three", "look"))
    walk = make_walk(playbook=playbook_of(*steps))
    walk.enter("one")
    assert walk.go_on() == ("two",)
    assert passed_over(walk.view, ("two",)).startswith("Passed over: 2 two (nothing to do")


def test_a_step_that_shows_the_usual_fix_is_not_passed_over(make_walk: MakeWalk) -> None:
    steps = (step_of("one", "idle"), step_of("two", "wall", remedy=True), step_of("three", "look"))
    walk = make_walk(playbook=playbook_of(*steps))
    walk.enter("one")
    assert walk.go_on() == ()
    assert walk.view.step == "two"


def test_to_go_on_stops_at_the_last_step_and_where_the_caller_wants(make_walk: MakeWalk) -> None:
    steps = (step_of("one", "idle"), step_of("two", "wall"), step_of("three", "wall"))
    walk = make_walk(playbook=playbook_of(*steps))
    walk.enter("one")
    assert walk.go_on() == ("two",)
    assert walk.view.step == "three"
    assert walk.suggestion
    assert walk.suggestion.go == "end"
    assert walk.go_on() == ()
    walk.enter("one")
    assert walk.go_on(lambda view: view.step == "two") == ()
    assert walk.view.step == "two"


def test_a_step_whose_commands_ran_is_not_passed_over(make_walk: MakeWalk) -> None:
    steps = (step_of("one", "idle"), step_of("two", "look", "wall"), step_of("three", "look"))
    walk = make_walk(playbook=playbook_of(*steps))
    walk.enter("one")
    assert walk.go_on() == ()
    assert walk.view.step == "two"
    assert walk.proposed


@pytest.mark.parametrize("text", ["", "  ", "cat 'open", "a\x1b[2Jb"])
def test_a_trigger_that_cannot_be_read_is_refused(text: str) -> None:
    assert "this is no command; type one as in a shell" in problem("trigger", text)


def test_a_trigger_is_taken_as_it_was_typed() -> None:
    said = checked(BY_NAME["trigger"], " cat '/proc/a b' ", CASE, is_here=False)
    assert said == "cat '/proc/a b'"


def test_the_trigger_of_the_lab_can_always_be_changed(make_walk: MakeWalk) -> None:
    lab = Tool(id="lab-run", purpose="", plan=lambda case: None, read=TOOLS["look"].read)
    book = playbook_of(step_of("one", "idle"), step_of("two", "lab-run"))
    walk = make_walk(playbook=book, tools={**TOOLS, "lab-run": lab})
    walk.enter("one")
    assert wanted(walk.view, "one") == ()
    walk.enter("two")
    assert wanted(walk.view, "two") == (BY_NAME["trigger"],)
    assert wanted(walk.view, "one") == ()
