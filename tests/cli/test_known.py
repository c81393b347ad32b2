"""`pfdoctor known`, and what the other commands say of known cases."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from pagefault_doctor.cli.known import id_of
from pagefault_doctor.cli.main import main
from pagefault_doctor.playbook.known_book import bundled_folder, users_folder

Capture = pytest.CaptureFixture[str]

OOPS = """\
[    1.000000] Linux version 6.1.0-13-amd64 (demo) #1
[    2.000000] BUG: kernel NULL pointer dereference, address: 0000000000000010
[    2.000001] #PF: supervisor read access in kernel mode
[    2.000002] #PF: error_code(0x0000) - not-present page
[    2.000003] Oops: 0000 [#1] PREEMPT SMP
[    2.000004] CPU: 0 PID: 7 Comm: cat Tainted: G           O       6.1.0-13-amd64 #1
[    2.000005] RIP: 0010:demo_read+0x11/0x100 [demo]
[    2.000006] RAX: {rax:016x} RBX: 0000000000000000 RCX: 0000000000000000
[    2.000007] Call Trace:
[    2.000008]  <TASK>
[    2.000009]  vfs_read+0x44/0x200
[    2.000010]  </TASK>
"""
SIGNATURE = "BUG: unable to handle kernel NULL pointer dereference in demo_read [demo]"
QUIET = """\
[    1.000000] Linux version 6.1.0-13-amd64 (demo) #1
[    2.000000] perf: interrupt took too long (2503 > 2500), lowering the rate
[    2.500000] perf: interrupt took too long (3170 > 3128), lowering the rate
[    3.000000] demo: Unknown symbol demo_get (err -2)
[    4.000000] all is well
"""


@pytest.fixture
def oops(tmp_path: Path) -> Path:
    """A log with one oops."""
    path = tmp_path / "oops.log"
    path.write_text(OOPS.format(rax=0))
    return path


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """A log without a report."""
    path = tmp_path / "quiet.log"
    path.write_text(QUIET.replace("Unknown symbol", "no symbol"))
    return path


def told(words: list[str], capsys: Capture, code: int = 0) -> tuple[str, str]:
    """Return what the command printed; it must end with this code."""
    assert main(words) == code
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_list_names_entries_and_finds_words(capsys: Capture) -> None:
    out, _ = told(["known", "list"], capsys)
    assert "unknown-symbol" in out
    assert "harmless" in out
    out, _ = told(["known", "list", "NVIDIA", "version"], capsys)
    assert "nvidia-api-mismatch" in out
    assert "unknown-symbol" not in out
    out, err = told(["known", "list", "gremlin"], capsys)
    assert (out, "no entry has gremlin" in err) == ("", True)


def test_list_and_show_as_json(capsys: Capture) -> None:
    document = json.loads(told(["known", "show", "unknown-symbol", "--json"], capsys)[0])
    assert document["schema"] == "pfdoctor.known/1"
    (entry,) = document["entries"]
    assert (entry["id"], entry["bundled"]) == ("unknown-symbol", True)
    everything = json.loads(told(["known", "list", "--json"], capsys)[0])
    assert len(everything["entries"]) >= 80


def test_show_has_the_conditions_and_the_source(capsys: Capture) -> None:
    out, _ = told(["known", "show", "unknown-symbol"], capsys)
    assert "Unknown symbol" in out
    assert "kernel/module/main.c" in out
    _, err = told(["known", "show", "unknown-symbl"], capsys, 2)
    assert "did you mean `unknown-symbol`?" in err


def test_add_a_log_and_diagnose_says_known(oops: Path, capsys: Capture, tmp_path: Path) -> None:
    words = ["known", "add", str(oops), "--says", "The old demo", "--fixed-in", "demo 2.1"]
    out, err = told([*words, "--do", "Update demo"], capsys)
    assert out.strip().endswith("null-pointer-dereference-in-demo-read-demo")
    path = users_folder() / f"{out.strip()}.yaml"
    assert str(path) in err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = tmp_path / "again.log"
    other.write_text(OOPS.format(rax=0x1234).replace("CPU: 0 PID: 7", "CPU: 3 PID: 99"))
    out, _ = told(["diagnose", str(other)], capsys)
    said = " ".join(out.split())
    assert "The old demo. Fixed in demo 2.1. Update demo." in said
    document = json.loads(told(["diagnose", "--json", str(other)], capsys)[0])
    (report,) = document["reports"]
    assert report["signature"] == SIGNATURE
    assert report["known"][0]["note"] == "The old demo"
    assert report["known"][0]["fixed_in"] == "demo 2.1"
    markdown, _ = told(["diagnose", "--markdown", str(other)], capsys)
    assert "Fixed in demo 2.1." in markdown


def test_a_signature_can_be_added_too(oops: Path, capsys: Capture) -> None:
    told(["known", "add", SIGNATURE, "--says", "The old demo", "--id", "demo"], capsys)
    assert "demo: The old demo." in told(["diagnose", str(oops)], capsys)[0]
    assert "did you mean" in told(["known", "show", "demos"], capsys, 2)[1]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["add"], "needs a log or a signature"),
        (["add", SIGNATURE], "--says"),
        (["ignore", SIGNATURE], "--reason"),
        (["ignore", "demo_read", "--reason", " "], "--reason"),
        (["add", "77", "--says", "x"], "is no signature"),
        (["add", SIGNATURE, "--says", "x", "--id", "../up"], "small letters"),
        (["add", SIGNATURE, "--says", "x" * 400], "more than 300"),
        (["remove", "gremlin"], "there is no entry"),
        (["remove", "unknown-symbol"], "is not of your own folder"),
        (["show"], "needs an id"),
    ],
)
def test_what_is_missing_or_wrong_is_said(words: list[str], hint: str, capsys: Capture) -> None:
    assert hint in told(["known", *words], capsys, 2)[1]
    assert not users_folder().exists()


def test_a_log_without_a_fault_has_no_signature(quiet: Path, capsys: Capture) -> None:
    assert "no fault was found" in told(["known", "add", str(quiet), "--says", "x"], capsys, 2)[1]
    assert told(["known", "add", "/no/such.log", "--says", "x"], capsys, 3)[1]


def test_ignoring_changes_the_exit_code_and_removing_takes_it_back(
    oops: Path, capsys: Capture
) -> None:
    diagnose = ["diagnose", "--exit-code", str(oops)]
    told(diagnose, capsys, 10)
    name = told(["known", "ignore", str(oops), "--reason", "a test machine"], capsys)[0].strip()
    out, _ = told(diagnose, capsys, 0)
    assert "Ignored: a test machine." in " ".join(out.split())
    run = ["run", "--log", str(oops), "--exit-code", "--quiet"]
    assert main(run) == 0
    told(["known", "remove", name], capsys)
    assert not list(users_folder().iterdir())
    told(diagnose, capsys, 10)
    assert main(run) == 10


def test_a_fault_beside_an_ignored_one_still_counts(oops: Path, capsys: Capture) -> None:
    told(["known", "ignore", str(oops), "--reason", "a test machine"], capsys)
    second = OOPS.format(rax=0).replace("demo_read", "demo_write").replace("#1]", "#2]")
    oops.write_text(oops.read_text() + second.partition("\n")[2])
    told(["diagnose", "--exit-code", str(oops)], capsys, 10)


def test_a_bundled_entry_can_be_ignored(capsys: Capture) -> None:
    assert told(["known", "ignore", "xid-program", "--reason", "a test card"], capsys)[0]
    out, _ = told(["known", "list", "xid-program"], capsys)
    assert "ignored, yours" in out
    told(["known", "remove", "xid-program"], capsys)
    assert "ignored" not in told(["known", "list", "xid-program"], capsys)[0]


def test_a_file_with_several_entries_is_left_to_an_editor(capsys: Capture) -> None:
    users_folder().mkdir(parents=True)
    (users_folder() / "two.yaml").write_text(
        "schema: 1\nentries:\n"
        "  - {id: two, match: {phrase: demo is lost}, says: A.}\n"
        "  - {id: more, match: {phrase: demo is gone}, says: B.}\n"
    )
    assert "other entries" in told(["known", "remove", "two"], capsys, 2)[1]
    assert "other entries" in told(["known", "ignore", "two", "--reason", "x"], capsys, 2)[1]


def test_check_names_mistakes_with_their_lines(capsys: Capture, tmp_path: Path) -> None:
    for path in bundled_folder().glob("*.yaml"):
        told(["known", "check", str(path)], capsys)
    assert "the book is good" in told(["known", "check"], capsys)[1]
    bad = tmp_path / "bad.yaml"
    bad.write_text("schema: 1\nentries:\n  - {id: a, match: {phrase: demo}, says: A.}\n")
    assert f"{bad}:3:" in told(["known", "check", str(bad)], capsys, 2)[0]
    bad.write_text(
        "schema: 1\nentries:\n  - {id: a, match: {phrase: demo is lost}, says: A.,\n"
        "     example: demo failed, other: 'error: demo is lost'}\n"
    )
    out, _ = told(["known", "check", str(bad)], capsys, 2)
    assert "does not fit its own `example`" in out
    assert "fits its `other`" in out
    assert told(["known", "check", "/no/such.yaml"], capsys, 3)


def test_a_broken_file_of_the_user_does_not_end_a_diagnosis(oops: Path, capsys: Capture) -> None:
    users_folder().mkdir(parents=True)
    (users_folder() / "bad.yaml").write_text("schema: 1\nentries: \x1b[31m\n")
    out, err = told(["diagnose", str(oops)], capsys)
    assert "NULL pointer" in out
    assert "bad.yaml:2:10" in err
    assert "\x1b" not in out + err


def test_lines_of_a_log_without_a_fault_are_told(quiet: Path, capsys: Capture) -> None:
    out, _ = told(["diagnose", str(quiet)], capsys)
    said = " ".join(out.split())
    assert 'line 2, 2 times: "perf: interrupt took too long' in said
    assert "harmless: Sampling by perf took more time" in said
    document = json.loads(told(["diagnose", "--json", str(quiet)], capsys)[0])
    (line,) = document["verdict"]["harmless"]
    assert (line["line"], line["count"], line["id"]) == (2, 2, "perf-interrupt")
    assert line["what"].startswith("Sampling by perf")
    assert "Lines that are known" in told(["diagnose", "--markdown", str(quiet)], capsys)[0]


def test_lines_that_ask_for_something_are_told_apart(tmp_path: Path, capsys: Capture) -> None:
    log = tmp_path / "make.log"
    log.write_text("demo.c:4:2: error: too many arguments to function 'class_create'\n")
    document = json.loads(told(["diagnose", "--json", str(log)], capsys)[0])
    assert document["verdict"]["asking"][0]["id"] == "class-create-6-4"
    assert "harmless" not in document["verdict"]


def test_seen_before_is_told_from_kept_sessions(
    oops: Path, capsys: Capture, tmp_path: Path
) -> None:
    run = ["run", "--log", str(oops), "--quiet"]
    assert main(run) == 0
    capsys.readouterr()
    # The same report read again is not another one.
    assert "Seen" not in told(["diagnose", str(oops)], capsys)[0]
    oops.write_text(OOPS.format(rax=0x99).replace("PID: 7", "PID: 8"))
    assert "Seen once before, last on 2" in " ".join(
        told(["diagnose", str(oops)], capsys)[0].split()
    )
    assert main(run) == 0
    capsys.readouterr()
    oops.write_text(OOPS.format(rax=0x55).replace("PID: 7", "PID: 9"))
    document = json.loads(told(["diagnose", "--json", str(oops)], capsys)[0])
    assert document["reports"][0]["seen"]["count"] == 2


def test_a_redacted_report_has_nothing_of_the_users_book(oops: Path, capsys: Capture) -> None:
    told(["known", "add", str(oops), "--says", "Secret of mine", "--ticket", "T-1"], capsys)
    assert main(["run", "--log", str(oops), "--quiet"]) == 0
    capsys.readouterr()
    assert "Secret of mine" in told(["report"], capsys)[0]
    assert "Secret of mine" in told(["report", "--format", "json"], capsys)[0]
    assert "Secret of mine" not in told(["report", "--redact"], capsys)[0]
    assert "T-1" not in told(["report", "--redact", "--format", "json"], capsys)[0]


def test_nothing_is_written_where_others_can_write(oops: Path, capsys: Capture) -> None:
    folder = users_folder()
    folder.parent.mkdir(parents=True)
    os.symlink("/tmp", folder)
    assert "is a link" in told(["known", "add", str(oops), "--says", "x"], capsys, 3)[1]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("WARNING in demo [m]", "warning-in-demo-m"),
        ("", "case"),
        ("...", "case"),
        ("x" * 99, "x" * 60),
        ("y" * 40 + " " + "z" * 40, "z" * 40),
    ],
)
def test_an_id_is_made_of_a_signature(text: str, made: str) -> None:
    assert id_of(text) == made
