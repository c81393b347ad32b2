"""Logs as JSON or in the journal's export format, as the lines they stand for.

`journalctl -o json` prints an object a line, `-o export` fields a line and an empty line between
entries (systemd, "Journal Export Formats"); `dmesg --json` one object with all messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from pagefault_doctor.model.pattern import regex

_LONGEST: Final = 1 << 20
_FIELD: Final = regex(rb'^\s*(?:"dmesg": *\[ *)?[\s{},]*"dmesg"|^\s*\{\s*"dmesg"')
_TIME: Final = regex(rb'"time": *"?(\d{1,12}\.\d{1,9})')
_CALLER: Final = regex(rb'"caller": *"([CT]\d{1,9})"')
_SAID: Final = regex(rb'"msg": *("(?:[^"\\]|\\.){0,65536}")')


def reader_of(head: bytes) -> Callable[[Iterable[bytes]], Iterator[bytes]] | None:
    """Return what turns the lines of such a log into plain ones, or None for a plain log."""
    text = head.lstrip()
    if text.startswith(b"{"):
        if _FIELD.match(text):
            return _dmesg
        return _json if b'"MESSAGE"' in text or b'"__CURSOR"' in text else None
    return _export if text.startswith((b"__CURSOR=", b"__REALTIME_TIMESTAMP=")) else None


def _json(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one line for each: numbers stay those of the file."""
    decoder = msgspec.json.Decoder(dict[str, Any])
    for line in lines:
        try:
            entry = decoder.decode(line) if len(line) <= _LONGEST else {}
        except (msgspec.DecodeError, ValueError, RecursionError):
            entry = {}
        yield _plain({name: _bytes(value) for name, value in entry.items() if name in _USED})


def _dmesg(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one line for each message."""
    time = caller = b""
    for line in lines:
        if match := _TIME.search(line):
            time, caller = match[1], b""
        if match := _CALLER.search(line):
            caller = match[1]
        if match := _SAID.search(line):
            try:
                said = msgspec.json.decode(match[1], type=str).encode()
            except (msgspec.DecodeError, ValueError):
                said = match[1][1:-1]
            stamp = b"[%12.6f]" % float(time) if time else b""
            yield stamp + (b"[%6s]" % caller if caller else b"") + b" " + _flat(said) + b"\n"
            time = caller = b""


def _export(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one line for each entry."""
    entry: dict[str, bytes] = {}
    wanted = 0
    name = ""
    for line in lines:
        if wanted:
            # A field with other than text in it: its length in eight bytes, then its data.
            entry[name] = (entry[name] + line)[: _LONGEST + 9]
            size = int.from_bytes(entry[name][:8], "little")
            if len(entry[name]) > min(size, _LONGEST) + 8:
                entry[name], wanted = entry[name][8 : 8 + size], 0
        elif line == b"\n":
            yield _plain(entry)
            entry = {}
        else:
            key, equals, value = line.rstrip(b"\n").partition(b"=")
            name = key.decode("ascii", "replace")
            entry[name if name in _USED or not equals else ""] = value
            wanted = 0 if equals else 1
    if entry:
        yield _plain(entry)


_USED: Final = frozenset(
    {"MESSAGE", "SYSLOG_IDENTIFIER", "_TRANSPORT", "_SOURCE_MONOTONIC_TIMESTAMP", "_PID"}
    | {"__MONOTONIC_TIMESTAMP"}
)


def _plain(entry: dict[str, bytes]) -> bytes:
    said = _flat(entry.get("MESSAGE", b""))
    who = _flat(entry.get("SYSLOG_IDENTIFIER", b""))
    time = entry.get("_SOURCE_MONOTONIC_TIMESTAMP") or entry.get("__MONOTONIC_TIMESTAMP", b"")
    stamp = b"[%12.6f] " % (int(time) / 1e6) if time.isdigit() and len(time) < 18 else b""
    if entry.get("_TRANSPORT", b"kernel") == b"kernel" and who in (b"", b"kernel"):
        return stamp + said + b"\n"
    # As journalctl shows what others say, so that it is not taken for the kernel's.
    return b"Jan  1 00:00:00 host " + (who or b"unknown") + b"[0]: " + said + b"\n"


def _bytes(value: object) -> bytes:
    """Return a field's bytes: text, or a list of numbers where it is not UTF-8."""
    if isinstance(value, list):
        return bytes(x & 0xFF for x in value[:_LONGEST] if isinstance(x, int))
    return str(value).encode("utf-8", "replace") if value is not None else b""


def _flat(text: bytes) -> bytes:
    return text.replace(b"\n", b" ")
