"""The JSON document of a session, `pfdoctor.session/1`."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.report.document import Document, diagnosis_document
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.view import CommandRecord, View

SESSION_SCHEMA: Final = "pfdoctor.session/1"


def session_document(view: View, redacted: str = "") -> Document:
    """Return the document of a whole session: steps, commands, findings, diagnosis and notes.

    `redacted` says what was taken out; without it the field is absent.
    """
    started = view.started
    return {
        "schema": SESSION_SCHEMA,
        **({"redacted": redacted} if redacted else {}),
        "id": started.id,
        "started": started.at,
        "version": started.version,
        "host": started.host,
        "user": started.user,
        "playbook": view.playbook.id,
        "playbooks": view.playbook_ids,
        "scenario": started.scenario,
        "read_only": started.read_only,
        "given": started.given,
        "ended": view.ended.reason if view.ended else None,
        "steps": [
            {
                "id": step.id,
                "title": step.title,
                "status": view.state.steps[step.id].status,
                "reason": view.state.steps[step.id].reason,
                "case_notes": case_notes(view, step.id),
            }
            for step in view.all_steps
        ],
        "commands": [_command(record) for record in view.commands],
        "declined": [
            {"step": d.step, "tool": d.tool, "argv": d.argv, "risk": d.risk, "reason": d.reason}
            for d in view.declined
        ],
        "blocked": [
            {"step": t.step, "tool": t.tool, "reason": t.reason, "remedy": t.remedy}
            for t in view.finished_tools
            if t.remedy
        ],
        "facts": {name: fact.value for name, fact in sorted(view.case.facts.items())},
        "findings": view.case.findings,
        "notes": [{"step": note.step, "text": note.text, "at": note.at} for note in view.notes],
        "diagnosis": diagnosis_document(started.host, view.case.reports, view.explained),
    }


def _command(record: CommandRecord) -> Document:
    result = record.result
    return {
        "number": record.number,
        "step": record.step,
        "tool": record.command.tool,
        "argv": record.command.argv,
        "risk": record.command.risk,
        "consent": record.consent,
        "edited": record.command.edited,
        # A command without a result was cut short, or still runs.
        "status": result.status if result else "interrupted",
        "exit_code": result.exit_code if result else None,
        "seconds": result.seconds if result else None,
        "output": result.output if result else "",
        "errors": result.errors if result else "",
    }
