"""Compare a module's code in memory with its file, and print `key=value` lines.

What the kernel itself fills in or patches is left out: relocations, and every place that a table of
the module names (alternatives, jump labels, ftrace, return and retpoline sites;
`arch/x86/kernel/module.c`, module_finalize).
"""

import struct

TABLES = {
    ".altinstructions": 32,
    ".parainstructions": 16,
    "__jump_table": 8,
    "__mcount_loc": 8,
    "__patchable_function_entries": 16,
    ".retpoline_sites": 8,
    ".return_sites": 8,
    ".call_sites": 8,
    ".static_call_sites": 8,
    ".smp_locks": 1,
    ".ibt_endbr_seal": 4,
    ".cfi_sites": 16,
}
"""Tables of places in the code that the kernel patches, and how many bytes there may change."""
MOST = 256 << 20


def say(key, *values):
    print("%s=%s" % (key, " ".join(str(value) for value in values)), flush=True)


def word(text, at):
    return text[at : text.index(b"\0", at)].decode("ascii", "replace")


def load(path):
    """Return the code of a module file, a mask of the bytes that stay, and its functions."""
    with open(path, "rb") as file:
        data = file.read(MOST)
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit module file")
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQII", data, start + n * size) for n in range(count)]
    parts = [data[row[4] : row[4] + row[5]] if row[1] != 8 else b"" for row in rows]
    titles = [word(parts[names], row[0]) for row in rows]
    text = titles.index(".text")
    symbols, strings = [], b""
    if ".symtab" in titles:
        table = titles.index(".symtab")
        strings = parts[rows[table][6]]
        symbols = [
            struct.unpack_from("<IBBHQQ", parts[table], at)
            for at in range(0, len(parts[table]) - 23, 24)
        ]
    keep = bytearray(b"\1" * len(parts[text]))
    for row, part in zip(rows, parts):
        if row[1] == 4:
            target = titles[row[7]]
            for at in range(0, len(part) - 23, 24):
                place, info, addend = struct.unpack_from("<QQq", part, at)
                if row[7] == text:
                    hide(keep, place, 8 if info & 0xFFFFFFFF in (1, 257) else 4)
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
