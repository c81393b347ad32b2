"""The semantic patches, each on a source with the faults it is for and on a sound one.

In `patterns/` a faulty source marks the lines that must get a hint with `BUG`; the sound one has
none, although it does the same work.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.fix import coccinelle
from pagefault_doctor.tools.tool import next_command
from requirements import require_program
from tools.example_reports import follow, texts, told
from tools.recorded import faulty

PATCHES = Path(coccinelle.__file__).parent / "semantic_patches"
PATTERNS = Path(__file__).parent / "patterns"
CAUSES = sorted(path.name.partition(".")[0] for path in PATTERNS.glob("*.faulty.c"))
FOLDER: dict[str, Value] = {"given.source_dir": "/home/user/faulty"}
AT_37: dict[str, Value] = FOLDER | {"debug.file": "/usr/src/faulty.c", "debug.line": 37}


def find(source: Path, folder: Path, *patches: str) -> set[tuple[int, str]]:
    """Return the lines and causes that real spatch reports for one source, alone in a folder.

    All patches are used unless some are named.
    """
    require_program("spatch")
    shutil.copy(source, folder / "lamp.c")
    command = next_command(coccinelle.TOOL, faulty({"given.source_dir": str(folder)}))
    assert isinstance(command, Command)
    if patches:
        used = "\n".join((PATCHES / f"{name}.cocci").read_text() for name in ("shared", *patches))
        command = msgspec.structs.replace(command, stdin=used)
    result = LocalHost().run(command)
    assert result.ok, result.errors
    assert not re.search("error|warning", result.errors), result.errors
    return {(hint.line, hint.cause) for hint in coccinelle.parse(result)}


def marked(source: Path) -> set[int]:
    lines = source.read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if "/* BUG */" in line}


@pytest.mark.parametrize("cause", CAUSES)
def test_each_planted_fault_is_found_and_named(cause: str, tmp_path: Path) -> None:
    source = PATTERNS / f"{cause}.faulty.c"
    assert find(source, tmp_path, cause) == {(line, cause) for line in marked(source)}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_sound_source_is_left_alone(cause: str, tmp_path: Path) -> None:
    assert not find(PATTERNS / f"{cause}.sound.c", tmp_path, cause)


def test_all_patches_work_together(tmp_path: Path) -> None:
    source = PATTERNS / "use-after-free.faulty.c"
    found = find(source, tmp_path)
    assert {line for line, cause in found if cause == "use-after-free"} == marked(source)
    # The entry that is freed in a walk is also taken off its list there, in the line before.
    assert {cause for _, cause in found} == {"use-after-free", "list-corruption"}
    assert not find(PATTERNS / "null-deref.sound.c", tmp_path)


def test_every_patch_has_its_sources_and_names_a_cause() -> None:
    assert sorted(path.stem for path in PATCHES.glob("*.cocci")) == sorted([*CAUSES, "shared"])
    assert set(CAUSES) <= set(RootCause)


def test_a_hint_at_the_faulty_line_is_evidence() -> None:
    answer = told("/home/user/faulty/faulty.c:36:[null-deref] state is used and was never tested\n")
    case, _, _ = follow(coccinelle.TOOL, faulty(AT_37), answer)
    assert case.get("fix.cocci_cause", "") == "null-deref"
    assert case.findings[-1].mark is Mark.BAD
    assert "the pattern of null-deref, at the line that faulted" in texts(case.findings)


def test_a_hint_elsewhere_is_only_told() -> None:
    answer = told("/home/user/faulty/faulty.c:90:[double-free] name was freed in line 80 already\n")
    case, _, _ = follow(coccinelle.TOOL, faulty(AT_37), answer)
    assert not case.has("fix.cocci_cause")
    assert case.get("fix.cocci_warnings", 0) == 1
    assert case.findings[-1].mark is Mark.NEUTRAL


def test_a_hint_in_a_file_of_another_name_is_elsewhere() -> None:
    answer = told("/home/user/faulty/other.c:37:[null-deref] state is used\n")
    case, _, _ = follow(coccinelle.TOOL, faulty(AT_37), answer)
    assert not case.has("fix.cocci_cause")


def test_without_spatch_the_package_is_named() -> None:
    case: Case = faulty(FOLDER | {"host.programs": ("sh", "make")})
    wanted = next_command(coccinelle.TOOL, case)
    assert wanted == Blocked("spatch not installed", "apt install coccinelle")


def test_a_spatch_that_cannot_print_is_told() -> None:
    errors = "Failure: cannot find module 'spatch.ml' for Python"
    _, _, blocked = follow(coccinelle.TOOL, faulty(FOLDER), told(errors=errors, exit_code=2))
    assert blocked
    assert "coccinelle" in blocked.remedy


def test_a_search_has_an_end() -> None:
    command = next_command(coccinelle.TOOL, faulty(FOLDER))
    assert isinstance(command, Command)
    assert command.timeout <= 300
