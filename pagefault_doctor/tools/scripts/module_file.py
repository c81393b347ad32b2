"""Read a module's files with Python alone, and print `key=value` lines.

Arguments: release, module, its file or an empty text, then names of functions. Of a file that is
not one of those installed for that release, no copies are looked for.

Formats: ELF; `include/linux/module.h` (`struct modversion_info`, and since 6.13 the sections
`__version_ext_*`); `Module.symvers` (Documentation/kbuild/modules.rst); an initramfs is cpio
archives one after the other, the last of them compressed
(Documentation/driver-api/early-userspace/buffer-format.rst).
"""

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import struct
import subprocess
import sys
import threading

release, name, given = sys.argv[1:4]
functions = sys.argv[4:]
root = "/lib/modules/" + release
FILE = re.compile("%s[.]ko([.](xz|gz|zst))?$" % re.sub("[-_]", "[-_]", name))
MOST = 256 << 20
RATIO, LEAST = 64, 16 << 20  # Unpacked bytes for each packed one, and how many are always allowed.
INSTALLED = not given or os.path.realpath(given).startswith(os.path.realpath(root) + "/")


def say(key, *values):
    print("%s=%s" % (key, " ".join(str(value) for value in values)), flush=True)


def zstd(data, most):
    """Return what zstd unpacks, up to so many bytes."""
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(["zstd", "-dc"], stdin=pipe, stdout=pipe, stderr=nowhere) as child:
        writer = threading.Thread(target=feed, args=(child.stdin, data))
        writer.start()
        text = child.stdout.read(most)  # type: ignore[union-attr]
        # Where there is more, it ends of this.
        child.stdout.close()  # type: ignore[union-attr]
        writer.join()
        if child.wait() and len(text) < most:
            raise OSError("zstd failed")
    return text


def feed(pipe, data):
    try:
        with pipe:
            pipe.write(data)
    except OSError:
        pass  # It has ended, and its status tells why.


def unpacked(data, ending):
    """Return the content of a file. Raises ValueError where its size does not allow so much."""
    most = min(max(RATIO * len(data), LEAST), MOST)
    if ending.endswith(".xz"):
        text = lzma.LZMADecompressor().decompress(data, most + 1)
    elif ending.endswith(".gz"):
        text = gzip.GzipFile(fileobj=io.BytesIO(data)).read(most + 1)
    elif ending.endswith(".zst"):
        text = zstd(data, most + 1)
    else:
        return data
    if len(text) > most:
        raise ValueError("it unpacks to more than %d bytes" % most)
    return text


def opened(path, **how):
    """Open a regular file: a FIFO would wait for a writer, and a device can have no end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError("not a regular file")
    return open(path, "rb", **how)


class Elf:
    """The sections of a 64-bit ELF file."""

    def __init__(self, data):
        if data[:5] != b"\x7fELF\x02":
            raise ValueError("no 64-bit ELF file")
        self.order = order = "<" if data[5] == 1 else ">"
        (start,) = struct.unpack_from(order + "Q", data, 40)
        size, count, names = struct.unpack_from(order + "HHH", data, 58)
        form = struct.Struct(order + "IIQQQQII")
        if start + count * size > len(data):
            raise ValueError("it breaks off before the end of its section headers")
        rows = [form.unpack_from(data, start + n * size) for n in range(count)]
        text = data[rows[names][4] : rows[names][4] + rows[names][5]]
        self.names = [word(text, row[0]) for row in rows]
        self.rows, self.data = rows, data

    def part(self, number):
        row = self.rows[number]
        return self.data[row[4] : row[4] + row[5]]

    def section(self, title):
        return self.part(self.names.index(title)) if title in self.names else b""


def word(text, at):
    return text[at : text.index(b"\0", at)].decode("ascii", "replace")


def identify(elf):
    note = elf.section(".note.gnu.build-id")
    if note[12:16] == b"GNU\0":
        say("build_id", note[16:].hex())
    for field in elf.section(".modinfo").split(b"\0"):
        key, _, value = field.decode("ascii", "replace").partition("=")
        if key in ("srcversion", "vermagic"):
            say(key, value)


def sizes(elf):
    """Say of each function its section, its size, and how far it is to the next symbol.

    The kernel prints the latter (kernel/module/kallsyms.c); 0 for the last of a section.
    """
    if ".symtab" not in elf.names:
        return
    table = elf.names.index(".symtab")
    symbols, names = elf.part(table), elf.part(elf.rows[table][6])
    starts, wanted = {}, []
    for at in range(0, len(symbols) - 23, 24):
        title, info, _, section, value, size = struct.unpack_from(elf.order + "IBBHQQ", symbols, at)
        text = word(names, title)
        if not text or text.startswith((".L", "$")) or not 0 < section < len(elf.names):
            continue
        starts.setdefault(section, set()).add(value)
        if text in functions and info & 15 == 2:
            wanted.append((text, section, value, size))
    for text, section, value, size in wanted:
        after = [start for start in starts[section] if start > value]
        say("symbol", text, elf.names[section], size, min(after) - value if after else 0)
    for text in functions:
        if starts and text not in [row[0] for row in wanted]:
            say("absent", text)


def versions(elf):
    """Return the checksum of each symbol that the module was built with."""
    names = elf.section("__version_ext_names").split(b"\0")
    if len(names) > 1:
        crcs = elf.section("__version_ext_crcs")
        count = min(len(names), len(crcs) // 4)
        values = struct.unpack_from("%s%dI" % (elf.order, count), crcs)
        return {n.decode("ascii", "replace"): v for n, v in zip(names, values)}
    table = elf.section("__versions")
    rows = [table[at : at + 64] for at in range(0, len(table) - 63, 64)]
    return {word(row + b"\0", 8): struct.unpack(elf.order + "Q", row[:8])[0] for row in rows}


def symvers():
    for place in (
        root + "/build/Module.symvers",
        root + "/symvers.gz",
        "/boot/symvers-%s.gz" % release,
        "/boot/symvers-%s.xz" % release,
    ):
        if os.path.exists(place):
            with opened(place) as file:
                text = unpacked(file.read(MOST), place).decode("ascii", "replace")
            rows = (line.split("\t") for line in text.split("\n"))
            return place, {row[1]: int(row[0], 16) for row in rows if len(row) > 2}
    return "", {}


def compare(elf):
    place, kernel = symvers()
    own = {key: value for key, value in versions(elf).items() if key in kernel}
    if own:
        bad = [key for key in sorted(own) if own[key] & 0xFFFFFFFF != kernel[key]]
        say("crcs", len(own), len(bad), place)
        for key in bad[:5]:
            say("crc", key)


def copies():
    """Return the files of that name, and the one that modules.dep has."""
    found = []
    for count, (folder, folders, files) in enumerate(os.walk(root)):
        if count == 20000:
            break
        folders[:] = sorted(f for f in folders if f not in ("build", "source"))
        found += [os.path.join(folder, file) for file in sorted(files) if FILE.match(file)]
    picked = ""
    if os.path.exists(root + "/modules.dep"):
        with open(root + "/modules.dep", errors="replace") as file:
            for line in file:
                path = line.partition(":")[0]
                if FILE.match(os.path.basename(path)):
                    picked = os.path.join(root, path)
                    break
    return found, picked


def show(path, ending, data):
    """Say what a file is; return it as ELF."""
    elf = Elf(unpacked(data, ending))
    identify(elf)
    return elf


def on_disk():
    found, picked = copies() if INSTALLED else ([], "")
    same = [path for path in found if os.path.realpath(path) == os.path.realpath(given)]
    if given and not same:
        found.append(given)
    first = (same or [given])[0] or picked or (found or [""])[0]
    for path in sorted(found, key=lambda path: (path != first, path != picked)):
        try:
            with opened(path) as file:
                say("file", path)
                say("mtime", int(os.fstat(file.fileno()).st_mtime))
                if path == picked:
                    say("picked", 1)
                elf = show(path, path, file.read(MOST))
            if path == first:
                sizes(elf)
                compare(elf)
        except (ValueError, IndexError, EOFError, struct.error, OSError, lzma.LZMAError) as error:
            say("error", error)


def exactly(file, size):
    data = file.read(size)
    if len(data) < size:
        raise EOFError("it ends in the middle")
    return data


def skip(file, size):
    while size > 0:
        size -= len(exactly(file, min(size, 1 << 20)))


def cpio(file, first=b""):
    """Read one archive up to its trailer; show each file of that name."""
    total = 0
    while total < 4 * MOST:
        head = first + exactly(file, 110 - len(first))
        first = b""
        if head[:5] != b"07070":
            raise ValueError("no cpio archive")
        size, length = int(head[54:62], 16), int(head[94:102], 16)
        path = exactly(file, length)[:-1].decode("ascii", "replace")
        skip(file, -(110 + length) % 4)
        if path == "TRAILER!!!":
            return
        total += size
        if FILE.match(os.path.basename(path)) and size < MOST:
            say("copy", path)
            try:
                show(path, path, exactly(file, size))
            except (ValueError, IndexError, struct.error, OSError, lzma.LZMAError) as error:
                say("error", error)
        else:
            skip(file, size)
        skip(file, -size % 4)


OPEN = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"\xfd7zXZ": lzma.LZMAFile,
    b"\x5d\0\0": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
PROGRAMS = {b"\x28\xb5\x2f\xfd": "zstd", b"\x02\x21\x4c\x18": "lz4", b"\x89LZO": "lzop"}


def archives(file):
    while True:
        at = file.tell()
        start = file.read(6)
        if not start:
            return
        if not start[0]:
            file.seek(at + 4 - at % 4)
            continue
        file.seek(at)
        if start[:5] == b"07070":
            cpio(file)
            continue
        for magic, reader in OPEN.items():
            if start.startswith(magic):
                cpio(reader(file))  # type: ignore[operator]
                return
        for magic, program in PROGRAMS.items():
            if start.startswith(magic):
                piped(file, program)
                return
        raise ValueError("its compression is not known")


def piped(file, program):
    argv, nowhere = [program, "-dc"], subprocess.DEVNULL
    with subprocess.Popen(argv, stdin=file, stdout=subprocess.PIPE, stderr=nowhere) as child:
        try:
            cpio(child.stdout)
        finally:
            child.kill()


def in_initramfs():
    for place in (
        "/boot/initrd.img-" + release,
        "/boot/initramfs-%s.img" % release,
        "/boot/initrd-" + release,
        root + "/initrd",
    ):
        if not os.path.exists(place):
            continue
        say("initramfs", place)
        try:
            with opened(place, buffering=0) as file:
                archives(file)
        except (ValueError, EOFError, OSError, lzma.LZMAError) as error:
            say("initramfs_error", error)
        return


on_disk()
if INSTALLED:
    in_initramfs()
say("end", ".")
