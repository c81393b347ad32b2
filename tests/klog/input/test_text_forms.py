"""A report that went through a web page, a table, a chat or a camera reads like the report."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disguises.forms import FORMS
from pagefault_doctor import klog
from pagefault_doctor.klog.input import text_forms as forms
from pagefault_doctor.klog.input.text_forms import text_forms
from pagefault_doctor.klog.input.whole_lines import LONGEST, whole_lines

LOGS = Path(__file__).parents[1] / "logs"
PLAIN = sorted(LOGS.glob("*.log"))
OOPS = (LOGS / "x86_null_write.log").read_text()
EXACT = tuple(
    name
    for name in FORMS
    if not name.startswith(("cut", "OCR", "photo", "one line", "soft", "hard", "broadcasts alone"))
)
"""Forms of which nothing of the report is lost."""


def lines_of(text: str) -> list[str]:
    """Return the lines that are made of a text, without those that are empty."""
    data = [text.encode()]
    for form in text_forms(data[0]):
        data = [b"".join(form.decode(data))]
    return [line for line in data[0].decode().split("\n") if line.strip()]


def told(text: str) -> tuple[object, ...]:
    """Return what is read of the first report in a text."""
    report = klog.read(text.encode(), "x").reports[0]
    frames = tuple(frame.function for frame in report.frames)
    # FS stands behind two blanks and is read only where a form leaves one.
    registers = {name: value for name, value in report.registers.items() if name != "fs"}
    return report.title, report.function, report.module, report.code, registers, frames


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_log_as_the_kernel_prints_it_has_no_other_form(path: Path) -> None:
    assert not list(text_forms(path.read_bytes()[:65536]))


@pytest.mark.parametrize("form", EXACT)
def test_a_form_that_holds_all_of_a_report_changes_nothing_of_it(form: str) -> None:
    assert told(FORMS[form](OOPS)) == told(OOPS)


@pytest.mark.parametrize("form", ["one line", "one line, no clock", "photo", "OCR brackets"])
def test_a_form_that_mixes_lines_keeps_the_title_and_the_place(form: str) -> None:
    assert told(FORMS[form](OOPS))[:3] == told(OOPS)[:3]


FRAMES = ["Call Trace:", " <TASK>", " a+0x1/0x2 [m]", " b+0x1/0x2", " c+0x1/0x2", " </TASK>"]


def test_marks_of_the_kernel_are_no_tags() -> None:
    page = "".join(f"<p>{html.escape(line)}</p>\n" for line in [*FRAMES, "Code: 48 <0f> 0b"])
    assert lines_of(page) == [*FRAMES, "Code: 48 <0f> 0b"]
    plain = "\n".join([*FRAMES, "Code: 48 <0f> 0b", "x->y < z, a <b@c.example>"])
    assert not list(text_forms(plain.encode()))


def test_cells_of_a_row_are_kept_apart() -> None:
    rows = "".join(f"<tr><td>{n}</td><td>{line}</td></tr>" for n, line in enumerate(FRAMES))
    assert [line.split() for line in lines_of(rows)] == [line.split() for line in FRAMES]


@pytest.mark.parametrize("layout", [None, 2])
def test_fields_of_json_are_lines_in_any_layout(layout: int | None) -> None:
    told = {"hits": [{"_id": 7, "_source": {"host": "demo", "message": line}} for line in FRAMES]}
    assert lines_of(json.dumps(told, indent=layout)) == FRAMES


def test_json_without_lines_of_a_log_is_left_as_it_is() -> None:
    text = json.dumps({"name": "BUG: none", "size": 3})
    assert lines_of(text) == [text]


def test_a_column_of_a_table_is_found_by_its_name() -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["Message", "host"], *([f'{x}, "y"', "a"] for x in FRAMES)])
    assert lines_of(out.getvalue()) == ["Message", *(f'{x}, "y"' for x in FRAMES)]
    assert lines_of("a, b\nc, d\ne, f\ng, h\n") == ["a, b", "c, d", "e, f", "g, h"]


def test_a_long_line_of_one_message_stays_one() -> None:
    modules = "Modules linked in: " + " ".join(f"module_{n}(OE)" for n in range(200))
    code = "Code: " + "48 " * 200
    assert not list(text_forms(f"{modules}\n{code}\n".encode()))


def test_lines_that_were_joined_are_told_apart_and_said_to_be() -> None:
    log = klog.read(FORMS["one line, #012"](OOPS).encode(), "x")
    assert log.note == forms.APART
    assert log.lines > 20


DATED = [f"Nov 30 14:38:10 demo kernel: {line}" for line in [*FRAMES, "Code: 48", "CR2: 0018"]]


@pytest.mark.parametrize("between", [" ", "\\n", "\\r\\n", "#012"])
def test_dated_lines_are_told_apart_at_their_dates(between: str) -> None:
    assert lines_of(between.join(DATED)) == DATED
    clocked = [line.replace("kernel: ", "kernel: [    1.000001] ") for line in DATED]
    assert lines_of(between.join(clocked)) == clocked


def test_what_belongs_together_in_a_line_stays_together() -> None:
    trap = "traps: prog[81] general protection fault ip:5581 sp:7ffc error:0 in libc-2.32.so[5581]"
    warning = "WARNING: CPU: 1 PID: 7 at drivers/pfd.c:12 pfd_write+0x30/0x33 [pfd]"
    oops = "Oops: general protection fault, probably for non-canonical address 0x6b6b: 0000 [#1]"
    place = "RIP: 0010:pfd_write+0x30/0x33 [pfd]"
    said = [trap, warning, oops, place, "EIP: pfd_write+0x30/0x33 [pfd]", "Code: 48", "CR2: 0018"]
    assert lines_of(" ".join(said)) == said


EDAC = [f"EDAC MC0: {n} CE memory read error on DIMM_A{n}" for n in range(1, 9)]


def test_what_the_lines_of_a_driver_have_in_common_is_no_prefix() -> None:
    assert lines_of("\n".join(EDAC)) == EDAC


def test_what_another_program_says_does_not_become_the_kernels() -> None:
    said = [f"Nov 30 14:38:10 demo app[{n}]: {line.strip()}" for n, line in enumerate(FRAMES)]
    assert lines_of("\n".join(said)) == said
    filed = [f"/var/log/app.log:{line}" for line in said]
    assert lines_of("\n".join(filed)) == said


@pytest.mark.parametrize("mark", ["- ", "3. ", "* ", "// ", "[14:38] <alex> ", "12 | "])
def test_marks_before_every_line_of_a_short_text_are_left_out(mark: str) -> None:
    said = ["prog[81]: segfault at 8 ip 00005581 sp 00007ffc error 4 in prog[5581+1000]"] * 2
    assert lines_of("\n".join(mark + line for line in said)) == said
    assert lines_of(f"{mark}{said[0]}\n{said[1]}") == [f"{mark}{said[0]}", said[1]]


def test_a_broadcast_is_no_second_report_and_counts_where_it_is_alone() -> None:
    both = klog.read(FORMS["broadcasts between"](OOPS).encode(), "x")
    assert len(both.reports) == 1
    said = "Message from syslogd@demo at Nov 30 14:38:10 ...\n kernel:Oops: 0002 [#1] SMP\n"
    assert lines_of(said) == ["Oops: 0002 [#1] SMP"]
    assert lines_of(f"[    1.000000] Oops: 0002 [#1] SMP\n{said}") == [
        "[    1.000000] Oops: 0002 [#1] SMP"
    ]


def test_frames_of_a_recursion_are_no_doubled_lines() -> None:
    nested = [*FRAMES[:3], *[" nest+0x10/0x20 [m]"] * 40, *FRAMES[3:]]
    assert lines_of("\n".join(nested)) == nested
    assert lines_of("".join(f"{line}\n{line}\n" for line in nested)) == nested


def test_the_letter_o_is_a_zero_only_where_a_picture_was_read() -> None:
    assert lines_of("1.000001  a+Ox1f/Ox20\n") == ["[1.000001]  a+0x1f/0x20"]
    assert lines_of("cmd Ox60 tag Oxff\n") == ["cmd 0x60 tag 0xff"]
    assert lines_of("an Ox is no ox\n1.000001 x\n") == ["an Ox is no ox", "1.000001 x"]


def test_the_sign_of_a_product_is_the_letter_of_a_number() -> None:
    assert lines_of("EIP is at demo_add+0\u00d783/0\u00d7d7\n") == ["EIP is at demo_add+0x83/0xd7"]


def test_letters_of_a_language_stay() -> None:
    assert lines_of("größer, 漢字\n") == ["größer, 漢字"]
    assert lines_of("\ufeffa\u00a0b\u200b \u201cc\u201d\n") == ['a b "c"']


def test_forms_within_forms_are_read_from_the_outside_in() -> None:
    quoted = FORMS["quoted |"](FORMS["HTML table"](OOPS))
    assert told(quoted) == told(OOPS)
    assert told(FORMS["CRLF"](FORMS["JSON docker"](FORMS["listing"](OOPS)))) == told(OOPS)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_are_whole_however_they_come(size: int) -> None:
    text = OOPS.encode() + b"x" * 3000
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    assert list(whole_lines(pieces)) == text.splitlines(keepends=True)
    assert [len(part) for part in whole_lines([b"x" * (LONGEST + 5)])] == [LONGEST, 5]


@pytest.mark.parametrize("form", [n for n in FORMS if n not in ("CR", "twice", "login")])
@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_bytes_in_any_form_are_read(form: str, data: bytes, at: int) -> None:
    text = FORMS[form](OOPS).encode()
    klog.read(text[:at] + data + text[at:], "x")


HOSTILE: dict[str, Callable[[int], str]] = {
    "tags": lambda n: "<br>" * n + "<" * n,
    "entities": lambda n: "&#1" * n + "&lt;" * n,
    "JSON": lambda n: '{"msg": "' + '\\"' * n + '"msg":' * n,
    "a table": lambda n: "a,message\n" + '"' * n + ",\n" * n,
    "one line": lambda n: "RIP: " * n + " [    1.000000] a" * n,
    "blanks": lambda n: (" " * n + "x\n") * 4 + "a" * n,
    "prefixes": lambda n: ("0 " * 60 + "BUG: \n") * n,
    "a picture": lambda n: "a+Ox1 " * n,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_with_the_size_of_hostile_text(kind: str) -> None:
    for form in text_forms(HOSTILE[kind](8000).encode()[:65536]):
        b"".join(form.decode([HOSTILE[kind](200_000).encode()]))
