"""Memory that ran out: which limit, who held it, and what that machine can do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.diagnosis.rules.memory_pressure import MUCH, kernels_own
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Kind
from pagefault_doctor.session.case_notes.memory_figures import MemoryFigures, mib
from pagefault_doctor.session.case_notes.subject import Subject

_MEMCG: Final = "CONSTRAINT_MEMCG"
_MOST: Final = 3
"""Programs that are told."""
_SERVICE: Final = regex(r"/(?:[\w.@-]+\.slice/)*([A-Za-z0-9][\w.@-]{0,80}\.service)")
_CONTAINERS: Final = (
    ("kubepods", "raise resources.limits.memory of that pod, or find what grows in it"),
    ("docker", "raise it with docker update --memory, or find what grows in that container"),
    ("machine.slice/libpod", "raise it with podman update --memory, or find what grows in it"),
    ("lxc", "raise limits.memory of that container, or find what grows in it"),
)
"""Who set the limit of a control group, by a word of its path, and where it is raised."""
_SHARE: Final = (4, 5)
"""The part of what a service held that is proposed as its limit."""


def pressure(subject: Subject) -> Iterator[Finding]:
    """Yield which limit was hit, what was left, and how large a piece was asked for."""
    report, figures = subject.report, MemoryFigures(subject.report)
    constraint = report.details.get("constraint")
    if constraint == _MEMCG or figures.limit:
        yield from _limit(subject, figures)
    elif constraint == "CONSTRAINT_NONE":
        text = "No limit of a group was hit: the whole machine ran out of memory."
        yield subject.note(text, "constraint")
    order = int(report.details.get("order", "0"))
    if 0 < order < 32:
        text = f"{2**order} pages in one piece were asked for: memory in pieces will not do."
        yield subject.note(text, "order")
    if zone := figures.zone:
        name, free, least = zone
        state = "below" if free < least else "above"
        text = f"In the zone {name} {mib(free)} were free, {state} the {mib(least)} that the kernel"
        yield subject.note(f"{text} keeps for itself (min).", "zone")
    yield from _swap(subject, figures)


def _limit(subject: Subject, figures: MemoryFigures) -> Iterator[Finding]:
    group = f"the group {figures.group}" if figures.group else "a control group"
    text = f"The limit of {group} was hit, not the end of the machine's memory"
    if limit := figures.limit:
        text += f": {mib(limit.used)} of {mib(limit.allowed)} in use, {limit.times} times so far"
    yield subject.note(f"{text}.", "limit", "constraint")


def _swap(subject: Subject, figures: MemoryFigures) -> Iterator[Finding]:
    total, left = figures.swap_kb, figures.swap_left_kb
    if total == 0:
        yield subject.note("That machine has no swap.", "swap")
    elif total and left is not None:
        yield subject.note(f"Of {mib(total)} of swap {mib(left)} were free.", "swap")


def consumers(subject: Subject) -> Iterator[Finding]:
    """Yield who was killed and what it held, the largest of the list, and the kernel's own part."""
    figures, details = MemoryFigures(subject.report), subject.report.details
    killed, asked = details.get("killed"), details.get("invoked_by")
    if killed and figures.killed_kb:
        text = f"The kernel killed {killed}[{details.get('killed_pid', '?')}], which held"
        yield subject.note(f"{text} {mib(figures.killed_kb)} of its own (anon-rss).", "killed")
    if asked and killed and asked != killed:
        text = f"{asked} asked for memory at that moment, which alone makes it no culprit."
        yield subject.note(text, "invoked_by")
    yield from _list(subject, figures)
    yield from _beside(subject, figures)
    yield from _others(subject)


def _list(subject: Subject, figures: MemoryFigures) -> Iterator[Finding]:
    largest = [
        f"{name} {figures.size(pages)}" + (f" in {count} processes" if count > 1 else "")
        for name, count, pages in figures.by_name[:_MOST]
        if pages
    ]
    if largest:
        total = sum(pages for _, _, pages in figures.by_name)
        text = f"The largest of the list: {', '.join(largest)}; all together"
        yield subject.note(f"{text} {figures.size(total)}.", "largest_task")


def _beside(subject: Subject, figures: MemoryFigures) -> Iterator[Finding]:
    slab, shmem, percent = figures.slab_pages, figures.shmem_pages, kernels_own(subject.report)
    parts = []
    if slab is not None:
        of = f", {percent}% of all" if percent else ""
        parts.append(f"{figures.size(slab)} in the kernel's own objects (slab_unreclaimable{of})")
    if shmem is not None:
        parts.append(f"{figures.size(shmem)} in shared memory and tmpfs (shmem)")
    if parts:
        yield subject.note(f"Beside them: {', and '.join(parts)}.", "slab_unreclaimable")
    if percent >= MUCH:
        cache = subject.report.details.get("largest_cache")
        text = "So the kernel or a module holds it, and who was killed is not to blame"
        text += f"; most is in the cache {cache}." if cache else "."
        yield subject.note(text, "largest_cache", "slab_unreclaimable")


def _others(subject: Subject) -> Iterator[Finding]:
    killed = Counter(
        report.details["killed"]
        for report in subject.case.reports
        if report.kind is Kind.OOM_KILL and "killed" in report.details
    )
    if killed.total() > 1:
        names = ", ".join(f"{name} ({count})" for name, count in killed.most_common(_MOST))
        yield subject.note(f"In this log {killed.total()} processes were killed: {names}.")


def trial(subject: Subject) -> Iterator[Finding]:
    """Yield the command that tries the same work there within the limit that the report tells."""
    figures = MemoryFigures(subject.report)
    limit = figures.limit.allowed if figures.limit else figures.killed_kb
    if not limit:
        return
    what = "the limit that was hit" if figures.limit else "what the killed process held"
    text = f"To see there whether it grows without end, run the same work within {what}:"
    yield subject.note(text, "limit", "killed")
    yield subject.note(f"systemd-run --scope -p MemoryMax={limit}K COMMAND")


def relief(subject: Subject) -> Iterator[Finding]:
    """Yield what gives room on that machine: a limit raised or set, a leak to look for."""
    report, figures = subject.report, MemoryFigures(subject.report)
    if report.details.get("constraint") == _MEMCG or figures.limit:
        yield from _raised(subject, figures)
    elif kernels_own(report) >= MUCH:
        yield subject.note("No limit helps where the kernel's own objects grow. Watch them there:")
        yield subject.note("sudo slabtop -o -s c | head -15")
    elif figures.killed_kb and (service := _SERVICE.search(report.details.get("cgroup", ""))):
        part, whole = _SHARE
        text = f"{service[1]} can be kept from taking all of that machine: with four fifths of"
        yield subject.note(f"{text} what it held (undo: MemoryMax=infinity)", "constraint")
        megabytes = figures.killed_kb * part // whole // 1024
        yield subject.note(f"sudo systemctl set-property {service[1]} MemoryMax={megabytes}M")
    elif (step := subject.diagnosis.next_step) and report.kind is not Kind.OOM_KILL:
        yield subject.note(step.why, "headline")
    if figures.swap_kb == 0 and not figures.limit:
        yield subject.note("Swap would give it time; that machine has none.", "swap")


def _raised(subject: Subject, figures: MemoryFigures) -> Iterator[Finding]:
    group = figures.group
    where = next((how for word, how in _CONTAINERS if word in group), "")
    if service := _SERVICE.search(group):
        text = f"{service[1]} has that limit. See it and how high it got, then raise it or find"
        yield subject.note(f"{text} what grows:", "constraint")
        yield subject.note(f"systemctl show {service[1]} -p MemoryMax,MemoryHigh,MemoryPeak")
    elif where:
        yield subject.note(f"The limit is that of {group}: {where}.", "constraint")


def levels_off(subject: Subject) -> Iterator[Finding]:
    """Yield what has to be seen under the same load for the relief to be proven."""
    report, figures = subject.report, MemoryFigures(subject.report)
    killed, order = report.details.get("killed"), report.details.get("order", "0")
    if limit := figures.limit:
        group = f" of {figures.group}" if figures.group else ""
        text = f"With the same load the memory{group} stays below {mib(limit.allowed)}, and its"
        yield subject.note(f"{text} count of failures does not rise above {limit.times}.", "limit")
    elif killed and figures.killed_kb:
        text = f"With the same load {killed} levels off below the {mib(figures.killed_kb)} that it"
        yield subject.note(f"{text} held, and nothing is killed.", "killed")
    elif "page_allocation_failure" in report.details:
        text = f"With the same load no page allocation failure of order:{order} comes again."
        yield subject.note(text, "page_allocation_failure")
    else:
        text = "With the same load the memory in use levels off, and nothing is killed."
        yield subject.note(text, "headline")
