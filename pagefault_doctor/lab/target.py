"""What makes the box of a case ill: its module, built and laid out for a lab host, or an event."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from pagefault_doctor.lab import initramfs, module
from pagefault_doctor.lab.machine import USUAL, Stock, release_of
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.scenario import Scenario


class LabTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the box ill.

    `modules` go in, in this order, `trigger` (argument lists) is run after, and the events of
    `inject` happen to its hardware. There may be no module: then `suspect` and `source` are empty.
    `suspect` is the one that a trial loads by itself; the others are loaded at each boot. `source`
    is the folder of its source as the box has it, and `places` says where the box's paths are on
    this machine.
    """

    kernel: Path
    stock: Stock = USUAL
    modules: tuple[module.Module, ...] = ()
    suspect: str = ""
    source: str = ""
    places: dict[str, Path] = {}
    trigger: tuple[tuple[str, ...], ...] = ()
    kernel_args: tuple[str, ...] = ()
    inject: tuple[str, ...] = ()


def bring(
    source: Path,
    folder: Path,
    *,
    kernel: Path,
    stock: Stock = USUAL,
    suspect: str | None = None,
    seen_as: str | None = None,
    trigger: tuple[tuple[str, ...], ...] = (),
    kernel_args: tuple[str, ...] = (),
) -> LabTarget:
    """Return the patient whose module is built from `source`, in the new `folder`.

    Where the box has the source as another path, `seen_as`, the person works on the copy in
    `folder`, else on `source` itself. Raises PfDoctorError where it cannot be built.
    """
    release = release_of(kernel)
    copy = folder / "source"
    built = module.build(source, release, copy, Path(seen_as) if seen_as else None, stock)
    names = [each.name for each in built]
    if suspect is not None and suspect not in names:
        raise UsageError(f"{source} gives no module {suspect}", f"it gives {', '.join(names)}")
    places = {}
    for each in built:
        installed = initramfs.module_path(release, each.name)
        places[installed] = folder / f"{each.name}.ko"
        places[installed].write_bytes(each.data)
    if seen_as:
        module.clean(copy)
        places[seen_as] = copy
    return LabTarget(
        kernel=kernel,
        stock=stock,
        modules=built,
        suspect=suspect or names[-1],
        source=seen_as or str(source.absolute()),
        places=places,
        trigger=trigger,
        kernel_args=kernel_args,
    )


def of_scenario(
    scenario: Scenario, home: Path, folder: Path, kernel: Path, stock: Stock = USUAL
) -> LabTarget:
    """Return the patient of a scenario whose files are in `home`; raises UsageError for others."""
    trigger = tuple(tuple(shlex.split(line)) for line in scenario.trigger)
    if scenario.module is None and scenario.inject:
        return LabTarget(
            kernel=kernel,
            stock=stock,
            trigger=trigger,
            kernel_args=scenario.kernel_args,
            inject=scenario.inject,
        )
    source = home / "src"
    if scenario.module is None or not source.is_dir():
        raise UsageError(f"{scenario.id} has no module that could run in the lab", "train it as is")
    return bring(
        source,
        folder,
        kernel=kernel,
        stock=stock,
        suspect=scenario.module,
        seen_as=scenario.given["source_dir"],
        trigger=trigger,
        kernel_args=scenario.kernel_args,
    )
