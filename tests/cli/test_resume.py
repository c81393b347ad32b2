"""What `pfdoctor resume` prints for the person."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.cli.open_session import start_walk
from pagefault_doctor.cli.resume import BOOT_ID, has_rebooted
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import ResultStatus
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.session.event_log import encode
from pagefault_doctor.session.store import path_of, sessions_folder
from pagefault_doctor.session.walk import Walk
from terminal import open_terminal


@pytest.fixture
def walk() -> Walk:
    return start_walk(LocalHost(), saved=False)


def knowing(walk: Walk, boot_id: str) -> Walk:
    fact = Fact("host.boot_id", boot_id, Source("box"))
    walk.view = msgspec.structs.replace(walk.view, case=Case(facts={fact.name: fact}))
    return walk


def test_another_boot_is_noticed(walk: Walk) -> None:
    assert has_rebooted(knowing(walk, "5d3c1c8f-9a6b-4f0f-8a7c-6d5e4f3a2b1c"))


def test_the_same_boot_is_the_same(walk: Walk) -> None:
    with open(BOOT_ID) as file:
        assert not has_rebooted(knowing(walk, file.read().strip()))


def test_where_the_boot_was_never_known_nothing_is_said(walk: Walk) -> None:
    assert not has_rebooted(walk)


def kept(boot_id: str) -> None:
    """Keep a session of a machine in that boot, cut off in the middle of a command."""
    events: tuple[Event, ...] = (
        SessionStarted(id="s1", version="1", playbook="kernel-page-fault", host="box"),
        StepEntered(step="check-logs"),
        CommandStarted(number=1, step="check-logs", tool="box", argv=("sh",)),
        CommandFinished(number=1, status=ResultStatus.OK, output=f"boot_id={boot_id}\nend=.\n"),
        CommandStarted(number=2, step="check-logs", tool="dmesg", argv=("dmesg",)),
    )
    path = path_of(sessions_folder(), "s1")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(map(encode, events)))


@pytest.mark.parametrize("anew", [True, False])
def test_after_a_reboot_resume_says_so_and_goes_on_at_the_same_step(anew: bool) -> None:
    kept("5d3c1c8f-9a6b-4f0f-8a7c-6d5e4f3a2b1c" if anew else Path(BOOT_ID).read_text().strip())
    with open_terminal((sys.executable, "-m", "pagefault_doctor", "resume", "s1")) as terminal:
        said = terminal.until(b"1 of 7")
        terminal.type("q")
        assert terminal.wait() == 0
    assert (b"the machine was booted anew since; step 1 reads the log of the boot" in said) is anew
    assert b"command 2 was cut short: dmesg" in said
