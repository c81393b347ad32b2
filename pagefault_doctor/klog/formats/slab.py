"""What the slab allocator finds wrong: `mm/slub.c` (slab_bug, print_trailer), `mm/kmemleak.c`.

Details: `cache` and `problem` of the headline; `overwritten` the span of bad bytes; `first_byte`
and `expected_byte`; `allocated_in`, `freed_in` the functions, with their modules if they have one;
`object` its address;
`object_size` of a leak.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import Continuation, Format, Lead
from pagefault_doctor.klog.guilty_function import TRACE
from pagefault_doctor.model.report import Kind

DETAILS: Final = (
    r"unreferenced object (?P<object>0x[0-9a-f]+) \(size (?P<object_size>\d+)\)",
    r"BUG (?P<cache>[\w-]+) \((?:Not t|T)ainted[^)]*\): (?P<problem>.+)",
    r"(?P<overwritten>0x[0-9a-f]+-0x[0-9a-f]+)(?: @offset=\d+)?\. First byte "
    r"(?P<first_byte>0x[0-9a-f]+)(?: instead of (?P<expected_byte>0x[0-9a-f]+)|$)",
    # Where a mail broke the line
    r"^instead of (?P<expected_byte>0x[0-9a-f]+)\b",
    r"Allocated in (?P<allocated_in>\S+(?: \[[\w-]+\])?)",
    r"Freed in (?P<freed_in>\S+(?: \[[\w-]+\])?)",
    r"Object (?P<object>0x[0-9a-f]+) @offset",
)

leak = partial(
    Format,
    title="memory leak in {f}",
    kind=Kind.LEAK,
    ways=(("backtrace", TRACE),),
    skip="kmemleak|create_object|alloc|kmem|slab|idr_get|list_lru_init|pcpu_",
)
_slab = partial(Format, kind=Kind.SLAB, plain=True)

FORMATS: Final = (
    _slab(
        start=r"^BUG [\w.:-]+ \((?:Not tainted|Tainted: )",
        needles=("BUG",),
        pattern=r"BUG ([\w-]+) \((?:Not tainted|Tainted: [^)]*)\): (.+)",
        title="BUG {1}: {2}",
        source="mm/slub.c (slab_bug)",
    ),
    leak(
        start=r"unreferenced object 0x[0-9a-f]+ \(size \d+\):",
        lead=Lead.DROPPED,
        plain=True,
        source="mm/kmemleak.c (print_unreferenced)",
    ),
    _slab(
        start=r"slab: double free detected in cache",
        lead=Lead.DROPPED,
        pattern=r"slab: double free detected in cache '([^']+)'",
        title="BUG: double free in cache {1}",
        source="mm/slab.c (before 6.8)",
    ),
    Format(
        start=r"^slab error in \w+\(\): cache [`'][\w.-]+': ",
        needles=("slab error in ",),
        pattern=r"slab error in \w+\(\): cache [`']([^']+)': (.+)",
        title="slab error in cache {1}: {2}",
        kind=Kind.SLAB,
        ways=((TRACE,),),
        skip="slab|cache_free_debugcheck|verify_redzone",
        source="mm/slab.c (__slab_error), before 6.8",
    ),
    _slab(
        start=r"^Slab corruption(?: \((?:Not tainted|Tainted: )[^)]*\))?:? .*start=[0-9a-f]{8}",
        needles=("Slab corruption",),
        title="slab corruption",
        source="mm/slab.c (check_poison_obj), before 6.8",
    ),
    Continuation(
        follows=r"INFO: (?:Allocated in|Freed in|Slab 0x|Object 0x|0x[0-9a-f]+-0x)",
        source="mm/slub.c (print_track, print_slab_info, check_bytes_and_report), before 5.14",
    ),
    Continuation(
        lead=r"overwritten\] 0x",
        source="mm/slub.c (check_bytes_and_report), as 6.12.117 has it",
    ),
    Continuation(
        follows=r"WARNING: .*\b(?:mm/slub|lib/stackdepot)\.c:\d+",
        source="mm/slub.c (__slab_err, object_err), lib/stackdepot.c (depot_fetch_stack)",
    ),
)
