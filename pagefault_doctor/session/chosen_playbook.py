"""Which playbook fits the logs of a case, and the line that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.diagnosis import Opinion
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.playbook.choice import DEFAULT_PLAYBOOK, PROGRAM, playbook_for
from pagefault_doctor.session.view import View


def playbook_of(logs: Sequence[KernelLog], given: Mapping[str, str] = {}) -> str:
    """Return the id of the playbook for the main report of the logs.

    Without one, that for a program where its file or core is given, else the default.
    """
    case = Case(logs=tuple(logs))
    if case.reports:
        return _fitting(case, diagnose(case.logs, {}))
    return PROGRAM if {"program", "core"} & given.keys() else DEFAULT_PLAYBOOK


def chosen_by_log(view: View) -> str:
    """Return the line that says by what a walk is in its playbook; empty for the usual one."""
    main = view.case.main_report
    book = view.playbook
    if main is None or not _fitting(view.case, view.opinion) == book.id != DEFAULT_PLAYBOOK:
        return ""
    return f"The playbook is {book.title} ({book.id}), for the log has: {main.title}"


def _fitting(case: Case, opinion: Opinion) -> str:
    main = case.main_report
    return playbook_for(main.kind, opinion.verdict.root_cause) if main else DEFAULT_PLAYBOOK
