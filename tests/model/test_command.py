"""How a command is written for a person."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.model.command import Command

words = st.lists(st.text(st.characters(exclude_characters="\0"), max_size=12), min_size=1)


@given(words)
def test_a_shell_reads_back_the_very_words(argv: list[str]) -> None:
    assert shlex.split(Command(argv=tuple(argv), tool="test").text) == argv


def test_a_word_with_single_quotes_stays_readable() -> None:
    command = Command(argv=("gdb", "-ex", "info line *('f.cold'+0x35)"), tool="test")
    assert command.text == """gdb -ex "info line *('f.cold'+0x35)\""""


def test_what_a_shell_would_take_as_its_own_is_never_put_in_double_quotes() -> None:
    for word in ("'$(reboot)'", "'`id`'", "'\\n'", "'\"'", "'!!'"):
        assert not Command(argv=(word,), tool="test").text.startswith('"')
