"""`pfdoctor report --for-tracker`: a report to send, of a log or of a session."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from diagnosis.logs import BANNER, page_fault, stamped
from pagefault_doctor.cli.main import main
from pagefault_doctor.playbook.shelf import recording_path

Capture = pytest.CaptureFixture[str]
PLACE = "rtw_pci_napi_poll+0x24/0x90 [rtw88_pci]"
OF_THE_TREE = page_fault(
    "0000000000000008", place=PLACE, modules="rtw88_pci rtw88_core", tainted="Not tainted "
)


def told(capsys: Capture, log: Path, text: str, *options: str) -> str:
    """Return the report of a log, without the backslashes of Markdown."""
    log.write_text(text)
    assert main(["report", "--for-tracker", *options, str(log)]) == 0
    return capsys.readouterr().out.replace("\\", "")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "kern.log"


def test_it_tells_what_a_tracker_asks_for(log: Path, capsys: Capture) -> None:
    out = told(capsys, log, stamped("all is well", at=1.0) * 2 + OF_THE_TREE)
    assert out.startswith("# BUG: unable to handle kernel NULL pointer dereference in rtw_pci_napi")
    for line in (
        "bad-access in rtw_pci_napi_poll",
        "- REALTEK WIRELESS DRIVER (rtw88), for drivers/net/wireless/realtek/rtw88",
        "- mailing list: linux-wireless@vger.kernel.org",
        "- kernel: 6.1.0-1-amd64, x86_64",
        "- not tainted",
        "- module: rtw88_pci",
        "- hardware: ACME Board/B1",
        "- firmware: 1.0 01/01/2020",
        f"RIP: 0010:{PLACE}",
        "- for: fault address 0x8, a member at offset 0x8 of NULL (line 3)",
        "- against: nothing found",
        "- the first bad and the last good kernel: only 6.1.0-1-amd64 was seen",
        "- what was tried: nothing but reading, as far as pfdoctor knows",
    ):
        assert f"\n{line}\n" in out, line
    assert "\nLines 3 to 17 of the log;" in out
    # A kernel with a name of its own is not of kernel.org.
    assert "6.1.0-1-amd64 is no release of kernel.org: whoever built the kernel" in out
    # Sections without content are left out.
    assert "## Kernels with it" not in out
    assert "## What was tried" not in out


def test_a_kernel_of_kernel_org_goes_straight_to_the_list(log: Path, capsys: Capture) -> None:
    out = told(capsys, log, OF_THE_TREE.replace("6.1.0-1-amd64", "6.12.3-rc2+"))
    assert "- kernel: 6.12.3-rc2+, x86_64" in out
    assert "kernel.org: whoever" not in out


def test_a_module_from_outside_goes_to_its_project(log: Path, capsys: Capture) -> None:
    out = told(capsys, log, page_fault("8", place="zap_x+0x1/0x9 [zfs]", modules="zfs(POE)"))
    assert "- tracker: https://github.com/openzfs/zfs/issues\n" in out
    assert "mailing list:" not in out
    assert "- module: zfs, from outside the kernel\n" in out
    assert "- the version of zfs: modinfo zfs prints it\n" in out
    assert "try without them" not in out


def test_modules_from_outside_are_named_to_a_subsystem(log: Path, capsys: Capture) -> None:
    text = page_fault("8", place=PLACE, modules="zfs(POE) rtw88_pci")
    out = told(capsys, log, text)
    assert "- modules from outside the kernel were loaded: zfs; try without them\n" in out


def test_nothing_is_claimed_that_the_log_does_not_show(log: Path, capsys: Capture) -> None:
    text = page_fault("8", place="start+0x1/0x9 [nobody]", modules="nobody(OE)")
    out = told(capsys, log, "".join(x for x in text.splitlines(True) if "Hardware" not in x))
    assert "## Where to send it" not in out
    assert "- who takes reports: the project of the module is not known here\n" in out
    assert "- the machine and its firmware: the line Hardware name is not in the report\n" in out
    assert "hardware:" not in out.replace("and its firmware:", "")


def test_boots_with_and_without_it_are_told(log: Path, capsys: Capture) -> None:
    calm = stamped(BANNER.replace("6.1.0-1", "6.0.9-1"), "all is well", at=0.0)
    out = told(capsys, log, calm + stamped(BANNER, at=0.0) + OF_THE_TREE)
    assert "- boot 1 of the log, 6.0.9-1-amd64: it is not in the log, which does not prove" in out
    assert "- boot 2 of the log, 6.1.0-1-amd64: it came\n" in out
    assert "the first bad and the last good" not in out


def test_names_are_taken_out_on_wish(log: Path, capsys: Capture) -> None:
    text = OF_THE_TREE.replace("Hardware name: ACME", "Hardware name: SECRETWORD")
    assert "SECRETWORD" in told(capsys, log, text)
    out = told(capsys, log, text, "--redact-word", "SECRETWORD")
    assert "SECRETWORD" not in out
    assert "Redacted on request: 1 word of yours" in out
    assert "linux-wireless@vger.kernel.org" in out


def test_the_text_of_the_kernel_is_bounded(log: Path, capsys: Capture) -> None:
    trace = tuple(f"frame_{n}+0x1/0x2" for n in range(900))
    out = told(capsys, log, page_fault("8", place=PLACE, modules="rtw88_pci", trace=trace))
    shown = out.partition("## The kernel's report")[2].partition("\n## ")[0].splitlines()
    assert 200 < len(shown) < 212
    assert "more lines" in " ".join(shown)
    assert max(map(len, shown)) <= 400


def test_standard_input_is_a_log(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(OF_THE_TREE.encode())))
    assert main(["report", "--for-tracker", "-"]) == 0
    assert "linux-wireless@" in capsys.readouterr().out


def test_a_session_tells_what_was_tried(capsys: Capture) -> None:
    recorded = recording_path("null-deref-module")
    assert main(["report", "--for-tracker", str(recorded)]) == 0
    out = capsys.readouterr().out.replace("\\", "")
    tried = out.partition("## What was tried\n")[2]
    assert "insmod" in tried
    assert "- faulty, built for: 6.1.0-56-cloud-amd64 SMP preempt mod_unload modversions" in out
    assert "(modinfo faulty, line" in out
    assert "what was tried: nothing" not in out


def test_a_log_without_a_fault_has_nothing_to_report(log: Path, capsys: Capture) -> None:
    log.write_text("[    1.000000] all is well\n")
    assert main(["report", "--for-tracker", str(log)]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "there is no fault to report" in err


def test_other_formats_are_refused(log: Path, capsys: Capture) -> None:
    log.write_text(OF_THE_TREE)
    assert main(["report", "--for-tracker", "--format", "html", str(log)]) == 2
    assert "writes Markdown" in capsys.readouterr().err
    assert main(["report", "--for-tracker", f"{log}x"]) == 3
    assert "there is no " in capsys.readouterr().err
    # Without the option, a log is no session.
    assert main(["report", str(log)]) != 0


def test_the_help_teaches(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    out = capsys.readouterr().out
    assert "pfdoctor report --for-tracker kern.log" in out
    assert "Nothing is sent." in out
