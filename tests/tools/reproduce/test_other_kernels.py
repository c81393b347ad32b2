"""other-kernels: which kernels are tried, what that costs, and what is read from the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import follow, known, texts, told

FAULTY, FIXED = TOOLS["other-kernels"], TOOLS["other-kernels-fixed"]

HERE: dict[str, Value] = {
    "host.programs": ("make", "pfdoctor"),
    "given.source_dir": "/src/wobble",
    "given.trigger": "cat '/proc/a b'\n",
}
CHANGED = HERE | {"fix.changed": True}
NULL = "BUG: unable to handle kernel NULL pointer dereference in wobble_init"


def listing(*names: str, fetchable: tuple[str, ...] = ("5.0", "9.9", "forky")) -> str:
    kernels = [{"name": name, "release": f"{name}.0-amd64", "folder": None} for name in names]
    return json.dumps({"kernels": kernels, "fetchable": fetchable})


def table(*rows: dict[str, Any]) -> str:
    """Return what `lab run --kernels --json` prints."""
    return json.dumps({"kernels": rows, "changes": ["not read"]}, indent=2)


def row(kernel: str, **other: Any) -> dict[str, Any]:
    faulted = {"faults": 1, "title": NULL} if not other else {"faults": 0, "title": None}
    return {"kernel": kernel, "release": f"{kernel}.0-amd64", "runs": 1, **faulted, **other}


CLEAN: dict[str, Any] = {"faults": 0}
UNBUILT = {"builds": False, "error": "wobble.c:3:1: error: too few arguments to 'class_create'"}


def test_it_is_proposed_with_its_cost_and_the_trigger() -> None:
    facts = HERE | {"given.kernel_args": "slub_debug=FZPU\nwobble.depth=3"}
    _, ran, _ = follow(FAULTY, known(facts), told(listing("9.1", "9.2", "9.3")), told(table()))
    assert [command.risk for command in ran] == [Risk.READ, Risk.LOAD]
    assert ran[1].argv == (
        *("pfdoctor", "lab", "run", "--source", "/src/wobble", "--kernels", "9.1,9.2,9.3"),
        *("--trigger", "cat '/proc/a b'"),
        *("--kernel-arg=slub_debug=FZPU", "--kernel-arg=wobble.depth=3", "--json"),
    )
    assert "3 virtual machines one after the other, 2 to 3 min in all" in ran[1].why
    assert ran[1].timeout > 3 * 400


def test_each_kernel_is_told_and_where_it_changes() -> None:
    rows = table(row("9.1", **CLEAN), row("9.2"), row("9.3", **UNBUILT))
    case, _, _ = follow(FAULTY, known(HERE), told(listing("9.1", "9.2", "9.3")), told(rows))
    said = texts(case.findings).splitlines()
    assert said[0] == "9.1: loads, no fault reported in 1 guest"
    assert said[1] == f"9.2: faults 1 of 1: {NULL}"
    assert said[2].startswith("9.3: does not build: wobble.c:3:1:")
    assert said[3].startswith("it builds up to 9.2, not on 9.3: device class API (wobble.c:3:")
    assert said[4] == "it faults from 9.2 on, not on 9.1; first bad kernel 9.2"
    assert [f.mark for f in case.findings][:3] == [Mark.NEUTRAL, Mark.BAD, Mark.NEUTRAL]
    assert case.facts["reproduce.on_kernels"].value == "faults"
    assert case.facts["reproduce.which_kernels"].value == ("9.2",)
    assert '"9.2"' in rows.split("\n")[(case.findings[1].source.line or 0) - 1]


@pytest.mark.parametrize(
    ("rows", "word", "which"),
    [
        ((row("9.1", **CLEAN), row("9.2", **CLEAN)), "clean", ("9.1", "9.2")),
        ((row("9.1", **CLEAN), row("9.2", **UNBUILT)), "unfit", ("9.2",)),
        ((row("9.1"), row("9.2", **UNBUILT)), "faults", ("9.1",)),
    ],
)
def test_the_fixed_module_is_judged_on_each(
    rows: tuple[dict[str, Any], ...], word: str, which: tuple[str, ...]
) -> None:
    case, _, _ = follow(FIXED, known(CHANGED), told(listing("9.1", "9.2")), told(table(*rows)))
    assert case.facts["validate.on_kernels"].value == word
    assert case.facts["validate.which_kernels"].value == which
    assert not case.has("reproduce.on_kernels")


def test_the_fixed_module_is_only_tried_once_something_was_changed() -> None:
    assert next_command(FIXED, known(HERE)) is None
    assert isinstance(next_command(FIXED, known(HERE | {"fix.built": True})), Command)


@pytest.mark.parametrize(
    "missing",
    [
        {"given.source_dir": ""},
        {"host.programs": ("make",)},
        {"verdict.attribution": "hardware"},
    ],
)
def test_it_is_not_proposed_where_it_tells_nothing(missing: dict[str, Value]) -> None:
    assert next_command(FAULTY, known(HERE | missing)) is None


def test_without_another_kernel_it_is_told_how_to_get_one() -> None:
    case, ran, _ = follow(FAULTY, known(HERE), told(listing("9.1")))
    assert len(ran) == 1
    assert texts(case.findings) == (
        "To try it on another kernel too, fetch one: pfdoctor lab kernels fetch 9.9"
    )


def test_what_an_earlier_pass_found_does_not_count_for_this_one() -> None:
    facts = CHANGED | {"validate.on_kernels": "faults"}
    cancelled = told(status=ResultStatus.CANCELLED)
    case, _, _ = follow(FIXED, known(facts), told(listing("9.1", "9.2")), cancelled)
    assert case.facts["validate.on_kernels"].value == "untried"


@pytest.mark.parametrize("output", ["", "[]", '{"kernels": 3}', "x" * 999, '{"kernels": [{}]}'])
def test_a_damaged_list_is_told_and_nothing_is_run(output: str) -> None:
    case, ran, _ = follow(FAULTY, known(HERE), told(output))
    assert len(ran) == 1
    assert "could not be read" in texts(case.findings)


@pytest.mark.parametrize(
    ("output", "errors", "status", "said"),
    [
        ("", "pfdoctor: the lab lacks qemu; apt install qemu\n", ResultStatus.FAILED, "lacks qemu"),
        ("", "", ResultStatus.CANCELLED, "was cancelled"),
        ('{"kernels": []}', "", ResultStatus.OK, "no table"),
        ('{"kernels": [{"kernel": 1}]}', "", ResultStatus.OK, "no table"),
    ],
)
def test_why_the_kernels_were_not_tried_is_told(
    output: str, errors: str, status: ResultStatus, said: str
) -> None:
    answer = told(output, errors=errors, status=status)
    case, _, _ = follow(FAULTY, known(HERE), told(listing("9.1", "9.2")), answer)
    assert said in texts(case.findings)
    assert case.facts["reproduce.on_kernels"].value == "untried"


def test_hostile_names_become_no_argument_and_hostile_text_is_harmless() -> None:
    names = ("--json", "9.1", "a b", "9.2", "../x", "\x1b[2J")
    rows = table(row("9.1\x1b[2J", builds=False, error="\x1b]52;c;x\x07" * 99), row("9.2"))
    case, ran, _ = follow(FAULTY, known(HERE), told(listing(*names)), told(rows))
    assert ran[1].argv[6] == "9.1,9.2"
    assert "\x1b" not in texts(case.findings)


def test_a_trigger_that_cannot_be_read_is_told() -> None:
    case: Case = known(HERE | {"given.trigger": "cat 'x"})
    _, ran, end = follow(FAULTY, case, told(listing("9.1", "9.2")))
    assert len(ran) == 1
    assert isinstance(end, Blocked)
