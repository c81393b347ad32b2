"""What Python 3.6 does not take of a program, as far as its syntax tree shows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

_OLDEST: Final = (3, 6)

_DOTTED: Final = frozenset(
    "__future__.annotations contextvars dataclasses functools.cache graphlib importlib.metadata "
    "importlib.resources math.comb math.prod shlex.join tomllib typing.Final typing.Literal "
    "typing.Protocol typing.TypedDict zoneinfo".split()
)
"""Modules, and names in modules, that came later."""

_NAMES: Final = frozenset(
    "aclosing aiter anext bit_count breakpoint cached_property fromisoformat hardlink_to isascii "
    "is_relative_to isqrt lcm monotonic_ns nullcontext pairwise perf_counter_ns randbytes "
    "reconfigure removeprefix removesuffix singledispatchmethod time_ns unparse with_stem".split()
)
"""Functions and methods that came later, whatever they are of."""

_KEYWORDS: Final = frozenset("capture_output dirs_exist_ok missing_ok strict text".split())
"""Arguments that came later, whatever the function."""

_BUILTINS: Final = frozenset("dict frozenset list set tuple type".split())
"""Types that cannot be indexed there."""


def newer(source: str) -> Iterator[str]:
    """Yield each thing that Python 3.6 lacks; what its grammar lacks is the first and only one."""
    try:
        tree = ast.parse(source, feature_version=_OLDEST)
    except SyntaxError as error:
        yield str(error)
        return
    for node in ast.walk(tree):
        if found := _newer(node):
            yield f"line {getattr(node, 'lineno', 0)}: {found}"


def _newer(node: ast.AST) -> str | None:
    match node:
        case ast.NamedExpr() | ast.Match() | ast.TryStar():
            return type(node).__name__
        case ast.arguments(posonlyargs=[_, *_]):
            return "positional-only arguments"
        case ast.Import(names=names) if late := _DOTTED & {each.name for each in names}:
            return f"import {late}"
        case ast.ImportFrom(module=str(module), names=names):
            dotted = {module, *(f"{module}.{each.name}" for each in names)}
            found = dotted & _DOTTED | {each.name for each in names} & _NAMES
            return f"import {found}" if found else None
        case ast.Attribute(value=ast.Name(id=module), attr=name) if f"{module}.{name}" in _DOTTED:
            return f"{module}.{name}"
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in _NAMES:
            return name
        case ast.Call(keywords=keywords) if late := _KEYWORDS & {k.arg or "" for k in keywords}:
            return f"argument {late}"
        case ast.Subscript(value=ast.Name(id=name)) if name in _BUILTINS:
            return f"{name}[...]"
        case ast.JoinedStr(values=values) if any(map(_names_itself, values, values[1:])):
            return 'f"{name=}"'
    return None


def _names_itself(before: ast.expr, value: ast.expr) -> bool:
    """Return whether these parts of a text are what `{value=}` is made into: `value=`, its repr."""
    match before, value:
        case ast.Constant(value=str(text)), ast.FormattedValue(value=shown, conversion=114):
            return text.replace(" ", "").endswith(f"{ast.unparse(shown).replace(' ', '')}=")
    return False
