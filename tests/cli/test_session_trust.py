"""Whose session it is decides whether resuming does what it names without a question."""

from __future__ import annotations

import errno
import fcntl
import getpass
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.cli import open_session, session_trust
from pagefault_doctor.cli.lab_commands import host as lab_host_module
from pagefault_doctor.cli.open_session import resumed_walk, start_walk
from pagefault_doctor.hosts.host import Host
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import ResultStatus
from pagefault_doctor.model.errors import PfDoctorError, UsageError
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    LabCase,
    NoteWritten,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.model.untrusted import is_clean
from pagefault_doctor.playbook.shelf import scenario
from pagefault_doctor.session.checksum import KEY_NAME
from pagefault_doctor.session.derived_facts import known_facts
from pagefault_doctor.session.event_log import encode, read_events
from pagefault_doctor.session.leads_to import PATHS
from pagefault_doctor.session.store import path_of, sessions_folder
from pagefault_doctor.session.walk import Walk
from pagefault_doctor.tools import TOOLS
from terminal import open_terminal

PFDOCTOR = (sys.executable, "-m", "pagefault_doctor")

STARTED = SessionStarted(id="s1", version="1", playbook="kernel-page-fault", host="box")
FOREIGN = {
    "ssh": msgspec.structs.replace(STARTED, destination="box", ssh_config="/tmp/evil config"),
    "lab": msgspec.structs.replace(STARTED, lab=LabCase(source="/tmp/evil", trigger=("cat /x",))),
    "case": msgspec.structs.replace(STARTED, lab=LabCase(scenario="null-deref-module")),
    "kernel": msgspec.structs.replace(STARTED, lab=LabCase(scenario="err-ptr", kernel="9.9")),
    "given": msgspec.structs.replace(STARTED, given={"program": "/tmp/evil"}),
    "flood": msgspec.structs.replace(
        STARTED,
        destination="box",
        lab=LabCase(scenario="x", trigger=("true",) * 999),
        given={**{str(n): "x" for n in range(999)}, "source_dir": "/x\n\x1b[2J" * 99999},
    ),
}
NAMED = {
    "ssh": "connects with: ssh -F '/tmp/evil config' box",
    "lab": "builds, by its Makefile: /tmp/evil",
    "case": "runs on this machine: sh -c evil",
    "kernel": "boots the kernel: 9.9",
    "given": "uses as program: /tmp/evil",
    "flood": "connects with: ssh box",
}
BUILT = (
    StepEntered(step="fix-code"),
    CommandStarted(
        number=1, step="fix-code", tool="module-build", argv=("sh", "-c", "evil"), consent="asked"
    ),
    CommandFinished(number=1, status=ResultStatus.OK),
)


class Questions:
    """Stands in for the person; `answer` is what they say."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.answer = True
        self.said: list[str] = []
        self.asked = 0
        self.questions: list[str] = []
        patch.setattr(session_trust, "ask_consent", self._ask)
        patch.setattr(session_trust, "print_message", self.said.append)

    def _ask(self, question: str) -> bool:
        self.asked += 1
        self.questions.append(question)
        return self.answer


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> Questions:
    return Questions(monkeypatch)


class Reached(Exception):
    """Something that the session named was about to be used."""


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(destination: str, config: str | None) -> Host:
        raise Reached(destination)

    def lab_host(case: LabCase) -> Host:
        raise Reached(case.source or case.scenario)

    monkeypatch.setattr(open_session, "connect", connect)
    monkeypatch.setattr(lab_host_module, "lab_host", lab_host)


def keep(*events: SessionStarted | Event, session_id: str = "s1") -> Path:
    path = path_of(sessions_folder(), session_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(encode, events)))
    return path


def own_session(**given: str) -> Path:
    walk = start_walk(LocalHost(), given=given)
    walk.note("mine")
    walk.end("quit")
    return path_of(sessions_folder(), walk.view.started.id)


def resume(path: Path, *, trusted: bool = False) -> None:
    with resumed_walk(path.stem, trusted=trusted) as walk:
        walk.end("quit")


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_a_foreign_session_names_is_shown_and_not_done_without_a_yes(
    questions: Questions, kind: str
) -> None:
    path = keep(FOREIGN[kind], *BUILT)
    before = path.read_bytes()
    questions.answer = False
    with pytest.raises(UsageError) as told:
        resume(path)
    assert questions.asked == 1
    assert any(NAMED[kind] in line for line in questions.said), questions.said
    assert len(questions.said) < 20
    assert all(len(line) < 400 and is_clean(line) for line in questions.said)
    assert told.value.remedy.endswith("pfdoctor resume --trust s1")
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["ssh", "lab", "case"])
@pytest.mark.parametrize("trusted", [False, True])
def test_with_a_yes_or_the_option_it_is_done(
    questions: Questions, kind: str, trusted: bool
) -> None:
    with pytest.raises(Reached):
        resume(keep(FOREIGN[kind]), trusted=trusted)
    assert questions.asked == (not trusted)


@pytest.mark.parametrize(
    ("folder", "shown", "hidden"),
    [
        ("/home/me" + "/." * 300 + "/../../tmp/evil", "/../../tmp/evil", ""),
        ("/home/me" + " " * 300 + "/../../tmp/evil", "/../../tmp/evil", "  "),
        ("/evil" + " " * 60 + "pfdoctor:   is yours", "/evil \\x20", "  "),
        ("/evil" + "\u3000" * 40 + "Go on? y/n: y", "/evil\\u3000", "\u3000"),
        ("/evil" + "\u2800" * 40 + "Go on? y/n: y", "/evil\\u2800", "\u2800"),
        ("/home/me" + "\u0308" * 40, "/home/me\\u0308", "\u0308"),
        ("/home/m\u00fcller/\u6a21\u5757", "/home/m\u00fcller/\u6a21\u5757", "\\"),
    ],
)
def test_what_is_asked_about_cannot_look_like_something_else(
    questions: Questions, folder: str, shown: str, hidden: str
) -> None:
    questions.answer = False
    with pytest.raises(UsageError):
        resume(keep(msgspec.structs.replace(STARTED, given={"source_dir": folder})))
    (line,) = (line for line in questions.said if "source_dir" in line)
    assert shown in line
    assert not hidden or hidden not in line.strip()
    assert len(line) < 200


def test_the_question_says_how_many_things_it_is_about(questions: Questions) -> None:
    questions.answer = False
    with pytest.raises(UsageError):
        resume(keep(msgspec.structs.replace(STARTED, given={"source_dir": "/a", "core": "/b"})))
    assert questions.questions == ["Go on with these 2"]
    assert len(questions.said) == 3


def test_a_renamed_copy_has_the_id_of_its_file(questions: Questions) -> None:
    path = keep(msgspec.structs.replace(STARTED, id="../../../elsewhere"))
    with resumed_walk("s1") as walk:
        assert walk.view.started.id == path.stem == "s1"


def test_a_module_that_only_recorded_output_names_is_shown(questions: Questions) -> None:
    path = keep(
        STARTED,
        StepEntered(step="identify-module"),
        CommandStarted(number=1, step="identify-module", tool="modinfo", argv=("modinfo", "m")),
        CommandFinished(number=1, status=ResultStatus.OK, output="filename: /tmp/evil.ko\n"),
    )
    questions.answer = False
    with pytest.raises(UsageError):
        resume(path)
    assert "  uses as module: /tmp/evil.ko" in questions.said


def test_the_facts_that_are_shown_are_those_of_tools() -> None:
    assert set(PATHS) <= known_facts(TOOLS.values())


def test_a_session_of_ones_own_is_resumed_without_a_question(questions: Questions) -> None:
    path = own_session(program="/usr/bin/true")
    for _ in range(3):
        resume(path)
    assert questions.asked == 0


def test_after_one_yes_it_is_ones_own(questions: Questions) -> None:
    path = keep(FOREIGN["given"])
    resume(path)
    resume(path)
    assert questions.asked == 1


def test_a_lost_key_loses_nothing(questions: Questions) -> None:
    path = own_session(program="/usr/bin/true")
    (path.parent / KEY_NAME).unlink()
    resume(path)
    resume(path)
    assert questions.asked == 1
    fresh = own_session(program="/usr/bin/true")
    resume(fresh)
    assert questions.asked == 1


def refuse(*arguments: object) -> bytes:
    raise OSError(5, "Input/output error")


def test_a_key_that_cannot_be_read_is_told_and_asked_about(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own_session(program="/usr/bin/true")
    monkeypatch.setattr(session_trust, "known_key", refuse)
    resume(path)
    assert questions.asked == 1
    assert any(line.endswith(f"{KEY_NAME}: Input/output error") for line in questions.said)


def test_a_key_that_cannot_be_kept_is_told_and_the_session_is_kept(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_trust, "key_of", refuse)
    path = own_session(program="/usr/bin/true")
    assert any("Input/output error; resume will ask" in line for line in questions.said)
    assert isinstance(read_events(path)[1], NoteWritten)


def test_a_user_without_a_name_walks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", refuse)
    (started, *_) = read_events(own_session())
    assert isinstance(started, SessionStarted)
    assert started.user == ""


def test_without_locks_a_session_is_kept_with_a_warning(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_session, "print_message", questions.said.append)
    monkeypatch.setattr(fcntl, "flock", refuse)
    path = own_session()
    resume(path)
    warnings = [line for line in questions.said if "cannot be locked (Input/output" in line]
    assert len(warnings) == 2
    assert isinstance(read_events(path)[1], NoteWritten)


def test_a_session_that_cannot_be_written_is_resumed_unsaved(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own_session()
    before = path.read_bytes()
    monkeypatch.setattr(open_session, "print_message", questions.said.append)
    monkeypatch.setattr(os, "ftruncate", refuse)
    with resumed_walk(path.stem) as walk:
        assert not walk.is_kept
        assert walk.view.notes
    assert path.read_bytes() == before
    assert any("will not be kept" in line for line in questions.said)


def test_a_session_of_ones_own_that_was_changed_is_asked_about(questions: Questions) -> None:
    path = own_session(program="/usr/bin/true")
    path.write_bytes(path.read_bytes().replace(b"/usr/bin/true", b"/usr/bin/evil"))
    questions.answer = False
    with pytest.raises(UsageError):
        resume(path)
    assert "  uses as program: /usr/bin/evil" in questions.said


def test_an_end_cut_off_by_kill_9_is_no_reason_to_ask(questions: Questions) -> None:
    path = own_session(program="/usr/bin/true")
    path.write_bytes(path.read_bytes()[:-10])
    resume(path)
    assert questions.asked == 0


def test_a_foreign_session_that_names_nothing_is_resumed_and_stays_foreign(
    questions: Questions,
) -> None:
    path = keep(STARTED, NoteWritten(step="", text="theirs"))
    resume(path)
    resume(path)
    assert questions.asked == 0
    # Nobody said that it is good, so what is added later is asked about.
    assert b"checksum" not in path.read_bytes()


def test_a_training_session_is_a_replay_and_asks_nothing(questions: Questions) -> None:
    started = msgspec.structs.replace(
        STARTED, scenario="null-deref-module", given={"source_dir": "/tmp/evil"}
    )
    with resumed_walk(keep(started, *BUILT).stem) as walk:
        assert not walk.host.live
    assert questions.asked == 0


@pytest.mark.parametrize("scenario", ["../../evil", "/tmp/evil", "nothing"])
def test_a_recording_or_playbook_from_elsewhere_is_never_read(
    tmp_path: Path, scenario: str
) -> None:
    for started in (
        msgspec.structs.replace(STARTED, scenario=scenario),
        msgspec.structs.replace(STARTED, playbook=scenario),
    ):
        with pytest.raises(PfDoctorError, match="there is no"):
            resume(keep(started))


def test_a_foreign_session_does_not_start_ssh_from_a_terminal(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/ran\nexit 255\n')
    (programs / "ssh").chmod(0o755)
    environ = {"PATH": f"{programs}:{os.environ['PATH']}"}
    keep(FOREIGN["ssh"])
    with open_terminal((*PFDOCTOR, "resume", "s1"), environ) as terminal:
        said = terminal.until(b"Go on?")
        assert b"connects with: ssh -F '/tmp/evil config' box" in said
        terminal.type("\n")
        assert terminal.wait() == 2
    assert not (tmp_path / "ran").exists()
    with open_terminal((*PFDOCTOR, "resume", "s1", "--trust"), environ) as terminal:
        assert terminal.wait() == 3
    assert "/tmp/evil config" in (tmp_path / "ran").read_text()


@pytest.mark.parametrize("kind", ["fifo", "folder", "link to a fifo"])
def test_what_is_no_session_file_hangs_no_command(tmp_path: Path, kind: str) -> None:
    path = keep(STARTED, session_id="20260101-000000-aaaa")
    odd = path.with_name("20260102-000000-bbbb.jsonl")
    if kind == "folder":
        odd.mkdir()
    elif kind == "link to a fifo":
        os.mkfifo(tmp_path / "fifo")
        odd.symlink_to(tmp_path / "fifo")
    else:
        os.mkfifo(odd)
    for words, code in ((("sessions",), 0), (("report", odd.stem), 1), (("report",), 1)):
        done = subprocess.run(
            (*PFDOCTOR, *words), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code
        assert "is not a regular file" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    with open_terminal((*PFDOCTOR, "resume")) as terminal:
        said = terminal.until_end(60.0)
        assert terminal.code == 1
    assert b"is not a regular file; remove it" in said


def test_a_disk_that_takes_no_event_and_keeps_the_file_costs_only_the_session(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    walk = start_walk(LocalHost())
    assert not walk.is_kept
    told = capsys.readouterr().err
    assert "what is done from now on will not be kept" in told
    walk.note("goes on")
    walk.end("quit")


def editor_of(walk: Walk) -> tuple[str, ...]:
    plan = walk.tools["edit"].plan
    assert isinstance(plan, partial)
    own: tuple[str, ...] = plan.args[0]
    return own


@pytest.mark.parametrize(
    ("kind", "own"),
    [("here", ("sh", "-x")), ("replay", ()), ("session", ("sh", "-x"))],
)
def test_the_editor_is_that_of_the_environment_where_it_runs_here(
    questions: Questions, monkeypatch: pytest.MonkeyPatch, kind: str, own: tuple[str, ...]
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sh -x")
    if kind == "here":
        walk = start_walk(LocalHost(), saved=False)
    elif kind == "replay":
        walk = open_session.start_training(scenario("null-deref-module"))
    else:
        keep(msgspec.structs.replace(STARTED, given={"editor": "evil"}))
        with resumed_walk("s1") as walk:
            pass
    assert editor_of(walk) == own
