"""Dumps of machines that really crashed: what the bad pointer points to joins the evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import requirements
from requirements import require

pytestmark = pytest.mark.lab

Capture = pytest.CaptureFixture[str]

PANIC_WHEN_A_CHECK_FAILS = ("--slub-debug", "--kernel-arg", "panic_on_taint=0x20")
"""Bit 5 is the taint of a bad page, which the slab checks set (`mm/slub.c`, slab_bug)."""

CASES = [
    pytest.param(
        ("use-after-free-timer", "--slub-debug"),
        ("use-after-free", "thermo"),
        "the bad pointer 0x6b6b6b6b6b6b6b6b lies in a freed object of thermo_sensor",
        "freed by thermo_write [thermo]",
        id="use-after-free",
    ),
    pytest.param(
        ("use-after-free-timer", "--dump", "kdump"),
        ("use-after-free", "thermo"),
        "lies in a freed object of thermo_sensor",
        "freed by thermo_write [thermo]",
        id="use-after-free in a filtered dump",
    ),
    pytest.param(
        ("double-free",),
        ("double-free", "badge"),
        ": a freed object of ",
        "kmalloc-96",
        id="double-free",
    ),
    pytest.param(
        ("use-after-unload",),
        ("use-after-free", "beacon"),
        "the dump has no module at 0x",
        "beacon was unloaded last",
        id="use-after-unload",
    ),
    pytest.param(
        ("stack-overflow",),
        ("stack-overflow", "nest"),
        "points to the guard page below the stack of ",
        "tr[",
        id="stack-overflow",
    ),
    pytest.param(
        ("out-of-bounds-slab", *PANIC_WHEN_A_CHECK_FAILS),
        ("out-of-bounds", "label"),
        "the bytes behind a live object of kmalloc-16",
        "allocated by label_write [label]",
        id="out-of-bounds",
    ),
]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("words", "right", "said", "more"), CASES)
def test_a_real_dump_tells_what_the_bad_pointer_points_to(
    words: tuple[str, ...],
    right: tuple[str, str],
    said: str,
    more: str,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    for row in requirements.check():
        require(row.path, f"{row.need.name} is missing: {row.remedy}")
    assert main(["lab", "run", *words, "--keep", str(tmp_path / "kept")]) == 0
    capsys.readouterr()
    assert main(["diagnose", "--json", "--vmcore", str(tmp_path / "kept/vmcore")]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    (tmp_path / "kept/vmcore").unlink()
    assert (document["verdict"]["root_cause"], document["verdict"]["module"]) == right
    first = document["reports"][0]["diagnosis"]["candidates"][0]
    evidence = [each["text"] for each in first["evidence"]]
    assert any(said in text and more in text for text in evidence), evidence
