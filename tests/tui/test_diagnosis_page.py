"""The page with the causes also says what could not be read, and who takes reports."""

from __future__ import annotations

import msgspec

from diagnosis.logs import page_fault
from klog.test_unread_lines import ARM64, WHOLE
from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.case import Case
from pagefault_doctor.report import text
from pagefault_doctor.report.outline import session_outline
from pagefault_doctor.session.view import View
from pagefault_doctor.tui.pages import diagnosis
from tui.wizard_bench import CAUSES, make_walk

TITLE = "What could not be read or worked out"


def view_of(esr: str) -> View:
    """Return the view of a session with a damaged log and file, where a rule fails."""
    log = klog.read(ARM64.format(esr=esr, oops=WHOLE).encode(), "kern.log")
    opinion = diagnose((log,), {})
    if esr != f"0x{WHOLE}":
        report = msgspec.structs.replace(log.reports[0], file_note="demo.ko is damaged")
        log = msgspec.structs.replace(log, reports=(report,))
        verdict = msgspec.structs.replace(opinion.verdict, notes=("the rule hung failed",))
        opinion = msgspec.structs.replace(opinion, verdict=verdict, by_report=(verdict,))
    return msgspec.structs.replace(make_walk()[0].view, case=Case(logs=(log,)), opinion=opinion)


def test_the_wizard_and_the_report_say_what_could_not_be_read() -> None:
    view = view_of("0x9")
    rows = [row.left.strip() for row in diagnosis.rows(view, CAUSES, {0})]
    said = rows[rows.index(TITLE) + 1 :]
    assert said == [
        "demo.ko is damaged",
        "the rule hung failed",
        "line 3 is damaged and was not read: ESR = 0x9",
    ]
    told = text.render(session_outline(view))
    assert all(line in told for line in (TITLE, *said))


def test_of_a_log_that_was_read_whole_they_say_nothing() -> None:
    view = view_of(f"0x{WHOLE}")
    assert TITLE not in [row.left for row in diagnosis.rows(view, CAUSES, {0})]
    assert TITLE not in text.render(session_outline(view))


def test_the_wizard_and_the_report_say_who_takes_reports() -> None:
    def owners(module: str) -> list[str]:
        data = page_fault("8", place=f"f+0x1/0x9 [{module}]", modules=module, tainted="Not tainted")
        log = klog.read(data.encode(), "kern.log")
        case, opinion = Case(logs=(log,)), diagnose((log,), {})
        view = msgspec.structs.replace(make_walk()[0].view, case=case, opinion=opinion)
        rows = (row.left.strip() for row in diagnosis.rows(view, CAUSES, {0}))
        found = [row for row in rows if row.startswith("whose: ")]
        told = " ".join(text.render(session_outline(view)).split())
        assert all(row in told for row in found)
        return found

    assert [row.partition(";")[0] for row in owners("ext4")] == [
        "whose: fs/ext4: EXT4 FILE SYSTEM, linux-ext4@vger.kernel.org"
    ]
    assert owners("nobody") == []
