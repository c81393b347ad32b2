"""A program that really dies here: from the kernel's line and from its core to the source line."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor import klog
from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.symbols import locate
from pagefault_doctor.tools.debug import core_file, gdb_core, program_line, valgrind
from pagefault_doctor.tools.fix import program_build
from pagefault_doctor.tools.tool import next_command
from requirements import require, require_program
from tools.example_reports import follow, known, texts, told, use_for_real

TILL = """\
#include <stdio.h>
#include <string.h>

struct price {
	const char *name;
	int cents;
};

static const struct price prices[] = { { "tea", 240 }, { "cake", 380 } };

static const struct price *find(const char *name)
{
	for (size_t i = 0; i < sizeof(prices) / sizeof(*prices); i++)
		if (!strcmp(prices[i].name, name))
			return &prices[i];
	return NULL;
}

__attribute__((noinline)) int charge(const char *name)
{
	const struct price *price = find(name);

	return price->cents;
}
"""
MAIN = 'int charge(const char *name);\nint main(void)\n{\n\treturn charge("soup") != 0;\n}\n'
FAULTY_LINE = 23
FIXED = TILL.replace("\treturn price->cents;", "\treturn price ? price->cents : -1;")

SHAPES = {
    "position independent": ("gcc -g -O1 -fPIE -pie till.c main.c -o till", "till"),
    "kept simple": ("gcc -g -O0 till.c main.c -o till", "till"),
    "fixed addresses": ("gcc -g -O1 -no-pie -static till.c main.c -o till", "till"),
    "in a shared library": (
        "gcc -g -O1 -fPIC -shared till.c -o libtill.so && "
        "gcc -g -O1 main.c -L. -ltill -Wl,-rpath,$PWD -o till",
        "libtill.so",
    ),
}
SHAPED = pytest.mark.parametrize("shape", SHAPES)


def build(folder: Path, shape: str) -> Path:
    require_program("gcc")
    (folder / "till.c").write_text(TILL)
    (folder / "main.c").write_text(MAIN)
    subprocess.run(("sh", "-c", SHAPES[shape][0]), cwd=folder, check=True, timeout=60)
    return folder / "till"


def segfault_line(folder: Path, shape: str, with_offset: bool) -> str:
    """Return the kernel's line on that program: ip and mapping are read from a traced run."""
    require_program("gdb")
    ask = ("-ex", "run", "-ex", "p/x (long)$pc", "-ex", "info proc mappings")
    argv = ("gdb", "-batch", "-nx", *ask, str(folder / "till"))
    env = os.environ | {"DEBUGINFOD_URLS": "", "LC_ALL": "C"}
    said = subprocess.run(argv, capture_output=True, text=True, env=env, timeout=60).stdout
    ip = int(next(line for line in said.splitlines() if line.startswith("$1 = ")).split()[2], 16)
    name = SHAPES[shape][1]
    for line in said.splitlines():
        words = line.split()
        if words and words[-1].endswith(f"/{name}") and int(words[0], 16) <= ip < int(words[1], 16):
            base, size, offset = int(words[0], 16), int(words[2], 16), int(words[3], 16)
            more = f"{ip - base + offset:x}," if with_offset else ""
            where = f"{name}[{more}{base:x}+{size:x}]"
            return f"[  9.0] till[77]: segfault at 8 ip {ip:016x} sp 7ffd01 error 4 in {where}\n"
    raise AssertionError(said)


def core_of(program: Path) -> Path:
    """Let the program die in its folder and return the core it left."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    require(not pattern.startswith(("|", "/")), f"cores of this machine go elsewhere: {pattern}")
    lift = resource.RLIM_INFINITY
    ended = subprocess.run(
        (str(program),),
        cwd=program.parent,
        check=False,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (lift, lift)),
    )
    assert ended.returncode == -signal.SIGSEGV
    (core,) = program.parent.glob("core*")
    return core


@SHAPED
@pytest.mark.parametrize("with_offset", [False, True], ids=["until 6.9", "newer kernels"])
def test_the_kernels_line_alone_leads_to_the_source(
    tmp_path: Path, shape: str, with_offset: bool
) -> None:
    require_program("readelf")
    program = build(tmp_path, shape)
    line = segfault_line(tmp_path, shape, with_offset)
    case = known({"given.program": str(program)}, ("dmesg", line))
    case = use_for_real(program_line.TOOL, case)
    assert case.get("user.ip_function", "") == "charge"
    assert case.get("user.ip_file", "").endswith("till.c")
    assert case.get("user.ip_line", 0) == FAULTY_LINE
    (report,) = klog.read(line.encode(), "dmesg").reports
    located = locate(report, tmp_path)
    assert located.function == "charge"
    assert located.source_line
    assert (located.source_line.file, located.source_line.line) == ("till.c", FAULTY_LINE)


def test_a_file_of_another_build_is_not_believed(tmp_path: Path) -> None:
    require_program("readelf")
    program = build(tmp_path, "position independent")
    line = "[ 9.0] till[7]: segfault at 8 ip 55000040 sp 7ff error 4 in till[55000000+900000]\n"
    case = use_for_real(program_line.TOOL, known({"given.program": str(program)}, ("dmesg", line)))
    assert not case.has("user.ip_line")
    assert "not the file that died" in texts(case.findings)
    (report,) = klog.read(line.encode(), "dmesg").reports
    assert locate(report, tmp_path) == report


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01\x01" + b"\xff" * 200])
def test_a_damaged_program_gives_no_line_and_says_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "till").write_bytes(data)
    line = "[ 9.0] till[7]: segfault at 8 ip 55000040 sp 7ff error 4 in till[55000000+1000]\n"
    (report,) = klog.read(line.encode(), "dmesg").reports
    found = locate(report, tmp_path)
    assert (found.source_line, found.function) == (None, None)
    assert str(tmp_path / "till") in (found.file_note or "")


def test_a_name_that_leads_elsewhere_is_not_looked_for() -> None:
    line = "[ 9.0] x[7]: segfault at 8 ip 55000040 sp 7ff error 4 in ../x[55000000+1000]\n"
    case = known({"given.program": "/usr/bin/x"}, ("dmesg", line))
    assert next_command(program_line.TOOL, case) is None


def test_the_core_names_line_and_pointer(tmp_path: Path) -> None:
    require_program("gdb")
    program = build(tmp_path, "kept simple")
    core = core_of(program)
    case = use_for_real(
        gdb_core.TOOL, known({"given.program": str(program), "given.core": str(core)})
    )
    assert case.get("user.signal", "") == "SIGSEGV"
    assert case.get("user.core_function", "") == "charge"
    assert case.get("user.core_line", 0) == FAULTY_LINE
    assert "at address 0x8" in texts(case.findings)
    assert case.get("user.pointer", "") == "price"
    assert "The pointer is price, which was NULL" in texts(case.findings)


def test_the_newest_core_is_found_by_the_pattern(tmp_path: Path) -> None:
    program = build(tmp_path, "position independent")
    core = core_of(program)
    case = use_for_real(core_file.TOOL, known({"given.program": str(program)}))
    assert case.get("core.path", "") == str(core)
    wanted = next_command(gdb_core.TOOL, case)
    assert isinstance(wanted, Command)
    assert wanted.argv[-1] == str(core)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("pattern=|/usr/lib/systemd/systemd-coredump %P\nlimit=0\n", "coredumpctl list"),
        ("pattern=|/usr/share/apport/apport %p\nlimit=0\n", "apport-unpack"),
        ("pattern=|/opt/keep %p\nlimit=0\n", "handed to /opt/keep"),
        ("pattern=core\nlimit=0\n", "ulimit -c unlimited"),
        ("pattern=/cores/%e.%p\nlimit=unlimited\n", "/cores/%e.%p"),
    ],
)
def test_where_cores_go_is_told(output: str, words: str) -> None:
    case, _, _ = follow(core_file.TOOL, known(), told(output))
    assert words in texts(case.findings)
    assert not case.has("core.path")


def test_a_fixed_program_is_proven_under_valgrind(tmp_path: Path) -> None:
    for name in ("gcc", "valgrind", "make"):
        require_program(name)
    program = build(tmp_path, "position independent")
    (tmp_path / "Makefile").write_text(f"all:\n\t{SHAPES['position independent'][0]}\n")
    facts: dict[str, Value] = {"given.program": str(program), "given.source_dir": str(tmp_path)}
    case = use_for_real(valgrind.TOOL, known(facts))
    assert case.get("user.signal", "") == "SIGSEGV"
    assert f"in charge (till.c:{FAULTY_LINE})" in texts(case.findings)
    assert not case.has("validate.verdict")
    (tmp_path / "till.c").write_text(FIXED)
    case = use_for_real(program_build.TOOL, case)
    assert case.get("fix.built", False)
    case = use_for_real(valgrind.TOOL, msgspec.structs.replace(case, results={}))
    assert case.get("user.valgrind_errors", -1) == 0
    assert case.get("validate.verdict", "") == "fixed"
    assert case.findings[-1].mark is Mark.GOOD


def test_a_program_that_does_not_build_is_told_with_its_line(tmp_path: Path) -> None:
    require_program("make")
    (tmp_path / "Makefile").write_text("all:\n\t@echo 'till.c:7:2: error: what?' >&2; exit 1\n")
    case = use_for_real(program_build.TOOL, known({"given.source_dir": str(tmp_path)}))
    assert case.get("fix.built", True) is False
    assert "till.c:7: what?" in texts(case.findings)


def test_without_a_source_the_program_is_not_built() -> None:
    assert isinstance(next_command(program_build.TOOL, known()), Blocked)
