"""What any oops tells besides its own matter: the kernel, the task, the walk through the tables.

`lib/dump_stack.c` (dump_stack_print_info), `kernel/panic.c` (print_tainted_verbose),
`arch/x86/mm/fault.c` (dump_pagetable), `arch/arm64/mm/fault.c` (show_pte, mem_abort_decode),
`arch/arm/mm/fault.c` (show_pte), `arch/s390/mm/fault.c` (dump_fault_info).

Details: `preempt` the preemption model; `uid`; `kdump` whether a dump kernel was loaded;
`taint_words` the taint flags in words; `link` the return address; `kernel_offset` of KASLR;
`page_walk` as printed and `page_walk_stop`, the table whose entry was empty; `page_table` how the
tables are built; `exception_class`, `invalid_address` (FnV) of arm64; `failing_mode` of s390;
`last_unloaded_flags`.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.body import Body
from pagefault_doctor.model.pattern import regex

_PLACE: Final = r"[\w$.]+\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?(?: \[[\w-]+\])?"
_FIELDS: Final = (
    ("PREEMPT", r"\b(?P<preempt>PREEMPT(?:_[A-Z]+|\([a-z]+\))?)"),
    (" UID: ", r"CPU: \d+ UID: (?P<uid>\d+)"),
    ("Kdump: ", r"Kdump: (?P<kdump>\w+)"),
    ("Tainted: [", r"Tainted: (?P<taint_words>\[[A-Z]\]=.*)"),
    ("lr", rf"^\s*lr : (?P<link>{_PLACE})"),
    ("LR ", rf"^\s*LR (?:is at|\[[0-9a-f]+\]) (?P<link>{_PLACE})"),
    ("ra ", rf"^\s*ra +: (?:[0-9a-f]{{8,16}} )?(?P<link>{_PLACE})"),
    ("ra:", rf"^\s*ra: [0-9a-f]{{16}} (?P<link>{_PLACE})"),
    ("Kernel Offset", r"Kernel Offset: (?P<kernel_offset>0x[0-9a-f]+|disabled)"),
    ("pgtable", r"(?P<page_table>(?:swapper|user) pgtable: .*)"),
    ("EC = ", r"EC = 0x[0-9a-f]+: (?P<exception_class>.*?)(?:, IL = .*)?$"),
    ("FnV = 1", r"(?P<invalid_address>FnV = 1)"),
    ("Fault in ", r"^Fault in (?P<failing_mode>.+ mode)"),
    ("last unloaded", r"\[last unloaded: \S+?\((?P<last_unloaded_flags>[A-Z]+)\)"),
    ("PGD ", r"^(?P<page_walk>PGD .*)"),
    ("*pd", r"^(?P<page_walk>\*pdp?[te] = .*)"),
    ("] *pgd", r"^(?P<page_walk>\[[0-9a-f]+\] \*pgd=.*)"),
    ("] pgd=", r"^(?P<page_walk>\[[0-9a-f]+\] pgd=.*)"),
    ("] address ", r"^(?P<page_walk>\[[0-9a-f]+\] address between .*)"),
    ("but active_mm", r"^(?P<page_walk>\[[0-9a-f]+\] .* but active_mm .*)"),
)
_TABLE: Final = tuple((word, regex(pattern)) for word, pattern in _FIELDS)
_WORDS: Final = tuple(word for word, _ in _TABLE)
_LEVELS: Final = regex(r"\*?\b(p[gum4]d|pdpt|pde|pte|ppte)\b *= ?([0-9a-f]+)|(P[GUM4]D|PTE) (\w+)")


def setting_of(body: Body) -> tuple[dict[str, str], dict[str, int]]:
    """Return what the lines tell under the names above, and the line each was read from."""
    found: dict[str, str] = {}
    cited: dict[str, int] = {}
    for line in body.holding(*_WORDS):
        text = line.text
        for word, pattern in _TABLE:
            if word not in text or (match := pattern.search(text)) is None:
                continue
            for name, value in match.groupdict().items():
                if name not in found:
                    found[name], cited[name] = value.strip(), line.number
    if stop := _stop(found.get("page_walk", "")):
        found["page_walk_stop"] = stop
    return found, cited


def _stop(walk: str) -> str | None:
    """Return the table whose entry is empty: the last one printed, where it is zero or bad."""
    levels = [(m[1] or m[3], m[2] or m[4]) for m in _LEVELS.finditer(walk)]
    if not levels:
        return None
    name, entry = levels[-1]
    return name.lower() if entry == "BAD" or not entry.strip("0") else None
