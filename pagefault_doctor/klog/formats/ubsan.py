"""Reports of the undefined-behaviour sanitizer: `lib/ubsan.c`."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, TRACED, Format
from pagefault_doctor.model.report import Kind

FORMS: Final = (
    Format(
        header="UBSAN:",
        says=r"UBSAN: Undefined behaviour in",
        title="UBSAN: undefined-behaviour in {f}",
        kind=Kind.SANITIZER,
        ways=TRACED,
        source="ubsan_prologue before 5.3",
    ),
    Format(
        header="UBSAN:",
        says=r"UBSAN: array-index-out-of-bounds in",
        title="UBSAN: array-index-out-of-bounds in {f}",
        kind=Kind.SANITIZER,
        ways=TRACED,
        alts=(BAD_ACCESS,),
        source="__ubsan_handle_out_of_bounds",
    ),
    Format(
        header="UBSAN:",
        says=r"UBSAN: ([a-z\-]+) in",
        title="UBSAN: {1} in {f}",
        kind=Kind.SANITIZER,
        ways=TRACED,
        source="ubsan_prologue",
    ),
)
