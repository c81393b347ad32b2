"""The table of faults in CONTRIBUTING.md: every row names a test that brings the fault about."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROW = re.compile(r"\| [^|]+ \| [^|]+ \| [^|]+ \| `(test_\w+)` in `([\w/]+\.py)` \|")
ROWS = ROW.findall((TESTS.parent / "CONTRIBUTING.md").read_text())


def test_the_table_has_all_the_faults_that_a_broken_box_may_bring() -> None:
    assert len(ROWS) >= 40
    assert len({name for name, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("name", "file"), ROWS)
def test_each_row_names_a_test(name: str, file: str) -> None:
    tree = ast.parse((TESTS / file).read_text())
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
