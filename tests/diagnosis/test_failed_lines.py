"""Of a log without a fault of the kernel it is told what failed: the person came for something."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnosis.logs import stamped
from pagefault_doctor import klog
from pagefault_doctor.cli.main import main
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import Diagnosis, RootCause


def verdict(*lines: str) -> Diagnosis:
    return diagnose((klog.read(stamped(*lines).encode(), "log"),), {}).verdict


@pytest.mark.parametrize(
    ("line", "what", "situation"),
    [
        ("softdog: Initiating system reboot", "a watchdog restarted", "restarted-by-a-watchdog"),
        ("quay 0000:02:00.0: PM: failed to suspend async: error -110", "a suspend was given up",
         "suspend-refused"),
        ("quay 0000:02:00.0: PM: failed to resume: error -19", "did not come back",
         "not-back-from-suspend"),
        ("quay 0000:02:00.0: no suitable firmware found!", "no firmware", "firmware-missing"),
        ("quay 1-1: Failed to load firmware quay/a.bin", "no firmware", "firmware-not-found"),
        ("quay 1-1: probe with driver quay failed with error -22", "could not take its device",
         "probe-failed"),
        ("quay: probe of 1-1 failed with error -517", "could not take its device",
         "probe-not-ready"),
        ("usb 1-1-port2: unable to enumerate USB device", "a USB device does not answer",
         "usb-does-not-answer"),
        ("quay-pgc quay-domain.12: failed to command PGC", "did not get its power",
         "power-domain-does-not-start"),
        ("quay-pcie: Phy link never came up", "PCI Express", "pcie-does-not-start"),
        ("quay 2-1: Cannot attach to PHY (error: -19)", "network port", "something-failed"),
    ],
)  # fmt: skip
def test_what_failed_is_said_with_its_line_and_its_step(
    line: str, what: str, situation: str
) -> None:
    found = verdict("Linux version 6.1.0", "quay: ready", line)
    assert found.root_cause is RootCause.NONE
    assert found.summary.startswith("no crash, but ")
    assert what in found.summary
    assert [(quote.text, quote.line) for quote in found.facts] == [(line, 3)]
    assert found.next_step
    assert found.next_step.situation == situation


@pytest.mark.parametrize(
    "line",
    [
        "PM: suspend entry (s2idle)",
        "watchdog: watchdog0: watchdog did not stop!",
        "platform regulatory.0: Direct firmware load for regulatory.db failed with error -2",
        "quay 1-1: probe succeeded",
    ],
)
def test_what_is_ordinary_is_no_failure(line: str) -> None:
    assert verdict("Linux version 6.1.0", line).summary == "no fault found"


def test_the_answer_says_what_failed_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "kern.log"
    log.write_text(stamped("quay 0000:02:00.0: PM: failed to suspend: error -110"))
    assert main(["diagnose", str(log)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "no crash, but a suspend was given up" in said
    assert "-110 is ETIMEDOUT" in said
    assert said.count("failed to suspend: error -110") == 1
