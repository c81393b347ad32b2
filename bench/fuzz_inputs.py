"""Valid inputs of each sort, and hostile ones made of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from klog.mutations import mutate  # noqa: E402
from symbols.test_btf import TEXTS, TYPES, table  # noqa: E402
from tools.dump.test_dump_file import elf_dump, elf_image, flattened, kdump_dump  # noqa: E402
from tools.module_elf import Function, module  # noqa: E402

LACE: Final = (
    b"\x1b[2J", b"\x1b]0;x\x07", b"\x9b31m", b"\r", b"\0", b"\xff\xfe", "\u202e".encode(),
    "é".encode(), "\u061c\u2028".encode(), b"[bold]", b"%s%n", b"$(id)", b"' \" \\",
    b"../../etc/passwd", b"&a [*a, *a]", b"!!python/object:os.system", b"9" * 400, b"-1", b"1e999",
    b"{", b"}", b"\n" * 50, b"BUG: ", b"RIP: 0010:", b"Call Trace:\n", b"@9999999999\n",
    b"@end 1 1\n", b" \t" * 200, b"0x", b"ffffffffffffffff", b"<script>", b"](javascript:x)",
    b"```",
)  # fmt: skip
EXTREMES: Final = (
    b"0",
    b"-1",
    b"1e308",
    b"-9e18",
    b"253402300800",
    b"null",
    b'"x"',
    b"[]",
    b"9" * 30,
)
"""What a number in JSON or a log is replaced by."""
TYPED: Final = (
    b"j", b"\r", b"\x1b", b"\x1b[A", b"\x1b[1;5C", b"\x1bOP", b"\x1b[[A", b"\x1b[M !!",
    b"\x1b[<0;5;5M",
    b"\x1b[<35;99999999999;-1m", b"\x1b[99999999u", b"\x1b[1114112;5:3u", b"\x1b[48;0;0;0;0t",
    b"\x1b[200~", b"\x1b[201~", b"\x1b[?2026;2$y", b"\x1b[8;24;80t", b"\x1b]11;rgb:0/0/0\x1b\\",
    b"\x1bP>|term\x1b\\", b"\xfc", b"\xf0\x9f", b"\x9b", b"\0", b"\x11\x13", b"\x1b" * 40,
    b"[" * 40,
)  # fmt: skip
"""Keys, reports and replies of terminals, and pieces of them."""
PACKED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, 1),
    ".bz2": lambda data: bz2.compress(data, 1),
    ".xz": lambda data: lzma.compress(data, preset=0),
    ".zst": lambda data: raw_zstd(data),
}


def raw_zstd(data: bytes) -> bytes:
    """Return a zstd frame of blocks that are not compressed (RFC 8878)."""
    head = b"\x28\xb5\x2f\xfd" + b"\x80" + b"\x58" + struct.pack("<I", len(data))
    step = 1 << 17
    blocks = [data[at : at + step] for at in range(0, len(data), step)] or [b""]
    last = len(blocks) - 1
    return head + b"".join(
        (len(block) << 3 | (n == last)).to_bytes(3, "little") + block
        for n, block in enumerate(blocks)
    )


def seeds() -> dict[str, list[bytes]]:
    """Return valid input of each sort, from the project's own files."""
    scenarios = ROOT / "playbooks/scenarios"
    folders = (ROOT / "tests/klog/logs", ROOT / "tests/klog/forms")
    logs = [path.read_bytes() for folder in folders for path in folder.glob("*")]
    recordings = sorted(scenarios.glob("*/recording.jsonl"))
    small = (Function("one", 0, 8), Function("two", 8, 8))
    return {
        "log": logs + [path.read_bytes() for path in scenarios.glob("*/serial.log")],
        "output": [path.read_bytes() for path in (ROOT / "tests/tools/data").iterdir()],
        "recording": [path.read_bytes() for path in recordings],
        "playbook": [path.read_bytes() for path in ROOT.glob("playbooks/*.yaml")],
        "known cases": [path.read_bytes() for path in ROOT.glob("playbooks/known/*.yaml")],
        "source": [path.read_bytes() for path in scenarios.glob("*/src/*.c")],
        "module": [(scenarios / "err-ptr/fwsize.ko").read_bytes()],
        "small module": [
            module("ab" * 20, "0123", small, {"printk": 7}),
            module("ab" * 20, "", small, {"printk": 7}, extended=True),
        ],
        "types": [table(TYPES, TEXTS)],
        "dump": [elf_dump(), kdump_dump(), flattened(elf_dump()), flattened(kdump_dump())],
        "vmlinux": [elf_image("ab" * 20)],
    }


class Mutator:
    """Makes hostile input from valid input, the same for the same seed."""

    def __init__(self, good: dict[str, list[bytes]], seed: int) -> None:
        self.draw = random.Random(seed)
        self.good = good

    def input(self, sort: str, most: int = 60_000) -> bytes:
        """Return a new input of that sort, of at most twice as many bytes as `most`."""
        data = bytearray(self.draw.choice(self.good[sort]))
        if len(data) > most:
            begin = self.draw.randrange(len(data) - most)
            data = data[begin * self.draw.randrange(2) :][:most]
        if self.draw.randrange(2):
            return mutate(bytes(data), self.draw)[: 2 * most]
        for _ in range(self.draw.randrange(1, 12)):
            self._changed(data, sort)
        return bytes(data[: 2 * most])

    def binary(self, sort: str) -> bytes:
        """Return a new input of a binary format: a few of its bytes and numbers changed, or cut."""
        data = bytearray(self.draw.choice(self.good[sort]))
        for _ in range(self.draw.randrange(1, 9)):
            # Headers and tables decide most, and are at one of the ends.
            reach = self.draw.choice((64, 256, len(data)))
            place = self.draw.randrange(max(min(reach, len(data)), 1))
            place = self.draw.choice((place, max(len(data) - place - 1, 0)))
            width = self.draw.choice((1, 2, 4, 8))
            filling = self.draw.choice((0, 1, 0xFF, 1 << 31, 1 << 40, self.draw.getrandbits(64)))
            data[place : place + width] = filling.to_bytes(8, "little")[:width]
        if not self.draw.randrange(6):
            del data[self.draw.randrange(len(data)) :]
        return bytes(data)

    def archive(self) -> bytes:
        """Return a packed archive of logs under hostile names, and damage to it now and then."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for number in range(self.draw.randrange(1, 5)):
                data = PACKED[self.draw.choice(list(PACKED))](self.input("log", 8000))
                name = self.draw.choice((f"var/log/kern.{number}", "../../x", "/etc/x", "a\x1b[2J"))
                member = tarfile.TarInfo(name)
                member.size = len(data)
                member.mtime = self.draw.choice((0, 1 << 33, 1_700_000_000))
                archive.addfile(member, io.BytesIO(data))
        data = PACKED[self.draw.choice(list(PACKED))](packed.getvalue())
        if self.draw.randrange(2):
            return data
        return Mutator({"archive": [data]}, self.draw.getrandbits(32)).binary("archive")

    def session(self) -> bytes:
        """Return a recording whose lines stay JSON: texts and numbers in them changed."""
        lines = self.draw.choice(self.good["recording"])[:60_000].splitlines(keepends=True)[:-1]
        for _ in range(self.draw.randrange(1, 8)):
            at = self.draw.randrange(len(lines))
            pieces = lines[at].split(b'"')
            place = self.draw.randrange(len(pieces))
            if place % 2:
                lace = self.draw.choice(LACE).decode("utf-8", "replace")
                shown = lace.encode("unicode_escape" if not self.draw.randrange(3) else "utf-8")
                pieces[place] = shown.replace(b"\\x", b"\\u00").replace(b'"', b"")
            elif any(map(bytes.isdigit, pieces[place].split(b","))):
                pieces[place] = b":" + self.draw.choice(EXTREMES) + b","
            lines[at] = b'"'.join(pieces)
        return b"".join(lines)

    def typed(self) -> bytes:
        """Return what a terminal may send: keys, reports, and noise on the line."""
        pieces = [self.draw.choice(TYPED) for _ in range(self.draw.randrange(1, 60))]
        for _ in range(self.draw.randrange(6)):
            at = self.draw.randrange(len(pieces))
            cut = pieces[at][: self.draw.randrange(len(pieces[at]) + 1)]
            pieces[at] = self.draw.choice((cut, self.draw.randbytes(5), pieces[at] * 50))
        return b"".join(pieces)

    def _changed(self, data: bytearray, sort: str) -> None:
        place = self.draw.randrange(len(data) + 1)
        length = self.draw.choice((1, 3, 20, 400))
        what = self.draw.randrange(6)
        if what == 0:
            del data[place : place + length]
        elif what == 1:
            data[place:place] = self.draw.choice(LACE)
        elif what == 2:
            other = self.draw.choice(self.good[sort])
            begin = self.draw.randrange(len(other) or 1)
            data[place : place + length] = other[begin : begin + 10 * length]
        elif what == 3:
            data[place : place + length] = self.draw.randbytes(length)
        elif what == 4:
            data[place:place] = data[place : place + length] * self.draw.randrange(1, 20)
        elif data:
            del data[self.draw.randrange(len(data)) :]
