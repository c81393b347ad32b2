"""The tool `box`: this machine's programs, its kernel, and what it permits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark, Value
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.key_value import FirstValues, all_values, first_values, number_in
from pagefault_doctor.tools.permission import answered
from pagefault_doctor.tools.tool import Tool, fact, finding, remark

_FAMILIES: Final = {
    "debian": ("debian", "ubuntu", "raspbian", "linuxmint", "kali"),
    "fedora": ("fedora", "rhel", "centos", "rocky", "almalinux", "ol", "amzn"),
    "suse": ("suse", "opensuse", "sles", "opensuse-leap", "opensuse-tumbleweed"),
    "arch": ("arch", "manjaro", "archarm"),
    "alpine": ("alpine",),
}

_VIRTUAL = regex(
    r"qemu|kvm|virtualbox|vmware|virtual machine|bochs|xen|hyper-v|amazon ec2|google compute"
    r"|openstack|parallels|bhyve|droplet",
    re.IGNORECASE,
)
_LOCKDOWN = regex(r"\[(\w+)\]")
_CRASHKERNEL = regex(r"(?:^|\s)crashkernel=(\S+)")
_UPTIME = regex(r"\d{1,12}(\.\d{1,6})?")


def _unquoted(text: str) -> str:
    return text.strip().strip("\"'")


def _family(said: FirstValues) -> str:
    """Return the distribution family, by ID first, then by ID_LIKE; empty if unknown."""
    return family_of(_unquoted(said.get(key, ("", 0))[0]) for key in ("os.ID", "os.ID_LIKE"))


def family_of(names: Iterable[str]) -> str:
    """Return the family of a distribution by ID and ID_LIKE (os-release(5)); empty if unknown."""
    ids = " ".join(names)
    for name in ids.lower().split():
        for family, members in _FAMILIES.items():
            if name in members:
                return family
    return ""


def _first_group(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def _secure_boot(text: str) -> bool | None:
    if text.startswith("efi"):
        return {"efi 1": True, "efi 0": False}.get(" ".join(text.split()))
    return {"SecureBoot enabled": True, "SecureBoot disabled": False}.get(text)


def _seconds(text: str) -> float | None:
    """Return the seconds of /proc/uptime, `fs/proc/uptime.c`."""
    return float(text) if _UPTIME.fullmatch(text) else None


_FACTS: Final[tuple[tuple[str, tuple[str, ...], Callable[[str], Value | None]], ...]] = (
    ("host.name", ("name",), str),
    ("host.kernel", ("kernel", "release"), str),
    ("host.machine", ("machine",), str),
    ("host.boot_id", ("boot_id",), str),
    ("host.uptime", ("uptime",), _seconds),
    ("host.booted", ("booted",), number_in),
    ("host.uid", ("uid",), number_in),
    ("host.os", ("os.PRETTY_NAME", "os.ID"), _unquoted),
    ("host.lockdown", ("lockdown",), partial(_first_group, _LOCKDOWN)),
    ("host.dmesg_restrict", ("dmesg_restrict",), lambda text: text != "0"),
    ("host.container", ("container",), str),
    ("host.secure_boot", ("secure_boot",), _secure_boot),
    ("host.command_line", ("cmdline",), str.strip),
    ("host.hardware", ("product",), str.strip),
    ("host.crashkernel", ("cmdline",), partial(_first_group, _CRASHKERNEL)),
    ("host.debug_remedy", ("debug_remedy",), str),
    ("host.sudo", ("sudo",), lambda text: text == "yes" or None),
    ("host.sudo_asks", ("sudo",), lambda text: text == "asks" or None),
)
"""Each fact, its keys (the first one printed counts), and the function that reads its value."""


_MOUNTS: Final = (("host.read_only", "readonly"), ("host.full", "full"))
"""Facts that list mount points, if there are any."""


def _virtual(said: FirstValues) -> tuple[str, int] | None:
    """Return the hypervisor by firmware or processor, and its line; None on real hardware."""
    for key in ("product", "vendor"):
        if key in said and _VIRTUAL.search(said[key][0]):
            return said[key]
    hypervisor = said.get("hypervisor")
    if hypervisor and hypervisor[0] == "flag":
        return "an unnamed hypervisor", hypervisor[1]
    return hypervisor


def _facts(result: Result) -> list[Fact]:
    said = first_values(result.output)
    facts = []
    for name, keys, read in _FACTS:
        text, line = next((said[key] for key in keys if key in said), ("", 0))
        value = read(text) if text else None
        if value is not None:
            facts.append(fact(name, value, result, line))
    if any(key.startswith("os.") for key in said):
        facts.append(fact("host.family", _family(said), result))
    if virtual := _virtual(said):
        facts.append(fact("host.virtual", virtual[0], result, virtual[1]))
    for name, key in _MOUNTS:
        if key in said:
            facts.append(fact(name, all_values(result.output, key), result, said[key][1]))
    if "module" in said:
        loaded = all_values(result.output, "module")
        facts.append(fact("host.modules", loaded, result, said["module"][1]))
    if "end" in said:
        facts.append(fact("host.programs", all_values(result.output, "program"), result))
    return facts


_LIMITS: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    ("host.container", bool,
     "This is a container ({}): the kernel, its log and its modules belong to the machine that "
     "hosts it; run pfdoctor there"),
    ("host.sudo", bool, "Not root, but sudo asks for no password: what needs root goes through it"),
    ("host.sudo_asks", bool,
     "Not root: what needs root goes through sudo, which asks for your password itself; pfdoctor "
     "never sees it"),
    ("host.lockdown", lambda mode: mode != "none",
     "Kernel lockdown is {}: unsigned modules are refused, and memory is out of reach"),
    ("host.secure_boot", bool,
     "Secure Boot is on: only signed modules load; the lab takes unsigned ones"),
    ("host.read_only", bool,
     "Mounted read-only: {}. Nothing can be built or saved there; once the disk is known to be "
     "sound: mount -o remount,rw FOLDER"),
    ("host.full", bool,
     "Less than 16 MB free: {}. Dumps and builds need room; du -xh FOLDER | sort -h shows where "
     "it went"),
)  # fmt: skip
"""Limits of this machine: the fact, the test of its value, and the finding."""

_NOT_ROOT: Final = (
    "Not root: the kernel log, dumps and modules may be out of reach; run sudo pfdoctor"
)


_IN_HAND: Final = ("given.log", "given.vmcore", "given.core", "given.program")
"""What a person has in hand, so that the limits of this machine hardly matter."""
_OF_ANY_CASE: Final = ("host.read_only", "host.full")
"""Limits that matter then as well: what is fetched and built needs a disk."""


def _findings(facts: dict[str, Fact], result: Result, in_hand: bool) -> list[Finding]:
    """Return a finding for each limit of this machine that matters to the case."""
    texts = [
        text.format(_value_text(facts[name].value))
        for name, is_limit, text in _LIMITS
        if name in facts and is_limit(facts[name].value) and (name in _OF_ANY_CASE or not in_hand)
    ]
    if (
        not in_hand
        and "host.uid" in facts
        and facts["host.uid"].value != 0
        and not ({"host.sudo", "host.sudo_asks"} & facts.keys())
    ):
        texts.append(_NOT_ROOT)
    return [finding(text, Mark.NEUTRAL, result) for text in texts]


def _value_text(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _read(result: Result, case: Case) -> ToolReading:
    facts = _facts(result)
    if not facts:
        return remark("The box did not answer the first question; is there a working sh?", result)
    in_hand = any(map(case.has, _IN_HAND))
    findings = _findings({fact.name: fact for fact in facts}, result, in_hand)
    return ToolReading(facts=tuple(facts), findings=tuple(findings))


def box_tool(programs: tuple[str, ...]) -> Tool:
    """Return the tool that asks the machine what it is and which of these programs it has.

    `host.container`, `host.virtual`, `host.crashkernel` and `host.modules` exist only if they
    apply, and `host.programs` only if the script ran to its end.
    """
    why = "see which programs are here, which kernel runs and what it permits"
    stdin = "".join(f"{program}\n" for program in programs)

    def plan(case: Case) -> Command | None:
        argv = shell_argv("tools/scripts/host_info.sh", name="box")
        return None if case.done("box") else Command(argv=argv, tool="box", why=why, stdin=stdin)

    return Tool(
        id="box",
        purpose="asks the box what it is and which programs it has",
        programs=("sh",),
        facts=(
            *(name for name, _, _ in _FACTS),
            "host.family",
            "host.virtual",
            "host.programs",
            "host.modules",
            *(name for name, _ in _MOUNTS),
        ),
        plan=plan,
        read=answered(_read),
        by_hand="uname -a; id -u; cat /etc/os-release /sys/kernel/security/lockdown",
    )
