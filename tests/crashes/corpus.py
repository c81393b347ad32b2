"""The logs of the seeds' crashes: one archive for each kernel, and how an answer is judged."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from pagefault_doctor import klog
from pagefault_doctor.diagnosis import diagnose
from pagefault_doctor.model.diagnosis import RootCause

LOGS: Final = Path(__file__).parent / "logs"
"""Where ARCH-VERSION.tar.xz lie: NAME.log and NAME.json of each case."""

_SURE: Final = 0.9

_SILENCE: Final[dict[str, Any]] = {
    "root_cause_class": "none",
    "root_cause_also": (),
    "attribution": "none",
    "attribution_also": (),
    "module": None,
    "module_also": (),
    "function": None,
    "function_also": (),
}
"""The truth of a log in which the kernel says nothing of a fault."""

_VARIANT: Final = re.compile(r"\.(?:isra|part|constprop|cold)\b.*")
"""What gcc adds to the name of a function that it changed."""


class Case(msgspec.Struct, frozen=True):
    """One crash: its kernel as in the name of the archive, its log, and its truth (README.md)."""

    kernel: str
    name: str
    log: bytes
    expected: dict[str, Any]
    made: dict[str, Any]

    @property
    def arch(self) -> str:
        """The architecture, as reports name it."""
        return self.kernel.rpartition("-")[0]

    @property
    def cause(self) -> str:
        """The planted cause, also where the fault did not show."""
        return str(self.made["seed"]).partition("/")[0]


class Judged(msgspec.Struct, frozen=True):
    """What is right in an answer; None is not asked for.

    `spoken` is false for a fault that is called none. `sure` is whether it was said with 90 % or
    more. `said` is the answer, for people.
    """

    detected: bool | None
    cause: bool
    who: bool
    module: bool
    function: bool | None
    spoken: bool | None
    sure: bool
    said: str


def kernels(logs: Path = LOGS) -> tuple[str, ...]:
    """Return the names of the archives, without the end."""
    return tuple(sorted(path.name.removesuffix(".tar.xz") for path in logs.glob("*.tar.xz")))


def cases(kernel: str, logs: Path = LOGS) -> Iterator[Case]:
    """Yield the cases of a kernel, by name."""
    with tarfile.open(logs / f"{kernel}.tar.xz") as archive:
        files = {m.name: _contents(archive, m) for m in archive if m.isfile()}
    for name in sorted(name.removesuffix(".json") for name in files if name.endswith(".json")):
        told = json.loads(files[f"{name}.json"])
        yield Case(kernel, name, files[f"{name}.log"], told["expected"], told["made"])


def pack(folder: Path, names: list[str], target: Path) -> None:
    """Write logs and truths out of a folder into an archive that depends on nothing else."""
    with tarfile.open(target, "w:xz", preset=9) as archive:
        # Logs of one kernel are alike: one behind another they compress best.
        for file in (f"{name}.{end}" for end in ("log", "json") for name in sorted(names)):
            info, data = tarfile.TarInfo(file), (folder / file).read_bytes()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def judge(case: Case) -> Judged:
    """Return what is right in pfdoctor's answer to a case."""
    log = klog.read(case.log, case.name)
    opinion = diagnose((log,), {})
    verdict = opinion.verdict
    report = None if opinion.report is None else log.reports[opinion.report]
    function = _VARIANT.sub("", report.function or "") if report else ""
    want = _SILENCE if case.made["silent"] else case.expected
    causes = _answers(want, "root_cause_class", "root_cause_also")
    functions = _answers(want, "function", "function_also")
    is_fault = verdict.root_cause != RootCause.NONE
    words = (verdict.root_cause, verdict.attribution, verdict.module, function)
    return Judged(
        detected=None if RootCause.NONE in causes else is_fault or report is not None,
        cause=verdict.root_cause in causes,
        who=verdict.attribution in _answers(want, "attribution", "attribution_also"),
        module=verdict.module in _answers(want, "module", "module_also"),
        function=function in functions if want["function"] else None,
        spoken=None if RootCause.NONE in causes else is_fault,
        sure=verdict.confidence >= _SURE,
        said=f"{' '.join(map(str, words))} {100 * verdict.confidence:.0f} %",
    )


def _answers(want: dict[str, Any], first: str, also: str) -> set[str | None]:
    return {want[first], *want[also]}


def _contents(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    assert stream
    return stream.read()
