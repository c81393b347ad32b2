"""Nothing that a kernel, a tool or a program says of trouble is passed over in silence.

`forms/` has texts made for these tests: what is left of reports on each architecture, what tools
make of them, faults of programs, memory that runs out, boots that fail, hardware; and a boot in
which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from pagefault_doctor.klog.formats import devices, hardware
from pagefault_doctor.klog.remains import LONGEST
from pagefault_doctor.model.log import KernelLog
from pagefault_doctor.model.report import Kind

Read = Callable[[str], KernelLog]
FORMS = Path(__file__).parents[1] / "forms"
PREFIXES = ("", "[   12.345678] ", "Jan  2 01:02:07 host kernel: ")
NOISE = "usb 1-1: new high-speed USB device number 2 using xhci_hcd\n" * 3
TRACE = "Call Trace:\n quay_poll+0x24/0x90 [quay]\n vfs_read+0x9f/0x190\n"
HOT = "CPU3: Core temperature above threshold, cpu clock throttled (total events = 1)\n"
COOL = "CPU3: Core temperature/speed normal\n"
CORRECTED = "pcieport 0000:00:1c.5: AER: Corrected error received: 0000:00:1c.5\n"
NVME = "nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff\n"


def forms(name: str) -> Iterator[ParameterSet]:
    """Yield the texts of a file with what is told of each."""
    text = (FORMS / f"{name}.txt").read_text()
    for part in text.split("\n=== ")[1:]:
        head, _, body = part.partition("\n")
        name, kind, function, module = (field.strip() for field in head.split("|"))
        yield pytest.param(body, Kind(kind), function or None, module or None, id=name)


ALL = [*forms("architectures"), *forms("tools"), *forms("pieces")]
DEVICES = [
    line.split(" | ", 1)
    for line in (FORMS / "devices.txt").read_text().splitlines()
    if not line.startswith("#")
]
QUIET = [
    line for line in (FORMS / "quiet.txt").read_text().splitlines() if "above threshold" not in line
]


@pytest.mark.parametrize(("text", "kind", "function", "module"), ALL)
def test_what_is_left_of_a_report_is_told(
    read: Read, text: str, kind: Kind, function: str | None, module: str | None
) -> None:
    report = read(text).reports[0]
    assert (report.kind, report.function, report.module) == (kind, function, module)


@pytest.mark.parametrize("text", [param.values[0] for param in forms("architectures")])
def test_a_clock_and_a_log_around_it_change_nothing(read: Read, text: str) -> None:
    alone = read(text).reports[0]
    stamped = "".join(f"[   12.345678] {line}\n" for line in (NOISE + text).splitlines())
    found = read(stamped).reports[0]
    assert (found.kind, found.function, found.module) == (alone.kind, alone.function, alone.module)


@pytest.mark.parametrize(("kind", "line"), DEVICES)
def test_hardware_and_file_systems_that_fail_are_told(read: Read, kind: str, line: str) -> None:
    for prefix in PREFIXES[:2]:
        reports = read(f"{prefix}{line}\n" * hardware.OFTEN).reports
        assert [report.kind for report in reports] == [Kind(kind)] * len(reports) != []


@pytest.mark.parametrize("line", QUIET)
def test_what_every_boot_prints_is_no_fault(read: Read, line: str) -> None:
    assert [read(f"{prefix}{line}\n").reports for prefix in PREFIXES] == [(), (), ()]


def test_a_whole_boot_of_such_lines_is_no_fault(read: Read) -> None:
    text = (FORMS / "quiet.txt").read_text()
    assert "above threshold" in text
    assert read(text).reports == ()


def test_a_processor_that_cooled_down_again_is_no_fault(read: Read) -> None:
    assert read(HOT + NOISE + COOL).reports == ()
    assert [r.title for r in read(HOT + COOL + HOT).reports] == ["Core temperature above threshold"]
    assert [r.title for r in read(HOT).reports] == ["Core temperature above threshold"]


def test_a_server_that_answers_again_is_no_fault(read: Read) -> None:
    silent, again = "nfs: server demo not responding, still trying\n", "nfs: server demo OK\n"
    assert read(silent + NOISE + again).reports == ()
    assert [r.title for r in read(silent).reports] == ["a server does not answer"]


def test_errors_that_were_corrected_count_when_they_do_not_stop(read: Read) -> None:
    assert read(CORRECTED * (hardware.OFTEN - 1)).reports == ()
    assert [r.title for r in read(CORRECTED * hardware.OFTEN).reports] == ["corrected PCIe error"]


def test_what_drivers_say_does_not_count_beside_a_report(read: Read) -> None:
    assert all(row.fragment for row in devices.FORMATS)
    killed = "Out of memory: Killed process 7 (app) total-vm:2120kB, anon-rss:4kB\n"
    assert [r.kind for r in read(NVME + NOISE * 40 + killed).reports] == [Kind.OOM_KILL]
    oops = "BUG: kernel NULL pointer dereference, address: 0000000000000018\n" + TRACE
    assert [r.kind for r in read(NVME + NOISE * 40 + oops).reports] == [Kind.NULL_POINTER]


def test_it_does_not_come_between_the_lines_of_another_report(read: Read) -> None:
    lines = ("EDAC MC0: 1 CE memory read error on DIMM_A1 (channel:1 slot:0 page:0x1)\n", NVME)
    assert [r.title for r in read("".join(lines) * 3).reports] == ["corrected memory error"]


def test_remains_are_looked_for_where_nothing_else_is_and_in_a_paste_alone(read: Read) -> None:
    assert [r.function for r in read(TRACE).reports] == ["quay_poll"]
    assert read(NOISE * (LONGEST // len(NOISE) + 1) + TRACE).reports == ()
    assert [r.kind for r in read("sysrq: Show State\n" + TRACE).reports] == []
    segfault = "quayd[7]: segfault at 18 ip 00005581 sp 00007ffc error 4 in quayd[5581+10]\n"
    assert [r.kind for r in read(segfault + NOISE * 40 + TRACE).reports] == [Kind.USER_SEGFAULT]


@pytest.mark.parametrize(
    "text",
    [
        "calling  acpi_init+0x0/0x330 @ 1\ninitcall acpi_init+0x0/0x330 returned 0 after 9 usecs\n",
        "Code: this is what the manual calls the field\n",
        "the CR2: register, and pc : in the manual\n",
        "Failed at step 12 (drivers/x.c:12)\n",
        "#1 [x] at home\n",
        "$ crash --help\n",
        "int f(void) { return vfs_read(0); } /* fs/read_write.c:470 */\n",
        "Trace; nothing\n",
    ],
)
def test_what_only_looks_like_the_remains_of_a_report_is_none(read: Read, text: str) -> None:
    assert read(text).reports == ()


def test_the_function_that_an_exception_stopped_is_certain(read: Read) -> None:
    lines = ("? exc_page_fault+0x7f/0x180", "? asm_exc_page_fault+0x27/0x30",
             "? quay_poll+0x24/0x90 [quay]", "vfs_read+0x9f/0x190")  # fmt: skip
    text = "".join(f"[   12.345678]  {line}\n" for line in lines)
    (report,) = read(text).reports
    assert (report.kind, report.function, report.module) == (Kind.PAGE_FAULT, "quay_poll", "quay")
    (guessed,) = read(text.replace("? asm_exc_page_fault+0x27/0x30\n", "\n")).reports
    assert guessed.function == "vfs_read"


def test_programs_that_tell_of_faults_are_heard_and_others_are_not(read: Read) -> None:
    said = "Process 731 (quayd) of user 1000 dumped core.\n"
    (report,) = read("Jan 02 03:04:05 host systemd-coredump[812]: " + said).reports
    assert report.kind is Kind.USER_SEGFAULT
    assert read("Jan 02 03:04:05 host somebody[812]: " + said).reports == ()


@pytest.mark.parametrize("below", ["", "? exc_page_fault+0x7f/0x180"])
def test_the_stack_that_a_driver_prints_of_its_own_accord_is_no_fault(
    read: Read, below: str
) -> None:
    frames = ("dump_stack_lvl+0x44/0x5c", "quay_show+0x1a/0x31 [quay]", "ksys_read+0x6b/0xf0",
              "do_syscall_64+0x5d/0x90", below)  # fmt: skip
    trace = "Call Trace:\n" + "".join(f" {frame}\n" for frame in frames if frame)
    head = "CPU: 1 PID: 140 Comm: cat Tainted: G           OE      6.1.0-57-amd64 #1\n"
    assert read("quay: this is how one comes here\n" + head + trace).reports == ()
    warned = trace.replace("quay_show", "__warn+0x81/0x130\n quay_show")
    assert [r.kind for r in read(head + warned).reports] == [Kind.WARNING]


def test_xen_tells_the_address_of_its_own_fault(read: Read) -> None:
    text = (
        "(XEN) ----[ Xen-4.17.2  x86_64  debug=n  Not tainted ]----\n"
        "(XEN) RIP:    e008:[<ffff82d04022f70d>] quay_walk+0x3d/0xd0\n"
        "(XEN) Panic on CPU 3:\n(XEN) FATAL PAGE FAULT\n(XEN) [error_code=0000]\n"
        "(XEN) Faulting linear address: 0000000000000028\n"
    )
    (report,) = read(text).reports
    assert report.fault
    assert report.fault.address_value == 0x28
