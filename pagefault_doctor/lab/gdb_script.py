"""What gdb runs inside itself (gdb -x) to stop a guest at the line that faults.

It never runs in pfdoctor's own process, and needs nothing but gdb's Python. The plan comes as JSON
in the environment; in a batch each stop is printed as one JSON object a line.

The addresses of a module's sections are read when the kernel is about to run its init function
(`do_init_module`, kernel/module/main.c): by then `mod->kallsyms` holds the module file's symbol
table with final addresses (`simplify_symbols`), for init code too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from typing import Any

with contextlib.suppress(ImportError):  # It is there within gdb alone.
    import gdb

MOST_STOPS = 500
"""Passes over the place that are looked at; a fault that comes later is not waited for."""

OPERAND = re.compile(
    r"(?P<segment>%[fg]s:)?(?P<x86_disp>-?0x[0-9a-f]+)?\(%(?P<x86_base>\w+)"
    r"(?:,%(?P<index>\w+)(?:,(?P<scale>\d))?)?\)"
    r"|\[(?P<arm_base>x\d+|sp)(?:, #(?P<arm_disp>-?\d+))?\]"
)


class Stops:
    """The guest under gdb, from the insertion of its modules to the fault."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.place = 0
        self.passes = 0
        self.named = False

    def attach(self) -> None:
        """Connect, and set the breakpoints that do not depend on a module."""
        for setting in ("confirm", "pagination", "breakpoint pending", "style enabled"):
            gdb.execute(f"set {setting} off")
        gdb.execute(f"symbol-file {quoted(self.plan['types'])}", to_string=True)
        gdb.execute(f"set remotetimeout {self.plan['timeout']}")
        gdb.execute(f"target remote {self.plan['socket']}", to_string=True)
        for address in self.plan["kernel"].values():
            gdb.execute(f"hbreak *{address:#x}", to_string=True)
        with open(self.plan["attached"], "w"):
            pass

    def follow(self, until_bad: bool) -> bool:
        """Go on to the fault; with `until_bad` only to where it is about to happen.

        Return whether the guest stands at the place.
        """
        kernel = self.plan["kernel"]
        while self.passes < MOST_STOPS:
            gdb.execute("continue", to_string=True)
            pc = int(gdb.parse_and_eval("(unsigned long)$pc"))
            if pc == kernel["do_init_module"]:
                self.module_comes()
            elif pc == self.place:
                self.passes += 1
                seen = self.look()
                self.say("stop", seen)
                if until_bad and not (self.plan["test"] and seen.get("reachable")):
                    return True
            elif pc in kernel.values():
                self.say("fault", True)
                return False
        return False

    def module_comes(self) -> None:
        """Load the symbols of a module of ours at its addresses, and break at the place in it."""
        module = gdb.parse_and_eval(f"(struct module *)${self.plan['argument']}").dereference()
        mine = self.plan["modules"].get(module["name"].string())
        if mine is None:
            return
        table = module["kallsyms"]["symtab"]
        bases = {}
        for section, index, value in mine["sections"]:
            bases[section] = int(table[index]["st_value"]) - value
        if self.plan["linker"]:
            words = ["add-symbol-file", quoted(linked(self.plan["linker"], mine["file"], bases))]
        else:
            words = ["add-symbol-file", quoted(mine["file"])]
            words += [word for name in bases for word in ("-s", name, hex(bases[name]))]
        self.name_kernel()
        gdb.execute(" ".join(words), to_string=True)
        if mine["place"]:
            section, offset = mine["place"]
            self.place = bases[section] + offset
            if not self.plan["exact"]:
                self.place = gdb.find_pc_line(self.place).pc
            gdb.execute(f"hbreak *{self.place:#x}", to_string=True)

    def name_kernel(self) -> None:
        """Put the kernel's symbols in the place of those that only lent their types."""
        if self.named:
            return
        self.named = True
        gdb.execute("symbol-file", to_string=True)
        if self.plan["vmlinux"]:
            vmlinux = quoted(self.plan["vmlinux"])
            gdb.execute(f"add-symbol-file -readnever {vmlinux}", to_string=True)

    def look(self) -> dict[str, Any]:
        """Return what is to be seen where the guest stands."""
        frame = gdb.selected_frame()
        line = frame.find_sal()
        text = gdb.execute("x/i $pc", to_string=True).partition(":\t")[2].strip()
        seen = {
            "function": frame.name() or "",
            "file": line.symtab.filename if line.symtab else "",
            "line": line.line,
            "source": source_text(line),
            "instruction": " ".join(text.split()),
            "variables": variables(frame),
            "frames": frames(frame),
        }
        return seen | (pointer(text, frame) if self.plan["exact"] else {})

    def say(self, name: str, value: Any) -> None:
        """Print one thing that was learnt, for pfdoctor to read."""
        if self.plan["batch"]:
            print(json.dumps({name: value}), flush=True)


def linked(linker: str, file: str, bases: dict[str, int]) -> str:
    """Return a file with a module's debug information as it is at these addresses of sections.

    It is not fit to run: calls out of the module lead nowhere.
    """
    made = f"{file}.linked"
    argv = [linker, "--noinhibit-exec", "--unresolved-symbols=ignore-all", "--no-check-sections"]
    argv += ["-e", "0", "-o", made, *(f"--section-start={n}={bases[n]:#x}" for n in bases), file]
    subprocess.run(argv, capture_output=True, timeout=30, check=False)
    return made


def quoted(path: str) -> str:
    """Return a path as gdb's own commands want it."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def source_text(line: Any) -> str:
    """Return the text of a source line, where its file can be read."""
    if not line.symtab or not line.line:
        return ""
    try:
        with open(line.symtab.fullname(), encoding="utf-8", errors="replace") as file:
            return str(file.read().split("\n")[line.line - 1].strip())
    except (OSError, IndexError):
        return ""


def pointer(text: str, frame: Any) -> dict[str, Any]:
    """Return the register that the instruction reaches through, what it holds and what holds it.

    `reachable` says whether there is memory at the address.
    """
    match = OPERAND.search(text)
    if match is None or match["segment"]:
        return {}
    register = match["x86_base"] or match["arm_base"]
    value = register_value(frame, register)
    address = value + int(match["x86_disp"] or match["arm_disp"] or "0", 0)
    if match["index"]:
        address += register_value(frame, match["index"]) * int(match["scale"] or "1")
    address &= (1 << 64) - 1
    return {
        "pointer": register,
        "value": value,
        "address": address,
        "holders": [n for n, _, v in locals_of(frame) if is_pointer(v) and as_number(v) == value],
        "reachable": readable(address),
    }


def register_value(frame: Any, name: str) -> int:
    """Return a register as an unsigned number."""
    return int(frame.read_register(name).cast(gdb.lookup_type("unsigned long")))


def readable(address: int) -> bool:
    """Return whether the guest has memory there, by its present page tables."""
    try:
        gdb.selected_inferior().read_memory(address, 1)
    except gdb.MemoryError:
        return False
    return True


def locals_of(frame: Any) -> list[tuple[str, str, Any]]:
    """Return name, kind and value of the arguments and variables in scope, innermost first."""
    found: dict[str, tuple[str, str, Any]] = {}
    try:
        block = frame.block()
    except RuntimeError:
        return []
    while block and not block.is_static and not block.is_global:
        for symbol in block:
            if (symbol.is_argument or symbol.is_variable) and symbol.name not in found:
                try:
                    value = symbol.value(frame)
                except gdb.error:
                    continue
                kind = "argument" if symbol.is_argument else "variable"
                found[symbol.name] = (symbol.name, kind, value)
        block = block.superblock
    return list(found.values())


def is_pointer(value: Any) -> bool:
    """Return whether a value is a pointer in C."""
    return bool(value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR)


def as_number(value: Any) -> int | None:
    """Return a pointer as a number, None where it was optimised away."""
    try:
        return int(value.cast(gdb.lookup_type("unsigned long")))
    except gdb.error:
        return None


def variables(frame: Any) -> list[str]:
    """Return `name = value` of what is in scope and was not optimised away."""
    shown = []
    for name, _, value in locals_of(frame)[:16]:
        try:
            if not value.is_optimized_out:
                text = value.format_string(symbols=False, max_elements=24, max_depth=1)
                shown.append(f"{name} = {text[:200]}")
        except gdb.error:
            continue
    return shown


def frames(frame: Any) -> list[str]:
    """Return who called whom, as far as debug information leads: out of the module, one further."""
    named: list[str] = []
    while frame is not None and frame.name() and len(named) < 16:
        named.append(frame.name())
        if frame.find_sal().symtab is None:
            break
        try:
            frame = frame.older()
        except gdb.error:
            break
    return named


def main() -> None:
    """Follow the plan."""
    plan = json.loads(os.environ["PFDOCTOR_PLAN"])
    stops = Stops(plan)
    stops.attach()
    at_place = stops.follow(until_bad=not plan["batch"])
    if plan["batch"]:
        gdb.execute("detach", to_string=True)
    elif at_place:
        print(f"\nThe guest stands at the line that faults; pass {stops.passes} over it.\n")
        gdb.execute("frame")
        gdb.execute("info locals")
        print("\nTry: info args, bt, x/i $pc, info registers, stepi, continue. To end: quit.")
    else:
        print("\nThe guest stopped before the place was reached with a bad pointer. To end: quit.")


if __name__ == "__main__":
    main()
