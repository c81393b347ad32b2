"""Whose a given log is, from what it and the box say of themselves."""

from __future__ import annotations

import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.fact import Fact, Source, Value
from pagefault_doctor.model.given_input import ANOTHER_MACHINE, THIS_BOX
from pagefault_doctor.tools.log_machine import LogMachine, log_machine

DISK = "11111111-2222-3333-4444-555555555555"
OTHER_DISK = "66666666-2222-3333-4444-555555555555"
BOX = {
    "host.name": "carrot.example.org",
    "host.kernel": "6.9.1-amd64",
    "host.machine": "x86_64",
    "host.hardware": "ThinkStation P3",
    "host.boot_id": "0a0a0a0a-1b1b-2c2c-3d3d-4e4e4e4e4e4e",
    "host.command_line": f"BOOT_IMAGE=/vmlinuz root=UUID={DISK} ro quiet",
}
REPORT = """\
{0}BUG: kernel NULL pointer dereference, address: 0000000000000010
{0}#PF: supervisor read access in kernel mode
{0}#PF: error_code(0x0000) - not-present page
{0}Oops: 0000 [#1] PREEMPT SMP
{0}CPU: 1 PID: 77 Comm: cat Not tainted {1} #1
{0}Hardware name: {2}, BIOS 1.0 01/01/2024
{0}RIP: 0010:radish_show+0x11/0x40
"""


def report(prefix: str = "", release: str = "6.9.1-amd64", hardware: str = "Maker Board X") -> str:
    return REPORT.format(prefix, release, hardware)


def of(text: str, **changed: str) -> LogMachine:
    given = {"given.log": "file.log", **BOX}
    given |= {name.replace("_", ".", 1): value for name, value in changed.items()}
    facts = {name: Fact(name, value, Source("box")) for name, value in given.items() if value}
    found = log_machine(Case(facts=facts, logs=(klog.read(text.encode(), "file.log"),)))
    assert found
    return found


def test_only_a_given_log_has_a_machine_to_be_found() -> None:
    log = klog.read(report().encode(), "dmesg")
    assert log_machine(Case(logs=(log,))) is None


@pytest.mark.parametrize(
    "prefix",
    [
        "Mar  3 10:00:01 {} kernel: [   77.000000] ",
        "2026-03-03T10:00:01.000000+01:00 {} kernel: ",
        "[   77.000000] {} kernel: ",
        "<4>1 2026-03-03T10:00:01Z {} kernel - - - ",
    ],
)
def test_the_name_of_the_host_decides(prefix: str) -> None:
    same = of(report(prefix.format("carrot"), hardware="ThinkStation P3"))
    assert (same.of, same.sure, same.host) == (THIS_BOX, True, "carrot")
    other = of(report(prefix.format("turnip"), hardware="ThinkStation P3"))
    assert (other.of, other.sure, other.host) == (ANOTHER_MACHINE, True, "turnip")
    assert other.why == "the log's machine is called turnip, this box carrot.example.org"
    assert other.signs[0].line == 1


def test_a_name_that_many_machines_have_decides_nothing() -> None:
    prefix = "Mar  3 10:00:01 localhost kernel: "
    found = of(report(prefix, hardware="ThinkStation P3"), host_name="localhost")
    assert (found.of, found.sure) == (THIS_BOX, False)
    found = of(report(prefix, hardware="ThinkStation P3"))
    assert (found.of, found.sure) == (THIS_BOX, False)


def test_other_hardware_is_another_machine() -> None:
    found = of(report(hardware="Dell Inc. PowerEdge R640/0X45NX"))
    assert (found.of, found.sure) == (ANOTHER_MACHINE, True)
    assert "PowerEdge" in found.why
    assert found.signs[0].line == 6


def test_a_virtual_machine_of_the_same_kind_decides_nothing() -> None:
    model = "QEMU Standard PC (Q35 + ICH9, 2009)"
    found = of(report(hardware=model), host_hardware="Standard PC (Q35 + ICH9, 2009)")
    assert (found.of, found.sure) == (THIS_BOX, False)


@pytest.mark.parametrize(("disk", "whose"), [(DISK, THIS_BOX), (OTHER_DISK, ANOTHER_MACHINE)])
def test_the_disk_on_the_command_line_decides(disk: str, whose: str) -> None:
    boot = (
        "[    0.000000] Linux version 6.9.1-amd64 (gcc) #1 SMP\n"
        f"[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=UUID={disk} ro\n"
    )
    found = of(boot + report("[   77.000000] "), host_hardware="")
    assert (found.of, found.sure) == (whose, True)
    assert found.signs[0].line == 2


def test_the_id_of_the_boot_decides() -> None:
    journal = f"-- Boot {BOX['host.boot_id'].replace('-', '')} --\n"
    found = of(journal + report(), host_hardware="")
    assert (found.of, found.sure, found.why) == (THIS_BOX, True, "the log is of this very boot")


def test_another_architecture_is_another_machine() -> None:
    text = """\
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010
Internal error: Oops: 0000000096000004 [#1] SMP
CPU: 1 PID: 77 Comm: cat Not tainted 6.9.1-amd64 #1
pc : radish_show+0x10/0x40
lr : sysfs_kf_seq_show+0x80/0x100
x29: ffff800081b6bc70 x28: ffff0000c0a3a1c0 x27: 0000000000000000
"""
    found = of(text)
    assert (found.of, found.sure) == (ANOTHER_MACHINE, True)
    assert "arm64" in found.why


def test_another_kernel_alone_leaves_it_open() -> None:
    found = of(report(release="5.4.0-99-generic"), host_hardware="")
    assert (found.of, found.sure) == (ANOTHER_MACHINE, False)
    named = of(report("Mar  3 10:00:01 carrot kernel: ", release="5.4.0-99"), host_hardware="")
    assert (named.of, named.sure) == (THIS_BOX, True)


def test_signs_that_contradict_each_other_decide_nothing() -> None:
    found = of(report("Mar  3 10:00:01 carrot kernel: ", hardware="Dell Inc. PowerEdge R640"))
    assert not found.sure


@pytest.mark.parametrize("said", [THIS_BOX, ANOTHER_MACHINE])
def test_what_the_person_says_decides(said: str) -> None:
    for name in ("carrot", "turnip"):
        found = of(report(f"Mar  3 10:00:01 {name} kernel: "), given_log_of=said)
        assert (found.of, found.sure, found.why) == (said, True, "you said so")


def test_of_a_log_of_two_boots_the_one_with_the_report_counts() -> None:
    line = "Mar  3 10:00:0{} {} kernel: [    0.000000] Linux version 6.9.1-amd64 (gcc) #1 SMP\n"
    text = line.format(1, "turnip") + report("Mar  3 10:00:01 turnip kernel: [    9.000000] ")
    text += line.format(2, "carrot") + "Mar  3 10:00:03 carrot kernel: [    1.000000] fine\n"
    assert of(text, host_hardware="").host == "turnip"


def test_a_log_that_has_nothing_in_common_with_the_box_is_taken_for_another_machines() -> None:
    """No command is then run here for nothing; the person can say that it is of this box."""
    piece = "BUG: stack guard page was hit at 0000000012345678 in radish_show [radish]\n"
    found = of(piece)
    assert (found.of, found.sure, found.why) == (ANOTHER_MACHINE, False, "the log names no machine")
    assert of(piece, given_log_of=THIS_BOX).of == THIS_BOX


def test_before_the_box_was_asked_that_is_told() -> None:
    unasked = {name.replace(".", "_", 1): "" for name in BOX}
    found = of(report(), **unasked)
    assert (found.of, found.sure) == (ANOTHER_MACHINE, False)
    assert found.why == "this box was not asked yet"


@pytest.mark.parametrize(
    ("loaded", "whose", "words"),
    [
        (10, THIS_BOX, "10 of the 10 modules in the log are loaded here"),
        (2, ANOTHER_MACHINE, "only 2 of the 10 modules in the log are loaded here"),
        (6, ANOTHER_MACHINE, ""),
    ],
)
def test_the_modules_that_are_loaded_lean_one_way_or_the_other(
    loaded: int, whose: str, words: str
) -> None:
    names = [f"radish{number}" for number in range(10)]
    text = report(release="", hardware="") + f"Modules linked in: {' '.join(names)}\n"
    log = klog.read(text.encode(), "file.log")
    values: dict[str, Value] = {"given.log": "file.log", "host.modules": (*names[:loaded], "ext4")}
    facts = {name: Fact(name, value, Source("box")) for name, value in values.items()}
    found = log_machine(Case(facts=facts, logs=(log,)))
    assert found
    assert (found.of, found.sure) == (whose, False)
    assert not words or found.why == words


def test_a_few_modules_tell_nothing() -> None:
    text = report(release="", hardware="") + "Modules linked in: radish turnip\n"
    log = klog.read(text.encode(), "file.log")
    values: dict[str, Value] = {"given.log": "file.log", "host.modules": ("ext4",)}
    facts = {name: Fact(name, value, Source("box")) for name, value in values.items()}
    found = log_machine(Case(facts=facts, logs=(log,)))
    assert found
    assert not any("modules" in sign.text for sign in found.signs)
