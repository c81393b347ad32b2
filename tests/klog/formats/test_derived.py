"""What searching and cutting derive from the table is what the lists that are kept by hand say."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

from pagefault_doctor.klog import boots, module_events, prefilter, report, split, starts
from pagefault_doctor.klog.formats.format import Format, Lead
from pagefault_doctor.klog.formats.table import DETAILS, FORMATS, TABLE
from pagefault_doctor.klog.line import split as split_line
from pagefault_doctor.model.report import USER_SIDE, Kind

FOLDERS = (Path(__file__).parents[2], Path(__file__).parents[3] / "playbooks")
QUOTED = re.compile(r'"([^"\\\n|]{8,1000})"')
OTHER_NEEDLES = (*boots.NEEDLES, *module_events.NEEDLES)


@cache
def logs() -> tuple[tuple[str, ...], ...]:
    """Return the lines of every log at hand, and those that the tests quote."""
    folders = [*FOLDERS, Path(os.environ.get("PFDOCTOR_CORPUS", "/nonexistent"))]
    found = [
        tuple(path.read_text(errors="replace").split("\n"))
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".log", ".txt", ".dmesg")
    ]
    quoted = [
        tuple(QUOTED.findall(path.read_text())) for path in sorted(FOLDERS[0].rglob("test_*.py"))
    ]
    return tuple(tuple(split_line(line).text for line in log) for log in (*found, *quoted))


@cache
def lines() -> tuple[str, ...]:
    """Return every different line of them."""
    return tuple(dict.fromkeys(line for log in logs() for line in log))


def known(header: str | None) -> str | None:
    return "Kernel BUG" if header == "Kernel BUG [#" else header


def test_the_headers_are_the_same() -> None:
    assert {known(h) for h in TABLE.headers} == set(starts.HEADERS)
    for line in lines():
        by_hand = next(filter(line.__contains__, starts._RANKED), None)
        assert known(next(filter(line.__contains__, TABLE.headers), None)) == by_hand, line


def test_the_starts_and_notices_are_the_same() -> None:
    found = 0
    for line in lines():
        row = TABLE.row_of(line)
        assert (row is not None) == starts.starts(line), line
        assert (row is not None and row.notice) == starts.is_notice(line), line
        found += row is not None
    assert found > 100


def test_the_same_starts_are_alike() -> None:
    own = [(line, row) for line in lines() if (row := TABLE.row_of(line))]
    different = [
        (line, other)
        for line, row in own
        for other, of_other in own
        if row.is_alike(of_other) != starts.is_alike(line, other)
        and not TABLE.followers.search(line)
        and not {row.kind, of_other.kind} & USER_SIDE
        and "detected " not in line  # A word that lines of no such trouble hold too.
        and "[#" not in line
        and "Oops: " not in line  # Two deaths have two numbers.
    ]
    assert not different[:20], len(different)


def test_the_needles_find_every_start_that_the_others_find() -> None:
    needles = (*(needle.encode() for needle in TABLE.needles), *OTHER_NEEDLES)
    for line in lines():
        raw = line.encode()
        if starts.header_of(line) or starts.starts(line):
            by_hand = any(needle in raw for needle in prefilter.NEEDLES)
            assert any(needle in raw for needle in needles) == by_hand, line


def test_what_leads_to_a_headline_is_the_same() -> None:
    for log in logs():
        for line in log:
            row = TABLE.row_of(line)
            if row and starts.header_of(line) is None:
                leads = row.lead is not Lead.ALONE
                assert leads == bool(split._LEADS.search(line)), line
                assert (row.lead is Lead.FAR) == ("Insufficient" in line)
            if not line.startswith(" "):
                assert bool(TABLE.leads.search(line)) == bool(report._LEADS.search(line)), line


def test_what_goes_on_with_a_report_is_the_same() -> None:
    assert TABLE.continuing - {"Kernel BUG [#"} == set(split._SAME_EVENT)
    for line in lines():
        header = starts.header_of(line)
        if not header and not TABLE.row_of(line):
            continue
        going = header and next(filter(line.__contains__, TABLE.headers)) in TABLE.continuing
        by_hand = bool(header in split._SAME_EVENT or split._FOLLOWERS.search(line))
        assert bool(going or TABLE.followers.search(line)) == by_hand, line


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.title)
def test_the_details_of_a_row_are_those_of_its_kind(row: Format) -> None:
    assert row.details == DETAILS.get(row.kind, ())


def test_users_and_memory_shortage_are_told_apart_by_their_rows() -> None:
    for log in logs():
        for line in log:
            row = TABLE.row_of(line)
            if row and starts.header_of(line) is None and row.lead is Lead.ALONE:
                user = row.kind in (Kind.USER_SEGFAULT, Kind.USER_TRAP)
                assert user == bool(split._USER.search(line)), line
                assert (row.kind is Kind.OOM_KILL) == bool(split._OOM.search(line)), line
