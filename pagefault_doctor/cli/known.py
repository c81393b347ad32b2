"""`pfdoctor known`: the book of known cases: list, show, add, ignore, remove and check entries."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor.cli.known_files import remove_entry, report_in, write_entry
from pagefault_doctor.cli.stderr import print_message
from pagefault_doctor.cli.stdout import print_document, print_line
from pagefault_doctor.model.errors import ExitCode, MissingError, UsageError
from pagefault_doctor.model.known_entry import Entry, Match
from pagefault_doctor.model.signature import signature, without_noise
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.playbook.known_book import KnownBook, Shelved, read_book, users_folder
from pagefault_doctor.playbook.problem import nearest
from pagefault_doctor.report.block import Block, Heading, Items, Paragraph, Verbatim
from pagefault_doctor.report.text import render

_NEEDS: Final = {
    "show": "an id, which pfdoctor known list names",
    "add": "a log or a signature",
    "ignore": "an id, a log or a signature",
    "remove": "an id",
}
_EPILOG: Final = """
A case is one that you, your machine's administrator or pfdoctor knows: what it is, where
it is fixed, whether it is harmless. diagnose, run, reports and the wizard name it.

Examples:
  dmesg | pfdoctor diagnose -           no fault? then: which lines are known and harmless
  pfdoctor known list nvidia            entries with that word
  pfdoctor known show ubsan-flexible-array
  pfdoctor known add oops.log --says "the old demo driver" --fixed-in "demo 2.1"
  pfdoctor known ignore oops.log --reason "a test machine" ; --exit-code leaves it out
  pfdoctor known ignore hpet-lost --reason "virtual machine"
  pfdoctor known remove demo-read-demo
  pfdoctor known check team.yaml        mistakes with their lines; none: every file of the book

Entries are YAML. Yours are in ~/.config/pfdoctor/known/, those of the machine in
/etc/pfdoctor/known/; both count before the bundled ones. Only your own folder is written to.
An entry has an id, match (signature, phrase, kind, function, module, root_cause, subsystem,
arch, kernel: {since, before}; * stands for anything; all that is given must hold), says, do,
command, harmless, fixed_in, source, ticket, ignore, example and other.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options and arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("action", choices=(*_ACTIONS,), help="what to do")
    parser.add_argument(
        "names", nargs="*", metavar="ID|LOG|SIGNATURE|FILE|WORD", help="what to do it with"
    )
    parser.add_argument("--json", action="store_true", help="list and show: as JSON")
    entry = parser.add_argument_group("the entry that add and ignore write")
    entry.add_argument("--reason", metavar="TEXT", help="why it does not count (ignore)")
    entry.add_argument("--says", metavar="TEXT", help="what it is, in a sentence (add)")
    entry.add_argument("--id", metavar="ID", help="default: made from the signature")
    entry.add_argument("--do", metavar="TEXT", default="", help="what to do about it")
    entry.add_argument("--fixed-in", metavar="VERSION", default="", help="who no longer has it")
    entry.add_argument("--ticket", metavar="TEXT", default="", help="where it is tracked")
    entry.add_argument("--harmless", action="store_true", help="it does not hurt")


def run(args: argparse.Namespace) -> int:
    """Run the action and return the exit code."""
    if args.action in _NEEDS and not args.names:
        raise UsageError(f"known {args.action} needs {_NEEDS[args.action]}")
    return _ACTIONS[args.action](args)


def _list(args: argparse.Namespace) -> ExitCode:
    book = _book()
    shown = [each for each in book.shelved if _has_words(each.entry, args.names)]
    if args.json:
        _print_json([_document(each) for each in shown])
        return ExitCode.DONE
    if not shown:
        print_message(f"no entry has {' '.join(args.names)}" if args.names else "the book is empty")
    width = max((len(each.entry.id) for each in shown), default=0)
    for each in shown:
        marks = [name for name, on in _marks(each) if on]
        print_line(f"{each.entry.id:{width}}  {', '.join(marks):9}  {_one(each.entry.says)}")
    return ExitCode.DONE


def _show(args: argparse.Namespace) -> ExitCode:
    book = _book()
    found = [_find(book, name) for name in args.names]
    if args.json:
        _print_json([_document(each) for each in found])
        return ExitCode.DONE
    for each in found:
        print_document(render(_blocks(each)))
    return ExitCode.DONE


def _add(args: argparse.Namespace) -> ExitCode:
    if not args.says:
        raise UsageError("known add needs --says TEXT: what it is, in a sentence")
    target = _target(args.names[0])
    entry = Entry(
        id=args.id or id_of(target),
        match=Match(signature=target),
        says=args.says,
        do=args.do,
        harmless=args.harmless,
        fixed_in=args.fixed_in,
        ticket=args.ticket,
    )
    return _written(entry)


def _ignore(args: argparse.Namespace) -> ExitCode:
    if not (args.reason or "").strip():
        raise UsageError("known ignore needs --reason TEXT, for whoever reads it later")
    name = args.names[0]
    if known := _book().find(name):
        return _written(msgspec.structs.replace(known.entry, ignore=args.reason))
    target = _target(name)
    says = args.says or "Ignored on this machine"
    entry = Entry(args.id or id_of(target), Match(signature=target), says, ignore=args.reason)
    return _written(msgspec.structs.replace(entry, ticket=args.ticket))


def _remove(args: argparse.Namespace) -> ExitCode:
    book = _book()
    for name in args.names:
        path = remove_entry(_find(book, name))
        print_message(f"removed {path}")
    return ExitCode.DONE


def _check(args: argparse.Namespace) -> ExitCode:
    from pagefault_doctor.cli.known_check import check_file

    if args.names:
        return max(check_file(Path(name)) for name in args.names)
    book = read_book()
    for problem in book.problems:
        print_line(problem)
    if not book.problems:
        print_message(f"the book is good: {len(book.entries)} entries")
    return ExitCode.USAGE if book.problems else ExitCode.DONE


_ACTIONS: Final[dict[str, Callable[[argparse.Namespace], ExitCode]]] = {
    "list": _list,
    "show": _show,
    "add": _add,
    "ignore": _ignore,
    "remove": _remove,
    "check": _check,
}


def _book() -> KnownBook:
    book = read_book()
    for problem in book.problems:
        print_message(problem)
    return book


def _find(book: KnownBook, entry_id: str) -> Shelved:
    found = book.find(entry_id)
    if found is None:
        near = nearest(entry_id, [entry.id for entry in book.entries])
        hint = near if near.startswith("did") else "pfdoctor known list names them"
        raise UsageError(f"there is no entry {entry_id!r}", hint)
    return found


def _target(name: str) -> str:
    """Return the signature that a person names: that of a log's main report, or the words."""
    if Path(name).exists() or name == "-":
        return signature(report_in(name))
    if "/" in name and " " not in name:
        raise MissingError(f"there is no file {clean_line(name)}", "name a log or a signature")
    if len(without_noise(name)) < 6:
        hint = "pfdoctor diagnose --json LOG prints the signature of each report"
        raise UsageError(f"{clean_line(name)!r} is no signature", hint)
    return clean_line(name)


def id_of(text: str) -> str:
    """Return an id made from a signature: its last words in small letters, with hyphens."""
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in text.lower())
    words = plain.split()
    while len("-".join(words)) > 60 and len(words) > 1:
        words = words[1:]
    return "-".join(words)[:60].strip("-") or "case"


def _written(entry: Entry) -> ExitCode:
    path = write_entry(entry, users_folder())
    print_message(f"wrote {path}")
    print_line(entry.id)
    return ExitCode.DONE


def _has_words(entry: Entry, words: list[str]) -> bool:
    text = msgspec.json.encode(entry).decode().lower()
    return all(word.lower() in text for word in words)


def _marks(each: Shelved) -> tuple[tuple[str, bool], ...]:
    ignored, harmless = bool(each.entry.ignore), each.entry.harmless
    return ("ignored", ignored), ("harmless", harmless and not ignored), ("yours", not each.bundled)


def _document(each: Shelved) -> dict[str, object]:
    return {**msgspec.to_builtins(each.entry), "file": str(each.path), "bundled": each.bundled}


def _print_json(entries: list[dict[str, object]]) -> None:
    from pagefault_doctor.report.document import encode

    document = {"schema": "pfdoctor.known/1", "entries": entries}
    print_document(encode(document, indent=2) + "\n")


def _one(text: str) -> str:
    return " ".join(text.split())


def _blocks(each: Shelved) -> Iterator[Block]:
    entry = each.entry
    yield Heading(entry.id, 1)
    yield Paragraph(entry.says)
    fields = ("do", "fixed_in", "source", "ticket", "ignore")
    rows = [(name.replace("_", " "), getattr(entry, name)) for name in fields]
    rows.append(("harmless", "yes" if entry.harmless else ""))
    rows.append(("file", str(each.path)))
    yield Items(tuple(f"{name}: {text}" for name, text in rows if text))
    if entry.command:
        yield Verbatim(entry.command)
    yield Heading("Fits a report or a line with")
    yield Items(tuple(_conditions(entry.match)))


def _conditions(match: Match) -> Iterator[str]:
    for name, value in msgspec.to_builtins(match).items():
        values = value if isinstance(value, list | tuple) else [value]
        if isinstance(value, dict):
            values = [" and ".join(f"{key} {text}" for key, text in value.items())]
        yield f"{name.replace('_', ' ')}: {' or '.join(map(str, values))}"
