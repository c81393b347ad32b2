"""Every subcommand with arguments that make it do its usual work; a new one joins by itself."""

from __future__ import annotations

from pagefault_doctor.cli.main import SUBCOMMANDS

LOG = "LOG"
"""Stands for the path of a kernel log with an oops."""

_WORK: dict[str, tuple[tuple[str, ...], ...]] = {
    "diagnose": ((LOG,), ("--json", LOG), ("--markdown", LOG)),
    "decode": ((LOG,), ("--json", LOG)),
    "run": (("--log", LOG),),
    "train": (("null-deref-module",),),
    "lab": (("list",), ("run", "null-deref-module", "--module", LOG)),
    "playbook": (("list",), ("check", LOG)),
    "known": (("list",), ("show", "unknown-symbol"), ("check",)),
    "report": (
        *((), ("--format", "html"), ("--format", "md"), ("--format", "json")),
        ("--for-tracker",),
    ),
    "sessions": ((), ("--json",)),
    "explain": (("null-deref",),),
    "completion": (("bash",),),
}

WIZARD = ("--log", LOG)
"""Arguments of the bare `pfdoctor`."""

EACH: tuple[tuple[str, ...], ...] = (
    WIZARD,
    *((name, *words) for name in SUBCOMMANDS for words in _WORK.get(name, ((),))),
)
"""The words after `pfdoctor`, with LOG where a log is to be named."""

FIRST_OF_EACH = tuple({words[0]: words for words in reversed(EACH)}.values())
"""One of them for each subcommand, and for none."""


def named(words: tuple[str, ...], log: object) -> list[str]:
    """Return the words with the path of the log in place of LOG."""
    return [str(log) if word == LOG else word for word in words]
