"""Taking out of a session what names a machine, a network or a person, before it is shown around.

Each thing gets a name that stands for it wherever it occurs, so that the story stays readable.
Kernel addresses, modules, versions and the kind of hardware stay: without them a report is of no
use. So this is a help and no proof: read a report before you publish it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Final

import msgspec

from pagefault_doctor.model.event import Event, NoteWritten, SessionStarted
from pagefault_doctor.session.redact.identifiers import FoundName, found
from pagefault_doctor.session.redact.names import UNTELLING, SessionNames, told

_KINDS: Final = {
    "host": "host name",
    "user": "user name",
    "ip": "IP address",
    "mac": "hardware address",
    "mail": "mail address",
    "serial": "serial number",
    "id": "machine or disk id",
    "ssid": "network name",
    "secret": "password or token",
    "word": "word of yours",
}
"""What is taken out; the key is what stands in its place, with a number."""

_LOOKED_FOR: Final = ("serial", "secret", "ssid")
"""Kinds that are taken out wherever they stand once a label told them."""

_AS_THEY_ARE: Final = frozenset(
    "id version playbook scenario step tool consent question "
    "kind type corrupted_reason arch kernel_release wall_clock function module comm workqueue "
    "tainted modules last_unloaded registers code frames fault what booted boot".split()
)
"""Fields of events, logs and reports that name nobody, or that a report is of no use without."""


class Redaction:
    """Names that stand for what was taken out of one session."""

    def __init__(self) -> None:
        self._standing: dict[str, dict[str, int]] = {}
        self._places: dict[str, int] = {}
        self._names = SessionNames()
        self._seen: frozenset[str] = frozenset()
        self._also: tuple[tuple[str, str], ...] = ()

    def events(self, events: Sequence[Event], also: Iterable[str] = ()) -> list[Event]:
        """Return the events with all that names somebody replaced, and a note that says so.

        `also` are more words to take out, wherever they stand. A session's own times, numbers and
        commands stay.
        """
        self._also = tuple((word.lower(), "word") for word in also if word.strip())
        self._learn(events)
        cleaned = [self._cleaned(event) for event in events]
        step = next((e.step for e in reversed(events) if hasattr(e, "step")), "")
        return [*cleaned, NoteWritten(step=step, text=self.summary, at=events[-1].at)]

    @property
    def summary(self) -> str:
        """What was replaced, by kind and number, in a sentence or two."""
        counted = [
            f"{_count(len(self._standing[kind]), what)} in {_count(self._places[kind], 'place')}"
            for kind, what in _KINDS.items()
            if self._places.get(kind)
        ]
        said = ", ".join(counted) or "nothing that names anybody was found"
        text = f"Redacted on request: {said}. Kernel addresses and versions are as they were."
        if kept := len(self._names.kept):
            text += (
                f" {_count(kept, 'name')} of a host or a user can also be a word of a report or "
                "the name of code, and went only where it was plain; --redact-word takes out more."
            )
        return text

    def text(self, text: str) -> str:
        """Return a text with everything replaced that is known or looks like one of the kinds."""
        pieces, done = [], 0
        for place in _merged(self._everything(text)):
            pieces += [text[done : place.start], self._standing_for(place)]
            done = place.end
        return "".join((*pieces, text[done:]))

    def _everything(self, text: str) -> Iterator[FoundName]:
        yield from found(text, self._seen)
        for place in told(text):
            yield place._replace(key=self._names.key(place.kind, place.key))
        yield from self._names.found(text)
        lower = text.lower() if self._also else ""
        for word, kind in self._also:
            begin = -1
            while (begin := lower.find(word, begin + 1)) >= 0:
                yield FoundName(begin, begin + len(word), kind, word)

    def _learn(self, events: Sequence[Event]) -> None:
        """Find the names of hosts and users, and what else is told apart by having been seen."""
        texts = list(_texts(events))
        places: list[FoundName] = []
        seen: set[str] = set()
        for text in texts:
            self._names.learn_code(text)
            shapes = list(found(text))
            seen.update(s.key for s in shapes if s.kind == "mac")
            places += _apart(told(text), shapes)
            places += (p for p in shapes if p.kind in _LOOKED_FOR and _is_rare(p.key))
        for event in events:
            if isinstance(event, SessionStarted):
                user, _, host = (event.destination or "").rpartition("@")
                hosts = {event.host.rpartition("@")[2], host}
                places += (FoundName(0, 0, "host", name) for name in hosts if name)
                places += (FoundName(0, 0, "user", name) for name in {user, event.user} if name)
        self._seen = frozenset(seen)
        self._names.learn(places)
        self._also += tuple((word, "user") for word in sorted(self._names.phrases))

    def _cleaned(self, event: Event) -> Event:
        cleaned: Event = self._walked(event)
        if isinstance(event, SessionStarted):
            return msgspec.structs.replace(
                cleaned,
                user=self._named("user", event.user),
                host=self._destination(event.host),
                destination=event.destination and self._destination(event.destination),
            )
        return cleaned

    def _destination(self, text: str) -> str:
        user, at, host = text.rpartition("@")
        return f"{self._named('user', user)}{at}{self._named('host', host)}"

    def _named(self, kind: str, name: str) -> str:
        """Return what stands for something that is known to be a name."""
        changed = self.text(name)
        if changed != name or not name or name.lower() in UNTELLING:
            return changed
        return self._standing_for(FoundName(0, 0, kind, self._names.key(kind, name)))

    def _walked(self, value: Any) -> Any:
        """Return a value with every free text in it redacted."""
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._walked(each) for key, each in value.items()}
        if isinstance(value, tuple):
            return tuple(map(self._walked, value))
        if isinstance(value, msgspec.Struct):
            fields = (f for f in value.__struct_fields__ if f not in _AS_THEY_ARE)
            changed = {name: self._walked(getattr(value, name)) for name in fields}
            return msgspec.structs.replace(value, **changed)
        return value

    def _standing_for(self, place: FoundName) -> str:
        kind = place.kind
        self._places[kind] = self._places.get(kind, 0) + 1
        numbers = self._standing.setdefault(kind, {})
        return f"{kind}-{numbers.setdefault(place.key, len(numbers) + 1)}"


def _merged(places: Iterable[FoundName]) -> Iterator[FoundName]:
    """Give places in their order; those that overlap are one, called as the longest of them is."""
    held: FoundName | None = None
    for place in sorted(places, key=lambda p: (p.start, -p.end)):
        if held is None or place.start >= held.end:
            if held is not None:
                yield held
            held = place
        elif place.end > held.end:
            longer = place if place.end - place.start > held.end - held.start else held
            held = longer._replace(start=held.start, end=place.end)
    if held is not None:
        yield held


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _texts(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _texts(each))
    elif isinstance(value, msgspec.Struct):
        yield from (t for f in value.__struct_fields__ for t in _texts(getattr(value, f)))


def _apart(places: Iterable[FoundName], shapes: Sequence[FoundName]) -> Iterator[FoundName]:
    """Give the names that are no part of an address: `host: fe80::1` tells of no `fe80`."""
    taken = sorted((s.start, s.end) for s in shapes if s.kind in ("ip", "mac", "id"))
    for place in places:
        before = bisect.bisect(taken, (place.start, place.end)) - 1
        if before < 0 or place.start >= taken[before][1]:
            yield place


def _is_rare(word: str) -> bool:
    """Return whether a serial number is unlike all other words, so that it can be looked for."""
    return len(word) >= 6 and any(map(str.isdigit, word)) and any(map(str.isalpha, word))


def _count(number: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    what = what.replace("word of", "words of") if number != 1 else what
    return f"{number} {what}" if number == 1 or "words of" in what else f"{number} {what}{plural}"
