"""Compare with the running kernel's memory. Arguments: the module and its file.

`/proc/kcore` is an ELF core file (fs/proc/kcore.c).
"""

import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pagefault_doctor.tools.scripts.compare_text import compare, say


def kcore(address, size):
    """Read memory of the running kernel."""
    with open("/proc/kcore", "rb", buffering=0) as file:
        head = file.read(64)
        (start,) = struct.unpack_from("<Q", head, 32)
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
