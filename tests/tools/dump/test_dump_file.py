"""A dump's header, read by the real script from files made here."""

from __future__ import annotations

import struct
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Command
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools.dump import crash, drgn, dump_file, vmlinux
from pagefault_doctor.tools.tool import next_command
from tools.example_reports import follow, known, learn, texts, told

RELEASE = "6.1.0-test"
INFO = f"OSRELEASE={RELEASE}\nBUILD-ID={'ab' * 20}\nPAGESIZE=4096\n".encode()


def note(owner: bytes, kind: int, data: bytes) -> bytes:
    owner += b"\0"
    head = struct.pack("<III", len(owner), len(data), kind)
    return (
        head
        + owner.ljust(-(-len(owner) // 4) * 4, b"\0")
        + data.ljust(-(-len(data) // 4) * 4, b"\0")
    )


def elf_dump(memory: int = 8192) -> bytes:
    """Return an ELF core with a vmcoreinfo note and so many bytes of memory."""
    notes = note(b"VMCOREINFO", 0, INFO)
    begin = 64 + 2 * 56
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", 4, 0, begin, 0, 0, len(notes), len(notes), 0)
    head += struct.pack("<IIQQQQQQ", 1, 7, begin + len(notes), 0, 0, memory, memory, 0)
    return head + notes + bytes(memory)


def kdump_dump(status: int = 1) -> bytes:
    """Return a kdump-compressed dump of three pages, one of them kept."""
    head = b"KDUMP   " + struct.pack("<i", 6) + bytes(130)
    head += RELEASE.encode().ljust(65, b"\0")
    head = head.ljust(424, b"\0") + struct.pack("<IiII", status, 4096, 1, 2)
    sub = bytes(32) + struct.pack("<qQ", 4096 + 512, len(INFO))
    blocks = head.ljust(4096, b"\0") + (sub.ljust(512, b"\0") + INFO).ljust(4096, b"\0")
    blocks += b"\7".ljust(4096, b"\0") + b"\2".ljust(4096, b"\0")
    return blocks + struct.pack("<QIIQ", len(blocks) + 24, 100, 1, 0) + bytes(100)


def flattened(dump: bytes, end: bool = True) -> bytes:
    """Return a dump as `makedumpfile -F` sends it down a pipe, its start last."""
    half = len(dump) // 2
    out = b"makedumpfile\0\0\0\0" + struct.pack(">qq", 1, 1)
    out = out.ljust(4096, b"\0")
    for at, piece in ((half, dump[half:]), (0, dump[:half])):
        out += struct.pack(">qq", at, len(piece)) + piece
    return out + (struct.pack(">qq", -1, -1) if end else b"")


def elf_image(build: str, *, debug: bool = True) -> bytes:
    """Return an ELF file with a build id, and a section of debug information or none."""
    names = b"\0.notes\0.debug_info\0.shstrtab\0"
    data = note(b"GNU", 3, bytes.fromhex(build))
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    table = 64 + len(data) + len(names)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 4, 3)
    rows = [(0, 0, 0, 0), (1, 7, 64, len(data)), (8 if debug else 0, 1, 64, 0)]
    rows.append((20, 3, 64 + len(data), len(names)))
    sections = (
        struct.pack("<IIQQQQ", name, kind, 0, 0, at, size).ljust(64, b"\0")
        for name, kind, at, size in rows
    )
    return head + data + names + b"".join(sections)


def look(case: Case) -> Case:
    """Return the case after the header of its dump was read."""
    wanted = next_command(drgn.TOOL, case)
    assert isinstance(wanted, Command)
    result = LocalHost().run(wanted)
    assert not result.errors
    kept = msgspec.structs.replace(result, command=Command(argv=wanted.argv, tool=wanted.tool))
    return learn(case, "drgn", kept, drgn.TOOL.read(kept, case))


def looked(folder: Path, dump: bytes, image: bytes = b"") -> Case:
    (folder / "vmcore").write_bytes(dump)
    facts: dict[str, Value] = {"given.vmcore": str(folder / "vmcore")}
    if image:
        (folder / "vmlinux").write_bytes(image)
        facts["given.vmlinux"] = str(folder / "vmlinux")
    return look(known(facts))


@pytest.mark.parametrize(
    ("dump", "form"),
    [
        (elf_dump(), "elf"),
        (kdump_dump(), "kdump"),
        (flattened(kdump_dump()), "flattened"),
        (flattened(elf_dump()), "flattened"),
    ],
)
def test_a_whole_dump_tells_its_form_and_its_kernel(tmp_path: Path, dump: bytes, form: str) -> None:
    case = looked(tmp_path, dump)
    assert case.get("dump.format", "") == form
    assert case.get("dump.release", "") == RELEASE
    assert case.get("dump.build_id", "") == "ab" * 20
    assert not case.has("dump.complete")


@pytest.mark.parametrize(
    "dump",
    [
        elf_dump()[:-100],
        elf_dump()[:100],
        kdump_dump()[:-1],
        kdump_dump()[:6000],
        flattened(elf_dump())[:-50],
        flattened(elf_dump(), end=False),
    ],
)
def test_a_dump_that_was_cut_is_told_before_any_reader_starts(tmp_path: Path, dump: bytes) -> None:
    case = looked(tmp_path, dump)
    assert case.get("dump.complete", True) is False
    assert "The dump is cut off" in texts(case.findings)


def test_how_much_is_there_is_told(tmp_path: Path) -> None:
    case = looked(tmp_path, elf_dump(4 << 20)[: 2 << 20])
    assert "2 MiB of 4 MiB are there" in texts(case.findings)


def test_a_dump_that_kdump_did_not_finish_is_told(tmp_path: Path) -> None:
    case = looked(tmp_path, kdump_dump(status=1 | 8))
    assert case.get("dump.complete", True) is False
    assert "did not finish" in texts(case.findings)


def test_a_flattened_dump_is_left_to_crash_with_the_way_to_rearrange_it(tmp_path: Path) -> None:
    case = looked(tmp_path, flattened(kdump_dump()))
    assert f"makedumpfile -R NEW < {tmp_path}/vmcore" in texts(case.findings)
    _, _, blocked = follow(drgn.TOOL, case)
    assert blocked
    assert "makedumpfile -R" in blocked.remedy
    with_image = known({n: f.value for n, f in case.facts.items()} | {"given.vmlinux": "/vmlinux"})
    wanted = next_command(crash.TOOL, with_image)
    assert isinstance(wanted, Command)
    assert wanted.argv[0] == "crash"


def test_a_vmlinux_of_the_same_build_is_taken(tmp_path: Path) -> None:
    case = looked(tmp_path, elf_dump(), elf_image("ab" * 20))
    assert case.get("dump.vmlinux", "") == str(tmp_path / "vmlinux")
    assert not case.findings


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (elf_image("cd" * 20), "is of build cdcdcdcdcdcd, the dump of 6.1.0-test"),
        (elf_image("ab" * 20, debug=False), "has no debug information"),
        (b"compressed", "is no vmlinux"),
    ],
)
def test_a_vmlinux_that_does_not_fit_is_refused(tmp_path: Path, image: bytes, said: str) -> None:
    case = looked(tmp_path, elf_dump(), image)
    assert said in texts(case.findings)
    assert case.get("dump.vmlinux_fits", True) is False
    assert vmlinux.known_path(case) == ""


def test_the_one_that_fits_is_used_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / f"vmlinux-{RELEASE}"
    place.write_bytes(elf_image("ab" * 20))
    monkeypatch.setattr(vmlinux, "PATHS", (str(tmp_path / "vmlinux-{}"),))
    case = looked(tmp_path, elf_dump(), elf_image("cd" * 20))
    assert f"{place} fits and is used" in texts(case.findings)
    assert vmlinux.is_of_the_dump(case, str(place))
    assert not vmlinux.is_of_the_dump(case, str(tmp_path / "vmlinux"))
    assert vmlinux.known_path(case) == str(place)


@pytest.mark.parametrize(("dump", "why"), [(b"", "empty"), (b"a log, not a dump", "not a dump")])
def test_what_is_no_dump_starts_no_reader(tmp_path: Path, dump: bytes, why: str) -> None:
    case = looked(tmp_path, dump)
    for tool in (drgn.TOOL, crash.TOOL):
        _, _, blocked = follow(tool, case)
        assert blocked
        assert why in blocked.reason


def test_lines_of_the_log_are_found_in_the_bytes_of_a_broken_dump(tmp_path: Path) -> None:
    oops = (
        b"BUG: kernel NULL pointer dereference, address: 0000000000000000",
        b"Oops: 0002 [#1] PREEMPT SMP NOPTI",
        b"RIP: 0010:wobble_init+0x11/0x1000 [wobble]",
    )
    records = b"".join(bytes(8) + line + b"\0" for line in oops)
    file = tmp_path / "vmcore"
    file.write_bytes(b"\xff" * 70_000 + records + b"\xff" * 70_000)
    case = known({"given.vmcore": str(file), "dump.format": "elf"})
    result = LocalHost().run(dump_file.search_text_command(case, "crash"))
    reading = dump_file.read_text(result, case)
    assert reading.log
    assert [report.module for report in reading.log.reports] == ["wobble"]


def test_without_python_on_the_box_the_readers_are_started_all_the_same() -> None:
    case = known({"given.vmcore": "/var/crash/1/vmcore"})
    _, ran, _ = follow(drgn.TOOL, case, told(), told(errors="error: not an ELF core file"))
    assert ran[1].argv[0] == "drgn"
