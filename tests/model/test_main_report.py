"""Which report a case is about, by what the reports are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.model.fact import Fact, Source
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.main_report import Rank, main_report, missing_first_fault, rank
from pagefault_doctor.model.report import USER_SIDE, Frame, Kind, Report, Span

HOUR = 3600.0
NOTICES = (Kind.INFO, Kind.REBOOT)


def seen(kind: Kind, at: float | None = None, *, line: int = 1, **rest: Any) -> Report:
    return Report(
        kind=kind, title=rest.pop("title", kind.value), timestamp=at, span=Span(line, line), **rest
    )


def log(*reports: Report, source: str = "a.log", boots: int = 0) -> KernelLog:
    boots = boots or max((r.boot for r in reports), default=0) + 1
    return KernelLog(source=source, reports=reports, boots=boots)


def leads(*reports: Report) -> int | None:
    return main_report((log(*reports),))


def of(name: str, value: str) -> dict[str, Fact]:
    return {name: Fact(name, value, Source("given by you"))}


OOPS = seen(Kind.NULL_POINTER, HOUR, function="demo_read", module="demo", pid=7, line=900)


@pytest.mark.parametrize(
    "kind", [Kind.INFO, Kind.WARNING, Kind.LOCKDEP, Kind.REFCOUNT, Kind.SANITIZER, Kind.OOM_KILL]
)
def test_what_the_kernel_said_an_hour_before_an_oops_does_not_lead(kind: Kind) -> None:
    assert leads(seen(kind, 0.5, module="demo", function="demo_read", pid=7), OOPS) == 1


@pytest.mark.parametrize(
    "kind",
    [Kind.SANITIZER, Kind.REFCOUNT, Kind.LIST_CORRUPTION, Kind.SLAB, Kind.USERCOPY, Kind.HARDWARE],
)
def test_a_check_seconds_before_an_oops_leads(kind: Kind) -> None:
    assert leads(seen(kind, HOUR - 4, module="demo"), OOPS) == 0
    assert leads(seen(kind, HOUR - 4), OOPS) == 0


def test_a_check_of_other_objects_does_not_lead() -> None:
    other = seen(Kind.REFCOUNT, HOUR - 4, module="other", pid=8)
    assert leads(other, OOPS) == 1
    assert leads(seen(Kind.REFCOUNT, HOUR - 4, module="other", pid=7), OOPS) == 0
    frames = (Frame("demo_put", module="demo"),)
    assert leads(seen(Kind.REFCOUNT, HOUR - 4, module="other", frames=frames), OOPS) == 0


def test_an_object_check_that_warns_is_more_than_a_warning() -> None:
    odebug = seen(Kind.WARNING, HOUR - 1, title="WARNING: ODEBUG bug in f", function="f")
    assert leads(odebug, OOPS) == 0
    assert leads(seen(Kind.WARNING, HOUR - 1, function="f"), OOPS) == 1


@pytest.mark.parametrize(
    ("file", "main"), [("mm/slab_common.c", 0), ("mm/slub.c", 0), ("net/core/dev.c", 1)]
)
def test_a_warning_of_the_allocator_is_a_check_of_an_object(file: str, main: int) -> None:
    warning = seen(Kind.WARNING, HOUR - 4, module="parcel", details={"file": file})
    assert leads(warning, seen(Kind.PAGE_FAULT, HOUR, function="copy_page_range", pid=1)) == main


def test_a_sanitizer_of_no_consequence_is_a_warning() -> None:
    ubsan: dict[str, Any] = {"kind": Kind.SANITIZER, "title": "UBSAN: shift-out-of-bounds in f"}
    assert leads(seen(at=HOUR - 1, **ubsan), OOPS) == 1
    assert leads(seen(Kind.LOCKUP), seen(at=HOUR, die_count=1, **ubsan)) == 1


@pytest.mark.parametrize("place", [{"module": "demo"}, {"function": "demo_read"}])
def test_a_warning_at_the_same_place_leads_only_moments_before(place: dict[str, Any]) -> None:
    assert leads(seen(Kind.WARNING, HOUR - 2, **place), OOPS) == 0
    assert leads(seen(Kind.WARNING, HOUR - 200, **place), OOPS) == 1


def test_a_line_that_names_no_object_does_not_lead() -> None:
    bad = seen(Kind.BAD_PAGE, HOUR - 1, title="get_swap_device: bad swap offset entry")
    assert leads(bad, OOPS) == 1


def test_without_the_kernels_clock_the_time_of_day_counts_and_then_the_lines_between() -> None:
    oops = seen(Kind.PAGE_FAULT, line=20, wall_clock="Nov 02 00:00:03")
    assert leads(seen(Kind.REFCOUNT, wall_clock="Nov 01 23:59:58"), oops) == 0
    assert leads(seen(Kind.REFCOUNT, wall_clock="Nov 01 22:59:58"), oops) == 1
    assert leads(seen(Kind.REFCOUNT), seen(Kind.PAGE_FAULT, line=20)) == 0
    assert leads(seen(Kind.REFCOUNT), seen(Kind.PAGE_FAULT, line=2000)) == 1


def test_the_first_oops_leads_over_those_after_it() -> None:
    first = seen(Kind.PAGE_FAULT, 5.0, die_count=1)
    second = seen(Kind.NULL_POINTER, 6.0, die_count=2, tainted=("D",))
    assert leads(first, second) == 0
    assert leads(second, first) == 1
    assert leads(second) == 0


def test_a_check_that_ended_in_an_oops_is_one() -> None:
    assert leads(seen(Kind.SANITIZER, 1.0), seen(Kind.LIST_CORRUPTION, HOUR, die_count=1)) == 1


def test_a_crash_that_a_person_asked_for_does_not_hide_what_was_wrong() -> None:
    asked = seen(Kind.NULL_POINTER, HOUR, function="sysrq_handle_crash", die_count=1)
    assert leads(seen(Kind.HUNG_TASK, 300.0), asked) == 0
    assert leads(asked) == 0


def test_the_last_boot_with_a_fault_counts() -> None:
    old, new = seen(Kind.KERNEL_BUG, boot=0), seen(Kind.REFCOUNT, boot=1)
    assert leads(old, new) == 1
    assert leads(old, seen(Kind.WARNING, boot=1)) == 0
    assert leads(old, seen(Kind.USER_TRAP, boot=1), seen(Kind.REBOOT, boot=2)) == 0
    assert leads(seen(Kind.WARNING, boot=0), seen(Kind.WARNING, boot=1)) == 1


def test_programs_count_where_the_kernel_did_not_fault_and_notices_last() -> None:
    assert leads(seen(Kind.USER_SEGFAULT), seen(Kind.WARNING)) == 1
    assert leads(seen(Kind.INFO), seen(Kind.OOM_KILL), seen(Kind.USER_SEGFAULT)) == 1
    assert leads(seen(Kind.INFO)) == 0


def test_a_drivers_words_count_least() -> None:
    words = seen(Kind.WARNING, title="WARNING: the tide is out")
    assert leads(words, seen(Kind.INFO)) == 1
    assert leads(words, seen(Kind.WARNING)) == 1
    assert leads(words) == 0


def test_the_log_read_first_leads_unless_a_later_one_is_graver() -> None:
    here, before = log(seen(Kind.PAGE_FAULT)), log(seen(Kind.PAGE_FAULT, boot=3), source="b.log")
    assert main_report((here, before)) == 0
    assert main_report((log(seen(Kind.WARNING)), before)) == 1
    assert main_report((KernelLog(source="empty"), before)) == 0


@pytest.mark.parametrize("name", ["given.log", "given.vmcore"])
def test_what_the_person_gave_stays_the_case(name: str) -> None:
    own, theirs = log(seen(Kind.PANIC), source="dmesg"), log(seen(Kind.WARNING), source="theirs")
    assert main_report((own, theirs)) == 0
    assert main_report((own, theirs), of(name, "theirs")) == 1
    assert main_report((own, log(source="theirs")), of(name, "theirs")) == 0


def test_of_an_archive_that_was_given_the_log_read_first_counts() -> None:
    first, last = (log(seen(Kind.PANIC), source=f"sos.tar:var/log/{n}") for n in "ab")
    own = log(seen(Kind.PANIC), source="dmesg")
    assert main_report((own, first, last), of("given.log", last.source)) == 1


def test_dmesg_and_the_journal_of_this_boot_are_of_one_boot() -> None:
    ring = log(seen(Kind.PAGE_FAULT, 90.0, die_count=2), source="dmesg")
    journal = log(
        seen(Kind.KERNEL_BUG, 1.0, boot=0, die_count=1),
        seen(Kind.PAGE_FAULT, 50.0, boot=1, die_count=1),
        source="journalctl -k -b",
    )
    assert main_report((ring, journal)) == 2


def test_dmesg_read_again_may_be_of_another_boot() -> None:
    before = log(seen(Kind.PAGE_FAULT, 90.0, die_count=2), source="dmesg")
    after = log(seen(Kind.PAGE_FAULT, 5.0, die_count=1), source="dmesg")
    assert main_report((before, after)) == 0


def test_a_later_fault_without_the_first_is_said() -> None:
    second = seen(Kind.PAGE_FAULT, die_count=2)
    text = missing_first_fault(second, ())
    assert text
    assert "this is fault #2 of its boot: the first one is not in this log" in text
    assert "journalctl -k -b" in text
    assert "taint D" in (missing_first_fault(seen(Kind.WARNING, tainted=("D",)), (second,)) or "")
    assert missing_first_fault(second, (seen(Kind.PAGE_FAULT, die_count=1),)) is None
    assert missing_first_fault(second, (seen(Kind.WARNING),)) is not None
    assert missing_first_fault(seen(Kind.PAGE_FAULT, die_count=1), ()) is None
    assert missing_first_fault(seen(Kind.USER_TRAP, tainted=("D",)), ()) is None


NAMES = st.sampled_from([None, "demo", "other"])
REPORTS = st.builds(
    Report,
    kind=st.sampled_from(Kind),
    title=st.sampled_from(["", "UBSAN: shift in f", "WARNING: ODEBUG bug in f"]),
    boot=st.integers(0, 2),
    die_count=st.one_of(st.none(), st.integers(1, 3)),
    timestamp=st.one_of(st.none(), st.floats(0, 9000)),
    wall_clock=st.sampled_from([None, "", "Nov 01 23:59:58", "99:99:99"]),
    function=NAMES,
    module=NAMES,
    pid=st.one_of(st.none(), st.integers(1, 3)),
    tainted=st.sampled_from([None, (), ("D",)]),
    span=st.builds(Span, st.integers(1, 99), st.integers(1, 99)),
)


@given(st.lists(REPORTS, max_size=8))
def test_there_is_a_main_report_wherever_there_is_one_and_it_is_never_the_least(
    reports: list[Report],
) -> None:
    index = leads(*reports)
    assert (index is None) == (not reports)
    assert index == leads(*reports)
    if index is None:
        return
    main = reports[index]
    ranks = [rank(r) for r in reports]
    of_boot = [its for r, its in zip(reports, ranks, strict=True) if r.boot == main.boot]
    if max(of_boot) > rank(main):
        later = [r for r in reports[index:] if r.boot == main.boot and rank(r) > rank(main)]
        assert rank(main) in (Rank.CHECK, Rank.WARNING)
        assert any(
            rank(main) is Rank.CHECK or main.module == r.module or main.function == r.function
            for r in later
        )
    if main.kind in NOTICES and main.die_count is None and rank(main) is Rank.NOTICE:
        assert set(ranks) == {Rank.NOTICE}
    if main.kind in USER_SIDE and rank(main) is Rank.USER_SIDE:
        assert max(ranks) is Rank.USER_SIDE


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (seen(Kind.NULL_POINTER, die_count=2), "this is fault #2 of its boot"),
        (seen(Kind.NULL_POINTER, die_count=1, tainted=("D",)), "the kernel had died before"),
    ],
)
def test_a_fault_that_follows_another_says_that_the_first_is_missing(
    report: Report, told: str
) -> None:
    missing = missing_first_fault(report, ())
    assert missing
    assert missing.startswith(told)
