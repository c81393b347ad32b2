"""A wording is one row: what searching, cutting, naming and details need is derived from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor.klog import scan
from pagefault_doctor.klog.formats import table
from pagefault_doctor.klog.formats.format import TRACED, Continuation, Format, Lead
from pagefault_doctor.klog.formats.table import FORMATS, TABLE, Table
from pagefault_doctor.klog.line import split
from pagefault_doctor.klog.prefilter import Prefilter, hyperscan_filter, needles
from pagefault_doctor.klog.starts import header_of, row_of
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]
LOGS = Path(__file__).parents[1] / "logs"
TRACE = (
    "CPU: 1 PID: 7 Comm: quux Not tainted 6.1.0 #1\n"
    "Call Trace:\n <TASK>\n pfd_wobble+0x10/0x20 [pfd]\n pfd_open+0x1/0x9 [pfd]\n </TASK>\n"
)
WOBBLE = Format(
    header="QUUX:",
    pattern=r"QUUX: wobble in (\w+)",
    title="QUUX: wobble in {f}",
    kind=Kind.WARNING,
    ways=TRACED,
    details=(r"wobble in (?P<wobbly>\w+)",),
    source="lib/quux.c (quux_wobble)",
)
OWN_WOBBLE = Format(
    start=r"the quux of (\w+) wobbles",
    title="quux wobble of {1}",
    kind=Kind.WARNING,
    lead=Lead.KEPT,
    details=(r"quux of (?P<wobbly>\w+)",),
    source="lib/quux.c (quux_wobble)",
)


@pytest.fixture(params=["shapes of lines", "hyperscan"])
def searched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search a log with one and the other prefilter."""
    if request.param == "hyperscan":
        if not hyperscan_filter():
            pytest.skip("hyperscan does not run here: pip install 'hyperscan>=0.7'")
        monkeypatch.setattr(scan, "_LARGE", 0)


@pytest.fixture
def wobbling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add two rows, and nothing else."""
    monkeypatch.setattr(table, "TABLE", Table((WOBBLE, OWN_WOBBLE, *FORMATS)))


def stamped(text: str) -> str:
    return "".join(f"[   12.345678] {line}\n" for line in text.splitlines())


HEADLINE = "QUUX: wobble in frobnicator"
OWN_HEADLINE = "demo: the quux of frobnicator wobbles"


@pytest.mark.usefixtures("searched", "wobbling")
@pytest.mark.parametrize(
    ("headline", "title"),
    [(HEADLINE, "QUUX: wobble in pfd_wobble"), (OWN_HEADLINE, "quux wobble of frobnicator")],
)
def test_a_new_row_is_found_cut_named_and_read(read: Read, headline: str, title: str) -> None:
    noise = stamped("usb 1-1: new device\n" * 50)
    log = read(noise + stamped(headline + "\n" + TRACE) + noise)
    assert [(r.title, r.kind, r.details["wobbly"]) for r in log.reports] == [
        (title, Kind.WARNING, "frobnicator")
    ]
    assert log.reports[0].span.first_line == 51
    assert log.reports[0].function == "pfd_wobble"


@pytest.mark.usefixtures("searched", "wobbling")
def test_a_new_row_that_leads_belongs_to_the_report_that_follows(read: Read) -> None:
    (report,) = read(stamped(f"{OWN_HEADLINE}\n{HEADLINE}\n{TRACE}")).reports
    assert report.title == "QUUX: wobble in pfd_wobble"
    assert report.excerpt[0].text == OWN_HEADLINE


@pytest.mark.usefixtures("searched")
@pytest.mark.parametrize("headline", [HEADLINE, OWN_HEADLINE])
def test_without_the_row_there_is_no_such_report(read: Read, headline: str) -> None:
    assert "wobbly" not in read(stamped(headline + "\n" + TRACE)).reports[0].details


@pytest.mark.usefixtures("wobbling")
def test_without_the_clock_of_the_kernel_a_row_makes_its_line_believed(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"INFO: quux wobbles\n{TRACE}"
    assert [r.title for r in read(text).reports] != ["wobble"]
    row = Format(
        header="INFO:",
        pattern=r"INFO: quux wobbles",
        title="wobble",
        kind=Kind.INFO,
        source="lib/quux.c",
    )
    monkeypatch.setattr(table, "TABLE", Table((row, *FORMATS)))
    assert [r.title for r in read(text).reports] == ["wobble"]


@pytest.mark.parametrize("header", TABLE.headers)
def test_every_header_holds_a_word_that_is_searched_for(header: str) -> None:
    assert any(needle in header for needle in TABLE.needles)
    assert Prefilter().hits(f"a line\n{header}".encode())[1] == [(2, 7)]


def test_every_start_in_the_logs_of_the_tests_is_found() -> None:
    sought = tuple(needle.decode() for needle in needles())
    found = 0
    for path in sorted(LOGS.rglob("*.log")):
        for line in path.read_text(errors="replace").split("\n"):
            text = split(line).text
            if header_of(text) or row_of(text):
                assert any(word in line for word in sought), line
                found += 1
    assert found > 50


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.source)
def test_every_row_names_the_file_that_prints_it(row: Format | Continuation) -> None:
    assert re.search(r"\w\.(?:c|cc|cpp|h|rs|go|service)\b|any file of the kernel", row.source)


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.title)
def test_a_row_has_an_expression_or_a_header_and_not_two_ways_to_be_found(row: Format) -> None:
    assert row.pattern or row.start or row.headers
    assert not (row.headers and row.start)


def test_a_line_that_only_leads_or_follows_is_one_row_too(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading = Continuation(lead=r"^quux prelude", source="lib/quux.c")
    following = Continuation(follows=r"^QUUX: coda", source="lib/quux.c")
    text = stamped(f"quux prelude\n{HEADLINE}\n{TRACE}QUUX: coda\n")
    monkeypatch.setattr(table, "TABLE", Table((WOBBLE, leading, following, *FORMATS)))
    (report,) = read(text).reports
    assert report.excerpt[0].text == "quux prelude"
    monkeypatch.setattr(table, "TABLE", Table((WOBBLE, *FORMATS)))
    assert len(read(text).reports) == 2
    assert read(text).reports[0].excerpt[0].text == HEADLINE


def test_a_headline_that_quotes_another_has_its_own_header() -> None:
    for first, line in (
        ("Internal error:", "Internal error: Oops - BUG: 0 [#1] SMP ARM"),
        ("Kernel panic", "Kernel panic - not syncing: BUG: unrecoverable"),
        ("Kernel BUG [#", "Kernel BUG [#1]"),
        ("Kernel BUG", "Kernel BUG at demo+0x1/0x2"),
    ):
        assert header_of(line) == first
