"""A line that a reader cannot read costs what it says and no more, and the report names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.klog import report as reader
from pagefault_doctor.klog import report_stack, titles
from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.klog.text import ReportText
from pagefault_doctor.model.fence import STRICT
from pagefault_doctor.model.report import Kind, Report
from pagefault_doctor.report.diagnosis import diagnosis_text
from pagefault_doctor.report.document import diagnosis_document

First = Callable[[str], Report]
ARM64 = """\
Unable to handle kernel paging request at virtual address ffff800008123456
Mem abort info:
  ESR = {esr}
  EC = 0x25: DABT (current EL), IL = 32 bits
  FSC = 0x05: level 1 translation fault
Internal error: Oops: {oops} [#1] PREEMPT SMP
Modules linked in: demo(OE)
CPU: 1 PID: 52 Comm: cat Tainted: G           OE      6.1.0-1-arm64 #1
pc : demo_poll+0x24/0x90 [demo]
x2 : 0000000000000000 x1 : 0000000000000001 x0 : ffff800008123456
Call trace:
 demo_poll+0x24/0x90 [demo]
 vfs_read+0x9f/0x190
 ksys_read+0x6b/0xf0
Code: d503201f 91002000 f9400001 (f9400020)
"""
WHOLE = "0000000096000005"


@pytest.fixture
def forgiving(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As a person runs it: a mistake of a reader is fenced in."""
    monkeypatch.delenv(STRICT, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    "digits", [WHOLE[1:], WHOLE + "5", "f" * 30, "96000005"[1:], "9", "0" * 17]
)
def test_an_esr_with_a_digit_lost_or_too_many_is_named_and_the_rest_is_read(
    first: First, digits: str
) -> None:
    report = first(ARM64.format(esr=f"0x{digits}", oops=WHOLE))
    assert [line.number for line in report.unread] == [3]
    assert report.fault is not None
    assert report.fault.error_code == "0x96000005"
    assert report.fault.reason == "level 1 translation fault"
    assert (report.function, report.module, report.comm) == ("demo_poll", "demo", "cat")
    assert report.registers["x0"] == "0xffff800008123456"


@pytest.mark.parametrize("digits", [WHOLE, "96000005"])
def test_an_esr_of_either_era_is_read(first: First, digits: str) -> None:
    report = first(ARM64.format(esr=f"0x{digits}", oops=digits))
    assert report.unread == ()
    assert report.fault is not None
    assert report.fault.error_code == "0x96000005"


@pytest.mark.parametrize(
    ("line", "headline"),
    [
        ("Internal error: Oops: " + "9" * 30 + " [#1] PREEMPT SMP", "Mem abort info:"),
        ("#PF: error_code(0x" + "f" * 30 + ") - not-present page", "BUG: kernel NULL"),
    ],
)
def test_no_error_code_is_wider_than_a_register(first: First, line: str, headline: str) -> None:
    head = "BUG: kernel NULL pointer dereference, address: 0000000000000008"
    report = first(f"{head}\n{line}\nRIP: 0010:demo_poll+0x24/0x90 [demo]\n")
    assert [each.text for each in report.unread] == [line]
    assert report.function == "demo_poll"


def test_text_and_json_name_the_damaged_line(first: First) -> None:
    log = klog.read(ARM64.format(esr="0x" + WHOLE[1:], oops=WHOLE).encode(), "kern.log")
    opinion = diagnose((log,), {})
    text = diagnosis_text("kern.log", log.reports, opinion)
    assert "line 3 is damaged and was not read: ESR = 0x000000096000005" in text
    (report,) = diagnosis_document("kern.log", log.reports, opinion)["reports"]
    assert [line.number for line in report["unread"]] == [3]


def test_the_json_of_a_report_that_was_read_whole_says_nothing_of_it() -> None:
    log = klog.read(ARM64.format(esr="0x" + WHOLE, oops=WHOLE).encode(), "kern.log")
    (report,) = diagnosis_document("kern.log", log.reports, diagnose((log,), {}))["reports"]
    assert "unread" not in report


def place_of(name: str) -> Any:
    """Return the module that calls a reader by this name."""
    return reader if hasattr(reader, name) else report_stack


def stumbles(over: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reader that fails at the line that holds these words, and else is the real one."""

    def read(*args: Any) -> Any:
        lines = next(
            list(arg.lines if isinstance(arg, ReportText) else arg)
            for arg in args
            if isinstance(arg, (ReportText, list, tuple))
        )
        for line in lines:
            if isinstance(line, LogLine) and over in line.text:
                raise KeyError(over)
        return real(*args)

    return read


READERS = (
    *("fault_of", "process_of", "modules_of", "registers_of", "code_of", "details_of"),
    *("messages_of", "first_trace"),
)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_that_stumbles_over_a_line_reads_the_others(
    first: First, forgiving: pytest.MonkeyPatch, name: str
) -> None:
    text = ARM64.format(esr="0x" + WHOLE, oops=WHOLE)
    whole = first(text)
    place = place_of(name)
    forgiving.setattr(place, name, stumbles("level 1 translation", getattr(place, name)))
    report = first(text)
    assert [line.number for line in report.unread] == [5]
    assert (report.title, report.function, report.comm) == (
        whole.title,
        whole.function,
        whole.comm,
    )
    assert (report.registers, report.frames, report.code) == (
        whole.registers,
        whole.frames,
        whole.code,
    )


@pytest.mark.parametrize("name", [*READERS, "arch_of", "name_of"])
def test_in_the_tests_a_mistake_of_a_reader_is_an_error(
    first: First, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fails(*_: object) -> None:
        raise KeyError(name)

    place: Any = titles if name == "name_of" else place_of(name)
    monkeypatch.setattr(place, "name" if name == "name_of" else name, fails)
    with pytest.raises(KeyError):
        first(ARM64.format(esr="0x" + WHOLE, oops=WHOLE))


def always(*_: object) -> Any:
    """Fail on any line."""
    raise RuntimeError("a mistake")


@pytest.mark.parametrize("name", READERS)
def test_without_one_reader_the_others_go_on(
    first: First, forgiving: pytest.MonkeyPatch, name: str
) -> None:
    forgiving.setattr(place_of(name), name, always)
    report = first(ARM64.format(esr="0x" + WHOLE, oops=WHOLE))
    assert [line.number for line in report.unread] == [1]
    assert report.title == "BUG: unable to handle kernel paging request in demo_poll"
    assert report.kind is Kind.PAGE_FAULT


def test_of_a_report_that_cannot_be_read_at_all_the_headline_is_left(
    read: Callable[[str], Any], forgiving: pytest.MonkeyPatch
) -> None:
    forgiving.setattr(reader, "arch_of", always)
    (report,) = read(ARM64.format(esr="0x" + WHOLE, oops=WHOLE)).reports
    assert report.title.startswith("Unable to handle kernel paging request")
    assert report.corrupted_reason == "it could not be read"


def test_a_report_without_a_name_keeps_its_fields(
    first: First, forgiving: pytest.MonkeyPatch
) -> None:
    forgiving.setattr(titles, "name", always)
    report = first(ARM64.format(esr="0x" + WHOLE, oops=WHOLE))
    assert report.title.startswith("Unable to handle kernel paging request")
    assert (report.comm, report.function) == ("cat", "demo_poll")


def test_a_lack_of_memory_is_not_fenced_in(first: First, forgiving: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    forgiving.setattr(reader, "fault_of", full)
    with pytest.raises(MemoryError):
        first(ARM64.format(esr="0x" + WHOLE, oops=WHOLE))
