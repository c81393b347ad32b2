"""A YAML document as plain data, with the line and column of every value.

Only what a playbook needs of YAML is accepted: mappings, lists, text, numbers, true and false.
Tags, anchors, aliases, merge keys and duplicate keys are refused, and so are large or deep
documents.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import yaml

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line, is_clean
from pagefault_doctor.playbook.problem import PlaybookError, Problem

SIZE_LIMIT: Final = 256 * 1024
"""Largest document, in bytes."""

_DEPTH_LIMIT: Final = 32
# The C loader is several times faster; distributions may build PyYAML without it.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STEP = regex(r"\.([^.\[]+)|\[(\d+)\]")
_TAG: Final = "tag:yaml.org,2002:"


class Document(msgspec.Struct, frozen=True):
    """A document that was read: its data, and its nodes, which know the line of each value."""

    source: str
    data: Any
    root: yaml.Node

    def problem(self, path: str, message: str, key: str = "") -> Problem:
        """Return a problem at the value of a path such as `$.steps[0].id`, or at a key within it.

        Where the path does not exist, the problem is at its last existing part.
        """
        node = self.root
        for name, index in _STEP.findall(path):
            inner = _child(node, name, index)
            if inner is None:
                break
            node = inner
        if isinstance(node, yaml.MappingNode):
            node = next((k for k, _ in node.value if k.value == key), node)
        return _at(node.start_mark, path, message)


def parse(text: str, source: str) -> Document:
    """Return the document in the text; raises PlaybookError where it is not acceptable YAML."""
    try:
        _refuse_hostile(text)
        # `compose` builds nodes only; `_value` constructs plain data from them.
        node = yaml.compose(text, Loader=_LOADER)
        if node is None:
            raise _Refused(Problem(1, 1, "$", "the file is empty; start it with `schema: 1`"))
        return Document(source, _value(node, "$"), node)
    except _Refused as refused:
        raise PlaybookError(source, (refused.problem,)) from None
    except yaml.MarkedYAMLError as error:
        raise PlaybookError(source, (_syntax(error),)) from None
    except yaml.YAMLError:
        message = "the file is not readable as YAML; save it as UTF-8 text"
        raise PlaybookError(source, (Problem(1, 1, "$", message),)) from None


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _refuse_hostile(text: str) -> None:
    """Refuse what would be dangerous to compose, by the flat stream of events."""
    if len(text.encode("utf-8", "surrogatepass")) > SIZE_LIMIT:
        message = f"the file is larger than {SIZE_LIMIT // 1024} kB; split it"
        raise _Refused(Problem(1, 1, "$", message))
    for number, line in enumerate(text.split("\n"), 1):
        if column := _column_of_control(line):
            message = "a control or bidi character; remove it, or write what it stands for in words"
            raise _Refused(Problem(number, column, "$", message))
    depth = 0
    # Events come one by one and need no memory, so a billion-laughs document is refused before
    # anything is built from it.
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            message = "anchors and aliases are not allowed; write the value out"
            raise _Refused(_at(event.start_mark, "$", message))
        if getattr(event, "tag", None):
            raise _Refused(_at(event.start_mark, "$", "tags are not allowed; remove it"))
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH_LIMIT:
            message = f"nested more than {_DEPTH_LIMIT} deep; make it flatter"
            raise _Refused(_at(event.start_mark, "$", message))


def _column_of_control(line: str) -> int:
    """Return the column of the first character unfit for YAML or a terminal, 0 for none."""
    if is_clean(line) and not yaml.reader.Reader.NON_PRINTABLE.search(line):
        return 0
    bad = yaml.reader.Reader.NON_PRINTABLE.search
    return next(i for i, char in enumerate(line, 1) if not is_clean(char) or bad(char))


def _value(node: yaml.Node, path: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
    return _scalar(node, path)


def _mapping(node: yaml.MappingNode, path: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
            message = "a key must be plain text; put it in quotes if it is meant"
            raise _Refused(_at(key.start_mark, path, message))
        name = _scalar(key, path)
        # PyYAML would let the last of two equal keys win, which hides a mistake.
        if name in made:
            message = f"`{name}` is given twice; remove one"
            raise _Refused(_at(key.start_mark, path, message))
        made[name] = _value(value, f"{path}.{name}")
    return made


def _scalar(node: yaml.Node, path: str) -> Any:
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return yaml.SafeLoader.bool_values[text.lower()]
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError:
            message = f"`{text[:40]}` is not a plain number; put text in quotes"
            raise _Refused(_at(node.start_mark, path, message)) from None
    if not is_clean(text):
        message = "the text holds a control or bidi character; remove the escape"
        raise _Refused(_at(node.start_mark, path, message))
    return text


def _child(node: yaml.Node, name: str, index: str) -> yaml.Node | None:
    if name and isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
        item: yaml.Node = node.value[int(index)]
        return item
    return None


def _at(mark: Any, path: str, message: str) -> Problem:
    return Problem(mark.line + 1, mark.column + 1, clean_line(path), clean_line(message))


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = ", ".join(part for part in (error.context, error.problem) if part)
    message = f"not valid YAML: {what}; check the indentation and the quotes"
    return _at(mark, "$", message) if mark else Problem(1, 1, "$", message)
