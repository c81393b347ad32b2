"""What QEMU's events report of a guest."""

from __future__ import annotations

import pytest

from pagefault_doctor.lab.qmp import PANICKED, Event, end_of, paused

RUNS: Event = ("RESUME", "")


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((RUNS,), ""),
        ((RUNS, ("STOP", "")), ""),
        ((RUNS, ("SHUTDOWN", "guest-reset")), "it rebooted"),
        ((RUNS, ("SHUTDOWN", "guest-shutdown")), "shut down from inside"),
        ((RUNS, ("SHUTDOWN", "host-qmp-quit")), "it was ended"),
        ((RUNS, PANICKED, ("STOP", ""), ("SHUTDOWN", "host-qmp-quit")), "panicked"),
        ((RUNS, ("NEWER_EVENT", "nobody knows")), ""),
    ],
)
def test_the_first_event_that_ends_a_guest_says_why(events: tuple[Event, ...], told: str) -> None:
    said = end_of(events)
    assert told in said
    assert bool(told) is bool(said)


def test_a_guest_is_paused_from_a_stop_to_the_next_resume() -> None:
    assert not paused(())
    assert paused((RUNS, ("STOP", "")))
    assert not paused((RUNS, ("STOP", ""), RUNS))
