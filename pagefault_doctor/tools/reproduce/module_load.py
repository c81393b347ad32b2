"""insmod, modprobe and rmmod: load the suspect again, load its fixed build, unload it.

Messages are those of kmod (`tools/insmod.c`, `tools/modprobe.c`) and busybox, errors those of
`kernel/module/main.c` (load_module, delete_module).
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import (
    blocked_on_other_kernel,
    is_absolute,
    path_in_folder,
)
from pagefault_doctor.tools.module.module_name import is_module_name, kernel_name, safe_suspect
from pagefault_doctor.tools.reproduce.module_refusal import REFUSALS, Refusal
from pagefault_doctor.tools.reproduce.trigger import fixed_module, has_unloaded_module
from pagefault_doctor.tools.tool import Tool, fact, finding

_EXIT_KILLED: Final = 137
"""128 and SIGKILL: the kernel kills a process that oopses."""
_NOT_RUN: Final = (ResultStatus.MISSING, ResultStatus.REFUSED, ResultStatus.CANCELLED)
_MODULE_TREES: Final = ("/lib/modules/", "/usr/lib/modules/")
_MODULE_SUFFIX: Final = regex(r"\.ko(\.(xz|zst|gz))?")


def _known_refusal(result: Result) -> Refusal | None:
    if result.ok or _was_killed(result):
        return None
    text = result.errors + result.output
    return next((known for known in REFUSALS if known.pattern.search(text)), None)


def _was_killed(result: Result) -> bool:
    """Return whether the kernel killed the program, as it does after an oops in module_init."""
    return result.exit_code == _EXIT_KILLED or result.status is ResultStatus.SIGNALED


def _is_initstate(result: Result) -> bool:
    return result.command.argv[:1] == ("cat",)


def _read_initstate(tool: str, name: str) -> Command:
    return Command(
        argv=("cat", f"/sys/module/{kernel_name(name)}/initstate"),
        tool=tool,
        why="see whether the module is loaded now, and whole",
    )


def _obstacle(done: tuple[Result, ...]) -> Blocked | None:
    if done and (known := _known_refusal(done[-1])) and not _is_initstate(done[-1]):
        return Blocked(known.reason, known.remedy)
    return None


def _half_loaded(state: Result, name: str) -> Blocked | None:
    if state.output.strip() not in ("coming", "going"):
        return None
    return Blocked(
        f"{name} is stuck half loaded ({state.output.strip()}) since it faulted",
        "reboot first (systemctl reboot); pfdoctor resume goes on afterwards",
    )


def _load_argv(name: str, case: Case) -> tuple[str, ...] | Blocked:
    """Return the command that loads the suspect, or Blocked if its file is unknown."""
    path = case.get("module.path", "")
    if path.startswith(_MODULE_TREES):
        return ("modprobe", name)
    named = path_in_folder(case.get("given.module_dir", ""), f"{name}.ko")
    path = path if is_absolute(path) and _MODULE_SUFFIX.search(path) else named or ""
    if not path:
        return Blocked(f"the file of {name} is not known", "name its folder: --module-dir DIR")
    return ("insmod", path)


def plan_insmod(case: Case) -> Command | Blocked | None:
    """Check whether the suspect is loaded, and load it if it is not."""
    name = safe_suspect(case)
    if name is None or isinstance(name, Blocked):
        return name
    if case.get("module.path", "") == "(builtin)":
        return None
    if other_kernel := blocked_on_other_kernel(case):
        return other_kernel
    done = case.done("insmod")
    if not done:
        return _read_initstate("insmod", name)
    if half_loaded := _half_loaded(done[0], name):
        return half_loaded
    if len(done) > 1 or done[0].output.strip() == "live":
        return _obstacle(done)
    argv = _load_argv(name, case)
    if isinstance(argv, Blocked):
        return argv
    return Command(
        argv=argv,
        tool="insmod",
        risk=Risk.CRASH,
        timeout=60.0,
        why=f"load {name} again and see whether it faults; the kernel may oops, panic or hang",
        undo=f"rmmod {name}; when it faulted in its init only a reboot removes it",
    )


def plan_fixed(case: Case) -> Command | Blocked | None:
    """Check whether the old build is loaded, unload it, and load the fixed build."""
    path, name = fixed_module(case)
    if not path and case.main_report and not case.main_report.is_kernel_fault:
        return None  # Then the fix may be in a program or a setting.
    if not path or not is_module_name(name):
        return Blocked(
            "there is no rebuilt module to try",
            "build it in the step fix-code, or build it by hand and load it with insmod",
        )
    if other_kernel := blocked_on_other_kernel(case):
        return other_kernel
    done = case.done("insmod-fixed")
    if not done:
        return _read_initstate("insmod-fixed", name)
    if half_loaded := _half_loaded(done[0], name):
        return half_loaded
    if done[-1].command.argv[0] == "insmod":
        return _obstacle(done)
    if len(done) == 1 and done[0].output.strip() == "live":
        return _unload("insmod-fixed", name, "the old build must go before the fixed one comes")
    if obstacle := _obstacle(done):
        return obstacle
    return Command(
        argv=("insmod", path),
        tool="insmod-fixed",
        risk=Risk.CRASH,
        timeout=60.0,
        why="load the fixed build; if the fix is not one, the kernel may oops, panic or hang",
        undo=f"rmmod {name}",
    )


def _unload(tool: str, name: str, why: str) -> Command:
    undo = "load it again: insmod or modprobe"
    return Command(
        argv=("rmmod", name), tool=tool, risk=Risk.CHANGE, timeout=60.0, why=why, undo=undo
    )


def plan_rmmod(case: Case) -> Command | Blocked | None:
    """Unload the fixed module if it was loaded."""
    _, name = fixed_module(case)
    inserted = case.get("validate.inserted", False)
    if not inserted or not is_module_name(name) or has_unloaded_module(case):
        return None
    if done := case.done("rmmod"):
        return _obstacle(done)
    return _unload("rmmod", name, "unloading runs the module's exit code, which may fault too")


def read(result: Result, case: Case) -> ToolReading:
    """Return whether the module was loaded or unloaded, and why not."""
    if _is_initstate(result):
        return _read_state(result)
    program = result.command.argv[0]
    prefix = "validate" if result.command.tool == "insmod-fixed" else "reproduce"
    text, mark = _verdict(program, result)
    is_known = program != "rmmod" and result.status not in _NOT_RUN
    facts = (fact(f"{prefix}.inserted", result.ok, result),) if is_known else ()
    return ToolReading(facts=facts, findings=(finding(text, mark, result),))


def _read_state(result: Result) -> ToolReading:
    state = result.output.strip()
    if state not in ("live", "coming", "going"):
        return ToolReading()
    return ToolReading(facts=(fact("module.initstate", state, result, 1),))


def _verdict(program: str, result: Result) -> tuple[str, Mark]:
    verb = "unloaded" if program == "rmmod" else "loaded"
    if result.ok:
        return f"The module was {verb} without an error", Mark.GOOD
    if _was_killed(result):
        return f"The kernel killed {program}: the module faulted while it was {verb}", Mark.BAD
    if result.status is ResultStatus.TIMEOUT:
        return f"{program} did not come back: the module hangs", Mark.BAD
    if known := _known_refusal(result):
        return f"The module was not {verb}: {known.reason}", Mark.NEUTRAL
    return f"The module was not {verb} (exit code {result.exit_code})", Mark.NEUTRAL


_KMOD: Final = {"": "kmod"}

TOOLS: Final = (
    Tool(
        id="insmod",
        of_box=True,
        purpose="loads the suspect again to see whether it faults",
        programs=("insmod",),
        package=_KMOD,
        risk=Risk.CRASH,
        needs_root=True,
        facts=("module.initstate", "reproduce.inserted"),
        plan=plan_insmod,
        read=read,
        by_hand="insmod PATH/MODULE.ko (or modprobe MODULE), with dmesg -w in another terminal.",
    ),
    Tool(
        id="insmod-fixed",
        of_box=True,
        purpose="loads the fixed build of the module",
        programs=("insmod",),
        package=_KMOD,
        risk=Risk.CRASH,
        needs_root=True,
        facts=("module.initstate", "validate.inserted"),
        plan=plan_fixed,
        read=read,
        by_hand="rmmod the old build, then insmod the new one, with dmesg -w beside it.",
    ),
    Tool(
        id="rmmod",
        of_box=True,
        purpose="unloads the module again, which runs its exit code",
        programs=("rmmod",),
        package=_KMOD,
        risk=Risk.CHANGE,
        needs_root=True,
        plan=plan_rmmod,
        read=read,
        by_hand="rmmod MODULE, then look at dmesg.",
    ),
)
