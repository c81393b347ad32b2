"""How a fix would be proven: what sees a fault of this kind, and what has to stay silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.diagnosis import RootCause
from pagefault_doctor.model.fact import Finding
from pagefault_doctor.model.known_entry import release as numbers_of
from pagefault_doctor.model.report import Kind
from pagefault_doctor.session.case_notes.subject import Subject

_RENAMED: Final = (6, 8, 0)
"""The release from which on the option is called slab_debug (mm/slub.c)."""
_SLAB: Final = (
    "{slab}=FZPU on the kernel's command line sees this kind of fault on the same kernel, KASAN on"
    " one that is built with it"
)
_CHECKERS: Final = {
    RootCause.NULL_DEREF: "No checker is needed: while the pointer can be NULL, the same trigger"
    " makes {what} fault again",
    RootCause.ERR_PTR: "Make the call fail whose error code was used (fault injection, a missing"
    " device): {what} must then return an error",
    RootCause.USE_AFTER_FREE: _SLAB,
    RootCause.DOUBLE_FREE: _SLAB,
    RootCause.OUT_OF_BOUNDS: _SLAB,
    RootCause.WILD_POINTER: "KASAN sees who writes where it must not; without it only many runs of"
    " {what} prove anything",
    RootCause.LIST_CORRUPTION: "CONFIG_DEBUG_LIST sees the broken list at once, KASAN who used the"
    " freed entry; lockdep whether a lock was missing",
    RootCause.LOGIC_ERROR: "The same input is the proof: {what} must report nothing with it",
    RootCause.PAGE_TABLE: "CONFIG_DEBUG_VM and page_poison=1 see damaged page tables; memtest86+"
    " has to clear the memory first",
    RootCause.STACK_OVERFLOW: "CONFIG_DEBUG_STACK_USAGE tells how much stack the same call leaves",
    RootCause.USER_ACCESS: "Call it with a bad address: {what} must return -EFAULT, and no report"
    " may come",
    RootCause.READONLY_WRITE: "The same write through {what} faults again until it is fixed: no"
    " checker is needed",
    RootCause.API_MISMATCH: "A module that was built for this kernel loads without force, and the"
    " log says nothing of it",
    RootCause.UNKNOWN: "While the cause is not known, only the same work on a kernel with KASAN"
    " proves anything: {what} has to run there, and no report may come",
    RootCause.LOCKUP_HANG: "lockdep (CONFIG_PROVE_LOCKING) names the locks before it hangs",
}
_OF_KIND: Final = {
    Kind.HUNG_TASK: "The hung task check of the same kernel sees it after {seconds} s; lockdep"
    " (CONFIG_PROVE_LOCKING) names the locks before",
    Kind.LOCKUP: "The watchdog of the same kernel sees it after some 20 s of the same load; lockdep"
    " (CONFIG_PROVE_LOCKING) names the locks before",
    Kind.STALL: "The stall check of RCU of the same kernel sees it again under the same load",
    Kind.ATOMIC_SLEEP: "CONFIG_DEBUG_ATOMIC_SLEEP, which found it, has to stay silent",
    Kind.LOCKDEP: "lockdep, which found it, has to stay silent with the same calls",
    Kind.STACK_CORRUPTED: "Feed {what} its longest input, then one byte more: the stack protector,"
    " which found it, has to stay silent; KASAN with CONFIG_KASAN_STACK names the buffer",
    Kind.LEAK: "kmemleak, which found it, has to stay silent after a scan",
    Kind.SANITIZER: "The checker that found it has to stay silent over the same calls",
    Kind.REFCOUNT: "The check of the counter that warned has to stay silent; KASAN sees what is"
    " used after it was freed",
}


def proof(subject: Subject) -> Iterator[Finding]:
    """Yield which check shows that a fix works, and for which trigger."""
    report = subject.report
    text = _OF_KIND.get(report.kind) if subject.is_of_kernel else None
    text = text or _CHECKERS.get(subject.cause)
    if text is None:
        return
    numbers = numbers_of(subject.release)
    names = {
        "{slab}": "slab_debug" if numbers and numbers >= _RENAMED else "slub_debug",
        "{what}": subject.situation.function or "the same work",
        "{seconds}": report.details.get("seconds", "120"),
    }
    for name, value in names.items():
        text = text.replace(name, value)
    yield subject.note(f"{text}.", "headline")
