"""The part of a command's output that is kept."""

from __future__ import annotations

from codecs import getincrementaldecoder

from pagefault_doctor.model import untrusted


class Capture:
    """The beginning of a stream as harmless text, at most `limit` bytes of it.

    The limit counts what is kept: of control characters and bytes that are no text a flood would
    otherwise become several times as much. `overflowed` is set when more came than was kept. No
    chunk is taken for whole: it may end inside a character or a line.
    """

    def __init__(self, limit: int) -> None:
        self.limit = max(limit, 0)
        self.overflowed = False
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._return = ""
        # As UTF-8: one rare character makes each of a string take four bytes.
        self._data = bytearray()
        self._taken = 0

    def feed(self, chunk: bytes) -> None:
        """Keep the next chunk, up to the limit."""
        if self.overflowed:
            return
        text = self._return + self._decoder.decode(chunk)
        # Perhaps the first half of CRLF.
        self._return = "\r" if text.endswith("\r") else ""
        self._keep(text.removesuffix("\r"))

    def take_lines(self) -> str:
        """Return the whole lines that arrived since the last call, as harmless text."""
        return self._take(self._data.rfind(b"\n", self._taken) + 1)

    def take_rest(self) -> str:
        """Return everything that arrived since the last call; the stream has ended."""
        self._finish()
        return self._take(len(self._data))

    def text(self) -> str:
        """Return everything that was kept, as harmless text; the stream has ended."""
        self._finish()
        return self._data.decode()

    def whole(self, data: bytes) -> str:
        """Return what is kept of a stream that came at once, as harmless text."""
        self.feed(data)
        return self.text()

    def _finish(self) -> None:
        rest, self._return = self._return + self._decoder.decode(b"", final=True), ""
        self._keep(rest)

    def _keep(self, text: str) -> None:
        data = untrusted.clean(text.replace("\r\n", "\n")).encode()
        room = self.limit - len(self._data)
        if len(data) > room:
            self.overflowed = True
            data = data[:room].decode("utf-8", "ignore").encode()
        self._data += data

    def _take(self, end: int) -> str:
        if end <= self._taken:
            return ""
        fresh = self._data[self._taken : end].decode()
        self._taken = end
        return fresh
