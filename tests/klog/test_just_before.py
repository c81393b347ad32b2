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
