"""Any bytes as a session file: a report, or one line that says why not."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.test_output_doors import EXAMPLES, HOSTILE, places, with_value
from forbidden import forbidden_in
from pagefault_doctor.cli.main import main
from pagefault_doctor.playbook.shelf import causes, recording_path
from pagefault_doctor.session.store import sessions_folder

RECORDED = recording_path("err-ptr").read_bytes().splitlines(keepends=True)
"""A real session."""

in_one_folder = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def check_told(*words: str) -> None:
    """Check that a command prints something harmless, or ends with one line."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    assert code in (0, 1, 2, 3)
    assert not forbidden_in(out.getvalue() + err.getvalue())
    if code in (1, 3):
        assert err.getvalue().startswith("pfdoctor: ")
        assert err.getvalue().count("\n") == 1
        assert "MemoryError" not in err.getvalue()
    if code == 0 and "json" in " ".join(words):
        json.loads(out.getvalue())


def keep(data: bytes) -> None:
    folder = sessions_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s1.jsonl").write_bytes(data)


READERS = (
    ("sessions",), ("sessions", "--json"), ("report",), ("report", "--format", "json"),
    ("report", "--format", "html", "--redact"), ("report", "--for-tracker"), ("resume",),
)  # fmt: skip

JUNK = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode() + b"\n"),
    st.sampled_from([*RECORDED[1:], *(json.dumps(e).encode() + b"\n" for e in EXAMPLES.values())]),
)


@in_one_folder
@given(st.lists(JUNK, max_size=5).map(b"".join))
@example(b"")
@example(b"\xff\xfe\n")
@example(b'{"event":"session-started"}\n')
@example(b'{"event":"' + HOSTILE.replace("\n", " ").encode() + b'"}\n')
@example(b"[" * 100_000 + b"\n")
@example(RECORDED[0] + b'{"event":"log-read","log":' + b'{"a":' * 5000 + b"\n")
def test_any_bytes_are_a_report_or_one_line(data: bytes) -> None:
    for begin in (b"", RECORDED[0]):
        keep(begin + data)
        for words in READERS:
            check_told(*words)


@in_one_folder
@given(st.data())
def test_a_real_session_with_any_damage_is_a_report_or_one_line(data: st.DataObject) -> None:
    lines = list(RECORDED)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        whole = json.loads(lines[at])
        way = data.draw(st.sampled_from(list(places(whole))))
        new: Any = data.draw(st.none() | st.text() | st.integers() | st.just([]) | st.just(HOSTILE))
        lines[at] = json.dumps(with_value(whole, way, new)).encode() + b"\n"
        if data.draw(st.booleans()):
            lines.pop(data.draw(st.integers(0, len(lines) - 1)))
        if not lines:
            break
    keep(b"".join(lines))
    for words in READERS[1:4]:
        check_told(*words)


WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)


@in_one_folder
@given(WORDS, st.sampled_from(["text", "html", "md", "json"]))
def test_any_name_is_a_report_or_one_line(name: str, form: str) -> None:
    check_told("report", name, "--format", form)
    check_told("report", f"{name}.jsonl", "--redact-word", name)
    check_told("explain", name)
    check_told("resume", name)


@pytest.mark.parametrize("cause", causes())
def test_every_cause_is_explained(cause: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", cause]) == 0
    assert cause in capsys.readouterr().out
