"""The standard streams while `pfdoctor` runs: whatever is written, no terminal obeys it.

Every print, warning, usage error of argparse and traceback goes through these streams, so that
none of them can forget to make its text harmless.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import Final, TextIO, cast

from pagefault_doctor.model.untrusted import clean

_ESCAPES: Final = "pfdoctor-escapes"
"""The name of the error handler for characters that the encoding of a stream does not have."""

_PLACEHOLDERS: Final = ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY))
"""How the null device is opened in place of a closed descriptor: so that its use fails."""


class OutputError(Exception):
    """Standard output takes nothing more; `reader_left` means that its reader has closed it."""

    def __init__(self, reason: str, *, reader_left: bool = False) -> None:
        super().__init__(f"standard output cannot be written: {reason}; it is not complete")
        self.reader_left = reader_left


class HarmlessStream(io.TextIOBase):
    """A text stream that shows control and bidi characters as `model.untrusted.clean` does.

    With `required`, a failure raises OutputError; without, what cannot be written is lost, as
    nobody is left to be told. No `stream` stands for a descriptor that was closed from the start.
    """

    def __init__(self, stream: TextIO | None, *, required: bool) -> None:
        self._stream = stream
        self._required = required
        self._reason = "it is closed"
        self._reader_left = False

    def write(self, text: str) -> int:
        """Write the text with its control and bidi characters made visible."""
        # `print` writes the end of its line alone. No expression is compiled for it: that takes
        # time at each start, and memory where it is being told that there is none.
        self.write_control(text if text == "\n" else clean(text))
        return len(text)

    def write_control(self, text: str) -> None:
        """Write text of pfdoctor's own as it is, such as the code that erases a line."""
        if self._stream is None:
            self._fail()
            return
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:
            self._give_up(error)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes of a file: unchanged to another file or a program, harmless to a terminal."""
        raw = getattr(self._stream, "buffer", None)
        if raw is None or self.isatty():
            self.write(data.decode("utf-8", "backslashreplace"))
            return
        try:
            raw.write(data)
        except (OSError, ValueError) as error:
            self._give_up(error)

    def flush(self) -> None:
        """Pass on what was written."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def close(self) -> None:
        """Do nothing: the stream belongs to the interpreter."""

    def isatty(self) -> bool:
        """Return whether a terminal shows what is written."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    # `print` and `input` ask for these. The types are those of the base class, which has no value.
    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._stream.encoding if self._stream else "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """The error handler of the stream."""
        return self._stream.errors if self._stream else None

    def _give_up(self, error: Exception) -> None:
        """Let what the stream still holds go nowhere: its flush at exit would fail once more."""
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        self._stream = None
        self._reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        self._reader_left = isinstance(error, BrokenPipeError)
        self._fail()

    def _fail(self) -> None:
        # Again at each write: `input` drops what its flush raises.
        if self._required:
            raise OutputError(self._reason, reader_left=self._reader_left)


def install_harmless_streams() -> None:
    """Put the streams in place of the interpreter's own, until this process exits.

    A standard descriptor that is closed is occupied first: otherwise a session file could get its
    number, and what a program prints would go there.
    """
    _occupy_closed_descriptors()
    codecs.register_error(_ESCAPES, _escaped)
    for name, required in (("stdout", True), ("stderr", False)):
        stream = getattr(sys, name)
        if isinstance(stream, HarmlessStream):
            continue
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPES)
        setattr(sys, name, cast("TextIO", HarmlessStream(stream, required=required)))
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115


def erase_line(stream: TextIO) -> None:
    """Erase the line of the terminal that the cursor is in."""
    write = stream.write_control if isinstance(stream, HarmlessStream) else stream.write
    write("\r\x1b[K")


def _occupy_closed_descriptors() -> None:
    for number, flags in _PLACEHOLDERS:
        try:
            os.fstat(number)
        except OSError:
            # open(2) returns the lowest number that is free, which is this one.
            with contextlib.suppress(OSError):
                os.set_inheritable(os.open(os.devnull, flags), True)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Return characters that cannot be encoded as JSON escapes them, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end
