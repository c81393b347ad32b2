"""The state of a loaded module in the running kernel, from /sys/module."""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark, Value
from pagefault_doctor.tools.arguments import other_kernel_warning
from pagefault_doctor.tools.key_value import FirstValues, first_values
from pagefault_doctor.tools.module.modinfo import FactsAndFindings, compare_srcversions
from pagefault_doctor.tools.module.module_name import kernel_name, safe_suspect
from pagefault_doctor.tools.module.taint import MODULE_FLAGS, meaning
from pagefault_doctor.tools.permission import answered
from pagefault_doctor.tools.tool import Tool, fact, finding

_NOTE_HEADER_DIGITS: Final = 32
"""Before the id, the note has three words and the name `GNU`: 16 bytes (elf(5))."""


def _plan(case: Case) -> Command | Blocked | None:
    name = safe_suspect(case)
    if name is None or isinstance(name, Blocked):
        return name
    if case.done("module-state"):
        return None
    show = shell_argv("tools/scripts/module_state.sh", name="module-state")
    why = f"see the state of {name} in the running kernel"
    return Command(argv=(*show, kernel_name(name)), tool="module-state", why=why)


def _read(result: Result, case: Case) -> ToolReading:
    name = case.suspect or "the module"
    warning = other_kernel_warning(case, result)
    first = result.output.partition("\n")[0].strip()
    if first != "present":
        text = f"/sys/module knows no {name}: it is not loaded now"
        absent = (fact("module.loaded", False, result),) if first == "absent" else ()
        return ToolReading(facts=absent, findings=(*warning, finding(text, Mark.NEUTRAL, result)))
    said = first_values(result.output)
    if "initstate" not in said:
        text = f"{name} is built into this kernel, it is not a loaded module"
        return ToolReading(findings=(*warning, finding(text, Mark.NEUTRAL, result)))
    facts, findings = _provenance(said, result)
    more_facts, more_findings = _source(said, result, case)
    return ToolReading(
        facts=(*_plain_facts(said, result), *facts, *more_facts),
        findings=(*warning, _state(name, said, result), *findings, *more_findings),
    )


def _plain_facts(said: FirstValues, result: Result) -> list[Fact]:
    readers: dict[str, tuple[str, type[str] | type[int]]] = {
        "initstate": ("module.initstate", str),
        "srcversion": ("module.srcversion_loaded", str),
        "version": ("module.version", str),
        "refcnt": ("module.refcount", int),
        "btime": ("module.boot_time", int),
    }
    facts = [fact("module.loaded", True, result, 1)]
    for key, (name, kind) in readers.items():
        text, line = said.get(key, ("", 0))
        if text and (kind is str or re.fullmatch(r"-?[0-9]{1,10}", text)):
            value: Value = kind(text)
            facts.append(fact(name, value, result, line))
    note, line = said.get("build-id", ("", 0))
    if re.fullmatch(r"[0-9a-f]{34,160}", note):
        facts.append(fact("module.build_id", note[_NOTE_HEADER_DIGITS:], result, line))
    return facts


def _state(name: str, said: FirstValues, result: Result) -> Finding:
    """Return the finding for initstate: `coming` while init runs, `going` while exit runs."""
    state, line = said["initstate"]
    if state == "coming":
        text = f"{name} is still being loaded: its init function did not come back"
        return finding(text, Mark.BAD, result, line)
    if state == "going":
        text = f"{name} is being unloaded: its exit function did not come back"
        return finding(text, Mark.BAD, result, line)
    return finding(f"{name} is loaded and {state}", Mark.NEUTRAL, result, line)


def _provenance(said: FirstValues, result: Result) -> FactsAndFindings:
    taint, line = said.get("taint", ("", 0))
    facts = [fact(name, letter in taint, result) for letter, name in MODULE_FLAGS.items()]
    if not taint:
        return facts, []
    letters = re.sub(r"[^A-Z]", "", taint)[:20]
    facts.append(fact("module.taint", letters, result, line))
    text = f"It taints the kernel: {', '.join(map(meaning, letters))}"
    return facts, [finding(text, Mark.NEUTRAL, result, line)]


def _source(said: FirstValues, result: Result, case: Case) -> FactsAndFindings:
    loaded, line = said.get("srcversion", ("", 0))
    return compare_srcversions(case.get("module.srcversion", ""), loaded, result, line)


TOOL: Final = Tool(
    id="module-state",
    of_box=True,
    purpose="reads what the running kernel knows of the module",
    programs=("sh",),
    facts=(
        *("module.loaded", "module.initstate", "module.refcount", "module.taint"),
        *("module.srcversion_loaded", "module.srcversion_fits", "module.version"),
        *("module.build_id", "module.boot_time"),
        *MODULE_FLAGS.values(),
    ),
    plan=_plan,
    read=answered(_read),
    by_hand="grep -H . /sys/module/NAME/{initstate,refcnt,taint,srcversion}",
)
