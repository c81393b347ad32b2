"""From YAML text to checked values: playbooks, causes, scenarios and known cases.

msgspec checks the types of fields against the model, `checks` what they mean. Every mistake has the
line and column where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from pagefault_doctor.files.regular_file import open_regular
from pagefault_doctor.model.known_entry import Entry, KernelRange, KnownFile, Match
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.playbook import (
    Cause,
    Condition,
    Playbook,
    Remedy,
    Step,
    StepForm,
    Suggestion,
)
from pagefault_doctor.model.scenario import Question, Scenario
from pagefault_doctor.playbook import checks, known_checks
from pagefault_doctor.playbook.document import SIZE_LIMIT, Document, parse
from pagefault_doctor.playbook.problem import PlaybookError, Problem, nearest

T = TypeVar("T", bound=msgspec.Struct)

_AT = regex(r"^(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_FIELD = regex(r"field `(.*?)`")
_TYPE = regex(r"`([^`]*)`")
_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_STRUCTS: Final[dict[str, type[msgspec.Struct]]] = {
    "steps": Step,
    "suggest": Suggestion,
    "forms": StepForm,
    "when": Condition,
    "all": Condition,
    "any": Condition,
    "not": Condition,
    "causes": Cause,
    "remedy": Remedy,
    "questions": Question,
    "entries": Entry,
    "match": Match,
    "kernel": KernelRange,
}
"""The type of the value under a field of that name, to suggest the nearest field name."""


class Causes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `causes.yaml` holds."""

    schema: Literal[1]
    causes: tuple[Cause, ...]


def load(text: str, source: str) -> Playbook:
    """Return the playbook in the text; raises PlaybookError with every mistake found in it."""
    return load_checked(text, source, Playbook, lambda book: checks.of_playbook(book))


def check(
    text: str,
    source: str,
    known_tools: Collection[str] | None = None,
    known_facts: Collection[str] | None = None,
    others: checks.Steps | None = None,
) -> tuple[Problem, ...]:
    """Return the mistakes in a playbook, in the order of the file.

    Names of tools, facts and steps of other playbooks are checked where these are given.
    """
    try:
        load_checked(
            text,
            source,
            Playbook,
            lambda book: checks.of_playbook(book, known_tools, known_facts, others),
        )
    except PlaybookError as error:
        return error.problems
    return ()


def load_causes(text: str, source: str) -> dict[str, Cause]:
    """Return the causes in the text by their id; raises PlaybookError."""
    held = load_checked(text, source, Causes, lambda held: checks.of_causes(held.causes))
    return {cause.id: cause for cause in held.causes}


def load_scenario(
    text: str, source: str, playbook_ids: Collection[str], find: Callable[[str], Playbook]
) -> Scenario:
    """Return the scenario in the text; raises PlaybookError.

    Its playbook must be one of those ids; `find` returns that playbook, whose steps are checked.
    """
    return load_checked(
        text, source, Scenario, lambda held: checks.of_scenario(held, playbook_ids, find)
    )


def load_known(text: str, source: str) -> tuple[Entry, ...]:
    """Return the known cases in the text; raises PlaybookError with every mistake found in it."""
    return load_checked(text, source, KnownFile, known_checks.of_known).entries


def read(path: Path) -> str:
    """Return the text of a file, cut off just after the size that is still accepted.

    Raises OSError, also where it is no regular file. Bytes that are not UTF-8 become U+FFFD.
    """
    data = b""
    with open_regular(path) as file:
        # One byte more than the limit, so that `parse` notices a file that is too large.
        while piece := file.read(SIZE_LIMIT + 1 - len(data)):
            data += piece
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def load_checked(text: str, source: str, kind: type[T], look: checks.Check[T]) -> T:
    """Return the value of that type in the text; raises PlaybookError with what `look` yields."""
    document = parse(text, source)
    try:
        value = msgspec.convert(document.data, kind)
    except msgspec.ValidationError as error:
        raise PlaybookError(source, (_type_problem(document, str(error), kind),)) from None
    # In the order of the file, not of the checks.
    problems = tuple(sorted(document.problem(*mistake) for mistake in look(value)))
    if problems:
        raise PlaybookError(source, problems)
    return value


def _type_problem(document: Document, error: str, kind: type[msgspec.Struct]) -> Problem:
    """Return msgspec's error in plain words, at its place in the file.

    msgspec has only messages, no structured errors, so its wording is parsed; where it changes, the
    message is passed through.
    """
    match = _AT.match(error)
    path = (match and match["path"]) or "$"
    what = match["what"] if match else error
    named = _FIELD.search(what)
    if named and "unknown" in what:
        name = named.group(1)
        hint = nearest(name, _fields(path, kind))
        return document.problem(path, f"unknown field `{name}`; {hint}", name)
    if named:
        return document.problem(path, f"the field `{named.group(1)}` is missing; add it")
    plain = _TYPE.sub(lambda found: _words(found.group(1)), what)
    mend = "; put it in quotes" if "`str`" in what.split(", got")[0] else "; correct it"
    return document.problem(path, plain[:1].lower() + plain[1:] + mend)


def _words(types: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types.split(" | "))


def _fields(path: str, kind: type[msgspec.Struct]) -> tuple[str, ...]:
    names = re.findall(r"\.([a-z_]+)", path)
    return (_STRUCTS.get(names[-1], kind) if names else kind).__struct_encode_fields__
