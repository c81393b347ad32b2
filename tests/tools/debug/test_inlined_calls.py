"""Inlined functions at the fault: what is asked, and how the callers are told."""

from __future__ import annotations

import json
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools.debug import inlined_calls
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import BOOT, OOPS, follow, known, texts, told

FACTS: Final[dict[str, Value]] = {"host.programs": ("pfdoctor",), "debug.line": 7}
DPUT: Final = OOPS.replace("wobble_init+0x11/0x1000 [wobble]", "dput+0x2/0x90")
IMAGE: Final = "/usr/lib/debug/boot/vmlinux"
MODULE: Final = "/home/user/built/wobble.ko"


def found(log: str, file: str, facts: dict[str, Value] = FACTS) -> Case:
    """Return a case in which gdb found the line in a file."""
    asked = told("", "gdb", "-ex", "info line *('x'+0x1)", file)
    case = known(facts, ("dmesg", BOOT + log))
    return msgspec.structs.replace(case, results={"gdb-module": (asked,)})


def row(*inlined: tuple[str, str, int], function: str = "dput") -> str:
    calls = [{"function": name, "file": file, "line": line} for name, file, line in inlined]
    place = {"line": 1, "function": function, "offset": 2, "size": 144, "module": None}
    code = {"is_return": False, "file": "include/linux/x.h", "source_line": 7, "inlined": calls}
    return json.dumps(place | code) + "\n"


def test_each_inlined_function_is_told_with_the_line_that_calls_it() -> None:
    answer = told(row(("fetch", "fs/namei.c", 30), ("look", "fs/dcache.c", 90)))
    case, (command,), _ = follow(inlined_calls.TOOL, found(DPUT, IMAGE), answer)
    assert command.argv == ("pfdoctor", "decode", "--json", "--vmlinux", IMAGE, "-")
    assert command.stdin == "RIP: 0010:dput+0x2/0x90\n"
    assert texts(case.findings).splitlines() == [
        "fetch was inlined into look, which calls it at fs/namei.c:30",
        "look was inlined into dput, which calls it at fs/dcache.c:90",
    ]
    calls = ("fetch at fs/namei.c:30", "look at fs/dcache.c:90")
    assert case.facts["debug.inlined"].value == calls


def test_a_modules_place_is_looked_up_in_its_folder() -> None:
    wanted = next_command(inlined_calls.TOOL, found(OOPS, MODULE))
    assert isinstance(wanted, Command)
    assert wanted.argv[3:] == ("--module-dir", "/home/user/built", "-")
    assert wanted.stdin == "RIP: 0010:wobble_init+0x11/0x1000 [wobble]\n"


@pytest.mark.parametrize("lacks", ["host.programs", "debug.line"])
def test_without_a_line_or_a_program_nothing_is_asked(lacks: str) -> None:
    facts = {name: value for name, value in FACTS.items() if name != lacks}
    assert next_command(inlined_calls.TOOL, found(DPUT, IMAGE, facts)) is None


def test_where_nothing_was_inlined_it_is_quiet() -> None:
    case, _, _ = follow(inlined_calls.TOOL, found(DPUT, IMAGE), told(row()))
    assert case.findings == ()
    assert not case.has("debug.inlined")


@given(st.one_of(st.text(max_size=200), st.just("[" * 100_000), st.just(row()[:-9])))
def test_no_output_makes_the_reader_raise(output: str) -> None:
    assert inlined_calls.TOOL.read(told(output), found(DPUT, IMAGE)).findings == ()
