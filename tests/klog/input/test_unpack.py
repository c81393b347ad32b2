"""A log reads the same whatever it is packed in, and no packing makes the reader raise."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import quopri
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.klog.input import text_forms

LOG = (Path(__file__).parents[1] / "logs/x86_null_write.log").read_bytes()
TITLE = klog.read(LOG, "plain").reports[0].title
LINES = LOG.decode().splitlines()
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return held.getvalue()


@pytest.mark.parametrize("name", PACK)
def test_a_packed_log_reads_like_the_text_in_it(name: str) -> None:
    log = klog.read(PACK[name](LOG), "x")
    assert [r.title for r in log.reports] == [TITLE]
    assert (log.lines, log.note) == (LOG.count(b"\n"), None)


def mailed(data: bytes) -> bytes:
    return quopri.encodestring(b"".join(b"> " + line for line in data.splitlines(keepends=True)))


def test_a_log_in_a_mail_reads_like_the_text_in_it() -> None:
    data = mailed(LOG)
    assert data.count(b"=\n") > 3
    log = klog.read(data, "x")
    assert [r.title for r in log.reports] == [TITLE]
    assert log.reports[0].modules == klog.read(LOG, "x").reports[0].modules
    assert (log.lines, log.note) == (data.count(b"\n"), text_forms.JOINED)


def test_after_lines_that_a_mail_broke_the_others_keep_their_numbers() -> None:
    long = b"[    1.000000] " + b"a harbour " * 30 + b"\n"
    data = quopri.encodestring(long * 3 + LOG)
    number = data[: data.index(b"BUG: ")].count(b"\n") + 1
    assert klog.read(data, "x").reports[0].line_of("headline") == number


def test_lines_that_end_with_an_equals_sign_for_another_reason_stay() -> None:
    data = b"[    1.000000] console=\n" * 9 + LOG
    log = klog.read(data, "x")
    assert (log.lines, log.reports[0].title) == (data.count(b"\n"), TITLE)


@given(st.binary(max_size=300))
def test_any_bytes_in_a_mail_are_read(data: bytes) -> None:
    klog.read(mailed(LOG) + data, "x")


@pytest.mark.parametrize("name", PACK)
def test_parts_packed_one_after_the_other_are_one_log(name: str) -> None:
    half = LOG.index(b"\n", len(LOG) // 2) + 1
    log = klog.read(PACK[name](LOG[:half]) + PACK[name](LOG[half:]), "x")
    assert log.size == len(LOG)


def test_of_a_packed_log_that_breaks_off_the_whole_part_is_read() -> None:
    packed = gzip.compress(LOG * 40, 1)
    log = klog.read(packed[: len(packed) - 20], "x")
    assert log.reports[0].title == TITLE
    assert log.note is not None
    assert "breaks off" in log.note


def test_what_unpacks_to_very_much_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pagefault_doctor.klog.input.unpack.MOST", 1 << 20)
    log = klog.read(gzip.compress(b"a line\n" * (1 << 20)), "x")
    assert log.size <= 1 << 20
    assert log.note == "only the first gigabyte was read"


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_sos_report_tells_which_member_holds_the_reports(mode: str) -> None:
    data = tarred(
        {
            "sos/etc/hostname": b"host\n",
            "sos/var/log/messages": b"Jan  1 00:00:00 host systemd[1]: Started.\n",
            "sos/sos_commands/kernel/dmesg": LOG,
        },
        mode,
    )
    log = klog.read(data, "sos.tar")
    assert log.source == "sos.tar:sos/sos_commands/kernel/dmesg"
    assert [r.title for r in log.reports] == [TITLE]


def test_links_in_an_archive_are_passed_over() -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        info = tarfile.TarInfo("var/log/messages")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(info)
    log = klog.read(held.getvalue(), "x.tar")
    assert (log.lines, log.note) == (0, "an archive without logs that are known")


def pstore() -> dict[str, bytes]:
    cut = [i * len(LINES) // 3 for i in range(4)]
    return {
        f"dmesg-efi-{part}": (
            f"Oops#1 Part{part}\n" + "\n".join(LINES[cut[3 - part] : cut[4 - part]]) + "\n"
        ).encode()
        for part in (1, 2, 3)
    }


@pytest.mark.parametrize("packed", [False, True])
def test_records_of_pstore_are_put_in_order(packed: bool) -> None:
    data = tarred(pstore()) if packed else b"".join(pstore().values())
    found, plain = klog.read(data, "x").reports, klog.read(LOG, "x").reports
    assert [(r.title, r.function, len(r.frames)) for r in found] == [
        (r.title, r.function, len(r.frames)) for r in plain
    ]


def entries() -> list[dict[str, str]]:
    found = []
    for line in LINES:
        stamp, _, text = line.partition("] ")
        time = int(float(stamp.strip("[ ")) * 1e6)
        found.append(
            {"__CURSOR": "s=1", "_SOURCE_MONOTONIC_TIMESTAMP": str(time), "MESSAGE": text}
            | {"_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel"}
        )
    return found


STRUCTURED = {
    "journalctl -o json": "".join(json.dumps(x) + "\n" for x in entries()),
    "journalctl -o export": "\n".join(
        "".join(f"{k}={v}\n" for k, v in x.items()) for x in entries()
    ),
    "journalctl -o json-pretty": "".join(json.dumps(x, indent="\t") + "\n" for x in entries()),
    "journalctl -o json-seq": "".join(f"\x1e{json.dumps(x)}\n" for x in entries()),
    "journalctl -o json-sse": "".join(f"data: {json.dumps(x)}\n" for x in entries()),
    "/dev/kmsg": "".join(
        f"4,{n},{x['_SOURCE_MONOTONIC_TIMESTAMP']},-;{x['MESSAGE']}\n"
        for n, x in enumerate(entries())
    ),
    "dmesg --json": json.dumps(
        {
            "dmesg": [
                {"pri": 4, "time": int(x["_SOURCE_MONOTONIC_TIMESTAMP"]) / 1e6, "msg": x["MESSAGE"]}
                for x in entries()
            ]
        },
        indent=3,
    ),
}


@pytest.mark.parametrize("form", STRUCTURED)
def test_structured_logs_hold_the_same_report(form: str) -> None:
    found = klog.read(STRUCTURED[form].encode(), form).reports
    plain = klog.read(LOG, "x").reports
    assert [(r.title, r.registers, r.timestamp, r.span) for r in found] == [
        (r.title, r.registers, r.timestamp, r.span) for r in plain
    ]


@pytest.mark.parametrize("form", ["json", "export"])
def test_boots_are_told_apart_by_their_id_where_the_clock_does_not_fall(form: str) -> None:
    said = [x | {"_BOOT_ID": f"{boot}" * 32} for boot in (1, 2, 2) for x in entries()]
    banner = {"_TRANSPORT": "kernel", "MESSAGE": "Linux version 6.1.0-14-amd64 (b@h) #1 SMP"}
    said.insert(len(LINES), banner | {"__CURSOR": "s=1", "_BOOT_ID": "2" * 32})
    data = "".join(json.dumps(x) + "\n" for x in said)
    if form == "export":
        data = "\n".join("".join(f"{k}={v}\n" for k, v in x.items()) for x in said)
    log = klog.read(data.encode(), "x")
    assert log.booted == (None, "6.1.0-14-amd64")
    assert [(r.boot, r.number) for r in log.reports] == [(0, 1), (1, 1), (1, 2)]
    assert [r.span.first_line for r in log.reports] == [2, 3 + len(LINES), 3 + 2 * len(LINES)]


def test_a_boots_id_that_is_none_marks_nothing() -> None:
    said = [x | {"_BOOT_ID": "\n" * n} for n, x in enumerate(entries())]
    log = klog.read("".join(json.dumps(x) + "\n" for x in said).encode(), "x")
    assert (log.lines, log.boots) == (len(LINES), 1)


def test_fragments_of_netconsole_are_put_together() -> None:
    text = "BUG: unable to handle page fault for address: ffff888000000000"
    first, second = text[:20], text[20:]
    log = klog.read(
        f"4,7,5000000,-,ncfrag=0/{len(text)};{first}\n"
        f"4,7,5000000,-,ncfrag=20/{len(text)};{second}\n"
        " SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n"
        "4,8,5000001,-,caller=T12;RIP: 0010:f\\x2b0x1/0x2\n".encode(),
        "x",
    )
    (report,) = log.reports
    assert report.excerpt[0].text == text
    assert (report.timestamp, report.span.first_line, log.lines) == (5.0, 2, 5)


def test_a_binary_journal_tells_how_to_read_it() -> None:
    log = klog.read(b"LPKSHHRH" + bytes(300), "x.journal")
    assert log.note is not None
    assert "journalctl --file" in log.note


@settings(max_examples=60)
@given(
    st.sampled_from([*PACK, "tar", *STRUCTURED]), st.integers(0, 1 << 14), st.binary(max_size=40)
)
def test_a_container_may_break_off_or_be_damaged_anywhere(kind: str, at: int, other: bytes) -> None:
    if kind in STRUCTURED:
        data = STRUCTURED[kind].encode()
    else:
        data = tarred({"dmesg": LOG}) if kind == "tar" else PACK[kind](LOG)
    at %= len(data)
    klog.read(data[:at], "x")
    klog.read(data[:at] + other + data[at + len(other) :], "x")


@settings(max_examples=60)
@given(
    st.sampled_from(
        [b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"{", b'{"MESSAGE"']
    ),
    st.binary(max_size=300),
)
def test_any_bytes_behind_the_sign_of_a_container_are_read(sign: bytes, data: bytes) -> None:
    klog.read(sign + data, "x")


@given(st.binary(max_size=300).filter(lambda x: b"\0" not in x and x.count(b"\r") < 2))
def test_every_line_is_counted(data: bytes) -> None:
    assume(not list(text_forms.text_forms(b"text " * 60 + data)))
    log = klog.read(b"text " * 60 + data, "x")
    assert log.lines == data.count(b"\n") + (not data.endswith(b"\n"))


@pytest.mark.parametrize("size", [1 << 19, (1 << 19) + 9000])
def test_line_numbers_stay_right_behind_a_line_longer_than_a_piece(size: int) -> None:
    log = klog.read(b"x" * size + b"\n\n" + LOG, "x")
    plain = klog.read(LOG, "x")
    assert log.lines == plain.lines + 2
    assert log.reports[0].span.first_line == plain.reports[0].span.first_line + 2


def test_progress_is_told_up_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "kern.log"
    path.write_bytes(b"nothing here\n" * 100_000)
    told: list[tuple[str, int, int, int]] = []
    list(klog.logs_in_file(path, lambda *said: told.append(said)))
    assert len(told) > 1
    assert told[-1] == ("searching", 1_300_000, 1_300_000, 0)
