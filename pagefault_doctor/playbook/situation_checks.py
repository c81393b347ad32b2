"""From YAML text to checked situations, as `playbooks/next-steps.yaml` holds them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from pagefault_doctor.model.diagnosis import Attribution, RootCause
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind
from pagefault_doctor.model.situation import (
    CONDITIONS,
    FACTS,
    NAMES,
    SHAPES,
    SIGNS,
    Situation,
    Situations,
    Wanted,
    listed,
)
from pagefault_doctor.playbook import checks, loader, shelf
from pagefault_doctor.playbook.problem import PlaybookError, Problem, nearest

_NAME: Final = regex(r"\{(\w*)\}")
_WORDS: Final = {
    "cause": frozenset(RootCause),
    "who": frozenset(Attribution),
    "kind": frozenset(Kind),
    "origin": frozenset({"third-party", "in-tree", "core", "unnamed"}),
    "machine": frozenset({"vm", "board", "pc"}),
    "place": frozenset({"box", "file"}),
}
"""Conditions whose words are known."""
_TYPES: Final = {
    **dict.fromkeys(SHAPES | NAMES, (str, tuple)),
    **dict.fromkeys(SIGNS, (bool,)),
    **dict.fromkeys(FACTS, (dict,)),
}
_NEEDS: Final = {
    (str, tuple): "needs text, or a list of texts",
    (bool,): "needs true or false",
    (dict,): "needs facts with their values",
}
_TABLE: Final = regex(r"^situations:", re.MULTILINE)
_GROUP: Final = regex(r"\?P<(\w+)>")
_LONGEST: Final = 330
"""Characters of a sentence: four lines of a terminal."""


def bundled(name: str) -> Situations:
    """Return the situations of a bundled file; raises MissingError, PlaybookError."""
    return load(shelf.text_of(name), name)


def is_table(text: str) -> bool:
    """Whether the text is a table of situations and no playbook."""
    return _TABLE.search(text) is not None


def load(text: str, source: str, look: checks.Check[Situations] | None = None) -> Situations:
    """Return the situations in the text; raises PlaybookError with every mistake in it."""
    return loader.load_checked(text, source, Situations, look or (lambda held: _mistakes(held)))


def check(
    text: str, source: str, known_names: Collection[str], known_facts: Collection[str]
) -> tuple[Problem, ...]:
    """Return the mistakes in a table, in the order of the file.

    `known_names` are those that a sentence may hold besides the groups of its expressions.
    """
    try:
        load(text, source, lambda held: _mistakes(held, known_names, known_facts))
    except PlaybookError as error:
        return error.problems
    return ()


def _mistakes(
    held: Situations,
    names: Collection[str] | None = None,
    facts: Collection[str] | None = None,
) -> Iterator[checks.Mistake]:
    yield from checks.of_schema(held.schema)
    yield from checks.duplicates("$.situations", [row.id for row in held.situations])
    for number, row in enumerate(held.situations):
        path = f"$.situations[{number}]"
        yield from checks.slug(f"{path}.id", row.id)
        for field, conditions in (("when", row.when), ("unless", row.unless)):
            for name, wanted in conditions.items():
                yield from _of_condition(f"{path}.{field}", name, wanted, facts)
        yield from _of_sentence(path, row, names)
        if not row.when and number + 1 < len(held.situations):
            yield f"{path}.id", "it always applies, so no later one is reached; give it a `when`"


def _of_condition(
    path: str, name: str, wanted: Wanted, facts: Collection[str] | None
) -> Iterator[checks.Mistake]:
    if name not in CONDITIONS:
        yield path, f"there is no condition `{name}`; {nearest(name, CONDITIONS)}"
    elif not isinstance(wanted, _TYPES[name]):
        yield f"{path}.{name}", _NEEDS[_TYPES[name]]
    elif isinstance(wanted, dict):
        for fact in wanted if facts is not None else ():
            yield from checks.one_of(f"{path}.{name}", "fact", fact, facts or ())
    elif not isinstance(wanted, bool):
        for word in listed(wanted):
            yield from _of_word(f"{path}.{name}", name, word)


def _of_word(path: str, name: str, word: str) -> Iterator[checks.Mistake]:
    if name in SHAPES:
        try:
            re.compile(word)
        except re.error as error:
            yield path, f"`{word}` is no regular expression: {error}"
    elif name in _WORDS:
        yield from checks.one_of(path, name, word, _WORDS[name])


def _of_sentence(
    path: str, row: Situation, names: Collection[str] | None
) -> Iterator[checks.Mistake]:
    if not row.do.strip() or len(row.do) > _LONGEST:
        yield f"{path}.do", f"write one to three short sentences, {_LONGEST} characters at most"
    if names is None:
        return
    shapes = (shape for name in SHAPES & set(row.when) for shape in listed(row.when[name]))
    known = {*names, *(group for shape in shapes for group in _GROUP.findall(shape))}
    for field, texts in (("do", (row.do,)), ("command", row.command)):
        for name in (name for text in texts for name in _NAME.findall(text)):
            yield from checks.one_of(f"{path}.{field}", "name", name, known)
