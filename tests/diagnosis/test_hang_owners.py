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


def hung(task: str, *trace: str, hardware: str = "") -> str:
    lines = (f" {frame}" for frame in trace)
    process = [f"CPU: 1 PID: 731 Comm: {task}", f"Hardware name: {hardware}"] if hardware else []
    head = f"INFO: task {task}:731 blocked for more than 120 seconds."
    return stamped(
        head,
        "      Not tainted 6.1.0-1-amd64 #1",
        f"task:{task:15} state:D stack:0 pid:731 ppid:2",
        *process,
        "Call Trace:",
        *lines,
    )


IO = ("__schedule+0x2/0x9", "io_schedule+0x4/0x9", "bit_wait_io+0x1/0x9", "quay_sync+0x3/0x9")


@pytest.mark.parametrize(
    ("text", "situation", "named"),
    [
        (hung("jbd2/vdb1-8", *IO), "hang-on-disk-of-host", "vdb1,"),
        (hung("jbd2/sda1-8", *IO), "hang-on-named-disk", "sda1:"),
        (hung("xfsaild/dm-0", *IO), "hang-on-named-disk", "dm-0:"),
        (hung("jbd2/nvme0n1p2-8", *IO), "hang-on-named-disk", "nvme0n1p2:"),
        (hung("quayd", *IO[:2], "jbd2_log_wait_commit+0x8/0x9"), "hang-on-journal", "quayd"),
        (hung("quayd", *IO, hardware="QEMU Standard PC"), "hang-on-storage-of-host", "host"),
        (hung("quayd", *IO, hardware="ACME Board"), "hang-on-storage", "storage"),
        (hung("jbd2/quay-8", *IO), "hang-on-storage", "storage"),
    ],
)
def test_a_task_that_waits_for_a_disk_is_sent_to_that_disk(
    text: str, situation: str, named: str
) -> None:
    found = verdict(text)
    assert found.next_step is not None
    assert (found.next_step.situation, named in found.next_step.why) == (situation, True)
    assert found.summary == "likely lockup or hang of a task that waits for storage"
    assert found.experiment is None


def test_a_task_that_waits_for_a_lock_does_not_wait_for_storage() -> None:
    found = verdict(hung("quayd", "__schedule+0x2/0x9", "__mutex_lock+0x4/0x9", "quay+0x3/0x9"))
    assert "storage" not in found.summary


def test_a_guest_that_stops_itself_did_not_hang_before() -> None:
    text = stamped(
        "watchdog: BUG: soft lockup - CPU#2 stuck for 23s! [quayd:731]",
        "Kernel panic - not syncing: softlockup: hung tasks",
        "CPU: 2 PID: 731 Comm: quayd Tainted: G             L    6.1.0-1-amd64 #1",
        "Hardware name: {}, BIOS 1.13",
    )
    found = verdict(text.format("QEMU Standard PC"))
    assert found.next_step is not None
    assert found.next_step.situation == "stall-panic-in-vm"
    assert any("L this soft lockup" in fact.means for fact in found.facts)
    machine = verdict(text.format("ACME Board")).next_step
    assert machine is not None
    assert machine.situation != "stall-panic-in-vm"


@pytest.mark.parametrize(
    ("comm", "function", "hardware", "is_idle"),
    [
        ("swapper/3", "native_safe_halt", "ACME Board", True),
        ("swapper/3", "native_safe_halt", "QEMU Standard PC", False),
        ("swapper/3", "tide_poll", "ACME Board", False),
        ("quayd", "native_safe_halt", "ACME Board", False),
    ],
)
def test_a_processor_that_was_idle_was_not_held_up(
    comm: str, function: str, hardware: str, is_idle: bool
) -> None:
    text = stamped(
        "rcu: INFO: rcu_sched self-detected stall on CPU",
        "rcu: \t3-....: (1 GPs behind) idle=4d2/1/0x4 softirq=20/20 fqs=1021",
        f"CPU: 3 PID: 0 Comm: {comm} Not tainted 5.10.0-21-amd64 #1 Debian",
        f"Hardware name: {hardware}",
        f"RIP: 0010:{function}+0xe/0x20",
    )
    step = verdict(text).next_step
    assert step is not None
    assert (step.situation == "stall-of-idle") is is_idle
