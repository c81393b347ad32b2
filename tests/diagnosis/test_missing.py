"""A fault of unknown cause says what is missing, and how to get it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnosis.logs import diagnosed, page_fault, stamped
from pagefault_doctor import klog
from pagefault_doctor.cli.main import main
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.diagnosis.missing import (
    ADDRESS,
    HEADLINE,
    REGISTERS,
    REPORT,
    TRACE,
    VERSION,
    missing,
)
from pagefault_doctor.model.diagnosis import Attribution, Missing, RootCause

FROM_RIP = stamped(
    "RIP: 0010:quay_poll+0x24/0x90 [quay]",
    "Call Trace:", " <TASK>", " vfs_read+0x9f/0x190", " </TASK>",
)  # fmt: skip
PANIC = stamped("Kernel panic - not syncing: Fatal exception in interrupt")
CODE_ALONE = stamped("Internal error: Oops: 5 [#1] PREEMPT SMP ARM")
HEADLINE_ALONE = stamped("BUG: kernel NULL pointer dereference, address: 0000000000000018")
WHOLE = page_fault("0000000000000018", code="90 <48> 8b 46 18 c3", registers={"rsi": "0"})


def parts(text: str) -> list[Missing]:
    report = klog.read(text.encode(), "log").reports[0]
    return list(missing(report))


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        pytest.param(FROM_RIP, {HEADLINE, REGISTERS, VERSION}, id="from the RIP line on"),
        pytest.param(PANIC, {REPORT, TRACE, VERSION}, id="the last line"),
        pytest.param(HEADLINE_ALONE, {REGISTERS, TRACE, VERSION}, id="the headline alone"),
        pytest.param(
            CODE_ALONE, {ADDRESS, REGISTERS, TRACE, VERSION}, id="the line after the headline"
        ),
        pytest.param(WHOLE, set(), id="a whole report"),
    ],
)
def test_what_a_report_lacks(text: str, lacks: set[Missing]) -> None:
    assert set(parts(text)) == lacks


def test_a_page_fault_without_its_address_is_some_bad_pointer_with_much_doubt() -> None:
    verdict = diagnose((klog.read(CODE_ALONE.encode(), "log"),), {}).verdict
    assert verdict.root_cause is RootCause.WILD_POINTER
    assert verdict.confidence < 0.6


def test_an_unknown_cause_comes_with_the_command_that_brings_the_rest() -> None:
    verdict = diagnose((klog.read(FROM_RIP.encode(), "log"),), {}).verdict
    assert verdict.root_cause is RootCause.UNKNOWN
    assert (verdict.attribution, verdict.module) == (Attribution.MODULE, "quay")
    assert verdict.next_step
    assert "stands above the first line" in verdict.next_step.why
    assert verdict.next_step.command == ("journalctl", "-k", "-b", "-1")
    assert "unknown cause in module quay" in verdict.summary


def test_the_text_names_what_is_missing_and_no_chance_of_an_unknown_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "paste.log"
    log.write_text(FROM_RIP)
    assert main(["diagnose", str(log)]) == 0
    text = capsys.readouterr().out
    assert "  cause   fault of unknown cause in module quay" in text
    assert "  missing the line above the first one here" in text
    assert "  missing besides: registers, version\n" in text
    assert "against" not in text
    assert main(["diagnose", "--json", str(log)]) == 0
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert [part["name"] for part in report["diagnosis"]["missing"]] == [
        *("headline", "registers", "version")
    ]


@pytest.mark.parametrize(
    ("frame", "cause"),
    [
        ("usercopy_abort+0x6c/0x80", RootCause.OUT_OF_BOUNDS),
        ("__stack_chk_fail+0x14/0x20", RootCause.OUT_OF_BOUNDS),
    ],
)
def test_a_trace_alone_tells_which_check_failed(frame: str, cause: RootCause) -> None:
    trace = stamped("Call Trace:", f" {frame}", " quay_read+0x24/0x90 [quay]", " vfs_read+0x9f/0x1")
    verdict = diagnose((klog.read(trace.encode(), "log"),), {}).verdict
    assert verdict.root_cause is cause
    assert 0.3 < verdict.confidence < 0.9


def test_a_panic_with_registers_died_at_an_instruction() -> None:
    registers = "RAX: 0000000000000001 RBX: ffff888004c12000 RCX: 0000000000000000"
    text = stamped("Kernel panic - not syncing: Fatal exception", "RIP: 0010:f+0x1/0x2", registers)
    verdict = diagnose((klog.read(text.encode(), "log"),), {}).verdict
    assert verdict.root_cause is RootCause.WILD_POINTER
    assert verdict.confidence < 0.6


def test_what_is_left_above_the_panic_that_ended_it_tells_the_place() -> None:
    verdict = diagnose((klog.read((FROM_RIP + PANIC).encode(), "log"),), {}).verdict
    assert (verdict.attribution, verdict.module) == (Attribution.MODULE, "quay")
    alone = diagnose((klog.read(PANIC.encode(), "log"),), {}).verdict
    assert (alone.attribution, alone.module) == (Attribution.KERNEL, None)


def test_the_address_alone_tells_a_member_of_null_where_the_code_has_its_offset() -> None:
    code = "Code: 48 89 c3 90 <48> 8b 43 {} c3 90"
    text = FROM_RIP + stamped("CR2: 0000000000000018") + stamped(code)
    member = diagnose((klog.read(text.format("18").encode(), "log"),), {}).verdict
    other = diagnose((klog.read(text.format("20").encode(), "log"),), {}).verdict
    assert member.root_cause is RootCause.NULL_DEREF
    assert other.root_cause is not RootCause.NULL_DEREF


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n", False),
        ("INFO: task lantern:412 blocked for more than 120 seconds.\n", False),
        ("BUG: kernel NULL pointer dereference, address: 0000000000000010\n", True),
    ],
)
def test_the_version_is_asked_for_where_a_newer_kernel_may_help(text: str, asks: bool) -> None:
    assert any(part.name == "version" for part in diagnosed(text)[0].missing) == asks
