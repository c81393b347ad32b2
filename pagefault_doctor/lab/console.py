"""The guest's first serial port: what it prints, its beginning and its end.

A guest can print without end. QEMU would write all of it to a file; here it is read and bounded.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Final

HEAD_BYTES: Final = 1 << 20
"""Bytes kept of the beginning: a boot is about 40 kB."""
TAIL_BYTES: Final = 4 << 20
"""Bytes kept of the end, at least: a report is a few kB."""
_PIECE: Final = 1 << 16
_MOST_PIECES: Final = 4096
"""Pieces that are read at once at most: a guest may print faster than they are taken."""
_LEFT_OUT: Final = "\n[pfdoctor: {:,} bytes of the console left out]\n"


class Console:
    """Reads a connection in a thread of its own until its other end closes it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._head, self._tail = bytearray(), bytearray()
        self._left_out = 0
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def length(self) -> int:
        """The bytes printed so far, also those that were left out."""
        with self._lock:
            return len(self._head) + self._left_out + len(self._tail)

    def text(self) -> bytes:
        """Return what was printed so far; a line of ours stands for what was left out."""
        with self._lock:
            for _ in range(_MOST_PIECES):
                if not self._read_piece():
                    break
            gap = _LEFT_OUT.format(self._left_out).encode() if self._left_out else b""
            return bytes(self._head + gap + self._tail)

    def close(self) -> None:
        """Stop reading."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _read(self) -> None:
        arrived = select.poll()
        arrived.register(self._connection, select.POLLIN)
        while not self._ended:
            arrived.poll()
            with self._lock:
                self._read_piece()

    def _read_piece(self) -> bool:
        """Read what has arrived, under the lock, so that nothing is in hand; return if there was.

        Where QEMU is killed, the connection is reset, and what it said before is kept.
        """
        if self._ended:
            return False
        try:
            piece = self._connection.recv(_PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            piece = b""
        self._ended = not piece
        self._add(piece)
        return bool(piece)

    def _add(self, piece: bytes) -> None:
        room = HEAD_BYTES - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        # Twice the bytes are kept before half are dropped, so that it is done seldom.
        if len(self._tail) > 2 * TAIL_BYTES:
            self._left_out += len(self._tail) - TAIL_BYTES
            del self._tail[:-TAIL_BYTES]
