"""Change the code a little, one place at a time, and report which changes no test notices.

    .venv/bin/python bench/change.py [--changes N] [--seed SEED] [--tests DIR]... PATH...

PATH is a file or folder of the package. Each change (a comparison turned round, a number one
higher, a `not` or a statement left out, ...) is made in a copy of the project, and the tests beside
the file run there: `tests/klog/test_line.py` for `pagefault_doctor/klog/line.py`, else those of its
folder. What they do not notice is printed. Some of it changes nothing; the rest wants a test. The
exit code is 1 if there is any.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PARTS: Final = ("pagefault_doctor", "tests", "playbooks", "bench", "docs", "screenshots")
TURNED: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
"""What a comparison becomes."""
PATIENCE: Final = 4
"""A change is noticed too where its tests take so many times as long as without it."""


class Change(NamedTuple):
    """A place in a file, as offsets in its bytes, and what stands there afterwards."""

    file: Path
    line: int
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        """Return the file with the change made."""
        return source[: self.start] + self.text.encode() + source[self.end :]


class Places:
    """Offsets of syntax nodes in the bytes of a file, and the text at them."""

    def __init__(self, file: Path, source: bytes) -> None:
        self.file, self.source = file, source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._lines[node.lineno - 1] + node.col_offset,
            self._lines[node.end_lineno - 1] + node.end_col_offset,
        )

    def text(self, node: ast.expr | ast.stmt) -> str:
        """Return the source of a node."""
        start, end = self.span(node)
        return self.source[start:end].decode()

    def change(self, node: ast.expr | ast.stmt, text: str) -> Change:
        """Return the change of a node to a text."""
        return Change(self.file, node.lineno, *self.span(node), text)


def changes(file: Path) -> Iterator[Change]:
    """Yield each change that can be made in a file."""
    source = file.read_bytes()
    places, tree = Places(file, source), ast.parse(source)
    # Before Python 3.12, what stands in an f-string has no place of its own.
    inside = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node not in inside and isinstance(node, ast.expr | ast.stmt):
            change = changed(node, places)
            if change:
                yield places.change(*change)


def changed(node: ast.AST, places: Places) -> tuple[ast.expr | ast.stmt, str] | None:
    """Return what of a node is changed, and the text that replaces it, or None."""
    match node:
        case ast.Compare(left=left, ops=[turned], comparators=[right]):
            new = f"({places.text(left)} {TURNED[type(turned)]} {places.text(right)})"
            return node, new
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return node, f"({places.text(operand)})"
        case ast.BoolOp(op=op, values=[first, *_]):
            return first, "True" if isinstance(op, ast.And) else "False"
        case ast.Constant(value=bool(value)):
            return node, str(not value)
        case ast.Constant(value=int(value)):
            return node, str(value + 1)
        case ast.IfExp(body=body):
            return node, f"({places.text(body)})"
        case (
            ast.Expr(value=ast.Call() | ast.Await())
            | ast.Raise()
            | ast.Continue()
            | ast.AugAssign()
        ):
            return node, "pass"
        case ast.Return(value=ast.expr()):
            return node, "return None"
    return None


def tests_beside(root: Path, file: Path) -> Path:
    """Return the tests of a file of the package: those named after it, else those of its folder."""
    place = root / "tests" / file.relative_to(root / "pagefault_doctor")
    named = place.with_name(f"test_{place.name}")
    return next(each for each in (named, *place.parents) if each.exists())


def run_tests(root: Path, tests: list[Path], timeout: float) -> tuple[bool, float]:
    """Run tests in a copy of the project; return whether all pass, and the seconds they took."""
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *map(str, tests)]
    environ = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    began = time.monotonic()
    try:
        done = subprocess.run(
            argv, cwd=root, env=environ, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, timeout
    # 5: no test ran.
    return done.returncode in (0, 5), time.monotonic() - began


def copy_of_the_project(folder: Path) -> Path:
    """Copy what the tests need into a folder, and return it."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy2(file, folder)
    return folder


def main() -> int:
    """Make the changes one at a time; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="+", type=Path)
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--tests", action="append", type=Path, help="instead of those beside it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pfdoctor-change-") as made:
        root = copy_of_the_project(Path(made))
        files = [
            root / file.resolve().relative_to(ROOT)
            for path in args.path
            for file in ([path] if path.is_file() else sorted(path.rglob("*.py")))
        ]
        every = [change for file in files for change in changes(file)]
        chosen = random.Random(args.seed).sample(every, min(args.changes, len(every)))
        print(f"{len(chosen)} of {len(every)} changes, seed {args.seed}", flush=True)
        return 1 if missed(root, chosen, args.tests) else 0


def missed(root: Path, chosen: list[Change], tests: list[Path] | None) -> int:
    """Make each change, print those that no test notices, and return how many there were."""
    usual: dict[Path, float] = {}
    unnoticed = 0
    for number, change in enumerate(chosen, 1):
        beside = [root / each for each in tests] if tests else [tests_beside(root, change.file)]
        if beside[0] not in usual:
            passed, usual[beside[0]] = run_tests(root, beside, 3600)
            if not passed:
                print(f"the tests in {beside[0].relative_to(root)} fail without a change")
                return 1
        source = change.file.read_bytes()
        change.file.write_bytes(change.applied(source))
        passed, _ = run_tests(root, beside, PATIENCE * usual[beside[0]] + 10)
        change.file.write_bytes(source)
        if passed:
            unnoticed += 1
            was = source[change.start : change.end].decode()
            name = change.file.relative_to(root)
            print(f"{name}:{change.line}: {was!r} -> {change.text!r}", flush=True)
        elif sys.stderr.isatty():
            print(f"\r{number} of {len(chosen)}", end="\r", file=sys.stderr)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} were noticed")
    return unnoticed


if __name__ == "__main__":
    sys.exit(main())
