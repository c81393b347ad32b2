"""Whether a module's file is the build that ran: ids, sizes, checksums, copies, the initramfs."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.lab import cpio
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.playbook import shelf
from pagefault_doctor.tools.module import dkms, module_file, module_state
from pagefault_doctor.tools.tool import next_command
from requirements import require_kernel, require_program
from tools.example_reports import BOOT, KERNEL, OOPS, follow, known, learn, texts, told
from tools.module_elf import Function, module

ONE, OTHER = "1a" * 20, "2b" * 20
READ: Final = OOPS.replace("wobble_init+0x11/0x1000", "wobble_read+0x11/0x40")
SUSPECT: Final[dict[str, Value]] = {
    "suspect.module": "wobble",
    "host.kernel": KERNEL,
    "host.family": "debian",
}
FUNCTIONS: Final = (Function("wobble_read", 16, 0x3A), Function("wobble_last", 80, 9))
CRCS: Final = {"module_layout": 0x11111111, "_printk": 0x22222222}
SYMVERS: Final = (
    "0x11111111\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x{}\t_printk\tvmlinux\tX\t\n"
)


class Box:
    """A folder that stands for /lib/modules/RELEASE of a machine."""

    seen = f"/lib/modules/{KERNEL}"

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def put(self, path: str, data: bytes) -> str:
        """Write a file there and return its path on that machine."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return f"{self.seen}/{path}"

    def look(self, facts: dict[str, Value] | None = None, log: str = READ) -> tuple[Case, Result]:
        """Return the case after the tool looked there, and what its script printed."""
        case = known(SUSPECT | (facts or {}), ("dmesg", BOOT + log))
        wanted = next_command(module_file.TOOL, case)
        assert isinstance(wanted, Command)
        here = (('"/lib/modules/" + release', f'"{self.root}"'), ('"/boot/', f'"{self.root}/boot/'))
        argv = wanted.argv
        for theirs, ours in here:
            argv = tuple(word.replace(theirs, ours) for word in argv)
        result = LocalHost().run(msgspec.structs.replace(wanted, argv=argv))
        assert result.ok, result.errors
        output = result.output.replace(str(self.root), self.seen)
        result = msgspec.structs.replace(result, output=output)
        return learn(case, "module-file", result, module_file.TOOL.read(result, case)), result


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "modules")


def bad(case: Case) -> str:
    return texts(finding for finding in case.findings if finding.mark is Mark.BAD)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_file_that_is_the_build_in_memory_is_told(box: Box, order: str) -> None:
    box.put("updates/wobble.ko", module(ONE, "AB", FUNCTIONS, order=order))
    case, _ = box.look({"module.build_id": ONE})
    assert case.get("module.build_id_fits", False) is True
    assert case.get("module.size_fits", False) is True
    assert "is the very build on disk (build id 1a1a1a1a1a1a)" in texts(case.findings)
    assert bad(case) == ""


def test_another_build_in_memory_is_told_with_both_ids(box: Box) -> None:
    path = box.put("updates/wobble.ko", module(ONE))
    case, _ = box.look({"module.build_id": OTHER})
    assert case.get("module.build_id_fits", True) is False
    assert f"(build id 2b2b2b2b2b2b) is another build than {path} (1a1a1a1a1a1a)" in bad(case)
    assert "before you trust a line" in bad(case)


def test_a_function_of_another_size_is_another_build(box: Box) -> None:
    longer = (Function("wobble_read", 16, 0x6A), Function("wobble_last", 128, 9))
    box.put("updates/wobble.ko", module(ONE, functions=longer))
    case, _ = box.look()
    assert case.get("module.size_fits", True) is False
    assert "wobble_read is 0x40 bytes long in the report, 0x6a in" in bad(case)
    assert "look for the file of that time" in bad(case)


def test_a_function_that_is_not_in_the_file_is_another_build(box: Box) -> None:
    box.put("updates/wobble.ko", module(ONE, functions=(Function("wobble_write", 0, 9),)))
    case, _ = box.look()
    assert case.get("module.size_fits", True) is False
    assert "wobble_read is in the report, and not in" in bad(case)


@pytest.mark.parametrize(
    ("function", "printed"),
    [
        (Function("wobble_init", 0, 82, ".init.text"), "wobble_init+0x11/0x1000"),
        (Function("wobble_read.cold", 0, 30), "wobble_read.cold+0x11/0x99"),
        (Function("wobble_last", 0, 57), "wobble_last+0x11/0x40"),
    ],
)
def test_sizes_that_tell_nothing_are_not_compared(
    box: Box, function: Function, printed: str
) -> None:
    box.put("updates/wobble.ko", module(ONE, functions=(function,)))
    log = OOPS.replace("wobble_init+0x11/0x1000", printed)
    case, result = box.look(log=log)
    assert f"symbol={function.name} " in result.output
    assert not case.has("module.size_fits")


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_symbols_of_another_version_call_for_a_rebuild(
    box: Box, extended: bool, packed: bool
) -> None:
    box.put("extra/wobble.ko", module(ONE, crcs=CRCS, extended=extended))
    symvers = SYMVERS.replace("{}", "33333333").encode()
    if packed:
        box.put("symvers.gz", gzip.compress(symvers))
    else:
        box.put("build/Module.symvers", symvers)
    case, _ = box.look()
    assert case.get("module.crcs_fit", True) is False
    assert "1 of 2 symbols that the file needs have another version" in bad(case)
    assert "(_printk)" in bad(case)
    assert f"make -C /lib/modules/{KERNEL}/build" in bad(case)


def test_symbols_of_this_kernel_are_fine(box: Box) -> None:
    box.put("extra/wobble.ko", module(ONE, crcs=CRCS | {"own_symbol_of_another_module": 7}))
    box.put("build/Module.symvers", SYMVERS.replace("{}", "22222222").encode())
    case, _ = box.look()
    assert case.get("module.crcs_fit", False) is True
    assert "All 2 symbols" in texts(case.findings)


def test_of_several_files_the_one_modprobe_takes_is_told(box: Box) -> None:
    new = box.put("updates/dkms/wobble.ko", module(ONE))
    old = box.put("kernel/drivers/wobble.ko.xz", lzma.compress(module(OTHER)))
    box.put("modules.dep", b"kernel/other.ko:\nupdates/dkms/wobble.ko: kernel/helper.ko\n")
    case, _ = box.look()
    assert case.get("module.copies", 0) == 2
    assert f"There are 2 files of wobble: modprobe takes {new}, not {old}" in texts(case.findings)
    assert bad(case) == ""
    case, _ = box.look({"module.build_id": OTHER})
    assert case.get("module.picked_is_loaded", True) is False
    assert f"The one in memory is {old}: remove the wrong one, then depmod -a" in bad(case)


def test_a_file_from_elsewhere_is_looked_at_alone(box: Box, tmp_path: Path) -> None:
    box.put("updates/wobble.ko", module(OTHER))
    box.put("initrd", cpio.archive([cpio.file("lib/wobble.ko", module(OTHER))]))
    (tmp_path / "wobble.ko").write_bytes(module(ONE))
    case, result = box.look({"module.path": str(tmp_path / "wobble.ko"), "module.build_id": ONE})
    assert result.output.count("file=") == 1
    assert case.get("module.build_id_fits", False) is True
    assert bad(case) == ""


def test_one_file_by_two_paths_is_one_file(box: Box, tmp_path: Path) -> None:
    box.put("updates/wobble.ko", module(ONE))
    (tmp_path / "lib").symlink_to(box.root)
    case, _ = box.look({"module.path": str(tmp_path / "lib/updates/wobble.ko")})
    assert case.get("module.file_build_id", "") == ONE
    assert not case.has("module.copies")


@pytest.mark.parametrize("name", ["wob_ble", "wob-ble"])
def test_dash_and_underscore_are_one_in_file_names(box: Box, name: str) -> None:
    box.put("updates/wob-ble.ko", module(ONE))
    box.put("updates/wob-ble2.ko", module(OTHER))
    case, _ = box.look({"suspect.module": name})
    assert case.get("module.file_build_id", "") == ONE
    assert not case.has("module.copies")


def early_and(main: bytes) -> bytes:
    """An initramfs as distributions make it: microcode first, as it is, then the packed rest."""
    early = cpio.archive([cpio.file("kernel/x86/microcode/x.bin", b"m" * 500)])
    return early + b"\0" * (-len(early) % 512) + main


def by_zstd(data: bytes) -> bytes:
    program = (require_program("zstd"), "-qc")
    return subprocess.run(program, input=data, capture_output=True, check=True).stdout


PACKERS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    *(bytes, gzip.compress, lzma.compress, bz2.compress),
    by_zstd,
)


@pytest.mark.parametrize("pack", PACKERS)
def test_an_old_copy_in_the_initramfs_is_what_boot_loads(
    box: Box, pack: Callable[[bytes], bytes]
) -> None:
    file = module(ONE, "AB")
    box.put("updates/wobble.ko", file)
    entries = [cpio.file("etc/big", b"x" * 300_000), cpio.file("lib/wobble.ko", module(OTHER))]
    image = box.put("initrd", early_and(pack(cpio.archive(entries))))
    case, _ = box.look()
    assert case.get("module.initramfs_fits", True) is False
    assert f"{image} holds another build of wobble" in bad(case)
    assert f"update-initramfs -u -k {KERNEL}, then reboot" in bad(case)
    box.put("initrd", early_and(pack(cpio.archive([cpio.file("lib/wobble.ko.xz", b"")]))))
    box.put("initrd", early_and(pack(cpio.archive([cpio.file("lib/wobble.ko", file)]))))
    case, _ = box.look()
    assert case.get("module.initramfs_fits", False) is True


@pytest.mark.parametrize(
    "image", [b"", b"\0" * 600, b"what is this", early_and(gzip.compress(b"070701" * 9)[:-8])]
)
def test_an_initramfs_that_cannot_be_read_says_nothing(box: Box, image: bytes) -> None:
    box.put("updates/wobble.ko", module(ONE))
    box.put("initrd", image)
    case, result = box.look()
    assert result.output.endswith("end=.\n")
    assert not case.has("module.initramfs_fits")
    assert case.get("module.file_build_id", "") == ONE


@pytest.mark.parametrize("data", [b"", b"\x7fELF", module(ONE)[:300], b"\x7fELF\x01" + b"\0" * 99])
def test_a_file_that_is_no_module_is_told_as_unread(box: Box, data: bytes) -> None:
    box.put("updates/wobble.ko", data)
    case, result = box.look({"module.build_id": ONE})
    assert "error=" in result.output
    assert result.output.endswith("end=.\n")
    (finding,) = case.findings
    assert finding.text.startswith("Not read to the end, ")
    assert "updates/wobble.ko: " in finding.text


BOOTED: Final = 1_700_000_000


@pytest.mark.parametrize(("late", "told_so"), [(5, False), (100, True)])
def test_a_file_written_after_the_fault_may_be_another_build(
    box: Box, late: int, told_so: bool
) -> None:
    box.put("updates/wobble.ko", module())
    os.utime(box.root / "updates/wobble.ko", (BOOTED + late, BOOTED + late))
    case, _ = box.look({"module.boot_time": BOOTED})
    assert case.get("module.written_after", not told_so) is told_so
    assert ("2023-11-14 22:15:00 UTC, by the clock after the fault" in texts(case.findings)) is (
        told_so
    )
    box.put("updates/wobble.ko", module(ONE))
    case, _ = box.look({"module.boot_time": BOOTED, "module.build_id": ONE})
    assert "by the clock" not in texts(case.findings), "the build id tells better"


def test_the_state_of_a_module_tells_when_its_kernel_booted() -> None:
    answer = told("present\ninitstate=live\nbtime=1700000000\n")
    case, ran, _ = follow(module_state.TOOL, known(SUSPECT), answer)
    assert "btime" in ran[0].argv[2]
    assert case.get("module.boot_time", 0) == BOOTED


def test_without_python_or_an_answer_it_is_quiet() -> None:
    case, ran, blocked = follow(module_file.TOOL, known(SUSPECT, ("dmesg", BOOT + READ)), told())
    assert (len(ran), blocked, case.findings) == (1, None, ())


def test_dkms_is_contradicted_by_a_file_that_does_not_fit() -> None:
    row = told(f"wobble/1.0, {KERNEL}, x86_64: installed\n")
    log = ("dmesg", BOOT + OOPS)
    case, _, _ = follow(dkms.TOOL, known(SUSPECT | {"module.crcs_fit": False}, log), row)
    assert f"dkms remove wobble/1.0 -k {KERNEL}, then dkms install wobble/1.0" in bad(case)
    case, _, _ = follow(dkms.TOOL, known(SUSPECT | {"module.crcs_fit": True}, log), row)
    assert bad(case) == ""


WITH_MODULE: Final = [name for name in shelf.scenario_ids() if shelf.scenario(name).module]


@pytest.mark.parametrize("scenario_id", WITH_MODULE)
def test_the_sizes_that_real_kernels_printed_are_those_of_the_real_files(
    scenario_id: str,
) -> None:
    folder = shelf.scenario_folder(scenario_id)
    name = shelf.scenario(scenario_id).module or ""
    log = (folder / "serial.log").read_text()
    facts = SUSPECT | {"suspect.module": name, "module.path": str(folder / f"{name}.ko")}
    case = known(facts, ("dmesg", log))
    wanted = next_command(module_file.TOOL, case)
    assert isinstance(wanted, Command)
    argv = tuple("none" if word == KERNEL else word for word in wanted.argv)
    result = LocalHost().run(msgspec.structs.replace(wanted, argv=argv))
    case = learn(case, "module-file", result, module_file.TOOL.read(result, case))
    assert "file=" in result.output
    assert case.get("module.size_fits", True) is True, texts(case.findings)
    grown = re.sub(rf"({name}\w*\+0x[0-9a-f]+/0x)", r"\g<1>7", log)
    if case.has("module.size_fits") and grown != log:
        case = known(facts, ("dmesg", grown))
        reading = module_file.TOOL.read(result, case)
        sizes = [fact.value for fact in reading.facts if fact.name == "module.size_fits"]
        assert sizes != [True]


def test_checksums_are_those_that_modprobe_dumps() -> None:
    modprobe = require_program("modprobe")
    release = require_kernel("/lib/modules/{}/build/Module.symvers", "linux-headers-{}")
    folder = Path("/lib/modules") / release
    (file,) = folder.rglob("fuse.ko*")
    dumped = subprocess.run(
        (modprobe, "--dump-modversions", file), capture_output=True, text=True, check=True
    ).stdout
    kernel = (folder / "build/Module.symvers").read_text()
    exported = {line.split("\t")[1] for line in kernel.splitlines()}
    needed = {line.split()[1] for line in dumped.splitlines()}
    case = known({"suspect.module": "fuse", "host.kernel": release})
    wanted = next_command(module_file.TOOL, case)
    assert isinstance(wanted, Command)
    result = LocalHost().run(wanted)
    assert f"crcs={len(needed & exported)} 0 " in result.output
    assert f"file={file}\n" in result.output
