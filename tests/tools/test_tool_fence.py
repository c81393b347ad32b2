"""A tool that fails to read or plan is told with the reason, and hides nothing from the tests."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pagefault_doctor import tools
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.fence import STRICT
from pagefault_doctor.tools.tool import next_command, read_output
from tools.example_reports import told


def fails(*_: object) -> Any:
    """Fail with a reason that a terminal must not obey."""
    raise KeyError("a\x1b[2J" + "b" * 5000)


BROKEN = msgspec.structs.replace(tools.TOOLS["lsmod"], read=fails, plan=fails)


def test_an_output_whose_reader_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STRICT, raising=False)
    (finding,) = read_output(BROKEN, told("x", "lsmod", tool="lsmod"), Case()).findings
    assert finding.text.startswith("pfdoctor could not read this output (KeyError")
    assert "\x1b" not in finding.text
    assert len(finding.text) < 300
    assert (finding.mark, finding.source.origin) == (Mark.NEUTRAL, "lsmod")


def test_a_tool_that_fails_to_plan_is_blocked_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STRICT, raising=False)
    wanted = next_command(BROKEN, Case())
    assert isinstance(wanted, Blocked)
    assert wanted.reason.startswith("pfdoctor could not plan it (KeyError")
    assert wanted.remedy


def test_in_the_tests_either_is_an_error() -> None:
    with pytest.raises(KeyError):
        read_output(BROKEN, told("x", "lsmod", tool="lsmod"), Case())
    with pytest.raises(KeyError):
        next_command(BROKEN, Case())
