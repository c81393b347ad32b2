"""The signature of a report: equal each time the same bug shows, and short enough to be read.

It is the title with its function, and the module. Whatever differs from one time to the next is not
in it: addresses, offsets, numbers, CPUs, and what a compiler adds to the name of a function.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.model.untrusted import clean_line

_LONGEST: Final = 160
_NOISE: Final = (
    # What gcc and clang add for a copy of a function that they changed.
    (regex(r"(?<=\w)(?:\.(?:isra|constprop|part|cold|llvm|lto_priv|clone)(?:\.\d+)?)+\b"), ""),
    (regex(r"\[ *\d+(?:\.\d+)?\]"), ""),
    (regex(r"\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?"), ""),
    (regex(r"(?<![\w.])(?:0x[0-9a-f]+|[0-9a-f]{8,})(?!\w)"), ""),
    (regex(r"(\.(?:c|h|rs|S)):\d+(?::\d+)?"), r"\1"),
    (regex(r"\bCPU ?#?\d*"), "CPU"),
    # A number that stands alone; names such as php8 and usb3 keep theirs.
    (regex(r"(?<![\w./-])#?\d+(?:\.\d+)?(?![\w.-])"), ""),
    (regex(r"\b(?:NUM|ADDR|LINE|IP)\b:?|:LINE\b"), ""),
)
_UNNAMED: Final = " in corrupted"
"""What the naming convention writes for a function that it cannot name."""
_PRINTERS: Final = ("dump_", "show_", "panic", "die", "__warn", "warn_slowpath")
"""How the names of functions begin that only print a report."""


def signature(report: Report) -> str:
    """Return the signature of a report: one harmless line of at most 160 characters."""
    return _signature(report.title, report)


def signatures(report: Report) -> tuple[str, ...]:
    """Return the signature of a report, then those that its other titles give."""
    titles = (report.title, *report.alt_titles)
    return tuple(dict.fromkeys(_signature(title, report) for title in titles))


def without_noise(text: str) -> str:
    """Return a title without what differs from one time to the next."""
    for pattern, left in _NOISE:
        text = pattern.sub(left, text)
    return " ".join(text.split()).strip(" :,#")


def _signature(title: str, report: Report) -> str:
    function = report.function or ""
    if function.startswith(_PRINTERS):
        function = ""
    if title.endswith(_UNNAMED):
        title = title.removesuffix(_UNNAMED)
    if report.is_kernel_fault and function and " in " not in title:
        title = f"{title} in {function}"
    module = f" [{report.module}]" if report.module else ""
    text = without_noise(clean_line(title))[: _LONGEST - len(module[:60])]
    return f"{text}{clean_line(module[:60])}"
