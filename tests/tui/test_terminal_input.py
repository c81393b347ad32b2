"""What a terminal may send: any bytes, cut anywhere, and no byte ends the reading."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.events import Key, MouseDown, Paste, Resize
from textual.message import Message

from pagefault_doctor.tui import terminal_input
from pagefault_doctor.tui.terminal_input import TerminalInput

FRAGMENTS = (
    *(
        b"\x1b",
        b"\x1b[",
        b"\x1bO",
        b"\x1b]",
        b"\x1bP",
        b"\x1b\\",
        b"\x07",
        b"\x00",
        b"\xfc",
        b"\xe2",
    ),
    *(b"\x1b[A", b"\x1b[1;5C", b"\x1b[99999999u", b"\x1b[97;1;99999999u", b"\x1b[55296;;55296u"),
    *(b"\x1b[<0;5;5M", b"\x1b[<0;-5;99999999999m", b"\x1b[M !!", b"\x1b[M\x00", b"\x1b[35;4;5M"),
    *(b"\x1b[48;0;0;0;0t", b"\x1b[48;999999999;999999999;1;1t", b"\x1b[9;9R", b"\x1b[?2048;1$y"),
    *(b"\x1b[200~", b"\x1b[201~", b"\x1b[20", b"\x1b[I", b"\x1b[O", b"\x1b[[A", b"\x1b[3$", b"q"),
    *("\x1b[\u0663\u0663u".encode(), "\U0001f600".encode(), b"\r", b"\x11\x13", b"\x9b1u"),
)
NOISE = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=5)), max_size=12)


def shown(messages: Iterable[Message]) -> list[str]:
    """Return the messages in a form that can be compared."""
    return [
        repr(each.text) if isinstance(each, Paste) else repr(each)
        for each in messages
        if not isinstance(each, Key) or each.character is None or each.character.isprintable()
    ]


def keys(*pieces: bytes, pause: float = 60.0) -> list[str]:
    """Return the names of the keys in what comes piece by piece, and then nothing more."""
    terminal = TerminalInput()
    messages = [each for piece in pieces for each in terminal.feed(piece)]
    messages += terminal.pause(pause)
    return [each.key for each in messages if isinstance(each, Key)]


@given(NOISE)
def test_no_noise_ends_the_reading_and_the_next_key_counts(noise: list[bytes]) -> None:
    terminal = TerminalInput()
    for piece in noise:
        assert not any(isinstance(each, Resize) for each in terminal.feed(piece))
    list(terminal.pause(60.0))
    assert [each.key for each in terminal.feed(b"q") if isinstance(each, Key)][-1:] == ["q"]


@given(NOISE, st.data())
def test_where_the_stream_is_cut_makes_no_difference(
    noise: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(noise)
    at = data.draw(st.integers(0, len(stream)))
    whole, cut = TerminalInput(), TerminalInput()
    expected = [*whole.feed(stream), *whole.pause(60.0)]
    assert shown([*cut.feed(stream[:at]), *cut.feed(stream[at:]), *cut.pause(60.0)]) == shown(
        expected
    )


@pytest.mark.parametrize(
    ("sequence", "names"),
    [
        (b"\x1b", ["escape"]),
        (b"\x1b\x1b", ["escape", "escape"]),
        (b"\x1bq", ["escape", "q"]),
        (b"\x1b[", ["escape", "left_square_bracket"]),
        (b"\x1b[1;", []),
        (b"\x1b]11;rgb:ff", []),
        (b"\x1b[A", ["up"]),
        (b"\x1bOP", ["f1"]),
        (b"\x1b[[B", ["f2"]),
        (b"\x1bf", ["ctrl+right"]),
        ("\u00fc".encode(), ["\u00fc"]),
        (b"\xfcq", ["\ufffd", "q"]),
    ],
)
def test_keys_are_told_from_noise(sequence: bytes, names: list[str]) -> None:
    assert [name.replace("replacement_character", "\ufffd") for name in keys(sequence)] == names


@pytest.mark.parametrize(
    "bad",
    [
        *(b"\x1b[99999999u", b"\x1b[97;1;99999999u", b"\x1b[" + b"9" * 60 + b"u"),
        *(b"\x1b[48;0;0;0;0t\x1b[<0;5;5M", b"\x1b[12;\x1b]0;title\x07", b"\x1bP>|XTerm(380)\x1b\\"),
    ],
)
def test_a_report_that_cannot_be_read_is_lost_alone(bad: bytes) -> None:
    assert keys(b"a" + bad + b"b") == ["a", "b"]


def test_a_report_of_the_size_moves_no_mouse() -> None:
    terminal = TerminalInput()
    messages = [*terminal.feed(b"\x1b[48;24;80;2400;8000t\x1b[<0;6;4M")]
    assert [(each.x, each.y) for each in messages if isinstance(each, MouseDown)] == [(5, 3)]
    assert len(messages) == 1


def test_every_sequence_of_a_key_is_known_as_one() -> None:
    """But those of rxvt that end like the beginning of others, and Alt with a letter or digit."""
    long = [key for key in ANSI_SEQUENCES_KEYS if key.startswith("\x1b") and len(key) > 2]
    unknown = [key for key in long if not terminal_input._SEQUENCE.fullmatch(key)]
    assert len(long) > 200
    assert [key for key in unknown if not key.endswith("$")] == []


@pytest.mark.parametrize("cut", range(1, 24))
def test_nothing_in_a_paste_is_a_key(cut: int) -> None:
    stream = b"\x1b[200~q\r\x1b[31m\x1bq\x1b[A\x03\x1b[201~"
    terminal = TerminalInput()
    messages = [*terminal.feed(stream[:cut]), *terminal.feed(stream[cut:])]
    assert [each.text for each in messages if isinstance(each, Paste)] == [
        "q\r\x1b[31m\x1bq\x1b[A\x03"
    ]
    assert len(messages) == 1


def test_a_paste_whose_end_is_lost_ends_by_itself() -> None:
    terminal = TerminalInput()
    assert list(terminal.feed(b"\x1b[200~abc\x1b[20")) == []
    assert list(terminal.pause(0.5)) == []
    (paste,) = terminal.pause(10.0)
    assert isinstance(paste, Paste)
    assert paste.text == "abc\x1b[20"
    assert [each.key for each in terminal.feed(b"q") if isinstance(each, Key)] == ["q"]


def test_an_unmarked_paste_is_no_keys() -> None:
    terminal = TerminalInput()
    log = b"quit\r" * 100
    assert list(terminal.feed(log)) == list(terminal.feed(b"\x1b[31mq\r")) == []
    (paste,) = terminal.pause(1.0)
    assert isinstance(paste, Paste)
    assert paste.text == (log + b"\x1b[31mq\r").decode()


COLOURED = b"\x1b[31mq\r\x1b[0my\x1b[A\x1b" * 200


def test_an_unmarked_paste_with_escapes_is_no_keys_either() -> None:
    terminal = TerminalInput()
    pasted = COLOURED + b"\x1b[201~q\r" + COLOURED
    pieces = [pasted[at : at + 4095] for at in range(0, len(pasted), 4095)]
    assert [each for piece in pieces for each in terminal.feed(piece)] == []
    (paste,) = terminal.pause(1.0)
    assert isinstance(paste, Paste)
    assert paste.text == pasted.decode()
    assert [each.key for each in terminal.feed(b"q") if isinstance(each, Key)] == ["q"]


def test_an_unmarked_paste_right_after_a_marked_one_is_no_keys() -> None:
    terminal = TerminalInput()
    (marked,) = terminal.feed(b"\x1b[200~a\x1b[201~" + COLOURED)
    (unmarked,) = terminal.pause(1.0)
    assert isinstance(marked, Paste)
    assert isinstance(unmarked, Paste)
    assert (marked.text, unmarked.text) == ("a", COLOURED.decode())


@pytest.mark.parametrize(
    "reply", [b"\x1b]52;c;" + b"QUJD" * 200, b"\x1bP>|" + b"x" * 800 + b"\x1b"]
)
def test_a_long_reply_that_is_not_whole_yet_is_no_paste(reply: bytes) -> None:
    terminal = TerminalInput()
    messages = [*terminal.feed(b"a" + reply), *terminal.feed(b"\x1b\\b"[reply.endswith(b"\x1b") :])]
    assert [each.key for each in messages if isinstance(each, Key)] == ["a", "b"]


def test_a_paste_without_end_is_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_input, "MOST_PASTED", 10_000)
    terminal = TerminalInput()
    list(terminal.feed(b"\x1b[200~"))
    for _ in range(50):
        list(terminal.feed(b"\x1b[31m" * 800))
    (paste,) = terminal.feed(b"\x1b[201~")
    assert isinstance(paste, Paste)
    assert paste.text == "\x1b[31m" * 2000


@pytest.mark.parametrize("flood", [b"\x1b", b"\x1b[A", b"\x1b[<35;9;9M", b"\x1b[31m"])
def test_of_a_flood_of_sequences_the_first_are_obeyed(flood: bytes) -> None:
    assert len([*TerminalInput().feed(flood * 1000)]) <= 64
