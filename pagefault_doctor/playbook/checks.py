"""Checks of a playbook, the causes and a scenario beyond the types of their fields.

Each check yields every mistake instead of raising at the first, so that a person can correct a file
in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from pagefault_doctor.model.diagnosis import Attribution, RootCause
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.playbook import Cause, Condition, Playbook, Step, StepForm, Suggestion
from pagefault_doctor.model.scenario import EVENTS, Question, Scenario
from pagefault_doctor.playbook.condition import places
from pagefault_doctor.playbook.engine import END
from pagefault_doctor.playbook.problem import nearest

T = TypeVar("T")

Mistake = tuple[str, str]
"""The path of the value that is wrong, and what is wrong with it."""

Steps = Mapping[str, Collection[str]]
"""The ids of the steps of playbooks, by the playbook's id; none where they are not known."""

Check = Callable[[T], Iterable[Mistake]]

SCHEMA = 1
"""Version of the playbook format. A change that old files do not fit raises it."""
_SLUG = regex(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_FACT = regex(r"[a-z0-9_]+(?:\.[a-z0-9_-]+)+")


class _Known(NamedTuple):
    """The names that a playbook may use; None where any will do."""

    steps: list[str]
    tools: Collection[str] | None
    facts: Collection[str] | None
    others: Steps | None


def of_playbook(
    book: Playbook,
    known_tools: Collection[str] | None = None,
    known_facts: Collection[str] | None = None,
    others: Steps | None = None,
) -> Iterator[Mistake]:
    """Yield every mistake in a playbook.

    Tools, facts and other playbooks with their steps must be known, where they are given.
    """
    yield from of_schema(book.schema)
    yield from slug("$.id", book.id)
    if not book.steps:
        yield "$.steps", "there is no step; write at least one"
    ids = [step.id for step in book.steps]
    yield from duplicates("$.steps", ids)
    # The engine adds a status fact for each step, which no tool declares.
    facts = None if known_facts is None else {*known_facts, *(f"step.{i}.status" for i in ids)}
    known = _Known(ids, known_tools, facts, None if others is None else {**others, book.id: ids})
    for number, step in enumerate(book.steps):
        yield from _of_step(f"$.steps[{number}]", step, known)


def of_causes(causes: Sequence[Cause]) -> Iterator[Mistake]:
    """Yield every mistake in the causes: each root cause but `none` must be there, once."""
    ids = [cause.id for cause in causes]
    known = {cause.value for cause in RootCause} - {RootCause.NONE.value}
    yield from duplicates("$.causes", ids)
    for number, name in enumerate(ids):
        yield from one_of(f"$.causes[{number}].id", "root cause", name, known)
    for name in sorted(known.difference(ids)):
        yield "$.causes", f"the cause `{name}` is missing; add it"


def of_scenario(
    scenario: Scenario, playbook_ids: Collection[str], find: Callable[[str], Playbook]
) -> Iterator[Mistake]:
    """Yield every mistake in a scenario. `find` returns the playbook of one of the ids."""
    yield from of_schema(scenario.schema)
    yield from slug("$.id", scenario.id)
    yield from one_of("$.root_cause", "root cause", scenario.root_cause, tuple(RootCause))
    yield from one_of("$.attribution", "attribution", scenario.attribution, tuple(Attribution))
    yield from one_of("$.playbook", "playbook", scenario.playbook, playbook_ids)
    for number, event in enumerate(scenario.inject):
        name = event.partition(" ")[0]
        yield from one_of(f"$.inject[{number}]", "event", name, EVENTS)
    yield from duplicates("$.questions", [question.id for question in scenario.questions])
    known = scenario.playbook in playbook_ids
    steps = [step.id for step in find(scenario.playbook).steps] if known else []
    for number, question in enumerate(scenario.questions):
        yield from _of_question(f"$.questions[{number}]", question, steps)


def _of_question(path: str, question: Question, steps: list[str]) -> Iterator[Mistake]:
    yield from slug(f"{path}.id", question.id)
    if steps:
        yield from one_of(f"{path}.step", "step", question.step, steps)
    if len(question.choices) < 2:
        yield f"{path}.choices", "a question needs at least two choices; add one"
    elif not 0 <= question.answer < len(question.choices):
        last = len(question.choices) - 1
        yield f"{path}.answer", f"no such choice; choices count from 0 to {last}"


def _of_step(path: str, step: Step, known: _Known) -> Iterator[Mistake]:
    yield from slug(f"{path}.id", step.id)
    # A suggestion could not name such a step.
    if step.id == END:
        yield f"{path}.id", f"`{END}` means the end of the walk; name the step otherwise"
    for field, text in (("title", step.title), ("why", step.why)):
        if not text.strip():
            yield f"{path}.{field}", f"`{field}` is empty; write it"
    yield from _of_form(path, step, known)
    for number, form in enumerate(step.forms):
        here = f"{path}.forms[{number}]"
        yield from _of_condition(f"{here}.when", form.when, known.facts)
        yield from _of_form(here, form, known)


def _of_form(path: str, form: Step | StepForm, known: _Known) -> Iterator[Mistake]:
    """Yield the mistakes in what a step and a form of it both have."""
    yield from duplicates(f"{path}.tools", form.tools or (), "")
    for number, tool in enumerate(form.tools or ()):
        if known.tools is not None:
            yield from one_of(f"{path}.tools[{number}]", "tool", tool, known.tools)
    suggested = form.suggest or ()
    for number, suggestion in enumerate(suggested):
        here = f"{path}.suggest[{number}]"
        yield from _of_suggestion(here, suggestion, known)
        if suggestion.when is None and number + 1 < len(suggested):
            yield (
                f"{path}.suggest[{number + 1}]",
                ("never reached: the one before it always holds; give that a `when`"),
            )


def _of_suggestion(path: str, suggestion: Suggestion, known: _Known) -> Iterator[Mistake]:
    yield from _of_destination(path, suggestion, known)
    facts = known.facts
    if not suggestion.because.strip():
        yield f"{path}.because", "`because` is empty; say why one goes there"
    # A typo in braces would show as `?` to a person in trouble.
    named, rest = places(suggestion.because)
    if "{" in rest or "}" in rest:
        yield (f"{path}.because", "a brace must hold a fact name, as in {report.module}; mend it")
    for name in named:
        yield from _fact(f"{path}.because", name, facts)
    if suggestion.when is not None:
        yield from _of_condition(f"{path}.when", suggestion.when, facts)


def _of_destination(path: str, suggestion: Suggestion, known: _Known) -> Iterator[Mistake]:
    if (name := suggestion.playbook) is None:
        yield from one_of(f"{path}.go", "step", suggestion.go, [*known.steps, END])
    elif known.others is None:
        yield from slug(f"{path}.playbook", name)
    elif name not in known.others:
        yield from one_of(f"{path}.playbook", "playbook", name, known.others)
    elif steps := known.others[name]:
        yield from one_of(f"{path}.go", f"step of {name}", suggestion.go, steps)


def _of_condition(
    path: str, condition: Condition, facts: Collection[str] | None
) -> Iterator[Mistake]:
    tests = (condition.is_, condition.in_, condition.present, condition.at_least)
    # The type allows any mix of fields; `holds` would silently use the first.
    tested = sum(test is not None for test in tests)
    groups = [(n, g) for n, g in (("all", condition.all), ("any", condition.any)) if g is not None]
    joined = len(groups) + (condition.not_ is not None)
    if condition.fact is None and (tested or joined != 1):
        yield path, "needs `fact` with one test, or exactly one of `all`, `any` and `not`"
    elif condition.fact is not None and (joined or tested != 1):
        yield path, "needs exactly one of `is`, `in`, `present` and `at_least` beside `fact`"
    if condition.fact is not None:
        yield from _fact(f"{path}.fact", condition.fact, facts)
    for name, parts in groups:
        if not parts:
            yield f"{path}.{name}", f"`{name}` is empty; list at least one condition"
        for number, part in enumerate(parts):
            yield from _of_condition(f"{path}.{name}[{number}]", part, facts)
    if condition.not_ is not None:
        yield from _of_condition(f"{path}.not", condition.not_, facts)


def of_schema(schema: int) -> Iterator[Mistake]:
    """Yield a mistake where this version does not read the schema."""
    if schema != SCHEMA:
        yield "$.schema", f"schema {schema} is not known; this version reads schema {SCHEMA}"


def slug(path: str, name: str) -> Iterator[Mistake]:
    """Yield a mistake where the name is no id."""
    if not _SLUG.fullmatch(name):
        yield path, "an id is made of small letters, digits and single hyphens; rename it"


def _fact(path: str, name: str, known: Collection[str] | None) -> Iterator[Mistake]:
    if not _FACT.fullmatch(name):
        yield path, f"`{name}` is no fact name; facts look like report.module"
    elif known is not None:
        yield from one_of(path, "fact", name, known)


def one_of(path: str, what: str, name: str, known: Collection[str]) -> Iterator[Mistake]:
    """Yield a mistake, with the nearest name, where the name is not a known one."""
    if name not in known:
        yield path, f"there is no {what} `{name}`; {nearest(name, known)}"


def duplicates(path: str, names: Sequence[str], field: str = ".id") -> Iterator[Mistake]:
    """Yield a mistake for each name that was there before."""
    for number, name in enumerate(names):
        if name in names[:number]:
            yield f"{path}[{number}]{field}", f"`{name}` is there twice; rename or remove one"
