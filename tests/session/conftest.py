"""Fixtures of the session tests."""

from session.small_walk import make_walk

__all__ = ("make_walk",)
