"""Command lines that use a file of a module as the report says it was used.

They need no more than a guest of the lab has: a shell, a few programs, and busybox.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

import msgspec

from pagefault_doctor.model.report import Kind
from pagefault_doctor.tools.reproduce.source_names import NamedFile, Place
from pagefault_doctor.tools.reproduce.trigger_scene import MODULE_PLACE, Scene

_REPEATED: Final = (Kind.LIST_CORRUPTION, Kind.REFCOUNT)
"""Kinds that only a second time shows: the first one leaves the mark."""

_READERS: Final = frozenset(
    ("cat", "head", "tail", "less", "more", "grep", "od", "hexdump", "xxd", "strings", "wc", "sort")
)
_LONG: Final = 300
"""Characters of a text that is to nest deeply; most buffers hold so many."""
_FILLS: Final = 1 << 30
"""Bytes that fill the memory of any guest."""
_USUAL_OBJECT: Final = 4096
_MOST_VALUES: Final = 3

_UNKNOWN: Final = {
    Place.PROC: "/proc/FILE",
    Place.DEBUGFS: "/sys/kernel/debug/FOLDER/FILE",
    Place.SYSFS: "/sys/FOLDER/ATTRIBUTE",
    Place.DEVICE: "/dev/FILE",
}
NO_PATH: Final = "/FOLDER/FILE"


class Draft(msgspec.Struct, frozen=True):
    """Command lines, and whether they can run as they are."""

    commands: tuple[str, ...]
    is_complete: bool = True


def use(scene: Scene, file: NamedFile | None, doing: str, place: Place | None) -> Iterator[Draft]:
    """Yield drafts that do it with a file, or with a placeholder for one that is not known."""
    doing = _by_program(scene, file) if doing in ("open", "release", "flush", "poll") else doing
    path = path_of(scene, file, place)
    is_complete = file is not None and not (path.startswith("/sys/module/MODULE"))
    if doing in ("ioctl", "mmap"):
        yield Draft((f"PROGRAM {path}",), is_complete=False)
        yield from (Draft((line,), is_complete) for line in _reads(path, file, place))
    elif doing == "write":
        yield from (Draft(lines, is_complete) for lines in writes(scene, file, path))
    else:
        yield from (Draft((line,), is_complete) for line in _reads(path, file, place))


def path_of(scene: Scene, file: NamedFile | None, place: Place | None) -> str:
    """Return the path of a file; with a placeholder in capitals where it is not known."""
    if place is Place.PARAMETER or (file and file.place is Place.PARAMETER):
        name = file.name if file else "PARAMETER"
        return f"/sys/module/{scene.suspect or MODULE_PLACE}/parameters/{name}"
    if file is None:
        return _UNKNOWN[place] if place else NO_PATH
    return file.path or file.name


def _by_program(scene: Scene, file: NamedFile | None) -> str:
    """Return whether a program that opened and closed a file was reading it or writing to it."""
    if scene.comm in _READERS:
        return "read"
    if file is None:
        return "write" if scene.comm in ("cp", "tee", "sh", "bash", "dd") else "read"
    return "write" if "write" in file.handlers else "read"


def _reads(path: str, file: NamedFile | None, place: Place | None) -> tuple[str, ...]:
    if not path.startswith("/"):
        return (f"find /sys/devices /sys/class -name {shlex.quote(path)} -exec cat {{}} \\;",)
    where = file.place if file else place
    program = "head -c 16" if where in (Place.DEVICE, None) else "cat"
    return (f"{program} {shlex.quote(path)}",)


def writes(scene: Scene, file: NamedFile | None, path: str) -> Iterator[tuple[str, ...]]:
    """Yield command lines that write to a file what the kind of the fault asks for."""
    quoted = shlex.quote(path)
    if scene.report.kind is Kind.OOM_KILL:
        bytes_each = (scene.object_size or _USUAL_OBJECT) * 7 // 8
        count = _FILLS // max(bytes_each, 1)
        yield (f"busybox dd if=/dev/zero of={quoted} bs={bytes_each} count={count}",)
    if scene.is_overflow and scene.object_size:
        # What lies behind an object is looked at when it is freed: by the next write, perhaps.
        yield (f"printf %0{scene.object_size}d 0 > {quoted}",) * 2
    if scene.is_recursion:
        yield (f"printf %0{_LONG}d 0 | tr 0 {shlex.quote(_nesting(scene, file))} > {quoted}",)
    if scene.comm == "cp":
        yield (f"cp /etc/hostname {quoted}",)
    for value in scene.values(file)[:_MOST_VALUES]:
        yield (write_line(value, path),) * (2 if _is_second_time(scene) else 1)


def write_line(value: str, path: str) -> str:
    """Return the command line that writes a value to a path, or to an attribute of that name."""
    if path.startswith("/"):
        return f"echo {shlex.quote(value)} > {shlex.quote(path)}"
    script = f"echo {shlex.quote(value)} > {{}}"
    places = f"find /sys/devices /sys/class -name {shlex.quote(path)}"
    return f"{places} -exec sh -c {shlex.quote(script)} \\;"


def _is_second_time(scene: Scene) -> bool:
    return scene.report.kind in _REPEATED or "double" in scene.report.title


def _nesting(scene: Scene, file: NamedFile | None) -> str:
    """Return the sign that begins something inside another: one that the source asks for."""
    signs = [value for value in scene.values(file) if len(value) == 1 and not value.isalnum()]
    return next((sign for sign in signs if sign in "([{<"), signs[0] if signs else "(")
