"""Text in other forms than lines as the kernel prints them, and what makes such lines of it.

Somebody copied it from Windows, out of a mail, a web page, a table or a picture. Each form is
looked for in what the one before it leaves, so that a quoted page is read like a page.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from pagefault_doctor.klog.input import (
    characters,
    fields,
    joined,
    markup,
    panic_link,
    prefixed,
    repeated,
    structured,
    wrapped,
)

JOINED: Final = "lines that a mail or a terminal broke are read as one"
APART: Final = "lines were joined to one; they are counted as they were before"
LINK: Final = "the log in the link of a panic screen is read in its place"
_QUOTED_PRINTABLE_LINE: Final = 76
"""Characters of a line at most, the mark of a soft break among them."""
_FEWEST_BREAKS: Final = 3

Decode = Callable[[Iterable[bytes]], Iterator[bytes]]


class TextForm(NamedTuple):
    """What makes lines of text in another form, and a note where their numbers differ from it."""

    decode: Decode
    note: str | None = None


def text_forms(head: bytes) -> Iterator[TextForm]:
    """Yield the forms that text has by its beginning, the outermost first; none of ordinary text.

    Fields that stand for lines (`structured`) have a reader of their own.
    """
    for form_of in () if structured.reader_of(head[:8192]) else _FORMS:
        if form := form_of(head):
            yield form
            head = b"".join(form.decode([head]))
            if structured.reader_of(head[:8192]):
                return


def _other_encoding(head: bytes) -> TextForm | None:
    encoding = _utf_16(head)
    return TextForm(partial(_decoded, encoding=encoding)) if encoding else None


def _other_ends(head: bytes) -> TextForm | None:
    if b"\n" in head or head.count(b"\r") < 2:
        return None
    return TextForm(lambda pieces: (piece.replace(b"\r", b"\n") for piece in pieces))


def _quoted_printable(head: bytes) -> TextForm | None:
    return TextForm(_unquoted, JOINED) if _is_quoted_printable(head) else None


def _typography(head: bytes) -> TextForm | None:
    return TextForm(characters.in_ascii) if characters.has_typography(head) else None


def _panic_link(head: bytes) -> TextForm | None:
    return TextForm(panic_link.unpacked, LINK) if panic_link.has_link(head) else None


def _json(head: bytes) -> TextForm | None:
    return TextForm(fields.from_json) if fields.is_json(head) else None


def _table(head: bytes) -> TextForm | None:
    if (columns := fields.delimiter_of(head)) is None:
        return None
    delimiter, column = columns
    return TextForm(partial(fields.from_table, delimiter=delimiter, column=column))


def _markup(head: bytes) -> TextForm | None:
    return TextForm(markup.text_of) if markup.is_markup(head) else None


def _joined(head: bytes) -> TextForm | None:
    return TextForm(joined.apart, APART) if joined.is_joined(head) else None


def _misread(head: bytes) -> TextForm | None:
    return TextForm(characters.reread) if characters.is_misread(head) else None


def _broadcasts(head: bytes) -> TextForm | None:
    return TextForm(repeated.without_broadcasts) if repeated.has_broadcasts(head) else None


def _prefixed(head: bytes) -> TextForm | None:
    prefix = prefixed.prefix_of(head)
    return TextForm(partial(prefixed.without, prefix=prefix)) if prefix else None


def _wrapped(head: bytes) -> TextForm | None:
    wrap = wrapped.wrap_of(head)
    return TextForm(partial(wrapped.unwrapped, wrap=wrap), JOINED) if wrap else None


def _doubled(head: bytes) -> TextForm | None:
    return TextForm(repeated.once) if repeated.is_doubled(head) else None


_FORMS: Final = (
    *(_other_encoding, _other_ends, _quoted_printable, _typography),
    _panic_link,
    *(_json, _table, _markup, _joined, _misread),
    *(_doubled, _broadcasts, _prefixed, _wrapped),
)
"""Each returns what makes lines of text by its beginning, or None; in the order of their layers."""


def _is_quoted_printable(head: bytes) -> bool:
    """Whether lines are short, and many of them end with the mark of a soft break."""
    if head.count(b"=\n") + head.count(b"=\r") < _FEWEST_BREAKS:
        return False
    lines = [line.rstrip(b"\r") for line in head.split(b"\n")[:-1]]
    broken = [line for line in lines if line.endswith(b"=")]
    is_short = all(len(line) <= _QUOTED_PRINTABLE_LINE for line in lines)
    full = sum(len(line) >= _QUOTED_PRINTABLE_LINE - 2 for line in broken)
    return is_short and len(broken) >= _FEWEST_BREAKS and full * 2 > len(broken)


def _unquoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a mail's text; the lines after a soft break keep their numbers."""
    rest, joined = b"", 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            text = line.rstrip(b"\r")
            is_broken = text.endswith(b"=")
            yield binascii.a2b_qp(text[:-1] if is_broken else text)
            joined += is_broken
            if not is_broken:
                yield b"\n" * (1 + joined)
                joined = 0
    yield binascii.a2b_qp(rest)


def _utf_16(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" not in head:
        return None
    if head[1::2].count(0) * 10 > len(head) * 4 and head[::2].count(0) * 10 < len(head):
        return "utf-16-le"
    if head[::2].count(0) * 10 > len(head) * 4 and head[1::2].count(0) * 10 < len(head):
        return "utf-16-be"
    return None


def _decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")
