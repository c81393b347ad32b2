"""Which known cases fit: conditions, patterns, and lines of logs without a report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from known.examples import ids
from pagefault_doctor import klog
from pagefault_doctor.diagnosis.known import KnownIndex, is_like, is_within
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause
from pagefault_doctor.model.known_case import MOST_LINES
from pagefault_doctor.model.known_entry import Entry, KernelRange, Match

OOPS = """\
[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000010
[    1.000001] #PF: supervisor read access in kernel mode
[    1.000002] #PF: error_code(0x0000) - not-present page
[    1.000003] Oops: 0000 [#1] PREEMPT SMP
[    1.000004] CPU: 0 PID: 7 Comm: cat Tainted: G           O       6.1.20-13-amd64 #1
[    1.000005] RIP: 0010:demo_read+0x11/0x100 [demo]
[    1.000006] RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000
[    1.000007] Call Trace:
[    1.000008]  <TASK>
[    1.000009]  demo_open+0x44/0x200 [demo]
[    1.000010]  vfs_read+0x44/0x200
[    1.000011]  </TASK>
"""
SIGNATURE = "BUG: unable to handle kernel NULL pointer dereference in demo_read [demo]"


def fits(**match: object) -> bool:
    """Whether an entry with these conditions fits the oops."""
    return fits_in(OOPS, **match)


def fits_in(text: str, **match: object) -> bool:
    """Whether an entry with these conditions fits the report or a line of the text."""
    return ids(text, [entry("demo", **match)]) == ["demo"]


def entry(entry_id: str, **match: object) -> Entry:
    """Return an entry with these conditions."""
    return Entry(entry_id, Match(**match), "Demo.")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ("signature", SIGNATURE, f"{SIGNATURE}s"),
        ("signature", "bad-access in demo_read [demo]", "bad-access in demo_write [demo]"),
        ("kind", "null-pointer-dereference", "page-fault"),
        ("function", "demo_read", "demo_rea"),
        ("function", "demo_op*", "demo_close*"),
        ("module", "de*", "dem"),
        ("root_cause", "null-deref", "use-after-free"),
        ("phrase", "RIP: 0010:demo_*[demo]", "RIP: 0010:demo_*[other]"),
        ("phrase", "supervisor read*kernel mode", "kernel mode*supervisor read"),
        ("arch", "x86_64", "arm64"),
    ],
)
def test_a_condition_holds_or_not(field: str, right: str, wrong: str) -> None:
    assert fits(**{field: right})
    assert not fits(**{field: wrong})
    assert fits(**{field: (wrong, right)})


def test_every_condition_must_hold() -> None:
    assert fits(module="demo", function="demo_read", kernel=KernelRange(since="6.1"))
    assert not fits(module="demo", function="demo_read", kernel=KernelRange(since="6.2"))
    assert not fits(module="demo", function="other_read")


@pytest.mark.parametrize(
    ("since", "before", "running", "within"),
    [
        ("6.1", "", "6.1.0-1", True),
        ("6.1", "", "6.0.19", False),
        ("", "6.1.20", "6.1.19", True),
        ("", "6.1.20", "6.1.20", False),
        ("5.9", "5.10", "5.9.16", True),
        ("5.9", "5.10", "5.10.0", False),
        ("5.9", "", None, False),
    ],
)
def test_a_range_begins_with_one_release_and_ends_before_another(
    since: str, before: str, running: str | None, within: bool
) -> None:
    assert is_within(KernelRange(since=since, before=before), running) is within


@pytest.mark.parametrize(
    ("pattern", "name", "like"),
    [
        ("nvidia", "nvidia", True),
        ("nvidia", "nvidia_drm", False),
        ("nvidia*", "nvidia_drm", True),
        ("*_drm", "nvidia_drm", True),
        ("n*_*m", "nvidia_drm", True),
        ("ab*ba", "aba", False),
        ("a.c", "abc", False),
    ],
)
def test_a_star_stands_for_any_characters(pattern: str, name: str, like: bool) -> None:
    assert is_like(pattern, name) is like


@given(st.text("ab*", max_size=40), st.text("ab", max_size=60))
def test_a_name_is_like_itself_with_stars(pattern: str, name: str) -> None:
    is_like(pattern, name)
    assert is_like(f"*{name}*", name)
    assert is_like("*".join(["", *name, ""]), name)


LINES = """\
[    1.000000] Linux version 6.1.0-13-amd64 (demo) #1
[    2.000000] demo: error 5: unable to find the way
[    3.000000] demo: error 6: unable to find the way
[    4.000000] demo: failed to stop
[    5.000000] demo: all is well
"""


def test_a_phrase_alone_fits_lines_of_a_log_without_a_report() -> None:
    index = KnownIndex([entry("lost", phrase="unable to find the way")])
    (found,) = index.lines(klog.read(LINES.encode(), "log"))
    assert (found.line, found.count) == (2, 2)
    assert found.text == "demo: error 5: unable to find the way"


def test_an_entry_about_reports_fits_no_line() -> None:
    assert not fits_in(LINES, phrase="unable to find the way", kind="warning")
    assert not fits_in(LINES, phrase="unable to find the way", module="demo")


def test_the_kernel_of_a_line_is_that_of_the_log() -> None:
    phrase = "unable to find the way"
    assert fits_in(LINES, phrase=phrase, kernel=KernelRange(before="6.2"))
    assert not fits_in(LINES, phrase=phrase, kernel=KernelRange(before="6.1"))


def test_a_line_is_told_by_the_first_entry_that_fits() -> None:
    special = entry("special", phrase="error 5: unable to find")
    general = entry("general", phrase="unable to find the way")
    # Both lines differ in numbers alone, so they are one.
    assert ids(LINES, [special, general]) == ["special"]
    assert ids(LINES, [general, special]) == ["general"]


def test_the_lines_of_a_log_are_bounded_and_in_order() -> None:
    names = "abcdefghijkl"
    text = "".join(f"[    1.000000] demo: error of {name}\n" for name in names)
    index = KnownIndex(entry(name, phrase=f"error of {name}") for name in reversed(names))
    found = index.lines(klog.read(text.encode(), "log"))
    assert len(found) == MOST_LINES
    assert [each.line for each in found] == sorted(each.line for each in found)


def test_quotes_of_a_compiler_are_quotes() -> None:
    text = "demo.c:1:2: error: too many arguments to function \u2018demo\u2019\n"
    assert fits_in(text, phrase="too many arguments to function 'demo'")


def test_what_is_known_of_a_module_is_no_case_of_faulty_hardware() -> None:
    (report,) = klog.read(OOPS.encode(), "kern.log").reports
    index = KnownIndex([entry("demo", module="demo")])
    module = Diagnosis(RootCause.NULL_DEREF, Attribution.MODULE, "demo", 0.9, "")
    assert [case.id for case in index.cases(report, module)] == ["demo"]
    hardware = Diagnosis(RootCause.HARDWARE, Attribution.HARDWARE, None, 0.9, "")
    assert index.cases(report, hardware) == ()
