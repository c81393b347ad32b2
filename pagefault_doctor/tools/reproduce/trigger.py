"""The trigger: what the person did when the fault came, done again once the module is in.

The fact `given.trigger` holds one command a line, quoted as for a POSIX shell. Each is run as an
argument list, in order: after the suspect was loaded once, after its fixed build several times.
Where there is none, loading is the trigger, and the fixed build is unloaded and loaded again.
"""

from __future__ import annotations

import shlex
from typing import Final

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.tools.arguments import elsewhere, given
from pagefault_doctor.tools.module.module_name import is_module_name
from pagefault_doctor.tools.tool import Tool, finding

TIMES: Final = 3
"""How often the trigger is run where a fix is to be proven: a fault may spare one attempt."""

_LOADERS: Final = ("insmod", "modprobe", "rmmod")

_RELOAD: Final = f"for n in {' '.join(map(str, range(2, TIMES + 1)))}; do " + (
    'rmmod "$1" && insmod "$2" || exit; done'
)
"""Loads a module again, which has been loaded once."""

_PROOF: Final = "insmod-fixed"


def lines(text: str) -> tuple[tuple[str, ...], ...] | None:
    """Return the argument lists of a trigger, None where its quotes do not match."""
    if not untrusted.is_clean(text):
        return None
    try:
        split = tuple(tuple(shlex.split(line)) for line in text.splitlines())
    except ValueError:
        return None
    return tuple(argv for argv in split if argv)


def is_proven(case: Case) -> bool:
    """Return whether the whole trigger was run in this step, or there is none."""
    wanted = _wanted(case)
    return wanted is not None and len(case.done("trigger")) >= len(wanted)


def unloaded(case: Case) -> bool:
    """Return whether the trigger itself took the module out."""
    done = case.done("trigger")
    return any(result.ok and result.command.argv[0] == "rmmod" for result in done)


def _wanted(case: Case) -> tuple[tuple[str, ...], ...] | None:
    """Return all that is to be run in this step."""
    once = lines(case.get("given.trigger", ""))
    if once is None or not case.done(_PROOF):
        return once
    path = given(case, "fix.module_path", "given.fixed_module")
    if not once:
        name = path.rpartition("/")[2].partition(".ko")[0]
        return (("sh", "-c", _RELOAD, "sh", name, path),) if is_module_name(name) else ()
    moves = [argv[0] for argv in once if argv[0] in _LOADERS]
    if "modprobe" in moves:
        return once  # It would load the build that is installed, which is the faulty one.
    if moves[-1:] == ["rmmod"] and path:
        return (*once, *((("insmod", path), *once) * (TIMES - 1)))
    return once * TIMES


def _is_in(case: Case) -> bool:
    """Whether the last thing done in this step was to load the module, or to find it loaded."""
    done = case.done(_PROOF) or case.done("insmod")
    return bool(done) and done[-1].ok and done[-1].output.strip() not in ("coming", "going")


def plan(case: Case) -> Command | Blocked | None:
    """Run the next line of the trigger, where the module is in."""
    wanted = _wanted(case)
    if wanted is None:
        return Blocked("the trigger cannot be read", "one command a line; close every quote")
    number = len(case.done("trigger"))
    if number >= len(wanted) or not _is_in(case):
        return None
    if away := elsewhere(case):
        return away
    return Command(
        argv=wanted[number],
        tool="trigger",
        risk=Risk.CRASH,
        timeout=60.0,
        why="do what made it fault before; the kernel may oops, panic or hang",
        undo="reboot, where it faults",
    )


def read(result: Result, case: Case) -> ToolReading:
    """Return how a line of the trigger ended; whether the kernel faulted is for the log to say."""
    text, mark = _verdict(result)
    return ToolReading(findings=(finding(text, mark, result),))


def _verdict(result: Result) -> tuple[str, Mark]:
    name = untrusted.clean(result.command.argv[0])
    if result.ok and _RELOAD in result.command.argv:
        return f"The module was unloaded and loaded again, {TIMES} times in all", Mark.NEUTRAL
    if result.ok:
        return f"The trigger ran: {name} ended without an error", Mark.NEUTRAL
    if result.status is ResultStatus.SIGNALED:
        return f"The trigger ran, and {name} was killed by a signal", Mark.BAD
    if result.status is ResultStatus.TIMEOUT:
        return f"The trigger did not come back: {name} hangs", Mark.BAD
    return f"The trigger ran, and {name} ended with an error", Mark.NEUTRAL


TOOL: Final = Tool(
    id="trigger",
    purpose="does what made the module fault, once it is loaded",
    risk=Risk.CRASH,
    needs_root=True,
    plan=plan,
    read=read,
    by_hand="Do what you did when it faulted, with dmesg -w in another terminal.",
)

TOOLS: Final = (TOOL,)
