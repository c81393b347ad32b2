"""An exception that nobody expected is one line, and its traceback is in a file."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from forbidden import SEQUENCES, forbidden_in
from pagefault_doctor.cli import explain, unexpected_error
from pagefault_doctor.cli.main import main
from pagefault_doctor.cli.unexpected_error import SHOW
from pagefault_doctor.model import untrusted

Capture = pytest.CaptureFixture[str]


def folder() -> Path:
    return Path(os.environ["XDG_STATE_HOME"], "pfdoctor")


def fail(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a subcommand that raises the error, and return its exit code."""

    def failing(args: object) -> int:
        raise error

    monkeypatch.setattr(explain, "run", failing)
    return main(["explain"])


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ValueError("no number"), 1, "explain: ValueError: no number; please report it with "),
        (RecursionError("too deep"), 1, "explain: RecursionError: too deep"),
        (MemoryError(), 1, "not enough memory; free some memory, or raise the limit: ulimit -v"),
        (ImportError("/x.so: failed to map segment from shared object"), 1, "ulimit -v"),
        (RuntimeError("can't start new thread"), 1, "ulimit -u"),
        (OSError(errno.EMFILE, "Too many open files", "/x"), 1, "ulimit -n"),
        (OSError(errno.EFBIG, "File too large"), 1, "ulimit -f"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 3, "'/x'; try it with sudo"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/x"), 3, "'/x'"),
        (KeyError("x" * 5000), 1, "KeyError: 'xxx"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, "BrokenPipeError"),
        (ValueError("".join(SEQUENCES) + "\nFORGED"), 1, r"\x1b[2J"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_any_exception_is_one_line_with_the_exit_code_of_its_kind(
    error: Exception, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert fail(error, monkeypatch) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.startswith("pfdoctor: explain: ")
    assert err.count("\n") == 1
    assert len(err) < 600
    assert not forbidden_in(err)


class _NoRoom:
    """An expression for whose compilation there is no memory."""

    def sub(self, *_: object) -> str:
        raise MemoryError


def test_that_memory_ran_out_is_told_without_compiling_an_expression(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(untrusted, "_IN_TEXT", _NoRoom())
    monkeypatch.setattr(untrusted, "_IN_LINE", _NoRoom())
    assert fail(MemoryError(), monkeypatch) == 1
    err = capsys.readouterr().err
    assert err.endswith("ulimit -v\n")
    assert err.count("\n") == 1


def test_where_memory_runs_out_in_the_explanation_of_another_error_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def exhausted(error: Exception) -> str:
        raise MemoryError

    monkeypatch.setattr(unexpected_error, "_where_the_traceback_is", exhausted)
    assert fail(SystemError("null result"), monkeypatch) == 1
    assert capsys.readouterr().err.endswith("explain: " + unexpected_error._NO_MEMORY + "\n")


def test_the_traceback_is_kept_in_one_private_file(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for text in ("first", "second\x1b[2J"):
        fail(ValueError(text), monkeypatch)
    (file,) = folder().iterdir()
    assert str(file) in capsys.readouterr().err
    assert file.stat().st_mode & 0o777 == 0o600
    kept = file.read_text()
    assert "in failing" in kept
    assert r"ValueError: second\x1b[2J" in kept
    assert "first" not in kept


def test_the_traceback_is_written_through_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder().mkdir()
    (folder() / "traceback.txt").symlink_to(victim)
    (folder() / f"traceback.{os.getpid()}").symlink_to(victim)
    fail(ValueError("x"), monkeypatch)
    assert victim.read_text() == "mine"


def test_where_it_cannot_be_kept_a_variable_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    fail(ValueError("x"), monkeypatch)
    assert f"{SHOW}=1 shows the traceback" in capsys.readouterr().err
    monkeypatch.setenv(SHOW, "1")
    fail(ValueError("\x1b[2J"), monkeypatch)
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "in failing" in err
    assert not forbidden_in(err)


def test_the_working_folder_that_is_gone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["run", "--module-dir", str(tmp_path), "--vmcore", "x"]) in (2, 3)
    assert fail(FileNotFoundError(errno.ENOENT, "No such file or directory"), monkeypatch) == 3
    assert "the working folder was removed; cd to another" in capsys.readouterr().err


def test_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert fail(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err == "pfdoctor: interrupted\n"


def test_an_exception_in_a_thread_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    assert main(["explain"]) == 0
    capsys.readouterr()

    def failing() -> None:
        raise ValueError("in \x1b[2J")

    thread = threading.Thread(target=failing)
    thread.start()
    thread.join()
    err = capsys.readouterr().err
    assert err.startswith(r"pfdoctor: in the background: ValueError: in \x1b[2J; please report")
    assert err.count("\n") == 1
