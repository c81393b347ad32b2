"""What failed in a log without a fault of the kernel: a device, a suspend, a start.

The kernel goes on there, and yet something does not work, which is what the person came for. Each
row of `_ROWS` is a wording of the kernel and what it tells; the first that a line fits counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pagefault_doctor.diagnosis.error_numbers import errors_in
from pagefault_doctor.model.diagnosis import Quote
from pagefault_doctor.model.log import KernelLog, ScaryLine
from pagefault_doctor.model.pattern import regex

_MOST: Final = 4
_LONGEST: Final = 160
_ROWS: Final = tuple(
    (regex(shape), what)
    for shape, what in (
        # drivers/watchdog/softdog.c, kernel/watchdog drivers, systemd's src/core/main.c
        (
            r"softdog: Initiating (?:system reboot|panic)|[Ww]atchdog .*(?:bite|expired|fired)\b"
            r"|[Ww]atchdog.*(?:initiating|triggering) (?:a )?re(?:boot|set)"
            r"|(?:[Rr]eset|[Rr]eboot|[Bb]oot) (?:reason|cause|status).*[Ww](?:atch)?dog"
            r"|[Ll]ast re(?:boot|set).*[Ww]atchdog",
            "a watchdog restarted the machine",
        ),
        # drivers/base/power/main.c, kernel/power/suspend.c
        (
            r": PM: failed to suspend(?: async)?: error"
            r"|: failed to suspend(?: \w+)?: -\d",
            "a suspend was given up, for a device refused it",
        ),
        (r": PM: failed to resume(?: async)?: error|: failed to resume(?: \w+)?: -\d",
         "a device did not come back from suspend"),
        # drivers/base/firmware_loader, wireless drivers
        (
            r"no suitable firmware found|(?:[Ff]ailed|[Uu]nable|[Cc]ould not|[Cc]annot) (?:to )?"
            r"(?:load|fetch|request|find|get)(?: \w+){0,2} (?:firmware|fw)\b"
            r"|[Ff]irmware file \S+ not found|firmware .*(?:not found|failed to load)",
            "a driver found no firmware for its device",
        ),
        # drivers/base/dd.c (call_driver_probe), before 6.8 without "with driver"
        (r"\bprobe (?:of \S+|with driver \S+) failed with error -\d",
         "a driver could not take its device"),
        # drivers/usb/core/hub.c
        (r"unable to enumerate USB device|device not accepting address \d+, error",
         "a USB device does not answer"),
        # drivers/pci/controller
        (r"[Pp]hy link never came up|[Ll]ink (?:never came|did not come|is not) up\b"
            r"|PCIe.*link down",
         "the link of PCI Express did not come up"),
        # drivers/pmdomain
        (r"failed to command PGC|failed to get ack on domain|power domain.*(?:timeout|timed out)"
         r"|failed to (?:enable|power on|set).*\bdomain\b",
         "a part of the chip did not get its power"),
        # drivers/gpu/drm
        (r"RmInitAdapter failed|Fatal error during GPU init|[Ff]ailed to initialize (?:the )?GPU"
         r"|hw_init of IP block <\w+> failed",
         "the graphics driver could not start its card"),
        # drivers/net/phy, sound, i2c
        (r"[Cc]annot attach to PHY|no PHY found|[Cc]ould not (?:attach|connect) to PHY",
         "a network port does not reach its chip (PHY)"),
        (r"no codecs (?:found|initialized)|(?:codec|ASoC).*(?:not registered|probe failed)",
         "the sound has no codec"),
    )
)  # fmt: skip


class Failures(msgspec.Struct, frozen=True):
    """What failed, in a few words, and the lines that tell, the first one first."""

    what: str
    quotes: tuple[Quote, ...]


def failures(logs: Sequence[KernelLog]) -> Failures | None:
    """Return what failed by the lines of logs without a report, None where no line tells."""
    found = [(what, line) for log in logs for line in log.scary if (what := _what(line.text))]
    if not found:
        return None
    what = found[0][0]
    shown = dict.fromkeys(line for told, line in found if told == what)
    return Failures(what, tuple(_quotes(list(shown)[:_MOST])))


def _what(text: str) -> str | None:
    return next((what for shape, what in _ROWS if shape.search(text)), None)


def _quotes(lines: Sequence[ScaryLine]) -> Iterator[Quote]:
    for line in lines:
        yield Quote(line.text.strip()[:_LONGEST], line.number, errors_in(line.text))
