"""A log whose lines a mail program or a terminal broke reads like the log."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor import klog
from pagefault_doctor.klog.input import text_forms
from pagefault_doctor.klog.input.wrapped import unwrapped, wrap_of

LOGS = Path(__file__).parents[1] / "logs"
NAMES = ("x86_null_write", "arm64_poison", "kasan_gpf", "riscv", "ppc64", "slub_redzone")


def softly(text: str, width: int, quote: str = "") -> str:
    lines = (
        textwrap.wrap(line, width, drop_whitespace=True, break_long_words=False) or [""]
        for line in text.splitlines()
    )
    return "".join(f"{quote}{part}\n" for parts in lines for part in parts)


def hard(text: str, width: int) -> str:
    return "".join(
        f"{line[at : at + width]}\n"
        for line in text.splitlines()
        for at in range(0, max(len(line), 1), width)
    )


def told(text: str) -> list[tuple[str, str | None, str | None, str | None]]:
    reports = klog.read(text.encode(), "x").reports
    return [(r.title, r.function, r.module, r.code) for r in reports]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [72, 78, 80])
@pytest.mark.parametrize("quote", ["", "> ", ">> "])
def test_lines_that_a_mail_program_broke(name: str, width: int, quote: str) -> None:
    text = (LOGS / f"{name}.log").read_text()
    assert told(softly(text, width, quote)) == told(text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [72, 80])
def test_lines_that_a_terminal_broke(name: str, width: int) -> None:
    text = (LOGS / f"{name}.log").read_text()
    assert told(hard(text, width)) == told(text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [72, 78, 80])
@pytest.mark.parametrize("broken", [softly, hard])
def test_lines_without_a_clock_that_were_broken(
    name: str, width: int, broken: Callable[[str, int], str]
) -> None:
    text = re.sub(
        r"^\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? ", "", (LOGS / f"{name}.log").read_text(), flags=re.M
    )
    assert told(broken(text, width))[0][:3] == told(text)[0][:3]


TIMES = ["[    1.000001]", "[Mon Nov 30 14:38:10 2026]", "[  +0,000004]", "2026-11-30T14:38:10"]


@pytest.mark.parametrize("time", [*TIMES, "Nov 30 14:38:10.123456 demo kernel:"])
def test_a_line_goes_on_whatever_time_lines_have(time: str) -> None:
    whole = [f"{time} {'word ' * n}end" for n in (12, 18, 14, 25)]
    text = softly("\n".join(whole), 72)
    wrap = wrap_of(text.encode())
    assert wrap
    assert b"".join(unwrapped([text.encode()], wrap)).split() == " ".join(whole).encode().split()
    lines = [line for line in b"".join(unwrapped([text.encode()], wrap)).split(b"\n") if line]
    assert lines == [line.encode() for line in whole]


def test_what_has_to_follow_is_no_line_of_its_own() -> None:
    line = "WARNING: CPU: 1 PID: 7 at drivers/a_long_name_of_a_file.c:12 a_function+0x1/0x2"
    text = softly(f"{line}\n" * 3, 72).encode()
    wrap = wrap_of(text)
    assert wrap
    assert b"".join(unwrapped([text], wrap)).split(b"\n")[::2] == [line.encode()] * 3 + [b""]


@pytest.mark.parametrize("fence", ["```", "~~~", "```text"])
def test_the_fence_around_a_line_is_no_part_of_it(fence: str) -> None:
    line = "RIP: 0010:demo_probe_the_card+0x1f3/0x560 [demo_parport]"
    assert wrap_of(f"{fence}\n{line}\n{fence[:3]}\n".encode()) is None
    assert wrap_of(f"{fence}\n{line}\nand_more\n{fence[:3]}\n".encode()) is not None


def test_lines_of_drivers_are_not_joined() -> None:
    text = "".join(
        f"demo {n}-1: a message that is nearly as long as the longest line{'.' * n}\n"
        for n in range(9)
    )
    assert wrap_of(text.encode()) is None


def test_the_lines_after_a_broken_one_keep_their_numbers() -> None:
    text = softly((LOGS / "x86_null_write.log").read_text(), 72)
    log = klog.read(text.encode(), "x")
    number = text[: text.index("Call Trace")].count("\n") + 1
    assert (log.lines, log.note) == (text.count("\n"), text_forms.JOINED)
    assert log.reports[0].frames[-1].line is not None
    assert log.reports[0].frames[-1].line > number


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.log")), ids=lambda path: path.stem)
def test_a_log_as_the_kernel_prints_it_is_not_broken(path: Path) -> None:
    assert wrap_of(path.read_bytes()[:65536]) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    broken = softly((LOGS / "x86_null_write.log").read_text(), 72).encode() + data
    wrap = wrap_of(broken)
    if wrap:
        assert b"".join(unwrapped([broken], wrap)).count(b"\n") == broken.count(b"\n")
    klog.read(broken, "x")
