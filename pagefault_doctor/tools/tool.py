"""The declaration of a tool, its next command, and whether a host refused a command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Fact, Finding, Mark, Source, Value
from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.untrusted import clean_line

_REFUSED = regex(
    r"operation not permitted|permission denied|read kernel buffer failed"
    r"|access denied|insufficient permissions"
    r"|password is required|incorrect password|not in the sudoers file|may not run sudo"
    r"|not allowed to execute",
    re.IGNORECASE,
)

NO_ANSWER: Final = {
    ResultStatus.MISSING: "not installed",
    ResultStatus.REFUSED: "could not be started",
    ResultStatus.TIMEOUT: "did not answer in time",
    ResultStatus.CANCELLED: "was cancelled",
    ResultStatus.LOST: "the connection was lost",
}
"""The ways a command can end without an answer, as text."""


def is_refused(result: Result) -> bool:
    """Return whether a program ran without output because it lacked permission.

    Ctrl-C at the password prompt counts as well.
    """
    if result.status in NO_ANSWER or result.said_anything:
        return False
    no_password = result.command.asks and not result.ok and not result.errors.strip()
    return no_password or _REFUSED.search(result.errors) is not None


Plan = Callable[[Case], Command | Blocked | None]
"""Returns the next command, Blocked with the reason if there cannot be one, or None at the end."""

Read = Callable[[Result, Case], ToolReading]
"""Returns the facts and findings of a result. Pure, and raises on no output (`read_output`)."""

_LONGEST_REASON: Final = 200
"""Characters of a failure's reason that are shown."""

NO_DOWNLOADS: Final = {"DEBUGINFOD_URLS": ""}
"""Environment that keeps gdb, crash, drgn and valgrind from downloading debug files unasked."""

INSTALLERS: Final = {
    "debian": "apt install",
    "fedora": "dnf install",
    "suse": "zypper install",
    "arch": "pacman -S",
    "alpine": "apk add",
}
"""The command that installs a package, by distribution family."""


GO_THERE: Final = (
    "run pfdoctor there (--host), or in the lab (--lab); if it is this box: m, or --log-of this-box"
)
"""What helps where a command would be about the wrong machine."""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool: its purpose, its requirements, and its functions.

    `programs` must all be on the host's PATH, and at least one of `one_of`. `package` has them, by
    distribution family, or under `""` by default. `risk` is the highest risk of its commands.
    `needs_root` marks tools that are useless without root, `of_box` those that look at, load or
    change the machine they run on, which is of no use where the case is another machine's. `facts`
    names every fact that `read` may return. `by_hand` describes what a person can do without it.
    """

    id: str
    purpose: str
    plan: Plan
    read: Read
    programs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    package: dict[str, str] = {}
    risk: Risk = Risk.READ
    needs_root: bool = False
    of_box: bool = False
    facts: tuple[str, ...] = ()
    by_hand: str = ""


def fact(name: str, value: Value, result: Result, line: int | None = None) -> Fact:
    """Return a fact with the result's command as its source."""
    return Fact(name, value, Source(result.command.text, line))


def finding(text: str, mark: Mark, result: Result, line: int | None = None) -> Finding:
    """Return a finding with the result's command as its source."""
    return Finding(text, mark, Source(result.command.text, line))


def remark(text: str, result: Result) -> ToolReading:
    """Return a reading that has one neutral finding and no fact."""
    return ToolReading(findings=(finding(text, Mark.NEUTRAL, result),))


def read_output(tool: Tool, result: Result, case: Case) -> ToolReading:
    """Return what the tool reads from a result; where its reader fails, the finding that it did."""

    def failed(error: Exception) -> ToolReading:
        return remark(f"pfdoctor could not read this output ({_reason(error)})", result)

    return fenced(failed, tool.read, result, case)


def _reason(error: Exception) -> str:
    return clean_line(f"{type(error).__name__}: {error}")[:_LONGEST_REASON]


def once(tool_id: str, *argv: str, **options: Any) -> Plan:
    """Return a plan that runs one fixed command once."""

    def plan(case: Case) -> Command | None:
        return None if case.done(tool_id) else Command(argv=argv, tool=tool_id, **options)

    return plan


def known_programs(case: Case) -> tuple[str, ...] | None:
    """Return the programs that this host has, or None if that is unknown."""
    programs = case.facts.get("host.programs")
    return programs.value if programs and isinstance(programs.value, tuple) else None


def has_program(case: Case, program: str, family: str) -> bool:
    """Return whether the host has a program; if unknown, whether it is of that distribution."""
    programs = known_programs(case)
    return case.get("host.family", "") == family if programs is None else program in programs


def install_remedy(tool: Tool, case: Case) -> str:
    """Return the command that installs the tool's package on this host's distribution."""
    family = case.get("host.family", "")
    package = tool.package.get(family) or tool.package.get("") or " ".join(tool.programs)
    installer = INSTALLERS.get(family, "install the package")
    return f"{installer} {package}"


def blocked(tool: Tool, case: Case) -> Blocked | None:
    """Return why a tool cannot be used on this host, from the host's facts, or None."""
    programs = known_programs(case)
    missing = [p for p in tool.programs if programs is not None and p not in programs]
    if missing:
        return Blocked(f"{', '.join(missing)} not installed", install_remedy(tool, case))
    if programs is not None and tool.one_of and not {*tool.one_of} & {*programs}:
        return Blocked(f"none of {', '.join(tool.one_of)} here", install_remedy(tool, case))
    if tool.needs_root and not (is_root(case) or _has_sudo(case)):
        return Blocked("needs root", "run pfdoctor as root (sudo pfdoctor)")
    return None


def is_root(case: Case) -> bool:
    """Return whether commands run as root here; True if unknown."""
    return case.get("host.uid", 0) == 0


def next_command(tool: Tool, case: Case) -> Command | Blocked | None:
    """Return the tool's next command, why there cannot be one, or None when it is done.

    A tool with nothing to do is never blocked, whatever is missing. A command that this user may
    not run is repeated through sudo, which may ask for a password. A tool that fails to plan is
    blocked by that.
    """

    def failed(error: Exception) -> Blocked:
        return Blocked(f"pfdoctor could not plan it ({_reason(error)})", "do it by hand, or go on")

    return fenced(failed, _next_command, tool, case)


def _next_command(tool: Tool, case: Case) -> Command | Blocked | None:
    sudo = not is_root(case) and _has_sudo(case)
    asks = sudo and not case.get("host.sudo", False)
    if sudo and (repeated := _refused_command(tool, case)):
        return msgspec.structs.replace(repeated, as_root=True, asks=asks)
    # The plan comes first: what is missing does not matter to a tool that has nothing to do.
    planned = tool.plan(case)
    if planned is None:
        return None
    if tool.of_box and case.get("log.of", "") == ANOTHER_MACHINE:
        return Blocked(f"the case is of another machine: {case.get('log.of_why', '')}", GO_THERE)
    if isinstance(planned, Blocked):
        return planned
    obstacle = blocked(tool, case) or blocked_by_results(case.done(tool.id))
    root = sudo and tool.needs_root
    return obstacle or msgspec.structs.replace(planned, as_root=root, asks=asks and root)


def _has_sudo(case: Case) -> bool:
    return case.get("host.sudo", False) or case.get("host.sudo_asks", False)


def _refused_command(tool: Tool, case: Case) -> Command | None:
    """Return the last command if it was refused, or None.

    It is planned again, because a result keeps only the command's text.
    """
    done = case.done(tool.id)
    if not done or done[-1].command.as_root or not is_refused(done[-1]):
        return None
    before = msgspec.structs.replace(case, results=case.results | {tool.id: done[:-1]})
    planned = tool.plan(before)
    if isinstance(planned, Command) and planned.argv == done[-1].command.argv:
        return planned
    return None


def blocked_by_results(done: tuple[Result, ...]) -> Blocked | None:
    """Return Blocked if a program turned out to be missing, else None."""
    for result in done:
        if result.status is ResultStatus.MISSING:
            reason = result.errors.strip() or f"{result.command.argv[0]} not installed"
            return Blocked(reason, "install it, or go on with the next step")
    return None
