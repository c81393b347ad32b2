"""Real outputs of the tools, kept in `data/`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.fact import Value
from tools.example_reports import KERNEL, known

DATA: Final = Path(__file__).parent / "data"


def output(name: str) -> str:
    """Return a recorded output."""
    return (DATA / name).read_text("utf-8")


def faulty_log() -> str:
    """Return the log of a module that wrote through NULL in its init, as a dump kept it."""
    lines = output("crash.txt").splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line.startswith("["))
    return "".join(lines[start:])


def faulty(facts: dict[str, Value] | None = None, release: str = KERNEL) -> Case:
    """Return the case of that module on a kernel of this release, with these facts besides."""
    base: dict[str, Value] = {
        "host.kernel": release,
        "host.family": "debian",
        "suspect.module": "faulty",
        "verdict.root_cause": "null-deref",
    }
    return known(base | (facts or {}), ("dmesg", faulty_log().replace(KERNEL, release)))
