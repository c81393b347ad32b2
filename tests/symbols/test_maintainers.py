"""Which section of `MAINTAINERS` a file of the kernel is of."""

from __future__ import annotations

import importlib.util
import re
import zlib
from pathlib import Path
from types import ModuleType

import pytest

from pagefault_doctor.symbols import maintainers
from pagefault_doctor.symbols.maintainers import sections_of

SCRIPT = Path(__file__).parents[2] / "bench/maintainers.py"
TABLE = Path(maintainers.__file__).with_name("maintainers.zlib")


@pytest.mark.parametrize(
    ("path", "name", "mailing_list"),
    [
        (
            "drivers/net/wireless/realtek/rtw88/main.c",
            "REALTEK WIRELESS DRIVER (rtw88)",
            "linux-wireless@vger.kernel.org",
        ),
        ("fs/ext4/inode.c", "EXT4 FILE SYSTEM", "linux-ext4@vger.kernel.org"),
        # A folder, as that of a module.
        ("fs/btrfs/", "BTRFS FILE SYSTEM", "linux-btrfs@vger.kernel.org"),
        # A pattern with wildcards, of the folder and of its parent.
        ("drivers/md/raid5.c", "SOFTWARE RAID (Multiple Disks) SUPPORT", None),
        ("drivers/net/ethernet/intel/ice/ice_main.c", "INTEL ETHERNET DRIVERS", None),
        ("drivers/irqchip/irq-gic-v3.c", "ARM GENERIC INTERRUPT CONTROLLER DRIVERS", None),
        # By the name of the module, which has no `-`.
        ("drivers/hid/hid_playstation.c", "HID PLAYSTATION DRIVER", "linux-input@vger.kernel.org"),
        # `fs/*` is no pattern of what lies deeper.
        ("fs/namei.c", "FILESYSTEMS (VFS and infrastructure)", "linux-fsdevel@vger.kernel.org"),
    ],
)
def test_the_most_precise_section_comes_first(
    path: str, name: str, mailing_list: str | None
) -> None:
    first = sections_of(path)[0]
    assert first.name == name
    assert mailing_list in (None, first.mailing_list)


def test_less_precise_sections_follow() -> None:
    names = [section.name for section in sections_of("mm/slub.c")]
    assert names == ["SLAB ALLOCATOR", "MEMORY MANAGEMENT", "THE REST"]


def test_a_tracker_is_a_page_on_the_web() -> None:
    first = sections_of("drivers/gpu/drm/amd/amdgpu/amdgpu_vm.c")[0]
    assert first.tracker == "https://gitlab.freedesktop.org/drm/amd/-/issues"
    assert first.pattern == "drivers/gpu/drm/amd/"


@pytest.mark.parametrize(
    "path", ["drivers/nonsense/x.c", "kern.log", "", "/", "fs/ext4xx/a.c", "fs/ext4\n/x.c"]
)
def test_what_no_section_names_is_of_the_rest_at_most(path: str) -> None:
    assert all(section.is_rest for section in sections_of(path))


def test_the_table_names_its_release_and_no_person() -> None:
    major, minor = map(int, maintainers.release().split("."))
    assert (major, minor) >= (6, 12)
    assert TABLE.stat().st_size < 100_000
    text = zlib.decompress(TABLE.read_bytes()).decode("ascii")
    assert not re.search(r"<.*@|^[MR]:", text, re.MULTILINE)
    # Lists have addresses, nothing else has.
    rows = (row.split("\t") for row in text.partition("\n/")[0].splitlines()[1:])
    assert not [name for name, _, tracker in rows if "@" in name + tracker]


def script() -> ModuleType:
    """Return the script that writes the table, as a module."""
    spec = importlib.util.spec_from_file_location("maintainers_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCE = """\
Maintainers List
----------------

.. note:: Words before the sections.

ONE DRIVER
M:	A Person <person@example.org>
L:	closed@example.org (subscribers-only)
L:	asked@example.org (moderated for non-subscribers)
L:	One Team <open@example.org>
S:	Orphan
B:	mailto:person@example.org
B:	https://example.org/bugs
F:	drivers/one
F:	Documentation/one.rst
X:	drivers/one/two/

TWO DRIVER
R:	A Person <person@example.org>
S:	Maintained
F:	drivers/one/
F:	drivers/*/two*.[ch]

ONLY WORDS
L:	open@example.org
S:	Maintained
F:	Documentation/words/
"""


def test_the_script_leaves_persons_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = script().table_of(SOURCE, {"drivers", "drivers/one"}, "6.12.1")
    assert table.splitlines() == [
        "6.12.1",
        "TWO DRIVER\t\t",
        "ONE DRIVER\topen@example.org\thttps://example.org/bugs",
        "/drivers/ */two*.[ch]:0",
        "/drivers/one/ :0 :1",
        "/drivers/one/two/ !:1",
    ]
    packed = tmp_path / "table"
    packed.write_bytes(zlib.compress(table.encode()))
    monkeypatch.setattr(maintainers, "_TABLE", packed)
    maintainers._text.cache_clear()
    sections_of.cache_clear()
    try:
        found = {path: [s.name for s in sections_of(path)] for path in PATHS}
    finally:
        maintainers._text.cache_clear()
        sections_of.cache_clear()
    assert found == PATHS


PATHS = {
    # Both name the folder: the one that is looked after comes first.
    "drivers/one/a.c": ["TWO DRIVER", "ONE DRIVER"],
    # The first excludes it.
    "drivers/one/two/a.c": ["TWO DRIVER"],
    "drivers/three/two_x.c": ["TWO DRIVER"],
    # `*` spans no more folders than the pattern has, and `[ch]` is one letter.
    "drivers/three/four/two.c": [],
    "drivers/three/two.o": [],
}
