"""The JSON document of a diagnosis."""

from __future__ import annotations

import json
from pathlib import Path

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.report.document import diagnosis_document, encode

LOGS = Path(__file__).parent.parent / "klog/logs"


def test_each_report_has_its_signature() -> None:
    log = klog.read_file(sorted(LOGS.glob("*.log"))[0])
    document = diagnosis_document("log", log.reports, diagnose((log,), {}))
    told = json.loads(encode(document))["reports"]
    assert told[0]["signature"].endswith(f"[{log.reports[0].module}]")
