"""What a module's source calls its files, devices and file systems, as one grep(1) shows it.

The macros are those of `include/linux/proc_fs.h`, `debugfs.h`, `sysfs.h`, `device.h`,
`moduleparam.h`, `miscdevice.h`, `seq_file.h`, `fs.h` and `netdevice.h`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import groupby
from typing import Final

import msgspec

from pagefault_doctor.model.pattern import regex


class Place(StrEnum):
    """Where a file of a module is."""

    PROC = "/proc"
    DEBUGFS = "/sys/kernel/debug"
    SYSFS = "/sys"
    DEVICE = "/dev"
    PARAMETER = "/sys/module"


class NamedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a module makes.

    `name` is that below its folder; `path` is empty where its folder is not known. `handlers` are
    the functions that programs reach by it: what they do (`read`, `write`, `ioctl` ...) and the
    function's name. `source` is the file of the source without its ending.
    """

    place: Place
    name: str
    path: str = ""
    handlers: dict[str, str] = {}
    source: str = ""


class SourceNames(msgspec.Struct, frozen=True, kw_only=True):
    """What a source names: files, texts that its input is compared with, and other names.

    `words` are pairs of a source file, without its ending, and a text.
    """

    files: tuple[NamedFile, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    file_systems: tuple[str, ...] = ()
    net_devices: tuple[str, ...] = ()
    link_kinds: tuple[str, ...] = ()


_MOST_LINES: Final = 400
"""Lines of each source file."""
_MOST_BYTES: Final = 1 << 20
_MOST_NAMES: Final = 64

_MEMBERS: Final = (
    r"(?:proc_|ndo_)?(?:open|read|read_iter|write|write_iter|(?:unlocked_|compat_)?ioctl|mmap|"
    r"release|flush|poll|show|store|get|set|start_xmit|stop|do_ioctl)"
)

_GREP: Final = (
    r"proc_create|create_proc_entry|proc_mkdir|debugfs_create_|kobject_create_and_add",
    r"device_create|alloc_(netdev|etherdev)|module_param",
    r"(DEVICE|DRIVER|CLASS|BUS|BIN)_ATTR|__ATTR|DEFINE_[A-Z_]*ATTRIBUTE",
    r"struct [a-z_0-9]+ [A-Za-z_0-9]+(\[\])? *= *\{",
    rf"\.({_MEMBERS.replace('?:', '')}|name|kind|fops) *=",
    r"streq|str(n|case|ncase)?cmp *\(|strstarts|str_has_prefix|case '.'|[!=]= '.'",
)


def grep_command(folder: str) -> tuple[str, ...]:
    """Return the command that finds the lines of names in a source folder. It only reads."""
    options = ("-r", "-n", "-H", "-I", "-s", "-E", "-A", "2", "-m", str(_MOST_LINES))
    patterns = (word for pattern in _GREP for word in ("-e", pattern))
    return ("grep", *options, "--include=*.c", "--include=*.h", *patterns, "--", folder)


_LINE: Final = regex(r"(?P<file>[^\n]{1,4096}?\.[ch])(?P<sign>[:-])\d{1,7}(?P=sign)(?P<text>.*)")
_TEXT: Final = r'"(?P<{}>[^"\\\n]{{1,64}})"'
_TOKEN: Final = regex(
    r"(?:\b(?P<left>\w{1,64})\s{0,8}=\s{0,8})?\b(?P<call>proc_create\w*|create_proc_entry|proc_mkdir\w*"
    r"|debugfs_create_\w+|kobject_create_and_add|(?:dev|device)_create\w*|alloc_(?:net|ether)dev\w*"
    r"|module_param\w*|(?:(?:DEVICE|DRIVER|CLASS|BUS|BIN)_ATTR|__ATTR)\w*|DEFINE_[A-Z_]*ATTRIBUTE)"
    r"\s?\((?P<arguments>(?:[^;(){}]|\([^;(){}]{0,100}\)){0,300})\)"
    r"|\bstruct\s(?P<kind>\w{1,64})\s(?P<variable>\w{1,64})(?:\[\])?\s?=\s?\{"
    rf"|\.(?P<member>{_MEMBERS}|fops)\s?=\s?&?(?P<function>[A-Za-z_]\w{{0,63}})"
    rf"|\.(?P<naming>name|kind)\s*=\s*{_TEXT.format('named')}"
    r"|(?:streq|str(?:n|case|ncase)?cmp|strstarts|str_has_prefix)\s?\([^;\"]{0,80}"
    rf"{_TEXT.format('word')}"
    r"|(?:case|[!=]=)\s'(?P<sign>[!-&(-\[\]-~])'",
)
_ARGUMENT: Final = regex(r'"[^"\n]*"|[^,"]+')
_NAME: Final = regex(
    r"[A-Za-z0-9_][A-Za-z0-9_.:+@-]{0,63}(?:/[A-Za-z0-9_][A-Za-z0-9_.:+@-]{0,63}){0,4}"
)
_WORD: Final = regex(r"[\w.:/+=,@-]{1,40}", re.ASCII)
_KOBJECTS: Final = {
    "kernel_kobj": "/sys/kernel",
    "fs_kobj": "/sys/fs",
    "mm_kobj": "/sys/kernel/mm",
    "firmware_kobj": "/sys/firmware",
    "power_kobj": "/sys/power",
    "NULL": "/sys",
}
_ATTRIBUTE: Final = regex(r"(?:DEVICE|DRIVER|CLASS|BUS|BIN)_ATTR|__ATTR")
_MODES: Final = {"_RO": ("read",), "_WO": ("write",)}
_WRITABLE: Final = regex(r"0[0-7]?[2367][0-7]{0,2}$|S_IW|S_IRW|0[0-7]{2}[2367]$")


def plain_name(text: str) -> str:
    """Return a name that is safe in a path, the first of its kind where it counts; else empty."""
    name = text.strip('"').replace("%d", "0").replace("%u", "0").replace("%i", "0")
    return name if _NAME.fullmatch(name) and ".." not in name else ""


def names_in_source(output: str) -> SourceNames:
    """Return what the output of `grep_command` names, each name checked to be safe in a path."""
    found = _Found()
    matches = (_LINE.match(line) for line in output[:_MOST_BYTES].splitlines())
    # grep takes the files in the order of the folder, which says nothing.
    rows = sorted(((m["file"], m["text"]) for m in matches if m), key=lambda row: row[0])
    for file, lines in groupby(rows, key=lambda row: row[0]):
        stem = file.rpartition("/")[2][:-2]
        _SourceFile(stem, found).read(" ".join(text.strip() for _, text in lines))
    return SourceNames(
        files=tuple(found.files)[:_MOST_NAMES],
        words=tuple(dict.fromkeys(found.words))[:_MOST_NAMES],
        file_systems=tuple(dict.fromkeys(found.file_systems))[:_MOST_NAMES],
        net_devices=tuple(dict.fromkeys(found.net_devices))[:_MOST_NAMES],
        link_kinds=tuple(dict.fromkeys(found.link_kinds))[:_MOST_NAMES],
    )


class _Found:
    """All that was found in the files of a source so far."""

    def __init__(self) -> None:
        self.files: list[NamedFile] = []
        self.words: list[tuple[str, str]] = []
        self.file_systems: list[str] = []
        self.net_devices: list[str] = []
        self.link_kinds: list[str] = []


class _SourceFile:
    """The names in one file: tables of functions come before what is made with them, or after."""

    def __init__(self, stem: str, found: _Found) -> None:
        self._stem = stem
        self._found = found
        self._open = ("", "")
        self._tables: dict[str, dict[str, str]] = {}
        self._folders: dict[str, str] = {}
        self._made: list[tuple[Place, str, str, str]] = []

    def read(self, text: str) -> None:
        """Take the matching lines of the file, in their order."""
        for token in _TOKEN.finditer(text):
            if token["call"]:
                arguments = [part.strip() for part in _ARGUMENT.findall(token["arguments"])]
                self._call(token["call"], [part for part in arguments if part], token["left"] or "")
            elif token["kind"]:
                self._open = (token["kind"], token["variable"])
            elif token["member"]:
                slot = _slot(token["member"])
                self._tables.setdefault(self._open[1], {})[slot] = token["function"]
            elif token["naming"]:
                self._named(token["naming"], token["named"])
            elif token["sign"] or _WORD.fullmatch(token["word"] or ""):
                self._found.words.append((self._stem, token["sign"] or token["word"]))
        self._found.files += (self._file(*made) for made in self._made)

    def _named(self, member: str, text: str) -> None:
        name, (kind, variable) = plain_name(text), self._open
        if not name:
            return
        if member == "kind":
            self._found.link_kinds.append(name)
        elif kind == "miscdevice":
            self._made.append((Place.DEVICE, name, f"/dev/{name}", variable))
        elif kind == "file_system_type":
            self._found.file_systems.append(name)

    def _call(self, call: str, arguments: list[str], left: str) -> None:
        if _ATTRIBUTE.match(call) or call.startswith("DEFINE_"):
            self._attribute(call, arguments)
        elif call.startswith("module_param"):
            self._parameter(call, arguments)
        elif call.startswith("alloc_etherdev"):
            self._found.net_devices.append("eth0")
        elif name := next((plain_name(part) for part in arguments if part.startswith('"')), ""):
            self._make(call, name, arguments, left)

    def _make(self, call: str, name: str, arguments: list[str], left: str) -> None:
        table = next((part[1:] for part in reversed(arguments) if part.startswith("&")), "")
        if call.startswith("alloc_netdev"):
            self._found.net_devices.append(name)
        elif call.startswith("kobject"):
            self._folders[left] = f"{_KOBJECTS.get(arguments[-1], '/sys')}/{name}"
        elif call.startswith(("device_create", "dev_create")) and "file" not in call:
            self._made.append((Place.DEVICE, name, f"/dev/{name}", table))
        elif call.startswith(("proc_mkdir", "debugfs_create_dir")):
            self._folders[left] = f"{self._parent(call, arguments[1:])}/{name}"
        elif call.startswith(("proc_", "create_proc", "debugfs_")):
            place = Place.DEBUGFS if call.startswith("debugfs") else Place.PROC
            path = f"{self._parent(call, arguments[2:3])}/{name}"
            shows = arguments[-1] if "single" in call else ""
            if shows:
                self._tables[shows] = {"read": shows}
            self._made.append((place, name, path, table or shows))

    def _parent(self, call: str, arguments: list[str]) -> str:
        root = Place.DEBUGFS if call.startswith("debugfs") else Place.PROC
        variable = arguments[0] if arguments else "NULL"
        if "proc_net" in variable:
            return "/proc/net"
        known = [path for path in self._folders.values() if path.startswith(root)]
        return self._folders.get(variable, known[0] if variable != "NULL" and known else root)

    def _attribute(self, call: str, arguments: list[str]) -> None:
        if not arguments or not plain_name(arguments[0]):
            return
        name = arguments[0]
        if call.startswith("DEFINE_"):
            functions = arguments[1:3] if len(arguments) > 2 else [f"{name}_show"]
            table = dict(zip(("read", "write"), functions, strict=False))
            for suffix in ("", "_fops", "_proc_ops"):
                self._tables[f"{name}{suffix}"] = table
            return
        handlers = {"read": f"{name}_show", "write": f"{name}_store"}
        for ending, able in _MODES.items():
            if ending in call:
                handlers = {slot: handlers[slot] for slot in able}
        if len(arguments) > 3:
            given = zip(("read", "write"), arguments[2:4], strict=False)
            handlers = {slot: function for slot, function in given if function != "NULL"}
        self._tables[f"attribute {name}"] = handlers
        self._made.append((Place.SYSFS, name, "", f"attribute {name}"))

    def _parameter(self, call: str, arguments: list[str]) -> None:
        if len(arguments) < 3 or not plain_name(arguments[0]):
            return
        name, table = arguments[0], arguments[1].lstrip("&") if "_cb" in call else ""
        own = self._tables.get(table, {})
        can_write = _WRITABLE.search(arguments[-1]) is not None
        slots = {"read": own.get("read", "")} | (
            {"write": own.get("write", "")} if can_write else {}
        )
        self._tables[f"parameter {name}"] = slots
        self._made.append((Place.PARAMETER, name, "", f"parameter {name}"))

    def _file(self, place: Place, name: str, path: str, table: str) -> NamedFile:
        handlers = self._tables.get(table, {})
        if fops := handlers.get("fops"):
            handlers = self._tables.get(fops, {})
        folders = [folder for folder in self._folders.values() if folder.startswith("/sys/")]
        if place is Place.SYSFS and len(folders) == 1:
            path = f"{folders[0]}/{name}"
        return NamedFile(
            place=place, name=name, path=path, handlers=dict(handlers), source=self._stem
        )


def _slot(member: str) -> str:
    """Return what a member of a table of functions does, in one word for all tables."""
    word = member.removeprefix("proc_").removesuffix("_iter")
    return {"show": "read", "get": "read", "store": "write", "set": "write"}.get(
        word, "ioctl" if word.endswith("ioctl") else word
    )
