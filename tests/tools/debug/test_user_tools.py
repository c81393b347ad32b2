"""valgrind and gdb on a core: a program that faulted, not the kernel. And the reboot."""

from __future__ import annotations

from pathlib import Path

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.command import Blocked, Command, Risk
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.debug import gdb_core, valgrind
from pagefault_doctor.tools.reproduce import reboot
from pagefault_doctor.tools.tool import next_command
from requirements import require_program
from tools.example_reports import SEGFAULT, follow, known, texts, told
from tools.recorded import faulty, output

PROGRAM: dict[str, Value] = {"given.program": "/home/user/app/us"}
CORE: dict[str, Value] = PROGRAM | {"given.core": "/home/user/app/core"}
KEPT = """\
           PID: 400 (app)
        Signal: 11 (SEGV)
       Storage: /var/lib/systemd/coredump/core.app.400.zst (present)
       Message: Process 400 (app) of user 1000 dumped core.

                Stack trace of thread 400:
                #0  0x0000000000401136 poke (app + 0x1136)
                #1  0x0000000000401160 main (app + 0x1160)
"""


def test_valgrind_tells_each_error_with_its_place() -> None:
    case, (command,), _ = follow(valgrind.TOOL, known(PROGRAM), told(output("valgrind.xml")))
    assert case.get("user.valgrind_errors", 0) == 4
    assert case.get("user.signal", "") == "SIGSEGV"
    assert "Invalid write of size 4 in main (us.c:5)" in texts(case.findings)
    assert "0 bytes after a block of size 16" in texts(case.findings)
    assert command.argv[-1] == "/home/user/app/us"
    assert command.risk is Risk.LOAD


def test_valgrind_cut_short_still_tells_what_it_found() -> None:
    text = output("valgrind.xml")
    case, _, _ = follow(valgrind.TOOL, known(PROGRAM), told(text[: text.rindex("<errorcounts>")]))
    assert case.get("user.valgrind_errors", 0) == 4


def test_xml_that_declares_entities_is_not_parsed() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><valgrindoutput/>'
    assert valgrind.parse(bomb) == ((), "", False)


def test_a_clean_run_is_good_news_of_this_run_only() -> None:
    xml = '<?xml version="1.0"?>\n<valgrindoutput></valgrindoutput>\n'
    case, _, _ = follow(valgrind.TOOL, known(PROGRAM), told(xml))
    assert case.get("user.valgrind_errors", -1) == 0
    assert case.findings[0].mark is Mark.GOOD


def test_without_a_program_it_is_asked_for() -> None:
    assert isinstance(next_command(valgrind.TOOL, known()), Blocked)


def test_gdb_tells_where_the_program_died() -> None:
    case, _, _ = follow(gdb_core.TOOL, known(CORE), told(output("gdb_core.txt")))
    assert case.get("user.core_function", "") == "main"
    assert case.get("user.core_file", "") == "us.c"
    assert case.get("user.core_line", 0) == 5
    assert case.get("user.signal", "") == "SIGSEGV"
    assert "movl $0x3,(%rax), at address 0x0" in texts(case.findings)


def test_systemd_is_asked_for_the_process_where_there_is_no_core() -> None:
    case = known({"host.programs": ("coredumpctl", "gdb")}, ("dmesg", SEGFAULT))
    case, (command,), _ = follow(gdb_core.TOOL, case, told(KEPT))
    assert command.argv == ("coredumpctl", "info", "--no-pager", "400")
    assert case.get("user.core_function", "") == "poke"
    assert case.get("user.signal", "") == "SIGSEGV"


def test_without_a_core_it_says_how_to_get_one() -> None:
    wanted = next_command(gdb_core.TOOL, known())
    assert isinstance(wanted, Blocked)
    assert "ulimit -c" in wanted.remedy


def test_real_valgrind_sees_a_write_past_a_block(tmp_path: Path) -> None:
    for program in ("valgrind", "gcc"):
        require_program(program)
    (tmp_path / "app.c").write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n"
        'int main(void)\n{\n\tchar *p = malloc(4);\n\n\tputs("<chatter>");\n'
        "\tp[4] = 1;\n\tfree(p);\n\treturn 0;\n}\n"
    )
    build = Command(argv=("gcc", "-g", "-O0", "app.c", "-o", "app"), tool="test", cwd=str(tmp_path))
    assert LocalHost().run(build).ok
    case = known({"given.program": str(tmp_path / "app")})
    wanted = next_command(valgrind.TOOL, case)
    assert isinstance(wanted, Command)
    reading = valgrind.TOOL.read(LocalHost().run(wanted), case)
    assert "Invalid write of size 1 in main (app.c:8)" in texts(reading.findings)


def test_a_refused_reboot_is_left_to_the_person() -> None:
    refused = told(errors="Access denied", exit_code=1)
    _, _, blocked = follow(reboot.TOOL, faulty(), told("128\n"), refused)
    assert blocked
    assert "by hand" in blocked.remedy
