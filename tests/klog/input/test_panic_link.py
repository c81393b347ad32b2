"""The link of the kernel's panic screen, and what systemd keeps of pstore in the journal."""

from __future__ import annotations

import json
import random
import zlib

import pytest

from pagefault_doctor import klog
from pagefault_doctor.klog.input import panic_link
from pagefault_doctor.model.report import Kind

OOPS = b"""BUG: kernel NULL pointer dereference, address: 0000000000000018
Oops: 0000 [#1] PREEMPT SMP
CPU: 0 PID: 731 Comm: cat Not tainted 6.14.0 #1
RIP: 0010:quay_poll+0x24/0x90 [quay]
Call Trace:
 vfs_read+0x9f/0x190
 ksys_read+0x6b/0xf0
Kernel panic - not syncing: Fatal exception
"""
DIGITS = (0, 3, 5, 8, 10, 13, 15, 17)


def in_blocks(data: bytes) -> str:
    parts = (data[i : i + 7] for i in range(0, len(data), 7))
    return "".join(f"{int.from_bytes(part, 'little'):0{DIGITS[len(part)]}}" for part in parts)


def in_bits(data: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 13)
    return "".join(f"{int(bits[i : i + 13], 2):04}" for i in range(0, len(bits), 13))


LINKS = [
    "https://panic.example/#?a=x86_64&v=6.14.0&zl=" + in_blocks(zlib.compress(OOPS)),
    "https://panic.example/#?a=x86_64&v=6.14.0&z=" + in_blocks(zlib.compress(OOPS)),
    "https://panic.example/#?a=x86_64&v=6.10.0&z=" + in_bits(zlib.compress(OOPS)),
]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("around", ["{}", "my screen says\n{}\nwhat now?\n", "see {} please"])
def test_the_log_in_the_link_of_a_panic_screen_is_read(link: str, around: str) -> None:
    log = klog.read(around.format(link).encode(), "paste")
    assert [(r.kind, r.function, r.module) for r in log.reports] == [
        (Kind.NULL_POINTER, "quay_poll", "quay")
    ]
    assert "panic screen" in (log.note or "")


def test_of_a_link_that_was_cut_off_its_beginning_is_read() -> None:
    noise = random.Random(1).randbytes(600).hex().encode()
    link = "https://panic.example/#?zl=" + in_blocks(zlib.compress(OOPS + noise))
    (report,) = klog.read(link[:-300].encode(), "paste").reports
    assert report.function == "quay_poll"


@pytest.mark.parametrize(
    "text",
    [
        b"https://shop.example/?z=12345678901234567890123456789012345678901234567890\n",
        b"https://shop.example/?z=" + b"9" * 5000,
        b"https://shop.example/#?zl=" + b"0" * 5000,
        b"z=" + b"1" * 50,
    ],
)
def test_other_numbers_in_a_link_are_left_alone(text: bytes) -> None:
    assert not panic_link.has_link(text)
    assert b"".join(panic_link.unpacked([text])).replace(b"\n", b"") == text.replace(b"\n", b"")


def test_what_is_unpacked_is_bounded() -> None:
    link = b"https://panic.example/#?zl=" + in_blocks(zlib.compress(bytes(1 << 26), 9)).encode()
    assert sum(map(len, panic_link.unpacked([link[:20000]]))) <= 1 << 19


def entry(part: int, text: bytes) -> dict[str, str]:
    record = b"Panic#1 Part%d\n%b" % (part, text)
    return {"MESSAGE": "PStore dmesg-efi-1", "SYSLOG_IDENTIFIER": "systemd-pstore",
            "_TRANSPORT": "journal", "FILE": record.decode()}  # fmt: skip


HALF = OOPS.index(b"RIP")
STORED = [entry(1, OOPS[HALF:]), entry(2, OOPS[:HALF])]


def exported(fields: dict[str, str]) -> bytes:
    found = b"__CURSOR=x\n"
    for name, value in fields.items():
        data = value.encode()
        length = len(data).to_bytes(8, "little")
        found += name.encode() + (
            b"\n" + length + data + b"\n" if "\n" in value else b"=" + data + b"\n"
        )
    return found + b"\n"


@pytest.mark.parametrize(
    "journal",
    [
        b"".join(json.dumps(fields).encode() + b"\n" for fields in STORED),
        b"".join(map(exported, STORED)),
    ],
    ids=["json", "export"],
)
def test_records_of_pstore_in_the_journal_are_put_together(journal: bytes) -> None:
    (report,) = klog.read(journal, "journal").reports
    assert (report.kind, report.function) == (Kind.NULL_POINTER, "quay_poll")


def test_a_field_of_another_program_with_that_name_is_no_record() -> None:
    fields = STORED[0] | {"FILE": OOPS.decode()}
    assert klog.read(json.dumps(fields).encode() + b"\n", "journal").reports == ()
