"""What the steps tell of programs that died, memory that ran out and parts that broke."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pagefault_doctor import klog
from pagefault_doctor.model.event import LogRead, SessionStarted
from pagefault_doctor.playbook import shelf
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.case_notes.memory_figures import MemoryFigures
from pagefault_doctor.session.chosen_playbook import playbook_of
from pagefault_doctor.session.view import Fold, View
from pagefault_doctor.tools import TOOLS
from session.logs_from_elsewhere import DISK, GROUP, LOGS, MACHINE_CHECK, OOM, PANIC, SEGFAULT

NO_LIMIT = OOM.replace("tomato", "leek")


def view_of(text: str) -> View:
    log = klog.read(text.encode(), "case.log")
    book = shelf.playbook(playbook_of((log,)))
    given = {"log_of": "another"}
    started = SessionStarted(id="s", version="1", playbook=book.id, host="carrot", given=given)
    return Fold(TOOLS, bundled_only=True).replay((started, LogRead(log=log)), book)


def told(text: str, step: str) -> str:
    return " | ".join(note.text for note in case_notes(view_of(text), step))


@pytest.mark.parametrize(
    ("text", "step", "words"),
    [
        (OOM, "measure-pressure", "No limit of a group was hit: the whole machine ran out"),
        (OOM, "measure-pressure", "In the zone Normal 39 MiB were free, below the 42 MiB"),
        (OOM, "measure-pressure", "That machine has no swap."),
        (GROUP, "measure-pressure", "group /system.slice/tomato.service was hit, not the end"),
        (GROUP, "measure-pressure", "512 MiB of 512 MiB in use, 312 times so far"),
        (OOM, "find-consumer", "killed tomato[900], which held 1718 MiB of its own"),
        (OOM, "find-consumer", "nginx asked for memory at that moment"),
        (OOM, "find-consumer", "tomato 1718 MiB, nginx 20 MiB in 2 processes; all together 1738"),
        (OOM, "find-consumer", "46 MiB in the kernel's own objects (slab_unreclaimable, 2% of all"),
        (OOM, "find-consumer", "7 MiB in shared memory and tmpfs (shmem)"),
        (OOM, "reproduce", "systemd-run --scope -p MemoryMax=1760000K COMMAND"),
        (GROUP, "reproduce", "systemd-run --scope -p MemoryMax=524288K COMMAND"),
        (OOM, "relieve", "sudo systemctl set-property tomato.service MemoryMax=1375M"),
        (OOM, "relieve", "Swap would give it time; that machine has none."),
        (GROUP, "relieve", "systemctl show tomato.service -p MemoryMax,MemoryHigh,MemoryPeak"),
        (OOM, "validate", "tomato levels off below the 1718 MiB that it held"),
        (GROUP, "validate", "stays below 512 MiB, and its count of failures"),
        (SEGFAULT, "examine-core", "It was to read NULL plus 0x18, a member of a structure"),
        (SEGFAULT, "examine-core", "It died at libplot.so.2+0x4d5e"),
        (SEGFAULT, "examine-core", "coredumpctl info 812"),
        (SEGFAULT, "reproduce", "gardener died 2 times in this log, at the same place each time"),
        (SEGFAULT, "reproduce", "valgrind --track-origins=yes gardener ARGUMENTS"),
        (SEGFAULT, "rule-out-hardware", "2 times at one place, and nothing else did"),
        (MACHINE_CHECK, "identify-module", "On that machine: Bank 4: not corrected"),
        (MACHINE_CHECK, "reproduce", "Whether bank 4 speaks again"),
        (MACHINE_CHECK, "validate", "without a report of bank 4 in the log"),
        (DISK, "identify-module", "Swap the cable of ata3.00"),
        (DISK, "reproduce", "smartctl -x /dev/sdb; smartctl -t long /dev/sdb"),
        (DISK, "validate", "without an error of sdb in the log"),
    ],
)
def test_a_step_tells_what_the_log_has_of_it(text: str, step: str, words: str) -> None:
    assert words in told(text, step)


def test_deaths_of_several_programs_speak_of_what_they_share() -> None:
    other = SEGFAULT.replace("gardener[930]", "painter[930]").replace("9000]\n", "9000]\n")
    text = told(other, "rule-out-hardware")
    assert "2 programs died in this log (gardener, painter)" in text
    assert "sudo memtester" in text


def test_one_death_says_nothing_of_the_hardware() -> None:
    one = SEGFAULT.rpartition("[   78.000001]")[0]
    assert told(one, "rule-out-hardware") == ""


def test_the_kernels_own_memory_is_told_where_it_is_much() -> None:
    much = OOM.replace("slab_unreclaimable:12000", "slab_unreclaimable:300000")
    assert "the kernel or a module holds it" in told(much, "find-consumer")
    assert "slabtop" in told(much, "relieve")
    assert "set-property" not in told(much, "relieve")


def test_a_log_without_figures_tells_none() -> None:
    for step in ("measure-pressure", "find-consumer"):
        assert told(PANIC, step) == ""
    assert "When it faulted" not in told(PANIC, "reproduce")


def test_a_limit_of_a_container_is_raised_where_it_was_set() -> None:
    docker = GROUP.replace("/system.slice/tomato.service", "/docker/0a1b2c")
    assert "docker update --memory" in told(docker, "relieve")
    assert "systemctl" not in told(docker, "relieve")


def test_the_size_of_a_page_is_that_of_the_machine_or_not_told() -> None:
    large = OOM.replace("anon-rss:1760000kB", "anon-rss:28160000kB")
    report = view_of(large).case.reports[0]
    assert MemoryFigures(report).page == 64
    bare = structs.replace(report, arch=None, details={})
    assert MemoryFigures(bare).size(7) == "7 pages"


def test_the_verdict_of_a_machine_that_ran_out_is_no_limit_of_a_group() -> None:
    step = view_of(NO_LIMIT).opinion.verdict.next_step
    assert step is None or "own limit" not in step.why


@pytest.mark.parametrize("log", LOGS)
def test_no_note_is_a_sentence_of_unknowns(log: str) -> None:
    view = view_of(LOGS[log][0])
    found = [note for step in view.playbook.steps for note in case_notes(view, step.id)]
    assert not [note.text for note in found if "None" in note.text or "[?]" in note.text]
    assert len({note.text for note in found}) == len(found), "nothing is said twice"


@pytest.mark.parametrize(
    ("was", "evil"),
    [
        ("gardener", "x;reboot"),
        ("libplot.so.2", "$(reboot)"),
        ("tomato.service", "a;reboot.service"),
        ("tomato.service", "$(reboot).service"),
        ("dev sdb", "dev sd;reboot"),
        ("Bank 4", "Bank $(reboot)"),
    ],
)
def test_text_of_a_log_never_gets_into_a_command(was: str, evil: str) -> None:
    commands = (
        "addr2line",
        "valgrind",
        "coredumpctl",
        "systemctl",
        "systemd-run",
        "sudo",
        "stress",
    )
    for text, _ in LOGS.values():
        view = view_of(text.replace(was, evil))
        found = [n.text for step in view.playbook.steps for n in case_notes(view, step.id)]
        assert not [t for t in found if t.startswith(commands) and "reboot" in t]


def test_the_command_for_the_line_is_one_that_a_shell_takes() -> None:
    (command,) = [
        note.text
        for note in case_notes(view_of(SEGFAULT), "examine-core")
        if note.text.startswith("addr2line")
    ]
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0
    assert "0x4d5e" in command


@given(st.data())
def test_figures_are_read_from_any_text(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(OOM)))
    junk = data.draw(st.text(max_size=20))
    for report in klog.read((OOM[:at] + junk + OOM[at + 9 :]).encode(), "x").reports:
        figures = MemoryFigures(report)
        for name in ("page", "by_name", "group", "limit", "zone", "swap_kb", "swap_left_kb"):
            getattr(figures, name)
        assert figures.killed_kb >= 0
