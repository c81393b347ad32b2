"""The bundled playbooks, causes and training scenarios, by their ids.

A name from outside is only compared with the ids that exist, so it cannot lead out of the folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pagefault_doctor.model.errors import MissingError, UsageError
from pagefault_doctor.model.playbook import Cause, Playbook
from pagefault_doctor.model.scenario import Scenario
from pagefault_doctor.playbook import loader
from pagefault_doctor.playbook.folder import CAUSES, folder
from pagefault_doctor.playbook.problem import PlaybookError, nearest

_TABLES = (CAUSES, "next-steps.yaml")
"""Files beside the playbooks that are none."""
_SCENARIO = "scenario.yaml"
_RECORDING = "recording.jsonl"


def playbook_ids() -> tuple[str, ...]:
    """Return the ids of the bundled playbooks, sorted; raises MissingError."""
    names = (name for name in _names_in(folder()) if name not in _TABLES)
    return tuple(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def playbook(playbook_id: str) -> Playbook:
    """Return a bundled playbook; raises UsageError for an unknown id or a broken file."""
    name = _known("playbook", playbook_id, playbook_ids())
    path = folder() / f"{name}.yaml"
    return loader.load(_text(path), path.name)


def step_ids() -> dict[str, tuple[str, ...]]:
    """Return the ids of the steps of each bundled playbook; none for a broken file."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(playbook_ids(), ())
    for name in found:
        with suppress(PlaybookError):
            found[name] = tuple(step.id for step in playbook(name).steps)
    return found


def causes() -> dict[str, Cause]:
    """Return every root cause but `none` by its id; raises PlaybookError for a broken file."""
    return loader.load_causes(_text(folder() / CAUSES), CAUSES)


def scenario_ids() -> tuple[str, ...]:
    """Return the ids of the training scenarios, sorted; raises MissingError."""
    scenarios = folder() / "scenarios"
    return tuple(n for n in _names_in(scenarios) if (scenarios / n / _SCENARIO).is_file())


def scenario_folder(scenario_id: str) -> Path:
    """Return the folder of a scenario, with its module's source; raises UsageError."""
    return folder() / "scenarios" / _known("scenario", scenario_id, scenario_ids())


def scenario(scenario_id: str) -> Scenario:
    """Return a scenario; raises UsageError for an unknown id or a broken file."""
    path = scenario_folder(scenario_id) / _SCENARIO
    text, source = _text(path), f"{scenario_id}/{path.name}"
    return loader.load_scenario(text, source, playbook_ids(), playbook)


def recording_path(scenario_id: str) -> Path:
    """Return the path of a scenario's recording; raises MissingError where it has none."""
    path = scenario_folder(scenario_id) / _RECORDING
    if not path.is_file():
        raise MissingError(f"the scenario {scenario_id} has no recording", "use --live")
    return path


def text_of(name: str) -> str:
    """Return the text of a bundled file of the playbooks' folder; raises MissingError."""
    return _text(folder() / name)


def _names_in(place: Path) -> list[str]:
    # Not Path.glob, for which a folder that cannot be read is an empty one.
    try:
        return sorted(os.listdir(place))
    except OSError as error:
        raise _unreadable(place, error) from error


def _text(path: Path) -> str:
    try:
        return loader.read(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> MissingError:
    return MissingError(f"cannot read {path}: {error.strerror}", "install pagefault-doctor again")


def _known(what: str, name: str, there: Sequence[str]) -> str:
    if name in there:
        return name
    listed = ", ".join(there) or "none"
    hint = nearest(name, there) if there else ""
    remedy = f"there are: {listed}" + (f"; {hint}" if hint.startswith("did") else "")
    raise UsageError(f"there is no {what} {name!r}", remedy)
