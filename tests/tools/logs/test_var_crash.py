"""Dumps and logs under /var/crash."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.fact import Mark
from pagefault_doctor.tools.logs import var_crash
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import BOOT, OOPS, follow, found, known, texts, told

DEBIAN = """\
    60 /var/crash/202401021230/dmesg.202401021230
 98304 /var/crash/202401021230/dump.202401021230
     4 /var/crash/kexec_cmd
"""
FEDORA = """\
 51200 /var/crash/127.0.0.1-2024-03-01-10:00:00/vmcore-incomplete
    64 /var/crash/127.0.0.1-2024-03-01-10:00:00/vmcore-dmesg.txt
 98304 /var/crash/127.0.0.1-2024-02-01-10:00:00/vmcore
"""


def test_the_dump_and_the_log_beside_it_are_found() -> None:
    case, ran, blocked = follow(var_crash.TOOL, known(), told(DEBIAN), found(BOOT + OOPS))
    assert blocked is None
    assert case.get("dump.path", "") == "/var/crash/202401021230/dump.202401021230"
    assert case.facts["dump.path"].source.line == 2
    assert case.get("dump.complete", False) is True
    assert ran[1].argv[4] == "/var/crash/202401021230/dmesg.202401021230"
    assert case.reports[0].module == "wobble"
    assert "an earlier boot" in texts(case.findings)


def test_an_older_complete_dump_is_preferred_to_a_newer_broken_one() -> None:
    case, _, _ = follow(var_crash.TOOL, known(), told(FEDORA), found(BOOT + OOPS))
    assert case.get("dump.path", "") == "/var/crash/127.0.0.1-2024-02-01-10:00:00/vmcore"
    assert "not written to its end" in texts(case.findings)


def test_where_all_dumps_are_broken_the_newest_is_named_as_incomplete() -> None:
    case, _, _ = follow(var_crash.TOOL, known(), told(" 9 /var/crash/x/vmcore-incomplete\n"))
    assert case.get("dump.path", "") == "/var/crash/x/vmcore-incomplete"
    assert case.get("dump.complete", True) is False


def test_an_empty_dump_is_not_complete() -> None:
    case, _, _ = follow(var_crash.TOOL, known(), told(" 0 /var/crash/x/vmcore\n"))
    assert case.get("dump.complete", True) is False
    assert "the disk was full" in texts(case.findings)


def test_a_flattened_dump_names_who_can_read_it() -> None:
    case, _, _ = follow(var_crash.TOOL, known(), told(" 9 /var/crash/x/vmcore.flat\n"))
    assert case.get("dump.complete", False) is True
    assert "makedumpfile -R" in texts(case.findings)


def test_only_the_newest_logs_are_read() -> None:
    listing = "".join(f" 8 /var/crash/{n}/vmcore-dmesg.txt\n" for n in range(9))
    _, ran, _ = follow(var_crash.TOOL, known(), told(listing), *[found(BOOT)] * 3)
    assert [command.argv[4] for command in ran[1:]] == [
        f"/var/crash/{n}/vmcore-dmesg.txt" for n in range(3)
    ]


@pytest.mark.parametrize(
    "answer",
    [told(""), told(errors="find: '/var/crash': No such file or directory\n", exit_code=1)],
    ids=["empty", "absent"],
)
def test_no_dump_at_all_is_blocked_with_the_way_to_get_one(answer: object) -> None:
    assert isinstance(answer, type(told()))
    case, _, blocked = follow(var_crash.TOOL, known(), answer)
    assert blocked is not None
    assert "crashkernel=" in blocked.remedy
    assert "--vmcore" in blocked.remedy
    assert not case.has("dump.path")
    assert [f.mark for f in case.findings] == [Mark.NEUTRAL]


def test_a_folder_for_root_only_is_blocked() -> None:
    refused = told(errors="find: '/var/crash': Permission denied\n", exit_code=1)
    _, _, blocked = follow(var_crash.TOOL, known({"host.uid": 1000}), refused)
    assert blocked is not None
    assert "as root" in blocked.remedy


def test_a_log_for_root_only_is_blocked() -> None:
    refused = told(errors="cat: dmesg: Permission denied\n", exit_code=1)
    _, _, blocked = follow(var_crash.TOOL, known({"host.uid": 1000}), told(DEBIAN), refused)
    assert blocked is not None


@pytest.mark.parametrize("given", ["given.log", "given.vmcore"])
def test_a_log_or_dump_that_was_given_is_used_instead(given: str) -> None:
    assert next_command(var_crash.TOOL, known({given: "x"})) is None
