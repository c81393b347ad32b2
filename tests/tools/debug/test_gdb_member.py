"""gdb's word on which member of a structure the bad pointer was used for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools.debug import gdb_member
from pagefault_doctor.tools.tool import next_command
from requirements import require_program
from tools.example_reports import follow, known, texts, told

FACTS: Final[dict[str, Value]] = {
    "debug.variable": ("dev", "rdi"),
    "debug.instruction": "mov 0x18(%rdi),%rax",
}
SCOPE: Final = "   0x2a <poke+10>:\tmov    0x18(%rdi),%rax\nScope for *('poke'+0xa):\n"


def scoped(facts: dict[str, Value], output: str = SCOPE, file: str = "/home/user/x.ko") -> Case:
    """Return a case in which gdb-scope named the variable."""
    result = told(output, "gdb", "-batch", file)
    return msgspec.structs.replace(known(FACTS | facts), results={"gdb-scope": (result,)})


def test_the_member_is_told_as_the_source_writes_it() -> None:
    answer = told("type=struct device *\npath=.lock.owner\n")
    case, (command,), _ = follow(gdb_member.TOOL, scoped({}), answer)
    assert "WANTED = (42, 'dev', 24)\n" in command.argv[4]
    assert command.argv[-1] == "/home/user/x.ko"
    assert case.get("debug.member", "") == "dev->lock.owner"
    said = "The access was to dev->lock.owner, and dev is struct device *"
    assert said in texts(case.findings)


@pytest.mark.parametrize(
    ("instruction", "register", "offset"),
    [
        ("mov (%rdi),%rax", "rdi", 0),
        ("cmpl $0x1,0x350(%r12)", "r12", 0x350),
        ("ldr x0, [x1, #24]", "x1", 24),
        ("ldr x0, [x1]", "x1", 0),
        ("mov -0x30(%rdi),%rbx", "rdi", None),
        ("mov 0x18(%rsi),%rax", "rdi", None),
        ("call *%rax", "rax", None),
    ],
)
def test_the_distance_is_that_of_the_instruction(
    instruction: str, register: str, offset: int | None
) -> None:
    facts: dict[str, Value] = {"debug.instruction": instruction, "debug.variable": ("p", register)}
    wanted = next_command(gdb_member.TOOL, scoped(facts))
    if offset is None:
        assert wanted is None
    else:
        assert isinstance(wanted, Command)
        assert f"WANTED = (42, 'p', {offset})\n" in wanted.argv[4]


@pytest.mark.parametrize("name", ["x'); quit()", "a b", ""])
def test_what_is_no_name_reaches_no_program(name: str) -> None:
    assert next_command(gdb_member.TOOL, scoped({"debug.variable": (name, "rdi")})) is None


def test_a_gdb_without_python_says_nothing() -> None:
    failed = told("", errors="Python scripting is not supported in this copy of GDB.\n")
    case, _, _ = follow(gdb_member.TOOL, scoped({}), failed)
    assert case.findings == ()


@given(st.text(max_size=300), st.text(max_size=60))
def test_no_output_makes_the_reader_raise(output: str, path: str) -> None:
    for text in (output, f"path={path}\ntype={output}\n"):
        reading = gdb_member.TOOL.read(told(text), scoped({}))
        assert {fact.name for fact in reading.facts} <= {"debug.member"}


CODE: Final = """\
struct lock { int held; int owner; };
struct device { long id; union { int a; long b; }; struct lock locks[2]; };
int poke(struct device *dev) { return dev->locks[1].owner; }
"""


def test_the_real_gdb_finds_a_member_within_an_array(tmp_path: Path) -> None:
    require_program("gdb")
    (tmp_path / "x.c").write_text(CODE)
    build = (require_program("gcc"), "-g", "-O1", "-c", "x.c")
    subprocess.run(build, cwd=tmp_path, check=True, timeout=60)
    facts: dict[str, Value] = {"debug.instruction": "mov 0x1c(%rdi),%eax"}
    at = SCOPE.replace("0x2a", "0x0")
    wanted = next_command(gdb_member.TOOL, scoped(facts, at, str(tmp_path / "x.o")))
    assert isinstance(wanted, Command)
    result = LocalHost().run(wanted)
    assert result.output.splitlines() == ["type=struct device *", "path=.locks[1].owner"]
