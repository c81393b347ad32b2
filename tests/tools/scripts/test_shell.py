"""The shell scripts that tools run on a host, run by dash, with programs made up for them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pagefault_doctor.hosts.script import script
from requirements import require_program

KERNEL = "6.1.0-9-cloud"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run scripts with arguments, a standard input, and programs by name and shell text."""

    def run_scripts(
        *names: str, words: tuple[str, ...] = (), stdin: str = "", **programs: str
    ) -> tuple[int, str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name, text in programs.items():
            program = folder / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        text = script(*(f"tools/scripts/{name}.sh" for name in names))
        done = subprocess.run(
            (require_program("dash"), "-c", text, "sh", *words),
            input=stdin,
            env={"PATH": f"{folder}:/usr/bin:/bin", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    return run_scripts


def test_apt_is_asked_for_what_is_installed_and_what_could_be(run: Run) -> None:
    depends = f'[ "$3" = linux-image-cloud ] && printf "x\\n  Depends: linux-image-{KERNEL}2\\n"'
    show = 'printf "Package: $3\\nVersion: 6.1.5-1\\nSize: 7\\n"'
    done = run(
        "apt_kernels",
        words=(KERNEL, "cloud"),
        dpkg_query='printf "installed %s 6.1.4-1\\n" "$4"',
        apt_cache=f"case $1 in depends) {depends} ;; show) {show} ;; esac",
    )
    said = "installed linux-image-[0-9]*-cloud 6.1.4-1\n"
    said += f"candidate linux-image-{KERNEL}2 6.1.5-1\ncandidate linux-image-{KERNEL} 6.1.5-1\n"
    assert done == (0, said)


def test_the_changelog_of_a_package_that_is_not_installed_is_fetched(run: Run) -> None:
    words = ("linux-image-none", "6.1", "candidate")
    said = (0, "-qq changelog linux-image-none=6.1\n")
    assert run("apt_changelog", words=words, apt_get='echo "$@"') == said


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("installed", "rpm -q --changelog k-6.1\n"),
        ("candidate", "-q repoquery --changelogs k-6.1\n"),
    ],
)
def test_dnf_is_asked_only_where_rpm_does_not_know(run: Run, state: str, said: str) -> None:
    words = ("k", "6.1", state)
    assert run("dnf_changelog", words=words, rpm='echo rpm "$@"', dnf='echo "$@"') == (0, said)


def test_dnf_and_rpm_are_asked_for_lines_alike(run: Run) -> None:
    show = 'while [ "$1" != --qf ]; do shift; done; printf "%s\\n" "$2"'
    form = r"%{name} %{version}-%{release}.%{arch}\n"
    said = f"installed {form}\ncandidate {form}\n"
    assert run("dnf_kernels", rpm=show, dnf=show) == (0, said)


def test_semantic_patches_lie_in_a_scratch_folder_that_is_removed(run: Run, tmp_path: Path) -> None:
    done = run("coccinelle", words=("/src",), stdin="@@\n", spatch='cat "$3"; shift 3; echo "$@"')
    assert done == (0, "@@\n--dir /src\n")
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_a_module_is_built_in_a_copy_that_is_removed(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.c").touch()
    make = 'cd "${3#M=}" && touch new.o && ls && shift 3 && echo "$@"'
    status, said = run("scratch_build", words=(str(source), "/build", "W=1"), make=make)
    assert (status, said.splitlines()[1:]) == (0, ["a.c", "new.o", "W=1 modules"])
    assert said.startswith("scratch=/")
    assert [path.name for path in source.iterdir()] == ["a.c"]
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "source"}


def test_a_library_beside_the_program_is_found(run: Run, tmp_path: Path) -> None:
    (tmp_path / "libx.so").touch()
    words = (str(tmp_path / "till"), "libx.so")
    path = tmp_path / "libx.so"
    done = run("program_headers", words=words, readelf='echo "$LC_ALL" "$@"')
    assert done == (0, f"file={path}\nC -lW {path}\n")
    assert run("program_headers", words=(words[0], "none.so")) == (1, "")


def test_the_kernels_pattern_of_cores_is_told_as_it_is(run: Run) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    status, said = run("core_file", words=("/nowhere/program",))
    assert (status, said.splitlines(keepends=True)[0]) == (0, f"pattern={pattern}")
    assert said.splitlines()[1].startswith("limit=")


def test_a_module_that_is_not_loaded_is_absent(run: Run) -> None:
    assert run("module_state", words=("no_such_module",)) == (0, "absent\n")


def test_debug_files_are_looked_for_where_they_may_be(run: Run, tmp_path: Path) -> None:
    cache = tmp_path / ".cache/pfdoctor/debug"
    module = cache / f"tree/usr/lib/debug/lib/modules/{KERNEL}/kernel/wobble.ko.debug"
    image = cache / "tree/boot/vmlinux"
    for path in (module, image):
        path.parent.mkdir(parents=True)
        path.touch()
    words, places = (KERNEL, "wobble.ko*"), "/none/vmlinux\n/boot/vmlinux\n"
    status, said = run("debug_files", "find_debug_files", words=words, stdin=places)
    assert (status, said.splitlines()[-1]) == (0, "end=.")
    assert said.startswith(f"vmlinux={image}\nmodule={module}\ncache={cache}\nfree_kib=")
