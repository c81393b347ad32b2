"""dkms: whether a module was rebuilt for the kernel it runs in."""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.case import Case, ToolReading
from pagefault_doctor.model.command import Command, Result
from pagefault_doctor.model.fact import Finding, Mark
from pagefault_doctor.model.pattern import regex
from pagefault_doctor.tools.arguments import other_kernel_warning, reported_release
from pagefault_doctor.tools.module.module_name import kernel_name
from pagefault_doctor.tools.permission import answered
from pagefault_doctor.tools.tool import Tool, fact, finding, known_programs, remark

_ROW = regex(
    r"(?P<package>[^\s,/:]+)(?:/|, )(?P<version>[^\s,/:]+)"
    r"(?:, (?P<kernel>[^\s,]+), (?P<machine>[^\s,:]+))?: (?P<status>[a-z-]+)(?P<rest>.*)"
)


class DkmsModule(msgspec.Struct, frozen=True):
    """A line of `dkms status`, in the form of dkms 2 (`name, version`) or 3 (`name/version`)."""

    package: str
    version: str
    kernel: str | None
    status: str
    warning: str
    line: int


def rows(output: str) -> list[DkmsModule]:
    """Return the rows of `dkms status`, one for each package and kernel."""
    matches = ((n, _ROW.fullmatch(s.strip())) for n, s in enumerate(output.splitlines(), 1))
    return [
        DkmsModule(m["package"], m["version"], m["kernel"], m["status"], m["rest"].strip(" ()"), n)
        for n, m in matches
        if m
    ]


def _is_package_of(package: str, module: str) -> bool:
    """Return whether a package is named after a module: `nvidia-current` contains `nvidia`."""
    package, module = kernel_name(package), kernel_name(module)
    return package == module or package.startswith(f"{module}_") or module.startswith(f"{package}_")


def _plan(case: Case) -> Command | None:
    programs = known_programs(case)
    absent = programs is not None and "dkms" not in programs
    if absent or case.suspect is None or case.done("dkms"):
        return None
    why = "see whether the module was rebuilt for the kernel it runs in"
    return Command(argv=("dkms", "status"), tool="dkms", why=why)


def _read(result: Result, case: Case) -> ToolReading:
    suspect = case.suspect or ""
    suspect_rows = [row for row in rows(result.output) if _is_package_of(row.package, suspect)]
    if not suspect_rows:
        text = f"dkms keeps no module {suspect}" if suspect else "dkms keeps nothing of the case"
        return remark(text, result)
    kernel = reported_release(case) or case.get("host.kernel", "")
    row = next((row for row in suspect_rows if row.kernel == kernel), None)
    status = row.status if row else "not built"
    shown = row or suspect_rows[0]
    package = f"{shown.package}/{shown.version}"
    return ToolReading(
        facts=(
            fact("module.dkms", status, result, shown.line),
            fact("module.dkms_package", package, result, shown.line),
        ),
        findings=(
            *other_kernel_warning(case, result),
            *_status_findings(suspect_rows, row, kernel, result),
            *(_mismatch_findings(row, case, result) if row else ()),
        ),
    )


def _mismatch_findings(row: DkmsModule, case: Case, result: Result) -> tuple[Finding, ...]:
    """Return a finding if dkms reports the module installed but its file does not fit."""
    fits = case.get("module.vermagic_fits", True) and case.get("module.crcs_fit", True)
    if fits or row.status != "installed":
        return ()
    name = f"{row.package}/{row.version}"
    text = (
        f"dkms calls {name} installed, and the file does not fit this kernel: "
        f"dkms remove {name} -k {row.kernel}, then dkms install {name} -k {row.kernel}"
    )
    return (finding(text, Mark.BAD, result, row.line),)


def _status_findings(
    suspect_rows: list[DkmsModule], row: DkmsModule | None, kernel: str, result: Result
) -> list[Finding]:
    package = suspect_rows[0].package
    if row is None:
        kernels = ", ".join(row.kernel for row in suspect_rows if row.kernel) or "no kernel at all"
        text = f"dkms built {package} for {kernels}, not for {kernel or 'a kernel known here'}"
        return [finding(text, Mark.BAD if kernel else Mark.NEUTRAL, result, suspect_rows[0].line)]
    text = (
        f"dkms says {package} is {row.status} for {kernel}; "
        "that alone does not prove the file fits, vermagic does"
    )
    findings = [finding(text, Mark.NEUTRAL, result, row.line)]
    if row.warning:
        findings.append(finding(f"dkms warns: {row.warning}", Mark.BAD, result, row.line))
    return findings


TOOL: Final = Tool(
    id="dkms",
    of_box=True,
    purpose="checks whether a module was rebuilt for this kernel",
    programs=("dkms",),
    package={"": "dkms"},
    facts=("module.dkms", "module.dkms_package"),
    plan=_plan,
    read=answered(_read),
    by_hand="Look for the module's sources under /var/lib/dkms, one folder for each kernel.",
)
