"""What a redacted report no longer contains, and what it still does."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.cli.main import main
from pagefault_doctor.model.command import ResultStatus
from pagefault_doctor.model.event import (
    CommandFinished,
    CommandStarted,
    Event,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.session.event_log import encode
from pagefault_doctor.session.redact.redaction import Redaction

NAMED = {
    "host": ("db7", "db7.example.org"),
    "user": ("jdoe", "op.night"),
    "ip": ("192.0.2.17", "2001:db8::5", "2001:db8:0:0:0:0:0:9"),
    "mac": ("52:54:00:ab:cd:ef",),
    "mail": ("ops@example.org",),
    "serial": ("WD-WX12345", "S4EWNX0M1"),
    "id": ("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "5d3c1c8f9a6b4f0f8a7c6d5e4f3a2b1c"),
}
OUTPUT = """\
Jan  2 01:02:07 db7.example.org sshd[812]: Accepted publickey for jdoe from 192.0.2.17 port 22
Jan  2 01:02:08 db7.example.org sudo[813]: pam_unix(sudo:session): session opened for user op.night
[   12.500000] BUG: kernel NULL pointer dereference, address: 0000000000000018
[   12.500050] CPU: 0 PID: 91 Comm: demo Tainted: G           OE      6.1.0-56-amd64 #1
[   12.500060] Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-1 04/01/2014
[   12.500070] RIP: 0010:demo_write+0x11/0x1000 [demo] at 12:34:56, PCI 0000:00:1f.2
[   12.600000] e1000 0000:00:03.0 eth0: (PCI:33MHz:32-bit) 52:54:00:ab:cd:ef, also 2001:db8::5
[   12.700000] usb 1-1: SerialNumber: WD-WX12345
Serial Number: S4EWNX0M1
boot_id=5d3c1c8f9a6b4f0f8a7c6d5e4f3a2b1c
mount UUID=0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 mailto ops@example.org 2001:db8:0:0:0:0:0:9
db7 uses /home/jdoe/src/demo, and so does jdoe; db70 and abjdoe are others
"""


def session(output: str = OUTPUT) -> list[Event]:
    return [
        SessionStarted(id="20260102-010207-ab12", version="1", playbook="kernel-page-fault",
                       host="db7", destination="jdoe@db7"),
        StepEntered(step="check-logs"),
        CommandStarted(number=1, step="check-logs", tool="dmesg",
                       argv=("cat", "/home/jdoe/kern.log")),
        CommandFinished(number=1, status=ResultStatus.OK, exit_code=0, output=output),
    ]  # fmt: skip


def test_nothing_that_names_anybody_stays() -> None:
    text = b"".join(map(encode, Redaction().events(session()))).decode()
    for words in NAMED.values():
        for word in words:
            assert f"{word}" not in text.replace("db70", "").replace("abjdoe", ""), word


def test_the_story_stays() -> None:
    finished = Redaction().events(session())[3]
    assert isinstance(finished, CommandFinished)
    lines = OUTPUT.splitlines()
    kept = finished.output.splitlines()
    assert kept[2:6] == lines[2:6]
    assert "0000:00:03.0" in kept[6]
    assert "db70 and abjdoe are others" in kept[-1]


def test_one_thing_has_one_name_everywhere() -> None:
    started, _, command, finished = Redaction().events(session())
    assert isinstance(started, SessionStarted)
    assert isinstance(command, CommandStarted)
    assert isinstance(finished, CommandFinished)
    user = command.argv[1].split("/")[2]
    assert user.startswith("user-")
    assert f"Accepted publickey for {user} from ip-" in finished.output
    assert f"{started.host} uses /home/{user}/src/demo" in finished.output


def test_it_says_what_was_taken_out() -> None:
    redaction = Redaction()
    redaction.events(session())
    assert "2 user name" in redaction.summary
    assert "3 IP address" in redaction.summary
    assert "Kernel addresses and versions are as they were" in redaction.summary
    nothing = Redaction()
    nothing.events([msgspec.structs.replace(session("")[0], host="lab", destination=None)])
    assert "nothing that names anybody" in nothing.summary


def test_a_word_of_your_own_is_taken_out_too() -> None:
    text = b"".join(map(encode, Redaction().events(session("Project Zebra here"), ["Zebra"])))
    assert b"Zebra" not in text


@pytest.mark.parametrize("form", ["text", "md", "html", "json"])
def test_every_form_of_the_report_is_redacted(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"".join(map(encode, session())))
    assert main(["report", str(path), "--redact", "--format", form]) == 0
    said = capsys.readouterr()
    assert "192.0.2.17" not in said.out
    assert "jdoe@" not in said.out
    assert "demo_write" in said.out
    assert "Redacted on request" in said.err
    if form == "json":
        top = str(json.loads(said.out)["redacted"])
    else:
        text = " ".join(said.out.replace("\\", "").split())
        top = text[: text.index("Verdict")]
    assert "Redacted on request" in top
    assert "IP address" in top
    assert "It does not know" in top
