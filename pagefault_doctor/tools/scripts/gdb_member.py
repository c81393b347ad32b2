"""Run by gdb: print the member of a variable's structure that is at an offset.

`WANTED` is (address, name, offset): the variable is that of the innermost block at the address.
Prints `type=`, and `path=` where the offset is in the structure that the variable points to.
"""

import gdb


def named(address, name):
    """Return the type of the variable, or None."""
    block = gdb.block_for_pc(address)
    while block is not None and not block.is_static:
        for symbol in block:
            if symbol.name == name and (symbol.is_argument or symbol.is_variable):
                return symbol.type
        block = block.superblock
    return None


def path(kind, offset):
    """Return the names of the members that lead to an offset in bytes."""
    kind = kind.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_ARRAY and kind.target().sizeof:
        index, rest = divmod(offset, kind.target().sizeof)
        return "[%d]" % index + path(kind.target(), rest)
    if kind.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return ""
    for field in kind.fields():
        start = getattr(field, "bitpos", -1) // 8
        if 0 <= start <= offset < start + field.type.sizeof:
            own = "." + field.name if field.name else ""
            return own + path(field.type, offset - start)
    return ""


address, name, offset = WANTED  # type: ignore[name-defined]  # noqa: F821
kind = named(address, name)
if kind is not None:
    print("type=%s" % kind)
    plain = kind.strip_typedefs()
    if plain.code == gdb.TYPE_CODE_PTR and plain.target().strip_typedefs().sizeof > offset >= 0:
        print("path=%s" % path(plain.target(), offset))
