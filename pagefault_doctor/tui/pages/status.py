"""The status line, the steps, and the likely causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.playbook import Cause
from pagefault_doctor.session.view import View
from pagefault_doctor.tools.arguments import reported_release
from pagefault_doctor.tools.log_boot import EARLIER_BOOT
from pagefault_doctor.tui.pages import phrases
from pagefault_doctor.tui.row import STATUS_MARKS, STATUS_WORDS, Row, Tone
from pagefault_doctor.tui.safe_text import cells


def top(view: View, host: str, live: bool, vitals: str) -> Row:
    """Return the status line: host, kernel, taint, vital signs, and mode.

    Of a case from another machine it has that one's name and kernel, and where commands run.
    """
    case = view.case
    if case.get("log.of", "") == ANOTHER_MACHINE:
        of = f"case of {case.get('log.host', 'another machine')}"
        parts = ["pfdoctor", of, reported_release(case) or "", f"commands on {host}"]
        return Row("  ".join(filter(None, parts)), _mode(view, live), Tone.TITLE, hang=10)
    # Before the box has told its kernel, that of a given log may be another one.
    reported = "" if case.has("given.log") else case.get("report.release", "")
    kernel = case.get("host.kernel", "") or reported
    if case.get("log.boot", "") == EARLIER_BOOT:
        parts = ["pfdoctor", host, f"case of an earlier boot, {reported_release(case) or ''}"]
        return Row("  ".join(parts).rstrip(" ,"), _mode(view, live), Tone.TITLE, hang=10)
    taint = case.facts.get("taint.letters")
    letters = "".join(taint.value) if taint and isinstance(taint.value, tuple) else ""
    parts = ["pfdoctor", host, kernel, f"tainted {letters}" if letters else "", vitals]
    return Row("  ".join(part for part in parts if part), _mode(view, live), Tone.TITLE, hang=10)


def _mode(view: View, live: bool) -> str:
    if view.started.scenario:
        return "training" if not live else "training, live"
    if not live:
        return "replay"
    mode = "read-only" if view.started.read_only else ""
    return mode or ("in the lab" if view.started.lab else "")


def steps_line(view: View, shown: str | None, width: int) -> Row:
    """Return all steps in one line, the shown one in brackets, with labels if they fit."""
    for labels in (True, False):
        text = "".join(_step_entry(view, number, shown, labels) for number in _numbers(view))
        if cells(text.rstrip()) <= width:
            break
    return Row(text.rstrip(), hang=2)


def steps_column(view: View, shown: str | None) -> Iterator[Row]:
    """Yield all steps in a column, with their status in words."""
    yield Row("Steps", tone=Tone.TITLE)
    yield Row()
    for number in _numbers(view):
        step = view.playbook.steps[number]
        status = view.state.steps[step.id].status
        here = step.id == shown
        yield Row(
            f"{'[' if here else ' '}{number + 1} {STATUS_MARKS[status]} {phrases.short(step.id)}"
            f"{']' if here else ''}",
            tone=Tone.TITLE if here else Tone.PLAIN,
        )
        if word := _status_word(view, step.id):
            yield Row(f"   {word}", tone=Tone.DIM, hang=3)


def _status_word(view: View, step_id: str) -> str:
    status = view.state.steps[step_id].status
    return STATUS_WORDS[status] if status != "todo" else ""


def _numbers(view: View) -> range:
    return range(len(view.playbook.steps))


def _step_entry(view: View, number: int, shown: str | None, labels: bool) -> str:
    step = view.playbook.steps[number]
    mark = STATUS_MARKS[view.state.steps[step.id].status]
    here = step.id == shown
    label = f" {phrases.short(step.id)}" if labels or here else ""
    entry = f"{number + 1} {mark}{label}" if mark.strip() else f"{number + 1}{label}"
    return f"[{entry}]" if here else f" {entry} "


def causes_rows(
    view: View, causes: Mapping[str, Cause], most: int, secret: bool = False
) -> Iterator[Row]:
    """Yield the ranked causes, at most `most`; none while they are `secret` in a training."""
    yield Row("Likely cause", tone=Tone.TITLE)
    if secret:
        yield Row("  yours to find; d shows what pfdoctor thinks", tone=Tone.DIM, hang=2)
        return
    verdict = view.opinion.verdict
    if verdict.root_cause is RootCause.NONE or not verdict.candidates:
        yield Row(f"  {_nothing(view)}", tone=Tone.DIM, hang=2)
        return
    for candidate in verdict.candidates[:most]:
        share = phrases.share(candidate)
        support = f"{len(candidate.supporting)} for  {len(candidate.opposing)} against"
        yield Row(f"{share}  {phrases.cause(candidate, causes)}", support, hang=7, ref=candidate)


def evidence_rows(view: View, secret: bool) -> Iterator[Row]:
    """Yield the evidence for and against the likeliest cause, for large screens."""
    candidates = view.opinion.verdict.candidates
    if secret or not candidates:
        return
    yield Row()
    for evidence in (*candidates[0].supporting, *candidates[0].opposing):
        side = "for" if evidence.weight > 0 else "against"
        place = f" (line {evidence.line})" if evidence.line else ""
        yield Row(f"  {side}: {evidence.text}{place}", tone=Tone.DIM, hang=4)


def _nothing(view: View) -> str:
    if not view.case.logs:
        return "no kernel log has been read yet"
    return "no fault in what was read so far"
