"""The rules of redaction: what is merged, learned, kept and counted, and how the time grows."""

from __future__ import annotations

import time

import pytest

from pagefault_doctor.model.command import Risk
from pagefault_doctor.model.event import CommandDeclined, CommandStarted, NoteWritten
from pagefault_doctor.session.redact.redaction import Redaction, merge_overlapping
from pagefault_doctor.session.redact.search import FoundName
from session.redact.sessions import redacted, session_of


def test_overlapping_places_become_one_of_the_kind_of_the_longest() -> None:
    found = [FoundName(4, 9, "ip", "b"), FoundName(0, 6, "host", "a"), FoundName(20, 22, "ip", "c")]
    assert list(merge_overlapping(found)) == [
        FoundName(0, 9, "host", "a"),
        FoundName(20, 22, "ip", "c"),
    ]


def test_of_a_place_in_another_only_the_outer_is_replaced() -> None:
    found = [FoundName(2, 4, "ip", "b"), FoundName(0, 6, "host", "a"), FoundName(6, 8, "ip", "c")]
    assert list(merge_overlapping(found)) == [
        FoundName(0, 6, "host", "a"),
        FoundName(6, 8, "ip", "c"),
    ]


def test_places_that_overlap_in_a_text_leave_no_piece() -> None:
    assert redacted("password=!ops@quarry.example tail\n") == "password=secret-1 tail\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wlan0: SSID='Quarry Loft' ok", "wlan0: SSID='ssid-1' ok"),
        ('wlan0: essid:"Quarry Loft" ok', 'wlan0: essid:"ssid-1" ok'),
        ("(wifi) connection 'Quarry Loft' ok", "(wifi) connection 'ssid-1' ok"),
        ("busy: /dev/mapper/quarry-lv0", "busy: /dev/mapper/volume-1"),
        ("mounted /dev/quarry/lv0 on /mnt", "mounted /dev/volume-1/volume-2 on /mnt"),
        ("volume group \"quarry\" ok", 'volume group "volume-1" ok'),
        ("pool='quarry' state", "pool='volume-1' state"),
        ("BTRFS: device label quarry devid 1", "BTRFS: device label volume-1 devid 1"),
        ("mounting stone:/exports/quarry", "mounting host-1:volume-1"),
        ("CIFS: //stone/quarry$ gone", "CIFS: //host-1/volume-1 gone"),
    ],
)  # fmt: skip
def test_names_of_networks_and_of_storage_go(line: str, expected: str) -> None:
    assert redacted(f"{line}\n") == f"{expected}\n"


@pytest.mark.parametrize(
    "line", ["/dev/disk/by-path/x", "/dev/mapper/control", "/dev/sda1", "/dev/vg0x",
             "/dev/dri/card0", "volume group (empty)", "/dev/input/event3 and /dev/nvme0n1p2"],
)  # fmt: skip
def test_devices_of_every_machine_stay(line: str) -> None:
    assert redacted(f"{line}\n") == f"{line}\n"


CONTAINER = "9b1f6c0e3d7a48e2b5c4f8a1067d92e3b4c5d6e7f8091a2b3c4d5e6f708192a3"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"docker-{CONTAINER}.scope", "docker-container-1.scope"),
        (f"/docker/{CONTAINER}: x", "/docker/container-1: x"),
        ("container=4c1d77e09ab3 gone", "container=container-1 gone"),
        ("machine-qemu\\x2d3\\x2dquarry.scope", "machine-qemu\\x2d3\\x2dcontainer-1.scope"),
        ("guest=quarry,debug", "guest=container-1,debug"),
        ("user-1004.slice user@1004.service", "user-id-1.slice user@id-1.service"),
        ("session-14.scope run-u118.service", "session-id-1.scope run-uid-2.service"),
        (
            "vetha1b2c3d and veth0 and br-5b1c9e7d0f2a",
            "vethcontainer-1 and veth0 and br-container-2",
        ),
    ],
)
def test_containers_machines_and_sessions_go(line: str, expected: str) -> None:
    assert redacted(f"{line}\n") == f"{expected}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pass: 3 of 5", "pass: 3 of 5"),
        ("password: (null)", "password: (null)"),
        ("token: none", "token: none"),
        ("key: 0x1234", "key: 0x1234"),
        ("api_key=k3yV", "api_key=secret-1"),
        ("MY_TOKEN=abc", "MY_TOKEN=secret-1"),
        ("Bearer abcdefghijkl", "Bearer secret-1"),
        ("basic operation", "basic operation"),
        ("x AKIAQ7XJ2M4RN8VTLE5W x", "x secret-1 x"),
        ("x Zk8QmT4vXc1RyWn7Zk8QmT4vXc1RyWn7 x", "x secret-1 x"),
        ("_ZN4Zk8QmT4vXc1RyWn7Zk8QmT4vXc1RyWn7", "_ZN4Zk8QmT4vXc1RyWn7Zk8QmT4vXc1RyWn7"),
        ("x_Zk8QmT4vXc1RyWn7Zk8QmT4vXc1RyWn7", "x_Zk8QmT4vXc1RyWn7Zk8QmT4vXc1RyWn7"),
        ("of-a-long-word-in-small-letters-alone", "of-a-long-word-in-small-letters-alone"),
    ],
)
def test_a_secret_is_known_by_its_label_or_its_shape(line: str, expected: str) -> None:
    assert redacted(f"{line}\n") == f"{expected}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("saddr=0x0a5b0308 and 10.91.3.8", "saddr=0xip-1 and ip-1"),
        ("  1: 09022C0A:1F90 00000000:0000 0A 10.44.2.9", "  1: ip-1:1F90 00000000:0000 0A ip-1"),
        ("::ffff:10.44.2.9 x", "ip-1 x"),
        ("fe80::8e16:45ff:fe0a:bb71%eno1", "ip-1%eno1"),
        ("1:2:3:4:5:6:7:8 and 1:2:3", "ip-1 and 1:2:3"),
        ("TSC 1234567890ab", "TSC 1234567890ab"),
        ("ether 1234567890ab", "ether mac-1"),
        ("52 54 00 9c 17 e4", "52 54 00 9c 17 e4"),
        ("addr: 0a5b0308", "addr: 0a5b0308"),
    ],
)
def test_an_address_is_known_in_every_notation(line: str, expected: str) -> None:
    assert redacted(f"{line}\n") == f"{expected}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("see quarry.dev now", "see host-1 now"),
        ("see a.quarry.systems now", "see host-1 now"),
        ("see quarry.systems now", "see quarry.systems now"),
        ("quarry.dev+0x12/0x40", "quarry.dev+0x12/0x40"),
        ("call quarry.dev(1)", "call quarry.dev(1)"),
        (".data.rel.ro .quarry.dev", ".data.rel.ro .quarry.dev"),
        ("see docs.kernel.org now", "see docs.kernel.org now"),
        ("5.15.cloud x", "5.15.cloud x"),
    ],
)
def test_a_domain_is_known_by_its_end(line: str, expected: str) -> None:
    assert redacted(f"{line}\n") == f"{expected}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("login succeeded for username 'wren4'", "login succeeded for username 'user-1'"),
        ("connected user 'wren4' from here", "connected user 'user-1' from here"),
        ("Failed password for user wren4", "Failed password for user user-1"),
        ("bad page for userspace mapping", "bad page for userspace mapping"),
        ("Logical volume vgwren4/lake7 activated", "Logical volume volume-1/volume-2 activated"),
        ("multipathd[9]: lake7: path offline", "multipathd[9]: volume-1: path offline"),
        ("multipathd[9]: sdc: path offline", "multipathd[9]: sdc: path offline"),
        ("Serial Number: /3FQ8TR2/CN12963/", "Serial Number: serial-1/"),
        ("serial: /dev/ttyS0", "serial: /dev/ttyS0"),
        ("WWN:5-0014ee-2bb112233, FW:82.0", "WWN:id-1, FW:82.0"),
    ],
)
def test_a_name_is_told_from_the_words_of_its_label(line: str, expected: str) -> None:
    assert redacted(line) == expected


def test_what_a_label_told_once_goes_everywhere_with_the_same_number() -> None:
    said = redacted(
        "pool='quarry_7'\nSSID='Quarry Loft'\nof quarry_7 in the Quarry Loft, QUARRY_7\n"
    )
    assert said == "pool='volume-1'\nSSID='ssid-1'\nof volume-1 in the ssid-1, volume-1\n"


def test_a_short_or_common_name_goes_only_after_its_label() -> None:
    assert redacted("pool='tank'\na tank\n") == "pool='volume-1'\na tank\n"


def test_the_option_before_an_argument_is_its_label() -> None:
    events = session_of("")
    argv = ("mysql", "--password", "stone", "-pslate", "-u", "ann", "/home/ann/x")
    events.append(CommandDeclined(step="x", tool="x", argv=argv, risk=Risk.LOAD, reason="no"))
    events[2] = CommandStarted(number=1, step="check-logs", tool="dmesg", argv=argv)
    redaction = Redaction()
    said = redaction.events(events)
    assert "2 password or tokens in 4 places" in redaction.summary
    wanted = ("mysql", "--password", "secret-1", "-psecret-2", "-u", "user-1", "/home/user-1/x")
    assert isinstance(said[2], CommandStarted)
    assert isinstance(said[4], CommandDeclined)
    assert said[2].argv == said[4].argv == wanted


def test_a_key_of_many_lines_goes_and_the_lines_keep_their_numbers() -> None:
    body = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB\n" * 30
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}b3Bl\n-----END RSA PRIVATE KEY-----\n"
    said = redacted(f"one\n{key}last of all\n")
    assert "b3Bl" not in said
    assert said.count("\n") == key.count("\n") + 2
    assert said.splitlines()[33:] == ["-----END RSA PRIVATE KEY-----", "last of all"]


def test_it_says_how_many_of_each_kind_went_and_what_it_does_not_know() -> None:
    redaction = Redaction()
    redaction.events(
        session_of("pool='q1'\nSSID='a b'\nSSID='a b'\nguest=q2\nIMEI: 356938035643809\n")
    )
    for part in (
        "1 name of a disk, volume or share in 1 place",
        "1 network name in 2 places",
        "1 container or virtual machine in 1 place",
        "1 phone or SIM number in 1 place",
        "It does not know: names in free text without a label",
    ):
        assert part in redaction.summary


def test_what_is_found_again_is_found_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bound, places are not remembered between learning and replacing."""
    text = "user=ann7 from 10.1.2.3, 5254.00ab.cdef\n" * 3
    events = [*session_of(text), NoteWritten(step="x", text="ann7 525400abcdef")]
    once = Redaction().events(events)
    monkeypatch.setattr("pagefault_doctor.session.redact.redaction._MAX_KEPT_PLACES", -1)
    assert Redaction().events(events) == once


HOSTILE = (
    *("a@", "a.", "a.com.", ".", ":", "f::1", "0123456789abcdef", "aa:", "aa-", "1.2.3.4.", "\t"),
    *("user=", "password: ", "/home/", "//", "\\\\a", "~a", "Command line: a=b ", "by: a "),
    *("0f1e2d3c-4b5a-", "container ", "label=\"", "Subject: O=", "curl -u ", "A_", "eyJaaaa."),
    *("user ", "\\x2d", "  "),
    *("-----BEGIN RSA PRIVATE KEY-----", "fsid=a:", "podman name ", "x: ", "cn=", "$6$a", "é"),
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_for_one_long_line_grows_no_faster_than_the_line(piece: str) -> None:
    short, long = (
        min(_seconds(piece * (n // len(piece))) for _ in range(2)) for n in (5000, 40000)
    )
    # Eight times the text takes 64 times as long where the work grows with the square.
    assert long < max(short, 0.002) * 30


def _seconds(text: str) -> float:
    start = time.process_time()
    redacted(text)
    return time.process_time() - start


def test_a_session_of_many_names_takes_no_longer_for_each() -> None:
    author = "Author: Ann Q{0:x}q <ann{0:x}@q{0:x}.example> user=u{0:x}x\nAnn the Author\n"

    def seconds(count: int) -> float:
        return _seconds("".join(map(author.format, range(count))))

    few, many = seconds(200), seconds(1600)
    assert many < max(few, 0.002) * 30


def test_the_longer_of_two_overlapping_places_gives_the_kind() -> None:
    found = [FoundName(0, 4, "ip", "b"), FoundName(2, 9, "host", "a")]
    assert list(merge_overlapping(found)) == [FoundName(0, 9, "host", "a")]


def test_twelve_digits_are_an_address_once_it_is_seen_with_colons() -> None:
    assert redacted("at 535400abcdef\n") == "at 535400abcdef\n"
    said = redacted("at 535400abcdef\nfrom 53:54:00:ab:cd:ef\n")
    assert said == "at mac-1\nfrom mac-1\n"


def test_a_piece_of_an_address_is_no_name() -> None:
    assert redacted("host: fe80::1\nfe80 is a word\n") == "host: ip-1\nfe80 is a word\n"
