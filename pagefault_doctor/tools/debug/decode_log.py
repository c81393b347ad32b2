"""A log with the source line of each place in code that it names, as decode_stacktrace.sh adds it.

The kernel's `scripts/decode_stacktrace.sh` replaces offset and size by lines. Here they stay, and
lines come behind: nothing else of a log changes.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from pagefault_doctor.klog.frame_places import (
    FramePlace,
    KernelNamed,
    TraceReader,
    kernel_named,
    modules_from_outside,
)
from pagefault_doctor.model.pointer import InlinedCall
from pagefault_doctor.symbols.code_lines import CodeLine, CodeLines
from pagefault_doctor.symbols.file_search import Tell, ignore
from pagefault_doctor.symbols.module_file import elf_errors, unreadable
from pagefault_doctor.tools.debug.line_files import LineFiles, MissingFile

_MAX_PLACES: Final = 10_000
"""Different places that are looked up, some 20 ms each; a log of months has a few hundred."""

_MAX_MODULES: Final = 1000


class DecodedFrame(msgspec.Struct, frozen=True):
    """A place in code that a line names, with its source line where that is known."""

    place: FramePlace
    found: CodeLine | None


class FrameRow(msgspec.Struct, frozen=True, kw_only=True):
    """A frame as JSON: `line` of the log counts from 1, `offset` and `size` are bytes.

    `is_return` is whether the line is that of the call before the address. `inlined` has each
    function that was inlined there and the line that calls it, the innermost first.
    """

    line: int
    function: str
    offset: int
    size: int
    module: str | None
    is_return: bool
    file: str | None
    source_line: int | None
    inlined: tuple[InlinedCall, ...]


class LogDecoder:
    """Decodes the lines of a log in their order; `tell` gets what could not be read.

    `kernel` is that of the lines until one names a kernel.
    """

    def __init__(
        self, files: LineFiles, kernel: KernelNamed | None = None, tell: Tell = ignore
    ) -> None:
        self._files, self._tell, self.kernel = files, tell, kernel
        self._trace = TraceReader()
        self._known: dict[tuple[KernelNamed | None, tuple[object, ...]], CodeLine | None] = {}
        self.frames = self.decoded = 0
        self.missing: Counter[MissingFile] = Counter()
        self.unfit: Counter[str] = Counter()
        self.outside: set[str] = set()
        self.is_cut = False

    def decode(self, line: bytes) -> list[DecodedFrame]:
        """Return the places that the next line names."""
        if (named := kernel_named(line)) and named != self.kernel:
            self.kernel = _joined(self.kernel, named)
        if len(self.outside) < _MAX_MODULES:
            self.outside.update(modules_from_outside(line))
        frames = [DecodedFrame(place, self._line_of(place)) for place in self._trace.places(line)]
        self.frames += len(frames)
        self.decoded += sum(frame.found is not None for frame in frames)
        return frames

    def _line_of(self, place: FramePlace) -> CodeLine | None:
        key = self.kernel, place[2:]
        if key not in self._known:
            if len(self._known) >= _MAX_PLACES:
                self.is_cut = True
                return None
            self._known[key] = self._looked_up(place)
        return self._known[key]

    def _looked_up(self, place: FramePlace) -> CodeLine | None:
        lines = self._files.lines(self.kernel, place.module, place.build_id)
        if isinstance(lines, MissingFile):
            self.missing[lines] += 1
            return None
        try:
            # The offset 0 is no return address: what was before it is another function.
            is_return = not place.is_counter and place.offset > 0
            found = lines.find(place.function, place.offset, place.size, before=is_return)
            if place.module is None and lines.fits(place.function, place.size) is False:
                self.unfit[str(lines.path)] += 1
            return self._below_tree(found, lines, place) if found else None
        except elf_errors() as error:
            self._tell(unreadable(lines.path, error))
            return None

    def _below_tree(self, found: CodeLine, lines: CodeLines, place: FramePlace) -> CodeLine:
        """Return a line with paths from the kernel's tree on."""
        kernel = self._files.lines(self.kernel, None, None) if place.module else lines
        tree = "" if isinstance(kernel, MissingFile) else kernel.tree
        if not tree:
            return found
        inlined = tuple(
            msgspec.structs.replace(call, file=call.file and call.file.removeprefix(f"{tree}/"))
            for call in found.inlined
        )
        return CodeLine(found.file.removeprefix(f"{tree}/"), found.line, inlined)


def _joined(known: KernelNamed | None, named: KernelNamed) -> KernelNamed:
    """Return the kernel that a line names; of the same release the build id stays known."""
    if named.build_id is None and known and known.release == named.release:
        return known
    return named


def decoded_text(line: bytes, frames: list[DecodedFrame]) -> bytes:
    """Return a line with ` (FILE:LINE CALLER:LINE ...)` behind each frame, else unchanged."""
    pieces, at = [], 0
    for frame in frames:
        if frame.found:
            pieces += [line[at : frame.place.end], _lines_text(frame.found).encode()]
            at = frame.place.end
    return b"".join((*pieces, line[at:]))


def _lines_text(found: CodeLine) -> str:
    lines = [(found.file, found.line), *((call.file, call.line) for call in found.inlined)]
    texts = (f"{file or '?'}:{line or '?'}" for file, line in lines)
    return f" ({' '.join(texts)})"


def frame_row(number: int, frame: DecodedFrame) -> FrameRow:
    """Return a frame of a line by its number, as JSON has it."""
    place, found = frame.place, frame.found
    return FrameRow(
        line=number,
        function=place.function,
        offset=place.offset,
        size=place.size,
        module=place.module,
        is_return=not place.is_counter and place.offset > 0,
        file=found.file if found else None,
        source_line=found.line if found else None,
        inlined=found.inlined if found else (),
    )
