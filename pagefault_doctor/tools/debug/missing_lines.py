"""Which frames of a log have no line, for want of which file, and how to get that file."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from pagefault_doctor.files.regular_file import read_regular
from pagefault_doctor.symbols.in_tree import path_of
from pagefault_doctor.tools.debug.decode_log import LogDecoder
from pagefault_doctor.tools.debug.line_files import MissingFile
from pagefault_doctor.tools.dump.vmlinux import debug_package
from pagefault_doctor.tools.host_info import family_of

_OS_RELEASE: Final = Path("/etc/os-release")
_MAX_BYTES: Final = 1 << 16
_ID: Final = re.compile(r"^(?:ID|ID_LIKE)=[\"']?([^\"'\n]*)", re.MULTILINE)
_MOST_MODULES: Final = 5


def os_family() -> str:
    """Return the family of this machine's distribution (os-release(5)); empty if unknown."""
    with suppress(OSError):
        text = read_regular(_OS_RELEASE, _MAX_BYTES).decode("utf-8", "replace")
        return family_of(_ID.findall(text))
    return ""


def missing_lines(decoder: LogDecoder, family: str) -> str | None:
    """Return in one line what is missing and how it is got, None where nothing is."""
    told = []
    if files := _missing_files(decoder, family):
        left = decoder.frames - decoder.decoded
        told.append(
            f"{left} of {decoder.frames} frames have no line, for want of debug information of "
            + ", and of ".join(files)
        )
    if decoder.is_cut:
        told.append("the log names more places in code than are looked up")
    told += [
        f"{path} is of another build than the log, by the size of {count} functions: lines may be "
        "wrong"
        for path, count in decoder.unfit.items()
    ]
    return "; ".join(told) or None


def _missing_files(decoder: LogDecoder, family: str) -> list[str]:
    wanted = list(decoder.missing)
    modules = [each for each in wanted if each.module]
    packaged = [each for each in modules if _is_packaged(each, decoder)]
    others = [each for each in modules if each not in packaged]
    parts = [_of_kernel(each, family) for each in wanted if each.module is None]
    if packaged and parts:
        parts.append(f"{_names(packaged)} (the same package)")
    elif packaged:
        release = packaged[0].kernel.release if packaged[0].kernel else "the log's kernel"
        parts.append(f"{_names(packaged)} ({debug_package(family, release)})")
    if others:
        remedy = "build it with CONFIG_DEBUG_INFO, and name its folder: --module-dir DIR"
        parts.append(f"{_names(others)} ({remedy})")
    return parts


def _is_packaged(missing: MissingFile, decoder: LogDecoder) -> bool:
    name = missing.module or ""
    return name not in decoder.outside and path_of(name) is not None


def _of_kernel(missing: MissingFile, family: str) -> str:
    if missing.kernel is None:
        return "the kernel, which the log does not name (--vmlinux FILE)"
    what = f"the kernel {missing.kernel.release}"
    if missing.problem:
        return f"{what} ({missing.problem}; name its vmlinux: --vmlinux FILE)"
    return f"{what} ({debug_package(family, missing.kernel.release)}; or --vmlinux FILE)"


def _names(missing: list[MissingFile]) -> str:
    names = list(dict.fromkeys(f"{each.module}.ko" for each in missing))
    more = f" and {len(names) - _MOST_MODULES} more" if len(names) > _MOST_MODULES else ""
    return ", ".join(names[:_MOST_MODULES]) + more
