"""`pfdoctor decode`: lines behind frames, all else unchanged, and what is missing."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forbidden import forbidden_in
from pagefault_doctor.cli.main import main
from pagefault_doctor.playbook import shelf
from pagefault_doctor.tools.debug import decode_log, line_files

FOLDER = shelf.scenario_folder("double-list-del")
FRAME = b"[   12.5] RIP: 0010:jobs_write+0x71/0x120 [jobs]"
RETURN = b"[   12.5]  ? jobs_write+0x72/0x120 [jobs] (C) and more\r"
Capture = pytest.CaptureFixture[str]


def decoded(data: bytes, *options: str) -> tuple[bytes, str]:
    """Return what a decoded log is, and what standard error says, as another program gets them."""
    command = [sys.executable, "-m", "pagefault_doctor", "decode", *options, "-"]
    ran = subprocess.run(command, input=data, capture_output=True, timeout=60, check=True)
    return ran.stdout, ran.stderr.decode()


def of_module(data: bytes, *options: str) -> bytes:
    """Return a log decoded with the module of FOLDER, for which there is no kernel."""
    return decoded(data, "--module-dir", str(FOLDER), *options)[0]


def test_lines_come_behind_the_frame_and_nothing_else_changes() -> None:
    log = b"\xff\x1b[2J noise\r\n" + FRAME + b"\n" + RETURN + b"\nno newline at the end"
    found = of_module(log)
    calls = b"/usr/src/jobs-1.0/jobs.c:33 /usr/src/jobs-1.0/jobs.c:48)"
    first, second = found.split(b"\n")[1:3]
    assert first.startswith(FRAME + b" (")
    assert first.endswith(b"list.h:155 " + calls)
    assert second.startswith(b"[   12.5]  ? jobs_write+0x72/0x120 [jobs] (/")
    assert second.endswith(calls + b" (C) and more\r")
    assert first[len(FRAME) :] == second[len(RETURN) - 14 : -14]
    lines = found.split(b"\n")
    lines[1:3] = [FRAME, RETURN]
    assert b"\n".join(lines) == log


def test_a_log_without_frames_comes_out_as_it_was() -> None:
    log = bytes(range(256)) * 600 + b"\n\n+0x1/0x2\n" + b"a" * 200_000
    assert of_module(log) == log


def test_a_terminal_is_not_obeyed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\x1b[2J\xff" + FRAME + b"\n")
    # As a terminal, it takes text only.
    out = io.StringIO()
    with redirect_stdout(out):
        assert main(["decode", "--module-dir", str(FOLDER), str(log)]) == 0
    assert not forbidden_in(out.getvalue())
    assert "jobs.c:48)" in out.getvalue()


def test_json_has_an_object_for_each_frame() -> None:
    log = b"one\n" + FRAME + b"\n other+0x0/0x10\n"
    first, second = map(json.loads, of_module(log, "--json").splitlines())
    assert (first["line"], first["function"], first["offset"]) == (2, "jobs_write", 0x71)
    assert (first["size"], first["module"], first["is_return"]) == (0x120, "jobs", False)
    assert (first["file"].rpartition("/")[2], first["source_line"]) == ("list.h", 141)
    assert [call["function"] for call in first["inlined"]] == [
        *("__list_del_entry", "list_del", "jobs_cancel")
    ]
    assert second["file"] is second["source_line"] is second["module"] is None
    assert (second["line"], second["is_return"], second["inlined"]) == (3, False, [])


def test_a_packed_log_is_unpacked() -> None:
    assert of_module(gzip.compress(FRAME + b"\n")) == of_module(FRAME + b"\n")


TASK = b"CPU: 0 PID: 1 Comm: sh Tainted: G  O  9.9.9-none #1\nModules linked in: lamp(OE)\n"


def test_a_line_says_what_is_missing_and_how_to_get_it() -> None:
    out, told = decoded(TASK + b" vfs_write+0x1/0x2\n lamp_write+0x1/0x2 [lamp]\n")
    assert out.endswith(b" vfs_write+0x1/0x2\n lamp_write+0x1/0x2 [lamp]\n")
    assert told.count("\n") == 1
    assert told.startswith("pfdoctor: 2 of 2 frames have no line, for want of debug information")
    assert "the kernel 9.9.9-none (" in told
    assert "--vmlinux FILE" in told
    assert "lamp.ko (build it with CONFIG_DEBUG_INFO, and name its folder: --module-dir" in told


def test_a_module_of_the_kernel_is_in_its_package() -> None:
    _, told = decoded(TASK + b" vfs_write+0x1/0x2\n f+0x1/0x2 [ext4]\n")
    assert "ext4.ko (the same package)" in told


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert decoded(b"a log\n")[1] == ""


def test_a_log_that_names_no_kernel_is_told_so() -> None:
    assert "the kernel, which the log does not name" in decoded(b" vfs_write+0x1/0x2\n")[1]


def test_a_module_of_another_build_is_not_used() -> None:
    log = f" jobs_write+0x72/0x120 [jobs {'0' * 40}]\n".encode()
    out, told = decoded(log, "--module-dir", str(FOLDER))
    assert out == log
    assert "jobs.ko" in told


def test_a_file_of_that_name_that_is_no_module_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "jobs.ko").write_bytes(b"\x7fELF but no module")
    out, told = decoded(FRAME + b"\n", "--module-dir", str(tmp_path))
    assert out == FRAME + b"\n"
    assert "jobs.ko is not a kernel module" in told


@pytest.mark.parametrize("option", ["--vmlinux", "--module-dir"])
def test_what_is_not_there_ends_it(option: str, capsys: Capture) -> None:
    assert main(["decode", option, "/nowhere", "-"]) == 3
    assert f"{option}: there is no" in capsys.readouterr().err


def test_a_missing_log_is_an_error(capsys: Capture) -> None:
    assert main(["decode", "/nowhere/log"]) == 3
    assert "there is no file /nowhere/log" in capsys.readouterr().err


def test_places_are_looked_up_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_log, "_MAX_PLACES", 3)
    monkeypatch.setattr(line_files, "_MAX_FILES", 1)
    files = line_files.LineFiles(module_dir=FOLDER)
    decoder = decode_log.LogDecoder(files)
    for number in range(9):
        decoder.decode(f" jobs_write+{number:#x}/0x120 [jobs]\n".encode())
    assert decoder.is_cut
    assert (decoder.frames, decoder.decoded) == (9, 3)
    files.close()


def test_a_program_that_waits_gets_what_there_is() -> None:
    # As `dmesg --follow` prints: a line must not wait for the next 64 kB.
    command = [sys.executable, "-u", "-m", "pagefault_doctor", "decode", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(TASK)
        running.stdin.flush()
        assert os.read(running.stdout.fileno(), 1000)
        running.stdin.close()


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from((FRAME, RETURN, TASK)))))
def test_any_bytes_come_out_again(pieces: list[bytes]) -> None:
    line = b"".join(pieces)
    decoder = decode_log.LogDecoder(line_files.LineFiles(module_dir=FOLDER))
    frames = decoder.decode(line)
    text = decode_log.decoded_text(line, frames)
    for frame in frames:
        if frame.found:
            text = text.replace(decode_log._lines_text(frame.found).encode(), b"")
    assert text == line
