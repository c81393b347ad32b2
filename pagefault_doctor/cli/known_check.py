"""Checks a file of known cases: its form, and whether each entry fits its own example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pagefault_doctor import klog
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_line
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.explanation import with_explanations
from pagefault_doctor.diagnosis.known import KnownIndex
from pagefault_doctor.model.errors import ExitCode, MissingError
from pagefault_doctor.model.known_entry import Entry
from pagefault_doctor.playbook.loader import load_known, read
from pagefault_doctor.playbook.problem import PlaybookError


def check_file(path: Path) -> ExitCode:
    """Print the mistakes of a file with their places, and return the exit code."""
    try:
        entries = load_known(read(path), str(path))
    except OSError as error:
        raise MissingError(f"{path}: {error.strerror}", "check the name") from error
    except PlaybookError as error:
        for problem in error.problems:
            print_line(f"{path}:{problem.line}:{problem.column}: {problem.message}")
        return ExitCode.USAGE
    wrong = [text for entry in entries for text in examples_that_fail(entry)]
    for text in wrong:
        print_line(f"{path}: {text}")
    if not wrong:
        print_message(f"{path} is good: {len(entries)} entries")
    return ExitCode.USAGE if wrong else ExitCode.DONE


def examples_that_fail(entry: Entry) -> Iterator[str]:
    """Yield a sentence where an entry does not fit its example, or fits its other."""
    if entry.example and not fits(entry, entry.example):
        yield f"{entry.id} does not fit its own `example`; correct `match`"
    if entry.other and fits(entry, entry.other):
        yield f"{entry.id} fits its `other`, which it must not; narrow `match`"


def fits(entry: Entry, text: str) -> bool:
    """Whether an entry fits a report of a text or, where that has none, one of its lines."""
    log = klog.read(text.encode(), "example")
    index = KnownIndex([entry])
    if not log.reports:
        return bool(index.lines(log))
    opinion = with_explanations(diagnose((log,), {}), (log,), {})
    return any(map(index.cases, log.reports, opinion.by_report))
