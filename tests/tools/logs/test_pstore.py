"""pstore: the kernel's last words, put together again."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.tools.logs import pstore
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import BOOT, OOPS, follow, known, texts, told

LINES = (BOOT + OOPS).splitlines()
EFI = "/var/lib/systemd/pstore/1700000000/dmesg-efi-1700000000"


def printed(*files: tuple[str, str]) -> str:
    return "".join(f"\npstore-file {path}\n{text}\n" for path, text in files)


def efi(part: int, lines: list[str], dump: str = "Panic#1") -> tuple[str, str]:
    """A record as efi-pstore names it: time, part and count in one number."""
    return f"{EFI}{part:02}001", "\n".join([f"{dump} Part{part}", *lines])


def test_parts_are_put_together_from_the_highest_number_down() -> None:
    output = printed(efi(1, LINES[15:]), efi(2, LINES[6:15]), efi(3, LINES[:6]))
    case, ran, blocked = follow(pstore.TOOL, known(), told(output))
    assert ran[0].argv[0] == "sh"
    assert blocked is None
    (report,) = case.reports
    assert (report.module, report.function, report.timestamp) == ("wobble", "wobble_init", 12.5)
    assert case.logs[0].source == "pstore"
    assert len(case.facts["pstore.files"].value) == 3  # type: ignore[arg-type]
    assert "an earlier boot" in texts(case.findings)


def test_a_missing_part_is_said() -> None:
    output = printed(efi(1, LINES[15:]), efi(3, LINES[:6]))
    case, _, _ = follow(pstore.TOOL, known(), told(output))
    assert "Panic#1 is not whole: part 2 is missing" in texts(case.findings)


def test_an_oops_and_the_panic_that_followed_are_one_report() -> None:
    whole = "\n".join(LINES)
    path = "/sys/fs/pstore/dmesg-erst-"
    output = printed(
        (f"{path}6900000000000000001", f"Oops#1 Part1\n{whole}"),
        (f"{path}6900000000000000002", f"Panic#2 Part1\n{whole}"),
    )
    case, _, _ = follow(pstore.TOOL, known(), told(output))
    assert len(case.reports) == 1


def test_two_crashes_of_the_same_number_are_kept_apart() -> None:
    files = {
        "/sys/fs/pstore/dmesg-erst-10": "Panic#1 Part1\nfirst end",
        "/sys/fs/pstore/dmesg-erst-11": "Panic#1 Part2\nfirst start",
        "/sys/fs/pstore/dmesg-erst-20": "Panic#1 Part1\nsecond",
    }
    assert [[part.text for part in dump] for dump in pstore.dumps(files)] == [
        ["first start", "first end"],
        ["second"],
    ]


def test_a_log_that_systemd_put_together_is_read_where_there_are_no_parts() -> None:
    output = printed(("/var/lib/systemd/pstore/17/dmesg.txt", BOOT + OOPS))
    case, _, _ = follow(pstore.TOOL, known(), told(output))
    assert len(case.reports) == 1


def test_an_empty_pstore_says_so() -> None:
    case, _, blocked = follow(pstore.TOOL, known(), told(""))
    assert blocked is None
    assert "pstore holds no records" in texts(case.findings)
    assert not case.has("pstore.files")


def test_an_unreadable_pstore_is_blocked() -> None:
    denied = told("pstore-denied /sys/fs/pstore\n")
    case, _, blocked = follow(pstore.TOOL, known({"host.uid": 1000}), denied)
    assert blocked is not None
    assert blocked.remedy == "run pfdoctor as root: sudo pfdoctor"
    assert "readable for root only" in texts(case.findings)


def test_a_log_that_was_given_is_read_instead() -> None:
    assert next_command(pstore.TOOL, known({"given.log": "x"})) is None


def test_the_script_prints_what_the_reader_reads(tmp_path: Path) -> None:
    """Run it for real, on a folder of ours in place of the kernel's."""
    script = pstore.TOOL.plan(known())
    assert script is not None
    folder = tmp_path / "pstore"
    (folder / "1700").mkdir(parents=True)
    (folder / "dmesg-erst-1").write_text("Oops#1 Part1\n" + "\n".join(LINES))
    (folder / "1700" / "dmesg.txt").write_text("whole")
    text = script.argv[2].replace("/sys/fs/pstore", str(folder))  # type: ignore[union-attr]
    output = subprocess.run(["sh", "-c", text, "pstore"], capture_output=True, text=True).stdout
    named = pstore.files(output.replace(str(folder), "/sys/fs/pstore"))
    assert set(named) == {"/sys/fs/pstore/dmesg-erst-1", "/sys/fs/pstore/1700/dmesg.txt"}
    assert named["/sys/fs/pstore/dmesg-erst-1"].splitlines()[1:] == LINES


@given(st.dictionaries(st.text(max_size=40), st.text(max_size=60), max_size=6))
def test_any_files_can_be_put_together(files: dict[str, str]) -> None:
    assert sum(map(len, pstore.dumps(files))) <= len(files)
