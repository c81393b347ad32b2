"""What a pointer of the fault points to, as a dump shows it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from pagefault_doctor.model.pattern import regex

# Both come from a script on another machine, so the decoder checks their form and size.
Hex = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-f]{1,16}$")]
Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 48)]

_INLINED: Final = regex(r"k[a-z]?(?:alloc|malloc|free)|kmem_cache_|k(?:str|mem)dup")
"""Functions of the kernel that are inlined into a module (`include/linux/slab.h`): a trace names
them with the module, but the caller is of interest."""

Call = tuple[str, str]
"""A function and its module, which is empty for the kernel's own."""


class Trace(msgspec.Struct, frozen=True):
    """Who allocated or freed an object (`struct track`, `mm/slub.c`), the innermost call first."""

    pid: int = 0
    stack: tuple[Call, ...] = ()

    @property
    def module(self) -> str:
        """The innermost module in it, or an empty text."""
        return next((module for _, module in self.stack if module), "")

    @property
    def by(self) -> str:
        """The caller in words: the innermost call of a module, else the innermost one."""
        of_modules = [call for call in self.stack if call[1]]
        named = (call for call in of_modules if not _INLINED.match(call[0]))
        own = next(named, of_modules[0] if of_modules else None)
        if own:
            return f"{own[0]} [{own[1]}]"
        first = self.stack[0][0] if self.stack else ""
        # An address that no symbol covers any more: its module was unloaded.
        return "code that is gone by now" if first.startswith("0x") else first


class Holder(msgspec.Struct, frozen=True):
    """A place that holds a value: `offset` bytes into the object or module `what`.

    The offset is None where only the slot of the object is known.
    """

    what: str
    start: Hex
    offset: Count | None = None
    symbol: str = ""
    symbol_offset: int = 0

    @property
    def text(self) -> str:
        """The place in words."""
        if self.symbol:
            return f"{self.symbol}+{self.symbol_offset:#x} [{self.what}]"
        return self.what if self.offset is None else f"{self.what}+{self.offset:#x}"


class PointedMemory(msgspec.Struct, frozen=True, rename={"kind": "is", "data": "bytes"}):
    """A value of the fault, and the memory it points to.

    `names` are the registers that hold it, `fault` for the fault address, `object` for an object
    that the slab checks named. `kind` is `slab`, `page`, `stack`, `guard`, `module`, `symbol`,
    `vmap`, `page-struct`, `modules-area`, `nothing`, `unknown`, or `value` where it is no pointer.
    `state` is `live`, `free` or `unknown`; of a module, its own. `start` and `size` are those of
    the object; a size of 0 means that only its slot is known. `data` is its first
    bytes and `redzone` those after it, in hexadecimal; None where the dump does not hold them.
    `kept` are places that hold the value.
    """

    address: Hex
    names: tuple[str, ...]
    kind: str
    what: str = ""
    state: str = ""
    start: Hex | None = None
    size: Count = 0
    data: str | None = None
    redzone: str | None = None
    symbol: str = ""
    symbol_offset: int = 0
    allocated: Trace | None = None
    freed: Trace | None = None
    kept: tuple[Holder, ...] = ()

    @property
    def value(self) -> int:
        """The value as a number."""
        return int(self.address, 16)

    @property
    def offset(self) -> int:
        """Bytes from the start of what it points into."""
        return self.value - int(self.start, 16) if self.start else 0

    @property
    def is_free(self) -> bool:
        """Whether it points to an object or a page that is free."""
        return self.kind in ("slab", "page") and self.state == "free"

    @property
    def is_past_end(self) -> bool:
        """Whether it points past the end of an object, into its padding or redzone."""
        return self.kind == "slab" and bool(self.size) and self.offset >= self.size

    @property
    def is_trampled(self) -> bool:
        """Whether the bytes after the object are no longer those that the allocator wrote there."""
        # SLUB_RED_INACTIVE and SLUB_RED_ACTIVE (include/linux/poison.h).
        whole = {byte * (len(self.redzone or "") // 2) for byte in ("bb", "cc")}
        return bool(self.redzone) and self.redzone not in whole

    @property
    def stacks(self) -> str:
        """Who allocated and freed the object in words, or an empty text."""
        known = (("allocated", self.allocated), ("freed", self.freed if self.is_free else None))
        return "".join(f", {what} by {trace.by}" for what, trace in known if trace and trace.stack)

    @property
    def text(self) -> str:
        """What it points to in words."""
        if self.kind == "slab":
            at = f" {self.offset:+#x}" if self.size and self.offset else ""
            return f"{_OBJECT.get(self.state, _UNTOLD)} of {self.what}{at}{self.stacks}"
        if self.kind == "page":
            return _PAGE.get(self.state, "a page of which it is not known whether it is free")
        if self.kind == "module":
            at = f"{self.symbol}+{self.symbol_offset:#x} of " if self.symbol else ""
            return f"{at}module {self.what} ({self.state})"
        if self.kind == "symbol":
            return f"{self.what}+{self.symbol_offset:#x} of the kernel"
        of = f", allocated by {self.what}" if self.kind == "vmap" and self.what else ""
        return _KINDS.get(self.kind, "memory that could not be told").format(self.what) + of

    @property
    def known_as(self) -> str:
        """Its names in words, such as `RBX, RDI`."""
        names = [n.upper() for n in self.names if n not in _ROLES]
        return ", ".join(names) or next((_ROLES[n] for n in self.names if n in _ROLES), "a value")


_UNTOLD: Final = "an object, of which it is not known whether it is free,"
_OBJECT: Final = {"free": "a freed object", "live": "a live object"}
_PAGE: Final = {"free": "a page that is free", "live": "a page in use that is no slab"}
_ROLES: Final = {"fault": "the fault address", "object": "the object of the report"}
_KINDS: Final = {
    "stack": "the stack of {}",
    "guard": "the guard page below the stack of {}",
    "vmap": "vmalloc memory",
    "page-struct": "the struct page of {}",
    "modules-area": "the modules' area, where no module is now",
    "nothing": "nothing that is mapped",
    "value": "no kernel memory",
}


def encoded(pointed: PointedMemory) -> str:
    """Return it as JSON, for a fact."""
    return msgspec.json.encode(pointed).decode()


def decoded(text: str) -> PointedMemory | None:
    """Return the value that `encoded` wrote, or None where the text is anything else."""
    try:
        return msgspec.json.decode(text, type=PointedMemory)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
