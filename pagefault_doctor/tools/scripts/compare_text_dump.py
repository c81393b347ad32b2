"""Compare with a dump's memory, in drgn. The last two arguments: the module and its file."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drgn import Program

    from pagefault_doctor.tools.scripts.compare_text import compare, say

    prog = Program()

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
    for module, _ in prog.loaded_modules():
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
