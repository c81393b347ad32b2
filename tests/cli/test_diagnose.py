"""`pfdoctor diagnose`: every input gives an answer or one clear line."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.model.untrusted import is_clean
from test_import_hygiene import OOPS

REPORT_KEYS = {
    "title",
    "message",
    "occurrences",
    "place",
    "signature",
    "alt_titles",
    "type",
    "corrupted",
    "corrupted_reason",
    "kind",
    "arch",
    "kernel_release",
    "boot",
    "number",
    "timestamp",
    "function",
    "offset",
    "size",
    "module",
    "fault",
    "cpu",
    "pid",
    "comm",
    "tainted",
    "modules_linked",
    "registers",
    "frames",
    "span",
    "source_line",
    "pointer",
    "inlined",
    "diagnosis",
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "kern.log"
    path.write_text("[    0.500000] all is well\n" * 3 + OOPS)
    return path


Capture = pytest.CaptureFixture[str]


def test_json_has_exactly_the_keys_that_scripts_rely_on(log: Path, capsys: Capture) -> None:
    assert main(["diagnose", "--json", str(log)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "pfdoctor.diagnosis/1"
    assert document["source"] == str(log)
    (report,) = document["reports"]
    assert set(report) == REPORT_KEYS
    assert report["title"].endswith("NULL pointer dereference in demo_init")
    assert (report["function"], report["offset"], report["size"]) == ("demo_init", 17, 4096)
    assert report["module"] == "demo"
    assert report["occurrences"] == {
        "count": 1,
        "first_line": 4,
        "last_line": report["span"]["last_line"],
    }
    assert report["fault"] == {
        "address": "0x0",
        "access": "write",
        "mode": "kernel",
        "reason": "not-present page",
        "error_code": "0x2",
    }
    assert report["span"]["first_line"] == 4
    diagnosis = report["diagnosis"]
    assert (diagnosis["root_cause"], diagnosis["attribution"]) == ("null-deref", "module")
    lines = [e["line"] for e in diagnosis["candidates"][0]["evidence"]]
    assert 4 in lines
    assert set(document["verdict"]) == {
        "root_cause",
        "attribution",
        "module",
        "confidence",
        "summary",
        "next_step",
        "report",
        "missing",
    }
    assert document["verdict"]["report"] == 0


def test_a_module_of_the_tree_has_its_folder(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "kern.log"
    path.write_text(OOPS.replace("[demo]", "[rtw88_core]").replace("G           O", "G W"))
    assert main(["diagnose", "--json", str(path)]) == 0
    document = json.loads(capsys.readouterr().out)
    folder = "drivers/net/wireless/realtek/rtw88"
    assert document["verdict"]["module_directory"] == folder
    assert document["reports"][0]["diagnosis"]["module_directory"] == folder
    assert main(["diagnose", str(path)]) == 0
    assert f"module rtw88_core ({folder})" in capsys.readouterr().out


def test_who_takes_reports_is_told_in_every_form(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "kern.log"
    path.write_text(OOPS.replace("[demo]", "[rtw88_core]").replace("G           O", "G W"))
    text = "drivers/net/wireless/realtek/rtw88: REALTEK WIRELESS DRIVER (rtw88), linux-wireless@"
    assert main(["diagnose", str(path)]) == 0
    assert f"\n  whose   {text}" in " ".join(capsys.readouterr().out.split("\n          "))
    assert main(["diagnose", "--markdown", str(path)]) == 0
    told = capsys.readouterr().out.replace("\\", "")
    assert told.count(f"- whose: {text}") == 1
    assert main(["diagnose", "--json", str(path)]) == 0
    document = json.loads(capsys.readouterr().out)
    owner = document["verdict"]["owner"]
    assert set(owner) == {"subsystem", "list", "tracker", "why", "place"}
    assert owner["list"] == "linux-wireless@vger.kernel.org"
    report = document["reports"][0]
    assert report["owner"] == report["diagnosis"]["owner"] == owner


def test_where_nobody_takes_reports_none_is_told(log: Path, capsys: Capture) -> None:
    assert main(["diagnose", str(log)]) == 0
    assert main(["diagnose", "--json", str(log)]) == 0
    told = capsys.readouterr().out
    assert "whose" not in told
    assert '"owner"' not in told


def test_jsonl_gives_a_line_for_each_input_in_order(
    log: Path, tmp_path: Path, capsys: Capture
) -> None:
    quiet = tmp_path / "quiet.log"
    quiet.write_text("[    1.0] nothing\n")
    assert main(["diagnose", "--jsonl", str(log), str(quiet)]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["source"], second["source"]) == (str(log), str(quiet))
    assert second["reports"] == []
    assert second["verdict"]["root_cause"] == "none"


def test_json_has_the_words_of_the_log_with_their_lines(log: Path, capsys: Capture) -> None:
    assert main(["diagnose", "--json", str(log)]) == 0
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    lines = log.read_text().splitlines()
    facts = report["diagnosis"]["facts"]
    assert facts[0] == {"text": report["message"], "line": 4}
    assert all(fact["text"] in lines[fact["line"] - 1] for fact in facts)
    assert any("RIP: 0010:demo_init+0x11" in fact["text"] for fact in facts)
    assert report["place"] is None


def test_text_tells_cause_and_next_step_before_what_shows_them(log: Path, capsys: Capture) -> None:
    assert main(["diagnose", str(log)]) == 0
    told = capsys.readouterr().out
    places = [told.index(f"\n  {label}") for label in ("cause", "next", "where", "fact", "what")]
    assert places == sorted(places)
    assert "against" not in told
    # The headline says so, and that is the first line.
    assert "the kernel calls it" not in told
    assert f"{log}:4  " in told


def test_a_log_on_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(OOPS.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["diagnose", "-"]) == 0
    assert "standard input" not in capsys.readouterr().err


def test_exit_code_10_tells_scripts_of_a_fault(log: Path, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.log"
    quiet.write_text("[    1.0] nothing\n")
    assert main(["diagnose", "--exit-code", str(log)]) == 10
    assert main(["diagnose", "--exit-code", str(quiet)]) == 0


def test_a_hundred_megabytes_of_noise_hold_no_fault(tmp_path: Path, capsys: Capture) -> None:
    noise = tmp_path / "noise.log"
    block = b"".join(b"[%5d.000000] usb 1-1: new device number %d\n" % (n, n) for n in range(20000))
    with noise.open("wb") as file:
        for _ in range(100_000_000 // len(block) + 1):
            file.write(block)
    assert main(["diagnose", str(noise)]) == 0
    assert "no fault found" in capsys.readouterr().out.lower()


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.mkdir()


def missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize(
    ("make", "code", "told"),
    [
        (binary, 2, "not a text log"),
        (folder, 2, "is a directory"),
        (missing, 3, "there is no file"),
    ],
)
def test_what_is_no_log_gets_one_clear_line(
    make: object, code: int, told: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "input"
    make(path)  # type: ignore[operator]
    assert main(["diagnose", str(path)]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert told in err


def test_an_empty_log_holds_no_fault(tmp_path: Path, capsys: Capture) -> None:
    empty(tmp_path / "input")
    assert main(["diagnose", str(tmp_path / "input")]) == 0
    out, err = capsys.readouterr()
    assert "There is no line in this log" in " ".join(out.split())
    assert "no fault found" in out
    assert err == ""


def test_an_unreadable_log_says_how_to_read_it(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    if os.getuid() == 0:

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pagefault_doctor.klog.logs_in_file", refuse)
    else:
        log.chmod(0)
    assert main(["diagnose", str(log)]) == 3
    assert "sudo" in capsys.readouterr().err


def test_one_bad_input_does_not_hide_the_others(log: Path, capsys: Capture) -> None:
    assert main(["diagnose", "--jsonl", "/nonexistent", str(log)]) == 3
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "there is no file" in err


HOSTILE = (
    "[    1.000000] BUG: unable to handle page fault for address: ffffffffdeadbeef\n"
    "[    1.000001] CPU: 0 PID: 7 Comm: \x1b]52;c;ZXZpbA==\x07 Not tainted 6.1.0 #1\n"
    "[    1.000002] RIP: 0010:demo+0x11/0x20 [demo]\n"
    "[    1.000003] Call Trace:\n"
    "[    1.000004]  [/foo] [@click=app.quit]x[/] \x9b31m \u202egnp.exe\n"
    "[    1.000005]  demo_call+0x1/0x2 [demo]\n"
)


@pytest.mark.parametrize("form", [[], ["--json"], ["--jsonl"], ["--markdown"]])
def test_hostile_text_is_harmless_in_every_form(
    form: list[str], tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "hostile.log"
    path.write_bytes(HOSTILE.encode("utf-8", "surrogateescape"))
    assert main(["diagnose", *form, str(path)]) == 0
    assert is_clean(capsys.readouterr().out)


@pytest.mark.parametrize(
    "words",
    [
        ["diagnose", "--json", "a", "b"],
        ["diagnose", "--vmlinux", "x"],
        ["diagnose", "a", "--vmcore", "b"],
    ],
)
def test_words_that_do_not_go_together_are_a_usage_error(words: list[str]) -> None:
    assert main(words) == 2


def test_the_verdict_names_its_report_and_a_missing_first_fault_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "kern.log"
    notice = "[    0.500000] WARNING: CPU: 0 PID: 1 at mm/other.c:12 other_place+0x20/0x80\n"
    later = OOPS.replace("[    1.", "[ 3601.").replace("[#1]", "[#2]")
    log.write_text(notice + later)
    main(["diagnose", "--json", str(log)])
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"]["report"] == 1
    assert document["verdict"]["root_cause"] == "null-deref"
    main(["diagnose", str(log)])
    said = " ".join(capsys.readouterr().out.split())
    assert "this is fault #2 of its boot: the first one is not in this log" in said


def test_what_is_wrong_with_an_archive_is_said_once(tmp_path: Path, capsys: Capture) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        info = tarfile.TarInfo("kern.log")
        noise = b"".join(b"[    9.000000] %x\n" % (i * i * 7919) for i in range(5000))
        info.size = len(OOPS.encode() + noise)
        archive.addfile(info, io.BytesIO(OOPS.encode() + noise))
    path = tmp_path / "cut.tgz"
    path.write_bytes(packed.getvalue()[: len(packed.getvalue()) // 2])
    assert main(["diagnose", str(path)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert any("breaks off" in line for line in said)
    assert len(said) == len(set(said))
