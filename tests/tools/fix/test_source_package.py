"""The kernel's source out of its distribution's package: what is asked, fetched and shown."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.fix import source_package
from pagefault_doctor.tools.tool import next_command
from requirements import require, require_program
from tools.example_reports import BOOT, KERNEL, OOPS, follow, known, learn, texts, told

TOOL: Final = source_package.TOOL
PROGRAMS: Final = ("apt-cache", "apt-get", "dpkg-deb", "sed")
FACTS: Final[dict[str, Value]] = {
    "log.of": "another",
    "host.family": "debian",
    "host.programs": PROGRAMS,
    "debug.file": "fs/dcache.c",
    "debug.line": 40,
}
DPUT: Final = OOPS.replace("wobble_init+0x11/0x1000 [wobble]", "dput+0x2/0x90")
LOG: Final = ("serial.log", BOOT + DPUT.replace("#1  Debian", "#1  Debian 6.1.9-2"))
CACHE: Final = "/home/user/.cache/pfdoctor/source"
NOTHING: Final = f"cache={CACHE}\nfree_kib=9000000\nend=.\n"
FOLDER: Final = f"{CACHE}/linux-source-6.1_6.1.9-2"
LINES: Final = "".join(f"\tline({number});\n" for number in range(32, 49))


def package(*versions: str, name: str = "linux-source-6.1") -> Result:
    """Return what apt-cache shows of a package of these versions."""
    records = (
        f"Package: {name}\nVersion: {version}\nInstalled-Size: 136068\nSize: 139330232\n\n"
        for version in versions
    )
    return told("".join(records))


def test_the_version_of_the_report_is_fetched_with_consent_and_shown() -> None:
    answers = (
        told(NOTHING),
        package("6.1.9-3", "6.1.9-2"),
        told(f"file={FOLDER}/tree/fs/dcache.c\nend=.\n"),
        told(LINES),
    )
    case, ran, blocked = follow(TOOL, known(FACTS, LOG), *answers)
    assert blocked is None
    assert [command.risk for command in ran] == [Risk.READ, Risk.READ, Risk.CHANGE, Risk.READ]
    assert ran[0].argv[-2:] == ("fs/dcache.c", "linux-source-6.1")
    assert "linux-source-6.1=6.1.9-2" in ran[2].argv
    assert "139 MB over the network, 139 MB stay there; nothing is installed" in ran[2].why
    assert ran[2].undo == f"rm -r {FOLDER}"
    assert ran[3].argv == ("sed", "-n", "32,48p", f"{FOLDER}/tree/fs/dcache.c")
    assert case.get("source.place", "") == "fs/dcache.c:40"
    assert case.get("source.code", "") == "line(40);"
    said = texts(case.findings)
    assert "fs/dcache.c:40: line(40);" in said
    assert "linux-source-6.1 6.1.9-2 is the source of the kernel that faulted" in said


def test_of_another_version_it_is_said_that_lines_may_have_moved() -> None:
    fetched = told(f"file={CACHE}/linux-source-6.1_6.1.9-3/tree/fs/dcache.c\nend=.\n")
    answers = (told(NOTHING), package("6.1.9-3"), fetched, told(LINES))
    case, _, _ = follow(TOOL, known(FACTS, LOG), *answers)
    text, mark = case.findings[-1].text, case.findings[-1].mark
    assert "of linux-source-6.1 6.1.9-3, the fault is of 6.1.9-2: they may have moved" in text
    assert "dcache.c?h=v6.1.9#n40" in text
    assert mark is Mark.NEUTRAL


def test_what_is_in_the_cache_is_shown_without_a_question() -> None:
    looked = told(f"file=linux-source-6.1 6.1.9-2 {FOLDER}/tree/fs/dcache.c\n{NOTHING}")
    case, ran, _ = follow(TOOL, known(FACTS, LOG), looked, told(LINES))
    assert ran[1].argv == ("sed", "-n", "32,48p", f"{FOLDER}/tree/fs/dcache.c")
    assert "is the source of the kernel" in texts(case.findings)


def test_an_installed_archive_of_that_version_is_read_where_it_is() -> None:
    looked = told(f"archive=linux-source-6.1 6.1.9-2 /usr/src/linux-source-6.1.tar.xz\n{NOTHING}")
    case, ran, _ = follow(TOOL, known(FACTS, LOG), looked, told(LINES))
    assert ran[1].risk is Risk.READ
    shown = ("/usr/src/linux-source-6.1.tar.xz", "linux-source-6.1/fs/dcache.c", "32", "48")
    assert ran[1].argv[-4:] == shown
    assert "is the source of the kernel" in texts(case.findings)


INSTALLED: Final = "archive=linux-source-6.1 6.1.9-3 /usr/src/linux-source-6.1.tar.xz\n"


def test_a_version_that_fits_is_fetched_although_another_is_installed() -> None:
    fetched = told(f"file={FOLDER}/tree/fs/dcache.c\nend=.\n")
    answers = (told(INSTALLED + NOTHING), package("6.1.9-3", "6.1.9-2"), fetched, told(LINES))
    case, ran, _ = follow(TOOL, known(FACTS, LOG), *answers)
    assert "linux-source-6.1=6.1.9-2" in ran[2].argv
    assert "6.1.9-2 is the source of the kernel" in texts(case.findings)


def test_where_none_fits_better_the_installed_one_is_shown() -> None:
    answers = (told(INSTALLED + NOTHING), package("6.1.9-4"), told(LINES))
    case, ran, _ = follow(TOOL, known(FACTS, LOG), *answers)
    assert "/usr/src/linux-source-6.1.tar.xz" in ran[2].argv
    assert "of linux-source-6.1 6.1.9-3, the fault is of 6.1.9-2" in texts(case.findings)


def test_a_report_without_the_version_of_the_package_leaves_that_open() -> None:
    answers = (told(INSTALLED + NOTHING), told(LINES))
    case, _, _ = follow(TOOL, known(FACTS, ("serial.log", BOOT + DPUT)), *answers)
    assert f"it may not be that of {KERNEL}" in texts(case.findings)


def test_ubuntus_package_fits_by_the_number_of_its_release() -> None:
    log = ("serial.log", (BOOT + DPUT).replace(KERNEL, "5.15.0-9-generic"))
    looked = "archive=linux-source-5.15.0 5.15.0-9.10 /usr/src/linux-source-5.15.0.tar.bz2\n"
    case, ran, _ = follow(TOOL, known(FACTS, log), told(looked + NOTHING), told(LINES))
    assert ran[0].argv[-1] == "linux-source-5.15.0"
    assert "is the source of the kernel that faulted" in texts(case.findings)


def test_of_another_distributions_kernel_the_address_is_told() -> None:
    log = ("serial.log", (BOOT + DPUT).replace(KERNEL, "6.6.8-200.fc39.x86_64"))
    wall = next_command(TOOL, known(FACTS, log))
    assert isinstance(wall, Blocked)
    assert "no source package is known of 6.6.8-200.fc39.x86_64" in wall.reason
    assert wall.remedy.endswith("linux.git/tree/fs/dcache.c?h=v6.6.8#n40")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((told(NOTHING), told("", errors="E: none\n", exit_code=100)), "no package source of this"),
        ((told(NOTHING), package("6.1.9-2"), told("", errors="E: x\n", exit_code=1)), "E: x"),
        ((told(NOTHING.replace("9000000", "90000")), package("6.1.9-2")), "the source needs"),
        ((told(NOTHING), package("-x")), "no package source of this machine"),
    ],
)
def test_where_it_cannot_be_fetched_there_is_a_way(
    answers: tuple[Result, ...], reason: str
) -> None:
    _, _, wall = follow(TOOL, known(FACTS, LOG), *answers)
    assert wall is not None
    assert reason in wall.reason
    assert wall.remedy


def test_a_line_that_is_empty_there_is_no_code() -> None:
    answers = (told(INSTALLED + NOTHING), package("6.1.9-3"), told("one\n"))
    case, _, _ = follow(TOOL, known(FACTS, LOG), *answers)
    assert not case.has("source.code")
    assert "has no code at fs/dcache.c:40; read it at https://git.kernel.org" in texts(
        case.findings
    )


def test_what_the_given_folder_showed_is_not_shown_again() -> None:
    case = known(FACTS, LOG)
    case = learn(case, "source", told(LINES), source_package.TOOL.read(told(""), case))
    assert next_command(TOOL, case) is None


@given(st.text(max_size=300), st.booleans())
def test_no_output_makes_the_reader_raise(output: str, shows: bool) -> None:
    argv = ("sed", "-n", "32,48p", "/x") if shows else ("apt-cache", "show", "x")
    case = known(FACTS, LOG)
    reading = TOOL.read(
        told(output, *argv), learn(case, TOOL.id, told(output), TOOL.read(told(output), case))
    )
    assert {fact.name for fact in reading.facts} <= set(TOOL.facts)


# The scripts, with an archive and an apt that are made up.


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and an apt with one package: the source of a small tree."""
    for name in ("dpkg-deb", "xz"):
        require_program(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = tmp_path / "linux-source-0.1"
    (tree / "fs").mkdir(parents=True)
    (tree / "fs/dcache.c").write_text("".join(f"line {number}\n" for number in range(1, 90)))
    root = tmp_path / "root"
    (root / "usr/src").mkdir(parents=True)
    with tarfile.open(root / "usr/src/linux-source-0.1.tar.xz", "w:xz") as archive:
        archive.add(tree, "linux-source-0.1")
    (root / "DEBIAN").mkdir()
    control = "Package: linux-source-0.1\nVersion: 1:2\nArchitecture: all\n"
    words = "Maintainer: nobody <nobody@example.org>\nDescription: for a test\n"
    (root / "DEBIAN/control").write_text(control + words)
    package_file = tmp_path / "package.deb"
    subprocess.run(("dpkg-deb", "-b", root, package_file), check=True, capture_output=True)
    size = package_file.stat().st_size
    (tmp_path / "record").write_text(f"{control}Installed-Size: 40\nSize: {size}\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in (
        ("apt-cache", f"cat {tmp_path}/record"),
        ("apt-get", f'echo "$@" >&2; cp {package_file} .'),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return tmp_path / "cache/pfdoctor/source"


def use(line: int = 40, file: str = "fs/dcache.c") -> tuple[Case, list[Result], Blocked | None]:
    """Use the tool on this machine, for a kernel that only the made-up apt knows."""
    log = ("serial.log", (BOOT + DPUT).replace(KERNEL, "0.1.0-1-amd64"))
    case = known(FACTS | {"debug.line": line, "debug.file": file}, log)
    ran: list[Result] = []
    while isinstance(wanted := next_command(TOOL, case), Command):
        assert len(ran) < 5
        ran.append(LocalHost().run(wanted))
        case = learn(case, TOOL.id, ran[-1], TOOL.read(ran[-1], case))
    return case, ran, wanted


def test_one_file_and_the_archive_are_kept_for_the_next_time(home: Path) -> None:
    case, ran, blocked = use()
    assert blocked is None, blocked
    assert "download linux-source-0.1=1:2" in ran[2].errors
    assert case.get("source.code", "") == "line 40"
    (folder,) = home.iterdir()
    assert folder.name == "linux-source-0.1_1%3a2"
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {
        "dcache.c",
        "linux-source-0.1.tar.xz",
    }
    assert home.stat().st_mode & 0o077 == 0, "only its user looks into the cache"
    again, ran, _ = use(line=2)
    assert [result.command.argv[0] for result in ran] == ["sh", "sed"]
    assert again.get("source.code", "") == "line 2"


def test_another_file_comes_out_of_the_archive_in_the_cache(home: Path) -> None:
    use()
    (folder,) = home.iterdir()
    (folder / "tree/fs/dcache.c").unlink()
    case, ran, _ = use(line=9)
    assert [result.command.risk for result in ran] == [Risk.READ, Risk.READ]
    assert case.get("source.code", "") == "line 9"


def test_a_file_that_the_archive_lacks_is_told(home: Path) -> None:
    _, ran, blocked = use(file="fs/none.c")
    assert ran[2].ok
    assert blocked is not None
    assert "fs/none.c was not fetched" in blocked.reason
    assert [path.name for path in home.iterdir()] == ["linux-source-0.1_1%3a2"]


@pytest.mark.parametrize(
    ("what", "name", "file"),
    [
        ("linux-source-0.1=1", "../..", "fs/x.c"),
        ("-x", "y", "fs/x.c"),
        ("linux-source-0.1=1", "y", "../../mine"),
        ("linux-source-0.1=1", "y", "/mine"),
        ("linux-source-0.1=1", "y", "--checkpoint-action=exec=x"),
    ],
)
def test_the_script_itself_writes_nothing_outside_its_folder(
    home: Path, tmp_path: Path, what: str, name: str, file: str
) -> None:
    cache = tmp_path / "a/b/cache"
    cache.mkdir(parents=True)
    fetch = shell_argv(*source_package._FETCH, name="x")
    words = (*fetch, what, str(cache), name, "1", file)
    done = subprocess.run(words, input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "no name of a" in done.stderr
    assert list(cache.iterdir()) == []
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_what_another_user_put_into_the_cache_is_not_shown(home: Path) -> None:
    require(os.geteuid() == 0, "only root can give a folder to another user")
    use()
    os.chown(home, 65534, 65534)
    _, ran, blocked = use()
    assert "file=" not in ran[0].output
    assert blocked is not None
    assert "belongs to another user" in blocked.reason
