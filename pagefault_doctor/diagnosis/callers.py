"""Who called: the module behind a call that went wrong, by return address, stack or argument."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.diagnosis import function_roles
from pagefault_doctor.diagnosis.address import AddressClass, classify
from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.culprit import BEHIND_NAME, Culprit, blame
from pagefault_doctor.diagnosis.history import CRASHES
from pagefault_doctor.diagnosis.module_area import is_module_area
from pagefault_doctor.diagnosis.register_names import FIRST_ARGUMENT
from pagefault_doctor.klog.guilty_function import is_uninformative
from pagefault_doctor.klog.skip_functions import CRASHING, EXCEPTION_ENTRY
from pagefault_doctor.model.report import LOADERS, Frame, Kind, Report

_CALLERS: Final = 6
"""Frames within which a driver's call into its subsystem is looked for."""
_LOADING_OR_UNLOADING: Final = (
    ("+", ("do_one_initcall", "do_init_module"), "loaded"),
    ("-", ("_delete_module",), "unloaded"),
)
"""The mark of a module, the functions that call into it meanwhile, and what is done with it."""
_UDEV: Final = ("systemd-udevd", "(udev-worker)", "udevd", "kmod")
"""How the names of programs begin that load modules, and do other things as well."""
_WAYS_BACK: Final = (
    ("link", "the return address lies there"),
    ("last_branch", "the last branch was there"),
)
"""Details that show where a call came from, and why."""
_INTERRUPTS: Final = ("IRQ", "SOFTIRQ", "NMI")
_REGISTER: Final = "register"
"""In the names of functions that take an object of their caller's into a list, or out of it."""


def _behind_exception(frames: list[Frame]) -> list[Frame]:
    """Return the frames from before the fault: some kernels print those of its handling first."""
    names = [(frame.function or "").partition(".")[0] for frame in frames]
    if not any(map(CRASHING.fullmatch, names[:1])):
        return frames
    entry = next((n for n, name in enumerate(names) if EXCEPTION_ENTRY.fullmatch(name)), None)
    return frames if entry is None else frames[entry + 1 :]


def stack_top(report: Report, context: Context) -> Culprit | None:
    """Return the module that called to where no code is.

    A trace cannot be followed from there, so that all of it is doubtful (`?`). But a call leaves
    the way back on top of the stack, and what lies there comes first.
    """
    named = _behind_exception([frame for frame in report.frames if frame.function])
    if not context.is_jump or report.function or not named or any(f.reliable for f in named):
        return None
    top = named[0]
    if top.module is None:
        return None
    text = f"the call came from {top.function} of {top.module}: that lies on top of the stack"
    return blame(top.module, text, top.line or report.line_of("trace"))


def of_link(report: Report, context: Context) -> Culprit | None:
    """Return the module that called to where no code is.

    The register with the way back shows it, or the branch that s390 took last.
    """
    for name, why in _WAYS_BACK if context.is_jump else ():
        caller = report.details.get(name, "")
        if match := BEHIND_NAME.search(caller):
            text = f"the call came from {caller.partition('+')[0]} of {match[1]}: {why}"
            return blame(match[1], text, report.line_of(name))
    return None


def caller_of_leaf(report: Report) -> Culprit | None:
    """Return the module that called the function that faulted, where that had called nothing yet.

    The register with the way back then still leads to the caller, of which the stack has no frame.
    """
    first = report.frames[0].function if report.frames and report.registers else None
    for detail, why in _WAYS_BACK if first else ():
        caller = report.details.get(detail, "")
        name, match = caller.partition("+")[0], BEHIND_NAME.search(caller)
        if match and name != first:
            text = f"{name} of {match[1]} called {first}: {why}"
            return blame(match[1], text, report.line_of(detail))
    return None


def return_into_modules(report: Report, context: Context) -> Culprit | None:
    """Return that the way back leads into a module, where s390 prints it as a number alone."""
    value = context.registers.get("r14", 0) if context.arch == "s390x" else 0
    if not is_module_area(value, context.report, context.arch):
        return None
    foreign = report.out_of_tree
    text = f"the return address in R14, {value:#x}, lies in a module"
    line = context.register_line("r14") or report.line_of()
    return blame(foreign[0] if len(foreign) == 1 else None, text, line)


def of_argument(report: Report, context: Context) -> Culprit | None:
    """Return the module whose object a call without a target was made with.

    Whoever keeps callbacks hands each of them the object that it was registered with.
    """
    name = FIRST_ARGUMENT.get(context.arch or "")
    value = context.registers.get(name, 0) if name else 0
    # On powerpc modules are in vmalloc memory, where an object with a callback seldom is else.
    in_vmalloc = context.arch == "ppc64" and classify(value, context.arch) is AddressClass.VMALLOC
    in_modules = in_vmalloc or is_module_area(value, report, context.arch)
    if not (context.is_jump and in_modules):
        return None
    foreign = report.out_of_tree
    text = f"the call was made with {name} = {value:#x}, which lies in a module"
    line = context.register_line(name or "")
    return blame(foreign[0] if len(foreign) == 1 else None, text, line or report.line_of())


def loading_or_unloading(report: Report) -> Culprit | None:
    """Return the module whose init or exit function was running, which the trace does not show.

    The function may have ended in a jump to another, and then it left no frame. The list of modules
    marks who is coming or going (`kernel/module/main.c`, module_flags).
    """
    # A compiler adds its marks: __do_sys_delete_module.constprop.0
    functions = [(frame.function or "").partition(".")[0] for frame in report.frames]
    for sign, callers, what in _LOADING_OR_UNLOADING:
        marked = [module.name for module in report.modules if sign in module.flags]
        if len(marked) == 1 and any(function.endswith(callers) for function in functions):
            text = f"{marked[0]} was just being {what}: the kernel had called its function for that"
            return blame(marked[0], text, report.line_of("modules"))
    if report.last_unloaded and "free_module" in functions:
        text = f"{report.last_unloaded} was just being removed"
        return blame(report.last_unloaded, text, report.line_of("modules"))
    return _exit_function(report)


def _exit_function(report: Report) -> Culprit | None:
    """Return that a module is to blame whose exit function ran, and whose name is not printed.

    The system call that removes a module does little itself: what is above it on the stack was
    called by the exit function, which left no frame where it ended in a jump.
    """
    if report.modules:
        return None
    for frame in (frame for frame in report.frames if frame.reliable):
        name = (frame.function or "").partition(".")[0]
        if name.endswith("_delete_module"):
            text = "the exit function of the module that was being removed led to it"
            return blame(None, text, frame.line or report.line_of("trace"))
        if not (function_roles.only_passes_on(name) or is_uninformative(name)):
            return None
    return None


def of_loader(report: Report) -> Culprit | None:
    """Return the module that a program was loading or removing, which the trace does not show.

    Such a program runs nothing in the kernel but the loader and the code of its module.
    """
    interrupted = any(frame.context in _INTERRUPTS for frame in report.frames if frame.reliable)
    is_udev = (report.comm or "").startswith(_UDEV)
    sign = "+" if is_udev else LOADERS.get(report.comm or "")
    if sign is None or interrupted or report.kind not in (*CRASHES, Kind.KERNEL_BUG):
        return None
    moving = [module.name for module in report.modules if sign in module.flags]
    name = report.details.get("typed_module") or (moving[0] if len(moving) == 1 else None)
    if is_udev and name is None:
        return None
    text = f"{report.comm} runs only the loader and the code of {name or 'its module'}"
    if is_udev:
        text = f"{report.comm} was loading {name}"
    line = report.line_of("typed_module", "process", "modules")
    return blame(name, text, line)


def user_of(suspect: Culprit, report: Report) -> Culprit | None:
    """Return the module that called into the one of a suspect and is likelier at fault, or None.

    That is the driver that called its subsystem, which many others use and test; or a module that
    was coming or going, and handed its own object over.
    """
    name = suspect.module
    if name is None or report.kind is Kind.HUNG_TASK or suspect.because.line is None:
        return None
    stack = [frame for frame in report.frames if frame.reliable]
    # The instruction that faulted is printed before the stack, so without the name of one.
    own = next((frame.context for frame in stack if frame.context), None)
    called = None
    for frame in stack[: _CALLERS + 1]:
        if frame.context and frame.context != own:
            return None
        if frame.module == name:
            called = frame
        elif frame.module:
            return _caller(frame, called, report, in_first=name in {report.module, stack[0].module})
    return None


def _caller(
    frame: Frame, called: Frame | None, report: Report, *, in_first: bool
) -> Culprit | None:
    """Return the module of a frame where it is likelier at fault than that of the one it called."""
    module, into = frame.module or "", (called.module if called else report.module) or ""
    line = frame.line or report.line_of("trace")
    if called and hands_over(frame, called, report):
        text = f"{frame.function} of {module} handed its own object to {called.function} of {into}"
        return blame(module, text, line)
    if in_first and function_roles.calls_into(module, into, report):
        text = f"{frame.function} of {module} called into {into}, which many drivers use"
        return blame(module, text, line)
    return None


def hands_over(caller: Frame, called: Frame, report: Report) -> bool:
    """Whether a module that is coming or going gave its own object to a function of another."""
    signs = {sign for sign, _, _ in _LOADING_OR_UNLOADING}
    moves = any(m.name == caller.module and signs & set(m.flags) for m in report.modules)
    other = called.module is not None and called.module != caller.module
    return moves and other and _REGISTER in (called.function or "")


def of_watchdog(report: Report) -> Culprit | None:
    """Return the driver of the network card that did not send what it was given.

    The watchdog of the core names it (`net/sched/sch_generic.c`, dev_watchdog).
    """
    driver = report.details.get("driver")
    if report.function != "dev_watchdog" or driver is None:
        return None
    text = f"the card of {driver} did not send what it was given"
    return blame(driver.replace("-", "_"), text, report.line_of("driver", "headline"))


def of_sleeper(report: Report) -> Culprit | None:
    """Return the driver that called its subsystem where nothing may sleep.

    The subsystem may sleep there at any time (`drivers/usb/core/message.c`, usb_start_wait_urb);
    who took a lock or turned preemption off is further out.
    """
    if report.kind is not Kind.ATOMIC_SLEEP or report.module is None:
        return None
    outer = (f for f in report.frames if f.reliable and f.module not in (None, report.module))
    frame = next(outer, None)
    if frame is None or not frame.module:
        return None
    if not function_roles.calls_into(frame.module, report.module, report):
        return None
    text = f"{frame.function} of {frame.module} called {report.module}, which may sleep"
    return blame(frame.module, text, frame.line or report.line_of("trace"))
