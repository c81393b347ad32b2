"""Every kind of secret in every surrounding: none is left in any form of a report.

And what an analyst needs stays, to the letter.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pagefault_doctor.cli.main import main
from pagefault_doctor.model.command import ResultStatus, Risk
from pagefault_doctor.model.event import (
    CommandDeclined,
    CommandFinished,
    CommandStarted,
    Event,
    LogRead,
    NoteWritten,
    SessionStarted,
    StepEntered,
)
from pagefault_doctor.session.event_log import encode
from pagefault_doctor.session.redact.redaction import Redaction
from pagefault_doctor.tools.logs.log_reading import parse

SECRETS = {
    "host": ("db7", "DB7", "db7.prod.acme.example", "nas-3", "ldap.acme.example", "q9"),
    "user": ("mary", "jd", "op.night", "x7", "ann-lee", "mary_k"),
    "ip": (
        *("192.168.1.9", "10.0.0.254", "198.51.100.77", "81.2.69.142", "192.168.001.009"),
        *("2001:db8::5", "2001:DB8::A:5", "2001:db8:0:0:0:0:0:9", "fe80::5054:ff:feab:cdef"),
        *("::ffff:192.168.7.7", "2001:0db8:0000:0000:0000:0000:0000:0011", "fd00::"),
    ),
    "mac": ("52:54:00:ab:cd:ef", "52-54-00-AB-CD-EF", "525400abcdef", "5254.00ab.cdef",
            "00:1b:21:0a:0b:0c:0d:0e"),
    "serial": ("WD-WX12345", "S4EWNX0M123456", "7CZ1234XYZ"),
    "id": ("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
           "5d3c1c8f9a6b4f0f8a7c6d5e4f3a2b1c"),
    "mail": ("jane.roe@acme.example", "ops+night@mail.acme.example"),
}  # fmt: skip
"""A word of each kind. Hosts, users and serial numbers look like any word: TOLD tells of them."""

TOLD = """\
Jan  2 01:02:07 db7.prod.acme.example sshd[812]: Accepted publickey for mary from 192.168.1.9 port 2
Jan  2 01:02:07 nas-3 systemd[1]: Started Session 4 of user op.night.
uid=1000(jd) gid=1000(jd) groups=1000(jd),27(sudo)
USER=x7 HOME=/export/home/ann-lee
cd ~mary_k/src && ssh -l mary q9; ssh mary@q9
https://ldap.acme.example/users
[    1.0] usb 1-1: SerialNumber: WD-WX12345
ID_SERIAL_SHORT=S4EWNX0M123456
Serial Number: 7CZ1234XYZ
"""

SURROUNDINGS = (
    "{}",
    "{}.",
    "It was {}.",
    "seen at {}, and again",
    "is it {}?",
    "so: {}; then",
    "'{}'",
    '"{}"',
    "`{}`",
    "({})",
    "[{}]",
    "<{}>",
    "{{{}}}",
    "key={}",
    "key={},other=1",
    'key="{}" next',
    "key: {}",
    '{{"key":"{}","n":1}}',
    "a={};b={}",
    "/var/lib/{}/x",
    "/srv/{}",
    "/mnt/data-{}.tar",
    "sosreport-{}-2026-01-02.tar.xz",
    "https://{}/x",
    "https://{}:8443/x?y=1",
    "[    3.141593] demo: {} up",
    "Jan  2 01:02:07 gate demo[812]: {} up",
    "{}: up",
    "{}:/export on /mnt",
    "{} said",
    "to {} from",
    "from {}\n",
    "\t{}\t",
    "one,{},two",
    "x|{}|y",
    "{}/24",
    "({}).",
    "was {}!",
    "{}'s",
    "\\x1b[31m{}\\x1b[0m",
    "line one\\n{}\\nline two",
    "u%40{}%2Fx",
    "--opt={} --more",
    "-- {} --",
    "*{}*",
    "#{}",
    "|{}",
)

KEPT = (
    "BUG: kernel NULL pointer dereference, address: 0000000000000018",
    "#PF: error_code(0x0002) - not-present page",
    "CPU: 0 PID: 91 Comm: insmod Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.158-1",
    "Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-1 04/01/2014",
    "RIP: 0010:demo_write+0x11/0x1000 [demo]",
    "Code: 00 00 0f 1f 44 00 00 31 c0 de ad be ef <c6> 00 41 c3 0f 1f 80 00 00 00 00 48",
    "RSP: 0018:ffffb0a5c0327c60 EFLAGS: 00010246",
    "RAX: 0000000000000000 RBX: ffff888012345678 RCX: 00007f1234567890",
    "CR2: 0000000000000018 CR3: 0000000003b0a000 CR4: 00000000000006f0",
    " ? __x64_sys_write+0x1d/0x20",
    " vfs_write.part.0+0xb7/0x2a0",
    "Modules linked in: demo(OE+) helper(OE) virtio_net x86_pkg_temp_thermal",
    "usb 1-1: New USB device strings: Mfr=1, Product=2, SerialNumber=3",
    "Serial: 8250/16550 driver, 4 ports, IRQ sharing enabled",
    "pci 0000:00:1f.2: [8086:1533] type 00 class 0x010601",
    "e1000e 0000:00:03.0 eth0: driver version 3.2.1.9 at 12:34:56",
    "Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14)",
    "app[400]: segfault at 7f12345678ab ip 000055d3c4a1b2c0 sp 7ffd1 error 4 in app[401000+1000]",
    "Loaded 5.3.18-150300.59.106.1-default and 2.6.32.12-0.7-default, v1.2.3.4",
    "srcversion:     533BB7E5866E52F63B9ACCB",
    "#1  0x0000555555555151 in main (argc=1, argv@entry=0x7fffffffe4b8) at demo.c:12",
    "   0x401136 <main+4>: call 0x401030 <printf@plt>",
    "Started getty@tty1.service; spi@fe204000 at /soc/serial@7e201000",
    "page:ffffea0000123440 refcount:1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x48d1",
    "127.0.0.1 and ::1, netmask 255.255.255.0, core::fmt::write",
    "2026-11-28T05:11:19 and Fri Jan  2 01:02:07 2026",
    "git 1a2b3c4d5e6f: Fixes: 52a4b3c4d5e6",
    "sha1 0123456789abcdef0123456789abcdef01234567",
)
"""What an analyst needs."""


def left(text: str, secret: str) -> bool:
    """Whether a text still holds a secret, not as a part of a longer word."""
    return bool(re.search(rf"(?i)(?<![a-z0-9]){re.escape(secret)}(?![a-z0-9])", _plain(text)))


def _plain(text: str) -> str:
    """Return a text in which what comes before an escaped word does not hide it."""
    return re.sub(r"\\+x1b\[\d*m|\\+n|%40|%2F", " ", text)


def words() -> list[tuple[str, str]]:
    return [(kind, word) for kind, some in SECRETS.items() for word in some]


def session(*lines: str) -> list[Event]:
    output = TOLD + "\n".join(lines) + "\n"
    return [
        SessionStarted(id="20260102-010207-ab12", version="1", playbook="kernel-page-fault",
                       host="jd@db7", destination="jd@db7", user="mary",
                       given={"module_dir": "/home/mary/src"}),
        StepEntered(step="check-logs"),
        LogRead(log=parse(output, "/export/home/mary/db7.log")),
        CommandStarted(number=1, step="check-logs", tool="dmesg", argv=("cat", *lines[:9])),
        CommandFinished(number=1, status=ResultStatus.OK, output=output, errors=output),
        CommandDeclined(step="check-logs", tool="kern-log", argv=("x", *lines[:9]), risk=Risk.LOAD,
                        reason=output),
        *(NoteWritten(step="check-logs", text=line) for line in lines),
    ]  # fmt: skip


@pytest.mark.parametrize("around", SURROUNDINGS)
def test_no_kind_of_secret_is_left_whatever_stands_around_it(around: str) -> None:
    for kind, word in words():
        events = session(around.replace("{{", "{").replace("}}", "}").replace("{}", word))
        said = b"".join(map(encode, Redaction().events(events))).decode()
        assert not left(said, word), (kind, word, around)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("mary@db7:~$ ls", "mary"),
        ("scp mary@db7:/tmp/x .", "db7"),
        ("rsync carol@zeus:/x", "carol"),
        ("rsync carol@zeus:/x", "zeus"),
        ("uid=1003(bo) gid=1003(bo)", "bo"),
        ("ls ~carol/src", "carol"),
        ("/export/home/carol/x", "carol"),
        ("/data/home/carol", "carol"),
        ("-rw-r--r-- 1 carol users 12 Nov 28 05:11 x", "carol"),
        ("carol:x:1003:1003:Carol Doe,,,:/home/carol:/bin/sh", "Carol Doe"),
        ("author:         Carol Doe <carol@acme.example>", "Carol Doe"),
        ("sudo:    carol : TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=/bin/x", "carol"),
        ("pam_unix(su:session): session opened for user root(uid=0) by carol(uid=1000)", "carol"),
        ("CRON[81]: (carol) CMD (/x)", "carol"),
        ("ssh://carol@zeus:2222/x", "carol"),
        ("https://carol:hunter22@zeus/x", "hunter22"),
        ("mount -o username=carol,password=hunter22 x", "hunter22"),
        ("Hostname set to <zeus>.", "zeus"),
        ("nfs: server zeus not responding, still trying", "zeus"),
        ("zeus:/export on /mnt type nfs4 (rw)", "zeus"),
        ("zeus login: ", "zeus"),
        ("Linux zeus 6.1.0-56-amd64 #1 SMP", "zeus"),
        ("<6>1 2026-01-02T01:02:07.5Z zeus kernel: x", "zeus"),
        ("2026-01-02T01:02:07+00:00 zeus kernel: x", "zeus"),
        ("serial: QX77", "QX77"),
        ("ID_SERIAL=QEMU_HARDDISK_QM00001", "QM00001"),
        ("wwn-0x5000c500a1b2c3d4", "5000c500a1b2c3d4"),
        ("WWN: 5000c500a1b2c3d4", "5000c500a1b2c3d4"),
        ("/dev/disk/by-id/ata-WDC_WD10EZEX_WD-WCC3F1234567-part1", "WCC3F1234567"),
        ("UUID=ABCD-1234 /boot/efi vfat", "ABCD-1234"),
        ("PARTUUID=0a1b2c3d-01", "0a1b2c3d-01"),
        ("dev-disk-by\\x2duuid-0f1e2d3c\\x2d4b5a\\x2d6978\\x2d8796\\x2da5b4c3d2e1f1.device",
         "a5b4c3d2e1f1"),
        ("enx001b210a0b0c: renamed from eth0", "001b210a0b0c"),
        ("IN=eth0 MAC=52:54:00:ab:cd:ef:52:54:00:12:34:56:08:00 SRC=10.1.2.3 DST=10.1.2.4",
         "52:54:00:12:34:56"),
        ("ether 525400123456 and 52:54:00:12:34:56", "525400123456"),
        ("ip-10-0-0-5 kernel", "10-0-0-5"),
        ("10.1.2.3.22 > 10.1.2.4.5000: tcp", "10.1.2.3"),
        ("inet6 addr:2001:db8::77/64 Scope:Global", "2001:db8::77"),
        ("fe80::1:2%eth0", "fe80::1:2"),
        ("[2001:db8::77]:22", "2001:db8::77"),
        ("iqn.2001-05.com.acme:storage.disk1", "storage.disk1"),
        ("wlan0: SSID='Roe Family' joined", "Roe Family"),
    ],
)  # fmt: skip
def test_what_a_label_or_a_form_tells_is_taken_out(text: str, secret: str) -> None:
    said = b"".join(map(encode, Redaction().events(session(text)))).decode()
    assert not left(said, secret)


def test_what_an_analyst_needs_stays_to_the_letter() -> None:
    events = Redaction().events(session(*KEPT))
    notes = [event.text for event in events if isinstance(event, NoteWritten)]
    assert notes == list(KEPT)
    finished = next(event for event in events if isinstance(event, CommandFinished))
    assert finished.output.endswith("\n".join(KEPT) + "\n")


def test_a_name_that_code_bears_too_goes_only_where_it_is_plain() -> None:
    """A user, a module and a function may be called alike, and the report is about these."""
    lines = ("session opened for user demo", "/home/demo/src and demo@db7", *KEPT)
    redaction = Redaction()
    events = redaction.events(session(*lines))
    notes = [event.text for event in events if isinstance(event, NoteWritten)]
    assert "demo" not in notes[0] + notes[1]
    assert notes[2:] == list(KEPT)
    assert "can also be a word of a report" in redaction.summary


@pytest.mark.parametrize("name", ["ok", "read", "load", "used", "check-logs", "null-deref", "e"])
def test_a_name_that_is_also_a_word_of_ours_breaks_nothing(name: str) -> None:
    events = Redaction().events(session(f"session opened for user {name}", f"{name}@{name}"))
    assert isinstance(events[5], CommandDeclined)
    assert events[5].risk is Risk.LOAD


def test_one_host_has_one_name_in_short_and_in_full() -> None:
    events = Redaction().events(session("db7, DB7, db7.prod.acme.example, Db7.Prod.Acme.Example."))
    note = events[-1]
    assert isinstance(note, NoteWritten)
    assert note.text == "host-1, host-1, host-1, host-1."


def test_one_address_has_one_name_in_every_notation() -> None:
    text = "52:54:00:ab:cd:ef 52-54-00-AB-CD-EF 525400abcdef 2001:db8::5 2001:DB8:0::5"
    note = Redaction().events(session(text))[-1]
    assert isinstance(note, NoteWritten)
    assert len(set(note.text.split())) == 2


def test_a_word_of_your_own_goes_wherever_it_stands_even_a_common_one() -> None:
    text = "ProjectZebra, zebra, ROOT and kernel"
    note = Redaction().events(session(text), ["Zebra", "root"])[-1]
    assert isinstance(note, NoteWritten)
    assert note.text == "Projectword-1, word-1, word-2 and kernel"


@pytest.mark.parametrize("form", ["text", "md", "html", "json"])
def test_no_form_of_the_report_holds_a_secret_or_lacks_the_evidence(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [around.replace("{{", "{").replace("}}", "}").replace("{}", word).strip()
             for around in SURROUNDINGS for _, word in words()]  # fmt: skip
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"".join(map(encode, session(*lines, *KEPT))))
    assert main(["report", str(path), "--redact", "--format", form]) == 0
    said = capsys.readouterr()
    text = html.unescape(said.out) if form == "html" else said.out
    text = json.dumps(json.loads(text), ensure_ascii=False) if form == "json" else text
    for _, word in words():
        assert not left(text, word), word
    for line in KEPT:
        assert (json.dumps(line)[1:-1] if form == "json" else line.strip()) in text
    for what in ("host names in", "user names in", "IP addresses in", "hardware address", "serial"):
        assert what in said.err
        assert what in text


PARTS = st.sampled_from(
    [word for _, word in words()]
    + list(" \n.,:;=/@-_()[]'\"%") + ["user ", "0x", "10.", "kernel: ", "\\n", "password="]
)  # fmt: skip


@example(["%", "DB7"], ("host", "db7"), "{}")
@example(["%", "52:54:00:ab:cd:ef"], ("mac", "52:54:00:ab:cd:ef"), "{}")
@example(
    ["db7", "db7", ":", "2001:0db8:0000:0000:0000:0000:0000:0011"],
    ("ip", "2001:0db8:0000:0000:0000:0000:0000:0011"),
    "{}",
)
@example(["2001:db8:0:0:0:0:0:9", ".", "192.168.1.9"], ("ip", "2001:db8:0:0:0:0:0:9"), "{}")
@settings(max_examples=400, deadline=None)
@given(st.lists(PARTS, max_size=12), st.sampled_from(words()), st.sampled_from(SURROUNDINGS))
def test_whatever_a_line_holds_beside_it_a_secret_goes(
    parts: list[str], secret: tuple[str, str], around: str
) -> None:
    line = around.replace("{{", "{").replace("}}", "}").replace("{}", secret[1])
    note = Redaction().events(session(f"{''.join(parts)} {line} {''.join(parts)}"))[-1]
    assert isinstance(note, NoteWritten)
    assert not left(note.text, secret[1])
