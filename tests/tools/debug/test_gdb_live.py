"""gdb-live: the module faults in the virtual machine, and gdb is there before it."""

from __future__ import annotations

import json

from pagefault_doctor.model.command import Command, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.debug import gdb_live
from pagefault_doctor.tools.debug.gdb_live import GdbStop, stop_from
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import follow, known, texts, told

HOST: dict[str, Value] = {
    "host.programs": ("gdb", "pfdoctor", "qemu-system-x86_64"),
    "given.source_dir": "/src/wobble",
    "given.trigger": "cat '/proc/a b'\n",
}
STOP = {
    "function": "wobble_init",
    "file": "/src/wobble/wobble.c",
    "line": 12,
    "source": "dev->count = 1;",
    "instruction": "movl $0x1,0x8(%rax)",
    "variables": ["dev = 0x0"],
    "frames": ["wobble_init", "do_one_initcall"],
    "pointer": "rax",
    "value": 0,
    "address": 8,
    "holders": ["dev"],
    "reachable": False,
}


def said(stop: object) -> str:
    return json.dumps({"schema": "pfdoctor.diagnosis/1", "lab": {"gdb": stop}})


def test_the_line_the_pointer_and_its_variable_are_told() -> None:
    case, ran, _ = follow(gdb_live.TOOL, known(HOST), told(said(STOP)), told())
    assert (case.get("debug.file", ""), case.get("debug.line", 0)) == ("/src/wobble/wobble.c", 12)
    assert case.get("debug.pointer", "") == "dev"
    assert "gdb stopped at wobble.c:12: dev->count = 1;" in texts(case.findings)
    assert "dev, in rax, is 0x0; there is no memory at 0x8" in texts(case.findings)
    assert ran[0].argv[-4:] == ("--source", "/src/wobble", "--trigger", "cat '/proc/a b'")
    assert ran[0].risk is Risk.LOAD


def test_once_the_line_is_known_gdb_is_offered_by_hand() -> None:
    _, ran, _ = follow(gdb_live.TOOL, known(HOST), told(said(STOP)), told())
    assert ran[1].interactive
    assert ran[1].argv[:3] == ("pfdoctor", "lab", "debug")


def test_where_gdb_did_not_get_there_it_says_so_and_stops() -> None:
    for output in (said(None), said({"line": "x"}), "no JSON", '{"lab": []}', "[1]"):
        case, ran, _ = follow(gdb_live.TOOL, known(HOST), told(output))
        assert "did not get to the line" in texts(case.findings)
        assert len(ran) == 1


def test_without_a_virtual_machine_or_a_module_it_keeps_quiet() -> None:
    assert next_command(gdb_live.TOOL, known(HOST | {"host.programs": ("gdb",)})) is None
    assert next_command(gdb_live.TOOL, known({"host.programs": HOST["host.programs"]})) is None


def test_a_module_file_serves_where_there_is_no_source() -> None:
    facts: dict[str, Value] = {
        "host.programs": HOST["host.programs"],
        "module.path": "/lib/modules/1/updates/wobble.ko",
        "module.out_of_tree": True,
    }
    wanted = next_command(gdb_live.TOOL, known(facts))
    assert isinstance(wanted, Command)
    assert wanted.argv[-2:] == ("--module", "/lib/modules/1/updates/wobble.ko")


def test_what_a_guest_says_is_made_harmless() -> None:
    stop = stop_from({"source": "a\x1b]52;c;x\x07", "variables": ["b\x1b[2J"]})
    assert stop
    assert "\x1b" not in stop.source + stop.variables[0]


def test_a_place_without_memory_access_shows_what_is_about_to_run() -> None:
    stop = GdbStop(function="f", file="x.c", line=3, instruction="call g")
    assert ("About to run: call g", Mark.NEUTRAL) in gdb_live.stop_sentences(stop)
