"""Oopses made up for an instruction of a real object file, as a kernel would print them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.diagnosis.source_lookup import with_source
from pagefault_doctor.model.report import Report
from requirements import require_program

SOURCE: Final = Path(__file__).parent / "sources" / "board.c"
TOOLS: Final = {"x86_64": "", "arm64": "aarch64-linux-gnu-"}
_ROW = re.compile(r"^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} )+|[0-9a-f]{8})\s+(.*)$")
_X86_ROWS = (
    ("RAX", "RBX", "RCX"),
    ("RDX", "RSI", "RDI"),
    ("RBP", "R08", "R09"),
    ("R10", "R11", "R12"),
    ("R13", "R14", "R15"),
)
_PLAIN = 0xFFFF888012340000


class Line(msgspec.Struct, frozen=True):
    """An instruction: its offset in the function, its bytes as objdump shows them, its text."""

    offset: int
    code: str
    text: str


def compiled(folder: Path, arch: str, dwarf: int) -> Path:
    """Return board.c compiled as a module's file is, without being linked."""
    gcc = require_program(f"{TOOLS[arch]}gcc")
    file = folder / "board.ko"
    flags = ["-O2", f"-gdwarf-{dwarf}", "-fno-pic", "-fcf-protection=none"]
    if arch == "arm64":
        flags.pop()
    subprocess.run([gcc, "-c", *flags, "-o", str(file), str(SOURCE)], check=True)
    return file


def instructions(file: Path, arch: str, function: str) -> list[Line]:
    """Return the instructions of a function, by objdump."""
    objdump = require_program(f"{TOOLS[arch]}objdump")
    command = [objdump, "-d", f"--disassemble={function}", "-w", str(file)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [match for line in text.splitlines() if (match := _ROW.match(line))]
    start = int(rows[0][1], 16)
    return [Line(int(row[1], 16) - start, row[2].strip(), row[3]) for row in rows]


def oops(
    arch: str, function: str, line: Line, address: int, registers: dict[str, int]
) -> tuple[str, ...]:
    """Return the lines of an oops at an instruction; registers not given hold something plain."""
    of = f"{function}+{line.offset:#x}/{0x100:#x} [board]"
    if arch == "arm64":
        return _arm64(of, line, address, registers)
    rows = (
        " ".join(f"{n}: {registers.get(n.lower().replace('r0', 'r'), _PLAIN):016x}" for n in row)
        for row in _X86_ROWS
    )
    return (
        f"BUG: unable to handle page fault for address: {address:016x}",
        "#PF: supervisor read access in kernel mode",
        "#PF: error_code(0x0000) - not-present page",
        "Oops: 0000 [#1] PREEMPT SMP",
        "CPU: 0 PID: 7 Comm: cat Tainted: G           O       6.1.0 #1",
        f"RIP: 0010:{of}",
        f"Code: 90 90 <{line.code[:2]}>{line.code[2:]} 90 90 90 90 90 90 90 90",
        f"RSP: 0018:{_PLAIN:016x} EFLAGS: 00010246",
        *rows,
    )


def _arm64(of: str, line: Line, address: int, registers: dict[str, int]) -> tuple[str, ...]:
    names = [f"x{n}" for n in range(29, -1, -1)]
    return (
        f"Unable to handle kernel paging request at virtual address {address:016x}",
        "Mem abort info:",
        "  ESR = 0x0000000096000006",
        "Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP",
        "CPU: 0 PID: 7 Comm: cat Tainted: G           O       6.1.0 #1",
        f"pc : {of}",
        f"lr : {of}",
        f"sp : {_PLAIN:016x}",
        *(f"{name}: {registers.get(name, _PLAIN):016x}" for name in names),
        "Modules linked in: board(O)",
        "Call trace:",
        f" {of}",
        f"Code: d503201f d503201f ({line.code.replace(' ', '')})",
    )


def jump(caller: str) -> tuple[str, ...]:
    """Return the lines of an oops of a jump to NULL; `caller` is the frame that called."""
    rows = (" ".join(f"{name}: {_PLAIN:016x}" for name in row) for row in _X86_ROWS)
    return (
        "BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "#PF: supervisor instruction fetch in kernel mode",
        "#PF: error_code(0x0010) - not-present page",
        "Oops: 0010 [#1] PREEMPT SMP",
        "CPU: 0 PID: 7 Comm: cat Tainted: G           O       6.1.0 #1",
        "RIP: 0010:0x0",
        "Code: Unable to access opcode bytes at 0xffffffffffffffd6.",
        f"RSP: 0018:{_PLAIN:016x} EFLAGS: 00010246",
        *rows,
        "Call Trace:",
        " <TASK>",
        f" {caller}",
        " vfs_read+0xb0/0x2f0",
        " </TASK>",
    )


def told(file: Path, lines: tuple[str, ...]) -> Report:
    """Return the report in the lines, with the lines and variables from the file's folder."""
    text = "".join(f"[   10.{n:06}] {line}\n" for n, line in enumerate(lines))
    report = klog.read(text.encode(), "log").reports[0]
    return with_source(report, file.parent)
