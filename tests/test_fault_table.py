"""The tables in docs/faults.md: every row names a test that causes the fault."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROW = re.compile(r"\| [^|]+ \| [^|]+ \| [^|]+ \| `(test_\w+)` in `([\w/]+\.py)` \|")
TABLE, _, TEN = (TESTS.parent / "docs/faults.md").read_text().partition("\n## The ten tests")
ROWS = ROW.findall(TABLE)
TEN_ROWS = re.findall(r"\| (\d+)\. [^|]+ \| `(test_\w+)` in `([\w/]+\.py)` \|", TEN)
NAMED = sorted({*ROWS, *((name, file) for _, name, file in TEN_ROWS)})

COLLECT = """
import json, sys, pytest
class Look:
    found = {}
    def pytest_collection_finish(self, session):
        for item in session.items:
            name = f"{item.path}::{item.originalname}"
            marks = {mark.name for mark in item.iter_markers()}
            self.found.setdefault(name, set()).update(marks)
pytest.main(["--collect-only", "-q", *sys.argv[1:]], plugins=[Look()])
print(json.dumps({name: sorted(marks) for name, marks in Look.found.items()}))
"""
"""Prints every test that pytest finds in some files, with its marks."""


@pytest.fixture(scope="module")
def collected() -> dict[str, list[str]]:
    files = sorted({str(TESTS / file) for _, file in NAMED})
    argv = [sys.executable, "-c", COLLECT, *files]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=TESTS.parent, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_row_of_the_table_names_a_test_of_its_own() -> None:
    assert len(ROWS) >= 110
    assert len({name for name, _ in ROWS}) == len(ROWS)
    rows = [line for line in TABLE.splitlines() if line.startswith("|")]
    heads = TABLE.count("\n## ")
    assert len(ROWS) == len(rows) - 2 * heads, "a row of the tables names no test"


def test_each_of_the_ten_tests_of_a_terminal_program_is_named() -> None:
    assert {number for number, _, _ in TEN_ROWS} == {str(n) for n in range(1, 11)}
    assert len(TEN_ROWS) == TEN.count("\n| ") - 1


@pytest.mark.parametrize(("name", "file"), NAMED)
def test_each_row_names_a_test_that_runs_here(
    name: str, file: str, collected: dict[str, list[str]]
) -> None:
    assert f"{TESTS / file}::{name}" in collected
    assert not {"skip", "skipif", "xfail"} & set(collected[f"{TESTS / file}::{name}"])


@pytest.mark.parametrize(("name", "file"), NAMED)
def test_each_of_these_tests_can_fail(name: str, file: str) -> None:
    functions = {
        node.name: node
        for node in ast.walk(ast.parse((TESTS / file).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert _asserts(functions[name], functions, 2)


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _asserts(function: Function, functions: dict[str, Function], depth: int) -> bool:
    """Whether a test asserts something about what it did, itself or in a function of its file."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "pytest.raises" or called.startswith("check"):
                return True
            inner = functions.get(called) if depth and called != function.name else None
            if inner and _asserts(inner, functions, depth - 1):
                return True
    return False
