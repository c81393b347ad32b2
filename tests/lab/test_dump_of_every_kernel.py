"""A dump of each kernel: drgn names function and line, and crash does, or says that it is older."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pagefault_doctor import klog
from pagefault_doctor.cli.lab_commands.run import dump_case
from pagefault_doctor.cli.main import main
from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab.kernels import kernel_stock
from pagefault_doctor.lab.machine import ARM64, X86_64, Machine
from pagefault_doctor.lab.requirements import find_vmlinux
from pagefault_doctor.lab.stock import release_of
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command
from pagefault_doctor.model.errors import MissingError
from pagefault_doctor.tools.dump import crash, drgn
from pagefault_doctor.tools.tool import Tool, next_command, read_output
from requirements import require

pytestmark = pytest.mark.lab

SOURCE = Path(__file__).with_name("lamp")
TRIGGER = "sh -c 'echo 1 > /sys/module/lamp/parameters/dim'"
LINE = next(
    number
    for number, text in enumerate((SOURCE / "lamp.c").read_text().splitlines(), 1)
    if "/* here */" in text
)

Capture = pytest.CaptureFixture[str]


def read_by(tool: Tool, case: Case) -> tuple[Case, Blocked | None]:
    """Return the case after a tool has run to its end, and why it did not get there."""
    while isinstance(wanted := next_command(tool, case), Command):
        result = LocalHost().run(wanted)
        reading = read_output(tool, result, case)
        case = msgspec.structs.replace(
            case,
            facts=case.facts | {fact.name: fact for fact in reading.facts},
            results=case.results | {tool.id: (*case.done(tool.id), result)},
        )
    return case, wanted


def place_in(case: Case) -> tuple[str, str, int]:
    function, file = case.get("dump.function", ""), case.get("dump.file", "")
    return function.partition(".")[0], Path(file).name, case.get("dump.line", 0)


@pytest.mark.parametrize(
    ("machine", "kernel"),
    [*((X86_64, name) for name in ("5.10", "6.1", "6.12", "forky")), (ARM64, "")],
    ids=lambda value: value.arch if isinstance(value, Machine) else value or "usual",
)
def test_the_readers_name_function_and_line_or_say_that_they_are_older(
    machine: Machine, kernel: str, tmp_path: Path, capsys: Capture
) -> None:
    try:
        stock = kernel_stock(machine, kernel)
    except MissingError as error:
        pytest.skip(f"{error.problem}: {error.remedy}")
    image = stock.kernel()
    require(image, f"no kernel for {machine.arch}: {stock.remedy}")
    assert image
    vmlinux = find_vmlinux(release_of(image), stock)
    if not vmlinux:
        pytest.skip(f"no debug information of {release_of(image)}: {stock.remedy}")
    kept = tmp_path / "kept"
    words = ("--source", str(SOURCE), "--trigger", TRIGGER, "--keep", str(kept), "--json")
    where = ("--arch", machine.arch, *(("--kernel", kernel) if kernel else ()))
    assert main(["lab", "run", *words, *where]) == 0
    capsys.readouterr()
    log = klog.read((kept / "serial.log").read_bytes(), "serial.log")
    start = dump_case(kept / "vmcore", vmlinux, kept, log)
    wanted = ("lamp_dim", "lamp.c", LINE)
    case, _ = read_by(drgn.TOOL, start)
    assert place_in(case) == wanted
    if machine.native:
        case, blocked = read_by(crash.TOOL, start)
        assert place_in(case) == wanted or (blocked and "newer than this crash" in blocked.reason)
        return
    _, blocked = read_by(crash.TOOL, start)
    assert blocked
    assert "another architecture" in blocked.reason
