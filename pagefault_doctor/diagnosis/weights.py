"""Every weight of the diagnosis, in natural log-odds, in one table.

About 1 is a hint, 2 is clear evidence, 3 and more nearly settles it; below 0 is evidence against.
The kernel's own words weigh most, circumstances least. `PRIOR` is how likely a cause is before any
evidence, against `UNKNOWN`, the chance of a cause that no rule covers.
"""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.diagnosis import RootCause

UNKNOWN: Final = 0.3
UNKNOWN_THIN: Final = 1.0
"""Of a report without a function and without registers."""
HIGHEST: Final = 0.97
TEMPERATURE: Final = 0.9
"""Divides all log-odds: below 1, every confidence is bolder.

These four come from `bench/weights.py`, a third of the way to its fit: the cases it knows are
easier than those to come.
"""
CONFIDENCE: Final = {
    "base": 0.5,
    "lacks.headline": -0.79,
    "lacks.address": -0.1,
    "lacks.registers": -0.1,
    "lacks.trace": -0.52,
    "lacks.version": -0.1,
    "lacks.report": -0.1,
    "lacks.function": -0.34,
    "cause.unknown": -0.4,
    "who.by-cause": 0.62,
    "who.module": 0.72,
    "who.bystander": 0.68,
    "who.without-place": -0.2,
    "who.kernel": 0.26,
    "who.kernel-among-foreign": -1.91,
}
"""Log-odds that turn the chance of a cause into that of the whole answer: the cause and who acts.

They are added to the log-odds of the cause: `base` always, the others where they apply
(`diagnosis/confidence.py`). All are fitted by `bench/weights.py`.
"""
HIGHEST_WITHOUT_PLACE: Final = 0.85
"""However certain the cause is: without a function and a trace, who has to act is a guess."""
HIGHEST_UNNAMED: Final = 0.87
"""For an error of the hardware that names no part, and a hang whose trace names no owner: a device
without power, a driver, or the host of a virtual machine look the same."""
NOTHING: Final = 0.9
NOTHING_IN_PART: Final = 0.6
"""How sure it is that a log without a report has no fault: a log from its boot on, and a part."""
LEFT: Final = 1.0
"""For the cause that the kind of a report tells, where no rule finds more in what is left of it."""
CONSEQUENCE: Final = -1.2
"""Against every cause of a report that follows an earlier fault of the same boot."""

PRIOR: Final = {
    RootCause.NULL_DEREF: 0.2,
    RootCause.USE_AFTER_FREE: 0.2,
    RootCause.LOGIC_ERROR: 0.0,
    RootCause.WILD_POINTER: -0.2,
    RootCause.PAGE_TABLE: -0.3,
    RootCause.HARDWARE: -0.8,
}
"""Causes that are not named have a prior of 0."""

WEIGHT: Final = {
    # NULL pointer
    "null.headline": 1.2,
    "null.sanitizer": 3.5,
    "null.small-address": 2.0,
    "null.odd-offset": -0.8,
    "null.near-address": 0.8,
    "null.base-zero": 2.0,
    "null.container-of": 4.0,
    "null.container-maybe": 1.5,
    "null.around": 1.5,
    "null.call": 2.0,
    "null.base-unknown": 1.3,
    "null.base-not-zero": -2.0,
    "null.base-error": -4.0,
    "null.base-loaded": -3.5,
    "null.member": 0.4,
    # error pointer
    "error.address": 2.2,
    "error.base": 4.0,
    "error.freed": 4.0,
    "error.in-no-register": -2.0,
    "error.base-rare": 1.0,
    "error.address-rare": 1.0,
    "error.filling": 0.8,
    "error.register": 3.2,
    "error.base-zero": -4.0,
    "error.returned": 0.6,
    # use after free
    "freed.sanitizer": 4.5,
    "freed.poison": 3.0,
    "freed.poison-register": 0.6,
    "freed.deleted-entry": 2.5,
    "freed.refcount": 3.5,
    "freed.count": 2.2,
    "freed.poison-overwritten": 3.0,
    "freed.text-members": 2.4,
    "freed.queued": 2.0,
    "freed.page-in-use": 1.5,
    "freed.object-active": 2.5,
    "freed.unloaded": 3.5,
    "freed.module-range": 2.0,
    "freed.module-data": 1.5,
    "freed.init-section": 3.0,
    "freed.init-code": 2.4,
    "freed.tag": 1.6,
    "freed.list-value": 4.2,
    "freed.freelist-value": 4.1,
    "freed.decrement": 0.6,
    "freed.freelist-crash": 2.0,
    "freed.words": 3.0,
    "freed.dump-owner": 3.0,
    "freed.dump-object": 2.5,
    "freed.dump-live": -0.5,
    "freed.dump-no-module": 1.2,
    "freed.dump-pending": 2.0,
    # freed twice
    "double.sanitizer": 4.5,
    "double.slab": 4.5,
    "double.not-slab": 2.2,
    "double.freelist-crash": 1.0,
    "double.dump-free": 2.5,
    # out of bounds
    "bounds.sanitizer": 4.5,
    "bounds.index": 4.0,
    "bounds.flexible-array": -1.5,
    "bounds.redzone": 3.5,
    "bounds.usercopy": 3.2,
    "bounds.fortify": 3.8,
    "bounds.field-spanning": 1.5,
    "bounds.canary": 3.2,
    "bounds.page-edge": 1.5,
    "bounds.walk": 2.2,
    "bounds.tag": 1.5,
    "bounds.text-pointer": 2.0,
    "bounds.freelist-crash": 1.0,
    "bounds.text-jump": 2.0,
    "bounds.redzone-pointer": 2.2,
    "bounds.dump-redzone": 2.0,
    "bounds.dump-past": 1.5,
    # wild pointer
    "wild.paging": 1.0,
    "wild.non-canonical": 1.8,
    "wild.sanitizer": 2.8,
    "wild.jump": 2.2,
    "wild.jump-module": 1.0,
    "wild.not-executable": 2.5,
    "wild.uninitialised": 2.5,
    "wild.kmsan": 2.5,
    "wild.small-loaded": 3.0,
    "wild.filling": 2.4,
    "wild.just-below-zero": 1.8,
    "wild.fresh": 0.8,
    "wild.truncated": 1.0,
    "wild.user-half": 1.0,
    "wild.invalid-code": 1.2,
    "wild.struct-page": 0.8,
    "wild.plain": 1.4,
    "wild.unseen": 0.5,
    "wild.valid-address": -2.0,
    "wild.dump-nothing": 1.0,
    "wild.dump-owner": 0.5,
    "wild.dump-freed": -1.0,
    # user pointer
    "user.headline": 3.0,
    "user.protection": 3.2,
    "user.sanitizer": 2.5,
    "user.unmapped": 0.4,
    "user.refused": 1.2,
    "user.area": 0.8,
    "user.text": -2.0,
    "user.mapped": 3.0,
    # write to constant memory
    "constant.headline": 4.0,
    "constant.protection": 3.5,
    "constant.image": 3.0,
    "constant.module": 1.6,
    # stack
    "stack.guard": 4.5,
    "stack.overran": 4.5,
    "stack.end-magic": 4.0,
    "stack.overflow-words": 4.5,
    "stack.double-fault": 2.0,
    "stack.near-pointer": 2.0,
    "stack.outside": 3.6,
    "stack.recursion": 1.5,
    "stack.neighbour": 4.5,
    "stack.trampled": 2.4,
    "stack.dump-guard": 2.5,
    # lists
    "list.check": 3.5,
    "list.poison": 3.2,
    "list.bug": 3.0,
    # page tables
    "table.reserved": 3.5,
    "table.bad-map": 3.2,
    "table.corrupted": 3.5,
    "table.counter": 2.5,
    "table.code": 1.8,
    "table.bad-page": 0.8,
    "table.freed-in-use": 1.2,
    "table.swap-entry": 3.0,
    # module does not fit
    "api.symbol-version": 3.0,
    "api.version-magic": 3.0,
    "api.unknown-symbol": 2.5,
    "api.forced": 3.0,
    "api.indirect-branch": 2.8,
    "api.layout": 2.8,
    "api.privileged": 3.6,
    "api.return-thunk": 3.6,
    "api.field": 4.0,
    "api.flexible-array": 2.0,
    "api.whitelist": 4.4,
    "api.copied-pages": 4.4,
    "api.fact-vermagic": 3.0,
    "api.fact-srcversion": 0.8,
    "api.fact-checksums": 2.5,
    "api.fact-build": 0.5,
    # logic
    "logic.bug": 2.3,
    "logic.divide": 3.5,
    "logic.instruction": 2.2,
    "logic.trap": 2.2,
    "logic.warning": 1.1,
    "logic.arithmetic": 3.2,
    "logic.race": 2.8,
    "logic.leak": 2.5,
    "logic.unpowered": 3.6,
    "logic.rcu": 2.2,
    "logic.panic": 1.0,
    "logic.information": 0.3,
    "logic.key": 2.0,
    "logic.misuse": 2.0,
    # hangs
    "hang.lockup": 3.8,
    "hang.stall": 3.6,
    "hang.task": 3.5,
    "hang.atomic": 3.2,
    "hang.deadlock": 3.0,
    "hang.spinlock": 3.0,
    "hang.device": 1.5,
    "hang.panic": 3.5,
    # memory
    "oom.kill": 4.0,
    "oom.kernels-own": 0.5,
    "oom.panic": 4.0,
    "oom.allocation": 1.8,
    # hardware
    "hard.machine-check": 4.0,
    "hard.event": 3.2,
    "hard.before": 2.0,
    "hard.taint": 2.0,
    "hard.bit-flip": 3.4,
    "hard.one-bit": 2.0,
    "hard.high-bit": 5.0,
    "hard.impossible-bit": 5.2,
    "hard.entry-bit": 4.6,
    "hard.null-bit": 3.2,
    "hard.poison-bit": 4.6,
    "hard.poison-decrement": 2.6,
    "hard.single-bit": 4.0,
    "hard.firmware": 3.0,
    "hard.external-abort": 3.5,
    "hard.refused": 3.8,
    "hard.no-division": 6.0,
    "hard.store": 1.2,
    "hard.unrelated": 1.5,
    "hard.unrelated-boots": 3.6,
    "hard.same-place": -2.0,
    "hard.one-processor": 5.8,
    "hard.specification": 0.4,
    "hard.virtual": -2.5,
    "hard.memtest-failed": 4.0,
    "hard.text-bit": 4.0,
    "hard.memtest-passed": -0.8,
    "hard.io-wait": 1.7,
    "hard.reserved": 1.0,
    "hard.bad-map": 1.0,
    # user space
    "space.segfault": 4.5,
    "space.init": 2.0,
    "space.boot": 2.5,
    "space.told": 0.6,
    # the source
    "checker.pattern": 1.5,
    # no fault
    "none.sysrq": 6.5,
    "none.words": 2.5,
    "none.reboot": 0.6,
}
