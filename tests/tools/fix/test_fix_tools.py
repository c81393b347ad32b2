"""The analysers, the editor and the build: what must change, and is it built."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.fix import (
    coccinelle,
    editor,
    gcc_analyzer,
    module_build,
    source,
    sparse,
)
from pagefault_doctor.tools.tool import Tool, next_command
from requirements import require_kernel, require_program
from tools.example_reports import BOOT, OOPS, follow, known, texts, told, use_for_real
from tools.recorded import faulty, output

EDIT, DIFF = editor.TOOLS
SOURCE: dict[str, Value] = {"given.source_dir": "/home/user/faulty"}
PLACE: dict[str, Value] = SOURCE | {"debug.file": "/usr/src/faulty.c", "debug.line": 37}
SCRATCH = "scratch=/tmp/tmp.ab12\n"
NO_HEADERS = "make: *** /lib/modules/6.1.0/build: No such file or directory.  Stop.\n"
BUILDERS = (gcc_analyzer.TOOL, sparse.TOOL, module_build.TOOL)


def real_source(tmp_path: Path) -> Case:
    """Write a faulty module's source and return its case; skip where no module can be built."""
    release = require_kernel("/lib/modules/{}/build", "linux-headers-{}")
    for program in ("make", "gcc"):
        require_program(program)
    folder = tmp_path / "faulty"
    folder.mkdir()
    (folder / "Makefile").write_text("obj-m := faulty.o\n")
    (folder / "faulty.c").write_text(
        "#include <linux/module.h>\n"
        "int poke(char __user *u);\n"
        "int poke(char __user *u)\n{\n\treturn *u;\n}\n"
        "static int __init faulty_init(void)\n{\n"
        "\tchar *ptr = NULL;\n\n"
        "\t*ptr = 'A';\n\treturn 0;\n}\n"
        'module_init(faulty_init);\nMODULE_LICENSE("GPL");\n'
    )
    return faulty({"given.source_dir": str(folder)}, release)


def test_the_analysers_warning_is_read_out_of_makes_output() -> None:
    answer = told(SCRATCH, errors=output("gcc_analyzer.txt"))
    case, (command,), _ = follow(gcc_analyzer.TOOL, faulty(SOURCE), answer)
    assert case.get("fix.analyser_warnings", 0) == 1
    assert "faulty.c:16: dereference of NULL" in texts(case.findings)
    assert "CWE-476" in texts(case.findings)
    assert command.risk is Risk.LOAD
    assert "scratch copy" in command.why


def test_sparse_names_the_user_pointer() -> None:
    answer = told(SCRATCH, errors=output("sparse.txt"))
    case, _, _ = follow(sparse.TOOL, faulty(SOURCE), answer)
    assert case.get("fix.sparse_warnings", 0) == 1
    assert "faulty.c:30: dereference of noderef expression" in texts(case.findings)
    assert "the pattern of user-access" in texts(case.findings)


@pytest.mark.parametrize(("line", "near"), [(16, True), (18, True), (21, False)])
def test_a_warning_counts_as_evidence_only_near_the_faulty_line(line: int, near: bool) -> None:
    answer = told(SCRATCH, errors=output("gcc_analyzer.txt"))
    place: dict[str, Value] = {"debug.file": "/usr/src/faulty.c", "debug.line": line}
    case, _, _ = follow(gcc_analyzer.TOOL, faulty(SOURCE | place), answer)
    assert case.get("fix.analyser_cause", "") == ("null-deref" if near else "")
    assert case.findings[-1].mark is (Mark.BAD if near else Mark.NEUTRAL)
    assert ("at the line that faulted" in texts(case.findings)) is near


def test_a_warning_on_several_lines_is_read_as_one() -> None:
    """As gcc prints them from 14 on: what belongs to a list is indented."""
    said = output("gcc_analyzer.txt")
    (entry,) = json.loads(said.split("\n")[0])
    indented = json.dumps(entry, indent=1).replace("\n", "\n ").replace("{\n  ", "{", 1)
    spread = f"[{indented}]"
    alike = told(SCRATCH, errors=said)
    case = told(SCRATCH, errors=f"make: started\n{spread}\n[]\nmake: done\n")
    (one,), (same,) = gcc_analyzer.parse(case), gcc_analyzer.parse(alike)
    assert msgspec.structs.replace(one, at=1) == msgspec.structs.replace(same, at=1)
    assert one.at == 2
    cut = told(SCRATCH, errors=spread[:-9])
    assert "damaged or cut off" in texts(gcc_analyzer.TOOL.read(cut, faulty(SOURCE)).findings)


def test_silence_of_an_analyser_is_no_proof() -> None:
    case, _, _ = follow(gcc_analyzer.TOOL, faulty(SOURCE), told(SCRATCH, errors="[]\n[]\n"))
    assert case.get("fix.analyser_warnings", -1) == 0
    assert "proves nothing" in texts(case.findings)


@pytest.mark.parametrize("tool", BUILDERS, ids=lambda tool: tool.id)
def test_missing_headers_are_named(tool: Tool) -> None:
    missing = told(errors=NO_HEADERS, exit_code=2)
    _, _, blocked = follow(tool, faulty(SOURCE), missing)
    assert blocked
    assert "apt install linux-headers-" in blocked.remedy


@pytest.mark.parametrize("tool", [*BUILDERS, coccinelle.TOOL, EDIT], ids=lambda tool: tool.id)
def test_without_the_source_it_is_asked_for(tool: Tool) -> None:
    wanted = next_command(tool, faulty())
    assert isinstance(wanted, Blocked)
    assert "source" in wanted.remedy


def test_the_source_is_kept_before_it_is_edited() -> None:
    case, (copy, change), _ = follow(
        EDIT, faulty(PLACE | {"host.programs": ("cp", "nano")}), told(), told()
    )
    assert copy.argv == (
        *("cp", "-n", "/home/user/faulty/faulty.c", "/home/user/faulty/faulty.c.orig"),
    )
    assert change.argv == ("nano", "+37", "/home/user/faulty/faulty.c")
    assert change.interactive
    assert change.risk is copy.risk is Risk.CHANGE
    assert change.undo == "mv /home/user/faulty/faulty.c.orig /home/user/faulty/faulty.c"
    assert not case.findings


def test_a_source_that_cannot_be_copied_is_not_edited() -> None:
    refused = told(errors="cp: cannot create regular file: Permission denied", exit_code=1)
    _, ran, blocked = follow(EDIT, faulty(PLACE), refused)
    assert len(ran) == 1
    assert blocked


def test_the_editor_is_one_that_the_host_has() -> None:
    assert editor.editor_argv(faulty({"host.programs": ("vim", "sed")}), (), 7) == ("vim", "+7")
    assert editor.editor_argv(faulty(), (), 7) == ("vi", "+7")


@pytest.mark.parametrize(
    ("own", "argv"),
    [
        (("/opt/bin/nvim", "-R"), ("/opt/bin/nvim", "-R", "+37")),
        (("code", "--wait"), ("code", "--wait")),
    ],
)
def test_the_persons_own_editor_is_used_and_gets_the_line_if_it_takes_one(
    own: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    _, ran, _ = follow(editor.edit_tool(own), faulty(PLACE), told(), told())
    assert ran[1].argv == (*argv, "/home/user/faulty/faulty.c")


@pytest.mark.parametrize(
    ("environ", "own"),
    [
        ({}, ()),
        ({"EDITOR": "sh -x"}, ("sh", "-x")),
        ({"VISUAL": "cat", "EDITOR": "sh"}, ("cat",)),
        ({"VISUAL": "no-such-editor", "EDITOR": "sh"}, ("sh",)),
        ({"VISUAL": "broken 'quote", "EDITOR": "sh"}, ("sh",)),
        ({"EDITOR": "/etc/passwd"}, ()),
        ({"EDITOR": "  "}, ()),
        ({"EDITOR": "''"}, ()),
        ({"EDITOR": "a\udcff"}, ()),
    ],
)
def test_an_editor_of_the_environment_is_used_only_if_it_is_there(
    environ: dict[str, str], own: tuple[str, ...]
) -> None:
    assert editor.own_editor(environ) == own


def test_no_fact_names_the_editor() -> None:
    named = faulty(PLACE | {"host.editor": "evil", "host.programs": ("cp", "nano")})
    _, ran, _ = follow(EDIT, named, told(), told())
    assert ran[1].argv[0] == "nano"


def test_a_difference_is_a_change() -> None:
    text = "--- a.orig\n+++ a\n@@ -1,2 +1,3 @@\n-old\n+new\n+more\n"
    case, _, _ = follow(DIFF, faulty(PLACE), told(text, exit_code=1))
    assert case.get("fix.changed", False) is True
    assert "2 lines added, 1 removed" in texts(case.findings)


def test_no_difference_is_no_change() -> None:
    case, _, _ = follow(DIFF, faulty(PLACE), told())
    assert case.get("fix.changed", True) is False


def test_without_a_copy_nothing_is_said_of_a_change() -> None:
    case, _, _ = follow(DIFF, faulty(PLACE), told(errors="diff: a.orig: No such", exit_code=2))
    assert not case.has("fix.changed")


def test_a_built_module_is_named() -> None:
    text = "  CC [M]  /home/user/faulty/faulty.o\n  LD [M]  /home/user/faulty/faulty.ko\n"
    case, (command,), _ = follow(module_build.TOOL, faulty(SOURCE), told(text))
    assert case.get("fix.built", False) is True
    assert case.get("fix.module_path", "") == "/home/user/faulty/faulty.ko"
    assert command.risk is Risk.CHANGE
    assert command.undo.endswith("clean")


def test_newer_kernels_name_the_module_without_its_folder() -> None:
    case, _, _ = follow(module_build.TOOL, faulty(SOURCE), told("  LD [M]  faulty.ko\n"))
    assert case.get("fix.module_path", "") == "/home/user/faulty/faulty.ko"


def test_a_compile_error_names_its_line() -> None:
    errors = "/home/user/faulty/faulty.c:12:3: error: expected ';' before '}' token\n"
    case, _, _ = follow(module_build.TOOL, faulty(SOURCE), told(errors=errors, exit_code=2))
    assert case.get("fix.built", True) is False
    assert "faulty.c:12: expected ';'" in texts(case.findings)
    assert case.findings[0].mark is Mark.BAD


def test_an_unchanged_source_is_not_built() -> None:
    assert next_command(module_build.TOOL, faulty(SOURCE | {"fix.changed": False})) is None


@pytest.mark.parametrize("folder", ["/home/user/my module", "/home/user/$(id)", "/a'b"])
def test_make_is_not_given_a_folder_it_would_misread(folder: str) -> None:
    wanted = next_command(module_build.TOOL, faulty({"given.source_dir": folder}))
    assert isinstance(wanted, Blocked)


def test_real_gcc_warns_and_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    case = real_source(tmp_path)
    before = sorted(os.listdir(tmp_path / "faulty"))
    case = use_for_real(gcc_analyzer.TOOL, case)
    assert "faulty.c:11: dereference of NULL" in texts(case.findings)
    assert sorted(os.listdir(tmp_path / "faulty")) == before


def test_real_sparse_warns_of_the_user_pointer(tmp_path: Path) -> None:
    require_program("sparse")
    case = use_for_real(sparse.TOOL, real_source(tmp_path))
    assert "faulty.c:5: dereference of noderef expression" in texts(case.findings)


def test_a_real_build_gives_a_module(tmp_path: Path) -> None:
    case = use_for_real(module_build.TOOL, real_source(tmp_path))
    assert Path(case.get("fix.module_path", "")).is_file()


def test_real_diff_sees_the_change(tmp_path: Path) -> None:
    (tmp_path / "faulty.c.orig").write_text("one\n")
    (tmp_path / "faulty.c").write_text("two\n")
    facts: dict[str, Value] = PLACE | {"given.source_dir": str(tmp_path)}
    assert use_for_real(DIFF, faulty(facts)).get("fix.changed", False) is True


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"debug.file": "/usr/src/linux-headers-6.1.0-56-common/include/linux/fs.h"},
        {"debug.file": "include/linux/list.h"},
    ],
    ids=["no line is known", "an inline function of the kernel", "a relative path"],
)
def test_where_the_line_is_the_kernels_the_modules_own_file_is_edited(
    place: dict[str, Value],
) -> None:
    case = faulty({**SOURCE, **place, "debug.line": 872})
    wanted = next_command(EDIT, case)
    assert isinstance(wanted, Command)
    assert wanted.argv[:3] == ("cp", "-n", "/home/user/faulty/faulty.c")
    assert next_command(source.TOOL, case) is None


def test_a_header_of_the_module_itself_is_edited() -> None:
    case = faulty({**SOURCE, "debug.file": "/build/faulty/include/faulty.h", "debug.line": 3})
    wanted = next_command(EDIT, case)
    assert isinstance(wanted, Command)
    assert wanted.argv[2] == "/home/user/faulty/faulty.h"


def kernel_case(facts: dict[str, Value]) -> Case:
    """Return the case of a fault in the kernel's own code, with no module under suspicion."""
    own = OOPS.replace("wobble_init+0x11/0x1000 [wobble]", "dput+0x2/0x90")
    return known({"debug.line": 40} | facts, ("serial.log", BOOT + own))


def test_in_the_folder_of_a_kernel_the_file_is_found_by_its_path() -> None:
    facts: dict[str, Value] = {"given.source_dir": "/home/user/linux", "debug.file": "fs/dcache.c"}
    shown = "\n" * 8 + "\tdget();\n"
    case, (command,), _ = follow(source.TOOL, kernel_case(facts), told(shown))
    assert command.argv[-1] == "/home/user/linux/fs/dcache.c"
    assert case.get("source.place", "") == "fs/dcache.c:40"
    assert case.get("source.code", "") == "dget();"


def test_a_file_that_is_not_at_its_path_is_looked_for_right_in_the_folder() -> None:
    facts: dict[str, Value] = {"given.source_dir": "/home/user/x", "debug.file": "fs/dcache.c"}
    answers = (told("", errors="No such file\n", exit_code=2), told("\n" * 8 + "\tdget();\n"))
    case, ran, _ = follow(source.TOOL, kernel_case(facts), *answers)
    assert ran[1].argv[-1] == "/home/user/x/dcache.c"
    assert case.get("source.place", "") == "dcache.c:40"


def test_without_a_folder_the_kernels_own_code_is_left_to_its_package() -> None:
    assert next_command(source.TOOL, kernel_case({"debug.file": "fs/dcache.c"})) is None
    assert isinstance(next_command(source.TOOL, kernel_case({"debug.file": "x.c"})), Blocked)


WHERE: dict[str, Value] = {
    "host.programs": ("sed", "grep"),
    "log.of": "another",
    "given.source_dir": "/src",
    "suspect.module": "wobble",
}


def test_without_a_line_the_faulting_function_is_looked_for_in_the_source() -> None:
    case = known(WHERE, ("crash.log", OOPS))
    output = "/src/a.c:4:int wobble_init(void);\n/src/sub/b.c:31:static int wobble_init(void)\n"
    case, ran, _ = follow(source.TOOL, case, told(output))
    assert ran[0].argv[-1] == "/src"
    assert "wobble_init begins at b.c:31" in texts(case.findings)
    assert source.editable_line(case) == ("/src/sub/b.c", 31)


@pytest.mark.parametrize(
    "output", ["", "/src/a.c:4:int wobble_init(void);\n", "/etc/a.c:4:int wobble_init(void)\n"]
)
def test_a_function_that_is_not_in_the_source_is_told(output: str) -> None:
    case, _, _ = follow(source.TOOL, known(WHERE, ("crash.log", OOPS)), told(output))
    assert "wobble_init is not in the source that was given" in texts(case.findings)
    assert source.editable_line(case) is None


def test_real_grep_finds_where_a_function_begins(tmp_path: Path) -> None:
    require_program("grep")
    code = "int wobble_init(void);\n\nstatic int __init wobble_init(void)\n{\n"
    (tmp_path / "w.c").write_text(code)
    case = known({**WHERE, "given.source_dir": str(tmp_path)}, ("crash.log", OOPS))
    case = use_for_real(source.TOOL, case)
    assert source.editable_line(case) == (str(tmp_path / "w.c"), 3)


def test_of_several_files_with_that_function_it_is_the_suspects_own() -> None:
    output = "/src/tilt.c:5:int wobble_init(void)\n/src/wobble_main.c:9:int wobble_init(void)\n"
    case, _, _ = follow(source.TOOL, known(WHERE, ("crash.log", OOPS)), told(output))
    assert source.editable_line(case) == ("/src/wobble_main.c", 9)
