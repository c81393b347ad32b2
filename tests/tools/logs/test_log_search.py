"""Searching a large log on its host: the real shell, on real files."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.hosts import runner
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Result, ResultStatus
from pagefault_doctor.tools.logs.log_search import (
    MAX_BYTES,
    log_of,
    note_of,
    search,
    search_reading,
    text_of,
)
from requirements import require_program
from tools.example_reports import BOOT, OOPS, WARNING, told

QUIET = "[  100.000000] usb 1-1: new high-speed USB device number 4\n"


def large(*middle: str, quiet: int = 30_000) -> str:
    noise = QUIET * quiet
    return noise + noise.join(middle) + noise


def run(log: Path, shell: str = "") -> Result:
    command = search(str(log), "test", "")
    if shell:
        path = {"PATH": str(Path(shell).parent)}
        command = msgspec.structs.replace(command, argv=(shell, *command.argv[1:]), env=path)
    return runner.run(command)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "kern.log"


@pytest.fixture
def busybox(tmp_path: Path) -> str:
    program = require_program("busybox")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "grep", "awk", "cut", "wc", "cat", "gzip"):
        (folder / name).symlink_to(program)
    return str(folder / "sh")


def test_a_small_log_comes_whole(log: Path) -> None:
    text = BOOT + OOPS + "a line without an end"
    log.write_text(text)
    result = run(log)
    assert text_of(result) == text
    assert note_of(result) is None


def test_of_a_large_log_only_what_matters_comes_and_lines_keep_their_numbers(log: Path) -> None:
    text = large(BOOT, OOPS, WARNING)
    log.write_text(text)
    result = run(log)
    assert len(result.output) < len(text) / 50
    here, there = klog.read(text.encode(), "kern.log"), log_of(result)
    assert [(r.title, r.span, r.module, r.boot) for r in here.reports] == [
        (r.title, r.span, r.module, r.boot) for r in there.reports
    ]
    assert (there.size, there.note) == (len(text), None)
    assert len(there.reports) == 2


def test_a_compressed_log_is_searched_like_a_plain_one(log: Path, tmp_path: Path) -> None:
    log.write_text(large(BOOT, OOPS))
    packed = tmp_path / "kern.log.2.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert text_of(run(packed)) == text_of(run(log))


def test_busyboxs_tools_find_the_same(log: Path, busybox: str) -> None:
    log.write_bytes(large(BOOT, OOPS, WARNING).encode() + b"\xff\xfe\n" + OOPS.encode())
    ours, theirs = run(log), run(log, busybox)
    assert theirs.errors == ""
    assert [r.span for r in log_of(theirs).reports] == [r.span for r in log_of(ours).reports]
    assert len(log_of(ours).reports) == 3


def test_what_comes_is_bounded_and_what_was_left_is_told(log: Path) -> None:
    log.write_text(large(*[OOPS] * 300, quiet=300))
    result = run(log)
    assert len(result.output) < MAX_BYTES + 100_000
    note = log_of(result).note
    assert note is not None
    assert "more places in this log may matter" in note
    assert "more places" in search_reading(result, Case(), "last boot").findings[-1].text


def test_a_line_without_an_end_does_not_fill_the_link(log: Path) -> None:
    log.write_bytes(b"BUG: " * 1_000_000)
    assert len(run(log).output) < 10_000


def test_a_log_that_is_not_there_says_so(log: Path) -> None:
    result = run(log)
    assert result.status is ResultStatus.FAILED
    assert "No such file" in result.errors
    assert "could not be read" in search_reading(result, Case(), "last boot").findings[0].text


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    assert "directory" in run(tmp_path).errors


@pytest.mark.parametrize("kind", ["fifo", "socket", "endless", "loop"])
def test_what_is_no_regular_file_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    log = tmp_path / "kern.log"
    if kind == "fifo":
        os.mkfifo(log)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(log))
    else:
        log.symlink_to("/dev/zero" if kind == "endless" else log)
    command = msgspec.structs.replace(search(str(log), "test", ""), timeout=20)
    result = runner.run(command)
    assert result.status is ResultStatus.FAILED
    assert result.errors
    assert "could not be read" in search_reading(result, Case(), "last boot").findings[0].text


def test_a_hostile_name_is_a_name(tmp_path: Path) -> None:
    log = tmp_path / "-e $(touch x); 'kern'.log"
    log.write_text(OOPS)
    assert len(log_of(run(log)).reports) == 1
    assert list(tmp_path.iterdir()) == [log]


@given(st.text("@end 0123456789\n BUG:x"))
def test_any_answer_is_read_without_harm(output: str) -> None:
    result = told(output, "sh", "-c", "script", "search", "kern.log")
    assert len(text_of(result)) <= 20_000_000 + len(output)
    assert log_of(result).source == "kern.log"


@pytest.mark.parametrize("name", ["system.journal", "folder"])
def test_a_journal_is_read_by_journalctl(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / name
    if name == "folder":
        journal.mkdir()
        (journal / "system.journal").touch()
    else:
        journal.write_bytes(b"LPKSHHRH")
    program = tmp_path / "bin/journalctl"
    program.parent.mkdir()
    told = BOOT.replace("] ", "] db7 kernel: ") + OOPS.replace("] ", "] db7 kernel: ")
    (tmp_path / "said").write_text(told)
    program.write_text(f'#!/bin/sh\necho "$1" >&2\nexec cat {tmp_path}/said\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    result = run(journal)
    assert str(journal) in result.errors
    assert [report.module for report in log_of(result).reports] == ["wobble"]


def test_what_nothing_here_can_unpack_is_told(tmp_path: Path, busybox: str) -> None:
    packed = tmp_path / "kern.log.zst"
    packed.write_bytes(b"(\xb5/\xfd")
    result = run(packed, busybox)
    assert result.errors == "zstd: not found\n"
    assert not result.said_anything
