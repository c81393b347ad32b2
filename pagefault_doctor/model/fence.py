"""Where the exception of one reader or rule ends, so that the others go on.

Text of a broken machine may bring up a mistake in our own code. Then one part is missing, its
absence is told, and the person still gets the rest. Tests set PFDOCTOR_STRICT, which lets such an
exception through: a fence is for what nobody thought of, not for what is known to fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

STRICT: Final = "PFDOCTOR_STRICT"
"""Environment variable that lets every exception through but UnreadableError."""

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F")


class UnreadableError(ValueError):
    """Text from outside is damaged: raised on purpose, for the fence around a reader."""


def fenced(
    failed: Callable[[Exception], F], work: Callable[P, T], *args: P.args, **options: P.kwargs
) -> T | F:
    """Return the result of the work, or what `failed` makes of its exception.

    Raises MemoryError, and with PFDOCTOR_STRICT every other exception that is a mistake.
    """
    try:
        return work(*args, **options)
    except UnreadableError as error:
        return failed(error)
    except MemoryError:
        raise
    except Exception as error:
        if os.environ.get(STRICT):
            raise
        return failed(error)
