"""This machine's tools at work on the guest's files, which have other paths here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagefault_doctor.lab.host_tools import PROGRAMS, HostTools
from pagefault_doctor.lab.machine import ARM64
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.model.command import Command, Result, ResultStatus


@pytest.fixture
def tools_here(tmp_path: Path) -> HostTools:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/demo.c").write_text("int x;\n")
    return HostTools(
        "lab", {"/usr/src/demo-1.0": tmp_path / "source", "/var/crash": tmp_path / "crash"}
    )


def run(tools_here: HostTools, *argv: str, stdin: str = "") -> Result:
    return tools_here.run(Command(argv=argv, tool="test", stdin=stdin))


def test_the_boxs_paths_lead_to_our_files(tools_here: HostTools) -> None:
    assert run(tools_here, "cat", "/usr/src/demo-1.0/demo.c").output == "int x;\n"


def test_what_comes_back_speaks_of_the_boxs_paths_alone(
    tools_here: HostTools, tmp_path: Path
) -> None:
    result = run(tools_here, "ls", "-d", "/usr/src/demo-1.0", "/usr/src/demo-1.0/gone.c")
    assert result.output == "/usr/src/demo-1.0\n"
    assert "/usr/src/demo-1.0/gone.c" in result.errors
    assert str(tmp_path) not in result.output + result.errors + result.command.text


def test_options_and_input_are_turned_too(tools_here: HostTools, tmp_path: Path) -> None:
    command = Command(argv=("make", "M=/usr/src/demo-1.0"), tool="test", stdin="mod /var/crash/x")
    ours = tools_here.on_terminal(command)
    assert ours.argv[1] == f"M={tmp_path}/source"
    assert ours.stdin == f"mod {tmp_path}/crash/x"


def test_a_path_that_only_begins_alike_is_another(tools_here: HostTools) -> None:
    command = Command(argv=("ls", "/usr/src/demo-1.0.1", "/var/crashes"), tool="test")
    assert tools_here.on_terminal(command).argv == command.argv


def test_a_box_of_another_architecture_has_its_kernel_and_headers_where_they_lie_here(
    tmp_path: Path,
) -> None:
    tools_here = HostTools(
        "lab", {"/usr/src/demo-1.0": tmp_path / "source"}, Stock(ARM64, tmp_path / "root")
    )
    build = ("make", "-C", "/lib/modules/6.1/build", "M=/usr/src/demo-1.0")
    ours = tools_here.on_terminal(Command(argv=build, tool="module-build"))
    root = tmp_path / "root"
    assert ours.argv[2:] == (f"{root}/lib/modules/6.1/build", f"M={tmp_path}/source")
    assert ours.env["ARCH"] == "arm64"
    deep = "/usr/lib/debug/lib/modules/6.1/vmlinux"
    ours = tools_here.on_terminal(Command(argv=("gdb", deep), tool="gdb-module"))
    assert (ours.argv[0], ours.argv[-1]) == ("gdb-multiarch", f"{root}{deep}")
    assert (
        tools_here.run(Command(argv=("echo", f"a\\n{root}{deep}"), tool="x")).output
        == f"a\\n{deep}\n"
    )


def test_gdb_finds_the_source_that_the_debug_information_names(
    tools_here: HostTools, tmp_path: Path
) -> None:
    ours = tools_here.on_terminal(Command(argv=("gdb", "-batch"), tool="gdb-module"))
    assert f"set substitute-path /usr/src/demo-1.0 {tmp_path}/source" in ours.argv
    assert ours.argv[-1] == "-batch"


def test_the_box_has_the_large_programs_of_this_machine_and_its_own_small_ones(
    tools_here: HostTools,
) -> None:
    ask = Command(argv=("printf", "program=cat\nprogram=sed\nend=.\n"), tool="box")
    guests = "kernel=6.1\nprogram=vi\nprogram=dmesg\nend=.\n"
    answer = Result(command=ask, status=ResultStatus.OK, output=guests)
    assert tools_here.with_programs(answer).output == "kernel=6.1\nprogram=dmesg\nend=.\n"
    assert "gdb" in PROGRAMS
    ask = Command(argv=("printf", "program=gdb\nend=.\n"), tool="box")
    answer = Result(command=ask, status=ResultStatus.OK, output=guests)
    assert tools_here.with_programs(answer).output.splitlines()[-2:] == ["program=gdb", "end=."]
