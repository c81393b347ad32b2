"""A command as one text for the shell of another machine, whichever shell that is.

sshd passes a text to the login shell there: sh, bash, fish, csh. Ours is the same for every command
except for its arguments, and these hold only characters that no shell interprets in single quotes;
all others are written in octal, for printf(1). So nothing from a log or a name is ever shell text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pagefault_doctor.hosts.marked import VARIABLE, new_mark
from pagefault_doctor.hosts.script import script
from pagefault_doctor.model.command import Command

LONGEST: Final = 120_000
"""Bytes of the longest text; Linux allows 128 KiB an argument (MAX_ARG_STRLEN, linux/binfmts.h)."""

_PLAIN: Final = frozenset(map(chr, range(0x20, 0x7F))) - frozenset("'\\!")
"""Characters that every shell leaves alone in single quotes. csh would expand `!`."""

_RUN: Final = ("hosts/remote_words.sh", "hosts/end_marked.sh", "hosts/remote_run.sh")

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def terminal_text(command: Command, env: Mapping[str, str]) -> str:
    """Return the text that runs a command on that shell's terminal; otherwise as `remote_text`.

    The command keeps that terminal, and ends with it (SIGHUP).
    """
    return _text(f'{_one_line("hosts/remote_words.sh")} exec "$@"', command, env)


def remote_text(command: Command, env: Mapping[str, str]) -> str:
    """Return the text that runs a command in a POSIX shell there, with this added environment.

    The script ends the command and all its children when its standard input ends: its group, and
    who has the mark in its environment (`marked.py`). That needs /proc, grep and a process of the
    same user; setsid for the group. Raises ValueError for a command that cannot be sent: no
    program, a NUL, invalid text, or too long.
    """
    return _text(_one_line(*_RUN), command, dict(env) | {VARIABLE: new_mark()})


def _one_line(*paths: str) -> str:
    """Return scripts on one line, without comments; csh has no quotes over several lines."""
    lines = script(*paths).splitlines()
    return " ".join(line for line in lines if not line.startswith("#"))


def _text(program: str, command: Command, env: Mapping[str, str]) -> str:
    added = dict(env) | command.env
    words = (
        command.cwd,
        command.stdin,
        *(f"{name}={value}" for name, value in added.items()),
        *command.words,
    )
    if not command.argv or not command.argv[0]:
        raise ValueError("there is no program to run")
    if any("\0" in word for word in words):
        raise ValueError("a NUL character cannot be part of a command")
    if not all(map(_NAME.fullmatch, added)):
        raise ValueError("the name of an environment variable is not valid")
    head, tail = words[:2], words[2:]
    try:
        quoted = (*map(_quoted, head), str(len(added)), *map(_quoted, tail))
    except UnicodeEncodeError:
        raise ValueError("a command must be valid text") from None
    text = f"exec /bin/sh -c '{program}' pfdoctor {' '.join(quoted)}"
    if len(text) > LONGEST:
        raise ValueError("the command and its input are too long for another machine")
    return text


def was_not_found(command: Command, exit_code: int | None, errors: str) -> bool:
    """Return whether the remote machine has no such program, by the message of our script."""
    return exit_code == 127 and errors.strip() == f"{command.words[0]}: not found"


def _quoted(word: str) -> str:
    if _PLAIN.issuperset(word):
        return f"'{word}'"
    return "'" + "".join(map(_octal, word)) + "'"


def _octal(char: str) -> str:
    if char in _PLAIN:
        return char
    return "".join(f"\\0{byte:03o}" for byte in char.encode())
