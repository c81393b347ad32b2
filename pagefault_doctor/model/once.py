"""A property that is worked out once, when it is first asked for.

`functools.cached_property` of Python 3.11 takes a lock each time that it works something out, which
3.12 has dropped. A report has dozens of such properties, most of which take less time than a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):
    """Decorates a method as a property whose value the object keeps; it has to have a `__dict__`.

    Of two threads that ask at once, both may work it out.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self._name = work.__name__
        self.__doc__ = work.__doc__

    def __get__(self, owner: Any, _: type) -> T:
        # Python asks only where the object itself has no such attribute.
        value = owner.__dict__[self._name] = self._work(owner)
        return value
