"""Taking out of a session what names a machine, a network or a person, before it is shown around.

Each thing gets a name that stands for it wherever it occurs, so that the story stays readable.
Kernel addresses, modules, versions and the kind of hardware stay: without them a report is of no
use. So this is a help and no proof: read a report before you publish it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from pagefault_doctor.model.event import CommandFinished, Event, NoteWritten, SessionStarted
from pagefault_doctor.session.event_log import with_texts

_KINDS: Final = {
    "host": "host name",
    "user": "user name",
    "ip": "IP address",
    "mac": "hardware address",
    "mail": "mail address",
    "serial": "serial number",
    "id": "machine or disk id",
}
"""What is taken out; the key is what stands in its place, with a number."""

_PATTERNS: Final = (
    ("mail", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b(?![:/\w])")),
    ("id", re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")),
    ("id", re.compile(r"(?<=boot_id=)[0-9a-f]{32}\b|(?<=machine_id=)[0-9a-f]{32}\b")),
    ("mac", re.compile(r"\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b(?!:)")),
    ("ip", re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]|-\w)")),
    ("ip", re.compile(r"(?<![\w:.])(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]{1,4}:){7})"
                      r"[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:.])")),
    ("serial", re.compile(r"(?i)(?<=serial number: )\S+|(?<=serialnumber: )\S+|(?<=serial=)\S+"
                          r"|(?<=serial )(?=\S*\d)[\w-]{6,}")),
)  # fmt: skip
_HOME: Final = re.compile(r"(?<![\w/])/(?:home|Users)/([\w.+-]{1,64})")
_LOGIN: Final = re.compile(
    r"(?:\b(?:USER|LOGNAME|SUDO_USER)=|(?:opened|closed) for user |Accepted \w+ for "
    r"|Failed \w+ for (?:invalid user )?|New session \S+ of user )([A-Za-z_][\w.-]{1,31})"
)
_HOST_IN_LOG: Final = re.compile(
    r"(?m)^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+|\[ *\d+\.\d+\]) "
    r"([A-Za-z][\w.-]{1,62}) (?:kernel|systemd|sshd|sudo)(?:\[\d+\])?:"
)
_KNOWN: Final = frozenset(
    ("root", "localhost", "lab", "recording", "kernel", "nobody", "daemon", "user", "the", "this")
)
"""Names that tell nothing."""


class Redaction:
    """Names that stand for what was taken out of one session."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._places: dict[str, int] = {}
        self._words: re.Pattern[str] | None = None
        self._kind_of: dict[str, str] = {}

    def events(self, events: Sequence[Event], also: Iterable[str] = ()) -> list[Event]:
        """Return the events with all that names somebody replaced, and a note that says so.

        `also` are more words to take out. A session's own times, numbers and commands stay.
        """
        self._learn(events, also)
        cleaned = [self._cleaned(event) for event in events]
        step = next((e.step for e in reversed(events) if hasattr(e, "step")), "")
        return [*cleaned, NoteWritten(step=step, text=self.summary, at=events[-1].at)]

    @property
    def summary(self) -> str:
        """What was replaced, in a sentence."""
        counted = [
            f"{sum(kind == k for k, _ in self._names)} {what} ({self._places[kind]} places)"
            for kind, what in _KINDS.items()
            if self._places.get(kind)
        ]
        said = ", ".join(counted) or "nothing that names anybody was found"
        return f"Redacted on request: {said}. Kernel addresses and versions are as they were."

    def text(self, text: str) -> str:
        """Return a text with everything replaced that is known or looks like one of the kinds."""
        for kind, pattern in _PATTERNS:
            text = pattern.sub(lambda match, kind=kind: self._patterned(kind, match[0]), text)  # type: ignore[misc]
        if self._words is None:
            return text
        return self._words.sub(lambda match: self._name(self._kind_of[match[0]], match[0]), text)

    def _learn(self, events: Sequence[Event], also: Iterable[str]) -> None:
        """Find the names of hosts and users, which look like any other word."""
        hosts, users = set[str](also), set[str]()
        for event in events:
            if isinstance(event, SessionStarted):
                user, _, host = (event.destination or "").rpartition("@")
                hosts |= {event.host.rpartition("@")[2], host}
                users |= {user, event.user}
            if isinstance(event, CommandFinished):
                hosts |= set(re.findall(r"(?m)^name=(\S+)$", event.output))
                hosts |= set(_HOST_IN_LOG.findall(event.output))
            for text in _texts(msgspec.to_builtins(event)):
                users |= {*_HOME.findall(text), *_LOGIN.findall(text)}
        self._kind_of = dict.fromkeys(users, "user") | dict.fromkeys(hosts, "host")
        words = [w for w in self._kind_of if len(w) > 2 and w.lower() not in _KNOWN]
        if words:
            longest_first = sorted(map(re.escape, words), key=len, reverse=True)
            self._words = re.compile(rf"(?<![\w-])(?:{'|'.join(longest_first)})(?![\w-])")

    def _cleaned(self, event: Event) -> Event:
        kept = {
            name: getattr(event, name) for name in ("id", "step", "tool") if hasattr(event, name)
        }
        return msgspec.structs.replace(with_texts(event, self.text), **kept)

    def _patterned(self, kind: str, word: str) -> str:
        if kind == "ip" and not _is_address(word):
            return word
        return self._name(kind, word)

    def _name(self, kind: str, word: str) -> str:
        self._places[kind] = self._places.get(kind, 0) + 1
        number = sum(k == kind for k, _ in self._names) + 1
        return self._names.setdefault((kind, word), f"{kind}-{number}")


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _is_address(word: str) -> bool:
    """Return whether a word is an IP address that may name a machine; `::` and 0.0.0.0 do not."""
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)
