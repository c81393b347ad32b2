"""What the report of the OOM killer tells in numbers: who held memory, and what was left.

The formats are those of `mm/oom_kill.c` (dump_tasks, dump_oom_summary, __oom_kill_process),
`mm/show_mem.c` (show_free_areas) and `mm/memcontrol.c` (mem_cgroup_print_oom_meminfo).
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report

_TASK: Final = regex(
    r"\[ *(?P<pid>\d{1,10})\] +\d{1,10} +\d{1,10} +\d{1,12} +(?P<rss>\d{1,12}) +\d.* (?P<name>\S+)$"
)
_SHMEM: Final = regex(r"\bshmem:(\d{1,12})(?!\d|kB)")
_SWAP: Final = regex(r"Total swap = (\d{1,12})kB")
_LIMIT: Final = regex(r"usage (\d{1,12})kB, limit (\d{1,12})kB, failcnt (\d{1,12})")
_GROUP: Final = regex(r"oom_memcg=([^,\s]{1,200})|Task in \S+ killed as a result of limit of (\S+)")
_ZONE: Final = regex(r"(\w+) free:(\d{1,12})kB .*?min:(\d{1,12})kB")
_X86_PAGE: Final = 4
_PAGES: Final = (4, 16, 64)
"""Sizes of a page that kernels are built with, in kB."""


class Limit(msgspec.Struct, frozen=True):
    """The limit of a control group: kB in use, kB allowed, and how often it was hit."""

    used: int
    allowed: int
    times: int


class MemoryFigures(msgspec.Struct, frozen=True, dict=True):
    """The numbers of one report."""

    report: Report

    @cached_property
    def page(self) -> int | None:
        """The size of a page in kB, None where nothing tells it."""
        killed, held = self.report.details.get("killed_pid"), self.killed_kb
        rows = {pid: rss for pid, _, rss in self._rows}
        if held and (rss := rows.get(killed or "")):
            # Files and shared memory count in the table, so a page is no smaller than this.
            return next((size for size in _PAGES if size * rss >= held), None)
        return _X86_PAGE if (self.report.arch or "").startswith(("x86", "i386")) else None

    @property
    def killed_kb(self) -> int:
        """What the killed process held of its own, in kB; 0 where that is not told."""
        return int(self.report.details.get("anon_rss", "0kB").removesuffix("kB"))

    @cached_property
    def _rows(self) -> tuple[tuple[str, str, int], ...]:
        found = (_TASK.search(line.text) for line in self.report.excerpt)
        return tuple((m["pid"], m["name"], int(m["rss"])) for m in found if m)

    @property
    def by_name(self) -> tuple[tuple[str, int, int], ...]:
        """Each program of the list with how often it ran and its pages, the largest first."""
        pages, count = Counter[str](), Counter[str]()
        for _, name, rss in self._rows:
            pages[name] += rss
            count[name] += 1
        return tuple((name, count[name], held) for name, held in pages.most_common())

    @property
    def group(self) -> str:
        """The control group whose limit was hit, empty where there is none or it is not named."""
        found = next(filter(None, (_GROUP.search(each.text) for each in self.report.excerpt)), None)
        return (found[1] or found[2]) if found else ""

    @property
    def limit(self) -> Limit | None:
        """The limit that was hit, None where the report has none."""
        found = _LIMIT.search(self.report.details.get("limit", ""))
        return Limit(*map(int, found.groups())) if found else None

    @property
    def zone(self) -> tuple[str, int, int] | None:
        """The first zone, with the kB that were free in it and the least that should be."""
        found = _ZONE.search(self.report.details.get("zone", ""))
        return (found[1], int(found[2]), int(found[3])) if found else None

    @property
    def swap_kb(self) -> int | None:
        """The size of all swap in kB, None where that is not told."""
        found = next(filter(None, (_SWAP.search(each.text) for each in self.report.excerpt)), None)
        return int(found[1]) if found else None

    @property
    def swap_left_kb(self) -> int | None:
        """How much swap was free in kB, None where that is not told."""
        digits = "".join(filter(str.isdigit, self.report.details.get("swap", "")))
        return int(digits) if digits else None

    @property
    def shmem_pages(self) -> int | None:
        """Pages of shared memory and tmpfs, None where that is not told."""
        found = next(filter(None, (_SHMEM.search(each.text) for each in self.report.excerpt)), None)
        return int(found[1]) if found else None

    @property
    def slab_pages(self) -> int | None:
        """Pages of the kernel's own objects that cannot be given back, None if not told."""
        found = self.report.details.get("slab_unreclaimable")
        return int(found) if found else None

    def size(self, pages: int) -> str:
        """Return a number of pages as MiB, or as pages where their size is not known."""
        return mib(pages * self.page) if self.page else f"{pages} pages"


def mib(kilobytes: int) -> str:
    """Return an amount for a person, in MiB, or in kB where it is less than one."""
    return f"{kilobytes // 1024} MiB" if kilobytes >= 1024 else f"{kilobytes} kB"
