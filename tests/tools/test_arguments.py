"""Whether the machine's answers are about the report: its log, boot and kernel release."""

from __future__ import annotations

from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.tools.arguments import (
    blocked_on_other_kernel,
    is_report_of_this_boot,
    release,
    reported,
    reported_release,
)
from pagefault_doctor.tools.module import module_file
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import BOOT, KERNEL, OOPS, known

NEW = "6.12.7-2-amd64"
TWO_BOOTS = BOOT + OOPS + (BOOT + OOPS).replace(KERNEL, NEW).replace("wobble", "tilt")
FACTS = {"suspect.module": "tilt", "host.kernel": NEW, "host.family": "debian"}


def test_report_release_and_module_file_are_of_the_same_boot() -> None:
    case = known({**FACTS, "given.log": "kern.log"}, ("kern.log", TWO_BOOTS))
    report = reported(case)
    assert report
    assert report is case.main_report
    assert (report.boot, report.module) == (1, "tilt")
    assert reported_release(case) == release(case) == NEW
    assert blocked_on_other_kernel(case) is None
    look = next_command(module_file.TOOL, case)
    assert isinstance(look, Command)
    assert NEW in look.argv
    assert KERNEL not in look.argv


def test_a_given_log_is_elsewhere_by_its_main_report() -> None:
    case = known({"given.log": "kern.log", "host.kernel": KERNEL}, ("kern.log", TWO_BOOTS))
    assert isinstance(blocked_on_other_kernel(case), Blocked)


def test_the_same_report_in_two_logs_is_of_the_log_that_was_read_first() -> None:
    case = known({}, ("dmesg", TWO_BOOTS), ("/var/log/kern.log", TWO_BOOTS))
    assert case.main_log is case.logs[0]
    assert is_report_of_this_boot(case)


def test_where_no_report_is_known_that_of_the_new_log_is_meant() -> None:
    (log,) = known({}, ("dump", TWO_BOOTS)).logs
    assert reported(known(), log) is log.reports[1]


def test_the_kernel_of_this_machine_never_stands_for_that_of_another() -> None:
    """A log that does not tell its kernel has none, unless it is of this box."""
    named = {"given.log": "case.log", "host.kernel": NEW}
    assert release(known({**named, "log.of": "another"})) == ""
    assert release(known({**named, "log.of": "this-box"})) == NEW
