"""modinfo: for which kernel a module's file was built, and from which source."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Fact, Finding, Mark
from pagefault_doctor.model.given_input import ANOTHER_MACHINE
from pagefault_doctor.tools.arguments import other_kernel_warning, reported_release
from pagefault_doctor.tools.key_value import FirstValues, first_values
from pagefault_doctor.tools.module.module_name import is_module_name, safe_suspect
from pagefault_doctor.tools.permission import answered
from pagefault_doctor.tools.tool import Tool, fact, finding

_FACTS: Final = {
    "filename": "module.path",
    "vermagic": "module.vermagic",
    "srcversion": "module.srcversion",
    "license": "module.license",
    "depends": "module.depends",
    "signer": "module.signer",
}

_NAME_FOLDER: Final = "name the folder that holds its .ko: --module-dir DIR"


def _fields(output: str) -> FirstValues:
    return first_values(output, ":")


def _targets(case: Case, name: str) -> list[str]:
    """Return the names to try: files in the given folder, then the installed module."""
    # What is installed here is of no use where the case is another machine's.
    installed = [] if case.get("log.of", "") == ANOTHER_MACHINE else [name]
    folder = case.get("given.module_dir", "")
    if not folder.startswith("/"):
        return installed
    spellings = dict.fromkeys((name, name.replace("_", "-"), name.replace("-", "_")))
    return [*(f"{folder.rstrip('/')}/{spelling}.ko" for spelling in spellings), *installed]


def _plan(case: Case) -> Command | Blocked | None:
    name = safe_suspect(case)
    if name is None or isinstance(name, Blocked):
        return name
    done = case.done("modinfo")
    targets = _targets(case, name)
    if any("filename" in _fields(result.output) for result in done):
        return None
    if len(done) >= len(targets):
        return Blocked(f"no file of module {name} is found here", _NAME_FOLDER)
    why = f"see which kernel the file of {name} was built for, and from which source"
    return Command(argv=("modinfo", targets[len(done)]), tool="modinfo", why=why)


def _read(result: Result, case: Case) -> ToolReading:
    said = _fields(result.output)
    target = result.command.argv[-1] if result.command.argv else "?"
    if "filename" not in said:
        return ToolReading(
            findings=(*other_kernel_warning(case, result), _not_found(target, result))
        )
    facts = [fact(_FACTS[k], v, result, n) for k, (v, n) in said.items() if k in _FACTS]
    findings = [*other_kernel_warning(case, result), _file(said, result)]
    for judge in (_vermagic, _srcversion):
        more_facts, more_findings = judge(said, result, case)
        facts += more_facts
        findings += more_findings
    return ToolReading(facts=tuple(facts), findings=tuple(findings))


def _not_found(target: str, result: Result) -> Finding:
    where = "" if is_module_name(target) else " there"
    text = f"No module file {target} is found{where}; {_NAME_FOLDER}, to compare the build"
    return finding(text, Mark.NEUTRAL, result)


def _file(said: FirstValues, result: Result) -> Finding:
    path, line = said["filename"]
    if path == "(builtin)":
        return finding("It is built into the kernel, no module file", Mark.NEUTRAL, result, line)
    signed = f"signed by {said['signer'][0]}" if "signer" in said else "not signed"
    return finding(f"The file is {path}, {signed}", Mark.NEUTRAL, result, line)


FactsAndFindings = tuple[list[Fact], list[Finding]]
"""What one comparison gives: the facts and the findings."""


def _vermagic(said: FirstValues, result: Result, case: Case) -> FactsAndFindings:
    """Compare the release in vermagic with the report's kernel and the one that runs here."""
    if "vermagic" not in said:
        return [], []
    vermagic, line = said["vermagic"]
    built_for, here = vermagic.split()[0], case.get("host.kernel", "")
    reported = reported_release(case)
    if not reported and not here:
        return [], []
    fits = built_for in (reported, here)
    return [fact("module.vermagic_fits", fits, result, line)], [
        finding(*_release_text(built_for, reported or here, here, bool(reported)), result, line)
    ]


def _release_text(built_for: str, wanted: str, here: str, is_reported: bool) -> tuple[str, Mark]:
    whose = "the kernel in the report" if is_reported else "this kernel"
    if built_for == wanted:
        return f"The file is built for {built_for}, {whose}", Mark.GOOD
    text = f"The file is built for {built_for}, but {whose} is {wanted}"
    if built_for == here:
        return f"{text}; it fits the kernel that runs here now", Mark.NEUTRAL
    return text, Mark.BAD


def _srcversion(said: FirstValues, result: Result, case: Case) -> FactsAndFindings:
    on_disk, line = said.get("srcversion", ("", 0))
    return compare_srcversions(on_disk, case.get("module.srcversion_loaded", ""), result, line)


def compare_srcversions(on_disk: str, loaded: str, result: Result, line: int) -> FactsAndFindings:
    """Return whether the loaded module and the file have the same srcversion, if both are known."""
    if not on_disk or not loaded:
        return [], []
    same = on_disk.upper() == loaded.upper()
    if same:
        text = "The module in memory and the file on disk are made of the same source"
    else:
        text = f"The module in memory ({loaded}) is not the file on disk ({on_disk})"
    mark = Mark.GOOD if same else Mark.BAD
    fits = fact("module.srcversion_fits", same, result, line)
    return [fits], [finding(text, mark, result, line)]


TOOL: Final = Tool(
    id="modinfo",
    purpose="reads which kernel a module's file was built for, and from which source",
    programs=("modinfo",),
    package={"": "kmod"},
    facts=(*_FACTS.values(), "module.vermagic_fits", "module.srcversion_fits"),
    plan=_plan,
    read=answered(_read),
    by_hand="strings FILE.ko | grep -E '^(vermagic|srcversion|license|depends)='",
)
