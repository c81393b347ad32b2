"""`pfdoctor train`: options that fit a recording, and those that fit a live walk."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.model.event import LabCase, SessionStarted
from pagefault_doctor.session.event_log import encode, parse_events

Capture = pytest.CaptureFixture[str]


def test_a_kernel_is_for_a_live_walk_and_is_told_how_to_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    words = ["train", "null-deref-module", "--kernel", "99.0"]
    assert main(words) == 2
    assert "--kernel goes with --live" in capsys.readouterr().err
    assert main([*words, "--live"]) == 3
    assert "pfdoctor lab kernels fetch 99.0" in capsys.readouterr().err


def test_a_kernel_in_the_wizard_goes_with_the_lab(capsys: Capture) -> None:
    assert main(["--kernel", "6.1"]) == 2
    assert "go with --lab" in capsys.readouterr().err


@pytest.mark.parametrize("kernel", ["", "6.12"])
def test_the_kernel_is_kept_in_the_session(kernel: str) -> None:
    case = LabCase(scenario="err-ptr", kernel=kernel)
    started = SessionStarted(id="s", version="1", playbook="p", host="lab", lab=case)
    line = encode(started)
    assert (b'"kernel"' in line) is bool(kernel)
    assert parse_events(line, "s.jsonl") == (started,)
