"""The lines of keys and values that scripts print."""

from __future__ import annotations

import pytest

from pagefault_doctor.tools.key_value import all_values, first_values, number_in, pairs

OUTPUT = "size=12\nno pair\nsize=13\nempty=\npath = /a=b \nsize=12\n"


def test_a_line_without_a_value_is_passed_over_but_counted() -> None:
    assert list(pairs(OUTPUT))[1:3] == [("size", "13", 3), ("path ", "/a=b", 5)]


def test_the_first_value_counts_and_all_are_there_once() -> None:
    assert first_values(OUTPUT)["size"] == ("12", 1)
    assert all_values(OUTPUT, "size") == ("12", "13")


def test_modinfo_has_a_colon() -> None:
    assert first_values("parm:  count:how many (int)\n", ":") == {
        "parm": ("count:how many (int)", 1)
    }


@pytest.mark.parametrize("text", ["", "-1", "0x10", "\u0661", "9" * 19, "1 2"])
def test_what_is_no_number_of_64_bits_is_none(text: str) -> None:
    assert number_in(text) is None


def test_a_number_is_read() -> None:
    assert number_in("0042") == 42
