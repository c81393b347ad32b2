"""The report of a fault for a mailing list or a tracker: what its readers ask for, as blocks.

Nothing is claimed that no line of the log and no command shows. The order is that in which a report
is read (`Documentation/admin-guide/reporting-issues.rst`). A section without content is left out,
and its place in the list at the end says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pagefault_doctor.model.command import Risk
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, Evidence, Owner, RootCause
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.taint import BY_LETTER
from pagefault_doctor.report.analysis import cited
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim
from pagefault_doctor.report.diagnosis import opinion_notes
from pagefault_doctor.session.view import View

_LINES: Final = 200
"""Most lines of the log that are shown."""
_COLUMNS: Final = 400
"""Most characters of each."""
_VANILLA: Final = regex(r"\d+\.\d+(?:\.\d+)?(?:-rc\d+)?\+?")
"""The release of a kernel built from the sources of kernel.org, without a name of its own."""
_BIOS: Final = ", BIOS "
"""What stands before the firmware in `Hardware name:` (drivers/firmware/dmi_scan.c)."""
_OF_THE_MODULE: Final = (
    ("module.version", "version"),
    ("module.srcversion_loaded", "srcversion in memory"),
    ("module.srcversion", "srcversion of the file"),
    ("module.vermagic", "built for"),
    ("module.path", "file"),
    ("module.dkms_package", "dkms package"),
    ("module.dkms", "state in dkms"),
)
"""Facts of a walk on the suspect module, and how each is called."""
_NO_OWNER: Final = {
    Attribution.HARDWARE: "who takes reports: the hardware is suspected, no code",
    Attribution.USER_SPACE: "who takes reports: that is for the program to say, not the kernel",
    Attribution.MEMORY_PRESSURE: "who takes reports: memory ran out, and no code is named for it",
    Attribution.MODULE: "who takes reports: the project of the module is not known here",
}


def tracker_outline(view: View, redacted: str = "") -> Iterator[Block]:
    """Yield the blocks of a report to send, about the report of the verdict.

    `redacted` says what was taken out. There must be a report (`Case.main_report`).
    """
    report, verdict = view.case.main_report, view.explained.verdict
    assert report is not None
    yield Heading(report.title, 1)
    if redacted:
        yield Paragraph(redacted)
    missing: list[str] = []
    for title, section in _SECTIONS:
        blocks = tuple(section(view, report, verdict, missing))
        if blocks:
            yield Heading(title)
            yield from blocks
    if missing:
        yield Heading("What is missing here")
        yield Items(tuple(missing))
    yield Paragraph(
        f"Written by pfdoctor {view.started.version} from the log; check before sending."
    )


Section = Callable[[View, Report, Diagnosis, list[str]], Iterator[Block]]
"""Yields the blocks of a section, or none and adds what is missing to the list."""


def _search(view: View, report: Report, verdict: Diagnosis, missing: list[str]) -> Iterator[Block]:
    yield Verbatim("\n".join(dict.fromkeys((report.title, *report.alt_titles))))
    if report.corrupted:
        missing.append(f"a sure title: {report.corrupted_reason or 'the report is incomplete'}")


def _where(view: View, report: Report, verdict: Diagnosis, missing: list[str]) -> Iterator[Block]:
    owner = verdict.owner
    if owner is None:
        other = "who takes reports: the log names no module and no file that tells"
        missing.append(_NO_OWNER.get(verdict.attribution, other))
        return
    yield Items(tuple(_addresses(owner, report)))


def _addresses(owner: Owner, report: Report) -> Iterator[str]:
    yield f"{owner.subsystem}, for {owner.place}"
    if owner.mailing_list:
        yield f"mailing list: {owner.mailing_list}"
    if owner.tracker:
        yield f"tracker: {owner.tracker}"
    yield f"why there: {owner.why}"
    release = report.kernel_release or ""
    if "/" in owner.place and release and not _VANILLA.fullmatch(release):
        yield f"{release} is no release of kernel.org: whoever built the kernel comes first"
    foreign = report.out_of_tree
    if "/" in owner.place and foreign:
        yield f"modules from outside the kernel were loaded: {', '.join(foreign)}; try without them"


def _versions(
    view: View, report: Report, verdict: Diagnosis, missing: list[str]
) -> Iterator[Block]:
    rows = (*_of_kernel(report), *_of_module(view, report, verdict), *_of_machine(report))
    if rows:
        yield Items(rows)
    if not report.kernel_release:
        missing.append("the kernel's release: uname -r prints it")
    foreign = verdict.module in report.out_of_tree
    if foreign and not any(view.case.has(name) for name, _ in _OF_THE_MODULE):
        missing.append(f"the version of {verdict.module}: modinfo {verdict.module} prints it")
    if not report.hardware:
        missing.append("the machine and its firmware: the line Hardware name is not in the report")


def _of_kernel(report: Report) -> Iterator[str]:
    if report.kernel_release:
        yield f"kernel: {report.kernel_release}" + (f", {report.arch}" if report.arch else "")
    if report.tainted:
        flags = (BY_LETTER.get(letter) for letter in report.tainted)
        named = zip(report.tainted, flags, strict=True)
        words = (f"{letter} ({flag.meaning})" if flag else letter for letter, flag in named)
        yield f"tainted: {', '.join(words)}"
    elif report.tainted is not None:
        yield "not tainted"


def _of_module(view: View, report: Report, verdict: Diagnosis) -> Iterator[str]:
    if not verdict.module:
        return
    told = ", from outside the kernel" if verdict.module in report.out_of_tree else ""
    yield f"module: {verdict.module}{told}"
    for name, words in _OF_THE_MODULE:
        if fact := view.case.facts.get(name):
            text = f"{verdict.module}, {words}: {fact.value}"
            yield cited(Evidence(text, 0.0, fact.source.line, fact.source.origin))


def _of_machine(report: Report) -> Iterator[str]:
    if report.hardware:
        machine, bios, firmware = report.hardware.partition(_BIOS)
        yield f"hardware: {machine}"
        if bios:
            yield f"firmware: {firmware}"


def _when(view: View, report: Report, verdict: Diagnosis, missing: list[str]) -> Iterator[Block]:
    rows = tuple(_releases(view, report))
    if rows:
        yield Items(rows)
    else:
        seen = f"only {report.kernel_release} was seen" if report.kernel_release else "none is told"
        missing.append(f"the first bad and the last good kernel: {seen}")


def _releases(view: View, report: Report) -> Iterator[str]:
    for log in view.case.logs:
        if len(log.booted) < 2 or report not in log.reports:
            continue
        came = {one.boot for one in log.reports if one.title == report.title}
        for boot, release in enumerate(log.booted):
            what = "came" if boot in came else "is not in the log, which does not prove it good"
            yield f"boot {boot + 1} of the log, {release or 'of an unknown kernel'}: it {what}"
    if fact := view.case.facts.get("kernel.newer_fix"):
        yield f"the changelog of a newer kernel names the place: {fact.value}"


def _text(view: View, report: Report, verdict: Diagnosis, missing: list[str]) -> Iterator[Block]:
    if not report.excerpt:
        missing.append("the report's text: it was not kept")
        return
    first, last = report.excerpt[0].number, report.excerpt[-1].number
    yield Paragraph(f"Lines {first} to {last} of the log; the lines cited below are of it.")
    lines = [line.text[:_COLUMNS] for line in report.excerpt[:_LINES]]
    if left := len(report.excerpt) - _LINES:
        lines += [f"... and {left} more lines"] if left > 0 else []
    yield Verbatim("\n".join(lines))
    missing.extend(part.what for part in verdict.missing)


def _concluded(
    view: View, report: Report, verdict: Diagnosis, missing: list[str]
) -> Iterator[Block]:
    known = verdict.root_cause is not RootCause.UNKNOWN
    sure = f" ({verdict.confidence:.0%}, by its own weights)" if known else ""
    yield Paragraph(f"pfdoctor, a program, reads this as: {verdict.summary}{sure}.")
    if verdict.account:
        yield Items(tuple(cited(one) for one in (verdict.account.crux, *verdict.account.happened)))
    if verdict.candidates:
        yield Paragraph("What speaks for it, and against it:")
        first = verdict.candidates[0]
        # Stated, not left out: the reader must see that it was looked for.
        opposing = first.opposing or (Evidence("nothing found", 0.0),)
        against = (f"against: {cited(evidence)}" for evidence in opposing)
        yield Items((*(f"for: {cited(evidence)}" for evidence in first.supporting), *against))
    if verdict.account and verdict.account.unknown:
        yield Paragraph("What the evidence does not show:")
        yield Items(tuple(cited(one) for one in verdict.account.unknown))
    if said := opinion_notes(view.case.reports, view.explained):
        yield Paragraph("What could not be read or worked out:")
        yield Items(said)


def _tried(view: View, report: Report, verdict: Diagnosis, missing: list[str]) -> Iterator[Block]:
    rows = [cited(one) for one in verdict.account.tried] if verdict.account else []
    for record in view.commands:
        if record.command.risk is not Risk.READ:
            ended = record.result.status if record.result else "cut short"
            rows.append(f"{record.command.line} ({ended})")
    if rows:
        yield Items(tuple(rows))
    else:
        missing.append("what was tried: nothing but reading, as far as pfdoctor knows")


_SECTIONS: Final[tuple[tuple[str, Section], ...]] = (
    ("Titles to search for first", _search),
    ("Where to send it", _where),
    ("Versions", _versions),
    ("Kernels with it and without it", _when),
    ("The kernel's report", _text),
    ("What pfdoctor concludes", _concluded),
    ("What was tried", _tried),
)
