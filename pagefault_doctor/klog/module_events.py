"""Lines about a module being loaded: evidence, not faults.

`kernel/module/main.c`, `kernel/module/version.c`, `kernel/module/signing.c`, `kernel/bpf/btf.c`.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.klog.line import LogLine
from pagefault_doctor.model.log import ModuleEvent
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Line

NEEDLES: Final = (
    b"out-of-tree module taints", b"module verification failed", b"module license '",
    b": version magic '", b"disagrees about version of", b": Unknown symbol ",
    b": no symbol version for", b"exports duplicate symbol", b"unsigned module",
    b": module is already loaded", b"validate module [",
    b": kernel tainted.",
)  # fmt: skip

_NAME: Final = r"(?P<module>[A-Za-z0-9][\w-]*): "
_EVENTS: Final = tuple(
    (what, regex(pattern))
    for what, pattern in (
        ("out-of-tree", rf"^{_NAME}loading out-of-tree module taints kernel"),
        ("unsigned", rf"^{_NAME}module verification failed: "),
        ("license", rf"^{_NAME}module license '.*' taints kernel"),
        ("version-magic", rf"^{_NAME}version magic '.*' should be '"),
        ("symbol-version", rf"^{_NAME}disagrees about version of symbol "),
        ("unknown-symbol", rf"^{_NAME}Unknown symbol \S+ \(err -?\d+\)"),
        ("forced", rf"^{_NAME}no symbol version for "),
        ("forced", rf"^{_NAME}[\w ]+: kernel tainted\."),
        ("duplicate-symbol", rf"^{_NAME}exports duplicate symbol "),
        ("rejected", r"^(?P<module>Lockdown): \S+: unsigned module loading is restricted"),
        ("rejected", r"^(?P<module>Loading of) unsigned module is rejected"),
        ("already-loaded", rf"^{_NAME}module is already loaded"),
        ("btf", r"^(?:BPF|failed).*validate module \[(?P<module>[\w-]+)\] BTF: -\d+"),
    )
)
_WORDS: Final = tuple(needle.decode() for needle in NEEDLES)
_NAMELESS: Final = frozenset({"rejected"})


def event_of(line: LogLine, boot: int) -> ModuleEvent | None:
    """Return the module event that the line reports, or None."""
    if not any(word in line.text for word in _WORDS):
        return None
    for what, pattern in _EVENTS:
        if match := pattern.match(line.text):
            module = "" if what in _NAMELESS else match["module"]
            return ModuleEvent(what, module, Line(line.number, line.text), line.timestamp, boot)
    return None
