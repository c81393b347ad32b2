"""Taint flags against the table in Documentation/admin-guide/tainted-kernels.rst."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.taint import FLAGS, letters

TABLE = "P0 F1 S2 R3 M4 B5 U6 D7 A8 W9 C10 I11 O12 E13 L14 K15 X16 T17 N18"


@pytest.mark.parametrize("row", TABLE.split())
def test_each_bit_has_the_letter_that_the_kernel_prints(row: str) -> None:
    assert letters(1 << int(row[1:])) == (row[0],)


def test_flags_are_in_the_order_of_their_bits() -> None:
    assert [flag.bit for flag in FLAGS] == sorted({flag.bit for flag in FLAGS})
    assert letters((1 << 12) | 1 | (1 << 9)) == ("P", "W", "O")
    assert letters(0) == ()
