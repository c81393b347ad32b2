"""Of which boot of this box a log is."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.fact import Fact, Source, Value
from pagefault_doctor.tools.log_boot import EARLIER_BOOT, THIS_BOOT, LogBoot, log_boot
from tools.example_reports import KERNEL, OOPS

BOOTED = int(datetime(2026, 3, 3, 10, 0, 0, tzinfo=UTC).timestamp())
ID = "0a0a0a0a-1b1b-2c2c-3d3d-4e4e4e4e4e4e"
BOX: dict[str, Value] = {
    "given.log": "crash.log",
    "host.kernel": KERNEL,
    "host.boot_id": ID,
    "host.uptime": 3600.0,
    "host.booted": BOOTED,
}


def boot(text: str = OOPS, **changed: Value) -> LogBoot | None:
    facts = BOX | {name.replace("_", ".", 1): value for name, value in changed.items()}
    log = klog.read(text.encode(), "crash.log")
    return log_boot(
        Case(facts={n: Fact(n, value, Source("box")) for n, value in facts.items()}, logs=(log,))
    )


def at(moment: str) -> str:
    """Return the report as a log with that time in each line."""
    lines = (line.partition("] ")[2] for line in OOPS.splitlines())
    return "".join(f"{moment} carrot kernel: {line}\n" for line in lines)


def test_nothing_is_said_where_nothing_tells() -> None:
    assert boot() is None
    assert log_boot(Case()) is None


@pytest.mark.parametrize(
    ("said", "of"), [(ID.replace("-", ""), THIS_BOOT), ("f" * 32, EARLIER_BOOT)]
)
def test_the_boot_id_decides_whatever_else_there_is(said: str, of: str) -> None:
    found = boot(f"-- Boot {said} --\n" + OOPS, host_uptime=1.0)
    assert found
    assert found.of == of


def test_a_report_that_came_later_after_its_boot_than_this_boot_is_old() -> None:
    found = boot(OOPS.replace("[   12.", "[90012."))
    assert found == LogBoot(
        EARLIER_BOOT, "it came 90012 s after its boot, and this boot is 3600 s old"
    )


def test_another_kernel_ran_in_an_earlier_boot() -> None:
    found = boot(host_kernel="9.9.9-other")
    assert found == LogBoot(EARLIER_BOOT, f"it ran {KERNEL} then, now 9.9.9-other")


@pytest.mark.parametrize(
    ("moment", "of"),
    [
        ("2026-03-01T09:00:00.000000+01:00", EARLIER_BOOT),
        ("2026-03-03T10:30:00.000000+00:00", THIS_BOOT),
        ("2026-03-03T09:30:00.000000+00:00", EARLIER_BOOT),
        ("2026-03-03T10:00:30.000000+00:00", None),
    ],
)
def test_the_date_of_the_report_is_compared_with_that_of_this_boot(
    moment: str, of: str | None
) -> None:
    found = boot(at(moment))
    assert (found.of if found else None) == of


def test_a_date_without_its_year_says_nothing() -> None:
    assert boot(at("Mar  1 09:00:00")) is None


@given(st.text(), st.one_of(st.none(), st.floats(allow_nan=True)))
def test_any_time_in_a_report_is_taken_without_an_exception(wall: str, stamp: float | None) -> None:
    log = klog.read(OOPS.encode(), "crash.log")
    report = msgspec.structs.replace(log.reports[0], wall_clock=wall, timestamp=stamp)
    facts = {name: Fact(name, value, Source("box")) for name, value in BOX.items()}
    log_boot(Case(facts=facts, logs=(msgspec.structs.replace(log, reports=(report,)),)))
