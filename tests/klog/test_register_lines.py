"""Each register is cited with the line that prints its value, whatever else names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor import klog

LOGS = sorted((Path(__file__).parent / "logs").glob("*.log"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_the_line_of_a_register_holds_its_value(path: Path) -> None:
    data = path.read_bytes()
    lines = data.decode(errors="replace").split("\n")
    for report in klog.read(data, "log").reports:
        for name, value in report.registers.items():
            number = report.cited.get(f"registers.{name}")
            assert number is None or value.removeprefix("0x") in lines[number - 1], name
            assert number is None or number <= report.span.last_line


def test_a_second_set_of_registers_does_not_move_the_lines_of_the_first() -> None:
    log = (
        "BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
        "RIP: 0010:demo_read+0x7/0x20 [demo]\n"
        "RAX: 0000000000000000 RBX: 0000000000000001 RCX: 0000000000000002\n"
        "FS:  0000000000000000(0000) GS:ffff888012345000(0000) knlGS:0000000000000000\n"
        "Call Trace:\n demo_write+0x7/0x20 [demo]\n"
        "RIP: 0033:0x7f0000000000\n"
        "RAX: ffffffffffffffda RBX: 0000000000000003 RCX: 0000000000000004\n"
        "---[ end trace 0000000000000000 ]---\n"
    )
    (report,) = klog.read(log.encode(), "log").reports
    assert report.cited["registers.rax"] == report.cited["registers"] == 3
    assert report.cited["registers.gs"] == 4
