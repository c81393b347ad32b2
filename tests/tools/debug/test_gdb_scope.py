"""gdb's word on which variable of the source the bad pointer was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.fact import Value
from pagefault_doctor.playbook import shelf
from pagefault_doctor.tools.debug import gdb_module, gdb_scope
from pagefault_doctor.tools.tool import next_command
from requirements import require_program
from tools.example_reports import BOOT, OOPS, follow, known, learn, texts, told
from tools.recorded import faulty, output

FILE: dict[str, Value] = {"module.path": "/home/user/faulty/faulty.ko"}

TAKEN_THEN_LOST = """\
   0xb5 <faulty_init+53>:\tmovb   $0x41,(%rax)
Scope for *('faulty_init'+0x35):
Symbol state is multi-location:
  Base address 0x85  Range 0x85-0xb5: the constant 0
  Range 0xb5-0xca: a variable in $rax
, length 8.
Symbol before is multi-location:
  Range 0x85-0xb5: a variable in $rax
, length 8.
Symbol count is a variable in $rbx, length 4.
Symbol folder is static storage at address 0x40, length 8.
Symbol gone is optimized out.
"""

IN_A_REGISTER = {
    "null-deref-module": ("state", "rax", "NULL"),
    "err-ptr": ("firmware", "rax", "the error code"),
    "user-pointer": ("buf", "rsi", "0x"),
    "wild-pointer": ("old", "rdi", "0x"),
}
"""Scenarios whose bad pointer is a variable of the source, its register, and what it was."""


def after_gdb(said: str) -> Case:
    """Return the case after gdb printed the line, and this scope."""
    case, _, _ = follow(gdb_module.TOOL, faulty(FILE), told(output("gdb_module.txt")))
    case, _, _ = follow(gdb_scope.TOOL, case, told(said))
    return case


def test_the_variable_in_the_register_at_that_very_place_is_the_bad_pointer() -> None:
    case = after_gdb(TAKEN_THEN_LOST)
    assert case.get("debug.pointer", "") == "state"
    assert case.facts["debug.variable"].value == ("state", "rax")
    said = texts(case.findings)
    assert "The bad pointer is the variable state: it was in rax, which held 0x0" in said
    assert "At that moment count was " in said
    assert "before" not in said
    assert "folder" not in said


def test_a_register_without_a_variable_stays_what_it_is() -> None:
    case = after_gdb(TAKEN_THEN_LOST.replace("0xb5-0xca", "0xb9-0xca"))
    assert case.get("debug.pointer", "") == "rax"
    assert not case.has("debug.variable")


def test_without_variables_that_is_said() -> None:
    assert "knows of no variable" in texts(after_gdb("Scope for x:\nno locals.\n").findings)


def test_the_scope_is_asked_for_at_the_place_of_the_line() -> None:
    case, _, _ = follow(gdb_module.TOOL, faulty(FILE), told(output("gdb_module.txt")))
    wanted = next_command(gdb_scope.TOOL, case)
    assert isinstance(wanted, Command)
    assert "info scope *('faulty_init'+0x35)" in wanted.argv
    assert wanted.argv[-1] == FILE["module.path"]


def test_nothing_is_asked_for_where_the_file_is_another_build() -> None:
    other = output("gdb_module.txt").replace("0xc6\t0x00", "0x48\t0x8b")
    case, _, _ = follow(gdb_module.TOOL, faulty(FILE), told(other))
    assert next_command(gdb_scope.TOOL, case) is None


@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(st.sampled_from(TAKEN_THEN_LOST.split("\n")), max_size=12).map("\n".join),
    )
)
def test_no_output_makes_the_reader_raise(said: str) -> None:
    after_gdb(said)


@pytest.mark.parametrize("scenario_id", IN_A_REGISTER)
def test_real_gdb_names_the_variable_and_the_account_tells_it(scenario_id: str) -> None:
    require_program("gdb")
    folder = shelf.scenario_folder(scenario_id)
    log = (folder / "serial.log").read_text()
    case = known({"given.module_dir": str(folder)}, ("dmesg", log))
    report = case.main_report
    assert report
    case = known(
        {
            "given.module_dir": str(folder),
            "suspect.module": report.module or "",
            "report.title": report.title,
            "report.boot": report.boot,
        },
        ("dmesg", log),
    )
    for tool in (gdb_module.TOOL, gdb_scope.TOOL):
        while isinstance(wanted := next_command(tool, case), Command):
            result = LocalHost().run(wanted)
            case = learn(case, tool.id, result, tool.read(result, case))
    name, register, was = IN_A_REGISTER[scenario_id]
    assert case.facts["debug.variable"].value == (name, register)
    opinion = diagnose(case.logs, case.facts)
    account = with_explanations(opinion, case.logs, case.facts).verdict.account
    assert account
    assert f"{name} in {register.upper()} was {was}" in account.crux.text


@pytest.mark.parametrize(("second", "is_of_build"), [("48", True), ("49", False)])
def test_a_lock_prefix_that_one_processor_does_not_need_is_no_other_build(
    second: str, is_of_build: bool
) -> None:
    log = ("dmesg", BOOT + OOPS.replace("c6 00 41 c3", f"<3e> {second} ff 4f 38"))
    said = (
        'Line 7 of "x.c" starts at address 0x1 <wobble_init+17>.\n'
        "0x1 <wobble_init+17>:\t0xf0\t0x48\n"
    )
    case, _, _ = follow(gdb_module.TOOL, known(FILE, log), told(said))
    assert case.has("debug.line") is is_of_build
