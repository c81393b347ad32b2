"""Whatever a program prints, its reader does not raise, and returns only declared facts."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagefault_doctor import tools
from pagefault_doctor.model import untrusted
from pagefault_doctor.model.command import Command, ResultStatus, Risk
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools.tool import Tool, next_command
from tools.example_reports import told
from tools.recorded import DATA, faulty
from tools.test_mutated_output import damaged

KNOWN: Final[dict[str, Value]] = {
    "given.source_dir": "/home/user/faulty",
    "given.vmcore": "/home/user/vmcore",
    "given.vmlinux": "/home/user/vmlinux",
    "given.program": "/home/user/app",
    "given.core": "/home/user/core",
    "module.path": "/home/user/faulty.ko",
    "fix.module_path": "/home/user/faulty.ko",
    "debug.file": "faulty.c",
    "debug.line": 3,
    "validate.inserted": True,
    "module.loaded": True,
    "verdict.root_cause": "wild-pointer",
    "verdict.attribution": "kernel",
}
CASE: Final = faulty(KNOWN)
TOOLS: Final = tuple(
    tool for tool in tools.TOOLS.values() if isinstance(next_command(tool, CASE), Command)
)
NEED_MORE: Final = {
    *("kern-log", "var-crash", "trigger", "gdb-scope", "gdb-live", "program-line", "core-file"),
    *("other-kernels", "other-kernels-fixed", "lab-run", "lab-run-fixed"),
    *("source-package", "inlined-calls", "gdb-member"),
}
"""Tools that need another report or another tool's result first; each has tests of its own."""

RECORDED: Final = tuple(path.read_text("utf-8") for path in sorted(DATA.iterdir()))
WORDS: Final = sorted({word for text in RECORDED for word in text.split()})[:1500]

outputs = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300).map(untrusted.decode),
    st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=40).map("\n".join),
    st.tuples(st.sampled_from(RECORDED), st.integers(0, 5000)).map(lambda cut: cut[0][: cut[1]]),
    st.tuples(st.sampled_from(RECORDED), st.integers(0, 2**32)).map(lambda it: damaged(*it)),
)


def test_every_tool_is_tried_here_or_named_with_those_that_need_more() -> None:
    assert {tool.id for tool in TOOLS} | NEED_MORE == set(tools.TOOLS)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(output=outputs, errors=outputs, status=st.sampled_from(ResultStatus))
def test_no_output_makes_a_reader_raise(
    tool: Tool, output: str, errors: str, status: ResultStatus
) -> None:
    wanted = next_command(tool, CASE)
    assert isinstance(wanted, Command), wanted
    result = told(output, *wanted.argv, errors=errors, status=status, tool=tool.id)
    reading = tool.read(result, CASE)
    assert {fact.name for fact in reading.facts} <= set(tool.facts)
    assert all(untrusted.is_clean(finding.text) for finding in reading.findings)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
@pytest.mark.parametrize("unit", [" ", "A ", "\n", "()", "0", ".config", "[", "#0 a () at a:", "="])
def test_long_lines_are_read_in_reasonable_time(tool: Tool, unit: str) -> None:
    wanted = next_command(tool, CASE)
    assert isinstance(wanted, Command)
    line = unit * 50_000
    for lead in ("", "A", "stress-ng: info: [1] ", "FAILURE: 0x", "#0 ", "PANIC: "):
        result = told(lead + line, *wanted.argv, errors=lead + line, tool=tool.id)
        assert tool.read(result, CASE).facts is not None


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
def test_each_tool_says_what_it_is_and_what_to_do_without_it(tool: Tool) -> None:
    assert tool.purpose
    assert tool.by_hand
    assert not (tool.programs or tool.one_of) or "" in tool.package or tool.programs == ("sh",)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
def test_no_command_is_riskier_than_its_tool(tool: Tool) -> None:
    wanted = next_command(tool, CASE)
    assert isinstance(wanted, Command)
    assert wanted.risk.rank <= tool.risk.rank
    assert wanted.why
    assert wanted.undo or wanted.risk is not Risk.CHANGE
    assert wanted.tool == tool.id


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
@pytest.mark.parametrize("value", ["-x", "relative", "/a\nb", "", "/x\x1b[2J"])
def test_no_hostile_path_becomes_an_argument(tool: Tool, value: str) -> None:
    facts: dict[str, Value] = {name: value for name, v in KNOWN.items() if str(v).startswith("/")}
    wanted = next_command(tool, faulty(KNOWN | facts))
    if isinstance(wanted, Command) and value:
        assert value not in wanted.argv
    elif wanted is not None and not isinstance(wanted, Command):
        assert wanted.reason
        assert wanted.remedy
