"""Reports of the undefined-behaviour sanitizer: `lib/ubsan.c`."""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, TRACED, Format
from pagefault_doctor.model.report import Kind

_ubsan = partial(Format, header="UBSAN:", kind=Kind.SANITIZER, ways=TRACED)

FORMATS: Final = (
    _ubsan(
        pattern=r"UBSAN: Undefined behaviour in",
        title="UBSAN: undefined-behaviour in {f}",
        source="lib/ubsan.c (ubsan_prologue), before 5.3",
    ),
    _ubsan(
        pattern=r"UBSAN: array-index-out-of-bounds in",
        title="UBSAN: array-index-out-of-bounds in {f}",
        alts=(BAD_ACCESS,),
        source="lib/ubsan.c (__ubsan_handle_out_of_bounds)",
    ),
    _ubsan(
        pattern=r"UBSAN: ([a-z\-]+) in",
        title="UBSAN: {1} in {f}",
        source="lib/ubsan.c (ubsan_prologue)",
    ),
    Format(
        start=r"^index -?\d+ is out of range for type '",
        needles=(" is out of range for type '",),
        fragment=True,
        title="UBSAN: array-index-out-of-bounds in {f}",
        kind=Kind.SANITIZER,
        ways=TRACED,
        source="lib/ubsan.c (__ubsan_handle_out_of_bounds); its headline is not in the log",
    ),
)
