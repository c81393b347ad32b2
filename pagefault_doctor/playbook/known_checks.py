"""Checks of a file of known cases beyond the types of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.known_entry import Entry, KernelRange, KnownFile, Match, each, release
from pagefault_doctor.model.report import Kind
from pagefault_doctor.playbook import checks

MOST_ENTRIES: Final = 500
"""Entries in one file."""
_MOST_VALUES: Final = 32
_LENGTHS: Final = {
    "says": 300,
    "do": 400,
    "command": 200,
    "fixed_in": 160,
    "source": 200,
    "ticket": 200,
    "ignore": 300,
    "example": 4000,
    "other": 4000,
}
"""Most characters of each text."""
_VALUES: Final = {
    "signature": 200,
    "phrase": 200,
    "function": 80,
    "module": 64,
    "subsystem": 120,
    "arch": 20,
    "kind": 40,
    "root_cause": 40,
}
_LEAST_PHRASE: Final = 6
"""Characters in a row that a phrase has at least: a shorter one is in lines of all kinds."""


def of_known(held: KnownFile) -> Iterator[checks.Mistake]:
    """Yield every mistake in a file of known cases."""
    yield from checks.of_schema(held.schema)
    if len(held.entries) > MOST_ENTRIES:
        yield "$.entries", f"there are more than {MOST_ENTRIES} entries; split the file"
    yield from checks.duplicates("$.entries", [entry.id for entry in held.entries])
    for number, entry in enumerate(held.entries):
        yield from _of_entry(f"$.entries[{number}]", entry)


def _of_entry(path: str, entry: Entry) -> Iterator[checks.Mistake]:
    yield from checks.slug(f"{path}.id", entry.id)
    if len(entry.id) > 64:
        yield f"{path}.id", "an id has at most 64 characters; shorten it"
    if not entry.says.strip():
        yield f"{path}.says", "`says` is empty; say in a sentence what it is"
    for field, most in _LENGTHS.items():
        if len(getattr(entry, field)) > most:
            yield f"{path}.{field}", f"`{field}` has more than {most} characters; shorten it"
    if "\n" in entry.command.strip():
        yield f"{path}.command", "a command is one line; keep the one that matters most"
    yield from _of_match(f"{path}.match", entry.match)


def _of_match(path: str, match: Match) -> Iterator[checks.Mistake]:
    if not any((match.signature, match.phrase, match.kind, match.function, match.module)):
        yield path, "it would fit every report; name a signature, phrase, kind, function or module"
    for field, most in _VALUES.items():
        values = each(getattr(match, field))
        if len(values) > _MOST_VALUES:
            yield f"{path}.{field}", f"there are more than {_MOST_VALUES} values; leave some out"
        for value in values:
            if not value.strip(" *"):
                yield f"{path}.{field}", "a value is empty, or only `*`; name something"
            elif len(value) > most:
                yield f"{path}.{field}", f"a value has more than {most} characters; shorten it"
    for phrase in each(match.phrase):
        if phrase.strip(" *") and max(map(len, phrase.split("*"))) < _LEAST_PHRASE:
            rule = f"a phrase needs {_LEAST_PHRASE} characters without `*` between; lengthen it"
            yield f"{path}.phrase", rule
    for name in each(match.kind):
        yield from checks.one_of(f"{path}.kind", "kind", name, [kind.value for kind in Kind])
    for name in each(match.root_cause):
        causes = [cause.value for cause in RootCause]
        yield from checks.one_of(f"{path}.root_cause", "root cause", name, causes)
    if match.kernel:
        yield from _of_range(f"{path}.kernel", match.kernel)


def _of_range(path: str, kernel: KernelRange) -> Iterator[checks.Mistake]:
    if not (kernel.since or kernel.before):
        yield path, "names no release; give `since`, `before` or both"
    for field, text in (("since", kernel.since), ("before", kernel.before)):
        if text and release(text) is None:
            yield f"{path}.{field}", "is no kernel release; write it as in 6.1 or 6.1.30, in quotes"
    since, before = release(kernel.since), release(kernel.before)
    if since and before and since >= before:
        yield path, "`since` is not below `before`; no release would fit"
