"""Lines just before a report that tell of trouble are kept with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.main import main

OOPS = """\
[  100.000000] BUG: unable to handle page fault for address: fffffbfff80c609a
[  100.000001] #PF: supervisor read access in kernel mode
[  100.000002] Oops: 0000 [#1] PREEMPT SMP
[  100.000003] RIP: 0010:percpu_counter_destroy_many+0xf7/0x2a0
[  100.000004] ---[ end trace 0000000000000000 ]---
"""


def before(*lines: str) -> list[str]:
    log = "".join(f"{line}\n" for line in lines) + OOPS
    (report,) = klog.read(log.encode(), "log").reports
    return [line.text for line in report.before]


@pytest.mark.parametrize(
    "text",
    [
        "power-controller: failed to get ack on domain 'gpu'",
        "RPC: Unregistered rdma transport module.",
        "i2c i2c-3: Unbalanced pm_runtime_enable!",
        "get_swap_device: Bad swap offset entry 808000000",
        "usb 1-1: USB disconnect, device number 4",
    ],
)
def test_trouble_just_before_is_kept(text: str) -> None:
    assert before(f"[   99.500000] {text}") == [text]


@pytest.mark.parametrize(
    "line",
    [
        "[   90.000000] usb 1-1: USB disconnect, device number 4",
        "[   99.900000] usb 1-1: new high-speed USB device number 4 using xhci_hcd",
        "[   99.900000] systemd[1]: smbd.service: Failed with result 'exit-code'.",
        "[  100.900000] usb 1-1: USB disconnect, device number 4",
    ],
)
def test_what_is_old_or_ordinary_or_of_a_program_is_not(line: str) -> None:
    assert before(line) == []


def test_equal_lines_are_kept_once_and_the_nearest_two() -> None:
    bad = "[   99.500000] swap: Bad entry 1"
    assert before(bad, bad, bad) == ["swap: Bad entry 1"]
    many = [f"[   99.500000] disk {n}: reset" for n in range(4)]
    assert before(*many) == ["disk 2: reset", "disk 3: reset"]


def test_without_a_clock_only_the_last_lines_count() -> None:
    far = ["usb 1-1: USB disconnect", *["x: y"] * 8]
    plain = "\n".join(line[15:] for line in OOPS.splitlines())
    for lines, found in ((far, []), (far[:1], ["usb 1-1: USB disconnect"])):
        log = "\n".join([*lines, plain]) + "\n"
        (report,) = klog.read(log.encode(), "log").reports
        assert [line.text for line in report.before] == found


def test_the_answer_quotes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "kern.log"
    log.write_text("[   99.500000] i2c i2c-3: Unbalanced pm_runtime_enable!\n" + OOPS)
    assert main(["diagnose", str(log)]) == 0
    assert "    1  i2c i2c-3: Unbalanced pm_runtime_enable!: just before" in capsys.readouterr().out


DRIVER = OOPS.replace("percpu_counter_destroy_many+0xf7/0x2a0", "quay_drain+0x34/0x90 [quay_core]")
OTHERS = [f"[   99.900000] pier {n}: ready" for n in range(8)]


def of_driver(*lines: str, report: str = DRIVER) -> list[str]:
    log = "".join(f"{line}\n" for line in lines) + report
    (found,) = klog.read(log.encode(), "log").reports
    return [line.text for line in found.before]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("quay_core: firmware crashed", True),
        ("quay_pci 0000:01:00.0: firmware crashed", True),
        ("[drm:quay_job [quay_core]] *ERROR* ring timed out", True),
        ("quay-pci 0000:01:00.0: link is down", True),
        ("quay_pci 0000:01:00.0: version 4.2", False),
        ("pier 0000:01:00.0: firmware crashed", False),
    ],
)
def test_what_the_driver_itself_said_counts_from_further_up(text: str, *, kept: bool) -> None:
    assert of_driver(f"[   90.000000] {text}", *OTHERS) == [text] * kept


def test_of_what_the_driver_said_the_first_line_and_the_last_are_kept() -> None:
    said = [f"quay_core: {text}" for text in ("crashed", "timed out", "bad", "not ready")]
    lines = [f"[   95.000000] {text}" for text in said]
    assert of_driver(*lines, *OTHERS) == [said[0], *said[-2:]]


def test_what_the_task_of_the_report_said_counts_from_further_up() -> None:
    report = "".join(f"{line[:14]}[  T71]{line[14:]}\n" for line in OOPS.splitlines())
    own, other = "[   90.000000][  T71] disk: reset", "[   90.000000][  T72] pier: reset"
    assert of_driver(own, other, report=report) == ["disk: reset"]


def test_what_a_task_waits_for_may_have_been_said_minutes_before() -> None:
    hung = """\
[  500.000000] INFO: task rsync:301 blocked for more than 120 seconds.
[  500.000001] Call Trace:
[  500.000002]  schedule+0x46/0xb0
[  500.000003]  quay_wait+0x1e/0xa0 [quay]
"""
    assert of_driver("[  320.000000] quay: server not responding", report=hung)
    assert not of_driver("[  320.000000] pier: server not responding", report=hung)
