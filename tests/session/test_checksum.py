"""The checksum of a session: what it vouches for, and what it does not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.model.event import Event, NoteWritten, SessionEnded, SessionStarted
from pagefault_doctor.session.checksum import KEY_NAME, is_written_here, key_of, known_key
from pagefault_doctor.session.event_log import EventLog, encode, parse_events

KEY = b"k" * 32
EVENTS: tuple[Event, ...] = (
    SessionStarted(id="s1", version="0", playbook="p", host="h", ssh_config="/home/me/config"),
    NoteWritten(step="a", text='ends like one: ,"checksum":"' + "0" * 64 + '"}'),
    SessionEnded(reason="quit"),
)


def written(path: Path, key: bytes = KEY) -> bytes:
    log = EventLog.create(path)
    log.vouch(key)
    for event in EVENTS:
        log.append(event)
    log.close()
    return path.read_bytes()


def test_what_was_written_with_the_key_is_known(tmp_path: Path) -> None:
    data = written(tmp_path / "s1.jsonl")
    assert parse_events(data, "s1") == EVENTS
    assert is_written_here(data, KEY)
    assert not is_written_here(data, b"x" * 32)
    assert not is_written_here(data, None)


def test_an_end_that_is_missing_takes_nothing_away(tmp_path: Path) -> None:
    data = written(tmp_path / "s1.jsonl")
    first, second, _ = data.splitlines(keepends=True)
    assert is_written_here(first, KEY)
    assert is_written_here(first + second, KEY)
    assert is_written_here(first + second + b'{"event":"note-wr', KEY)


def test_any_byte_that_changed_is_noticed(tmp_path: Path) -> None:
    data = written(tmp_path / "s1.jsonl")
    for at in range(len(data)):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        # Without its newline the last line is torn, and the lines before it are as they were.
        assert is_written_here(changed, KEY) is (at == len(data) - 1), at


def test_lines_that_were_moved_added_or_taken_out_are_noticed(tmp_path: Path) -> None:
    first, second, third = written(tmp_path / "s1.jsonl").splitlines(keepends=True)
    foreign = encode(EVENTS[0])
    for lines in (
        (first, third),
        (second, third),
        (first, third, second),
        (foreign, second, third),
        (first, second, foreign),
        (first, second, third, foreign),
        (first, second, third, b"\n"),
        (foreign,),
        (b"\n",),
        (b"{}\n",),
        (),
    ):
        assert not is_written_here(b"".join(lines), KEY), lines


def test_reopened_it_vouches_for_all_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    path.write_bytes(b"".join(map(encode, EVENTS)))
    log = EventLog.reopen(path)
    log.append(EVENTS[1])
    assert not is_written_here(path.read_bytes(), KEY)
    log.vouch(KEY)
    log.append(EVENTS[2])
    assert is_written_here(path.read_bytes(), KEY)


def test_events_of_two_threads_do_not_break_it(tmp_path: Path) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    log.vouch(KEY)
    log.append(EVENTS[0])

    def write(text: str) -> None:
        for number in range(50):
            log.append(NoteWritten(step=str(number), text=text))

    threads = [threading.Thread(target=write, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = log.path.read_bytes()
    assert len(parse_events(data, "s1")) == 101
    assert is_written_here(data, KEY)


def test_an_event_that_a_signal_brings_during_the_sync_does_not_break_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog.create(tmp_path / "s1.jsonl")
    log.vouch(KEY)
    log.append(EVENTS[0])
    interrupting = iter((EVENTS[2],))

    def sync(descriptor: int) -> None:
        for event in interrupting:
            log.append(event)

    monkeypatch.setattr(os, "fsync", sync)
    log.append(EVENTS[1])
    assert parse_events(log.path.read_bytes(), "s1") == EVENTS
    assert is_written_here(log.path.read_bytes(), KEY)


def test_an_older_pfdoctor_reads_it(tmp_path: Path) -> None:
    lines = written(tmp_path / "s1.jsonl").splitlines()
    assert tuple(msgspec.json.decode(line, type=Event) for line in lines) == EVENTS


def test_the_key_is_kept_and_private(tmp_path: Path) -> None:
    assert known_key(tmp_path) is None
    key = key_of(tmp_path)
    assert len(key) == 32
    assert key_of(tmp_path) == known_key(tmp_path) == key
    (file,) = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (KEY_NAME, 0o600)


@pytest.mark.parametrize("bad", ["readable", "short", "long", "empty", "link", "another's"])
def test_a_key_that_somebody_may_know_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    path = tmp_path / KEY_NAME
    key_of(tmp_path)
    if bad == "readable":
        path.chmod(0o640)
    elif bad == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    elif bad == "another's":
        me = os.geteuid()
        answers = iter([me + 1] * 3)
        monkeypatch.setattr(os, "geteuid", lambda: next(answers, me))
    else:
        path.write_bytes(b"x" * {"short": 31, "long": 33, "empty": 0}[bad])
    before = path.read_bytes()
    assert known_key(tmp_path) is None
    key = key_of(tmp_path)
    assert key != before
    assert known_key(tmp_path) == key
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_links_the_key_is_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    key = key_of(tmp_path)
    assert known_key(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]


RACE = """
import sys
import threading
from pathlib import Path
from pagefault_doctor.session.checksum import key_of
sys.stdin.read()
print(key_of(Path(sys.argv[1])).hex())
"""


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    argv = (sys.executable, "-c", RACE, str(folder))
    begun = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in begun:
        assert process.stdin
        process.stdin.close()
    keys = {process.stdout.read() for process in begun if process.stdout}
    assert [process.wait(60) for process in begun] == [0] * 4
    assert len(keys) == 1
    assert [path.name for path in folder.iterdir()] == [KEY_NAME]
