"""Which file of the kernel's tree a function is of, by its name."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pagefault_doctor.symbols.function_files import file_of

SCRIPT = Path(__file__).parents[2] / "bench/function_files.py"


@pytest.mark.parametrize(
    ("function", "path"),
    [
        ("__rb_erase_color", "lib/rbtree.c"),
        ("unlink_anon_vmas", "mm/rmap.c"),
        # What a compiler adds is no part of a name.
        ("shrink_slab.constprop.0", "mm/vmscan.c"),
        # By its beginning, which is of one folder alone.
        ("ext4_no_function_has_this_name", "fs/ext4/"),
        ("no_function_has_this_name", None),
        # Functions of many folders begin so.
        ("do_no_function_has_this", None),
        ("", None),
    ],
)
def test_a_function_is_of_the_file_that_its_name_tells(function: str, path: str | None) -> None:
    assert file_of(function) == path


@pytest.fixture(name="script")
def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("function_files_script", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PRINTED = """\
All defined functions:

File /build/reproducible-path/linux-6.1.192/mm/one.c:
12:	static int pfd_grow(struct page *);
	void __pfd_shrink(void);
	long __se_sys_pfd(int);

File /build/reproducible-path/linux-6.1.192/fs/two.c:
	void pfd_open(void);

File include/linux/three.h:
	int pfd_inlined(int);

Non-debugging symbols:
0xffff  pfd_nothing()
"""


def test_what_gdb_prints_is_read_without_headers_and_entries(script: ModuleType) -> None:
    assert script.functions(PRINTED.splitlines()) == {
        "pfd_grow": {"mm/one.c"},
        "pfd_shrink": {"mm/one.c"},
        "pfd_open": {"fs/two.c"},
    }


def test_a_beginning_stands_for_all_only_where_enough_lead_to_one_folder(
    script: ModuleType,
) -> None:
    few = {f"pfd_{letter}": {"mm/one.c"} for letter in "abcdefg"}
    assert dict(script.beginnings(few)) == dict.fromkeys(few, "mm/one.c")
    enough = {**few, "pfd_h": {"mm/two.c"}}
    assert dict(script.beginnings(enough)) == {"pfd_": "mm/"}
    spread = {**enough, "pfd_i": {"fs/two.c"}}
    assert "pfd_" not in dict(script.beginnings(spread))
    # Two functions of one name, in different folders.
    assert dict(script.beginnings({"pfd": {"mm/one.c", "fs/two.c"}})) == {}
