"""Triggers that a report suggests: what to do in a guest, where the suspect was just loaded.

A report shows what was being done: the functions of its trace and the program. What the module's
files are called, the log does not tell, but its source does.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from pagefault_doctor.model.fence import fenced
from pagefault_doctor.model.report import LOADERS, Kind, Report
from pagefault_doctor.model.untrusted import clean_line
from pagefault_doctor.tools.reproduce.file_trigger import Draft, path_of, use, write_line
from pagefault_doctor.tools.reproduce.source_names import SourceNames
from pagefault_doctor.tools.reproduce.trigger_rules import (
    AFTER_UNLOAD,
    OF_ALL_PROGRAMS,
    OF_LOADING,
    RULES,
    WAIT,
    TriggerRule,
    unload,
)
from pagefault_doctor.tools.reproduce.trigger_scene import Scene


class ProposedTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """Command lines that may cause the fault again, none where loading the module is enough.

    `because` says in a sentence what they rest on, `line` is its line of the log. If they are not
    complete, a word in capitals stands for what the person has to fill in.
    """

    commands: tuple[str, ...]
    because: str
    line: int
    is_complete: bool = True


_MOST: Final = 5
_LOADERS: Final = frozenset(
    (*LOADERS, "(udev-worker)", "systemd-udevd", "udevd", "systemd-modules", "kmod")
)
_OF_THE_KERNEL: Final = ("kworker/", "swapper/", "ksoftirqd/", "rcu_", "irq/")
"""How the names of tasks begin that do what was left to do, or nothing."""


def proposed_triggers(
    report: Report, suspect: str | None, in_source: SourceNames | None = None
) -> tuple[ProposedTrigger, ...]:
    """Return what may cause the fault again, the likeliest first; none where nothing tells."""
    return fenced(lambda _: (), _proposed, report, suspect, in_source or SourceNames())


def _proposed(
    report: Report, suspect: str | None, in_source: SourceNames
) -> tuple[ProposedTrigger, ...]:
    scene = Scene(report, suspect, in_source)
    found = dict[tuple[str, ...], ProposedTrigger]()
    for trigger in _all(scene):
        found.setdefault(trigger.commands, trigger)
    return tuple(found.values())[:_MOST]


def _all(scene: Scene) -> Iterator[ProposedTrigger]:
    if scene.report.kind is Kind.OOM_KILL:
        yield from _memory_filled(scene)
        return
    then = tuple(_by_trace(scene)) or tuple(_by_program(scene))
    if freer := _freed_by_suspect(scene):
        yield from _freed_first(scene, freer, then)
    yield from then


# What ran out, and what was freed before, is not in the trace.


def _memory_filled(scene: Scene) -> Iterator[ProposedTrigger]:
    writable = [file for file in scene.files if "write" in file.handlers]
    cache = clean_line(scene.report.details.get("largest_cache", ""))
    told = f"Most memory was in objects of {cache}" if cache else f"Memory ran out{_of(scene)}"
    for file in writable if scene.suspect else ():
        for draft in islice(use(scene, file, "write", None), 1):
            because = f"{told}; a program can write to {file.name}."
            yield _because(draft, because, scene.report.line_of("largest_cache", "headline"))


def _freed_by_suspect(scene: Scene) -> str:
    """Return the function of the suspect that freed the object which another one met."""
    details = scene.report.details
    freer = details.get("freed_by", "").partition(".")[0]
    is_own = scene.suspect is not None and details.get("freed_module") == scene.suspect
    modules = {frame.module for frame in scene.report.frames if frame.reliable}
    return freer if is_own and scene.suspect not in modules else ""


def _freed_first(
    scene: Scene, freer: str, then: tuple[ProposedTrigger, ...]
) -> Iterator[ProposedTrigger]:
    """Yield what lets the suspect free the object, then what met it in the report."""
    after = then[0] if then else None
    told = f"{clean_line(freer)} of {scene.suspect} had freed the object"
    writable = [file for file in scene.files if "write" in file.handlers]
    drafts = [
        Draft((write_line(value, path_of(scene, file, None)), "sleep 1"))
        for file in writable
        for value in (*scene.removals(file), "0")
    ]
    for draft in (*drafts, unload(scene, "sleep 1")):
        whole = (*draft.commands, *(after.commands if after else ()))
        is_complete = draft.is_complete and (after is None or after.is_complete)
        because = f"{told}. {after.because}" if after else f"{told}{_of(scene)}."
        line = scene.report.line_of("freed_in", "freed_by")
        yield _because(Draft(whole, is_complete), because, line)


# What the trace shows.


def _by_trace(scene: Scene) -> Iterator[ProposedTrigger]:
    if scene.suspect and scene.report.last_unloaded == scene.suspect and not _is_in_trace(scene):
        draft = unload(scene, AFTER_UNLOAD)
        told = f"{scene.suspect} was unloaded last, and code that is gone ran{_of(scene)}."
        yield _because(draft, told, scene.report.line_of("last_unloaded", "modules"))
    rules = (*RULES, *OF_ALL_PROGRAMS) if scene.suspect else RULES
    for found in (_by_rule(scene, OF_LOADING), _by_handler(scene), _by_rule(scene, rules)):
        if triggers := tuple(found):
            yield from triggers
            return


def _by_rule(scene: Scene, rules: tuple[TriggerRule, ...]) -> Iterator[ProposedTrigger]:
    """Yield what the rule makes that the function fits which is nearest to the fault."""
    for function in scene.functions:
        if rule := next((rule for rule in rules if rule.fits(function, scene.suspect)), None):
            for draft in rule.make(scene):
                yield _trigger(scene, draft, function, rule.shows)
            return


def _is_in_trace(scene: Scene) -> bool:
    modules = {frame.module for frame in scene.report.frames if frame.reliable}
    return scene.suspect in modules or scene.report.module == scene.suspect


def _by_handler(scene: Scene) -> Iterator[ProposedTrigger]:
    """Yield what uses a file whose handler, by the source, is in the trace."""
    for file, doing, function in scene.handled():
        told = f"by the source it runs when a program {_DOING.get(doing, 'uses')} {file.name}"
        for draft in use(scene, file, doing, file.place):
            yield _trigger(scene, draft, function, told)


_DOING: Final = {
    "read": "reads",
    "write": "writes to",
    "open": "opens",
    "release": "closes",
    "flush": "closes",
    "mmap": "maps",
    "poll": "waits for",
    "ioctl": "controls",
}


def _trigger(scene: Scene, draft: Draft, function: str, shows: str) -> ProposedTrigger:
    """Return the trigger of a draft that rests on a function of the trace."""
    told = f"{clean_line(function)} is in the trace{_of(scene)}: {shows}."
    return _because(draft, told, scene.functions.get(function, scene.report.line_of("trace")))


def _because(draft: Draft, because: str, line: int) -> ProposedTrigger:
    return ProposedTrigger(
        commands=draft.commands, because=because, line=line, is_complete=draft.is_complete
    )


def _of(scene: Scene) -> str:
    return f" (Comm: {scene.comm})" if scene.comm else ""


# What the program alone shows.


def _by_program(scene: Scene) -> Iterator[ProposedTrigger]:
    line = scene.report.line_of("process", "trace")
    if scene.comm in _LOADERS:
        unloads = scene.comm == "rmmod"
        draft = unload(scene, AFTER_UNLOAD) if unloads else Draft(())
        verb = "unloads" if unloads else "loads"
        yield _because(draft, f"Comm is {scene.comm}, which {verb} modules.", line)
    elif scene.suspect and scene.comm.startswith(_OF_THE_KERNEL):
        yield _because(Draft((WAIT,)), f"Comm is {scene.comm}, a task of the kernel.", line)
    elif command := _TOOLS.get(scene.comm):
        complete = not any(word.isupper() and len(word) > 2 for word in _words(command))
        told = f"Comm is {scene.comm}; the log does not tell what it used."
        yield _because(Draft((command,), complete), told, line)


def _words(line: str) -> list[str]:
    return line.replace("/", " ").split()


_TOOLS: Final = {
    "cat": "cat /FOLDER/FILE",
    "head": "head -c 16 /FOLDER/FILE",
    "tail": "tail -c 16 /FOLDER/FILE",
    "od": "od -N 16 /FOLDER/FILE",
    "hexdump": "od -N 16 /FOLDER/FILE",
    "xxd": "od -N 16 /FOLDER/FILE",
    "dd": "busybox dd if=/FOLDER/FILE of=/dev/null bs=512 count=1",
    "cp": "cp /etc/hostname /FOLDER/FILE",
    "tee": "echo 1 > /FOLDER/FILE",
    "echo": "echo 1 > /FOLDER/FILE",
    "ls": "ls -l /FOLDER",
    "find": "find /FOLDER",
    "mount": "mount -t TYPE DEVICE /tmp",
    "umount": "umount /FOLDER",
    "ip": "ip link set DEVICE up",
    "ifconfig": "ip link set DEVICE up",
    "ping": "ping -c 3 ADDRESS",
    "sysctl": "sysctl NAME=VALUE",
}
"""What does again what a program of that name did; words in capitals are to be filled in."""
