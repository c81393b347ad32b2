"""Search a whole log for the few lines that matter, without decoding the rest."""

from __future__ import annotations

import re
from mmap import mmap
from typing import Final

import msgspec

from pagefault_doctor.klog import boots as boots_
from pagefault_doctor.klog import module_events, own
from pagefault_doctor.klog.prefix import LogLine
from pagefault_doctor.klog.starts import header_of, is_bare, own_start
from pagefault_doctor.klog.text import Lines, chunks, forget
from pagefault_doctor.model.log import ModuleEvent
from pagefault_doctor.model.pattern import regex

_NEEDLES: Final = (
    b"BUG", b"WARNING:", b"INFO:", b"Unable to handle kernel", b"general protection fault",
    b"stack segment: ", b"Kernel panic", b"PANIC: double fault", b"rust_kernel: panicked",
    b"divide error:", b"divide_error:", b"invalid opcode:", b"int3:", b"UBSAN:",
    b"Booting the kernel.", b"unregister_netdevice: waiting", b"VFS: Close", b"VFS: Busy",
    b"Internal error:", b"Alignment trap:", b"trusty: panic", b"fatal error:",
    b"SYZFA", b"panic:", b"unreferenced object", b"hard LOCKUP",
    b"from APEI", b"SError Interrupt", b"Bad mode in", b"kthread starved", b"Insufficient stack",
    b"list_add ", b"list_del ", b"stack overflow (", b"Corrupted page table",
    b"control protection", b"Kernel attempted to", b"Kernel memory ", b": detected ",
    b"detected buffer over", b"double free detected", b"AER: ", b"EDAC ",
    b"Memory failure: 0x", b"NMI: ", b"refcount_t: ", b"segfault ", b"traps: ",
    b"oom-killer: ", b"f memory: Kill",
    *own.NEEDLES,
    *boots_.NEEDLES,
    *module_events.NEEDLES,
)  # fmt: skip
_REPLAYING: Final = b"** replaying previous printk message **"
_TIMED: Final = regex(rb"^(?:<\d+>)?\[ *\d+\.\d{6}\]", re.MULTILINE)


class Start(msgspec.Struct, frozen=True):
    """A line that starts a report: where it is, what it says, in which boot.

    `header` is the one of the naming convention, None where only pfdoctor starts a report there.
    """

    place: int
    line: LogLine
    header: str | None
    boot: int


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What a first look at a log found."""

    lines: int
    starts: tuple[Start, ...]
    boots: tuple[boots_.Boot, ...]
    module_events: tuple[ModuleEvent, ...]

    def release_of(self, boot: int) -> str | None:
        """Return the kernel release of a boot, where its banner was seen."""
        return self.boots[boot].release if boot < len(self.boots) else None


def _hits(piece: bytes) -> list[int]:
    """Return where in a piece something was found, in order."""
    found: list[int] = []
    for needle in _NEEDLES:
        place = piece.find(needle)
        while place >= 0:
            found.append(place)
            place = piece.find(needle, place + len(needle))
    return sorted(found)


def scan(data: bytes | mmap) -> Scan:
    """Return the starts of reports, the boots and the module events of a log."""
    lines = Lines(data)
    starts: list[Start] = []
    events: list[ModuleEvent] = []
    boots = boots_.Boots()
    count = 0
    for begin, piece in chunks(data):
        timed: bool | None = None
        done = -1
        counted, number = 0, count + 1
        for hit in _hits(piece):
            if hit < done:
                continue
            place = piece.rfind(b"\n", 0, hit) + 1
            number += piece.count(b"\n", counted, place)
            counted = place
            line, after = lines.at(begin + place, number)
            done = after - begin
            if boots.see(line):
                continue
            if event := module_events.event_of(line, boots.current):
                events.append(event)
                continue
            header = header_of(line.text)
            if header and is_bare(header) and (line.timestamp is None or header == "INFO:"):
                timed = timed if timed is not None else bool(_TIMED.search(piece))
                header = header if _believable(line, header, timed) else None
            if _replayed(lines, begin + done):
                continue
            if header or own_start(line.text):
                starts.append(Start(begin + place, line, header, boots.current))
        count += piece.count(b"\n")
        forget(data)
    if len(data) and data[len(data) - 1 : len(data)] != b"\n":
        count += 1
    return Scan(lines=count, starts=tuple(starts), boots=boots.seen, module_events=tuple(events))


def _replayed(lines: Lines, place: int) -> bool:
    """Whether the line before a place is said again: printk was interrupted in it."""
    return lines.data[place : place + len(_REPLAYING)] == _REPLAYING


_KERNEL_WORDS: Final = regex(
    r"BUG: (?:KASAN|KMSAN|KFENCE|KCSAN|[Uu]nable to|[Kk]ernel NULL|Bad |unable|soft|workqueue"
    r"|scheduling|sleeping|using|spinlock|rwlock|bad unlock|held lock|memory leak|corrupted|stack"
    r"|.*stack guard|Dentry|Invalid wait|non-zero|MAX_)|kernel BUG|BUG: *$"
    r"|WARNING: (?:CPU: \d|at |\S+:\d+ at |possible|suspicious|inconsistent|bad unlock|held lock"
    r"|.* still has locks|.*lock order|Nested lock|kernel stack|lock held|.*irq lock)"
    r"|INFO: (?:task |rcu|.*detected stall|possible|suspicious|inconsistent|trying to register"
    r"|.*lock order|Allocated in|Freed in|Slab 0x|Object 0x)|^[a-z][\w-]* \d[\w.:-]*: WARNING: "
)


def _believable(line: LogLine, header: str, timed: bool) -> bool:
    """Whether a line is a report of the kernel although others say such words.

    Drivers say `INFO:` of anything; without the kernel's time, programs say all of them.
    """
    if _KERNEL_WORDS.search(line.text):
        return True
    return header in ("SYZFAIL:", "SYZFATAL:", "fatal error:", "panic:") and not timed
