"""The trigger: the commands that caused the fault, repeated after the module is loaded.

The fact `given.trigger` has one command per line, quoted as in a POSIX shell. Each runs as an
argument list, or in a shell where it has signs of one, in order: once after the suspect was loaded,
several times after its fixed build was. Without a trigger, loading is the trigger, and the fixed
build is unloaded and loaded again.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model import untrusted
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.command_line import argv_of
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.tools.arguments import blocked_on_other_kernel, first_path
from pagefault_doctor.tools.module.module_name import is_module_name
from pagefault_doctor.tools.tool import Tool, finding

TIMES: Final = 3
"""Runs of the trigger to prove a fix: a fault may not happen every time."""

_LOADERS: Final = ("insmod", "modprobe", "rmmod")

_RELOAD: Final = f"for n in {' '.join(map(str, range(2, TIMES + 1)))}; do " + (
    'rmmod "$1" && insmod "$2" || exit; done'
)
"""Unloads and loads a module until it was loaded TIMES times."""

_FIXED_TOOL: Final = "insmod-fixed"


def fixed_module(case: Case) -> tuple[str, str]:
    """Return the path and the name of the fixed build, empty texts where there is none."""
    path = first_path(case, "fix.module_path", "given.fixed_module")
    return path, path.rpartition("/")[2].partition(".ko")[0]


def parse_trigger(text: str) -> tuple[tuple[str, ...], ...] | None:
    """Return the argument lists of a trigger, or None if its quotes do not match."""
    if not untrusted.is_clean(text):
        return None
    try:
        split = tuple(map(argv_of, text.splitlines()))
    except ValueError:
        return None
    return tuple(argv for argv in split if argv)


def is_proven(case: Case) -> bool:
    """Return whether the whole trigger ran in this step, or there is no trigger."""
    commands = _commands(case)
    return commands is not None and len(case.done("trigger")) >= len(commands)


def has_unloaded_module(case: Case) -> bool:
    """Return whether the trigger itself unloaded the module."""
    done = case.done("trigger")
    return any(result.ok and result.command.argv[0] == "rmmod" for result in done)


def _commands(case: Case) -> tuple[tuple[str, ...], ...] | None:
    """Return all commands to run in this step, or None if the trigger cannot be parsed."""
    once = parse_trigger(case.get("given.trigger", ""))
    if once is None or not case.done(_FIXED_TOOL):
        return once
    path, name = fixed_module(case)
    if not once:
        return (("sh", "-c", _RELOAD, "sh", name, path),) if is_module_name(name) else ()
    loader_calls = [argv[0] for argv in once if argv[0] in _LOADERS]
    if "modprobe" in loader_calls:
        return once  # modprobe would load the installed build, which is the faulty one.
    # A trigger that ends with rmmod leaves no module for its next run.
    if loader_calls[-1:] == ["rmmod"] and path:
        return (*once, *((("insmod", path), *once) * (TIMES - 1)))
    return once * TIMES


def _is_loaded(case: Case) -> bool:
    """Return whether the last command of this step loaded the module, or found it loaded."""
    done = case.done(_FIXED_TOOL) or case.done("insmod")
    return bool(done) and done[-1].ok and done[-1].output.strip() not in ("coming", "going")


def plan(case: Case) -> Command | Blocked | None:
    """Run the next line of the trigger if the module is loaded."""
    commands = _commands(case)
    if commands is None:
        return Blocked("the trigger cannot be read", "one command a line; close every quote")
    number = len(case.done("trigger"))
    if number >= len(commands) or not _is_loaded(case):
        return None
    if other_kernel := blocked_on_other_kernel(case):
        return other_kernel
    return Command(
        argv=commands[number],
        tool="trigger",
        risk=Risk.CRASH,
        timeout=60.0,
        why="do what made it fault before; the kernel may oops, panic or hang",
        undo="reboot, where it faults",
    )


def read(result: Result, case: Case) -> ToolReading:
    """Return how a line of the trigger ended; the kernel log shows whether the kernel faulted."""
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
    of_box=True,
    purpose="does what made the module fault, once it is loaded",
    risk=Risk.CRASH,
    needs_root=True,
    plan=plan,
    read=read,
    by_hand="Do what you did when it faulted, with dmesg -w in another terminal.",
)
