"""A command that a tool plans, and its result."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

SUDO: Final = ("sudo", "-n", "--")
"""sudo that fails where it would have to ask for a password (sudo(8))."""
SUDO_ASKING: Final = ("sudo", "--")
"""sudo that asks for the password itself, on its terminal."""
_SPECIAL: Final = '"$`\\!'
"""Characters with a meaning in double quotes (POSIX, Shell Command Language, 2.2.3), and `!`,
which interactive shells expand."""


class Risk(StrEnum):
    """What a command may do to the machine, mildest first."""

    READ = "read"
    LOAD = "load"
    CHANGE = "change"
    CRASH = "crash"

    @property
    def rank(self) -> int:
        """Position in the order of harm, 0 for `read`."""
        return tuple(Risk).index(self)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """An argument list to run, never shell text.

    `timeout` is in seconds, `output_limit` in bytes for each of the two streams. `why` is the
    purpose, `undo` how to revert a change. `stdin` is its standard input. An `interactive` command
    (an editor) needs the terminal. With `as_root`, sudo starts it; with `asks`, that sudo asks for
    a password, for which it needs the terminal too.
    """

    argv: tuple[str, ...]
    tool: str
    why: str = ""
    risk: Risk = Risk.READ
    timeout: float = 30.0
    # Kernel logs of a busy machine reach a few MB; more than 16 MB is a flood.
    output_limit: int = 16 << 20
    stdin: str = ""
    # The root folder always exists, and keeps no file system busy that the person may unmount.
    cwd: str = "/"
    env: dict[str, str] = {}
    undo: str = ""
    interactive: bool = False
    edited: bool = False
    as_root: bool = False
    asks: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are started: the arguments, after those of sudo where it is needed."""
        if not self.as_root:
            return self.argv
        return (*(SUDO_ASKING if self.asks else SUDO), *self.argv)

    @property
    def text(self) -> str:
        """The command as a person would type it, quoted for a POSIX shell."""
        return typed(self.words)

    @property
    def line(self) -> str:
        """The command on one line: a script in it is shown by its length."""
        return " ".join(
            f"'(script, {word.count(chr(10)) + 1} lines)'" if "\n" in word else quoted(word)
            for word in self.words
        )


def quoted(word: str) -> str:
    """Return a word as a POSIX shell reads it; in double quotes where it holds single ones.

    `shlex.quote` writes a single quote as `'"'"'`, which is hard to read.
    """
    plain = "'" in word and not any(sign in word for sign in _SPECIAL)
    return f'"{word}"' if plain else shlex.quote(word)


def typed(words: Iterable[str]) -> str:
    """Return words as a person would type them to a POSIX shell."""
    return " ".join(map(quoted, words))


class ResultStatus(StrEnum):
    """How a command ended; `lost` means that the connection to its machine ended before it did."""

    OK = "ok"
    FAILED = "failed"
    SIGNALED = "signaled"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    MISSING = "missing"
    REFUSED = "refused"
    OVERFLOW = "overflow"
    LOST = "lost"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The output and the exit of a command.

    `output` and `errors` are its standard output and error, already made harmless. `exit_code`
    follows the shell: 128 + signal where a signal ended it, None where it never started.
    `overflow` means that it was stopped at its output limit. `seconds` is wall-clock time.
    """

    command: Command
    status: ResultStatus
    exit_code: int | None = None
    output: str = ""
    errors: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it ran and exited with 0."""
        return self.status is ResultStatus.OK

    @property
    def said_anything(self) -> bool:
        """Whether there is output to read, even if the command failed."""
        return bool(self.output.strip())


class Blocked(msgspec.Struct, frozen=True):
    """Why a tool cannot be used here, and what would unblock it."""

    reason: str
    remedy: str
