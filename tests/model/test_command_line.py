"""Command lines that a person types: argument lists, or lines for a shell."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.command_line import argv_of


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("rmmod wobble", ("rmmod", "wobble")),
        ("sh -c 'echo 1 > /proc/wobble'", ("sh", "-c", "echo 1 > /proc/wobble")),
        ('printf "a|b; $c"', ("printf", "a|b; $c")),
        (r"printf a\;b", ("printf", "a;b")),
        (r'printf "a\">b"', ("printf", 'a">b')),
        ("  ", ()),
    ],
)
def test_a_line_without_signs_of_a_shell_is_an_argument_list(
    line: str, argv: tuple[str, ...]
) -> None:
    assert argv_of(line) == argv


@pytest.mark.parametrize(
    "line",
    [
        "echo 1 > /proc/wobble",
        "ls /proc | cat",
        "rmmod wobble && sleep 3",
        "echo 1; echo 2",
        "echo $HOME",
        "echo `id`",
        "cat /sys/class/net/*/mtu",
        "printf 'a b' >/proc/wobble",
    ],
)
def test_a_line_with_such_a_sign_outside_quotes_is_for_a_shell(line: str) -> None:
    assert argv_of(f" {line}\n") == ("sh", "-c", line)


@pytest.mark.parametrize("line", ["echo '1", "echo 1 > 'x", "echo \\"])
def test_quotes_that_do_not_match_are_told(line: str) -> None:
    with pytest.raises(ValueError, match="No"):
        argv_of(line)
