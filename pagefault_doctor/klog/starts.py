"""Which lines start a report, and which only look as if they did.

Matching is case-sensitive. What a start reads like is in the rows of `formats/`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.formats.format import Format
from pagefault_doctor.model.pattern import WordedPattern, regex

NOT_A_START: Final = (
    r"[\w]DEBUG:|\bDEBUG:",
    r"_INFO:|_BUG:|_WARNING:|_panic:|\w:INFO:",
    r"\w+log_status:",
    r"general protection (?:fault)?.*?\bip:[0-9a-f]+ sp:",
    r"^traps: [^\[\]]{1,40}\[\d+\] general protection fault",
    r"segfault at [0-9a-f]+ ip ",
    r"INFO: lockdep is turned off",
    r"INFO: Stall ended before state dump start",
    r"INFO: NMI handler .*? took p?too? ?|INFO: NMI handler \(",
    r"(?:INFO|WARNING): recovery required on readonly filesystem|recovery required on readonly",
    r"WARNING: (?:workqueue cpumask|.*cpumask.*workqueue)|workqueue: .*cpumask",
    r"mand mount option|mount \S+ 'mand'",
    r"DT_FLAGS_1",
    r"eBPF (?:is )?enabled with eIBRS|Unprivileged eBPF",
    r"(?:Spectre|Speculative|Spectre V2|MDS|TAA|MMIO Stale|SRSO|L1TF|RETBleed|SRBDS|VMSCAPE|ITS"
    r"|TSA)[^:]*: WARNING:",
    r"fbcon.*virtual screen size|virtual screen size",
    r"wireless extensions|deprecated v2 capab|[Dd]eprecated.*capabilit",
    r"(?<!not syncing: )(?:EXT4-fs .*(?:WARNING|BUG|INFO|panic)|XFS \(|bcachefs \(.*?\): )",
    r"/etc/ssh/moduli",
    r"ALSA:? .*fatal error:|snd.*fatal error:",
    r"ACPI (?:Warning|Error|BIOS)|ACPI: .*WARNING",
    r"(?:option|mount|parameter).*Booting the kernel\.",
    r"WARNING: no SELinux|WARNING! power/level",
    r"end Kernel panic",
)
"""Lines that hold a header, of whichever row, and are no reports: notices, other loggers."""

_OTHER_PROGRAM: Final = regex(
    r"(?:<\d+>)?(?:\d{4}-\d\d-\d\d[T ]\S+|[^\W\d]{3,9}\.? +\d+ \d\d:\d\d:\d\d\S*) \S+ "
    r"(?!kernel)[\w./@()-]+(?:\[\d+\])?: "
)


_TALKING: Final = regex(
    r"\S+(?: +\S+){1,3} (?:systemd[\w-]*|earlyoom|dracut[\w-]*|auditd?|abrt[\w-]*|apport|init"
    r"|procd|drkonqi|gnome-session[\w-]*)[\[:]"
)
"""Programs that tell of faults of others (`prefilter._other_program` leaves their lines in)."""


@cache
def _not() -> tuple[tuple[WordedPattern, ...], tuple[str, ...]]:
    """Return the expressions, and all words that they need."""
    each = tuple(map(WordedPattern, NOT_A_START))
    return each, tuple({word for sought in each for word in sought.words})


def _is_no_start(text: str) -> bool:
    each, words = _not()
    # Most lines hold none of the words, and are done after one look.
    return any(map(text.__contains__, words)) and any(sought.search(text) for sought in each)


def header_of(text: str) -> str | None:
    """Return the header of the naming convention that starts a report in this line, or None."""
    if not any(map(text.__contains__, table.TABLE.signs)):
        return None
    header = next(filter(text.__contains__, table.TABLE.headers), None)
    if header is None or _is_no_start(text) or _OTHER_PROGRAM.match(text):
        return None
    return header


def is_of_other_program(text: str) -> bool:
    """Whether a line of the system's log is of another program than the kernel."""
    return _OTHER_PROGRAM.match(text) is not None


def row_of(text: str) -> Format | None:
    """Return the row whose report starts in this line, where the convention knows none."""
    row = table.TABLE.row_of(text)
    if row is None or (_OTHER_PROGRAM.match(text) and not (row.said and _TALKING.match(text))):
        return None
    return row
