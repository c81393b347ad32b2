"""A newer kernel: whether there is one, and whether its changelog names what faulted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Result
from pagefault_doctor.model.fact import Mark, Value
from pagefault_doctor.tools.fix import changelog, newer_kernel
from pagefault_doctor.tools.tool import next_command
from requirements import require_kernel, require_program
from tools.example_reports import BOOT, KERNEL, OOPS, follow, known, learn, texts, told

OWN: Final = OOPS.replace("wobble_init+0x11/0x1000 [wobble]", "ext4_mb_load_buddy+0x11/0x100")
LOG: Final = ("dmesg", BOOT + OWN)
FACTS: Final[dict[str, Value]] = {
    "verdict.attribution": "kernel",
    "host.kernel": KERNEL,
    "host.family": "debian",
    "host.programs": ("sh", "dpkg-query", "apt-cache"),
}
IMAGE: Final = f"linux-image-{KERNEL}"
NEXT: Final = "linux-image-6.1.0-57-cloud-amd64"
ROWS: Final = f"installed {IMAGE} 6.1.192-2\ncandidate {NEXT} 6.1.193-1\n"

DEBIAN: Final = """\
linux (6.1.193-1) bookworm-security; urgency=high

  * New upstream stable update:
    https://www.kernel.org/pub/linux/kernel/v6.x/ChangeLog-6.1.193
    - [x86] mm: do not flush twice
    - ext4: fix a page that stays locked in
      ext4_mb_load_buddy() (CVE-2026-00000)
    - ext4: tell the buddies apart
    - ext4: fix extents of large files
    - btrfs: find the buddy

  [ Somebody Else ]
  * udeb: Add more

 -- Somebody <somebody@example.org>  Mon, 23 Nov 2026 11:17:40 +0100

linux (6.1.192-2) bookworm-security; urgency=high

  * ext4: undo ext4_mb_load_buddy of old
"""


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("6.1.193-1", "6.1.192-2"),
        ("6.1.192-2", "6.1.192-1"),
        ("6.1.192+2", "6.1.192-1"),
        ("6.10.1-1", "6.9.30-1"),
        ("6.1.0-1", "6.1.0~rc4-1"),
        ("6.5.6-300.fc39.x86_64", "6.5.6-200.fc39.x86_64"),
        ("1:1.0-1", "9.0-1"),
        ("6.1.0a", "6.1.0"),
    ],
)
def test_versions_are_ordered_as_packages_are(later: str, earlier: str) -> None:
    assert changelog.is_newer(later, earlier)
    assert not changelog.is_newer(earlier, later)
    assert not changelog.is_newer(later, later)


def test_dpkg_orders_them_alike() -> None:
    dpkg = require_program("dpkg")
    for one in ("6.1.193-1", "6.1~rc4-1", "6.1-1", "6.10-1", "1:1", "6.1-1~bpo12+1"):
        for other in ("6.1.192-2", "6.1-1", "6.9-1", "6.1-1~bpo12+2", "5.10.0-1+deb11u1"):
            compared = subprocess.run((dpkg, "--compare-versions", one, "gt", other), check=False)
            assert changelog.is_newer(one, other) is (compared.returncode == 0), (one, other)


def test_only_what_came_since_is_read_and_lines_are_joined() -> None:
    entries = list(changelog.changes_since(DEBIAN, "6.1.192-2"))
    assert {entry.version for entry in entries} == {"6.1.193-1"}
    (named,) = [entry for entry in entries if "stays locked" in entry.text]
    wanted = "ext4: fix a page that stays locked in ext4_mb_load_buddy() (CVE-2026-00000)"
    assert (named.text, named.line) == (wanted, 6)


RPM: Final = """\
Changelog for kernel-core-6.5.6-300.fc39.x86_64:
* Fri Oct 06 2023 Somebody <somebody@example.org> [6.5.6-0]
- ext4: mind the buddy in ext4_mb_load_buddy (Somebody)
- redhat: build it anew

* Sun Oct 01 2023 Somebody <somebody@example.org> - 6.5.5-200
- ext4: undo ext4_mb_load_buddy of old
"""


def test_the_changelog_of_an_rpm_is_read_too() -> None:
    entries = list(changelog.changes_since(RPM, "6.5.5-200.fc39.x86_64"))
    assert [(entry.version, entry.line) for entry in entries] == [("6.5.6-0", 3), ("6.5.6-0", 4)]


def test_a_change_must_name_the_whole_function() -> None:
    entries = tuple(changelog.changes_since(DEBIAN, "6.1.192-2"))
    ((name, entry),) = changelog.changes_naming(entries, ["nothing", "ext4_mb_load_buddy"])
    assert name == "ext4_mb_load_buddy"
    assert "stays locked" in entry.text
    assert changelog.changes_naming(entries, ["ext4_mb_load"]) == []


def test_a_change_to_the_same_part_must_share_more_than_the_part() -> None:
    entries = tuple(changelog.changes_since(DEBIAN, "6.1.192-2"))
    touching = [
        entry.text for entry in changelog.changes_to_subsystem(entries, "ext4_mb_buddy_load")
    ]
    assert "ext4: tell the buddies apart" not in touching, "other words are not guessed at"
    extents = [entry.text for entry in changelog.changes_to_subsystem(entries, "ext4_split_extent")]
    assert extents == ["ext4: fix extents of large files"]
    assert changelog.changes_to_subsystem(entries, "ext4_get_page") == []
    assert changelog.changes_to_subsystem(entries, "schedule") == []


def test_functions_below_every_fault_are_left_out() -> None:
    log = ("dmesg", BOOT + OWN.replace("do_one_initcall", "worker_thread"))
    (report,) = known({}, log).reports
    assert changelog.fault_functions(report) == ("ext4_mb_load_buddy", "do_init_module")


def test_a_change_that_names_the_function_is_told_and_is_no_proof() -> None:
    case, ran, blocked = follow(newer_kernel.TOOL, known(FACTS, LOG), told(ROWS), told(DEBIAN))
    assert blocked is None
    assert [command.risk for command in ran] == ["read", "read"]
    assert ran[0].argv[-2:] == (KERNEL, "cloud-amd64")
    assert ran[1].argv[-3:] == (NEXT, "6.1.193-1", "candidate")
    assert "over the network" in ran[1].why
    said = texts(case.findings)
    assert f"{NEXT} 6.1.193-1 is newer" in said
    assert "6.1.193-1 names ext4_mb_load_buddy: ext4: fix a page that stays locked" in said
    assert "may be the fix, or not: boot" in said
    assert {finding.mark for finding in case.findings} == {Mark.NEUTRAL}
    assert case.get("kernel.newer", "") == f"{NEXT} 6.1.193-1"
    assert case.get("kernel.newer_fix", "").startswith("6.1.193-1: ext4: fix a page")
    assert case.facts["kernel.newer_fix"].source.line == 6


def test_an_installed_one_needs_but_a_reboot() -> None:
    rows = told(ROWS.replace("candidate", "installed"))
    case, ran, _ = follow(newer_kernel.TOOL, known(FACTS, LOG), rows, told(DEBIAN))
    assert "it is installed already: reboot into it" in texts(case.findings)
    assert "on this disk" in ran[1].why


def test_no_newer_one_is_said_to_be_so_by_old_lists() -> None:
    rows = told(f"installed {IMAGE} 6.1.192-2\ncandidate {IMAGE} 6.1.192-2\n")
    case, ran, _ = follow(newer_kernel.TOOL, known(FACTS, LOG), rows)
    assert len(ran) == 1
    assert "as they were fetched last; renew them" in texts(case.findings)
    assert not case.has("kernel.newer")


def test_a_changelog_that_says_nothing_of_it_and_one_that_cannot_be_had() -> None:
    quiet = told(DEBIAN.replace("ext4", "xfs"))
    case, _, _ = follow(newer_kernel.TOOL, known(FACTS, LOG), told(ROWS), quiet)
    assert "may have the fix all the same" in texts(case.findings)
    assert not case.has("kernel.newer_fix")
    offline = told("", errors="E: Failed to fetch\n")
    case, _, _ = follow(newer_kernel.TOOL, known(FACTS, LOG), told(ROWS), offline)
    assert "could not be read here" in texts(case.findings)


@pytest.mark.parametrize(
    "facts",
    [
        {"verdict.attribution": "module"},
        {"host.kernel": ""},
        {"host.kernel": "-x"},
        {"host.programs": (), "host.family": ""},
        {"given.log": "/x", "host.kernel": "6.12.9-arch1-1"},
    ],
)
def test_it_is_quiet_where_the_kernel_is_not_at_fault_or_not_this_one(
    facts: dict[str, Value],
) -> None:
    assert next_command(newer_kernel.TOOL, known(FACTS | facts, LOG)) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["* ", "x (1) ", "- a:", "1-", " ", "\n- ", "((", "_"])
def test_any_changelog_is_read_in_reasonable_time(unit: str) -> None:
    for lead in ("", "* Fri Oct 06 2023 x - ", "linux (6.1.193-1) x;\n  * ", "installed x 1"):
        text = lead + unit * 100_000
        follow(newer_kernel.TOOL, known(FACTS, LOG), told(ROWS), told(text))
        follow(newer_kernel.TOOL, known(FACTS, LOG), told(text))


def test_other_distributions_are_told_how_to_look() -> None:
    arch: dict[str, Value] = {"host.programs": (), "host.family": "arch"}
    wall = next_command(newer_kernel.TOOL, known(FACTS | arch, LOG))
    assert isinstance(wall, Blocked)
    assert "pacman -Qu" in wall.remedy


def run(case: Case) -> tuple[Case, Result]:
    wanted = next_command(newer_kernel.TOOL, case)
    assert isinstance(wanted, Command)
    result = LocalHost().run(wanted)
    return learn(case, newer_kernel.ID, result, newer_kernel.TOOL.read(result, case)), result


def test_the_real_lists_and_the_real_changelog_of_this_machine() -> None:
    require_program("apt-cache")
    kept = "/usr/share/doc/linux-image-{}/changelog.gz"
    release = require_kernel(kept, "linux-image-{}, with a dpkg that keeps documentation")
    image, newer = f"linux-image-{release}", f"linux-image-9{release}"
    facts = FACTS | {"host.kernel": release}
    log = ("dmesg", (BOOT + OWN).replace(KERNEL, release))
    case, result = run(known(facts, log))
    assert f"installed {image} " in result.output
    assert f"candidate {image} " in result.output
    (version,) = [
        r.split()[2] for r in result.output.split("\n") if r.startswith(f"installed {image} ")
    ]
    older = msgspec.structs.replace(
        result, output=f"installed {image} 0.1-1\ninstalled {newer} {version}\n"
    )
    start = learn(known(facts, log), newer_kernel.ID, older, newer_kernel.TOOL.read(older, case))
    wanted = next_command(newer_kernel.TOOL, start)
    assert isinstance(wanted, Command)
    argv = tuple(image if word == newer else word for word in wanted.argv)
    result = LocalHost().run(msgspec.structs.replace(wanted, argv=argv))
    reading = newer_kernel.TOOL.read(result, start)
    assert "ext4" in texts(reading.findings)


SPEC: Final = """\
Name: kernel-core
Version: 6.5.6
Release: 300.fc39
Summary: for a test
License: none
BuildArch: noarch
%description
For a test.
%files
%changelog
* Fri Oct 06 2023 Somebody <somebody@example.org> - 6.5.6-300.fc39
- ext4: mind the buddy in ext4_mb_load_buddy
"""


def test_dnf_is_asked_for_the_newest_and_its_changelog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dnf = require_program("dnf")
    folder = tmp_path / "repository"
    (tmp_path / "x.spec").write_text(SPEC)
    words = ("--define", f"_topdir {tmp_path}/rpm", "--define", f"_rpmdir {folder}")
    build = (require_program("rpmbuild"), "-bb", "--quiet", *words, str(tmp_path / "x.spec"))
    index = (require_program("createrepo_c"), "-q", str(folder))
    conf = f"[main]\nreposdir=/nonexistent\ncachedir={tmp_path}/dnf\n[x]\nname=x\n"
    (tmp_path / "dnf.conf").write_text(f"{conf}baseurl=file://{folder}\n")
    options = f"--config={tmp_path}/dnf.conf --installroot={tmp_path}/sys --releasever=1"
    here = "6.5.5-200.fc39.noarch"
    for name, script in {
        "dnf": f'exec {dnf} {options} "$@"',
        "rpm": f"echo installed kernel-core {here}; exit 1",
    }.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    for argv in (build, index, ("dnf", "-q", "makecache")):
        subprocess.run(argv, check=True, capture_output=True, timeout=120)
    facts = FACTS | {"host.kernel": here, "host.programs": ("sh", "dnf"), "host.family": "fedora"}
    log = ("dmesg", (BOOT + OWN).replace(KERNEL, here))
    case, result = run(known(facts, log))
    assert case.get("kernel.newer", "") == "kernel-core 6.5.6-300.fc39.noarch", result
    case, _ = run(case)
    assert case.get("kernel.newer_fix", "").endswith("mind the buddy in ext4_mb_load_buddy")
