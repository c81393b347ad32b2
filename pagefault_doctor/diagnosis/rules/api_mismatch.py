"""A module that does not fit the kernel it is loaded into."""

from __future__ import annotations

from collections.abc import Iterator

from pagefault_doctor.diagnosis.scene import Scene
from pagefault_doctor.model.diagnosis import Evidence
from pagefault_doctor.model.report import Report

_EVENTS = {
    "symbol-version": ("api.symbol-version", "{} disagrees about the version of a symbol"),
    "version-magic": ("api.version-magic", "{} was built for another kernel"),
    "unknown-symbol": ("api.unknown-symbol", "{} needs a symbol that this kernel does not have"),
    "forced": ("api.forced", "{} was loaded by force, without its version information"),
}
_CHECKED_CALLS = ("Missing ENDBR", "CFI failure")


def _events(report: Report, scene: Scene) -> Iterator[Evidence]:
    involved = {report.module, *(frame.module for frame in report.frames if frame.reliable)}
    for event in scene.module_events:
        if event.what in _EVENTS and event.module in involved and event.boot == report.boot:
            key, text = _EVENTS[event.what]
            yield scene.says(key, text.format(event.module), line=event.line)
            return


def _facts(report: Report, scene: Scene) -> Iterator[Evidence]:
    name = scene.fact("suspect.module")
    if not report.module or (name is not None and name.value != report.module):
        return
    magic, source = scene.fact("module.vermagic_fits"), scene.fact("module.srcversion_fits")
    if magic and magic.value is False:
        yield scene.knows(
            "api.fact-vermagic", f"{report.module} was built for another kernel", magic
        )
    # What is in memory now says nothing of a boot before.
    if source and source.value is False and not scene.boots_after:
        text = f"the {report.module} on disk is not the one in memory"
        yield scene.knows("api.fact-srcversion", text, source)


def weigh(report: Report, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether a module does not fit this kernel."""
    yield from _events(report, scene)
    yield from _facts(report, scene)
    found = scene.line_with(*_CHECKED_CALLS)
    if found and report.tainted and "O" in report.tainted:
        text = "a function was called through a pointer that this kernel does not allow"
        yield scene.says("api.indirect-branch", text, line=found)
