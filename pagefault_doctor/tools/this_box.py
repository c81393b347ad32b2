"""Whether what this box says is about the machine, the kernel and the boot of the report."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.tools.tool import finding

DMESG: Final = "dmesg"
JOURNAL_NOW: Final = "journalctl -k -b"
THIS_BOOT: Final = frozenset({DMESG, JOURNAL_NOW})
"""Sources of the logs that are of the box's present boot and nothing else."""


def main_log(case: Case) -> KernelLog | None:
    """Return the log that the main report was read from."""
    main = case.main_report
    return next((log for log in case.logs if main and main in log.reports), None)


def reported_release(case: Case) -> str | None:
    """Return the release of the kernel that wrote the main report, where the log tells it."""
    report, log = case.main_report, main_log(case)
    if report is None or log is None:
        return None
    of_boot = log.booted[report.boot] if 0 <= report.boot < len(log.booted) else None
    return report.kernel_release or of_boot


def is_this_boots(log: KernelLog, case: Case) -> bool:
    """Return whether a log is the box's own of this boot, not a given file of the same name."""
    return log.source in THIS_BOOT and log.source != case.get("given.log", "")


def is_of_this_boot(case: Case) -> bool:
    """Return whether the main report is known to be of the boot the box is in now."""
    report, log = case.main_report, main_log(case)
    if report is None or log is None:
        return False
    return is_this_boots(log, case) and report.boot >= log.boots - 1


def another_kernel(case: Case, result: Result) -> tuple[Finding, ...]:
    """Return a warning where the box runs another kernel than the one in the report."""
    here, reported = case.get("host.kernel", ""), reported_release(case)
    if not here or not reported or here == reported:
        return ()
    text = (
        f"This box runs {here}, the report is of {reported}: "
        "what this box says may be about another machine"
    )
    return (finding(text, Mark.NEUTRAL, result),)
