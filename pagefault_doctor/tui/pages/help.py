"""The help of a step: its purpose, terms, work by hand, signs and keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pagefault_doctor.model.command import Risk
from pagefault_doctor.model.playbook import Step
from pagefault_doctor.tools.tool import Tool
from pagefault_doctor.tui import keys
from pagefault_doctor.tui.pages.training import paragraphs
from pagefault_doctor.tui.row import FINDING_MARKS, STATUS_MARKS, STATUS_WORDS, Row, Tone

RISKS: Final = {
    Risk.READ: "only looks; it runs without asking",
    Risk.LOAD: "puts the machine under load; it asks first",
    Risk.CHANGE: "alters the system; it asks first and says how to undo it",
    Risk.CRASH: "may take the machine down; it wants the name of the host typed",
}
"""What each risk means for the person."""


def rows(step: Step, tools: Mapping[str, Tool]) -> Iterator[Row]:
    """Yield the help of a step."""
    yield Row(step.title, tone=Tone.TITLE)
    yield from paragraphs(step.why)
    if step.help:
        yield Row()
        yield from paragraphs(step.help)
    known = [tools[tool_id] for tool_id in step.tools if tool_id in tools]
    yield from _section("What it uses", [(tool.id, tool.purpose) for tool in known])
    if step.by_hand:
        yield Row()
        yield Row("By hand", tone=Tone.TITLE)
        for line in step.by_hand.strip().splitlines():
            yield Row(f"  {line}", hang=4)
    yield from _section("Keys in a step", _key_help(keys.KeyScope.STEP, keys.KeyScope.ANYWHERE))
    yield from _section(
        "Keys in output, log, diagnosis and report", _key_help(keys.KeyScope.VIEWER)
    )
    yield from _section("Moving", list(keys.MOVING))
    yield from _section("Risk of a command", [(risk.value, text) for risk, text in RISKS.items()])
    signs = [(mark, STATUS_WORDS[status]) for status, mark in STATUS_MARKS.items() if mark.strip()]
    yield from _section("Signs of a step", signs)
    found = [(mark, f"{meaning.value} sign") for meaning, mark in FINDING_MARKS.items()]
    yield from _section("Signs of a finding", found)


def _key_help(*places: keys.KeyScope) -> list[tuple[str, str]]:
    return [(key.cap, key.help) for key in keys.of(*places)]


def _section(title: str, pairs: list[tuple[str, str]]) -> Iterator[Row]:
    if not pairs:
        return
    yield Row()
    yield Row(title, tone=Tone.TITLE)
    width = min(max(len(name) for name, _ in pairs), 20)
    for name, text in pairs:
        yield Row(f"  {name:{width}}  {text}", hang=width + 4)
