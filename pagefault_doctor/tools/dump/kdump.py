"""kdump: will the next crash leave a dump?

Reads /sys/kernel/kexec_crash_size and kexec_crash_loaded (`kernel/ksysfs.c`),
/proc/sys/kernel/panic_on_oops, the `crashkernel=` option of the running kernel
(`Documentation/admin-guide/kdump/kdump.rst`), and the free space under /var/crash.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.hosts.script import script
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.tools.arguments import blocked_on_other_kernel
from pagefault_doctor.tools.key_value import first_values, number_in
from pagefault_doctor.tools.tool import INSTALLERS, Tool, fact, finding, remark

_PACKAGE: Final = {
    "": "kexec-tools",
    "debian": "kdump-tools",
    "fedora": "kdump-utils",
    "suse": "kdump kexec-tools",
    "arch": "kexec-tools",
}
_SERVICE: Final = {"debian": "kdump-tools"}
_KEYS: Final = frozenset(
    {"reserved", "loaded", "panic_on_oops", "crashkernel", "free_kib", "memory_kib", "service"}
)


def _plan(case: Case) -> Command | None:
    if case.done("kdump") or blocked_on_other_kernel(case):
        return None
    why = "see whether a crash of this box would leave a dump"
    return Command(argv=("sh", "-c", script("tools/scripts/kdump_state.sh")), tool="kdump", why=why)


def _read(result: Result, case: Case) -> ToolReading:
    found = first_values(result.output)
    said = {key: value for key, (value, _) in found.items() if key in _KEYS}
    where = {key: line for key, (_, line) in found.items()}
    if not said:
        return remark("Whether kdump is ready could not be read", result)
    reserved = number_in(said.get("reserved", "")) or 0
    loaded = said.get("loaded") == "1"
    panics = number_in(said.get("panic_on_oops", "")) or 0
    facts: tuple[Fact, ...] = (
        fact("kdump.reserved_bytes", reserved, result, where.get("reserved")),
        fact("kdump.loaded", loaded, result, where.get("loaded")),
        fact("kdump.panic_on_oops", panics > 0, result, where.get("panic_on_oops")),
        fact("kdump.ready", loaded and reserved > 0 and panics > 0, result),
    )
    problems = [
        *_memory(reserved, "crashkernel" in said),
        *_kernel(loaded, reserved, case.get("host.family", "")),
        *_panic(panics),
        *_room(said),
    ]
    findings = [finding(text, Mark.NEUTRAL, result, where.get(key)) for key, text in problems]
    return ToolReading(facts=facts, findings=tuple(findings) or _ready(reserved, result))


def _ready(reserved: int, result: Result) -> tuple[Finding, ...]:
    text = f"kdump is ready: {reserved >> 20} MiB reserved, crash kernel loaded, an oops panics"
    return (finding(text, Mark.GOOD, result),)


def _memory(reserved: int, asked: bool) -> list[tuple[str, str]]:
    if reserved:
        return []
    if asked:
        text = "crashkernel= is on the kernel command line, yet nothing is reserved: ask for less"
    else:
        text = (
            "No memory is reserved for a crash kernel: add crashkernel=256M to the kernel "
            "command line (GRUB_CMDLINE_LINUX in /etc/default/grub, update-grub), then reboot"
        )
    return [("reserved", text)]


def _kernel(loaded: bool, reserved: int, family: str) -> list[tuple[str, str]]:
    if loaded or not reserved:
        return []
    package = _PACKAGE.get(family, _PACKAGE[""])
    install = f"{INSTALLERS.get(family, 'install')} {package}"
    start = f"systemctl enable --now {_SERVICE.get(family, 'kdump')}"
    return [("loaded", f"Memory is reserved, but no crash kernel is loaded: {install}; {start}")]


def _panic(panics: int) -> list[tuple[str, str]]:
    if panics:
        return []
    text = (
        "panic_on_oops is 0: an oops does not panic, so it never reaches kdump "
        "(sysctl kernel.panic_on_oops=1)"
    )
    return [("panic_on_oops", text)]


def _room(said: dict[str, str]) -> list[tuple[str, str]]:
    free, memory = number_in(said.get("free_kib", "")), number_in(said.get("memory_kib", ""))
    if free is None or memory is None or free * 8 >= memory:
        return []
    text = (
        f"Only {free >> 10} MiB free for a dump of {memory >> 10} MiB of memory: make room under "
        "/var/crash, or filter with makedumpfile -d 31"
    )
    return [("free_kib", text)]


TOOL: Final = Tool(
    id="kdump",
    of_box=True,
    purpose="checks whether the next crash would leave a dump",
    programs=("sh",),
    facts=("kdump.reserved_bytes", "kdump.loaded", "kdump.panic_on_oops", "kdump.ready"),
    plan=_plan,
    read=_read,
    by_hand="cat /sys/kernel/kexec_crash_size /sys/kernel/kexec_crash_loaded: neither may be 0.",
)
