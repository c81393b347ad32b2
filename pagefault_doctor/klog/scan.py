"""Search a whole log for the few lines that matter, without decoding the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

import msgspec

from pagefault_doctor.klog import boots as boots_
from pagefault_doctor.klog import module_events, prefilter, remains
from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.klog.input.input_file import FileBytes
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.prefilter import Prefilter
from pagefault_doctor.klog.starts import header_of, row_of
from pagefault_doctor.klog.text import Lines, Piece, pieces
from pagefault_doctor.model.log import ModuleEvent
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind

Progress = Callable[[int, int, int], None]
_LARGE: Final = 1 << 22
"""Bytes of a log from which on a quicker search is worth the time its library takes to load."""
_MOST: Final = 20_000
"""Starts of reports, and messages about modules, that are kept of one log."""
_MOST_SEEN: Final = 3 * _MOST
"""Boots and messages about modules in one log, after which lines are only counted."""
_REPLAYING: Final = b"** replaying previous printk message **"
_GOROUTINE: Final = regex(rb"^goroutine \d+ .{0,40}\[", re.MULTILINE)
_BEHIND: Final = 600
"""Bytes behind the words of a program in Go within which its goroutines begin."""
_TIMED: Final = regex(rb"^(?:<\d+>)?\[ *\d+\.\d{6}\]", re.MULTILINE)


class Start(msgspec.Struct, frozen=True):
    """A line that starts a report: where it is, its text, in which boot.

    `header` is the one of the naming convention; where it knows none, `row` is our own. Of
    `remains` the line is only the first that is left.
    """

    place: int
    line: LogLine
    header: str | None
    boot: int
    row: Format | None = None
    remains: bool = False

    @property
    def kind(self) -> Kind | None:
        """The kind of our own row."""
        return self.row.kind if self.row else None


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What a first look at a log found; the lines after `full_at` were only counted.

    `dropped` is the number of messages about modules that are not among the events.
    """

    lines: int
    starts: tuple[Start, ...]
    boots: tuple[boots_.Boot, ...]
    module_events: tuple[ModuleEvent, ...]
    full_at: int | None = None
    dropped: int = 0

    def release_of(self, boot: int) -> str | None:
        """Return the kernel release of a boot, where its banner was seen."""
        return self.boots[boot].release if boot < len(self.boots) else None


def scan(data: bytes | FileBytes, progress: Progress | None = None) -> Scan:
    """Return the starts of reports, the boots and the module events of a log.

    `progress` is called now and then with the bytes searched, the bytes of the log and the number
    of lines found that may start a report.
    """
    quick = prefilter.hyperscan_filter() if len(data) > _LARGE else None
    search = _Search(Lines(data), quick or Prefilter())
    for piece in pieces(data):
        search.take(piece)
        if progress:
            progress(piece.end, len(data), len(search.starts))
    ended = not len(data) or data[len(data) - 1 : len(data)] == b"\n"
    return Scan(
        lines=search.count + (not ended),
        starts=_starts(data, search),
        boots=search.boots.seen,
        module_events=tuple(search.events),
        full_at=search.full_at,
        dropped=search.dropped,
    )


def _starts(data: bytes | FileBytes, search: _Search) -> tuple[Start, ...]:
    """Return where reports begin: what is left of one too, before a line that only ended it."""
    starts = tuple(search.starts)
    if not all(_is_no_begin(start) for start in starts):
        return starts
    left = _remains(data, search)
    return left if left and (not starts or left[0].place < starts[0].place) else starts


def _is_no_begin(start: Start) -> bool:
    """Whether a start is of a report that began above: a panic of one that died, its pointer."""
    headless = start.row is not None and "headless" in start.row.alike
    return headless or remains.END.search(start.line.text) is not None


def _remains(data: bytes | FileBytes, search: _Search) -> tuple[Start, ...]:
    """Return where the remains of a report begin, in a text without any that has its headline."""
    found = remains.first_of(data, search.lines)
    if found is None:
        return ()
    row = table.REMAINS.rows[-1]
    return (Start(*found, None, search.boots.current, row, remains=True),)


class _Search:
    """What was found in the pieces of a log so far."""

    def __init__(self, lines: Lines, filter_: Prefilter | prefilter.HyperscanFilter) -> None:
        self.lines = lines
        self.filter = filter_
        self.boots = boots_.Boots()
        self.starts: list[Start] = []
        self.events: list[ModuleEvent] = []
        self.count = 0
        self.full_at: int | None = None
        self.dropped = 0

    @property
    def _full(self) -> bool:
        # What is no report has a bound of its own: a fault after it must be found.
        beside = len(self.events) + self.dropped + self.boots.count
        return len(self.starts) > _MOST or beside > _MOST_SEEN

    def take(self, piece: Piece) -> None:
        """Look at the lines of a piece that may matter, and count all."""
        if self._full:
            self.full_at = self.full_at or self.count
            self.count += piece.text.count(b"\n")
            return
        newlines, hits = self.filter.hits(piece.text)
        timed = cache(lambda: bool(_TIMED.search(piece.text)))
        for number, offset in hits:
            if offset == 0 and not piece.whole:
                continue
            line, after = self.lines.at(piece.begin + offset, self.count + number)
            self._see(line, piece.begin + offset, after, timed)
        self.count += newlines

    def _see(self, line: LogLine, place: int, after: int, timed: Callable[[], bool]) -> None:
        if self.boots.see(line):
            return
        if event := module_events.event_of(line, self.boots.current):
            if len(self.events) < _MOST:
                self.events.append(event)
            else:
                self.dropped += 1
            return
        header = header_of(line.text)
        if header in table.TABLE.bare and (line.timestamp is None or header == "INFO:"):
            said = _believable(line, header, timed) or _of_fuzzing(header, self.lines, after)
            header = header if said else None
        if _replayed(self.lines, after):
            return
        row = None if header else row_of(line.text)
        if header or row:
            self.starts.append(Start(place, line, header, self.boots.current, row))


def _replayed(lines: Lines, place: int) -> bool:
    """Whether the line before a place is printed again: printk was interrupted in it."""
    return lines.data[place : place + len(_REPLAYING)] == _REPLAYING


_KERNEL_WORDS: Final = regex(
    r"BUG: (?:KASAN|KMSAN|KFENCE|KCSAN|[Uu]nable to|[Kk]ernel NULL|Bad |unable|soft|workqueue"
    r"|scheduling|sleeping|using|spinlock|rwlock|bad unlock|held lock|memory leak|corrupted|stack"
    r"|.*stack guard|.* still has locks|lock held|Dentry|Invalid wait|non-zero|MAX_"
    r"|failure at|key |looking up)"
    r"|kernel BUG|BUG: *$"
    r"|WARNING: (?:CPU: \d|at |\S+:\d+ at |possible|suspicious|inconsistent|bad unlock|held lock"
    r"|.* still has locks|.*lock order|Nested lock|kernel stack|lock held|.*irq lock)"
    r"|INFO: (?:task |rcu|.*detected stall|possible|suspicious|inconsistent|trying to register"
    r"|.*lock order|Allocated in|Freed in|Slab 0x|Object 0x)|^[a-z][\w-]* \d[\w.:-]*: WARNING: "
)
"""What only the kernel prints, also where the headline is cut short and so fits no row."""


def _believable(line: LogLine, header: str, timed: Callable[[], bool]) -> bool:
    """Whether a line is a report of the kernel although others print such words.

    Drivers print `INFO:` before anything; without the kernel's clock, programs print all of them.
    """
    if _KERNEL_WORDS.search(line.text) or table.TABLE.knows(header, line.text):
        return True
    if header in ("fatal error:", "panic:") and not line.text.startswith(header):
        return False  # A compiler puts its name before these words.
    return header in ("SYZFAIL:", "SYZFATAL:", "fatal error:", "panic:") and not timed()


def _of_fuzzing(header: str, lines: Lines, place: int) -> bool:
    """Whether a fuzzer says so, or a program in Go, among the lines of the kernel.

    Go lists its goroutines behind what it died of (`runtime/traceback.go`, goroutineheader), which
    tells its words from those of any other program.
    """
    if header in ("fatal error:", "panic:"):
        return _GOROUTINE.search(lines.data[place : place + _BEHIND]) is not None
    return header in ("SYZFAIL:", "SYZFATAL:")
