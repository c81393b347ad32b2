"""The diagnosis reads fields and named details of a report; klog finds them in the text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from pagefault_doctor import diagnosis
from pagefault_doctor.klog import details, messages
from pagefault_doctor.klog.formats.table import DETAILS, TABLE

FOLDER = Path(diagnosis.__file__ or "").parent
MODULES = {path.relative_to(FOLDER): ast.parse(path.read_text()) for path in FOLDER.rglob("*.py")}
MESSAGES = {name for name, *_ in messages._MESSAGES} | {
    name for _, p in messages._VALUES for name in re.findall(r"\?P<(\w+)>", p.pattern)
}


def functions_that_read_text() -> Iterator[tuple[str, str]]:
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(inner, ast.Attribute) and inner.attr == "excerpt"
                for inner in ast.walk(node)
            ):
                yield str(path), node.name


def details_looked_up() -> Iterator[str]:
    """Yield what is asked of `details`, by `in`, `get` or an index, and the rows of messages."""
    for tree in MODULES.values():
        for node in ast.walk(tree):
            match node:
                case ast.Compare(left=ast.Constant(str(name)), comparators=[of]):
                    asked = of
                case ast.Subscript(value=of, slice=ast.Constant(str(name))):
                    asked = of
                case ast.Call(
                    func=ast.Attribute(attr="get", value=of), args=[ast.Constant(str(name)), *_]
                ):
                    asked = of
                case ast.Assign(targets=[ast.Name("_MESSAGES")], value=ast.Tuple(elts=rows)):
                    for row in rows:
                        yield ast.literal_eval(row)[0]
                    continue
                case _:
                    continue
            if ast.unparse(asked).rpartition(".")[2] == "details":
                yield name


def test_only_next_steps_and_known_cases_search_the_text_of_a_report() -> None:
    assert {path.rpartition("/")[2] for path, _ in functions_that_read_text()} == {
        "circumstances.py",
        "known.py",
    }


def test_every_detail_that_is_looked_up_is_one_that_klog_reads() -> None:
    sources = list(chain(*DETAILS.values(), *(row.details for row in TABLE.rows)))
    sources += [row.pattern.pattern for row in details._FIELDS]
    known = {name for source in sources for name in re.findall(r"\?P<(\w+)>", source)}
    looked_up = set(details_looked_up())
    assert len(looked_up) > 100
    assert looked_up - MESSAGES - known - details.WORKED_OUT == set()


def test_every_message_that_klog_reads_is_looked_at() -> None:
    constants = {
        node.value
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert MESSAGES - constants == set()
