"""Which known cases fit a report, or the lines of a log without one; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pagefault_doctor.model.diagnosis import Attribution, Diagnosis
from pagefault_doctor.model.known_case import MOST_LINES, KnownCase, KnownLine
from pagefault_doctor.model.known_entry import Entry, KernelRange, Match, each, release
from pagefault_doctor.model.log import KernelLog, ScaryLine
from pagefault_doctor.model.main_report import Rank, rank
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.signature import signatures

_MOST_CASES: Final = 3
"""Most known cases that are told of one report."""
_HEAD: Final = 4
"""Lines after the headline that still say what a report is about."""
_QUOTES: Final = str.maketrans("\u2018\u2019", "''")


class _Phrase(msgspec.Struct, frozen=True):
    """A phrase, and the longest part of it without `*`, which is looked for first."""

    parts: tuple[str, ...]
    needle: str

    def is_in(self, line: str) -> bool:
        """Whether the line holds the parts in their order."""
        place = 0
        for part in self.parts:
            found = line.find(part, place)
            if found < 0:
                return False
            place = found + len(part)
        return True


class _Indexed(msgspec.Struct, frozen=True):
    """An entry made ready to be compared."""

    entry: Entry
    case: KnownCase
    phrases: tuple[_Phrase, ...]
    kinds: frozenset[str]
    causes: frozenset[str]
    signatures: frozenset[str]


class KnownIndex:
    """The entries of a book, made ready to be compared with many reports."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._all = tuple(map(_indexed, entries))
        self._of_lines = tuple(i for i in self._all if i.entry.match.is_of_lines)

    def cases(self, report: Report, diagnosis: Diagnosis) -> tuple[KnownCase, ...]:
        """Return the known cases that fit a report, in the order of the book."""
        looked_at = _LookedAt(report, diagnosis)
        found = [i.case for i in self._all if looked_at.fits(i)][: 2 * _MOST_CASES]
        # That one is ignored must not get lost behind others.
        return tuple(sorted(found, key=lambda case: not case.ignored)[:_MOST_CASES])

    def lines(self, log: KernelLog) -> tuple[KnownLine, ...]:
        """Return the lines of a log without a report that are known, the first of each entry."""
        known: list[KnownLine] = []
        left = [(_plain(line.text), line) for line in log.scary]
        text = "\n".join(plain for plain, _ in left)
        # Special entries stand before general ones, and a line is told once.
        for entry in self._of_lines if text else ():
            fitting = _fitting(entry, text, left, log)
            if fitting:
                left = [each for each in left if each not in fitting]
                known.append(_known_line(entry.case, [line for _, line in fitting]))
        # What asks for something comes before what is harmless.
        asking = sorted(known, key=lambda line: line.case.harmless)[:MOST_LINES]
        return tuple(sorted(asking, key=lambda line: line.line))


def _indexed(entry: Entry) -> _Indexed:
    match = entry.match
    return _Indexed(
        entry,
        entry.case,
        tuple(map(_phrase, each(match.phrase))),
        frozenset(each(match.kind)),
        frozenset(each(match.root_cause)),
        frozenset(each(match.signature)),
    )


def _phrase(text: str) -> _Phrase:
    parts = tuple(filter(None, _plain(text).split("*")))
    return _Phrase(parts, max(parts, key=len))


class _LookedAt:
    """A report, and what entries are compared with."""

    def __init__(self, report: Report, diagnosis: Diagnosis) -> None:
        self._report = report
        self._diagnosis = diagnosis
        self._signatures = signatures(report)
        self._lines = [_plain(line.text) for line in report.excerpt] or [report.title]
        self._text = "\n".join(self._lines)
        last = report.line_of("headline") + _HEAD
        self._head = [_plain(line.text) for line in report.excerpt if line.number <= last]
        named = (report.module, diagnosis.module)
        # What is known of a module's faults is none of those of hardware or programs.
        is_code = diagnosis.attribution in (Attribution.MODULE, Attribution.KERNEL)
        self._modules = tuple(filter(None, named)) if is_code else ()

    def fits(self, known: _Indexed) -> bool:
        """Whether every condition of the entry holds, those that are soon looked up first."""
        match = known.entry.match
        return (
            (not known.kinds or self._report.kind in known.kinds)
            and (not known.causes or self._diagnosis.root_cause in known.causes)
            and (not known.signatures or not known.signatures.isdisjoint(self._signatures))
            and (not match.arch or self._report.arch in each(match.arch))
            and (not match.kernel or is_within(match.kernel, self._report.kernel_release))
            and (not match.module or _any_like(match.module, self._modules))
            and (not match.function or _any_like(match.function, self._functions()))
            and (not match.subsystem or self._is_of(match))
            and (not known.phrases or self._says(known))
            and not (known.case.harmless and self._is_too_grave(known))
        )

    def _functions(self) -> Sequence[str]:
        named = (self._report.function, *(f.function for f in self._report.frames if f.reliable))
        return tuple(filter(None, named))

    def _is_of(self, match: Match) -> bool:
        places = (self._report.details.get("file", ""), self._diagnosis.module_directory or "")
        return any(place.startswith(each(match.subsystem)) for place in places if place)

    def _says(self, known: _Indexed) -> bool:
        present = [phrase for phrase in known.phrases if phrase.needle in self._text]
        # Harmless is a report by what it is about, not by a line that came in between.
        lines = self._head if known.case.harmless else self._lines
        return any(phrase.is_in(line) for phrase in present for line in lines)

    def _is_too_grave(self, known: _Indexed) -> bool:
        """Whether it is more than a warning, which no phrase alone makes harmless."""
        named = known.kinds or known.signatures
        return not named and rank(self._report) > Rank.WARNING


def is_within(kernel: KernelRange, running: str | None) -> bool:
    """Whether a kernel release is within the range; an unknown one is not."""
    numbers = release(running or "")
    since, before = release(kernel.since), release(kernel.before)
    if numbers is None:
        return False
    return (since is None or numbers >= since) and (before is None or numbers < before)


def is_like(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern in which `*` stands for any characters."""
    first, *parts = pattern.split("*")
    if not parts:
        return name == pattern
    if not name.startswith(first):
        return False
    place = len(first)
    for part in parts[:-1]:
        found = name.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return name.endswith(parts[-1]) and len(name) - len(parts[-1]) >= place


def _any_like(patterns: str | tuple[str, ...], names: Sequence[str]) -> bool:
    return any(is_like(pattern, name) for pattern in each(patterns) for name in names)


def _plain(text: str) -> str:
    """Return the text with the quotes that compilers print where the language is English."""
    return text if text.isascii() else text.translate(_QUOTES)


def _fitting(
    known: _Indexed, text: str, lines: Sequence[tuple[str, ScaryLine]], log: KernelLog
) -> list[tuple[str, ScaryLine]]:
    """Return the lines of a log that an entry fits."""
    present = [phrase for phrase in known.phrases if phrase.needle in text]
    kernel = known.entry.match.kernel
    if not present or (kernel and not _any_within(kernel, log)):
        return []
    return [each for each in lines if any(phrase.is_in(each[0]) for phrase in present)]


def _known_line(case: KnownCase, lines: Sequence[ScaryLine]) -> KnownLine:
    first = lines[0]
    return KnownLine(first.number, first.text, sum(line.count for line in lines), case)


def _any_within(kernel: KernelRange, log: KernelLog) -> bool:
    return any(is_within(kernel, booted) for booted in log.booted)
