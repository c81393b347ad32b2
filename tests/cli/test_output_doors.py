"""Whatever a field, an argument or a variable holds, no command prints what a terminal obeys."""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import pagefault_doctor
from cli.each_subcommand import EACH, named
from forbidden import SEQUENCES, forbidden_in
from pagefault_doctor.cli.main import SUBCOMMANDS, main, subcommand_parser, wizard_parser
from pagefault_doctor.cli.standard_streams import HarmlessStream
from pagefault_doctor.model.event import Event
from pagefault_doctor.session.store import sessions_folder
from tools.example_reports import BOOT, OOPS

FORGED = "FORGED"
"""A line of its own, if a newline gets through."""
HOSTILE = "".join(SEQUENCES) + f"\n{FORGED}\n{FORGED}\n"
ARGUMENT = HOSTILE.replace("\0", "")
"""No argument and no name of a file holds a NUL."""
SOURCE = Path(pagefault_doctor.__file__).parent
CODES = (0, 1, 2, 3)


def printed(*words: str) -> tuple[int, str, str]:
    """Return the exit code of a command and what it printed on both streams."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def check_harmless(*words: str, forged: bool = True) -> None:
    """Check a command's code and output; `forged` is whether a line may not be forged there."""
    code, out, err = printed(*words)
    assert code in CODES
    assert not forbidden_in(out + err), words
    assert "Traceback" not in err
    lines = [*(out.splitlines() if forged else []), *err.splitlines()]
    assert FORGED not in lines, words


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "kern.log"
    log.write_text(BOOT + OOPS)
    return log


# Every field of every event.

KNOWN: dict[str, Any] = {
    "playbook": "kernel-page-fault", "step": "check-logs", "tool": "dmesg", "schema": 1,
    "scenario": "null-deref-module", "id": "s1",
}  # fmt: skip
"""Fields that must be right for a session to be read to its end."""


def example(kind: msgspec.inspect.Type, name: str = "") -> Any:
    """Return a value of that type, as JSON has it, with each table and list filled."""
    if name in KNOWN:
        return KNOWN[name]
    match kind:
        case msgspec.inspect.StructType(cls=cls, fields=fields, tag_field=tag_field, tag=tag):
            value = {f.encode_name: example(f.type, f.encode_name) for f in fields}
            return value | ({tag_field: tag} if tag_field else {})
        case msgspec.inspect.UnionType(types=types):
            return example(next(t for t in types if not isinstance(t, msgspec.inspect.NoneType)))
        case msgspec.inspect.VarTupleType(item_type=item):
            return [example(item)]
        case msgspec.inspect.TupleType(item_types=items):
            return [example(item) for item in items]
        case msgspec.inspect.DictType(key_type=key, value_type=value_type):
            return {example(key): example(value_type)}
        case msgspec.inspect.EnumType(cls=cls):
            return next(iter(cls)).value
        case msgspec.inspect.LiteralType(values=values):
            return values[0]
        case msgspec.inspect.BoolType():
            return False
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return 1
        case _:
            # A number too, where the text must be one.
            return "0x1"


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each text and number in a value."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from ((key, *way) for way in places(each))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from ((at, *way) for way in places(each))
    else:
        yield ()


def with_value(value: Any, way: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of the value with something else at that place."""
    if not way:
        return new
    copy = value.copy()
    copy[way[0]] = with_value(value[way[0]], way[1:], new)
    return copy


EVENTS = {event.__struct_config__.tag: event for event in get_args(Event)}
EXAMPLES = {tag: example(msgspec.inspect.type_info(event)) for tag, event in EVENTS.items()}
READERS = (
    ("sessions",), ("sessions", "--json"), ("resume", "s1"), ("report", "s1"),
    ("report", "s1", "--format", "html"), ("report", "s1", "--format", "json"),
    ("report", "s1", "--redact"),
)  # fmt: skip
FIELDS = [
    pytest.param(tag, way, id=f"{tag}-{'.'.join(map(str, way))}")
    for tag, value in EXAMPLES.items()
    for way in places(value)
]


def keep(events: dict[str, Any]) -> None:
    """Write a session of these events, in the order of the union."""
    folder = sessions_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s1.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events.values()))


def test_the_session_of_these_tests_is_read_to_its_end() -> None:
    keep(EXAMPLES)
    assert printed("report", "s1")[0] == 0
    assert set(EVENTS) == set(EXAMPLES)
    assert len(FIELDS) > 100


@pytest.mark.parametrize(("tag", "way"), FIELDS)
def test_no_field_of_an_event_is_obeyed_or_forges_a_line(tag: str, way: tuple[Any, ...]) -> None:
    keep(EXAMPLES | {tag: with_value(EXAMPLES[tag], way, HOSTILE)})
    for words in READERS:
        check_harmless(*words, forged="html" not in words)


@pytest.mark.parametrize("number", [1e300, -1e300, 1e18, -1, 2**62])
def test_no_number_in_an_event_ends_in_a_trace(number: float) -> None:
    for tag, value in EXAMPLES.items():
        for way in places(value):
            keep(EXAMPLES | {tag: with_value(value, way, number)})
            for words in READERS[:1] + READERS[3:4] + READERS[5:6]:
                check_harmless(*words)


def test_a_time_that_no_calendar_has_is_told_as_unknown() -> None:
    keep(EXAMPLES | {"session-started": EXAMPLES["session-started"] | {"at": 1e300}})
    for words in (("sessions",), ("report", "s1")):
        code, out, _ = printed(*words)
        assert code == 0
        assert "at an unknown time" in out


# Every argument of every subcommand.


def parsers(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[Any]:
    """Yield a parser and those of its own subcommands, each with the words that lead there."""
    yield pytest.param(words, parser, id=" ".join(words) or "none")
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from parsers(inner, (*words, name))


PARSERS = [
    *parsers(wizard_parser(), ()),
    *(p for name in SUBCOMMANDS for p in parsers(subcommand_parser(name)[0], (name,))),
]


@pytest.mark.parametrize(("words", "parser"), PARSERS)
def test_no_argument_is_obeyed_or_forges_a_line(
    words: tuple[str, ...], parser: argparse.ArgumentParser
) -> None:
    missing = f"/nowhere/{ARGUMENT}"
    for each in (ARGUMENT, missing, f"--{ARGUMENT}", f"-{ARGUMENT}"):
        check_harmless(*words, each)
    for action in parser._actions:
        if action.option_strings and action.nargs != 0:
            check_harmless(*words, action.option_strings[-1], ARGUMENT, missing)


# Every variable.

VARIABLES = (
    "HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "EDITOR", "VISUAL", "PAGER",
    "TERM", "LANG", "LC_ALL", "COLUMNS", "LINES", "TZ", "USER", "LOGNAME", "SUDO_USER", "SHELL",
    "TMPDIR", "PFDOCTOR_TRACEBACK", "NO_COLOR", "DEBUGINFOD_URLS", "SSH_AUTH_SOCK", "MAKEFLAGS",
)  # fmt: skip


@pytest.mark.parametrize("words", EACH, ids=" ".join)
def test_no_variable_is_obeyed_or_forges_a_line(
    words: tuple[str, ...], log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        folder = name.endswith("HOME") or name == "TMPDIR"
        monkeypatch.setenv(name, f"{tmp_path}/{ARGUMENT}" if folder else ARGUMENT)
    check_harmless(*named(words, log))


@pytest.mark.parametrize("words", EACH, ids=" ".join)
def test_no_name_of_a_file_is_obeyed_or_forges_a_line(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    log = tmp_path / ARGUMENT.replace("/", "")
    log.write_text((BOOT + OOPS).replace("Comm: insmod", f"Comm: {SEQUENCES[0]}"))
    check_harmless(*named(words, log))


# What does not pass a function of ours.


def test_a_warning_a_thread_and_a_usage_error_pass_the_same_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        main(["--version"])
        assert isinstance(sys.stdout, HarmlessStream)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            monkeypatch.setattr(warnings, "showwarning", lambda *a, **k: sys.stderr.write(str(a)))
            warnings.warn(HOSTILE, stacklevel=1)
        argparse.ArgumentParser(prog=HOSTILE).print_usage(sys.stderr)
        sys.stdout.writelines([HOSTILE])
        print(HOSTILE, HOSTILE, file=sys.stdout, sep="\x1b")
    assert not forbidden_in(out.getvalue() + err.getvalue())
    assert FORGED in out.getvalue()


PAST_THE_STREAMS = re.compile(r"sys\.__std|std(out|err)\.buffer|os\.write\(|\bprint\(")
WAYS_OUT = {
    "cli/main.py": 4,  # the version, and errors once nothing else may fail
    "cli/stderr.py": 5,  # messages; whether the wizard has its terminal
    "cli/unexpected_error.py": 1,
    "cli/run.py": 1,  # progress
    "hosts/": 1,  # to the guard shell, and sudo's question on the terminal
    "session/": 1,  # session files
    "tui/": 4,  # the wizard's own terminal
    "lab/gdb_script.py": 4,  # runs in gdb
    "tools/scripts/": 99,  # run on the host
}


def test_nothing_else_writes_to_the_standard_streams() -> None:
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        found = PAST_THE_STREAMS.findall(path.read_text())
        allowed = next((n for start, n in WAYS_OUT.items() if name.startswith(start)), 0)
        assert len(found) <= allowed, (name, found)
