"""What makes the lab machine fault: a module, built for it, or an injected hardware event."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from pagefault_doctor.lab import initramfs, module
from pagefault_doctor.lab.stock import DEFAULT_STOCK, Stock, release_of
from pagefault_doctor.lab.temp_folder import write_file
from pagefault_doctor.model.errors import UsageError
from pagefault_doctor.model.scenario import Scenario


class LabTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the lab machine fault.

    `modules` are inserted in this order, then `trigger` (argument lists) runs, and the events of
    `inject` happen to its hardware. Without a module, `suspect` and `source` are empty. `suspect`
    is the module that a trial loads itself; the others are loaded at each boot. `source` is the
    source folder as a path of the lab machine, and `places` maps its paths to local paths.
    """

    kernel: Path
    stock: Stock = DEFAULT_STOCK
    modules: tuple[module.Module, ...] = ()
    suspect: str = ""
    source: str = ""
    places: dict[str, Path] = {}
    trigger: tuple[tuple[str, ...], ...] = ()
    kernel_args: tuple[str, ...] = ()
    inject: tuple[str, ...] = ()


def build_target(
    source: Path,
    folder: Path,
    *,
    kernel: Path,
    stock: Stock = DEFAULT_STOCK,
    suspect: str | None = None,
    seen_as: str | None = None,
    trigger: tuple[tuple[str, ...], ...] = (),
    kernel_args: tuple[str, ...] = (),
) -> LabTarget:
    """Return the target with the modules built from `source`, in the new `folder`.

    If the lab machine has the source at another path, `seen_as`, the person edits the copy in
    `folder`, else `source` itself. Raises PfDoctorError if the build fails.
    """
    release = release_of(kernel)
    copy = folder / "source"
    built = module.build(source, release, copy, Path(seen_as) if seen_as else None, stock)
    names = [built_module.name for built_module in built]
    if suspect is not None and suspect not in names:
        raise UsageError(f"{source} gives no module {suspect}", f"it gives {', '.join(names)}")
    places = {}
    for built_module in built:
        installed = initramfs.module_path(release, built_module.name)
        places[installed] = folder / f"{built_module.name}.ko"
        write_file(places[installed], built_module.data)
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


def scenario_target(
    scenario: Scenario, home: Path, folder: Path, kernel: Path, stock: Stock = DEFAULT_STOCK
) -> LabTarget:
    """Return the target of a scenario with its files in `home`.

    Raises UsageError if the scenario cannot run in the lab.
    """
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
    return build_target(
        source,
        folder,
        kernel=kernel,
        stock=stock,
        suspect=scenario.module,
        seen_as=scenario.given["source_dir"],
        trigger=trigger,
        kernel_args=scenario.kernel_args,
    )
