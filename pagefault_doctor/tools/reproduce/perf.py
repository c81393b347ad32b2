"""perf: how many page faults the machine takes, and how many of them wait for a disk.

Output of `perf stat` (`tools/perf/util/stat-display.c`), on standard error.
"""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import blocked_on_other_kernel
from pagefault_doctor.tools.tool import Tool, fact, finding

SECONDS: Final = 5
"""How long page faults are counted."""
MANY_MAJOR_FAULTS: Final = 1000
"""Major faults per second from which the machine is busy with swapping."""

ARGV: Final = (
    *("perf", "stat", "-e", "page-faults,minor-faults,major-faults", "-a"),
    *("--", "sleep", str(SECONDS)),
)

_COUNT = regex(r"^\s*([\d.,']+)\s+(page-faults|minor-faults|major-faults)\b")
_PARANOID = regex(r"perf_event_paranoid|Access to performance monitoring|No permission")
_MISSING_FOR_KERNEL = regex(r"perf not found for kernel|E: linux-perf-\S+ is not installed")


def _plan(case: Case) -> Command | Blocked | None:
    done = case.done("perf")
    if not done:
        if blocked_on_other_kernel(case):
            return None
        why = f"count the page faults of the whole box for {SECONDS} s"
        return Command(argv=ARGV, tool="perf", why=why)
    if done[-1].ok:
        return None
    if _PARANOID.search(done[-1].errors):
        remedy = "run pfdoctor as root, or: sysctl kernel.perf_event_paranoid=-1"
        return Blocked("the kernel does not let this user count events of the whole box", remedy)
    if _MISSING_FOR_KERNEL.search(done[-1].errors + done[-1].output):
        kernel = case.get("host.kernel", "KERNEL")
        remedy = f"apt install linux-tools-{kernel} (Ubuntu) or linux-perf (Debian)"
        return Blocked("perf for this kernel is not installed", remedy)
    return None


def _read(result: Result, case: Case) -> ToolReading:
    counts: dict[str, tuple[int, int]] = {}
    for number, text in enumerate(result.errors.splitlines(), 1):
        if (match := _COUNT.match(text)) and (digits := re.sub(r"\D", "", match[1])):
            counts[match[2]] = (int(digits[:18]), number)
    facts = tuple(
        fact(f"perf.{event.replace('-', '_')}", count, result, at)
        for event, (count, at) in counts.items()
    )
    if "page-faults" not in counts:
        return ToolReading(facts=facts)
    total, line = counts["page-faults"]
    major = counts.get("major-faults", (0, line))[0]
    summary = f"{total} page faults in {SECONDS} s, {major} of them major (waited for a disk)"
    mark = Mark.BAD if major >= MANY_MAJOR_FAULTS * SECONDS else Mark.NEUTRAL
    return ToolReading(facts=facts, findings=(finding(summary, mark, result, line),))


TOOL: Final = Tool(
    id="perf",
    of_box=True,
    purpose="counts the page faults of the whole box",
    programs=("perf",),
    package={"": "perf", "debian": "linux-perf"},
    facts=("perf.page_faults", "perf.minor_faults", "perf.major_faults"),
    plan=_plan,
    read=_read,
    by_hand="grep -E 'pgfault|pgmajfault' /proc/vmstat twice, five seconds apart; subtract.",
)
