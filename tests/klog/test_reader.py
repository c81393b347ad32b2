"""The log as a whole: boots, module events, what counts as a report and what does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.log import KernelLog

Read = Callable[[str], KernelLog]
Sample = Callable[[str], str]

BANNER = "[    0.000000] Linux version 6.1.0-13-amd64 (builder@host) (gcc) #1 SMP\n"


def test_reports_are_counted_within_their_boot(read: Read, sample: Sample) -> None:
    oops = sample("x86_null_write")
    log = read(BANNER + oops + oops + BANNER.replace("6.1.0-13", "6.1.0-14") + oops)
    assert log.boots == 2
    assert log.booted == ("6.1.0-13-amd64", "6.1.0-14-amd64")
    assert [(r.boot, r.number) for r in log.reports] == [(0, 1), (0, 2), (1, 1)]


def test_what_the_firmware_prints_before_the_kernel_is_no_boot(read: Read) -> None:
    firmware = "".join(f"Boot HART entry {number}\n" for number in range(60))
    banner = "[    0.000000] Linux version 6.1.0-13-riscv64 (gcc) #1 SMP\n"
    assert read(firmware + banner).boots == 1
    assert read("[  912.000000] Kernel panic - not syncing: low tide\n" + banner).boots == 2


def test_the_journals_mark_begins_a_boot(read: Read) -> None:
    log = read(
        "-- Boot 0123456789abcdef0123456789abcdef --\n"
        "Jan 13 10:20:30 host kernel: Linux version 6.1.0-13-amd64 (b@h) #1 SMP\n"
        "-- Boot 1123456789abcdef0123456789abcdef --\n"
        "Jan 13 10:21:30 host kernel: Linux version 6.1.0-13-amd64 (b@h) #1 SMP\n"
    )
    assert log.booted == ("6.1.0-13-amd64", "6.1.0-13-amd64")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("demo: loading out-of-tree module taints kernel.", "out-of-tree"),
        ("demo: module verification failed: signature and/or required key missing", "unsigned"),
        ("demo: module license 'Proprietary' taints kernel.", "license"),
        ("demo: version magic '6.1.0 SMP' should be '6.2.0 SMP'", "version-magic"),
        ("demo: disagrees about version of symbol module_layout", "symbol-version"),
        ("demo: Unknown symbol other_call (err -2)", "unknown-symbol"),
        ("demo: no symbol version for module_layout", "forced"),
        ("demo: module_layout: kernel tainted.", "forced"),
        ("demo: bad vermagic: kernel tainted.", "forced"),
        ("demo: exports duplicate symbol x (owned by kernel)", "duplicate-symbol"),
        ("demo: module is already loaded", "already-loaded"),
        ("BPF: failed to validate module [demo] BTF: -22", "btf"),
    ],
)
def test_module_trouble_is_an_event_and_no_report(read: Read, line: str, what: str) -> None:
    log = read(f"[    5.000001] usb 1-1: new device\n[    5.000002] {line}\n")
    assert not log.reports
    (event,) = log.module_events
    assert (event.what, event.module, event.line.number) == (what, "demo", 2)
    assert event.timestamp == 5.000002


@pytest.mark.parametrize(
    "line",
    [
        "[    1.0] x: ODEBUG: all fine",
        "[    1.000001] Boot_DEBUG: general protection fault is what we talk about",
        "[    1.000001] INFO: lockdep is turned off.",
        "[    1.000001] INFO: NMI handler (perf_event_nmi_handler) took too long to run: 2 msecs",
        "[    1.000001] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
        "[    1.000001] cam: CAM_INFO: probe complete",
        "[    1.000001] xfs: Unknown parameter '   Booting the kernel.   '",
        "Nov  9 10:19:35 host openvpn[1118]: WARNING: read the man page",
        "Nov  9 10:19:35 host app[1118]: BUG: unable to handle kernel paging request at 0",
        "INFO:    firmware says hello",
        "[    1.000001] demo 0000:00:02.0: INFO: firmware is up to date",
        "WARNING: region 0:",
        "panic is not an option",
        "2025-01-13 10:20:30 INFO: service started",
    ],
)
def test_a_line_that_only_looks_like_one_starts_no_report(read: Read, line: str) -> None:
    assert read(f"[    0.500000] ordinary line\n{line}\n[    2.000000] another\n").reports == ()


def test_a_line_said_again_after_an_interruption_is_read_once(read: Read) -> None:
    log = read(
        "[    5.000001][  T31] INFO: t\n"
        "** replaying previous printk message **\n"
        "[    5.000001][  T31] INFO: task demo:56 blocked for more than 143 seconds.\n"
        "[    5.000002][  T31] Call trace:\n"
        "[    5.000002][  T31]  __schedule+0x1/0x2\n"
        "[    5.000002][  T31]  pfd_wait_here+0x1/0x2\n"
        "[    5.000002][  T31]  pfd_read+0x1/0x2\n"
    )
    assert [r.title for r in log.reports] == ["INFO: task hung in pfd_read"]


def test_hostile_text_is_shown_and_not_obeyed(read: Read, sample: Sample) -> None:
    hostile = "in\x1b]0;owned\x07s\x9bm\u202eod"
    log = read(sample("x86_null_write").replace("insmod", hostile))
    (report,) = log.reports
    told = [report.title, report.comm or "", *(line.text for line in report.excerpt)]
    assert not any(c in text for text in told for c in "\x1b\x07\x9b\u202e")
    assert "\\u202e" in (report.comm or "")


def test_a_flood_of_reports_is_bounded_and_says_so(read: Read) -> None:
    line = "[    1.000001] demo[7]: segfault at 1 ip 2 sp 3 error 4 in demo[1+2]\n"
    log = read(line * 600)
    assert len(log.reports) == 500
    assert log.note == "only the first 500 reports are told"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("junk", [" " * 8000 + "x", "a" * 8000, "[<" + "f" * 8000, "A " * 4000])
def test_overlong_lines_cost_little(read: Read, junk: str) -> None:
    head = "WARNING: CPU: 0 PID: 1 at drivers/pfd.c:42 f+0x1/0x2\nCall Trace:\n"
    assert len(read(head + f"{junk}\n" * 60).reports) == 1


@pytest.mark.parametrize(
    ("data", "note"), [(b"", "empty"), (b"\x7fELF" + bytes(4000), "not a text log")]
)
def test_what_cannot_be_read_is_said(data: bytes, note: str) -> None:
    log = klog.read(data, "x")
    assert (log.reports, log.note) == ((), note)


def test_a_log_without_a_report_is_counted_all_the_same(read: Read) -> None:
    log = read("[    0.000001] one\n[    0.000002] two\n[    0.000003] three")
    assert (log.lines, log.boots, log.reports) == (3, 1, ())


def test_importing_the_package_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, pagefault_doctor.klog;"
        "print([m for m in sys.modules if m in ('msgspec', 're', 'textual', 'mmap')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "msgspec" not in done.stdout
