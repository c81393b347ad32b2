"""A property is worked out once for each object, and like any other found on its class."""

from __future__ import annotations

import msgspec

from pagefault_doctor.model.once import once


class Square(msgspec.Struct, frozen=True, dict=True):
    """Has an area that is not known before it is asked for."""

    side: int
    asked: list[int]

    @once
    def area(self) -> int:
        """The area."""
        self.asked.append(self.side)
        return self.side * self.side


def test_each_object_works_it_out_once() -> None:
    asked: list[int] = []
    squares = [Square(2, asked), Square(3, asked)]
    assert [square.area for square in (*squares, *squares)] == [4, 9, 4, 9]
    assert asked == [2, 3]


def test_what_fails_is_tried_again() -> None:
    class Door:
        tried = 0

        @once
        def opened(self) -> bool:
            self.tried += 1
            return bool(1 // (self.tried - 1))

    door = Door()
    for _ in range(3):
        try:
            assert door.opened
        except ZeroDivisionError:
            assert door.tried == 1
    assert door.tried == 2
