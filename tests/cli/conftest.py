"""Fixtures of the tests of the command line."""

from session.small_walk import make_walk

__all__ = ("make_walk",)
