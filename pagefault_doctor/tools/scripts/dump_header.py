"""Read a dump's header and those of vmlinux files with Python alone; print `key=value` lines.

Arguments: the dump, a vmlinux or an empty text, then places of a vmlinux with {} for the release.

Headers as in makedumpfile's `diskdump_mod.h` and `makedumpfile.h` and the kernel's
`include/linux/crash_core.h` (the vmcoreinfo note: OSRELEASE, and BUILD-ID since 5.9).
"""

import errno
import os
import re
import stat
import struct
import sys

# A damaged header can ask for all of a file again and again. A bitmap of so many bytes is of 32 TB.
MAX_READ = 1 << 30
MAX_PIECES = 1 << 21

dump, given, places = sys.argv[1], sys.argv[2], sys.argv[3:]


def say(key, value):
    print(f"{key}={value}", flush=True)


def notes(data, little="<"):
    at = 0
    while at + 12 <= len(data):
        name, size, kind = struct.unpack_from(little + "III", data, at)
        begin = at + 12 + (name + 3 & ~3)
        yield data[at + 12 : at + 12 + name].rstrip(b"\0"), kind, data[begin : begin + size]
        at = begin + (size + 3 & ~3)


def headers(read):
    """Program headers of a 64-bit ELF file: type, offset, size in the file."""
    (start,) = struct.unpack("<Q", read(32, 8))
    size, count = struct.unpack("<HH", read(54, 4))
    for n in range(count):
        kind, _, offset, _, _, filesz = struct.unpack("<IIQQQQ", read(start + n * size, 40))
        yield kind, offset, filesz


def elf(read):
    """Return vmcoreinfo, and how long the file has to be."""
    info, end = b"", 0
    for kind, offset, size in headers(read):
        end = max(end, offset + size)
        if kind == 4:
            for name, _, text in notes(read(offset, min(size, 1 << 24))):
                info = text if name == b"VMCOREINFO" else info
    return info, end


def kdump(read):
    say("release", read(142, 65).split(b"\0")[0].decode("ascii", "replace"))
    status, block, sub, bitmap = struct.unpack("<IiII", read(424, 16))
    if status & 8:
        say("unfinished", 1)
    at, size = struct.unpack("<qQ", read(block + 32, 16))
    info = read(at, min(size, 1 << 20)) if at > 0 else b""
    data = (1 + sub + bitmap) * block
    kept, count = (1 + sub) * block + bitmap * block // 2, 0
    for begin in range(kept, data, 1 << 20):
        count += bin(int.from_bytes(read(begin, min(1 << 20, data - begin)), "big")).count("1")
    end = data + 24 * count
    tail = read(data + 24 * max(count - 4096, 0), 24 * min(count, 4096))
    for n in range(len(tail) // 24):
        offset, size = struct.unpack_from("<QI", tail, 24 * n)
        end = max(end, offset + size)
    return info, end


class Flattened:
    """The records of `makedumpfile -F`: each a place in the real dump, a length, and the bytes."""

    def __init__(self, file, size):
        self.file, self.pieces, self.whole, self.end, at = file, [], False, 0, 4096
        while at + 16 <= size:
            file.seek(at)
            place, length = struct.unpack(">qq", file.read(16))
            if place < 0 or length < 0:
                self.whole = place == -1
                break
            if at + 16 + length > size or len(self.pieces) >= MAX_PIECES:
                break
            self.end = max(self.end, place + length)
            self.pieces.append((place, length, at + 16))
            at += 16 + length

    def read(self, offset, size):
        out = bytearray(size)
        for place, length, at in self.pieces:
            begin, end = max(place, offset), min(place + length, offset + size)
            if begin < end:
                self.file.seek(at + begin - place)
                out[begin - offset : end - offset] = self.file.read(end - begin)
        return bytes(out)


def bounded(read, end):
    """A reader of at most MAX_READ bytes in all, and of none beyond the end."""
    left = MAX_READ

    def bounded_read(offset, size):
        nonlocal left
        left -= size
        if offset < 0 or size < 0 or offset + size > end or left < 0:
            raise EOFError
        return read(offset, size)

    return bounded_read


def opened(path):
    """Open a regular file: a FIFO would wait for a writer, and a device can have no end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)
    return open(path, "rb")


def plain(file):
    def read(offset, size):
        file.seek(offset)
        data = file.read(size)
        if len(data) < size:
            raise EOFError
        return data

    return bounded(read, os.fstat(file.fileno()).st_size)


def examine():
    with opened(dump) as file:
        size, start = os.fstat(file.fileno()).st_size, file.read(16)
        say("size", size)
        read, flat = plain(file), None
        if start.startswith(b"makedumpfile\0"):
            say("flattened", 1)
            flat = Flattened(file, size)
            if not flat.whole:
                say("cut", 1)
            read, start = bounded(flat.read, flat.end if flat.whole else 1 << 62), flat.read(0, 16)
        form = {b"\x7fELF\x02\x01": elf, b"KDUMP ": kdump}.get(start[:6])
        say("format", form.__name__ if form else "empty" if not size else "unknown")
        if form is None:
            return "", ""
        try:
            info, wanted = form(read)
        except (EOFError, struct.error):
            say("cut", 1)
            return "", ""
        if not flat and wanted > size:
            say("wanted", wanted)
            say("cut", 1)
    told = dict(line.partition("=")[::2] for line in info.decode("ascii", "replace").split("\n"))
    release, build = told.get("OSRELEASE", ""), told.get("BUILD-ID", "")
    if release:
        say("release", release)
    if build:
        say("build_id", build)
    return release, build


def identity(path):
    """Return release and build id of a vmlinux, and whether it has debug information."""
    with opened(path) as file:
        read = plain(file)
        if read(0, 6) != b"\x7fELF\x02\x01":
            raise ValueError
        (start,) = struct.unpack("<Q", read(40, 8))
        entry, count, names = struct.unpack("<HHH", read(58, 6))
        rows = [struct.unpack("<IIQQQQ", read(start + n * entry, 40)) for n in range(count)]
        text = read(rows[names][4], rows[names][5])
        build = release = ""
        debug = False
        for name, kind, _, _, offset, size in rows:
            title = text[name : text.index(b"\0", name)]
            debug = debug or title in (b".debug_info", b".zdebug_info")
            if kind == 7:
                for owner, number, data in notes(read(offset, min(size, 1 << 20))):
                    build = data.hex() if owner == b"GNU" and number == 3 else build
            if title == b".rodata":
                found = re.search(rb"Linux version (\S+) ", read(offset, min(size, 1 << 26)))
                release = found[1].decode("ascii", "replace") if found else release
    return release, build, debug


def judge(path, release, build):
    """Say how a vmlinux relates to the dump; return whether it fits."""
    try:
        its = identity(path)
    except (ValueError, EOFError, struct.error, IndexError):
        say("vmlinux_bad", "no vmlinux")
        return False
    if not its[1] and not its[0]:
        say("vmlinux_bad", "no vmlinux")
    elif build and its[1] and build != its[1]:
        name = f"build {its[1][:12]}"
        same = its[0] == release
        say("vmlinux_bad", f"{name} of the same release" if same else its[0] or name)
    elif release and its[0] and release != its[0]:
        say("vmlinux_bad", its[0])
    elif not its[2]:
        say("vmlinux_bad", "no debug information")
    else:
        say("vmlinux", path)
        return True
    return False


try:
    release, build = examine()
    fits = judge(given, release, build) if given else False
    for place in places if release and not fits else ():
        path = place.replace("{}", release)
        if os.path.exists(path):
            say("candidate", path)
            if judge(path, release, build):
                break
except OSError as error:
    say("error", f"{error.filename or dump}: {error.strerror}")
