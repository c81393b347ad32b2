"""What goes to standard output: lines and documents. Everything else goes to standard error."""

from __future__ import annotations

import sys

from pagefault_doctor.cli.standard_streams import HarmlessStream
from pagefault_doctor.model.untrusted import clean_line


def print_line(text: str = "") -> None:
    """Print one line. A newline in it is shown: it must not pass for another line of pfdoctor's."""
    sys.stdout.write(clean_line(text) + "\n")


def print_document(text: str) -> None:
    """Print text of several lines that a renderer has made."""
    sys.stdout.write(text)


def print_bytes(data: bytes) -> None:
    """Print bytes of a file: unchanged, but for a terminal, which must not obey them.

    Not to be mixed with the functions above, whose text may be written later.
    """
    if isinstance(sys.stdout, HarmlessStream):
        sys.stdout.write_bytes(data)
    else:
        sys.stdout.write(data.decode("utf-8", "backslashreplace"))
