"""The files whose debug information has the lines of a kernel and of its modules.

They are looked for where distributions and the tool `line-symbols` put them
(`tools/dump/vmlinux.py`, `tools/scripts/find_debug_files.sh`), and where debuginfod keeps what it
has fetched (debuginfod-find(1), "FILES"). Nothing is fetched here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from pagefault_doctor.files.home_folder import NoHomeError, user_folder
from pagefault_doctor.klog.frame_places import KernelNamed
from pagefault_doctor.symbols.code_lines import CodeLines
from pagefault_doctor.symbols.compressed_module import Unpack
from pagefault_doctor.symbols.debug_file import DEBUG_ROOTS, find_debug_file, has_debug_info
from pagefault_doctor.symbols.file_search import Tell
from pagefault_doctor.symbols.module_file import (
    elf_build_id,
    elf_errors,
    module_files,
    open_module,
    unreadable,
)
from pagefault_doctor.tools.arguments import is_release
from pagefault_doctor.tools.dump.vmlinux import PATHS

_MODULE_FOLDERS: Final = (
    "usr/lib/debug/lib/modules/{}",
    "usr/lib/debug/usr/lib/modules/{}",
    "lib/modules/{}",
)
"""Folders of modules below a root; {} is the release."""
_MAX_OPEN: Final = 16
"""Files that are open at once."""
_MAX_FILES: Final = 1000
"""Kernels and modules that are looked for: a log can name any number."""


class MissingFile(NamedTuple):
    """A module, or a kernel, whose lines are not known.

    `problem` is what is wrong with the file that is there, or empty.
    """

    kernel: KernelNamed | None
    module: str | None
    problem: str = ""


class LineFiles:
    """Finds, opens and keeps the files with debug information.

    `vmlinux` and `module_dir` are those that the person names; `tell` gets what could not be read.
    """

    def __init__(
        self,
        vmlinux: Path | None = None,
        module_dir: Path | None = None,
        unpack: Unpack | None = None,
        tell: Tell = lambda _: None,
    ) -> None:
        self._vmlinux, self._module_dir = vmlinux, module_dir
        self._unpack, self._tell = unpack, tell
        self._found: dict[tuple[KernelNamed | None, str | None, str | None], Path | MissingFile]
        self._found = {}
        self._open: dict[Path, tuple[CodeLines, ExitStack]] = {}
        self._modules: dict[Path, dict[str, Path]] = {}
        self._roots = (Path("/"), *_cached_trees())

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._close_oldest()

    def lines(
        self, kernel: KernelNamed | None, module: str | None, build_id: str | None
    ) -> CodeLines | MissingFile:
        """Return the lines of a module, or of the kernel's own code without one."""
        wanted = kernel, module, build_id
        if wanted not in self._found:
            if len(self._found) >= _MAX_FILES:
                return MissingFile(kernel, module, "the log names too many kernels and modules")
            self._found[wanted] = self._find(*wanted)
        found = self._found[wanted]
        if isinstance(found, MissingFile):
            return found
        try:
            return self._opened(found)
        except elf_errors() as error:
            return MissingFile(kernel, module, unreadable(found, error))

    def _find(
        self, kernel: KernelNamed | None, module: str | None, build_id: str | None
    ) -> Path | MissingFile:
        if module is None:
            build_id = kernel.build_id if kernel else None
        problem = ""
        for path in self._candidates(kernel, module, build_id):
            try:
                found, reason = self._with_debug_info(path, build_id)
            except elf_errors() as error:
                reason, found = unreadable(path, error), None
                self._tell(reason)
            if found:
                return found
            problem = problem or reason
        return MissingFile(kernel, module, problem)

    def _candidates(
        self, kernel: KernelNamed | None, module: str | None, build_id: str | None
    ) -> Iterator[Path]:
        places = (
            self._vmlinux_places(kernel) if module is None else self._module_places(kernel, module)
        )
        yield from (path for path in places if path.is_file())
        if build_id:
            yield from (path for path in _by_build_id(build_id) if path.is_file())

    def _vmlinux_places(self, kernel: KernelNamed | None) -> Iterator[Path]:
        if self._vmlinux:
            yield self._vmlinux
        elif kernel and is_release(kernel.release):
            for root in self._roots:
                yield from (root / place.format(kernel.release).lstrip("/") for place in PATHS)

    def _module_places(self, kernel: KernelNamed | None, module: str) -> Iterator[Path]:
        folders = [self._module_dir] if self._module_dir else []
        if kernel and is_release(kernel.release):
            folders += [
                root / place.format(kernel.release)
                for root in self._roots
                for place in _MODULE_FOLDERS
            ]
        for folder in folders:
            if folder not in self._modules:
                is_there = folder.is_dir()
                self._modules[folder] = module_files(folder, self._tell) if is_there else {}
            if path := self._modules[folder].get(module.replace("-", "_")):
                yield path

    def _with_debug_info(self, path: Path, build_id: str | None) -> tuple[Path | None, str]:
        """Return the file with the debug information of another, or why there is none."""
        with open_module(path, self._unpack) as elf:
            own = elf_build_id(elf)
            if build_id and own and not own.startswith(build_id):
                return None, f"{path} is of another build"
            if has_debug_info(elf):
                return path, ""
            separate = find_debug_file(path, elf, self._module_dir or path.parent, self._tell)
            return separate, f"{path} has no debug information"

    def _opened(self, path: Path) -> CodeLines:
        if path not in self._open:
            if len(self._open) >= _MAX_OPEN:
                self._close_oldest()
            stack = ExitStack()
            self._open[path] = (
                CodeLines(path, stack.enter_context(open_module(path, self._unpack))),
                stack,
            )
        opened = self._open.pop(path)
        self._open[path] = opened
        return opened[0]

    def _close_oldest(self) -> None:
        _, stack = self._open.pop(next(iter(self._open)))
        stack.close()


def _cached_trees() -> list[Path]:
    """Return the debug packages that were fetched for this user."""
    try:
        cache = user_folder("XDG_CACHE_HOME", ".cache") / "pfdoctor" / "debug"
        # What somebody else may have put there is not used.
        if any(folder.stat().st_uid != os.geteuid() for folder in (cache, cache.parent)):
            return []
        return sorted(path for path in cache.iterdir() if path.name[:1] != ".")
    except (NoHomeError, OSError):
        return []


def _by_build_id(build_id: str) -> Iterator[Path]:
    for root in DEBUG_ROOTS:
        yield root / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"
    try:
        cache = user_folder("XDG_CACHE_HOME", ".cache") / "debuginfod_client"
    except NoHomeError:
        return
    yield cache / build_id / "debuginfo"
