"""A module's file that cannot be read is named in the report, and the rest of it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.report.diagnosis import diagnosis_text
from pagefault_doctor.report.document import diagnosis_document
from pagefault_doctor.symbols import locate

OOPS = b"""\
BUG: kernel NULL pointer dereference, address: 0000000000000008
CPU: 1 PID: 321 Comm: cat Tainted: G           OE      6.1.0-1-amd64 #1
RIP: 0010:demo_poll+0x24/0x90 [demo]
Call Trace:
 vfs_read+0x9f/0x190
"""


@pytest.mark.parametrize("data", [b"\x7fELF", b"\x7fELF\x02\x01\x01" + b"\xff" * 200, b"no module"])
def test_a_damaged_file_of_the_module_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "demo.ko").write_bytes(data)
    log = klog.read(OOPS, "kern.log")
    report = locate(log.reports[0], tmp_path)
    assert report.file_note is not None
    assert str(tmp_path / "demo.ko") in report.file_note
    assert (report.source_line, report.function) == (None, "demo_poll")
    opinion = diagnose((log,), {})
    assert f"note    {report.file_note}"[:60] in diagnosis_text("x", (report,), opinion, 500)
    (told,) = diagnosis_document("x", (report,), opinion)["reports"]
    assert told["file_note"] == report.file_note


def test_without_a_file_of_the_module_there_is_no_note(tmp_path: Path) -> None:
    log = klog.read(OOPS, "kern.log")
    report = locate(log.reports[0], tmp_path)
    assert report.file_note is None
    (told,) = diagnosis_document("x", (report,), diagnose((log,), {}))["reports"]
    assert "file_note" not in told
