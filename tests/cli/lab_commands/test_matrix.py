"""`lab run --kernels`: what becomes of a module on each kernel, and where that changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pagefault_doctor.cli.lab_commands.matrix import OnKernel, changes
from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import requirements
from pagefault_doctor.lab.machine import DEFAULT_STOCK, release_of
from requirements import require

Capture = pytest.CaptureFixture[str]

SCENARIO = Path(__file__).parents[3] / "playbooks/scenarios/null-deref-module"
NULL = "BUG: unable to handle kernel NULL pointer dereference in tick"


def row(kernel: str, title: str | None = None, error: str = "", boots: bool = True) -> OnKernel:
    """Return what became of a module: a fault, an error of its build, or neither."""
    return OnKernel(
        kernel=kernel,
        release=f"{kernel}.1",
        builds=not error,
        boots=boots,
        error=error,
        runs=1,
        faults=int(title is not None),
        title=title,
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row("5.10", NULL), row("6.1", NULL)], ["the same fault on 5.10, 6.1: no change"]),
        ([row("5.10"), row("6.1")], ["no fault on 5.10, 6.1: not shown by this trigger"]),
        ([row("5.10"), row("6.1"), row("6.12", NULL)], ["it faults from 6.12 on; no fault on 6.1"]),
        (
            [row("5.10", NULL), row("6.1"), row("6.12")],
            ["it faults up to 5.10; no fault on 6.1"],
        ),
        (
            [row("5.10", NULL), row("6.1"), row("6.12", NULL)],
            ["it faults on 5.10, 6.12; no fault on 6.1"],
        ),
        (
            [row("6.1", NULL), row("6.12", NULL), row("7.2", error="no del_timer_sync")],
            ["it builds and boots up to 6.12; it does not on 7.2", "the same fault on 6.1, 6.12"],
        ),
        (
            [row("6.1", error="x"), row("6.12", boots=False)],
            ["it builds and boots on none of them"],
        ),
        (
            [row("6.1", NULL), row("6.12", "KASAN: use-after-free")],
            [f"the report differs: 6.1: {NULL}; 6.12: KASAN: use-after-free"],
        ),
    ],
)
def test_where_it_changes_is_told(rows: list[OnKernel], said: list[str]) -> None:
    found = changes(rows)
    assert len(found) == len(said)
    for sentence, beginning in zip(found, said, strict=True):
        assert sentence.startswith(beginning)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--kernels", "6.1"), "names 2 to 12 kernels"),
        (("--kernels", "6.1,6.1, ,"), "names 2 to 12 kernels"),
        (("--kernels", ",".join(str(n) for n in range(13))), "names 2 to 12 kernels"),
        (("--kernels", "6.1,6.12", "--kernel", "6.1"), "--kernel is for one kernel"),
        (("--kernels", "6.1,6.12", "--gdb"), "--gdb is for one kernel"),
        (("--kernels", "6.1,6.12", "--keep", "x"), "--keep is for one kernel"),
        (("--kernels", "6.1,no such"), ""),
    ],
)
def test_what_does_not_fit_several_kernels_is_refused(
    words: tuple[str, ...], problem: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["lab", "run", "--source", str(tmp_path), *words]) in (2, 3)
    assert problem in capsys.readouterr().err


@pytest.fixture
def release() -> str:
    """Return the release of the lab's kernel; all that a run from source needs is here."""
    for state in requirements.check():
        needed = state.need.use in (requirements.Use.BOOT, requirements.Use.BUILD)
        require(state.path or not needed, f"{state.need.name} is missing: {state.remedy}")
    kernel = DEFAULT_STOCK.kernel()
    assert kernel is not None
    return release_of(kernel)


def test_a_module_is_tried_on_each_kernel(release: str, capsys: Capture) -> None:
    """The same kernel by two of its names, so that the reports are alike."""
    version = ".".join(release.split(".")[:2])
    words = ("--kernels", f"{release},{version}", "--exit-code", "--json")
    assert main(["lab", "run", "null-deref-module", *words]) == 10
    document = json.loads(capsys.readouterr().out)
    assert [one["release"] for one in document["kernels"]] == [release, release]
    assert {one["title"] for one in document["kernels"]} == {
        "BUG: unable to handle kernel NULL pointer dereference in faulty_init"
    }
    assert [one["faults"] for one in document["kernels"]] == [1, 1]
    assert document["changes"][0].startswith("the same fault on")


def test_a_module_that_does_not_build_is_told_with_the_first_error(
    release: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "Kbuild").write_text("obj-m := broken.o\n")
    (tmp_path / "broken.c").write_text("int x = no_such_name;\n")
    version = ".".join(release.split(".")[:2])
    assert main(["lab", "run", "--source", str(tmp_path), "--kernels", f"{release},{version}"]) == 0
    out = capsys.readouterr().out
    assert out.count("does not build: ") == 2
    assert "broken.c:1:9: error:" in out
