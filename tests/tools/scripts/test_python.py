"""The Python programs that run elsewhere: that an old Python takes them, and what drgn is given."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from hosts.script_files import PACKAGE, PYTHON
from pagefault_doctor.hosts.script import IF_PYTHON, script
from requirements import require
from tools.scripts.old_python import newer

DRGN = ("tools/scripts/drgn_crash.py", "tools/scripts/drgn_pointers.py")


@pytest.mark.parametrize("path", PYTHON)
def test_python_3_6_takes_every_script(path: str) -> None:
    assert list(newer((PACKAGE / path).read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "from __future__ import annotations",
        "from dataclasses import dataclass",
        "from importlib import resources",
        "import contextvars",
        "if (n := 1): pass",
        "def f(a, /): pass",
        "match a:\n    case 1: pass",
        "with (open(a) as b, open(c) as d): pass",
        "print(f'{name=}')",
        "print(f'seen {a.b = }')",
        "run(argv, capture_output=True)",
        "run(argv, text=True)",
        "zip(a, b, strict=True)",
        "name.removeprefix('a')",
        "n.bit_count()",
        "def f(names: list[str]): pass",
        "found = dict[str, int]()",
        "try:\n    pass\nexcept* OSError:\n    pass",
    ],
)
def test_what_came_later_is_found(source: str) -> None:
    assert list(newer(source))


@pytest.mark.parametrize(
    "source", ["print(f'name={name}x')", "text = 1", "run(argv, stdout=PIPE, input=data)", "a[0]"]
)
def test_what_was_always_there_is_let_through(source: str) -> None:
    assert list(newer(source)) == []


def test_what_drgn_is_given_is_one_program_whose_looks_fail_on_their_own() -> None:
    require(find_spec("drgn"), "drgn is not installed")
    done = subprocess.run(
        (sys.executable, "-I", "-"), input=script(*DRGN), capture_output=True, text=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    looks = ["release", "panic", "task", "frames", "log"]
    looks += ["registers", "pointers", "modules", "pending"]
    assert [each["failed"] for each in told if "failed" in each] == looks
    assert all("prog" in each["error"] for each in told), "no other name is missing"
    assert done.stderr == ""


def test_without_python_a_script_prints_nothing() -> None:
    argv = ("/bin/sh", "-c", IF_PYTHON, "sh", "print(1)")
    for path, printed in (("/nowhere", ""), (f"{sys.exec_prefix}/bin:/usr/bin", "1\n")):
        done = subprocess.run(argv, env={"PATH": path}, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, printed)
