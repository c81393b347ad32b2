"""Journals, zst files and archives on the command line, with the real programs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pagefault_doctor.cli.main import main
from requirements import require, require_program

LOG = (Path(__file__).parents[1] / "klog/logs/x86_null_write.log").read_bytes()
OTHER = (Path(__file__).parents[1] / "klog/logs/oom.log").read_bytes()
BOOTS = ("0123456789abcdef0123456789abcdef", "1123456789abcdef0123456789abcdef")
MAKER = Path("/lib/systemd/systemd-journal-remote")
BANNER = b"[    0.000000] Linux version 6.1.0-13-amd64 (b@h) (gcc) #1 SMP"
Capture = pytest.CaptureFixture[str]
Told = Callable[..., list[dict[str, Any]]]


def exported() -> Iterator[bytes]:
    """Two boots, each with the oops; between them a program prints text that looks like one."""
    for boot, lines in enumerate(([BANNER, *LOG.splitlines()], LOG.splitlines())):
        for number, line in enumerate(lines):
            stamp, _, text = line.partition(b"] ")
            time = round(float(stamp.strip(b"[ ")) * 1_000_000)
            common = (
                b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n_HOSTNAME=h\n"
                % (1_736_760_000_000_000 + boot * 10**9 + time, time, BOOTS[boot].encode())
            )
            message = b"MESSAGE\n" + len(text).to_bytes(8, "little") + text
            if number % 2:
                message = b"MESSAGE=" + text
            yield common + b"_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel\nPRIORITY=4\n"
            yield b"_SOURCE_MONOTONIC_TIMESTAMP=%d\n%s\n\n" % (time, message)
            yield common + b"_TRANSPORT=stdout\nSYSLOG_IDENTIFIER=app\nMESSAGE=BUG: mine\n\n"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a binary journal that systemd made."""
    require_program("journalctl")
    require(MAKER.exists(), "systemd-journal-remote is not installed: package of that name")
    folder = tmp_path_factory.mktemp("machine")
    (folder / "in.export").write_bytes(b"".join(exported()))
    path = folder / "system.journal"
    subprocess.run(
        [MAKER, f"--output={path}", folder / "in.export"], check=True, capture_output=True
    )
    return path


@pytest.fixture
def told(capsys: Capture) -> Told:
    """Return a function that returns the documents of `diagnose --jsonl`."""

    def run(*paths: Path) -> list[dict[str, Any]]:
        assert main(["diagnose", "--jsonl", *map(str, paths)]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def facts(document: dict[str, Any]) -> list[tuple[object, ...]]:
    keys = ("title", "function", "module", "registers", "frames", "timestamp")
    return [tuple(report[key] for key in keys) for report in document["reports"]]


@pytest.fixture
def plain(tmp_path: Path, told: Told) -> list[tuple[object, ...]]:
    path = tmp_path / "plain.log"
    path.write_bytes(LOG)
    return facts(told(path)[0])


def test_a_binary_journal_is_read_with_journalctl(
    journal: Path, told: Told, plain: list[tuple[object, ...]]
) -> None:
    (document,) = told(journal)
    assert facts(document) == plain * 2
    assert [(r["boot"], r["number"]) for r in document["reports"]] == [(0, 1), (1, 1)]
    assert document["reports"][0]["kernel_release"] == "6.1.0-13-amd64"


FORMS = (
    "short short-precise short-iso short-iso-precise short-full short-monotonic short-unix "
    "with-unit cat json json-pretty json-seq json-sse export"
)


@pytest.mark.parametrize("form", FORMS.split())
def test_what_journalctl_prints_in_any_form_reads_the_same(
    form: str,
    journal: Path,
    told: Told,
    plain: list[tuple[object, ...]],
    tmp_path: Path,
) -> None:
    path = tmp_path / "printed"
    with path.open("wb") as file:
        argv = ["journalctl", "--file", str(journal), "_TRANSPORT=kernel", "-o", form, "--no-pager"]
        subprocess.run(argv, stdout=file, check=True)
    (document,) = told(path)
    assert [fact[:-1] for fact in facts(document)] == [fact[:-1] for fact in plain * 2]
    if form != "cat":
        assert [r["boot"] for r in document["reports"]] == [0, 1]


@pytest.mark.parametrize("options", [(), ("-T",), ("-x",), ("-d",), ("--json",), ("-xT",)])
def test_what_dmesg_prints_in_any_form_reads_the_same(
    options: tuple[str, ...], told: Told, plain: list[tuple[object, ...]], tmp_path: Path
) -> None:
    dmesg = require_program("dmesg")
    raw, path = tmp_path / "buffer", tmp_path / "printed"
    raw.write_bytes(b"".join(b"<4>" + line + b"\n" for line in LOG.splitlines()))
    with path.open("wb") as file:
        subprocess.run([dmesg, "-F", raw, *options], stdout=file, check=True)
    (document,) = told(path)
    assert [fact[:-1] for fact in facts(document)] == [fact[:-1] for fact in plain]


def test_a_folder_of_journals_is_one_log(
    journal: Path, told: Told, plain: list[tuple[object, ...]]
) -> None:
    assert facts(told(journal.parent)[0]) == plain * 2


def test_a_journal_on_standard_input_is_read(
    journal: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(journal.read_bytes())))
    assert main(["diagnose", "--jsonl", "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)["reports"]) == 2


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_a_journal_in_an_archive_leaves_no_file_behind(
    journal: Path, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    path = tarred(tmp_path / "sos.tar", {"var/log/journal/id/system.journal": journal.read_bytes()})
    (document,) = told(path)
    assert document["source"] == f"{path}:var/log/journal/id/system.journal"
    assert len(document["reports"]) == 2
    assert list(room.iterdir()) == []


@pytest.mark.parametrize("way", ["file", "in a tar", "of a tar"])
def test_zst_is_unpacked_by_the_program(
    way: str,
    told: Told,
    plain: list[tuple[object, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zstd = require_program("zstd")
    monkeypatch.setattr("pagefault_doctor.klog.input.compression._MAKERS", {"zstd": lambda: None})

    def packed(path: Path) -> Path:
        subprocess.run([zstd, "-q", str(path)], check=True)
        return path.with_name(path.name + ".zst")

    log = tmp_path / "kern.log"
    log.write_bytes(LOG)
    path = packed(log)
    if way == "in a tar":
        path = tarred(tmp_path / "sos.tar", {"var/log/kern.log.1.zst": path.read_bytes()})
    if way == "of a tar":
        path = packed(tarred(tmp_path / "all.tar", {"var/log/kern.log": LOG}))
    assert facts(told(path)[0]) == plain


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"LPKSHHRH" + bytes(300), "there is no journalctl"),
        (b"\x28\xb5\x2f\xfd" + bytes(30), "install the program zstd"),
    ],
)
def test_where_the_program_is_missing_the_remedy_is_told(
    data: bytes, said: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagefault_doctor.klog.input.compression._MAKERS", {"zstd": lambda: None})
    monkeypatch.setattr("pagefault_doctor.hosts.script.script", lambda path: "exit 127")
    path = tmp_path / "packed"
    path.write_bytes(data)
    assert main(["diagnose", str(path)]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that puts a script in the place of zstd."""
    monkeypatch.setattr("pagefault_doctor.klog.input.compression._MAKERS", {"zstd": lambda: None})
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def write(script: str) -> None:
        (folder / "zstd").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "zstd").chmod(0o755)

    return write


ZSTD = b"\x28\xb5\x2f\xfd" + bytes(30)


def test_a_program_that_is_killed_while_it_unpacks_is_told(
    stub: Callable[[str], None], tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "kern.log.zst"
    path.write_bytes(ZSTD)
    stub("kill -9 $$")
    assert main(["diagnose", str(path)]) == 2
    assert "zstd: ended by signal 9" in capsys.readouterr().err
    (tmp_path / "log").write_bytes(LOG)
    stub(f"cat {tmp_path / 'log'}; kill -9 $$")
    assert main(["diagnose", str(path)]) == 0
    printed = capsys.readouterr()
    assert "NULL pointer dereference" in printed.out
    assert "zstd: ended by signal 9" in printed.err


def test_what_programs_unpack_is_bounded_in_all(
    stub: Callable[[str], None],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pagefault_doctor.klog.input.unpack.MOST_UNPACKED", 3 << 20)
    monkeypatch.setattr("pagefault_doctor.cli.unpack_programs._MAX_BYTES", str(1 << 20))
    runs = tmp_path / "runs"
    stub(f"echo run >>{runs}; while echo '[    1.000000] usb 1-1: new'; do :; done")
    path = tarred(tmp_path / "sos.tar", {f"kern.log.{n}.zst": ZSTD for n in range(20)})
    assert main(["diagnose", str(path)]) == 0
    assert len(runs.read_text().splitlines()) == 3
    assert "what it unpacks to is too large" in capsys.readouterr().err


def test_a_damaged_journal_gets_what_journalctl_says(tmp_path: Path, capsys: Capture) -> None:
    require_program("journalctl")
    path = tmp_path / "system.journal"
    path.write_bytes(b"LPKSHHRH" + bytes(300))
    assert main(["diagnose", str(path)]) == 2
    assert "journalctl: " in capsys.readouterr().err


@pytest.fixture
def sos(tmp_path: Path) -> Path:
    """Return an archive with two events: one in three logs, one of them without the clock."""
    bare = b"".join(
        b"Jan 13 10:20:30 host kernel: " + line.partition(b"] ")[2] + b"\n"
        for line in LOG.splitlines()
    )
    return tarred(
        tmp_path / "sos.tar",
        {
            "sos/proc/cmdline": b"quiet\n",
            "sos/sos_commands/kernel/dmesg": LOG,
            "sos/var/log/boot.log": b"[    0.000001] all is well\n",
            "sos/var/log/kern.log": LOG,
            "sos/var/log/messages": bare + OTHER,
        },
    )


def test_every_log_of_an_archive_with_reports_of_its_own_is_told(
    sos: Path, capsys: Capture
) -> None:
    assert main(["diagnose", "--jsonl", str(sos)]) == 0
    out, err = capsys.readouterr()
    documents = [json.loads(line) for line in out.splitlines()]
    assert [document["source"] for document in documents] == [
        f"{sos}:sos/sos_commands/kernel/dmesg",
        f"{sos}:sos/var/log/messages",
    ]
    assert [len(document["reports"]) for document in documents] == [1, 1]
    assert documents[1]["reports"][0]["kind"] == "oom-kill"
    assert f"{sos}:sos/var/log/kern.log: 1 report told of before" in err
    assert f"{sos}:sos/var/log/messages: 1 report told of before" in err


def test_as_one_document_an_archive_tells_of_all_its_reports(sos: Path, capsys: Capture) -> None:
    assert main(["diagnose", "--json", str(sos)]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["source"] == str(sos)
    assert [r["kind"] for r in document["reports"]] == ["null-pointer-dereference", "oom-kill"]
    assert document["verdict"]["root_cause"] == "null-deref"
    assert "holds 2 logs" in err


def test_an_archive_without_a_log_is_no_healthy_box(tmp_path: Path, capsys: Capture) -> None:
    path = tarred(tmp_path / "x.tar", {"etc/hostname": b"host\n"})
    assert main(["diagnose", str(path)]) == 2
    assert "without logs" in capsys.readouterr().err


def test_a_members_name_can_do_no_harm(tmp_path: Path, capsys: Capture) -> None:
    name = "../../etc/\x1b]0;owned\x07dmesg"
    path = tarred(tmp_path / "x.tar", {name: LOG})
    before = set(os.listdir(tmp_path))
    assert main(["diagnose", str(path)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert set(os.listdir(tmp_path)) == before
