"""The scripts that compare a module's code in memory with its file, and print `key=value` lines.

What the kernel itself fills in or patches is left out: relocations, and every place that a table of
the module names (alternatives, jump labels, ftrace, return and retpoline sites;
`arch/x86/kernel/module.c`, module_finalize). `/proc/kcore` is an ELF core file (fs/proc/kcore.c).
"""

from __future__ import annotations

from typing import Final

_COMPARE: Final = r'''
import struct

TABLES = {
    ".altinstructions": 32, ".parainstructions": 16, "__jump_table": 8, "__mcount_loc": 8,
    "__patchable_function_entries": 16, ".retpoline_sites": 8, ".return_sites": 8,
    ".call_sites": 8, ".static_call_sites": 8, ".smp_locks": 1, ".ibt_endbr_seal": 4,
    ".cfi_sites": 16,
}
"""Tables of places in the code that the kernel patches, and how many bytes there may change."""
MOST = 256 << 20


def say(key, *values):
    print("%s=%s" % (key, " ".join(str(value) for value in values)), flush=True)


def word(text, at):
    return text[at:text.index(b"\0", at)].decode("ascii", "replace")


def load(path):
    """Return the code of a module file, a mask of the bytes that stay, and its functions."""
    with open(path, "rb") as file:
        data = file.read(MOST)
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit module file")
    start, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQII", data, start + n * size) for n in range(count)]
    parts = [data[row[4]:row[4] + row[5]] if row[1] != 8 else b"" for row in rows]
    titles = [word(parts[names], row[0]) for row in rows]
    text = titles.index(".text")
    symbols, strings = [], b""
    if ".symtab" in titles:
        table = titles.index(".symtab")
        strings = parts[rows[table][6]]
        symbols = [struct.unpack_from("<IBBHQQ", parts[table], at)
                   for at in range(0, len(parts[table]) - 23, 24)]
    keep = bytearray(b"\1" * len(parts[text]))
    for row, part in zip(rows, parts):
        if row[1] == 4:
            target = titles[row[7]]
            for at in range(0, len(part) - 23, 24):
                place, info, addend = struct.unpack_from("<QQq", part, at)
                if row[7] == text:
                    hide(keep, place, 8 if info & 0xffffffff in (1, 257) else 4)
                elif target in TABLES and symbols[info >> 32][3] == text:
                    hide(keep, symbols[info >> 32][4] + addend, TABLES[target])
    named = sorted((s[4], word(strings, s[0])) for s in symbols if s[3] == text and s[1] & 15 == 2)
    return parts[text], keep, named


def hide(keep, at, size):
    if 0 <= at < len(keep):
        end = min(at + size, len(keep))
        keep[at:end] = bytes(end - at)


def compare(path, address, read):
    code, keep, named = load(path)
    memory = read(address, len(code))
    differs = [n for n in range(len(code)) if keep[n] and code[n] != memory[n]]
    say("compared", sum(keep), len(code), len(differs))
    for n in differs[:32]:
        at, name = max([(a, f) for a, f in named if a <= n] or [(0, ".text")])
        say("differs", n, "%02x" % code[n], "%02x" % memory[n], "%s+0x%x" % (name, n - at))
'''

LIVE: Final = (
    _COMPARE
    + r'''
import sys


def kcore(address, size):
    """Read memory of the running kernel."""
    with open("/proc/kcore", "rb", buffering=0) as file:
        head = file.read(64)
        start, = struct.unpack_from("<Q", head, 32)
        each, count = struct.unpack_from("<HH", head, 54)
        for n in range(count):
            file.seek(start + n * each)
            kind, _, offset, begin, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind == 1 and begin <= address < begin + length:
                file.seek(offset + address - begin)
                data = file.read(size)
                if len(data) == size:
                    return data
    raise OSError("/proc/kcore does not have that memory")


try:
    name, path = sys.argv[1:3]
    with open("/sys/module/%s/sections/.text" % name) as file:
        address = int(file.read(), 16)
    if not address:
        raise OSError("the kernel does not tell the address of the code")
    compare(path, address, kcore)
except (OSError, ValueError, IndexError, struct.error) as error:
    say("error", error)
'''
)
"""Arguments: the module and its file."""

DUMP: Final = (
    _COMPARE
    + r'''
import sys

name, path = sys.argv[-2:]


def kept():
    """Return the address of the module's code, as the kernel keeps it for sysfs until 6.13."""
    from drgn.helpers.linux.module import find_module

    attrs = find_module(prog, name).sect_attrs
    for n in range(attrs.nsections.value_()):
        if attrs.attrs[n].battr.attr.name.string_() == b".text":
            return attrs.attrs[n].address.value_()
    raise LookupError


def found():
    """Return the same by what drgn itself knows of newer kernels."""
    for module, new in prog.loaded_modules():
        if module.name == name:
            return module.section_addresses[".text"]
    raise LookupError("the module is not in the dump")


try:
    try:
        address = kept()
    except Exception:
        address = found()
    compare(path, address, prog.read)
except Exception as error:
    say("error", "%s: %s" % (type(error).__name__, str(error)[:200]))
'''
)
"""Runs in drgn. Its last two arguments are the module and its file."""
