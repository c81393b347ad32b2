"""A log whose lines a mail program or a terminal broke reads like the log."""

from __future__ import annotations

import textwrap
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
