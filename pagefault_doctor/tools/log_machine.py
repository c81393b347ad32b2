"""Whose log it is: of the machine that commands run on, or of another one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from pagefault_doctor.model.case import Case
from pagefault_doctor.model.given_input import ANOTHER_MACHINE, LOG_OF, THIS_BOX
from pagefault_doctor.model.log import MachineMark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Report
from pagefault_doctor.tools.arguments import reported_release


class Sign(NamedTuple):
    """What the log and the box say of the same thing.

    `weight` is above 0 if it is the same machine; 2 decides, 1 only leans. `line` is the log's.
    """

    weight: int
    text: str
    line: int | None = None


class LogMachine(msgspec.Struct, frozen=True):
    """The machine of a log: `of` is `this-box` or `another`, `sure` whether something decides it.

    `signs` are for and against, the strongest first. `host` is its name in the log, if that tells.
    """

    of: str
    sure: bool
    signs: tuple[Sign, ...] = ()
    host: str | None = None

    @property
    def why(self) -> str:
        """The strongest sign in words."""
        return self.signs[0].text if self.signs else "the log names no machine"


_COMMON_NAMES: Final = frozenset(
    "localhost debian ubuntu fedora archlinux raspberrypi rpi kali centos rocky alma opensuse "
    "linux lab host myhost server pc laptop desktop test vm kvm qemu buildroot yocto none".split()
)
"""Names that installers and people give to many machines."""
_COMMON_HARDWARE: Final = regex(
    r"qemu|kvm|virtualbox|vmware|virtual machine|bochs|xen|to be filled|default string"
    r"|system product name|standard pc|google compute|amazon ec2|openstack|droplet|rhev|rhel",
    re.IGNORECASE,
)
_UUID: Final = regex(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ARCHES: Final = {
    "x86_64": "x86_64", "i686": "i386", "i386": "i386", "aarch64": "arm64", "armv7l": "arm",
    "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64",
}  # fmt: skip
"""The kernel's name of an architecture, as uname prints it, and that of a report."""
_DECIDES: Final = 2
_FEWEST_MODULES: Final = 8
_MOST_OF: Final = 0.8
_FEW_OF: Final = 0.4
"""Shares of a report's modules that are loaded here; between them they tell nothing."""


def log_machine(case: Case) -> LogMachine | None:
    """Return whose the given log or dump is; None where none was given.

    What the person says (`given.log_of`) decides, then what log and box say of themselves. Where
    that decides nothing, a log of another kernel counts as another machine's, though this box may
    have run that kernel before; so does one that has nothing in common with this box, for then no
    command is run here for nothing.
    """
    if not (case.has("given.log") or case.has("given.vmcore")):
        return None
    signs = tuple(sorted(_signs(case), key=lambda sign: -abs(sign.weight)))
    host = next((_host_in(mark.text) for mark in _marks(case) if mark.what == "hostname"), None)
    if (said := case.get("given.log_of", "")) in LOG_OF:
        return LogMachine(said, True, (Sign(_DECIDES, "you said so"), *signs), host)
    deciding = {sign.weight > 0 for sign in signs if abs(sign.weight) >= _DECIDES}
    if len(deciding) == 1:
        return LogMachine(THIS_BOX if deciding.pop() else ANOTHER_MACHINE, True, signs, host)
    weights = [sign.weight for sign in signs]
    another = any(weight < 0 for weight in weights) or not any(weights)
    if not signs and not case.has("host.kernel"):
        signs = (Sign(0, "this box was not asked yet"),)
    return LogMachine(ANOTHER_MACHINE if another else THIS_BOX, False, signs, host)


def _marks(case: Case) -> tuple[MachineMark, ...]:
    """Return the marks of the boot of the main report, where there are none those of the log."""
    report, log = case.main_report, case.main_log
    if log is None:
        return case.logs[0].machine if case.logs else ()
    own = tuple(mark for mark in log.machine if report and mark.boot == report.boot)
    return own or log.machine


def _signs(case: Case) -> Iterator[Sign]:
    # A session of a later version may have marks that are unknown here.
    for mark in (mark for mark in _marks(case) if mark.what in _COMPARISONS):
        name, compare = _COMPARISONS[mark.what]
        here = case.get(name, "")
        if here and (found := compare(mark.text, here)):
            weight, text = found
            yield Sign(weight, text, mark.line)
    report = case.main_report
    arch = _ARCHES.get(case.get("host.machine", ""))
    if report and report.arch and arch and report.arch != arch:
        yield Sign(-_DECIDES, f"the log is of {report.arch}, this box is {arch}")
    release = case.get("dump.release", "") or reported_release(case)
    here = case.get("host.kernel", "")
    if release and here:
        same = release == here
        text = f"both run {here}" if same else f"the log is of {release}, this box runs {here}"
        yield Sign(1 if same else -1, text)
    if report:
        yield from _modules(report, case)


def _modules(report: Report, case: Case) -> Iterator[Sign]:
    """Yield what the modules of the report and those loaded here have in common."""
    loaded, named = case.facts.get("host.modules"), {module.name for module in report.modules}
    if loaded is None or not isinstance(loaded.value, tuple) or len(named) < _FEWEST_MODULES:
        return
    both = len(named.intersection(loaded.value))
    text = f"{both} of the {len(named)} modules in the log are loaded here"
    if both >= _MOST_OF * len(named):
        yield Sign(1, text, report.line_of("modules"))
    elif both <= _FEW_OF * len(named):
        yield Sign(-1, f"only {text}", report.line_of("modules"))


def _host_in(text: str) -> str:
    return text.removeprefix("hostname: ")


def _host(text: str, here: str) -> tuple[int, str] | None:
    said = _host_in(text)
    one, other = (name.lower().partition(".")[0] for name in (said, here))
    if one == other:
        return (1 if one in _COMMON_NAMES else _DECIDES), f"both are called {here}"
    if one in _COMMON_NAMES or other in _COMMON_NAMES:
        return None
    return -_DECIDES, f"the log's machine is called {said}, this box {here}"


def _hardware(said: str, here: str) -> tuple[int, str] | None:
    if here in said:
        return (0 if _COMMON_HARDWARE.search(here) else 1), f"both are a {here}"
    return -_DECIDES, f"the log's machine is a {said}, this box a {here}"


def _command_line(said: str, here: str) -> tuple[int, str] | None:
    one, other = {*_UUID.findall(said)}, {*_UUID.findall(here)}
    if one & other:
        return _DECIDES, "the kernel's command line names the same disk"
    if one and other:
        return -_DECIDES, "the kernel's command line names another disk"
    return (1, "the kernel's command line is the same") if here.strip() in said else None


def _boot_id(said: str, here: str) -> tuple[int, str] | None:
    if here.replace("-", "") in said:
        return _DECIDES, "the log is of this very boot"
    return None


_COMPARISONS: Final = {
    "hostname": ("host.name", _host),
    "hardware": ("host.hardware", _hardware),
    "command-line": ("host.command_line", _command_line),
    "boot-id": ("host.boot_id", _boot_id),
}
"""For each mark of a log, the fact about the box and what compares the two."""
