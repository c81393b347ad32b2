"""`lab run --kernels`: what becomes of a module on each kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import requirements
from pagefault_doctor.lab.stock import DEFAULT_STOCK, release_of
from requirements import require

Capture = pytest.CaptureFixture[str]


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


def test_a_kernel_without_a_module_of_its_own_is_told_as_one_that_does_not_load_it(
    release: str, capsys: Capture
) -> None:
    version = ".".join(release.split(".")[:2])
    words = ("--in-tree", "no_such_module", "--kernels", f"{release},{version}")
    assert main(["lab", "run", *words]) == 0
    out = capsys.readouterr().out
    assert out.count(f"does not load: no_such_module is no module of {release}\n") == 2


REFUSES = """\
#include <linux/module.h>
static int __init stubborn_init(void)
{
	pr_info("stubborn: no such device here\\n");
	return -ENODEV;
}
module_init(stubborn_init);
MODULE_LICENSE("GPL");
"""


def test_a_module_that_loads_nowhere_is_told_apart_from_one_without_a_fault(
    release: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "Kbuild").write_text("obj-m := stubborn.o\n")
    (tmp_path / "stubborn.c").write_text(REFUSES)
    version = ".".join(release.split(".")[:2])
    words = ("--source", str(tmp_path), "--kernels", f"{release},{version}", "--json")
    assert main(["lab", "run", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    for one in document["kernels"]:
        assert (one["builds"], one["boots"], one["loads"]) == (True, True, False)
        assert one["error"].endswith("; no such device here")
    assert document["changes"][0].startswith("it loads on none of")
