"""What one line tells is taken out of the others; what is ambiguous stays."""

from __future__ import annotations

import pytest

from session.redact.sessions import redacted


@pytest.mark.parametrize(
    ("told", "elsewhere", "expected"),
    [
        ("pool='tank1'", "of tank1 only", "of tank1 only"),
        ("Serial Number: QUARRYSTONE", "a QUARRYSTONE here", "a QUARRYSTONE here"),
        ("Serial Number: QX7712", "a qx7712 here", "a serial-1 here"),
        ("connection 'Quarry Loft'", "the QUARRY LOFT here", "the ssid-1 here"),
        ("IMEI: 356938035643809", "of 356938035643809", "of phone-1"),
        ("user=nadine", r"ACME\nadine came", r"ACME\user-1 came"),
        ("user=nadine", "nadine, Nadine and nadines", "user-1, Nadine and nadines"),
        ("host=stone4", "stone4, STONE4 and stone41", "host-1, host-1 and stone41"),
        ("host=s4.quarry.example", "s4 s4.quarry.example", "host-1 host-1"),
        ("on s4.a.example, s4.b.example", "s4.a.example s4.b.example", "host-1 host-2"),
        ("host=s4.quarry.zzz", "s9.quarry.zzz", "host-2"),
        ("Modules linked in: pfd_d1(O)\npool='pfd_d1'", "pfd_d1 faults", "pfd_d1 faults"),
        ("Comm: badger\nuser=badger", "badger faults", "badger faults"),
        ("demo_read+0x1/0x9 [demo]\nuser=read", "demo_read and x.read", "demo_read and x.read"),
        ("user=ab", "Code: 12 ab 34", "Code: 12 ab 34"),
    ],
)
def test_what_one_line_tells_is_looked_for_in_the_others(
    told: str, elsewhere: str, expected: str
) -> None:
    assert redacted(f"{told}\n{elsewhere}\n").splitlines()[-1] == expected


def test_in_the_same_place_escapes_are_no_part_of_a_name() -> None:
    assert redacted("user=jo7n and \\x1b[31mjo7n\\x1b[0m, x\\njo7n, jo7n%40q.example\n") == (
        "user=user-1 and \\x1b[31muser-1\\x1b[0m, x\\nuser-1, mail-1\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        *(
            "lookup failed: x",
            "the peer disconnected",
            "connect refused",
            "10.1.2.3 connection lost",
        ),
        *("kernel image: vmlinuz-6.1.0-18-amd64", "caused by: insmod", "Commit: 1a2b3c4d fix"),
        *(
            "To: whom",
            "12:34:56 modprobe started",
            "dead beef insmod",
            "sort -u insmod",
            "cn=insmod",
        ),
        *(
            "10.1.2.3 connection lost",
            "page_owner=insmod",
            "volume group insmod",
            "label=insmod",
            "container insmod",
        ),
    ],
)
def test_an_ordinary_word_after_a_label_is_not_taken_out_of_the_rest(line: str) -> None:
    rest = "failed disconnected refused connection lost insmod modprobe started fix whom beef\n"
    rest += "vmlinuz-6.1.0-18-amd64 1a2b3c4d\n"
    assert redacted(f"{line}\n{rest}").endswith(rest)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("8.8.4.4 and firmware 8.8.4.4 and v8.8.4.4", "ip-1 and firmware 8.8.4.4 and v8.8.4.4"),
        ("version 10.1.2.3", "version ip-1"),
        ("8be4df61-93ca-11d2-aa0d-00e098032b8c", "8be4df61-93ca-11d2-aa0d-00e098032b8c"),
        ("127.0.0.1 and 0.0.0.0 and 300.1.1.1", "127.0.0.1 and 0.0.0.0 and 300.1.1.1"),
        ("MD5:" + ":".join(["3f", "8a"] * 8), "MD5:id-1"),
        ("signature: " + ":".join(["3f", "8a"] * 8), "signature: " + ":".join(["3f", "8a"] * 8)),
        ("key z:2001:db8::5", "key z:ip-1"),
        ("0000000000000000001024c0ffffffff", "0000000000000000001024c0ffffffff"),
        ("5d3c1c8f9a6b4f0f8a7c6d5e4f3a2b1c", "id-1"),
        ("podc1b2a3d4_5e6f_4a1b_9c8d_7e6f5a4b3c2d", "podid-1"),
        ("ac1b2a3d4-5e6f-4a1b-9c8d-7e6f5a4b3c2d", "ac1b2a3d4-5e6f-4a1b-9c8d-7e6f5a4b3c2d"),
        ("SerialNumber=3 and Serial: 8250/16550", "SerialNumber=3 and Serial: 8250/16550"),
        ("x@lists.debian.org ops@quarry.example", "x@lists.debian.org mail-1"),
        ("getty@tty1.service and spi@fe204000", "getty@tty1.service and spi@fe204000"),
        ("cpu@one and ann@one7", "cpu@one and user-1@host-1"),
        ("x.ann@one7 /ben@two8", "user-1@host-1 /ben@two8"),
        ("Loaded X.509 cert 'Quarry: 12'", "Loaded X.509 cert 'org-1'"),
        ("Loaded X.509 cert 'Debian CA'", "Loaded X.509 cert 'Debian CA'"),
        ("subject: O=Quarry, OU=Debian", "subject: O=org-1, OU=Debian"),
    ],
)
def test_a_form_alone_decides_only_where_it_is_clear(line: str, expected: str) -> None:
    assert redacted(f"{line}\n") == f"{expected}\n"
