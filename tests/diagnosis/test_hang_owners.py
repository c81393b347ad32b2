"""Who a hang waits for, and how sure an answer is that names neither an owner nor a part."""

from __future__ import annotations

import pytest

from diagnosis.logs import stamped, verdict

HEAD = "watchdog: BUG: soft lockup - CPU#2 stuck for 23s! [kworker/2:1:731]"
PROCESS = "CPU: 2 PID: 731 Comm: kworker/2:1 Not tainted 6.1.0-1-amd64 #1"
WAITING = "RIP: 0010:native_queued_spin_lock_slowpath+0x6e/0x1c0"
LOCK = "_raw_spin_lock_irqsave+0x3d/0x50"
TWICE = ("tide_update+0x23/0x110", "tide_alarm+0x11/0x30", "timer_ring+0x55/0x90")


def lockup(*trace: str, place: str = WAITING) -> str:
    lines = (f" {frame}" for frame in trace)
    return stamped(HEAD, PROCESS, place, "Call Trace:", " <TASK>", *lines, " </TASK>")


def test_a_function_that_was_called_on_top_of_itself_waits_for_itself() -> None:
    found = verdict(lockup(LOCK, *TWICE, "tide_update+0xea/0x110", "tide_set+0x9/0x20"))
    assert found.next_step is not None
    assert found.next_step.situation == "locked-twice"
    assert found.next_step.why.startswith("tide_update was called again on top of itself")
    assert any("tide_update again further out" in fact.means for fact in found.facts)
    assert found.confidence >= 0.9


@pytest.mark.parametrize(
    "text",
    [
        lockup(LOCK, *TWICE, "tide_start+0xea/0x110"),
        lockup(LOCK, *TWICE, "? tide_update+0xea/0x110"),
        lockup(
            "tide_wait+0x3/0x9", *TWICE, "tide_update+0xea/0x110", place="RIP: 0010:tide+0x1/0x9"
        ),
        lockup(LOCK, "vfs_read+0x9/0x20", "tide_read+0x1/0x9", "vfs_read+0x9/0x20"),
    ],
    ids=["once", "unsure", "no lock", "of many traces"],
)
def test_no_other_trace_shows_a_lock_taken_twice(text: str) -> None:
    found = verdict(text)
    assert found.next_step is not None
    assert found.next_step.situation != "locked-twice"
    assert not any("again further out" in fact.means for fact in found.facts)


def test_a_hang_without_an_owner_is_not_said_for_sure() -> None:
    found = verdict(lockup(LOCK, *TWICE[:1], "tide_start+0xea/0x110"))
    assert found.root_cause == "lockup-hang"
    assert 0.75 <= found.confidence < 0.9


@pytest.mark.parametrize(
    ("line", "sure"),
    [
        ("mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: b200000000070f0f", True),
        ("EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#1_DIMM#0", True),
        ("hwmon hwmon1: Undervoltage detected!", True),
        ("NVRM: GPU 0000:b3:00.0: fallen off the bus and is not responding to commands.", False),
        ("Uhhuh. NMI received for unknown reason 2d on CPU 3.", False),
    ],
)
def test_hardware_is_said_for_sure_only_where_the_part_is_named(line: str, sure: bool) -> None:
    found = verdict(stamped(line))
    assert found.root_cause == "hardware"
    assert (found.confidence >= 0.9) is sure
