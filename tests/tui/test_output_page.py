"""How much of an output the page of outputs lays out."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.session.view import CommandRecord
from pagefault_doctor.tui.pages import output


def lefts(text: str, errors: str = "") -> list[str]:
    """Return the rows of one command with this output, as text."""
    command = Command(argv=("dmesg",), tool="dmesg")
    result = Result(command=command, status=ResultStatus.OVERFLOW, output=text, errors=errors)
    record = CommandRecord(number=1, step="first", command=command, consent="", result=result)
    return [row.left for row in output._record(record)]


def test_a_usual_output_is_whole() -> None:
    rows = lefts("one\ntwo \u00fc\n", "three\n")
    assert rows == ["$ dmesg", "1  one", "2  two \u00fc", "stderr: three"]


@pytest.mark.parametrize(
    "text",
    ["\\x1b[31m\U0001f600" * 1_400_000, ("\\x1b[31m\U0001f600" * 99 + "\n") * 14_000, "x" * 10**7],
    ids=["one line", "many lines", "ASCII"],
)
@pytest.mark.parametrize("stream", ["output", "errors"])
def test_of_a_flood_the_beginning_is_laid_out(text: str, stream: str) -> None:
    rows = lefts(text) if stream == "output" else lefts("", text)
    assert 200_000 < sum(map(len, rows)) < 4_200_000
    assert text.splitlines()[0][:500] in rows[1]
    if stream == "output":
        assert rows[-1].endswith("in the session file")


def test_the_last_line_that_is_cut_says_so() -> None:
    rows = lefts("short\n" + "x" * 10**7)
    assert rows[1] == "1  short"
    assert rows[-1] == "  the rest of this line is in the session file"
