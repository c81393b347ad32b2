"""`pfdoctor`: find and run the subcommand, and print an error as one line."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Final, NoReturn, Protocol

from pagefault_doctor import __version__
from pagefault_doctor.cli.standard_streams import OutputError, install_harmless_streams
from pagefault_doctor.cli.unexpected_error import report_in_background, report_unexpected
from pagefault_doctor.model.errors import ExitCode, PfDoctorError
from pagefault_doctor.model.untrusted import clean_line

SUBCOMMANDS: Final = {
    "diagnose": "read kernel logs and say what happened and why",
    "decode": "print a log with the source line and the inlined callers of each frame",
    "run": "walk the playbook without a terminal UI: every command that only observes",
    "resume": "go on with a session after a drop, a kill or a reboot",
    "sessions": "list the sessions that were kept",
    "train": "walk through a real case with questions, recorded or live in the lab",
    "lab": "crash a module safely in a throw-away virtual machine",
    "preflight": "say which tools will work here, which will not, and the remedy",
    "playbook": "list, show and check playbooks",
    "known": "the book of known cases: is it known, is it harmless, where is it fixed",
    "report": "print the report of a session",
    "explain": "explain a root cause: how it shows, how it is fixed, how that is proven",
    "completion": "print a completion script for your shell",
}
"""Each subcommand with its help text; it is in `cli/NAME.py`."""

_EPILOG = """
Exit codes: 0 done, 1 failed while working, 2 usage, 3 something needed is missing or
not permitted, 130 interrupted.

Examples:
  pfdoctor                           the wizard, on this box
  pfdoctor --log /var/log/kern.log   the wizard, starting from a log
  dmesg | pfdoctor diagnose -        a diagnosis without a terminal UI
  pfdoctor train                     practise on a real case, offline
  pfdoctor --lab err-ptr             the wizard, on a virtual machine that really crashes
"""


class Subcommand(Protocol):
    """The functions of a module in `cli/` with a subcommand."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare options and arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Run the subcommand and return the exit code. Raises PfDoctorError."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `pfdoctor` with these arguments and return its exit code."""
    # Startup creates many objects and little garbage; frequent collections cost 4 % of its time.
    gc.set_threshold(50_000)
    # At exit the interpreter collects garbage several times, which costs 8 %; freezing avoids it.
    atexit.register(gc.freeze)
    words = list(sys.argv[1:] if argv is None else argv)
    install_harmless_streams()
    return _run_guarded(words)


def _import_msgspec() -> None:
    """Import msgspec without typing_extensions, whose import takes a third of pfdoctor's start.

    msgspec falls back to `typing`, which has all it needs from Python 3.11 on. Others, such as
    textual, can import it afterwards.
    """
    name = "typing_extensions"
    hidden = name not in sys.modules
    if hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        if hidden:
            del sys.modules[name]


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"pfdoctor {__version__}")
        return ExitCode.DONE
    _import_msgspec()
    _report_background_errors()
    if words and words[0] in SUBCOMMANDS:
        parser, subcommand = subcommand_parser(words[0])
        return subcommand.run(parser.parse_args(words[1:]))
    parser = wizard_parser()
    args = parser.parse_args(words)
    if args.unexpected:
        _reject_word(parser, args.unexpected[0])
    return _load_subcommand("wizard").run(args)


class _Parser(argparse.ArgumentParser):
    """A parser whose error messages are harmless, whatever argument they repeat."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with 2."""
        super().error(clean_line(message))


def wizard_parser() -> argparse.ArgumentParser:
    """Return the parser of the bare `pfdoctor`, whose help lists the subcommands."""
    width = max(map(len, SUBCOMMANDS))
    listed = "\n".join(f"  {name:{width}}  {text}" for name, text in SUBCOMMANDS.items())
    parser = _Parser(
        prog="pfdoctor",
        usage="pfdoctor [options] | pfdoctor SUBCOMMAND [options]",
        description="A guided troubleshooting wizard for Linux kernel page faults.\n"
        "Without a subcommand it starts the wizard on this box.\n\n"
        f"subcommands (pfdoctor SUBCOMMAND --help tells more):\n{listed}",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pfdoctor {__version__}")
    parser.add_argument("unexpected", nargs="*", help=argparse.SUPPRESS)
    _load_subcommand("wizard").add_arguments(parser)
    return parser


def subcommand_parser(name: str) -> tuple[argparse.ArgumentParser, Subcommand]:
    """Return the parser of one subcommand, and the subcommand."""
    subcommand = _load_subcommand(name)
    parser = _Parser(
        prog=f"pfdoctor {name}",
        description=SUBCOMMANDS[name][:1].upper() + SUBCOMMANDS[name][1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subcommand.add_arguments(parser)
    return parser, subcommand


def _load_subcommand(name: str) -> Subcommand:
    module: Subcommand = import_module(f"pagefault_doctor.cli.{name}")
    return module


def _reject_word(parser: argparse.ArgumentParser, word: str) -> NoReturn:
    from difflib import get_close_matches

    near = get_close_matches(word, SUBCOMMANDS, 1)
    hint = f"did you mean {near[0]}?" if near else "pfdoctor --help lists the subcommands"
    if os.path.exists(word):
        hint = f"to read a log: pfdoctor diagnose {word}"
    parser.error(f"there is no subcommand {word!r}; {hint}")


def _run_guarded(words: list[str]) -> int:
    """Run pfdoctor and return its exit code; any error is one line on standard error."""
    try:
        return _run_to_end(words)
    except PfDoctorError as error:
        print(f"pfdoctor: {clean_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except OutputError as error:
        if error.reader_left:
            # The reader (head, less) has what it wanted.
            return ExitCode.DONE
        print(f"pfdoctor: {error}", file=sys.stderr)
        return ExitCode.FAILED
    except KeyboardInterrupt:
        print("pfdoctor: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except Exception as error:
        return report_unexpected(error, words[0] if words and words[0] in SUBCOMMANDS else "wizard")
    finally:
        # A failure here would only repeat one that is told already.
        with suppress(OutputError):
            sys.stdout.flush()


def _run_to_end(words: list[str]) -> int:
    """Run pfdoctor until all of its output is written."""
    try:
        code = _dispatch(words)
    except SystemExit:
        # From argparse, after a help text.
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return code


def _report_background_errors() -> None:
    """Let threads and what runs at exit report an error in one line as well."""
    import threading

    # Where a test has hooks of its own, they stay.
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = report_in_background
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = report_in_background
