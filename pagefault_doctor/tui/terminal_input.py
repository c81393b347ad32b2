"""What a terminal sends, as messages of Textual. Any bytes may come, cut anywhere.

Textual's `XTermParser` stops at the first report that it cannot read, types sequences that it does
not know as keys, also those within a paste, and never finds the end of a paste whose end is lost.
So it gets whole sequences one by one here, and pastes are cut out before it sees them.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Final

from textual import constants
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste, Resize
from textual.message import Message

from pagefault_doctor.model.pattern import regex

MOST_PASTED: Final = 16 << 20
"""Characters of one paste that are kept."""

_END_LOST: Final = 3.0
"""Seconds of silence after which a paste is over although its end has not come."""

_BURST: Final = 256
"""Characters at once that nobody types: a paste on a terminal that does not mark its pastes.

Sequences are not counted, as a key that is held down or a mouse sends hundreds, but what is among
them is: otherwise each letter between the colours of a pasted log would be a key.
"""

_BURST_OVER: Final = 0.3
"""Seconds of silence after which such a paste is over."""

_MOST: Final = 64
"""Sequences in one read that are obeyed. Keys that repeat over a slow link are fewer."""

_LONGEST: Final = 32
"""Characters of the longest sequence that the parser takes for one."""

_LONGEST_REPLY: Final = 4096
"""Characters of an unfinished reply to a query until it counts as noise."""

_ESC, _START, _END = "\x1b", "\x1b[200~", "\x1b[201~"

_SEQUENCE: Final = regex(
    r"""\x1b(?:
      \[\[ [A-E]                              # function keys of the Linux console
    | \[M [\x20-\U0010ffff]{3}               # the mouse, where SGR reports are unknown
    | \[ (?!M|\[) [0-?]* [\ -/]* [@-~]       # CSI
    | O [0-9;]* [@-~]                        # SS3: keypad and function keys
    | [bf\x7f]                               # Alt with a key that edits a line
    | [\]PX^_] [^\x1b\x07]* (?:\x07|\x1b\\)  # a reply to a query: OSC, DCS and the like
    )""",
    re.VERBOSE,
)
_BEGINNING: Final = regex(
    r"""\x1b(?:
      \[\[ | \[M [\x20-\U0010ffff]{0,2} | \[ [0-?]* [\ -/]*
    | O [0-9;]*
    | [\]PX^_] [^\x1b\x07]* (?:\x1b\Z)?
    )?""",
    re.VERBOSE,
)
"""As much as there may be of a sequence that is not whole."""

_NOT_TYPED: Final = regex(f"{_SEQUENCE.pattern}|(?:{_BEGINNING.pattern})\\Z|{_ESC}", re.VERBOSE)


class TerminalInput:
    """The messages in what a terminal sends. Neither `feed` nor `pause` raises."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser()
        self._text = ""
        self._paste: list[str] | None = None
        self._pasted = 0
        self._patience = 0.0
        self._marked = False
        self._left = _MOST

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages in what came; what is not whole waits for the rest."""
        self._text += self._decode(data)
        self._left = _MOST
        self._notice_burst()
        while self._text:
            if self._paste is not None:
                at = self._text.find(_END) if self._marked else -1
                if at < 0:
                    held = _cut_short(self._text, _END) if self._marked else 0
                    self._keep(len(self._text) - held)
                    return
                self._keep(at)
                self._text = self._text[len(_END) :]
                yield self._end_paste()
                self._notice_burst()
            elif not self._text.startswith(_ESC):
                yield from self._parsed(self._take(len(self._text.partition(_ESC)[0])))
            elif whole := _SEQUENCE.match(self._text):
                yield from self._obey(self._take(whole.end()))
            else:
                begun = _BEGINNING.match(self._text)
                size = begun.end() if begun else 0
                if size == len(self._text) <= _LONGEST_REPLY:
                    return
                if self._take(size) == _ESC and self._is_among_first():
                    yield Key("escape", _ESC)

    def pause(self, seconds: float) -> Iterator[Message]:
        """Yield what follows from nothing having come for so many seconds."""
        if self._paste is not None:
            if seconds >= self._patience:
                self._keep(len(self._text))
                yield self._end_paste()
        elif self._text and seconds >= constants.ESCAPE_DELAY:
            held = self._take(len(self._text))
            # The key Esc, perhaps with another one right after it; more than that is noise.
            if len(held) <= 2:
                yield Key("escape", _ESC)
                yield from self._parsed(held[1:])

    def _take(self, size: int) -> str:
        taken, self._text = self._text[:size], self._text[size:]
        return taken

    def _notice_burst(self) -> None:
        """Begin a paste where there is so much that nobody typed it, and no mark comes first."""
        ahead = self._text.partition(_START)[0]
        if self._paste is not None or len(ahead) < _BURST:
            return
        if len(_NOT_TYPED.sub("", ahead)) >= _BURST:
            self._begin_paste(_BURST_OVER, marked=False)

    def _obey(self, sequence: str) -> Iterator[Message]:
        if sequence == _START:
            self._begin_paste(_END_LOST, marked=True)
        elif len(sequence) <= _LONGEST and sequence[1] not in "]PX^_" and self._is_among_first():
            yield from self._parsed(sequence)

    def _is_among_first(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def _parsed(self, text: str) -> list[Message]:
        """Return what Textual makes of keys or of one sequence; of one it cannot read, nothing."""
        messages: list[Message] = []
        try:
            messages.extend(self._parser.feed(text)) if text else None
        except Exception:
            # It fails in many ways: numbers that are no characters, divisions by a size of 0.
            self._parser = XTermParser()
        wanted = [each for each in messages if not isinstance(each, Resize)]
        if not wanted or len(wanted) < len(messages):
            # After a sequence that it does not know it waits for more. The size of the terminal
            # comes from the kernel alone; a report of it, never asked for, also sets pixels.
            self._parser = XTermParser()
        return wanted

    def _begin_paste(self, patience: float, *, marked: bool) -> None:
        self._paste, self._pasted, self._patience = [], 0, patience
        self._marked = marked

    def _keep(self, size: int) -> None:
        """Add text to the paste, up to the limit."""
        taken = self._take(size)[: MOST_PASTED - self._pasted]
        self._pasted += len(taken)
        if self._paste is not None and taken:
            self._paste.append(taken)

    def _end_paste(self) -> Paste:
        text = "".join(self._paste or ())
        self._paste = None
        return Paste(text)


def _cut_short(text: str, wanted: str) -> int:
    """Return how many characters at the end of the text may be the beginning of what is wanted."""
    sizes = range(len(wanted) - 1, 0, -1)
    return next((size for size in sizes if text.endswith(wanted[:size])), 0)
