"""Logs as fields rather than lines, as the lines they stand for.

`journalctl -o json` prints an object a line, `-o export` fields a line and an empty line between
entries (systemd, "Journal Export Formats"); `dmesg --json` one object with all messages; /dev/kmsg
and netconsole `level,number,microseconds,flags;text` (`kernel/printk/printk.c`,
info_print_ext_header; `Documentation/networking/netconsole.rst`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final

import msgspec

from pagefault_doctor.klog.input import pstore
from pagefault_doctor.model.pattern import regex

_LONGEST: Final = 1 << 20
"""Bytes of a line or a field that are read."""
_MOST_STORED: Final = 1000
"""Records of pstore that are kept; one holds some kilobytes."""
_FIELD: Final = regex(rb'^\s*(?:"dmesg": *\[ *)?[\s{},]*"dmesg"|^\s*\{\s*"dmesg"')
_TIME: Final = regex(rb'"time": *"?(\d{1,12}\.\d{1,9})')
_CALLER: Final = regex(rb'"caller": *"([CT]\d{1,9})"')
_MESSAGE: Final = regex(rb'"msg": *("(?:[^"\\]|\\.){0,65536}")')
_KMSG: Final = regex(
    rb"(?:[\w.+~-]{1,64},)?\d{1,5},\d{1,20},(?P<time>\d{1,17}),[-c+*]"
    rb"(?P<more>(?:,[a-z]+=[^,;\n]{1,40}){0,4});"
)
_ESCAPED: Final = regex(rb"\\x([0-9a-f]{2})")
_FRAGMENT: Final = regex(rb",ncfrag=(\d{1,6})/(\d{1,6})")

UNREADABLE: Final = "incomplete or too long entries of the journal were left out: {}"

Reader = Callable[[Iterable[bytes], list[str]], Iterator[bytes]]
"""Yields the lines; what it had to leave out is added to the list as a note."""


def reader_of(head: bytes) -> Reader | None:
    """Return what turns the lines of such a log into plain ones, or None for a plain log."""
    text = head.lstrip(b" \t\r\n\x1e").removeprefix(b"data: ")
    if text.startswith(b"{"):
        if _FIELD.match(text):
            return _dmesg
        if b'"MESSAGE"' not in text and b'"__CURSOR"' not in text:
            return None
        return _pretty if text[1:2] in (b"\n", b"\r") else _json
    if text.startswith((b"__CURSOR=", b"__REALTIME_TIMESTAMP=")):
        return _export
    return _kmsg if _KMSG.match(text) else None


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file; of a very long one only the beginning."""
    while line := file.readline(_LONGEST):
        whole = line.endswith(b"\n")
        yield line if whole else line + b"\n"
        while not whole and (rest := file.readline(_LONGEST)):
            whole = rest.endswith(b"\n")


def _json(lines: Iterable[bytes], notes: list[str]) -> Iterator[bytes]:
    """Yield one line for each: numbers stay those of the file."""
    decoder = msgspec.json.Decoder(dict[str, Any])
    journal = _JournalLines()
    unreadable = 0
    for line in lines:
        try:
            entry = decoder.decode(line.lstrip(b"\x1e").removeprefix(b"data: "))
        except (msgspec.DecodeError, ValueError, RecursionError):
            entry = {}
            unreadable += bool(line.strip(b" \t\r\n\x1e"))
        yield journal.line({name: _bytes(value) for name, value in entry.items() if name in _USED})
    yield from journal.stored()
    if unreadable:
        notes.append(UNREADABLE.format(unreadable))


def _pretty(lines: Iterable[bytes], notes: list[str]) -> Iterator[bytes]:
    """Yield one line for each object, which spans several lines."""
    return _json(_objects(lines), notes)


def _objects(lines: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for line in lines:
        # Appended in place: a copy for each line would take time with the square of their number.
        if len(held) < 4 * _LONGEST:
            held += line
        if line.rstrip() == b"}":
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _dmesg(lines: Iterable[bytes], _notes: list[str]) -> Iterator[bytes]:
    """Yield one line for each message."""
    time = caller = b""
    for line in lines:
        if match := _TIME.search(line):
            time, caller = match[1], b""
        if match := _CALLER.search(line):
            caller = match[1]
        if match := _MESSAGE.search(line):
            try:
                message = msgspec.json.decode(match[1], type=str).encode()
            except (msgspec.DecodeError, ValueError):
                message = match[1][1:-1]
            # dmesg -F puts all the rest of its file behind each message (util-linux 2.38).
            message = message.partition(b"\n<")[0]
            yield _line(float(time) if time else None, caller, message)
            time = caller = b""


def _kmsg(lines: Iterable[bytes], _notes: list[str]) -> Iterator[bytes]:
    """Yield one line for each; it is empty for what belongs to the line before or after it.

    A message too long for a packet comes in fragments, the last of which gets the whole.
    """
    held = bytearray()
    for line in lines:
        head = _KMSG.match(line)
        if head is None:
            yield b"\n" if line.startswith(b" ") else line
            continue
        message = line[head.end() :].rstrip(b"\r\n")
        if fragment := _FRAGMENT.search(head["more"]):
            if fragment[1] == b"0":
                held.clear()
            if len(held) < _LONGEST:
                held += message
            if len(held) < int(fragment[2]):
                yield b"\n"
                continue
            message = bytes(held)
            held.clear()
        message = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), message)
        caller = head["more"].partition(b"caller=")[2].partition(b",")[0]
        yield _line(int(head["time"]) / 1e6, caller, message)


def _export(lines: Iterable[bytes], notes: list[str]) -> Iterator[bytes]:
    """Yield one line for each entry."""
    journal = _JournalLines()
    entry: dict[str, bytes] = {}
    blob: _Blob | None = None
    for line in lines:
        if blob is not None:
            if blob.take(line):
                entry[blob.name], blob = blob.data, None
        elif line == b"\n":
            yield journal.line(entry)
            entry = {}
        else:
            key, equals, value = line.rstrip(b"\n").partition(b"=")
            name = key.decode("ascii", "replace")
            if not equals:
                blob = _Blob(name)
            elif name in _USED:
                entry[name] = value
    if blob is not None:
        notes.append(UNREADABLE.format(1))
    if entry:
        yield journal.line(entry)
    yield from journal.stored()


class _Blob:
    """A field with other than text in it: its length in eight bytes, its data, a newline."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._held = bytearray()
        self._seen = 0

    def take(self, line: bytes) -> bool:
        """Take in what comes next and return whether it ends the field."""
        self._seen += len(line)
        if len(self._held) < _LONGEST + 8:
            self._held += line
        return self._seen > 8 and self._seen > self._size + 8

    @property
    def _size(self) -> int:
        return int.from_bytes(self._held[:8], "little")

    @property
    def data(self) -> bytes:
        """The field's data, not more than is read of any."""
        return bytes(self._held[8 : 8 + min(self._size, _LONGEST)])


_USED: Final = frozenset(
    {"MESSAGE", "FILE", "SYSLOG_IDENTIFIER", "_TRANSPORT", "_SOURCE_MONOTONIC_TIMESTAMP", "_PID"}
    | {"__MONOTONIC_TIMESTAMP", "_BOOT_ID"}
)


class _JournalLines:
    """Writes entries of the journal as lines, and marks where another boot begins."""

    def __init__(self) -> None:
        self._boot = b""
        self._stored: list[bytes] = []

    def stored(self) -> Iterator[bytes]:
        """Yield the lines of the records of pstore that systemd put into the journal.

        Each is in the field FILE of an entry (`src/pstore/pstore.c`, write_message).
        """
        yield from pstore.in_order(b"".join(self._stored)) if self._stored else ()

    def line(self, entry: dict[str, bytes]) -> bytes:
        """Return the line of an entry, the first one of a boot with its id."""
        file = entry.get("FILE", b"")
        if pstore.first_record(file) and len(self._stored) < _MOST_STORED:
            self._stored.append(file.rstrip(b"\n") + b"\n")
        boot = entry.get("_BOOT_ID", b"")
        boot = boot if len(boot) == 32 and boot.isalnum() else self._boot
        mark = b"-- Boot %s -- " % boot if self._boot not in (b"", boot) else b""
        self._boot = boot
        message = _flat(entry.get("MESSAGE", b""))
        who = _flat(entry.get("SYSLOG_IDENTIFIER", b""))
        if entry.get("_TRANSPORT", b"kernel") != b"kernel" or who not in (b"", b"kernel"):
            # As journalctl shows messages of others, so that it is not taken for the kernel's.
            return mark + b"Jan  1 00:00:00 host %s[0]: %s\n" % (who or b"unknown", message)
        time = entry.get("_SOURCE_MONOTONIC_TIMESTAMP") or entry.get("__MONOTONIC_TIMESTAMP", b"")
        stamp = int(time) / 1e6 if time.isdigit() and len(time) < 18 else None
        return mark + _line(stamp, b"", message)


def _line(time: float | None, caller: bytes, message: bytes) -> bytes:
    """Return the line as printk would have written it."""
    if time is None:
        return _flat(message) + b"\n"
    return b"[%12.6f]%s %s\n" % (time, b"[%6s]" % caller if caller else b"", _flat(message))


def _bytes(value: object) -> bytes:
    """Return a field's bytes: text, or a list of numbers where it is not UTF-8."""
    if isinstance(value, list):
        return bytes(x & 0xFF for x in value[:_LONGEST] if isinstance(x, int))
    return str(value).encode("utf-8", "replace") if value is not None else b""


def _flat(text: bytes) -> bytes:
    return text.replace(b"\n", b" ")
