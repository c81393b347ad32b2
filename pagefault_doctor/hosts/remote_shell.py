"""A command as one text for the shell of another machine, whichever shell that is.

sshd hands a text to the login shell there: sh, bash, fish, csh. Ours is the same for every
command but for its words, and these hold only characters that mean nothing to any shell within
single quotes; all others are written in octal, for printf(1). So nothing that comes from a log or
a name is ever shell text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pagefault_doctor.model.command import Command

LONGEST: Final = 120_000
"""Bytes of a text; Linux takes 128 KiB for one argument (MAX_ARG_STRLEN, linux/binfmts.h)."""

_PLAIN: Final = frozenset(map(chr, range(0x20, 0x7F))) - frozenset("'\\!")
"""Characters that stay themselves in single quotes everywhere. csh would expand `!`."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_SCRIPT: Final = " ".join(
    (
        # Descriptor 3 is the line to us: its end means that we are gone, or want an end.
        "exec 3<&0 </dev/null;",
        'd() { v=$(printf %b. "$1"); v=${v%.}; };',
        'd "$1"; dir=$v; d "$2"; in=$v; n=$3; shift 3;',
        'while [ $n -gt 0 ]; do d "$1"; export "$v"; shift; n=$((n-1)); done;',
        'n=$#; while [ $n -gt 0 ]; do d "$1"; shift; set -- "$@" "$v"; n=$((n-1)); done;',
        "PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH;",
        'cd -- "$dir" || exit 126;',
        'command -v -- "$1" >/dev/null 2>&1 || { echo "$1: not found" >&2; exit 127; };',
        # A session of its own makes a group that can be ended as a whole.
        "s=; command -v setsid >/dev/null 2>&1 && s=setsid;",
        'printf %s "$in" | $s "$@" 3<&- & c=$!; exec 2>/dev/null;',
        'e() { kill -s "$1" -- "-$c" || kill -s "$1" "$c"; };',
        "{ read -r x <&3; e TERM; sleep 2; e KILL; } >/dev/null 2>&1 & g=$!;",
        "wait $c; r=$?; kill $g; e TERM; exit $r",
    )
)


_ON_TERMINAL: Final = " ".join(
    (
        'd() { v=$(printf %b. "$1"); v=${v%.}; };',
        'd "$1"; dir=$v; n=$3; shift 3;',
        'while [ $n -gt 0 ]; do d "$1"; export "$v"; shift; n=$((n-1)); done;',
        'n=$#; while [ $n -gt 0 ]; do d "$1"; shift; set -- "$@" "$v"; n=$((n-1)); done;',
        "PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin; export PATH;",
        'cd -- "$dir" || exit 126;',
        'exec "$@"',
    )
)
"""For a command that keeps the terminal it gets there, and ends with it (SIGHUP)."""


def terminal_text(command: Command, env: Mapping[str, str]) -> str:
    """Return the text that runs a command on the terminal of that shell; else as `remote_text`."""
    return _text(_ON_TERMINAL, command, env)


def remote_text(command: Command, env: Mapping[str, str]) -> str:
    """Return the text that runs a command in a POSIX shell there, with this added environment.

    It ends the command, with all its children, when its standard input ends. Raises ValueError
    for what cannot be handed over: no program, a NUL, text that is not valid, too much of it.
    """
    return _text(_SCRIPT, command, env)


def _text(script: str, command: Command, env: Mapping[str, str]) -> str:
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
    text = f"exec /bin/sh -c '{script}' pfdoctor {' '.join(quoted)}"
    if len(text) > LONGEST:
        raise ValueError("the command and its input are too long for another machine")
    return text


def was_not_found(command: Command, exit_code: int | None, errors: str) -> bool:
    """Return whether the remote shell had no such program."""
    return exit_code == 127 and errors.strip() == f"{command.words[0]}: not found"


def _quoted(word: str) -> str:
    if _PLAIN.issuperset(word):
        return f"'{word}'"
    return "'" + "".join(map(_octal, word)) + "'"


def _octal(char: str) -> str:
    if char in _PLAIN:
        return char
    return "".join(f"\\0{byte:03o}" for byte in char.encode())
