"""Inputs made to cost time or memory are read within limits, and a note names what was cut.

`bench/hostile.py` reads the same at full size and prints what each takes.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagefault_doctor import klog
from pagefault_doctor.klog import reader, scan, text
from pagefault_doctor.klog.input import archive, unpack
from pagefault_doctor.model.log import KernelLog

OOPS = b"[    5.000000] BUG: unable to handle page fault for address: ffff888000000000\n"


@pytest.fixture(params=["plain", "fast"])
def search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Search by the shapes of lines and with hyperscan, where that is installed."""
    monkeypatch.setattr(scan, "_LARGE", 0 if request.param == "fast" else 1 << 62)
    return str(request.param)


def all_logs(data: bytes, folder: Path) -> list[KernelLog]:
    path = folder / "input"
    path.write_bytes(data)
    return list(klog.logs_in_file(path))


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("word", [b"x", b"BUG: WARNING: ", b"\0", b"[    1.0] ", b"<", b"\x1b["])
def test_a_line_of_megabytes_is_one_line(word: bytes) -> None:
    junk = word * ((3 << 20) // len(word))
    log = klog.read(OOPS + junk + b"\n" + OOPS, "x")
    assert log.lines == 3
    assert {1, 3} <= {report.span.first_line for report in log.reports}


class Watched(bytes):
    """Bytes that remember the longest piece read from them."""

    longest = 0

    def __getitem__(self, place: object) -> object:  # type: ignore[override]
        found = super().__getitem__(place)  # type: ignore[call-overload]
        if isinstance(found, bytes):
            Watched.longest = max(Watched.longest, len(found))
        return found


def test_of_a_long_line_no_more_than_a_piece_is_held() -> None:
    data = Watched(b"x" * (8 << 20) + b"\n" + OOPS + b"y" * (8 << 20))
    Watched.longest = 0
    found = scan.scan(data)
    assert found.lines == 3
    assert Watched.longest <= text.CHUNK + text.LONGEST


def test_a_flood_of_reports_is_counted_to_its_end_and_cut_aloud() -> None:
    log = klog.read(b"".join(OOPS.replace(b"5.0", b"%d.0" % i) for i in range(30_000)), "x")
    assert log.lines == 30_000
    assert len(log.reports) == reader.MOST_REPORTS
    assert log.note is not None
    assert "only the first 500 reports are told" in log.note
    assert "lines after line 2" in log.note
    assert "were only counted" in log.note


def test_a_report_without_end_is_read_to_a_bound() -> None:
    lines = b"".join(b"[    5.000001]  function_%d+0x1/0x2\n" % i for i in range(100_000))
    (report,) = klog.read(OOPS + b"[    5.000001] Call Trace:\n" + lines, "x").reports
    assert len(report.frames) < 1000
    assert len(report.excerpt) <= 400


def test_a_hundred_thousand_boots_are_counted_to_a_bound_and_cut_aloud() -> None:
    log = klog.read(b"[    0.000000] Linux version 6.1.0 (b@h) #1 SMP\n" * 100_000, "x")
    assert log.lines == 100_000
    assert log.boots < 100_000
    assert log.note is not None
    assert "were only counted" in log.note


BOOT = b"[    0.000000] Linux version 6.1.0 (b@h) #1 SMP\n"


def test_a_log_in_which_no_line_was_looked_at_after_many_boots_is_not_called_sound() -> None:
    log = klog.read(BOOT * 100_000 + OOPS, "x")
    assert not log.reports
    assert log.unread is not None
    assert "too many before them begin boots or reports" in log.unread
    assert klog.read(BOOT * 10 + OOPS, "x").unread is None


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (BOOT, None),
        (b"[    5.000000] pfd: Unknown symbol pfd_x (err -2)\n", "more messages about modules"),
    ],
)
def test_a_fault_after_thousands_of_boots_or_of_messages_about_modules_is_found(
    line: bytes, note: str | None
) -> None:
    log = klog.read(line * 40_000 + OOPS, "x")
    assert len(log.reports) == 1
    assert log.unread is None
    assert len(log.module_events) <= 20_000
    assert (note or "") in (log.note or "")
    assert bool(log.note) is bool(note)


def tar(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return held.getvalue()


def test_archives_in_archives_are_opened_to_a_depth(tmp_path: Path) -> None:
    once = tar({"dmesg": OOPS})
    assert all_logs(gzip.compress(tar({"a.tar": once})), tmp_path)[0].reports
    data = once
    for _ in range(10):
        data = tar({"more.tar.gz": gzip.compress(data)})
    (log,) = all_logs(data, tmp_path)
    assert (log.lines, log.note) == (0, "packed too many times over")


def test_archives_side_by_side_share_one_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_LOGS", 10)
    inner = tar({f"dmesg.{i}": OOPS for i in range(6)})
    logs = all_logs(tar({f"{i}.tar": inner for i in range(6)}), tmp_path)
    assert sum(len(log.reports) for log in logs) <= 10
    assert "the archive holds more than is looked at" in {log.note for log in logs}


def test_members_that_are_no_logs_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 100)
    data = tar({**{f"etc/{i}": b"" for i in range(200)}, "dmesg": OOPS})
    logs = all_logs(data, tmp_path)
    assert not any(log.reports for log in logs)
    assert any("more than is looked at" in (log.note or "") for log in logs)


def test_what_a_bomb_unpacks_to_is_bounded_in_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MOST", 1 << 20)
    bomb = gzip.compress(b"[    1.000000] usb 1-1: new\n" * (1 << 18))
    logs = all_logs(tar({"a.log.gz": bomb, "b.log.gz": bomb, "dmesg": OOPS}), tmp_path)
    assert sum(log.size for log in logs) <= 1 << 20
    assert "only the first gigabyte was read" in {log.note for log in logs}


def test_a_bomb_that_is_no_log_is_not_unpacked_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    path = tmp_path / "zeros.gz"
    path.write_bytes(gzip.compress(bytes(1 << 26)))
    (log,) = klog.logs_in_file(path, lambda what, done, of, reports: told.append(done))
    assert log.note == "not a text log"
    assert len(told) <= 2


def test_a_header_that_claims_gigabytes_is_not_held(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 4 << 30
    packed = gzip.compress(info.tobuf() + bytes(1 << 22))
    assert any("breaks off" in (log.note or "") for log in all_logs(packed, tmp_path))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, b"S"])
def test_what_is_no_ordinary_file_is_passed_over(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("var/log/dmesg")
    info.type, info.linkname = kind, "/etc/shadow"
    data = info.tobuf() + tar({"var/log/kern.log": OOPS})
    assert [log.source for log in all_logs(data, tmp_path)] == [
        f"{tmp_path / 'input'}:var/log/kern.log"
    ]


def test_a_member_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    data = tar({"dmesg": OOPS * 3})[: 512 + 100]
    logs = all_logs(data, tmp_path)
    assert logs[0].reports
    assert any("breaks off" in (log.note or "") for log in logs)


def test_where_there_is_no_room_the_beginning_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BufferedRandom):
        def write(self, data: object) -> int:
            if self.tell():
                raise OSError(28, "No space left on device")
            return super().write(data)  # type: ignore[arg-type]

    monkeypatch.setattr(unpack, "_unnamed", lambda: Full(io.FileIO(tmp_path / "full", "w+")))
    data = gzip.compress(OOPS + b"[    6.000000] usb 1-1: new\n" * (1 << 17))
    (log,) = klog.logs_in_stream(io.BytesIO(data), "x")
    assert [report.span.first_line for report in log.reports] == [1]
    assert log.note is not None
    assert "is full" in log.note


def parts(count: int, size: int) -> Iterator[bytes]:
    filler = b"[    1.000000] usb 1-1: new\n"
    for part in range(1, count + 1):
        said = OOPS if part == 1 else b""
        yield b"Oops#1 Part%d\n" % part + filler * (size // len(filler)) + said


def test_records_of_pstore_are_put_in_order_however_many_there_are(tmp_path: Path) -> None:
    data = b"".join(parts(300, 64 << 10))
    assert len(data) > 1 << 24
    (log,) = all_logs(data, tmp_path)
    assert log.lines == data.count(b"\n") - 300
    assert log.reports[0].span.first_line == log.lines
    assert log.note is not None
    assert "in order" in log.note


def test_json_with_an_overlong_entry_keeps_its_line_numbers(tmp_path: Path) -> None:
    long = b'{"MESSAGE":"' + b"x" * (5 << 20) + b'"}\n'
    data = b'{"__CURSOR":"c","MESSAGE":"a"}\n' + long
    data += b'{"MESSAGE":"BUG: unable to handle page fault for address: ffff888000000000"}\n'
    (log,) = all_logs(data, tmp_path)
    assert [report.span.first_line for report in log.reports] == [3]
    assert (log.note or "").endswith("were left out: 1")


def test_entries_of_a_journal_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    entry = b'{"__CURSOR":"c","MESSAGE":"a"}\n'
    (log,) = all_logs(entry + b'{"MESSAGE":"BUG: unable to\n' * 3 + entry, tmp_path)
    assert log.lines == 5
    assert log.note is not None
    assert log.note.endswith("were left out: 3")


@pytest.mark.parametrize(
    "head",
    [
        b'{\n"__CURSOR": "x",\n"MESSAGE": "x",\n',
        b"__CURSOR=x\nMESSAGE\n" + (1 << 62).to_bytes(8, "little"),
    ],
    ids=["json-pretty", "export"],
)
def test_an_entry_of_a_journal_without_an_end_is_told(head: bytes, tmp_path: Path) -> None:
    (log,) = all_logs(head + b'"x": "0123456789"\n' * 150_000, tmp_path)
    assert log.note is not None
    assert log.note.endswith("were left out: 1")


def test_fragments_that_are_put_together_are_so_once(tmp_path: Path) -> None:
    lines = [b"6,%d,%d,-,ncfrag=%d/9999;x%s\n" % (i, i, i, b"y" * 99) for i in range(3000)]
    (log,) = all_logs(b"".join(lines), tmp_path)
    assert log.lines == 3000
    assert log.size < 2 * sum(map(len, lines))
