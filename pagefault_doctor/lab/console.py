"""The guest's first serial port: what it prints, its beginning and its end.

A guest can print without end. QEMU would write all of it to a file; here it is read and bounded.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from typing import Final

HEAD_BYTES: Final = 1 << 20
"""Bytes kept of the beginning: a boot is about 40 kB."""
TAIL_BYTES: Final = 4 << 20
"""Bytes kept of the end, at least: a report is a few kB."""
_CATCH_UP_TIMEOUT: Final = 0.1
_LEFT_OUT: Final = "\n[pfdoctor: {:,} bytes of the console left out]\n"


class Console:
    """Reads a connection in a thread of its own until its other end closes it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._head, self._tail = bytearray(), bytearray()
        self._left_out = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def length(self) -> int:
        """The bytes printed so far, also those that were left out."""
        with self._lock:
            return len(self._head) + self._left_out + len(self._tail)

    def text(self) -> bytes:
        """Return what was printed so far; a line of ours stands for what was left out."""
        self._catch_up()
        with self._lock:
            gap = _LEFT_OUT.format(self._left_out).encode() if self._left_out else b""
            return bytes(self._head + gap + self._tail)

    def close(self) -> None:
        """Stop reading."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _catch_up(self) -> None:
        """Wait a moment for what has arrived and is not read yet."""
        arrived = select.poll()
        with contextlib.suppress(OSError, ValueError):  # It was closed.
            arrived.register(self._connection, select.POLLIN)
            until = time.monotonic() + _CATCH_UP_TIMEOUT
            while self._thread.is_alive() and arrived.poll(0) and time.monotonic() < until:
                time.sleep(0.002)

    def _read(self) -> None:
        # Where QEMU is killed, the connection is reset, and what it said before is kept.
        with contextlib.suppress(OSError):
            while piece := self._connection.recv(1 << 16):
                self._add(piece)

    def _add(self, piece: bytes) -> None:
        with self._lock:
            room = HEAD_BYTES - len(self._head)
            self._head += piece[:room]
            self._tail += piece[room:]
            # Twice the bytes are kept before half are dropped, so that it is done seldom.
            if len(self._tail) > 2 * TAIL_BYTES:
                self._left_out += len(self._tail) - TAIL_BYTES
                del self._tail[:-TAIL_BYTES]
