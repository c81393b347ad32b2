"""dmesg, the journal and the files of syslog: the kernel's log, wherever it is kept."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.tools.logs import dmesg, journal, kern_log
from pagefault_doctor.tools.tool import Tool, next_command
from tools.example_reports import (
    BOOT,
    HEALTHY,
    OOPS,
    SAME_AGAIN,
    SEGFAULT,
    follow,
    found,
    known,
    texts,
    told,
)

NOT_PERMITTED = "dmesg: read kernel buffer failed: Operation not permitted\n"
BUSYBOX_NOT_PERMITTED = "dmesg: klogctl: Operation not permitted\n"
NO_JOURNAL = "No journal files were found.\n"
NO_BOOT = "Data from the specified boot (-1) is not available: No such boot ID in journal\n"
HINT = (
    "Hint: You are currently not seeing messages from other users and the system.\n"
    "      Users in groups 'adm', 'systemd-journal' can see all messages.\n"
    "No journal files were opened due to insufficient permissions.\n"
)


def in_journal(text: str) -> str:
    return text.replace("] ", "] box kernel: ")


@pytest.mark.parametrize("tool", [dmesg.TOOL, journal.TOOL, kern_log.TOOL], ids=lambda t: t.id)
def test_a_log_that_was_given_is_read_instead_of_the_boxs_own(tool: Tool) -> None:
    assert next_command(tool, known({"given.log": "kern.log"})) is None


def test_dmesg_tells_of_each_report_where_it_is_and_in_which_module() -> None:
    case, ran, blocked = follow(dmesg.TOOL, known(), told(BOOT + OOPS))
    assert ran[0].argv == ("dmesg",)
    assert blocked is None
    (report,) = case.reports
    assert (report.module, report.function) == ("wobble", "wobble_init")
    (finding,) = case.findings
    assert finding.mark is Mark.BAD
    assert finding.source.origin == "dmesg"
    assert finding.source.line == 4
    assert "wobble_init" in finding.text
    assert "module wobble, insmod[91], 12.50 s after boot, this boot" in finding.text


def test_a_healthy_log_is_good_news() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(HEALTHY))
    assert [f.mark for f in case.findings] == [Mark.GOOD]
    assert "No fault report in dmesg (this boot), 3 lines read" in texts(case.findings)


def test_an_empty_log_is_said_to_be_empty_not_healthy() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(""))
    assert [f.mark for f in case.findings] == [Mark.NEUTRAL]
    assert "cleared" in texts(case.findings)
    assert case.logs == ()


@pytest.mark.parametrize("errors", [NOT_PERMITTED, BUSYBOX_NOT_PERMITTED])
def test_a_refused_log_is_blocked_and_names_the_sysctl(errors: str) -> None:
    case, _, blocked = follow(
        dmesg.TOOL, known({"host.uid": 1000}), told(errors=errors, exit_code=1)
    )
    assert blocked is not None
    assert "kernel.dmesg_restrict=0" in blocked.remedy
    assert "as root" in blocked.remedy
    assert "kernel.dmesg_restrict=0" in texts(case.findings)


def test_root_in_a_container_is_told_to_go_to_its_host() -> None:
    refused = told(errors=NOT_PERMITTED, exit_code=1)
    _, _, blocked = follow(dmesg.TOOL, known({"host.uid": 0}), refused)
    assert blocked is not None
    assert "container" in blocked.remedy


def test_a_log_whose_start_was_overwritten_says_so() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(SAME_AGAIN))
    assert "begins 12 s after boot" in texts(case.findings)


def test_many_reports_are_not_told_one_by_one() -> None:
    oopses = [OOPS.replace("[   12.", f"[ {200 + n:4}.") for n in range(20)]
    case, _, _ = follow(dmesg.TOOL, known(), told(BOOT + "".join(oopses)))
    assert len(case.reports) == 20
    assert "8 more reports" in texts(case.findings)


def test_a_program_that_died_is_no_alarm_beside_a_kernel_fault() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(BOOT + OOPS + SEGFAULT))
    assert [f.mark for f in case.findings] == [Mark.BAD, Mark.NEUTRAL]
    alone, _, _ = follow(dmesg.TOOL, known(), told(BOOT + SEGFAULT))
    assert [f.mark for f in alone.findings] == [Mark.BAD]


def test_reading_the_same_log_again_gives_nothing_new() -> None:
    first, _, _ = follow(dmesg.TOOL, known(), told(BOOT + OOPS))
    again = dmesg.TOOL.read(told(BOOT + OOPS, "dmesg"), first)
    assert again.log is not None
    assert again.log.reports == ()
    assert "Nothing new in dmesg (this boot): 1 report, all seen before" in texts(again.findings)


def test_after_a_whole_dmesg_the_journal_is_asked_for_the_last_boot_only() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(HEALTHY))
    case, ran, blocked = follow(journal.TOOL, case, told(in_journal(BOOT + OOPS)))
    assert [command.argv for command in ran] == [
        ("journalctl", "-k", "-b", "-1", "-o", "short-monotonic", "--no-pager")
    ]
    assert blocked is None
    assert "the boot before this one" in texts(case.findings)
    assert case.logs[-1].source == "journalctl -k -b -1"


@pytest.mark.parametrize(
    "answer", [told(errors=NOT_PERMITTED, exit_code=1), told(SAME_AGAIN)], ids=["refused", "cut"]
)
def test_where_dmesg_did_not_tell_all_the_journal_is_asked_for_this_boot_too(
    answer: object,
) -> None:
    assert isinstance(answer, type(told()))
    case, _, _ = follow(dmesg.TOOL, known({"host.uid": 1000}), answer)
    case, ran, _ = follow(journal.TOOL, case, told(in_journal(BOOT + OOPS)), told("", exit_code=1))
    assert [("-1" in command.argv) for command in ran] == [False, True]
    assert "this boot" in texts(case.findings)
    assert any(log.source == "journalctl -k -b" for log in case.logs)


def test_the_journal_does_not_repeat_what_dmesg_told() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(SAME_AGAIN))
    case, _, _ = follow(
        journal.TOOL, case, told(in_journal(BOOT + OOPS + SAME_AGAIN)), told("", exit_code=1)
    )
    assert sorted(r.timestamp or 0 for r in case.reports) == [12.5, 95.5]


def test_a_box_without_journal_files_is_blocked_with_the_way_to_keep_them() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(HEALTHY))
    answer = told("-- No entries --\n", errors=NO_JOURNAL, exit_code=1)
    _, _, blocked = follow(journal.TOOL, case, answer)
    assert blocked is not None
    assert "/var/log" in blocked.remedy


def test_a_journal_that_is_not_for_this_user_names_the_group() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(HEALTHY))
    case, _, blocked = follow(journal.TOOL, case, told(errors=HINT, exit_code=1))
    assert blocked is not None
    assert "systemd-journal" in blocked.remedy


def test_a_journal_that_forgets_at_reboot_says_how_to_keep_it() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(HEALTHY))
    case, _, blocked = follow(journal.TOOL, case, told(errors=NO_BOOT, exit_code=1))
    assert "holds nothing of the boot before this one" in texts(case.findings)
    assert blocked is not None
    assert "mkdir -p /var/log/journal" in blocked.remedy


def test_syslog_is_asked_only_where_nothing_else_told_of_a_report() -> None:
    assert next_command(kern_log.TOOL, known({}, ("dmesg", BOOT + OOPS))) is None
    assert isinstance(next_command(kern_log.TOOL, known({}, ("dmesg", HEALTHY))), Command)


def test_log_files_are_read_newest_first_until_one_tells_of_a_report() -> None:
    listing = told("/var/log/syslog\n/var/log/kern.log\n/var/log/kern.log.1\n", exit_code=2)
    case, ran, blocked = follow(kern_log.TOOL, known(), listing, found(HEALTHY), found(BOOT + OOPS))
    assert [command.argv[4] for command in ran[1:]] == ["/var/log/syslog", "/var/log/kern.log"]
    assert blocked is None
    assert case.logs[-1].source == "/var/log/kern.log"


def test_unreadable_log_files_are_blocked_with_a_remedy() -> None:
    listing = told("/var/log/kern.log\n", exit_code=2)
    refused = told(errors="cat: /var/log/kern.log: Permission denied", exit_code=1)
    _, _, blocked = follow(kern_log.TOOL, known({"host.uid": 1000}), listing, refused)
    assert blocked == Blocked(
        "the files under /var/log are not readable for this user",
        "run pfdoctor as root: sudo pfdoctor",
    )


def test_a_box_that_keeps_no_log_files_is_told_how_to() -> None:
    nothing = told(errors="ls: cannot access '/var/log/kern.log'\n", exit_code=2)
    case, _, blocked = follow(kern_log.TOOL, known(), nothing)
    assert blocked is not None
    assert "rsyslog" in blocked.remedy
    assert "no kern.log" in texts(case.findings)


def test_a_log_without_the_first_fault_of_the_boot_says_so() -> None:
    case, _, _ = follow(dmesg.TOOL, known(), told(SAME_AGAIN))
    assert "fault #2 of its boot: the first one is not in this log" in texts(case.findings)
    whole, _, _ = follow(dmesg.TOOL, known(), told(BOOT + OOPS + SAME_AGAIN))
    assert "is not in this log" not in texts(whole.findings)
