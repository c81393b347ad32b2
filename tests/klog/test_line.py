"""The prefix of a line does not change how its text is read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor import klog
from pagefault_doctor.klog.line import split
from pagefault_doctor.model.report import Report

Sample = Callable[[str], str]


def _words(line: str) -> str:
    return line.split("] ", 1)[1] if "] " in line else ""


def _stamp(line: str) -> str:
    return line.split("]", 1)[0] + "]"


def _microseconds(line: str) -> int:
    return round(float(_stamp(line).strip("[] ")) * 1_000_000)


FORMS: dict[str, Callable[[str], str]] = {
    "raw dmesg": lambda x: x,
    "priority": lambda x: "<4>" + x,
    "caller id": lambda x: f"{_stamp(x)}[  T812] {_words(x)}",
    "cpu caller id": lambda x: f"{_stamp(x)}[    C1] {_words(x)}",
    "dmesg -T": lambda x: f"[Mon Jan 13 10:20:30 2025] {_words(x)}",
    "dmesg -e": lambda x: f"[  +0.000012] {_words(x)}",
    "dmesg -x": lambda x: f"kern  :err   : {x}",
    "no stamp": _words,
    "journalctl": lambda x: f"Jan 13 10:20:30 host kernel: {_words(x)}",
    "journalctl precise": lambda x: f"Jan 13 10:20:30.123456 host kernel: {_words(x)}",
    "journalctl iso": lambda x: f"2025-01-13T10:20:30+0100 host kernel: {_words(x)}",
    "syslog": lambda x: f"Jan 13 10:20:30 host kernel: {x}",
    "syslog iso": lambda x: f"2025-01-13T10:20:30.123456+01:00 host kernel: {x}",
    "localised": lambda x: f"Mär 13 10:20:30 host kernel: {_words(x)}",
    "serial": lambda x: x + "\r",
    "colour": lambda x: f"\x1b[32m{_stamp(x)}\x1b[0m {_words(x)}",
    "journalctl short-monotonic": lambda x: f"{_stamp(x)} host kernel: {_words(x)}",
    "journalctl short-delta": lambda x: f"[   10.200000 <    0.000001 >] host kernel: {_words(x)}",
    "journalctl short-iso-precise": lambda x: (
        f"2025-01-13T10:20:30.123456+0100 host kernel: {_words(x)}"
    ),
    "journalctl short-full": lambda x: f"Mon 2025-01-13 10:20:30 CET host kernel: {_words(x)}",
    "journalctl short-unix": lambda x: f"1736760030.123456 host kernel: {_words(x)}",
    "dmesg -d": lambda x: f"[   10.200000 <    0.000001>] {_words(x)}",
    "dmesg -x -T": lambda x: f"kern  :err   : [Mon Jan 13 10:20:30 2025] {_words(x)}",
    "dmesg -x iso": lambda x: f"kern  :err   : 2025-01-13T10:20:30,123456+01:00 {_words(x)}",
    "dmesg iso": lambda x: f"2025-01-13T10:20:30,123456+01:00 {_words(x)}",
    "dmesg -x caller": lambda x: f"kern  :err   : {_stamp(x)}[  T812] {_words(x)}",
    "RFC 5424": lambda x: f"<4>1 2025-01-13T10:20:30.123456+01:00 host kernel - - - {x}",
    "RFC 5424 structured": lambda x: (
        "<4>1 2025-01-13T10:20:30Z host kernel - ID7 "
        f'[time ok="1"][a@32473 b="c \\" \\] d"] \ufeff{x}'
    ),
    "busybox": lambda x: f"Jan 13 10:20:30 host kern.err kernel: {_words(x)}",
    "OpenWrt": lambda x: f"Mon Jan 13 10:20:30 2025 kern.err kernel: {x}",
    "netconsole": lambda x: f"4,7,{_microseconds(x)},-;{_words(x)}",
    "netconsole release": lambda x: f"6.1.0-13-amd64,4,7,{_microseconds(x)},-;{_words(x)}",
    "netconsole caller": lambda x: f"4,7,{_microseconds(x)},-,caller=T812;{_words(x)}",
    "serial twice": lambda x: x + "\r\r",
    "carets": lambda x: x + "^M",
    "colour to the end": lambda x: f"{x}\x1b[0m\x1b[K",
    "quoted": lambda x: f"> {x}",
    "quoted twice": lambda x: f"> > {x}",
    "quoted closely": lambda x: f">> {x}",
    "quoted, no stamp": lambda x: f"> {_words(x)}",
    "indented": lambda x: f"    {x}",
    "tab": lambda x: f"\t{x}",
    "trailing blanks": lambda x: f"{x}  \t ",
    "line number": lambda x: f"   12  {x}",
    "grep -n": lambda x: f"12:{x}",
    "ts": lambda x: f"Jan 13 10:20:30 {x}",
    "terminal program": lambda x: f"[2025-01-13 10:20:30] {x}",
    "container runtime": lambda x: f"2025-01-13T10:20:30.123456789Z stdout F {x}",
    "logcat": lambda x: f"01-13 10:20:30.123     0     0 E KERNEL  : {x}",
    "zeros of a crash": lambda x: "\0" * 40 + x,
    "dropped": lambda x: f"** 12 printk messages dropped ** {x}",
}


def _facts(report: Report) -> object:
    return (
        report.title,
        report.function,
        report.module,
        report.fault,
        report.registers,
        report.frames and [(f.function, f.context, f.reliable) for f in report.frames],
        report.modules,
        report.comm,
        report.tainted,
        report.cited,
        [line.text for line in report.excerpt],
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_same_oops_behind_any_prefix_is_the_same_report(form: str, sample: Sample) -> None:
    plain = sample("x86_null_write")
    dressed = "".join(FORMS[form](line) + "\n" for line in plain.splitlines())
    bare = klog.read(plain.encode(), "plain").reports
    found = klog.read(dressed.encode(), form).reports
    assert len(found) == len(bare) == 1
    assert _facts(found[0]) == _facts(bare[0])


WHOLE: dict[str, Callable[[str], bytes]] = {
    "byte order mark": lambda x: b"\xef\xbb\xbf" + x.encode(),
    "UTF-16 from Windows": lambda x: x.replace("\n", "\r\n").encode("utf-16"),
    "UTF-16, big end first": lambda x: b"\xfe\xff" + x.encode("utf-16-be"),
    "UTF-16 without a mark": lambda x: x.encode("utf-16-le"),
    "CR alone": lambda x: x.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("form", WHOLE)
def test_the_same_oops_in_any_encoding_is_the_same_report(form: str, sample: Sample) -> None:
    plain = sample("x86_null_write")
    found = klog.read(WHOLE[form](plain), form)
    assert found.lines == plain.count("\n")
    assert [_facts(r) for r in found.reports] == [
        _facts(r) for r in klog.read(plain.encode(), "plain").reports
    ]


def test_the_marker_of_a_memory_state_is_no_quotation() -> None:
    assert split(">ffff88800a1b2c00: fa fb fb fb").text == ">ffff88800a1b2c00: fa fb fb fb"


def test_a_login_prompt_before_the_headline_is_no_part_of_it(sample: Sample) -> None:
    text = sample("x86_null_write").replace("[   10.200000]", "debian login: [   10.200000]")
    report = klog.read(text.encode(), "serial").reports[0]
    assert report.excerpt[0].text.startswith("BUG: kernel NULL")


@pytest.mark.parametrize("stamp", ["Jan 13 10:20:30", "2025-01-13T10:20:30.123456+01:00"])
def test_what_another_program_says_is_no_report(stamp: str) -> None:
    said = (
        f"{stamp} host app[812]: divide error: 0000 [#1]\n{stamp} host app: panic: out of paper\n"
    )
    assert klog.read(said.encode(), "syslog").reports == ()


def test_the_time_is_read_from_the_prefix() -> None:
    line = split("Jan 13 10:20:30 host kernel: [  12.500000][ T81] text")
    assert (line.timestamp, line.wall, line.caller, line.text) == (
        12.5,
        "Jan 13 10:20:30",
        "T81",
        "text",
    )


@pytest.mark.parametrize(
    "stamp",
    [f"[{'9' * digits}.000000]" for digits in (12, 30, 308, 309, 900)]
    + ["[-1.000000]", "[nan]", "[1e999.000000]", f"[1.{'0' * 900}]"]
    + ["0000-00-00T00:00:00+00:00 h kernel:", "9999-99-99T99:99:99+99:99 h kernel:"]
    + ["Jan  0 00:00:00 h kernel:", "Foo 99 99:99:99 h kernel:", "[Mon Jan  0 99:99:99 0000]"],
)
def test_a_time_that_none_can_be_is_no_time(stamp: str, sample: Sample) -> None:
    lines = map(_words, sample("x86_null_write").splitlines())
    log = klog.read("".join(f"{stamp} {line}\n" for line in lines).encode(), "x")
    assert len(log.reports) == 1
    assert log.reports[0].timestamp in (None, 1.0)


def test_a_compressed_file_reads_like_the_text_in_it(sample: Sample, tmp_path: Path) -> None:
    text = sample("x86_null_write").encode()
    plain, packed = tmp_path / "kern.log", tmp_path / "kern.log.1.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    one, other = klog.read_file(plain), klog.read_file(packed)
    assert msgspec.structs.replace(other, source="") == msgspec.structs.replace(one, source="")


def test_a_file_that_is_not_there_is_the_callers_problem(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        klog.read_file(tmp_path / "none")
