"""Which of the inputs that a person can give a step lacks, and whether what is given fits."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.event import Outcome
from pagefault_doctor.model.given_input import ANOTHER_MACHINE, INPUTS, GivenInput
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.playbook.engine import step_now
from pagefault_doctor.session.case_notes import case_notes
from pagefault_doctor.session.view import View
from pagefault_doctor.tools.arguments import release
from pagefault_doctor.tools.reproduce.lab_run import FAULTY
from pagefault_doctor.tools.reproduce.trigger import parse_trigger

_OPTION: Final = regex(r"--[a-z][a-z-]*")
_MOST_NAMES: Final = 3
_MOST_FILES: Final = 10_000
"""Entries of a folder that are looked at."""
_RELEASES: Final = (
    ("vmlinux", b"Linux version "),
    ("fixed_module", b"vermagic="),
)
"""What stands before the release in a file (`init/version.c`, `scripts/mod/modpost.c`)."""
_LONGEST_RELEASE: Final = 128
_ELF: Final = b"\x7fELF"


def wanted(view: View, step: str) -> tuple[GivenInput, ...]:
    """Return what would unblock the tools of a step, in their order, then what a person may change.

    In a case from elsewhere also what its findings and notes name, as long as it is not given. The
    trigger of a run in the lab is only proposed, so that another one can be given.
    """
    finished = view.state.steps[step].finished
    blocked = [tool for tool in finished if tool.outcome is Outcome.BLOCKED]
    named = [word for tool in blocked for word in _OPTION.findall(tool.remedy)]
    if step == view.step and FAULTY in step_now(view.state, step).tools:
        named.append("--trigger")
    by_option = {each.option: each for each in INPUTS}
    said = [word for text in _told(view, step) for word in _OPTION.findall(text)]
    lacking = [
        word
        for word in said
        if (each := by_option.get(word)) and not view.case.has(f"given.{each.name}")
    ]
    names = dict.fromkeys((*named, *lacking))
    return tuple(by_option[word] for word in names if word in by_option)


def _told(view: View, step: str) -> Iterator[str]:
    if view.case.get("log.of", "") == ANOTHER_MACHINE:
        yield from (each.text for record in view.of_step(step) for each in record.findings)
        yield from (note.text for note in case_notes(view, step))


def asked_for(remedy: str) -> bool:
    """Whether a remedy is one of the inputs."""
    return any(each.option in _OPTION.findall(remedy) for each in INPUTS)


def checked(one: GivenInput, text: str, case: Case, *, is_here: bool) -> str:
    """Return the absolute path, or the trigger, that was typed, if it is what is asked for.

    With `is_here` the path is looked at; else it is of another machine and only has to be absolute.
    Raises UsageError with the reason, and what there is instead.
    """
    typed = text.strip()
    if not one.is_path:
        return _checked_trigger(typed)
    if not typed or clean_line(typed) != typed:
        raise UsageError("this is no path", "type the path of a file or folder; Tab completes it")
    path = Path(typed).expanduser() if is_here else Path(typed)
    if not is_here:
        if not path.is_absolute():
            raise UsageError(
                f"{typed} is no absolute path", "it is looked for on the other machine"
            )
        return str(path)
    path = path.absolute()
    if not path.exists():
        raise UsageError(f"there is no {path}", "check the name; Tab completes it")
    # Who names the .ko means its folder.
    if one.name == "module_dir" and path.is_file() and ".ko" in path.suffixes:
        path = path.parent
    if one.is_folder != path.is_dir():
        is_what = "a folder" if path.is_dir() else "a file"
        raise UsageError(f"{path} is {is_what}", f"give {one.what}")
    if one.name == "module_dir":
        _check_modules(path, case)
    elif one.name == "source_dir":
        _check_sources(path)
    elif one.name in ("vmlinux", "fixed_module", "program"):
        _check_elf(path)
    return str(path)


def _checked_trigger(text: str) -> str:
    if not parse_trigger(text):
        raise UsageError("this is no command", "type one as in a shell, with every quote closed")
    return text


def doubt(one: GivenInput, path: str, case: Case) -> str:
    """Return what speaks against a file or folder that is taken all the same; mostly nothing.

    A build for another kernel has other offsets and lines.
    """
    reported = release(case)
    file = Path(path)
    if one.name == "module_dir" and case.suspect:
        file = file / f"{case.suspect}.ko"
    marker = b"vermagic=" if file.suffix == ".ko" else dict(_RELEASES).get(one.name, b"")
    found = _release_in(file, marker) if marker and reported else ""
    if not found or found == reported:
        return ""
    return f"it is of {found}, and the case of {reported}: lines and offsets may be wrong"


def _check_modules(folder: Path, case: Case) -> None:
    names = [name for name in _names(folder) if ".ko" in Path(name).suffixes]
    if not names:
        raise UsageError(f"there is no .ko in {folder}", "give the folder that holds it")
    suspect = case.suspect
    stems = {name.partition(".ko")[0].replace("-", "_") for name in names}
    if suspect and suspect.replace("-", "_") not in stems:
        others = ", ".join(sorted(names)[:_MOST_NAMES])
        raise UsageError(f"there is no {suspect}.ko in {folder}", f"it has {others}")


def _check_sources(folder: Path) -> None:
    if not any(name.endswith((".c", ".rs", "Makefile", "Kbuild")) for name in _names(folder)):
        raise UsageError(f"there is no source in {folder}", "give the folder with the Makefile")


def _check_elf(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            begin = opened.read(len(_ELF))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "check who may read it") from error
    if begin != _ELF:
        raise UsageError(f"{file} is no ELF file", "unpack it first, if it is packed")


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(_MOST_FILES), strict=False):
                yield clean_line(entry.name)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", "check who may read it") from error


def _release_in(file: Path, marker: bytes) -> str:
    """Return the release that a file names behind the marker; empty where it does not."""
    try:
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            place = content.find(marker)
            if place < 0:
                return ""
            begin = place + len(marker)
            text = content[begin : begin + _LONGEST_RELEASE]
    except (OSError, ValueError):
        return ""
    return clean_line(text.split(b" ")[0].split(b"\0")[0].decode("ascii", "replace"))
