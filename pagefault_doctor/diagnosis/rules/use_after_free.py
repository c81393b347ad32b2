"""Memory, an object or code used after it was freed or unloaded."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis import dump_memory, freelist, poison
from pagefault_doctor.diagnosis.address import AddressClass
from pagefault_doctor.diagnosis.context import Scene
from pagefault_doctor.diagnosis.poison import State
from pagefault_doctor.diagnosis.unloaded_module import (
    data_after_unload,
    unloaded,
    use_after_unload,
)
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Kind, Report

_FREELIST = "freed.freelist-value"
_WORDS = (
    ("held lock freed", "freed.words", "memory was freed that holds a lock in use"),
    ("KASAN: invalid-access", "freed.tag", "a memory tag does not match: freed or out of bounds"),
    ("use-after-free in", "freed.sanitizer", "the sanitizer saw a use after free"),
    ("use-after-free read in", "freed.sanitizer", "KFENCE saw a read after free"),
    ("use-after-free write in", "freed.sanitizer", "KFENCE saw a write after free"),
    ("stack-use-after", "freed.sanitizer", "a variable was used after its function returned"),
    (
        "; use-after-free.",
        "freed.refcount",
        "a reference count was dropped or taken once too often",
    ),
    ("after switching to atomic", "freed.refcount", "a reference count was dropped too often"),
    ("Trying to free free buffer", "freed.refcount", "a buffer was released too often"),
    ("ref_count(page) == 0", "freed.refcount", "a page was used or given back that was free"),
    ("ref_count(folio) == 0", "freed.refcount", "a page was used or given back that was free"),
    ("Poison overwritten", "freed.poison-overwritten", "freed memory was written to"),
    ("ODEBUG: free active", "freed.object-active", "an object was freed while still in use"),
    ("nonzero _refcount", "freed.page-in-use", "a page was freed while still in use"),
    ("nonzero mapcount", "freed.page-in-use", "a page was freed while still mapped"),
    ("file count is 0", "freed.words", "a file was used after its last reference was dropped"),
    ("Busy inodes after unmount", "freed.words", "inodes outlived their file system"),
)


def _count(report: Report, scene: Scene) -> Iterator[Evidence]:
    """Weigh a refcount warning whose own words are missing; a leak is not use after free."""
    if report.kind is Kind.REFCOUNT and not scene.line_with("leaking memory"):
        text = "a reference count is wrong: most often dropped once too often"
        yield scene.says("freed.count", text, "headline")


def _poison(scene: Scene) -> Iterator[Evidence]:
    hit = scene.poison
    if hit and hit.poison.state is State.FREED:
        text = f"the bad pointer is {hit.poison.name} {hit.offset:+#x}: {hit.poison.means}"
        yield scene.says("freed.poison", text, "fault", "registers")
    elif hit and hit.poison.state is State.LIST_DELETED:
        text = f"the bad pointer is {hit.poison.name} {hit.offset:+#x}: {hit.poison.means}"
        yield scene.says("freed.deleted-entry", text, "fault", "registers")
    elif not hit and scene.report.kind in (Kind.GENERAL_PROTECTION, Kind.PAGE_FAULT):
        yield from _poisoned_register(scene)


def _poisoned_register(scene: Scene) -> Iterator[Evidence]:
    for name, value in scene.general():
        found = poison.find(value, scene.bits) if value >> 32 else None
        if found and found.poison.state in (State.FREED, State.LIST_DELETED):
            text = f"{name.upper()} holds {found.poison.name}: {found.poison.means}"
            yield scene.says("freed.poison-register", text, line=scene.register_line(name))
            return


def _unloaded(scene: Scene) -> Iterator[Evidence]:
    gone = use_after_unload(scene)
    if gone:
        text = f"the code that ran is not there any more: {gone.why}"
        yield scene.says("freed.unloaded", text, line=gone.line)
        return
    if lost := data_after_unload(scene):
        text = f"the address was a module's: {lost.why}"
        yield scene.says("freed.module-data", text, line=lost.line)
    elif scene.is_jump and scene.address_class is AddressClass.MODULES:
        text = "the kernel jumped to a part of the modules' area where no code is"
        yield scene.says("freed.module-range", text, "fault")


def _dump(scene: Scene) -> Iterator[Evidence]:
    target, owner = dump_memory.target(scene), dump_memory.owner(scene)
    if target and owner and owner.is_free:
        text = f"the bad pointer {target.address} lies in {owner.text}"
        yield dump_memory.says(scene, "freed.dump-owner", text)
    elif target and target.is_free:
        text = f"{target.address} points to {target.text}"
        yield dump_memory.says(scene, "freed.dump-object", text)
    elif target and owner and owner.state == "live" and target.kind != "modules-area":
        text = f"the bad pointer lies in {owner.text}: not freed, or in use again since"
        yield dump_memory.says(scene, "freed.dump-live", text)
    gone = unloaded(scene) if target and target.kind == "modules-area" else None
    if target and gone:
        text = f"the dump has no module at {target.address} any more: {gone.why}"
        yield dump_memory.says(scene, "freed.dump-no-module", text)
    pending = scene.fact("dump.pending_lost")
    if pending and scene.is_jump:
        text = "a timer or delayed work is due whose code is in no module"
        yield dump_memory.says(scene, "freed.dump-pending", text)


_SECTION_END = 0x1000
"""An init function alone in its section seems as long as the page that it lies in."""


def _init_section(report: Report, scene: Scene) -> bool:
    """Whether code of a module's init section was run after the section had been freed.

    It is freed when the init function returns; up to then the list has the module with `+`.
    """
    listed = next((m for m in report.modules if m.name == report.module), None)
    if listed is None or "+" in listed.flags or report.size != _SECTION_END:
        return False
    return scene.is_jump or scene.line_with("int3") is not None


def weigh(report: Report, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether something was used after it was freed, deleted or unloaded."""
    for phrase, key, text in scene.told(_WORDS):
        found = scene.line_with(phrase)
        if found:
            yield scene.says(key, text, line=found)
            break
    else:
        yield from _count(report, scene)
    yield from _poison(scene)
    yield from _unloaded(scene)
    yield from _dump(scene)
    if _init_section(report, scene):
        text = f"{report.function} is in the init section of {report.module}, which is freed after"
        yield scene.says("freed.init-section", f"{text} loading", "function")
    broken = scene.broken_link
    if broken and broken.is_freed:
        key = "freed.list-value" if poison.find(broken.actual, scene.bits) else _FREELIST
        text = f"the list points to {broken.actual:#x}: {broken.means}"
        yield scene.says(key, text, line=broken.line)
    elif broken and broken.is_deleted:
        text = f"the list points to {broken.actual:#x}: {broken.means}"
        yield scene.says("freed.deleted-entry", text, line=broken.line)
    if freelist.is_broken(scene):
        text = "the allocator's list of free objects is damaged: one was written to after its free"
        yield scene.says("freed.freelist-crash", text, "function", "headline")
    byte = scene.odd_byte
    if byte and byte.is_decrement:
        text = f"{byte.found:#x} is {byte.expected:#x} less one: a counter in freed memory"
        yield scene.says("freed.decrement", text, "first_byte")
