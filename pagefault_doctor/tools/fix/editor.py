"""Open the faulty line in an editor, and show the change."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import partial
from typing import Final

from pagefault_doctor.hosts.program import environment, locate
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result, Risk
from pagefault_doctor.model.fact import Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.fix.kbuild import source_folder
from pagefault_doctor.tools.fix.source import editable_line
from pagefault_doctor.tools.permission import is_refused
from pagefault_doctor.tools.tool import Tool, fact, finding, known_programs, remark

EDITORS: Final = ("nano", "vim", "vi", "emacs", "micro", "ne", "joe")
"""Editors that accept `+LINE FILE`; the easiest to quit comes first."""
_OTHERS: Final = (
    "emacsclient",
    "jed",
    "jmacs",
    "kak",
    "mg",
    "nvim",
    "pico",
    "vim.basic",
    "vim.tiny",
)
"""Further editors that accept it, where a person has chosen one."""
_ADDED = regex(r"^\+(?!\+\+ )", re.MULTILINE)
_REMOVED = regex(r"^-(?!-- )", re.MULTILINE)


def own_editor(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the editor that VISUAL or EDITOR names, with its arguments; empty if none is here.

    It comes from the environment alone: a session, which may be another's, cannot name a program.
    """
    for name in ("VISUAL", "EDITOR"):
        try:
            argv = tuple(shlex.split(environ.get(name, "")))
        except ValueError:
            continue
        if argv and isinstance(locate(Command(argv=argv, tool="edit"), environment()), str):
            return argv
    return ()


def editor_argv(case: Case, own: tuple[str, ...], line: int) -> tuple[str, ...]:
    """Return the words that start the person's own editor, else one that the host has, at a line.

    One that is not known to accept `+LINE` does not get it: it could open a file of that name.
    """
    known = known_programs(case) or ()
    argv = own or (next((name for name in EDITORS if name in known), "vi"),)
    takes_line = argv[0].rpartition("/")[2] in EDITORS + _OTHERS
    return (*argv, f"+{line}") if takes_line else argv


def _plan_edit(own: tuple[str, ...], case: Case) -> Command | Blocked | None:
    location = editable_line(case)
    if location is None:
        folder = source_folder(case)
        remedy = "find the line first (step debug-module), or edit the source by hand"
        no_line = Blocked("the line to edit is not known", remedy)
        return folder if isinstance(folder, Blocked) else no_line
    file, line = location
    done = case.done("edit")
    if not done:
        return _copy(file)
    if is_refused(done[0]) or "cannot" in done[0].errors:
        return Blocked(f"{file} cannot be copied, so it is not edited", "check its permissions")
    return None if len(done) > 1 else _edit(file, line, editor_argv(case, own, line))


def _copy(file: str) -> Command:
    return Command(
        argv=("cp", "-n", file, f"{file}.orig"),
        tool="edit",
        risk=Risk.CHANGE,
        why="keep the source as it was; an older copy is not overwritten",
        undo=f"rm {shlex.quote(file + '.orig')}",
    )


def _edit(file: str, line: int, editor: tuple[str, ...]) -> Command:
    return Command(
        argv=(*editor, file),
        tool="edit",
        risk=Risk.CHANGE,
        interactive=True,
        why="change the source at the line that faulted" if line > 1 else "change the source",
        undo=shlex.join(("mv", f"{file}.orig", file)),
    )


def _read_edit(result: Result, case: Case) -> ToolReading:
    if result.ok:
        return ToolReading()
    what = "could not be copied" if result.command.argv[0] == "cp" else "was not edited"
    if result.command.argv[0] == "cp" and not result.errors.strip():
        return ToolReading()
    return remark(f"The source {what}", result)


def _plan_diff(case: Case) -> Command | None:
    location = editable_line(case)
    if location is None or case.done("diff"):
        return None
    file = location[0]
    return Command(argv=("diff", "-u", f"{file}.orig", file), tool="diff", why="show the change")


def _read_diff(result: Result, case: Case) -> ToolReading:
    if result.exit_code not in (0, 1):
        text = "There is no copy of the source to compare with: it was not edited here"
        return remark(text, result)
    changed = result.exit_code == 1
    facts = (fact("fix.changed", changed, result),)
    if not changed:
        text = "The source is as it was"
        return ToolReading(facts=facts, findings=(finding(text, Mark.NEUTRAL, result),))
    added, removed = len(_ADDED.findall(result.output)), len(_REMOVED.findall(result.output))
    name = result.command.argv[-1].rpartition("/")[2]
    text = f"{name} was changed: {added} lines added, {removed} removed"
    return ToolReading(facts=facts, findings=(finding(text, Mark.GOOD, result),))


def edit_tool(own: tuple[str, ...] = ()) -> Tool:
    """Return the tool `edit`, with the person's own editor where it runs on their machine."""
    return Tool(
        id="edit",
        purpose="opens the source at the faulty line in your editor",
        programs=("cp",),
        package={"": "coreutils"},
        risk=Risk.CHANGE,
        plan=partial(_plan_edit, own),
        read=_read_edit,
        by_hand="Copy the file to FILE.orig, then change it with any editor.",
    )


TOOLS: Final = (
    edit_tool(),
    Tool(
        id="diff",
        purpose="shows what was changed",
        programs=("diff",),
        package={"": "diffutils"},
        facts=("fix.changed",),
        plan=_plan_diff,
        read=_read_diff,
        by_hand="Compare FILE.orig with FILE.",
    ),
)
