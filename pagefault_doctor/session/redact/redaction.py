"""Replace what identifies a machine, a network or a person in a session, before it is shared.

Each thing gets one replacement, such as `host-1`, everywhere, so the report stays readable. Kernel
addresses, modules, versions and hardware models stay: a report is useless without them. So
redaction is no guarantee: read a report before you publish it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Final

import msgspec

from pagefault_doctor.model.event import Event, NoteWritten, SessionStarted
from pagefault_doctor.session.redact.identifiers import FoundName, find_identifiers
from pagefault_doctor.session.redact.names import COMMON_NAMES, SessionNames, find_names

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
"""Kinds of names that are replaced; the replacement is the key and a number."""

_SEARCHED_KINDS: Final = ("serial", "secret", "ssid")
"""Kinds that are replaced everywhere, once a label has identified them."""

_KEPT_FIELDS: Final = frozenset(
    "id version playbook scenario step tool consent question "
    "kind type corrupted_reason arch kernel_release wall_clock function module comm workqueue "
    "tainted modules last_unloaded registers code frames fault what booted boot".split()
)
"""Fields that identify nobody, or without which a report is useless."""


class Redaction:
    """The replacements for the names in one session."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._counts: dict[str, int] = {}
        self._names = SessionNames()
        self._hardware_addresses: frozenset[str] = frozenset()
        self._extra_words: tuple[tuple[str, str], ...] = ()

    def events(self, events: Sequence[Event], extra_words: Iterable[str] = ()) -> list[Event]:
        """Return the events with all names replaced, and a note about it at the end.

        `extra_words` are additional words to replace everywhere. Times, numbers and commands of the
        session itself stay.
        """
        self._extra_words = tuple((word.lower(), "word") for word in extra_words if word.strip())
        self._learn(events)
        redacted = [self._redact_event(event) for event in events]
        step = next((e.step for e in reversed(events) if hasattr(e, "step")), "")
        return [*redacted, NoteWritten(step=step, text=self.summary, at=events[-1].at)]

    @property
    def summary(self) -> str:
        """What was replaced, by kind and number, as text."""
        counted = [
            f"{_count(len(self._numbers[kind]), what)} in {_count(self._counts[kind], 'place')}"
            for kind, what in _KINDS.items()
            if self._counts.get(kind)
        ]
        replaced = ", ".join(counted) or "nothing that names anybody was found"
        text = f"Redacted on request: {replaced}. Kernel addresses and versions are as they were."
        if kept := len(self._names.kept):
            text += (
                f" {_count(kept, 'name')} of a host or a user can also be a word of a report or "
                "the name of code, and went only where it was plain; --redact-word takes out more."
            )
        return text

    def text(self, text: str) -> str:
        """Return a text with all known names and all identifiers replaced."""
        parts, end = [], 0
        for found in _merge_overlapping(self._find_all(text)):
            parts += [text[end : found.start], self._replacement(found)]
            end = found.end
        return "".join((*parts, text[end:]))

    def _find_all(self, text: str) -> Iterator[FoundName]:
        yield from find_identifiers(text, self._hardware_addresses)
        for found in find_names(text):
            yield found._replace(key=self._names.key(found.kind, found.key))
        yield from self._names.find(text)
        lower = text.lower() if self._extra_words else ""
        for word, kind in self._extra_words:
            begin = -1
            while (begin := lower.find(word, begin + 1)) >= 0:
                yield FoundName(begin, begin + len(word), kind, word)

    def _learn(self, events: Sequence[Event]) -> None:
        """Learn the names of hosts and users, serial numbers and hardware addresses in all texts.

        A name is often only recognizable in one place, but has to be replaced everywhere.
        """
        texts = list(_texts(events))
        names: list[FoundName] = []
        addresses: set[str] = set()
        for text in texts:
            self._names.learn_code(text)
            identifiers = list(find_identifiers(text))
            addresses.update(s.key for s in identifiers if s.kind == "mac")
            names += _outside_addresses(find_names(text), identifiers)
            names += (p for p in identifiers if p.kind in _SEARCHED_KINDS and _is_rare(p.key))
        for event in events:
            if isinstance(event, SessionStarted):
                user, _, host = (event.destination or "").rpartition("@")
                hosts = {event.host.rpartition("@")[2], host}
                names += (FoundName(0, 0, "host", name) for name in hosts if name)
                names += (FoundName(0, 0, "user", name) for name in {user, event.user} if name)
        self._hardware_addresses = frozenset(addresses)
        # Only now, because a name that is also the name of code stays.
        self._names.learn(names)
        self._extra_words += tuple((word, "user") for word in sorted(self._names.phrases))

    def _redact_event(self, event: Event) -> Event:
        cleaned: Event = self._redact_value(event)
        if isinstance(event, SessionStarted):
            return msgspec.structs.replace(
                cleaned,
                user=self._redact_name("user", event.user),
                host=self._redact_destination(event.host),
                destination=event.destination and self._redact_destination(event.destination),
            )
        return cleaned

    def _redact_destination(self, text: str) -> str:
        user, at, host = text.rpartition("@")
        return f"{self._redact_name('user', user)}{at}{self._redact_name('host', host)}"

    def _redact_name(self, kind: str, name: str) -> str:
        """Return the replacement for a text that is known to be a name."""
        changed = self.text(name)
        if changed != name or not name or name.lower() in COMMON_NAMES:
            return changed
        return self._replacement(FoundName(0, 0, kind, self._names.key(kind, name)))

    def _redact_value(self, value: Any) -> Any:
        """Return a value with all free texts in it redacted."""
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._redact_value(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(map(self._redact_value, value))
        if isinstance(value, msgspec.Struct):
            fields = (f for f in value.__struct_fields__ if f not in _KEPT_FIELDS)
            changed = {name: self._redact_value(getattr(value, name)) for name in fields}
            return msgspec.structs.replace(value, **changed)
        return value

    def _replacement(self, found: FoundName) -> str:
        kind = found.kind
        self._counts[kind] = self._counts.get(kind, 0) + 1
        numbers = self._numbers.setdefault(kind, {})
        return f"{kind}-{numbers.setdefault(found.key, len(numbers) + 1)}"


def _merge_overlapping(names: Iterable[FoundName]) -> Iterator[FoundName]:
    """Yield the names by position; overlapping ones are merged and get the kind of the longest."""
    current: FoundName | None = None
    for name in sorted(names, key=lambda p: (p.start, -p.end)):
        if current is None or name.start >= current.end:
            if current is not None:
                yield current
            current = name
        elif name.end > current.end:
            longer = name if name.end - name.start > current.end - current.start else current
            current = longer._replace(start=current.start, end=name.end)
    if current is not None:
        yield current


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _texts(item))
    elif isinstance(value, list | tuple):
        yield from (text for item in value for text in _texts(item))
    elif isinstance(value, msgspec.Struct):
        yield from (t for f in value.__struct_fields__ for t in _texts(getattr(value, f)))


def _outside_addresses(
    names: Iterable[FoundName], identifiers: Sequence[FoundName]
) -> Iterator[FoundName]:
    """Yield the names outside addresses: `host: fe80::1` does not name a host `fe80`."""
    ranges = sorted((s.start, s.end) for s in identifiers if s.kind in ("ip", "mac", "id"))
    for name in names:
        before = bisect.bisect(ranges, (name.start, name.end)) - 1
        if before < 0 or name.start >= ranges[before][1]:
            yield name


def _is_rare(word: str) -> bool:
    """Return whether a serial number is distinctive enough to search for it everywhere."""
    return len(word) >= 6 and any(map(str.isdigit, word)) and any(map(str.isalpha, word))


def _count(number: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    what = what.replace("word of", "words of") if number != 1 else what
    return f"{number} {what}" if number == 1 or "words of" in what else f"{number} {what}{plural}"
