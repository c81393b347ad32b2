"""gdb on a module's file, and the source."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.model.pointer import Pointer
from pagefault_doctor.model.report import Frame
from pagefault_doctor.tools.debug import gdb_module
from pagefault_doctor.tools.fix import source
from pagefault_doctor.tools.tool import next_command
from requirements import require, require_program
from tools.example_reports import KERNEL, follow, learn, texts, told
from tools.recorded import faulty, output

FILE: dict[str, Value] = {"module.path": "/home/user/faulty/faulty.ko"}
PLACE: dict[str, Value] = {
    "given.source_dir": "/home/user/faulty",
    "debug.file": "/usr/src/faulty-1.0/faulty.c",
    "debug.line": 37,
}


def with_function(
    case: Case, function: str, module: str | None = "faulty", frames: tuple[Frame, ...] = ()
) -> Case:
    log = case.logs[0]
    report = msgspec.structs.replace(
        log.reports[0], function=function, module=module, frames=frames
    )
    log = msgspec.structs.replace(log, reports=(report,))
    return msgspec.structs.replace(case, logs=(log,))


def test_gdb_names_line_instruction_and_pointer() -> None:
    case, (command,), _ = follow(gdb_module.TOOL, faulty(FILE), told(output("gdb_module.txt")))
    assert "info line *('faulty_init'+0x35)" in command.argv
    assert case.get("debug.file", "") == "/usr/src/faulty-1.0/faulty.c"
    assert case.get("debug.line", 0) == 37
    assert case.get("debug.instruction", "") == "movb $0x41,(%rax)"
    assert case.get("debug.pointer", "") == "rax"
    assert "which held 0x0" in texts(case.findings)
    assert "state->status = FAULTY_READY;" in texts(case.findings)


def test_on_arm64_the_room_for_ftrace_before_a_function_is_taken_into_account() -> None:
    starts = "cleanup_module + 8 in section .exit.text\ninit_module + 8 in section .init.text\n"
    line = 'Line 37 of "/usr/src/faulty-1.0/faulty.c" starts at address 0x50\n'
    case = on_arm64(faulty(FILE))
    case, (ask, command), _ = follow(gdb_module.TOOL, case, told(starts), told(line))
    assert "info symbol 'faulty_init'" in ask.argv
    assert "info line *('faulty_init'+0x2d)" in command.argv
    assert case.get("debug.line", 0) == 37


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("faulty_init in section .init.text\n", "+0x35"),
        ("other + 8 in section .text\nfaulty_init + 16 in section .text\n", "+0x25"),
        ("", "+0x35"),
    ],
)
def test_the_distance_is_that_of_the_function_itself(said: str, place: str) -> None:
    _, (_, command), _ = follow(gdb_module.TOOL, on_arm64(faulty(FILE)), told(said), told(""))
    assert f"info line *('faulty_init'{place})" in command.argv


def on_arm64(case: Case) -> Case:
    log = case.logs[0]
    report = msgspec.structs.replace(log.reports[0], arch="arm64", code=None)
    log = msgspec.structs.replace(log, reports=(report,))
    return msgspec.structs.replace(case, logs=(log,))


def test_the_name_of_the_pointer_is_told_where_the_modules_file_had_it() -> None:
    case = faulty(FILE)
    pointer = Pointer(
        register="rax", held="0x0", value="0x0", offset=0, how="location", name="state"
    )
    (log,) = case.logs
    reports = tuple(msgspec.structs.replace(r, pointer=pointer) for r in log.reports)
    known = msgspec.structs.replace(log, reports=reports)
    case = msgspec.structs.replace(case, logs=(known,))
    case, _, _ = follow(gdb_module.TOOL, case, told(output("gdb_module.txt")))
    assert "the bad pointer state was in rax" in texts(case.findings)


def test_another_build_gives_no_line() -> None:
    other = output("gdb_module.txt").replace("0xc6\t0x00", "0x48\t0x8b")
    case, _, _ = follow(gdb_module.TOOL, faulty(FILE), told(other))
    assert not case.has("debug.line")
    assert "not the build" in texts(case.findings)


def test_a_module_folder_is_searched_and_the_plain_file_taken() -> None:
    found = told("/home/user/m/a/faulty.ko.xz\n/home/user/m/b/faulty.ko\n")
    case = faulty({"given.module_dir": "/home/user/m"})
    _, (find, gdb), _ = follow(gdb_module.TOOL, case, found, told(output("gdb_module.txt")))
    assert find.argv[:2] == ("find", "/home/user/m")
    assert gdb.argv[-1] == "/home/user/m/b/faulty.ko"


@pytest.mark.parametrize(
    ("suffix", "remedy"), [(".xz", "xz -dk"), (".zst", "zstd -dk"), (".gz", "gzip -dk")]
)
def test_a_compressed_module_must_be_unpacked(suffix: str, remedy: str) -> None:
    wanted = next_command(gdb_module.TOOL, faulty({"module.path": f"/lib/m/faulty.ko{suffix}"}))
    assert isinstance(wanted, Blocked)
    assert remedy in wanted.remedy


@pytest.mark.parametrize("name", ["x'+system(1)+'", "a b", "f\n", "'", "$pc", "x;shell id"])
def test_a_hostile_function_never_reaches_gdb(name: str) -> None:
    wanted = next_command(gdb_module.TOOL, with_function(faulty(FILE), name))
    assert isinstance(wanted, Blocked)


@pytest.mark.parametrize("name", ["faulty_init.cold", "faulty_init.isra.0"])
def test_names_with_a_compiler_suffix_are_asked_for_in_quotes(name: str) -> None:
    wanted = next_command(gdb_module.TOOL, with_function(faulty(FILE), name))
    assert isinstance(wanted, Command)
    assert f"info line *('{name}'+0x35)" in wanted.argv


def test_a_fault_in_the_kernel_is_looked_up_in_the_vmlinux() -> None:
    case = with_function(faulty(), "kfree", None)
    image = f"/usr/lib/debug/boot/vmlinux-{KERNEL}"
    _, ran, _ = follow(gdb_module.TOOL, case, told(f"{image}\n"), told("Line 3 of"))
    assert ran[1].argv[-1] == image


def test_where_the_kernel_faulted_for_the_suspect_its_own_call_is_the_place() -> None:
    frames = (
        Frame("list_check", 0x1F),
        Frame("faulty_probe", 0x7, module="faulty", reliable=False),
        Frame("faulty_remove", 0x30, module="faulty"),
    )
    case = with_function(faulty(FILE), "list_check", None, frames)
    said = 'Line 37 of "/usr/src/faulty-1.0/faulty.c" starts at address 0x2f\n37\t\tdrop(a);\n'
    case, (gdb,), _ = follow(gdb_module.TOOL, case, told(said))
    assert "info line *('faulty_remove'+0x2f)" in gdb.argv
    assert not any(word.startswith("x/") for word in gdb.argv)
    assert case.get("debug.line", 0) == 37
    assert "when it was called at /usr/src/faulty-1.0/faulty.c:37: drop(a);" in texts(case.findings)


@pytest.mark.parametrize(
    ("errors", "says"),
    [
        ('No symbol "faulty_init" in current context.\n', "has no function faulty_init"),
        ('No symbol table is loaded.  Use the "file" command.\n', "no debug information"),
        ("/x.ko: No such file or directory.\n", "could not read the file"),
    ],
)
def test_gdb_says_why_there_is_no_line(errors: str, says: str) -> None:
    case, _, _ = follow(gdb_module.TOOL, faulty(FILE), told(errors=errors))
    assert says in texts(case.findings)


def test_without_a_file_the_folder_is_asked_for() -> None:
    wanted = next_command(gdb_module.TOOL, faulty())
    assert isinstance(wanted, Blocked)
    assert "--module-dir" in wanted.remedy


def test_the_faulty_line_is_shown() -> None:
    text = "".join(f"line {n}\n" for n in range(29, 46))
    case, (command,), _ = follow(source.TOOL, faulty(PLACE), told(text))
    assert command.argv == ("sed", "-n", "29,45p", "/home/user/faulty/faulty.c")
    assert "faulty.c:37: line 37" in texts(case.findings)


def test_a_file_that_is_too_short_is_not_the_source_of_this_build() -> None:
    case, _, _ = follow(source.TOOL, faulty(PLACE), told("line 29\n"))
    assert "is it the source of this build" in texts(case.findings)


@pytest.mark.parametrize("file", ["../../etc/shadow", "/etc/shadow", "a/b/shadow"])
def test_only_the_source_folder_is_read(file: str) -> None:
    wanted = next_command(source.TOOL, faulty(PLACE | {"debug.file": file}))
    assert isinstance(wanted, Command)
    assert wanted.argv[-1] == "/home/user/faulty/shadow"


@pytest.mark.parametrize("file", ["..", "/x/..", "a;b.c", "x\ny.c"])
def test_a_file_name_that_leads_elsewhere_is_refused(file: str) -> None:
    assert isinstance(next_command(source.TOOL, faulty(PLACE | {"debug.file": file})), Blocked)


def test_without_a_source_folder_it_is_asked_for() -> None:
    wanted = next_command(source.TOOL, faulty({"debug.file": "faulty.c", "debug.line": 3}))
    assert isinstance(wanted, Blocked)
    assert wanted.remedy


def test_real_gdb_finds_the_line_in_a_real_object(tmp_path: Path) -> None:
    for program in ("gdb", "gcc"):
        require_program(program)
    require(shutil.which("sed"), "sed is not installed")
    text = "void faulty_init(char *p)\n{\n\tp[0] = 65;\n}\n"
    (tmp_path / "faulty.c").write_text(text)
    build = Command(
        argv=("gcc", "-g", "-O1", "-fcf-protection=none", "-c", "faulty.c", "-o", "faulty.ko"),
        tool="test",
        cwd=str(tmp_path),
    )
    assert LocalHost().run(build).ok
    case = faulty({"given.module_dir": str(tmp_path), "given.source_dir": str(tmp_path)})
    log = case.logs[0]
    at_start = msgspec.structs.replace(log.reports[0], offset=0, code="<c6> 07 41")
    log = msgspec.structs.replace(log, reports=(at_start,))
    case = msgspec.structs.replace(case, logs=(log,))
    for tool in (gdb_module.TOOL, source.TOOL):
        while isinstance(wanted := next_command(tool, case), Command):
            result = LocalHost().run(wanted)
            case = learn(case, tool.id, result, tool.read(result, case))
    assert case.get("debug.line", 0) == 3
    assert case.get("debug.pointer", "") == "rdi"
    assert "faulty.c:3: p[0] = 65;" in texts(case.findings)
    assert Mark.BAD in [f.mark for f in case.findings]


@pytest.mark.parametrize("role", ["freed", "allocated"])
def test_of_damage_found_by_others_the_place_is_where_the_suspect_had_the_object(role: str) -> None:
    case = with_function(faulty(FILE), "check_object", None)
    log = case.logs[0]
    details = {f"{role}_in": "faulty_close.part.0+0x27/0x33 [faulty]"}
    report = msgspec.structs.replace(log.reports[0], details=details)
    log = msgspec.structs.replace(log, reports=(report,))
    case = msgspec.structs.replace(case, logs=(log,))
    said = 'Line 61 of "/usr/src/faulty-1.0/faulty.c" starts at address 0x2f\n61\t\tkfree(book);\n'
    case, (gdb,), _ = follow(gdb_module.TOOL, case, told(said))
    assert "info line *('faulty_close.part.0'+0x26)" in gdb.argv
    assert case.get("debug.role", "") == role
    told_place = f"The damaged object was {role} at /usr/src/faulty-1.0/faulty.c:61: kfree(book);"
    assert told_place in texts(case.findings)
