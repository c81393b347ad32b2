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

from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandStarted,
    Event,
    SessionStarted,
)
from pagefault_doctor.session.redact.addresses import ADDRESSES, MAYBE_MAC
from pagefault_doctor.session.redact.common_names import COMMON_NAMES
from pagefault_doctor.session.redact.containers import CONTAINERS
from pagefault_doctor.session.redact.hosts import HOSTS
from pagefault_doctor.session.redact.identifiers import IDENTIFIERS
from pagefault_doctor.session.redact.kernel_command_line import KERNEL_COMMAND_LINE
from pagefault_doctor.session.redact.search import FoundName, PatternSearch, without_escapes
from pagefault_doctor.session.redact.secrets import SECRETS
from pagefault_doctor.session.redact.session_names import SessionNames
from pagefault_doctor.session.redact.storage import STORAGE
from pagefault_doctor.session.redact.users import USERS

_PATTERNS: Final = (
    *(*ADDRESSES, *IDENTIFIERS, *SECRETS, *CONTAINERS),
    *(*STORAGE, *KERNEL_COMMAND_LINE, *USERS, *HOSTS),
)

_KINDS: Final = {
    "host": "host name",
    "user": "user name",
    "ip": "IP address",
    "mac": "hardware address",
    "mail": "mail address",
    "serial": "serial number",
    "id": "machine or disk id",
    "phone": "phone or SIM number",
    "volume": "name of a disk, volume or share",
    "container": "container or virtual machine",
    "org": "organization",
    "ssid": "network name",
    "secret": "password or token",
    "value": "value on the kernel command line",
    "word": "word of yours",
}
"""Kinds of names that are replaced; the replacement is the key and a number."""

_LEARNED_KINDS: Final = frozenset("serial secret ssid phone volume container org".split())
"""Kinds that are replaced everywhere, once a label has identified them."""

UNKNOWN: Final = (
    "It does not know: names in free text without a label, the name of a company or product in a "
    "module, function, process or file, folders outside homes, times, rare hardware, the content "
    "of memory. So read the report before you publish it."
)
"""What may be left in a redacted report, for its reader."""

_MAX_KEPT_PLACES: Final = 300_000
"""Most places that are remembered between learning and replacing; beyond, they are found again."""

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
        self._search = PatternSearch(_PATTERNS)
        self._found: dict[str, tuple[FoundName, ...]] = {}
        self._kept_places = 0
        self._names = SessionNames()
        self._hardware_addresses: frozenset[str] = frozenset()
        self._extra_words: tuple[str, ...] = ()

    def events(self, events: Sequence[Event], extra_words: Iterable[str] = ()) -> list[Event]:
        """Return the events with all names replaced; `summary` then says which.

        `extra_words` are additional words to replace everywhere. Times, numbers and commands of the
        session itself stay.
        """
        self._extra_words = tuple(word.lower() for word in extra_words if word.strip())
        self._learn(events)
        return [self._redact_event(event) for event in events]

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
        return f"{text} {UNKNOWN}"

    def text(self, text: str, more: Iterable[FoundName] = ()) -> str:
        """Return a text with all known names and all identifiers replaced, and those in `more`."""
        parts, end = [], 0
        for found in merge_overlapping((*more, *self._find_all(text))):
            # Lines keep their numbers: findings cite them.
            lines = text.count("\n", found.start, found.end)
            parts += [text[end : found.start], self._replacement(found), "\n" * lines]
            end = found.end
        return "".join((*parts, text[end:]))

    def _find_all(self, text: str) -> Iterator[FoundName]:
        blanked = without_escapes(text)
        for found in self._find_by_pattern(text, blanked):
            key = self._names.key(found.kind, found.key)
            if found.kind != MAYBE_MAC:
                yield found._replace(key=key)
            elif key in self._hardware_addresses:
                yield found._replace(key=key, kind="mac")
        yield from self._names.find(text, blanked)
        lower = text.lower() if self._extra_words else ""
        for word in self._extra_words:
            begin = -1
            while (begin := lower.find(word, begin + 1)) >= 0:
                yield FoundName(begin, begin + len(word), "word", word)

    def _find_by_pattern(self, text: str, blanked: str) -> Iterable[FoundName]:
        """Return what the patterns find in a text; it is remembered for the second time."""
        found = self._found.get(text)
        if found is None:
            if self._kept_places > _MAX_KEPT_PLACES:
                return self._search.find(blanked)
            found = self._found[text] = tuple(self._search.find(blanked))
            self._kept_places += len(found) + 1
        return found

    def _learn(self, events: Sequence[Event]) -> None:
        """Learn the names of hosts and users, serial numbers and hardware addresses in all texts.

        A name is often only recognizable in one place, but has to be replaced everywhere.
        """
        # A dict, because names are numbered in their order and most are found many times.
        names: dict[tuple[str, str], None] = {}
        addresses: set[str] = set()
        for text in _texts(events):
            self._names.learn_code(text)
            found = self._find_by_pattern(text, without_escapes(text))
            names.update(dict.fromkeys(_learned(found, addresses)))
        for event in events:
            if isinstance(event, SessionStarted):
                user, _, host = (event.destination or "").rpartition("@")
                hosts = {event.host.rpartition("@")[2], host}
                names.update({("host", name): None for name in sorted(hosts) if name})
                names.update({("user", name): None for name in (user, event.user) if name})
        self._hardware_addresses = frozenset(addresses)
        # Only now, because a name that is also the name of code stays.
        self._names.learn(names)

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
            changed = {
                name: self._redact_arguments(value.argv)
                if name == "argv" and isinstance(value, CommandStarted | CommandDeclined)
                else self._redact_value(getattr(value, name))
                for name in fields
            }
            return msgspec.structs.replace(value, **changed)
        return value

    def _redact_arguments(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the arguments redacted; an option can be the label of the argument after it."""
        line = " ".join(argv)
        found = tuple(self._search.find(without_escapes(line)))
        redacted, start = [], 0
        for argument in argv:
            end = start + len(argument)
            inside = (
                f._replace(start=f.start - start, end=f.end - start)
                for f in found
                if start <= f.start and f.end <= end and f.kind == "secret"
            )
            redacted.append(self.text(argument, inside))
            start = end + 1
        return tuple(redacted)

    def _replacement(self, found: FoundName) -> str:
        kind = found.kind
        self._counts[kind] = self._counts.get(kind, 0) + 1
        numbers = self._numbers.setdefault(kind, {})
        return f"{kind}-{numbers.setdefault(found.key, len(numbers) + 1)}"


def merge_overlapping(names: Iterable[FoundName]) -> Iterator[FoundName]:
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


def _learned(found: Iterable[FoundName], addresses: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the names to look for everywhere, with their kinds; add hardware addresses to the set.

    A name in an address is none: `host: fe80::1` does not name a host `fe80`.
    """
    names = list[FoundName]()
    ranges = list[tuple[int, int]]()
    for place in found:
        if place.kind in ("ip", "mac", "id"):
            ranges.append((place.start, place.end))
            if place.kind == "mac":
                addresses.add(place.key)
        elif place.kind in ("user", "host"):
            names.append(place)
        elif place.kind in _LEARNED_KINDS and _is_rare(place.kind, place.key):
            yield place.kind, place.key
    ranges.sort()
    for name in names:
        before = bisect.bisect(ranges, (name.start + 1, 0)) - 1
        if before < 0 or name.start >= ranges[before][1]:
            yield name.kind, name.key


def _is_rare(kind: str, word: str) -> bool:
    """Return whether a name is distinctive enough to search for it everywhere."""
    if len(word) < 6:
        return False
    digit, letter = any(map(str.isdigit, word)), any(map(str.isalpha, word))
    if kind in ("phone", "serial"):
        return digit and (letter or kind == "phone")
    return letter and (digit or not word.isalpha())


def _count(number: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    what = what.replace("word of", "words of") if number != 1 else what
    return f"{number} {what}" if number == 1 or "words of" in what else f"{number} {what}{plural}"
