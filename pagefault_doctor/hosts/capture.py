"""The part of a command's output that is kept."""

from __future__ import annotations

from pagefault_doctor.model import untrusted


class Capture:
    """The first `limit` bytes of a stream, as they arrive.

    `overflowed` is set when more arrived than was kept. Text is decoded from whole lines or from
    the whole stream, never from a chunk as read, which may end inside a character.
    """

    def __init__(self, limit: int) -> None:
        self.limit = max(limit, 0)
        self.overflowed = False
        self._data = bytearray()
        self._taken = 0

    def feed(self, chunk: bytes) -> None:
        """Keep the next chunk, up to the limit."""
        room = self.limit - len(self._data)
        self.overflowed = self.overflowed or len(chunk) > room
        self._data += chunk[:room]

    def take_lines(self) -> str:
        """Return the whole lines that arrived since the last call, as harmless text."""
        return self._take(self._data.rfind(b"\n", self._taken) + 1)

    def take_rest(self) -> str:
        """Return everything that arrived since the last call, including an unfinished line."""
        return self._take(len(self._data))

    def text(self) -> str:
        """Return everything that was kept, as harmless text."""
        return untrusted.decode(bytes(self._data))

    def _take(self, end: int) -> str:
        if end <= self._taken:
            return ""
        fresh = bytes(self._data[self._taken : end])
        self._taken = end
        return untrusted.decode(fresh)
