"""The title of a report, its alternatives and its type, as syzbot names and classes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.klog.guilty_function import GuiltyFunction, name_function
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind

_CLEANING: Final = (
    (regex(r"syz-executor\.?[0-9]+((/|:)[0-9]+)?"), "syz-executor"),
    (regex(r"syzkaller[0-9]+((/|:)[0-9]+)?"), "syzkaller"),
    (regex(r"(?i)\bsyz\.[0-9]+\.[0-9]+"), "syz"),
    (regex(r"(?<![a-zA-Z0-9])(?:0x)?[0-9a-f]{6,}(?![a-zA-Z0-9])"), "ADDR"),
    (regex(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"), "IP"),
    (regex(r"(\.(?:c|h|rs|S|cc|cpp)):[0-9]+(?::[0-9]+)?"), r"\1:LINE"),
    (regex(r"(?<![\w.])([\d.]*+[a-zA-Z_][a-zA-Z0-9_.]*+)\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?"), r"\1"),
    (regex(r"CPU#[0-9]+"), "CPU"),
    (regex(r"(?<![a-zA-Z0-9_])[0-9]+(?![a-zA-Z0-9_])"), "NUM"),
    (regex(r"[0-9]{7,}"), "NUM"),
)
_VARIES: Final = regex(r"[0-9]|[a-f]{6}")
"""What a title holds, at the least, that one of these finds something in."""
_UNPRINTABLE: Final = regex(r"[^\x20-\x7e]+")
_STAMP: Final = regex(r"\[ *\d+\.\d+\]")
_LONGEST: Final = 120


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is called, and what makes the name untrustworthy, if anything."""

    title: str
    kind: Kind
    form: Format | None = None
    spellings: tuple[str, ...] = ()
    alts: tuple[str, ...] = ()
    problem: str | None = None


def cleaned(title: str) -> str:
    """Return the title without what varies between runs."""
    text = " ".join(_UNPRINTABLE.sub(" ", title).split())
    for _ in range(8 if _VARIES.search(text) else 0):
        before = text
        for expression, replacement in _CLEANING:
            text = expression.sub(replacement, text)
        if text == before:
            break
    return text[:_LONGEST].strip()


def name(header: str, lines: Sequence[LogLine], rows: table.Table | None = None) -> Title:
    """Return the name of the report that these lines hold; the first of them has the header."""
    text = "\n".join([line.text for line in lines])
    best: tuple[int, Format, re.Match[str]] | None = None
    broken: Format | None = None
    for form in (rows or table.TABLE).under(header):
        wording = form.wording
        if not any(map(text.__contains__, wording.words)):
            continue
        match = wording.pattern.search(text)
        if match is None or (best and match.start() >= best[0]):
            continue
        if form.then and not form.following.search(text, match.start()):
            broken = broken or form
            continue
        best = (match.start(), form, match)
        if not match.start():
            break
    if broken and best and best[1].kind is not broken.kind:
        best = None
    if best is None:
        return _unnamed(lines[0].text, header, broken)
    _, form, match = best
    return _named(form, match, text, lines)


def _unnamed(line: str, header: str, broken: Format | None) -> Title:
    place = line.find(header)
    headline = line[max(place, 0) :]
    problem = "only a part of the report is there" if broken else "unknown report"
    kind = broken.kind if broken else Kind.INFO
    return Title(title=cleaned(headline), kind=kind, form=broken, problem=problem)


def _named(form: Format, match: re.Match[str], text: str, lines: Sequence[LogLine]) -> Title:
    groups = list(match.groups())
    if form.then and (more := form.following.search(text, match.start())):
        groups += more.groups()
    named = GuiltyFunction(None)
    if form.ways:
        first = text.count("\n", 0, match.start())
        named = name_function(lines[first:], form.ways, form.skip, form.take)
    names = (named.function or "corrupted", *named.others)
    words = [g or "" for g in groups]
    titles = [_fill(form.title, words, f) for f in names]
    alts = [_fill(alt, words, f) for alt in form.alts for f in names]
    if form.origin:
        origin = name_function(lines, (form.origin,), form.skip).function or "corrupted"
        alts = [alt.replace("{g}", origin) for alt in alts]
    problem = _problem(form, named, titles[0])
    title = cleaned(titles[0])
    found = {cleaned(t) for t in (*titles[1:], *alts)} - {title}
    return Title(
        title=title,
        kind=form.kind,
        form=form,
        spellings=names if named.function else (),
        alts=tuple(sorted(found)),
        problem=problem,
    )


def _fill(template: str, words: Sequence[str], function: str) -> str:
    filled = template.replace("{f}", function)
    for number, word in enumerate(words, 1):
        filled = filled.replace(f"{{{number}}}", word)
    return filled


def _problem(form: Format, named: GuiltyFunction, title: str) -> str | None:
    if form.lost:
        return "the headline of the report is lost"
    if form.nameless:
        return "the naming convention has no title for this kind of report"
    if form.ways and (named.function is None or named.problem):
        return named.problem or "no function in the stack trace"
    if _STAMP.search(title):
        return "a time stamp stands inside the title"
    return None


_TYPES: Final[dict[str | None, tuple[str, ...]]] = {
    "KASAN-USE-AFTER-FREE-READ": (
        "KASAN: use-after-free Read", "KASAN: slab-use-after-free Read", "KASAN: use-after-free",
        "KASAN: slab-use-after-free",
    ),
    "KASAN-USE-AFTER-FREE-WRITE": (
        "KASAN: use-after-free Write", "KASAN: slab-use-after-free Write",
    ),
    "KASAN-NULL-POINTER-DEREFERENCE-READ": ("KASAN: null-ptr-deref Read",),
    "KASAN-NULL-POINTER-DEREFERENCE-WRITE": ("KASAN: null-ptr-deref Write",),
    "KASAN-INVALID-FREE": ("KASAN: invalid-free",),
    "KFENCE-USE-AFTER-FREE-READ": ("KFENCE: use-after-free read",),
    "KFENCE-USE-AFTER-FREE-WRITE": ("KFENCE: use-after-free write",),
    "KFENCE-INVALID-FREE": ("KFENCE: invalid free",),
    "KFENCE-MEMORY-CORRUPTION": ("KFENCE: memory corruption",),
    "KFENCE-READ": ("KFENCE: out-of-bounds read", "KFENCE: invalid read"),
    "KFENCE-WRITE": ("KFENCE: out-of-bounds write", "KFENCE: invalid write"),
    "KMSAN-UNINIT-VALUE": ("KMSAN: uninit-value",),
    "KMSAN-INFO-LEAK": ("KMSAN: kernel-infoleak", "KMSAN: kernel-usb-infoleak"),
    "KMSAN-USE-AFTER-FREE-READ": ("KMSAN: use-after-free",),
    "KMSAN-UNKNOWN": ("KMSAN:",),
    "KCSAN-DATARACE": ("KCSAN: data-race",),
    "KCSAN-ASSERT": ("KCSAN: assert: race",),
    "KCSAN-UNKNOWN": ("KCSAN:",),
    "NULL-POINTER-DEREFERENCE": ("BUG: unable to handle kernel NULL pointer dereference",),
    "MEMORY_SAFETY_BUG": ("BUG: unable to handle kernel paging request", "BUG: corrupted list"),
    "REFCOUNT_WARNING": ("WARNING: refcount bug",),
    "MEMORY_SAFETY_UBSAN": ("UBSAN: array-index",),
    "UBSAN": ("UBSAN:",),
    "LOCKDEP": (
        "possible deadlock", "inconsistent lock state", "BUG: bad unlock balance",
        "WARNING: bad unlock balance", "BUG: held lock freed", "WARNING: held lock freed",
        "BUG: still has locks held", "WARNING: still has locks held",
        "BUG: lock held when returning", "WARNING: lock held when returning",
        "WARNING: nested lock was not taken", "WARNING: locking bug",
        "WARNING: suspicious RCU usage in", "BUG: spinlock", "BUG: rwlock", "BUG: using ",
    ),
    "ATOMIC_SLEEP": ("BUG: sleeping function", "BUG: scheduling while atomic"),
    "LEAK": ("memory leak",),
    "BUG": ("BUG: bad usercopy", "kernel BUG"),
    "HANG": (
        "BUG: soft lockup", "INFO: rcu detected stall", "INFO: task hung", "INFO: task can't die",
    ),
    None: ("WARNING: kernel stack regs has bad", "WARNING: kernel stack frame pointer has bad"),
    "WARNING": ("WARNING:", "WARNING in"),
    "DoS": (
        "general protection fault", "kernel panic:", "panic:", "divide error", "invalid opcode",
        "int3", "stack segment", "PANIC: double fault", "kernel stack overflow", "Internal error",
        "Unhandled fault", "Alignment trap", "BUG: Object already free", "VFS: ",
        "unregister_netdevice", "go runtime error", "trusty",
    ),
    "REBOOT": ("unexpected kernel reboot",),
    "SYZ_FAILURE": ("SYZFAIL", "SYZFATAL"),
}  # fmt: skip
"""Types of reports, and how the titles of each begin; of two that fit the longer one counts."""
_BY_BEGINNING: Final = {title: type_ for type_, titles in _TYPES.items() for title in titles}
_LENGTHS: Final = sorted({len(beginning) for beginning in _BY_BEGINNING}, reverse=True)


def type_of(title: str) -> str | None:
    """Return the type that the longest matching beginning of the title gives, or None."""
    for length in _LENGTHS:
        if title[:length] in _BY_BEGINNING:
            return _BY_BEGINNING[title[:length]]
    if title.startswith("KASAN:"):
        if " Write" in title:
            return "KASAN-WRITE"
        return "KASAN-READ" if " Read" in title or "-of-bounds" in title else "KASAN-UNKNOWN"
    return None
