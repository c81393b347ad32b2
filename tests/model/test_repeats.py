"""Equal reports of a log are one, with how often it came."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnosis.logs import page_fault
from pagefault_doctor import klog
from pagefault_doctor.cli.main import main
from pagefault_doctor.model.repeats import repeats

CODE = "90 <48> 8b 46 18 c3"


def warning(at: float, place: str = "quay_poll+0x24/0x90 [quay]") -> str:
    return "".join(
        f"[{at:12.6f}] {line}\n"
        for line in (
            f"WARNING: CPU: 1 PID: 321 at drivers/net/quay.c:77 {place}",
            "Modules linked in: quay(OE) ext4",
            f"RIP: 0010:{place}",
            "Call Trace:", " <TASK>", " vfs_read+0x9f/0x190", " </TASK>",
            "---[ end trace 0000000000000000 ]---",
        )
    )  # fmt: skip


MANY = "".join(warning(100 + n / 2) for n in range(60))
OTHER = warning(140, "quay_open+0x14/0x70 [quay]")


def groups(text: str) -> list[tuple[int, str]]:
    return [(group.count, group.text) for group in repeats(klog.read(text.encode(), "x").reports)]


def test_sixty_equal_warnings_are_one_sixty_times() -> None:
    assert groups(MANY) == [(60, "60 times, lines 1 to 478, over 29.5 s")]


def test_another_place_or_another_boot_is_another_report() -> None:
    boot = "[    0.000000] Linux version 6.1.0-1-amd64 (gcc 12) #1 SMP\n"
    assert [count for count, _ in groups(MANY + OTHER)] == [60, 1]
    assert [count for count, _ in groups(warning(9) + boot + warning(9))] == [1, 1]


def test_a_time_that_two_logs_tell_of_counts_once() -> None:
    reports = klog.read(warning(9).encode(), "dmesg").reports
    (group,) = repeats((*reports, *reports))
    assert (group.count, group.text, group.indices) == (1, "", (0, 1))


def test_the_text_has_one_stanza_and_json_says_how_often(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "many.log"
    log.write_text(MANY + page_fault("0000000000000018", code=CODE, at=150.0))
    assert main(["diagnose", str(log)]) == 0
    text = capsys.readouterr().out
    assert text.count("many.log:") == 1
    assert "  also        1  60 times: WARNING: " in text
    assert main(["diagnose", "--all", str(log)]) == 0
    assert "60 times, lines 1 to 478, over 29.5 s" in capsys.readouterr().out
    assert main(["diagnose", "--json", str(log)]) == 0
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert len(reports) == 61
    assert reports[0]["repeats"]["count"] == 60
    assert [index for index, each in enumerate(reports) if "repeats" in each] == [0]
