"""Every scenario's report with its module's file: the variable that held the bad pointer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.playbook import shelf
from requirements import require_program

Capture = pytest.CaptureFixture[str]
MODULES = [name for name in shelf.scenario_ids() if shelf.scenario(name).module]

POINTERS = {
    # The log has no bytes of the instruction; those of the file explain the address.
    "api-mismatch": ("seen->tank", "struct tank *", "rcx", "seen->tank->litres", None),
    "err-ptr": ("firmware", "struct file *", "rax", "firmware->f_inode", "filp_open"),
    "freed-notifier": ("account", "struct uplink_account *", "x4", "account->name", None),
    "null-deref-module": ("state", "struct faulty_state *", "rax", "state->status", None),
    "readonly-write": ("comma", "char *", "rax", "*comma", "strchr"),
    "use-after-free-timer": (
        "sensor->ops",
        "const struct thermo_ops *",
        "rax",
        "sensor->ops->read",
        None,
    ),
    "user-pointer": ("buf", "const char *", "rsi", "*buf", None),
    "wild-pointer": ("old", "struct sk_buff *", "rdi", "old->len", None),
}
"""The pointer's name and type, its register, what was accessed, and the function that gave it."""

NO_POINTER = {
    "divide-error": "a division went through no pointer",
    "double-free": "the allocator's own check stopped it, in the kernel",
    "double-list-del": "a check of the kernel stopped it",
    "memory-leak": "memory ran out, and no pointer was bad",
    "out-of-bounds-slab": "the allocator found the damage later",
    "page-state": "the kernel found a page in a wrong state",
    "poison-overwritten": "the allocator found the damage later",
    "soft-lockup": "a processor was stuck",
    "stack-overflow": "a string instruction cleared an array on the stack",
    "use-after-unload": "the code itself was gone",
}
"""Why a fault has no variable to name."""

INLINED = {
    "err-ptr": [("fwsize_look", "fwsize.c", "error = fwsize_look(strim(name));")],
    "readonly-write": [("modes_split", "modes.c", "int error = modes_split(modes);")],
    "divide-error": [
        ("pace_interval", "pace.c", "schedule_timeout_interruptible(pace_interval());")
    ],
}


def diagnosed(capsys: Capture, folder: Path, log: Path) -> dict[str, Any]:
    """Return the first report of a log, diagnosed with the modules of a folder."""
    assert main(["diagnose", "--json", "--module-dir", str(folder), str(log)]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)["reports"][0]
    return report


def with_its_module(scenario_id: str, capsys: Capture) -> dict[str, Any]:
    folder = shelf.scenario_folder(scenario_id)
    return diagnosed(capsys, folder, folder / "serial.log")


def test_every_module_scenario_is_told_of() -> None:
    assert set(POINTERS) | set(NO_POINTER) == set(MODULES)
    assert not set(POINTERS) & set(NO_POINTER)


@pytest.mark.parametrize("scenario_id", POINTERS)
def test_the_variable_that_held_the_bad_pointer_is_named(scenario_id: str, capsys: Capture) -> None:
    pointer = with_its_module(scenario_id, capsys)["pointer"]
    told = (pointer["name"], pointer["type"], pointer["register"], pointer["access"])
    assert (*told, pointer["returned_by"]) == POINTERS[scenario_id]


@pytest.mark.parametrize("scenario_id", NO_POINTER)
def test_of_a_fault_without_a_pointer_none_is_named(scenario_id: str, capsys: Capture) -> None:
    assert with_its_module(scenario_id, capsys)["pointer"] is None


@pytest.mark.parametrize("scenario_id", INLINED)
def test_functions_that_were_inlined_are_told_with_their_calls(
    scenario_id: str, capsys: Capture
) -> None:
    calls = with_its_module(scenario_id, capsys)["inlined"]
    assert [(call["function"], call["file"]) for call in calls] == [
        call[:2] for call in INLINED[scenario_id]
    ]
    for call, (_, file, text) in zip(calls, INLINED[scenario_id], strict=True):
        source = shelf.scenario_folder(scenario_id) / "src" / file
        assert source.read_text().splitlines()[call["line"] - 1].strip() == text


def test_the_other_variables_are_shown_with_their_values(capsys: Capture) -> None:
    report = with_its_module("wild-pointer", capsys)
    others = report["pointer"]["others"]
    told = [sentence["text"] for sentence in report["diagnosis"]["account"]["happened"]]
    assert any("packet (struct sk_buff *) was 0xffff" in text for text in told)
    values = {v["name"]: int(v["value"], 16) for v in others}
    # netdev_priv() is that far behind the device.
    assert values["wire"] - values["dev"] == 0x980


@pytest.mark.parametrize("scenario_id", MODULES)
def test_without_debug_information_the_cause_and_the_culprit_stay(
    scenario_id: str, tmp_path: Path, capsys: Capture
) -> None:
    arm64 = shelf.scenario(scenario_id).arch == "arm64"
    strip = "aarch64-linux-gnu-strip" if arm64 else "strip"
    require_program(strip)
    folder, scenario = shelf.scenario_folder(scenario_id), shelf.scenario(scenario_id)
    for module in folder.glob("*.ko"):
        bare = tmp_path / module.name
        subprocess.run([strip, "--strip-debug", "-o", str(bare), str(module)], check=True)
    report = diagnosed(capsys, tmp_path, folder / "serial.log")
    assert report["source_line"] is None
    found = report["diagnosis"]
    assert (found["root_cause"], found["attribution"], found["module"]) == (
        scenario.root_cause,
        scenario.attribution,
        scenario.blamed,
    )


def test_text_and_markdown_tell_the_variable_in_a_sentence(capsys: Capture) -> None:
    folder = shelf.scenario_folder("null-deref-module")
    words = ["--module-dir", str(folder), str(folder / "serial.log")]
    sentence = "state (struct faulty_state *) in RAX was NULL; the access is to state->status"
    for form in ([], ["--markdown"]):
        assert main(["diagnose", *form, *words]) == 0
        told = capsys.readouterr().out.replace("\\", "")
        assert sentence in " ".join(told.split())


def test_the_call_that_gave_an_error_is_known_then(capsys: Capture) -> None:
    account = with_its_module("err-ptr", capsys)["diagnosis"]["account"]
    assert any("filp_open() had returned" in sentence["text"] for sentence in account["came"])
    assert account["unknown"] == []
