"""The case that drgn gets for the dump of a lab run."""

from __future__ import annotations

from pathlib import Path

from pagefault_doctor.cli.lab_commands.run import dump_case
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind, Report, Span

WARNING = Report(
    kind=Kind.WARNING, title="WARNING in demo", module="demo", timestamp=0.5, span=Span(1, 9)
)
OOPS = Report(
    kind=Kind.NULL_POINTER, title="BUG in faulty", module="faulty", timestamp=900.0,
    span=Span(90, 99),
)  # fmt: skip


def test_the_suspect_is_the_module_of_the_main_report(tmp_path: Path) -> None:
    log = KernelLog(source="serial.log", reports=(WARNING, OOPS))
    case = dump_case(tmp_path / "vmcore", "/vmlinux", tmp_path, log)
    assert case.suspect == "faulty"
    assert case.get("given.vmcore", "") == str(tmp_path / "vmcore")
    assert case.get("given.module_dir", "") == str(tmp_path)
    assert case.get("given.vmlinux", "") == "/vmlinux"


def test_what_is_not_known_is_no_fact(tmp_path: Path) -> None:
    case = dump_case(tmp_path / "vmcore", "", tmp_path, KernelLog(source="serial.log"))
    assert {*case.facts} == {"given.vmcore", "given.module_dir"}
