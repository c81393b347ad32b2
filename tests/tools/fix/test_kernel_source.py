"""Where a fault is in the kernel's tree, and the tag and address of its file at kernel.org."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.tools.fix.kernel_source import (
    KernelPlace,
    address,
    branch,
    debian_version,
    kernel_place,
    tag,
)
from tools.example_reports import BOOT, KERNEL, OOPS, known

LOG: Final = ("serial.log", BOOT + OOPS)
OWN: Final = ("serial.log", BOOT + OOPS.replace(" [wobble]\n", "\n").replace("wobble_init", "dput"))
BUG: Final = f"""\
[   12.000000] ------------[ cut here ]------------
[   12.000010] kernel BUG at mm/imagined.c:305!
[   12.000020] invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
[   12.000030] CPU: 0 PID: 9 Comm: sh Not tainted {KERNEL} #1  Debian 6.1.9-2
[   12.000040] RIP: 0010:imagine+0x11/0x40
[   12.000050] ---[ end trace 0000000000000000 ]---
"""


@pytest.mark.parametrize(
    "file",
    [
        "fs/dcache.c",
        "./fs/dcache.c",
        "/build/linux-x1/linux-6.1.9/fs/dcache.c",
        "debian/build/build_amd64_none_amd64/fs/dcache.c",
    ],
)
def test_however_the_build_names_it_the_file_is_from_the_root_of_the_tree(file: str) -> None:
    case = known({"debug.file": file, "debug.line": 9}, OWN)
    assert kernel_place(case) == KernelPlace("fs/dcache.c", 9)


@pytest.mark.parametrize(
    "file",
    ["/home/user/wobble.c", "wobble.c", "../fs/x.c", "fs/../../x.c", "fs/-x.c", "fs/x y.c", ""],
)
def test_what_is_no_file_of_the_tree_has_no_place_in_it(file: str) -> None:
    assert kernel_place(known({"debug.file": file, "debug.line": 9}, OWN)) is None


def test_of_a_module_from_outside_only_headers_are_the_kernels() -> None:
    own = known({"debug.file": "drivers/net/wobble.c", "debug.line": 9}, LOG)
    assert kernel_place(own) is None
    header = "/usr/src/linux-headers-6.1.0-9-common/include/linux/list.h"
    place = kernel_place(known({"debug.file": header, "debug.line": 9}, LOG))
    assert place == KernelPlace("include/linux/list.h", 9)


def test_the_report_itself_can_name_file_and_line() -> None:
    case = known({}, ("serial.log", BOOT + BUG))
    assert kernel_place(case) == KernelPlace("mm/imagined.c", 305)
    assert debian_version(case) == "6.1.9-2"


def test_the_line_of_the_debug_information_comes_before_the_reports_own() -> None:
    case = known({"debug.file": "fs/dcache.c", "debug.line": 9}, ("serial.log", BOOT + BUG))
    assert kernel_place(case) == KernelPlace("fs/dcache.c", 9)


@pytest.mark.parametrize(
    ("release", "debian", "named"),
    [
        ("6.1.0-9-cloud-amd64", "6.1.90-2", "v6.1.90"),
        ("6.1.0-9-cloud-amd64", "", "v6.1"),
        ("6.12.5+deb13-amd64", "", "v6.12.5"),
        ("5.15.0-91-generic", "", "v5.15"),
        ("6.8.12-4-pve", "", "v6.8"),
        ("6.6.8-200.fc39.x86_64", "", "v6.6.8"),
        ("5.14.0-362.8.1.el9_3.x86_64", "", "v5.14"),
        ("6.7.0-rc3", "", "v6.7-rc3"),
        ("6.7.0", "", "v6.7"),
        ("6.7.9", "", "v6.7.9"),
        ("2.6.32-5-amd64", "", "v2.6.32"),
        ("none", "", ""),
    ],
)
def test_the_tag_is_the_nearest_release_of_kernel_org(
    release: str, debian: str, named: str
) -> None:
    assert tag(release, debian) == named


def test_the_address_has_the_tag_and_the_line() -> None:
    case = known({}, ("serial.log", BOOT + BUG))
    assert address(case, KernelPlace("mm/imagined.c", 305)) == (
        "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/"
        "mm/imagined.c?h=v6.1.9#n305"
    )


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_release_and_version_has_a_tag_or_none(release: str, debian: str) -> None:
    assert tag(release, debian) == "" or tag(release, debian)[0] == "v"
    assert branch(release) == "" or "." in branch(release)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["/", "a/", "/linux", "fs/", "./", "debian/build/"])
def test_a_path_of_any_length_is_read_in_reasonable_time(unit: str) -> None:
    assert kernel_place(known({"debug.file": unit * 20_000, "debug.line": 1}, OWN)) is None
