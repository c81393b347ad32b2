"""What the person is told when a session is taken up again."""

from __future__ import annotations

import msgspec
import pytest

from pagefault_doctor.cli.begin import begin
from pagefault_doctor.cli.resume import BOOT_ID, was_booted_anew
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.session.walk import Walk


@pytest.fixture
def walk() -> Walk:
    return begin(LocalHost(), saved=False)


def knowing(walk: Walk, boot_id: str) -> Walk:
    fact = Fact("host.boot_id", boot_id, Source("box"))
    walk.view = msgspec.structs.replace(walk.view, case=Case(facts={fact.name: fact}))
    return walk


def test_another_boot_is_noticed(walk: Walk) -> None:
    assert was_booted_anew(knowing(walk, "5d3c1c8f-9a6b-4f0f-8a7c-6d5e4f3a2b1c"))


def test_the_same_boot_is_the_same(walk: Walk) -> None:
    with open(BOOT_ID) as file:
        assert not was_booted_anew(knowing(walk, file.read().strip()))


def test_where_the_boot_was_never_known_nothing_is_said(walk: Walk) -> None:
    assert not was_booted_anew(walk)
