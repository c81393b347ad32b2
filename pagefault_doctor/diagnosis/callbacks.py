"""What the kernel calls the functions of others for: files, timers, works, notifiers.

Who calls through a table that others filled is not to blame for an entry that is missing there.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.diagnosis.context import Context
from pagefault_doctor.diagnosis.culprit import Culprit, blame
from pagefault_doctor.model.diagnosis import Attribution, Evidence
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.model.report import Frame, Report

_OWNED: Final = tuple(
    (what, regex(rf"^(?:{functions})"))
    for what, functions in (
        # fs/proc/inode.c
        ("a file below /proc", r"proc_reg_"),
        # drivers/base/core.c, bus.c and class.c; fs/sysfs/file.c; fs/kernfs/file.c
        ("a file below /sys", r"(?:dev|drv|bus|class)_attr_|sysfs_kf_|kernfs_(?:fop|seq)_"),
        # fs/char_dev.c, fs/ioctl.c, fs/read_write.c
        ("a device file", r"chrdev_open|(?:do_)?vfs_ioctl|__(?:x64|arm64)_sys_ioctl|vfs_llseek"),
        # kernel/time/timer.c, kernel/time/hrtimer.c
        ("a timer", r"call_timer_fn|expire_timers|__run_timer|__hrtimer_run_queues|__run_hrtimer"),
        # kernel/workqueue.c
        ("a work item", r"process_one_work|process_scheduled_works"),
        # kernel/softirq.c
        ("a tasklet", r"tasklet_(?:hi_)?action"),
        # kernel/notifier.c
        ("a notifier", r"(?:\w+_)?notifier_call_chain"),
        # kernel/rcu/tree.c
        ("an RCU callback", r"rcu_do_batch"),
        # kernel/irq/handle.c
        ("an interrupt handler", r"_{0,2}handle_irq_event"),
        # net/core/dev.c
        ("a network device", r"dev_hard_start_xmit|__dev_(?:open|close)|_{0,2}napi_poll"),
        # drivers/base/dd.c, drivers/base/power/main.c
        ("a driver", r"really_probe|(?:device|platform)_(?:remove|probe)|dpm_run_callback"),
        # fs/read_write.c calls for all kinds of files
        ("a file", r"vfs_(?:read|write|fsync|open)|do_dentry_open|__fput|do_iter_read"),
    )
)
"""What belongs to a module, and how the names of the functions begin that call into it."""
OWNER_UNSEEN: Final = 0.7
"""How likely it is the kernel, or a module at all, where whose table was called is not shown."""
_NAMED: Final = 3
"""Modules that are named."""


def caller(report: Report) -> Frame | None:
    """Return the first certain frame with a name: who jumped, where the target has none."""
    return next((f for f in report.frames if f.function and f.reliable), None)


def owned(report: Report) -> str | None:
    """Return what the function was called for that a module has to provide, None if unknown."""
    frame = caller(report)
    name = frame.function if frame and not frame.module else None
    return next((what for what, shape in _OWNED if name and shape.match(name)), None)


def foreign_words(report: Report, *, is_jump: bool) -> str | None:
    """Return which modules from outside a nameless one may be, and what of it was called.

    The words follow "a module"; None where none is known to be from outside.
    """
    if "O" not in (report.tainted or ()) and not report.out_of_tree:
        return None
    names = ", ".join(report.out_of_tree[:_NAMED])
    more = " or another" if len(report.out_of_tree) > _NAMED else ""
    words = " from outside the kernel" + (f" ({names}{more})" if names else "")
    what = owned(report) if is_jump else None
    return f"{words}, the owner of {what}" if what else words


def owner_of_table(report: Report, context: Context) -> Culprit | None:
    """Return that the owner of a table is to blame through which the kernel called, if it did.

    Who walks notifiers, files, timers or works calls what others have put there. With modules from
    outside loaded, it is likelier one of theirs.
    """
    if not context.is_jump:
        return None
    first, what = caller(report), owned(report)
    who = first.function if first else "the kernel"
    text = f"{who} called through the table of {what or 'functions'}, whose owner is not shown"
    line = (first.line if first else None) or report.line_of("trace")
    foreign = report.out_of_tree
    found = Culprit(Attribution.KERNEL, None, Evidence(text, 0.0, line), OWNER_UNSEEN)
    if not foreign and what and "O" in (report.tainted or ()) and not report.modules:
        text = f"{text}: a module from outside is loaded (taint O), and its name is not in the text"
        return msgspec.structs.replace(blame(None, text, line), share=OWNER_UNSEEN)
    if not foreign:
        return found
    names = ", ".join(foreign[:_NAMED]) + (" and others" if len(foreign) > _NAMED else "")
    text = f"{text}: of the modules loaded, {names} are from outside"
    return msgspec.structs.replace(blame(None, text, line), share=OWNER_UNSEEN)
