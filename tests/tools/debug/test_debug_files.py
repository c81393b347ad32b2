"""Debug files that are missing: what is asked, what is fetched, and that it stays in its cache."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from pagefault_doctor.hosts.local import LocalHost
from pagefault_doctor.hosts.script import shell_argv
from pagefault_doctor.model.case import Case
from pagefault_doctor.model.command import Blocked, Command, Result, ResultStatus, Risk
from pagefault_doctor.model.fact import Value
from pagefault_doctor.tools import TOOLS
from pagefault_doctor.tools.debug import debug_files, debug_packages, gdb_module
from pagefault_doctor.tools.debug.debug_packages import PACKAGE_SOURCES, size_text
from pagefault_doctor.tools.dump import drgn
from pagefault_doctor.tools.tool import blocked, next_command
from requirements import require, require_program
from tools.example_reports import BOOT, KERNEL, OOPS, follow, known, learn, texts, told

PROGRAMS: Final = ("apt-cache", "apt-get", "dpkg-deb")
DUMP: Final[dict[str, Value]] = {
    "dump.path": "/var/crash/1/dump.1",
    "dump.release": KERNEL,
    "host.kernel": KERNEL,
    "host.family": "debian",
    "host.programs": PROGRAMS,
}
LOG: Final = ("dmesg", BOOT + OOPS)
SHIPPED: Final = f"/lib/modules/{KERNEL}/kernel/net/wobble.ko"

CACHE: Final = "/home/user/.cache/pfdoctor/debug"
NOTHING: Final = f"cache={CACHE}\nfree_kib=9000000\nend=.\n"

APT: Final = f"""\
Package: linux-image-{KERNEL}-dbg
Source: linux
Version: 6.1.192-2
Installed-Size: 1754691
Architecture: amd64
Description: Debug symbols for linux-image-{KERNEL}
Filename: pool/main/l/linux/linux-image-{KERNEL}-dbg_6.1.192-2_amd64.deb
Size: 283308068

"""


def fetched(*lines: str) -> Result:
    return told("".join(f"{line}\n" for line in lines))


def test_the_package_and_its_sizes_are_told_and_fetching_asks_for_consent() -> None:
    case = known(DUMP)
    tree = f"{CACHE}/linux-image-{KERNEL}-dbg_6.1.192-2"
    image = f"{tree}/usr/lib/debug/boot/vmlinux-{KERNEL}"
    answers = (told(NOTHING), told(APT), fetched(f"tree={tree}", f"vmlinux={image}"))
    case, ran, blocked = follow(debug_files.FOR_DUMP, case, *answers)
    assert blocked is None
    assert [command.risk for command in ran] == [Risk.READ, Risk.READ, Risk.CHANGE]
    assert ran[1].argv[:3] == ("apt-cache", "show", "--no-all-versions")
    assert f"linux-image-{KERNEL}-dbg" in ran[1].argv
    said = "283 MB to fetch, 1.8 GB unpacked"
    assert said in texts(case.findings)
    assert "283 MB over the network, 1.8 GB unpacked; nothing is installed" in ran[2].why
    assert CACHE in ran[2].why
    assert ran[2].undo == f"rm -r {tree}"
    assert case.get("dump.vmlinux", "") == image


def test_what_was_fetched_is_what_drgn_and_gdb_are_given() -> None:
    image = f"{CACHE}/x/usr/lib/debug/boot/vmlinux-{KERNEL}"
    module = f"{CACHE}/x/usr/lib/debug{SHIPPED}"
    facts = DUMP | {
        "host.programs": ("drgn", "gdb"),
        "dump.vmlinux": image,
        "debug.module_file": module,
        "module.path": SHIPPED + ".xz",
        "suspect.module": "wobble",
    }
    read_dump = next_command(drgn.TOOL, known(facts, LOG))
    assert isinstance(read_dump, Command)
    assert read_dump.argv[4:8] == ("-s", image, "-s", module)
    find_line = next_command(gdb_module.TOOL, known(facts, LOG))
    assert isinstance(find_line, Command)
    assert find_line.argv[-1] == module


@pytest.mark.parametrize(
    "facts",
    [
        {"dump.path": ""},
        {"dump.vmlinux": "/usr/lib/debug/boot/vmlinux"},
        {"dump.release": "", "host.kernel": ""},
        {"given.vmcore": "/x/y", "dump.format": "unknown"},
    ],
)
def test_where_nothing_is_missing_or_nothing_can_be_said_it_is_quiet(
    facts: dict[str, Value],
) -> None:
    assert next_command(debug_files.FOR_DUMP, known(DUMP | facts)) is None


def test_debug_files_that_are_here_already_are_used_without_a_word() -> None:
    image = f"/usr/lib/debug/boot/vmlinux-{KERNEL}"
    here = told(f"vmlinux={image}\n{NOTHING}")
    case, ran, blocked = follow(debug_files.FOR_DUMP, known(DUMP), here)
    assert (len(ran), blocked, case.findings) == (1, None, ())
    assert case.get("dump.vmlinux", "") == image


def test_a_module_that_was_built_here_has_no_debug_package() -> None:
    facts: dict[str, Value] = {"suspect.module": "wobble", "host.kernel": KERNEL}
    built = facts | {"module.path": f"/lib/modules/{KERNEL}/updates/wobble.ko"}
    assert next_command(debug_files.FOR_LINE, known(built, LOG)) is None
    wanted = next_command(debug_files.FOR_LINE, known(facts | {"module.path": SHIPPED}, LOG))
    assert isinstance(wanted, Command)
    assert wanted.argv[-2:] == (KERNEL, "wobble.ko*")


def test_a_line_of_the_kernels_own_code_needs_the_vmlinux() -> None:
    log = ("dmesg", BOOT + OOPS.replace("wobble_init+0x11/0x1000 [wobble]", "dput+0x11/0x100"))
    assert isinstance(next_command(debug_files.FOR_LINE, known({}, log)), Command)


@pytest.mark.parametrize(
    ("looked", "reason"),
    [
        (NOTHING.replace("9000000", "2000000"), "2.0 GB free, the debug files need 2.3 GB"),
        (NOTHING.replace("end", "unwritable=/home/user\nend"), "/home/user cannot be written"),
        (NOTHING.replace(CACHE, "relative"), "no folder for a cache"),
    ],
)
def test_a_cache_without_room_is_not_filled(looked: str, reason: str) -> None:
    _, _, blocked = follow(debug_files.FOR_DUMP, known(DUMP), told(looked), told(APT))
    assert blocked is not None
    assert reason in blocked.reason
    assert blocked.remedy


def test_a_release_that_no_archive_has_any_more_leaves_a_remedy() -> None:
    nothing = told("", errors="E: No packages found\n", exit_code=100)
    case, _, blocked = follow(debug_files.FOR_DUMP, known(DUMP), told(NOTHING), nothing)
    assert "apt-cache knows no package" in texts(case.findings)
    assert blocked is not None
    assert "--vmlinux FILE" in blocked.remedy


def test_a_download_that_failed_is_told_and_not_tried_again() -> None:
    failed = told("", errors="Err:1 http://x\nE: Failed to fetch\n", exit_code=1)
    answers = (told(NOTHING), told(APT), failed)
    _, _, blocked = follow(debug_files.FOR_DUMP, known(DUMP), *answers)
    assert blocked is not None
    assert "E: Failed to fetch" in blocked.reason


@pytest.mark.parametrize("version", ["1;reboot", "../../etc", "-x", "1 2", ""])
def test_a_version_that_is_none_is_no_offer(version: str) -> None:
    answer = told(APT.replace("6.1.192-2", version))
    _, ran, blocked = follow(debug_files.FOR_DUMP, known(DUMP), told(NOTHING), answer)
    assert len(ran) == 2
    assert blocked is not None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["Package: a", "Size: 1\n", "a 1 1", " ", "-", "\n\n"])
def test_any_answer_of_a_package_manager_is_read_in_reasonable_time(unit: str) -> None:
    for way in PACKAGE_SOURCES:
        way.best(unit * 100_000, KERNEL)


def test_ubuntu_has_the_vmlinux_in_the_package_of_the_unsigned_image() -> None:
    signed = APT.replace("-dbg", "-dbgsym")
    both = signed + signed.replace("linux-image-", "linux-image-unsigned-")
    offer = PACKAGE_SOURCES[0].best(both, KERNEL)
    assert offer is not None
    assert offer.what == f"linux-image-unsigned-{KERNEL}-dbgsym=6.1.192-2"
    assert (offer.download, offer.unpacked, offer.line) == (283308068, 1754691 << 10, 10)


def test_a_server_is_asked_only_where_the_person_has_named_one() -> None:
    build = "ab" * 20
    programs = ("debuginfod-find",)
    facts = DUMP | {"host.programs": programs, "host.family": "arch", "dump.build_id": build}
    _, _, blocked = follow(debug_files.FOR_DUMP, known(facts), told(NOTHING))
    assert blocked is not None
    looked = told(NOTHING.replace("end", "urls=https://debuginfod.example\nend"))
    case, ran, _ = follow(debug_files.FOR_DUMP, known(facts), looked, fetched())
    assert ran[1].argv[4:6] == ("debuginfod-find", build)
    assert "https://debuginfod.example" in ran[1].why
    assert "size is not told before" in ran[1].why
    notes = "00" * 8 + "040000001400000003000000474e5500" + build + "00"
    looked = told(NOTHING.replace("end", f"notes={notes}\nurls=https://x.example\nend"))
    case = known({name: value for name, value in facts.items() if name != "dump.build_id"})
    _, ran, _ = follow(debug_files.FOR_DUMP, case, looked, fetched())
    assert build in ran[1].argv


def test_preflight_names_what_would_bring_them() -> None:
    case = known({"host.programs": ("sh",), "host.family": "fedora"})
    wall = blocked(debug_files.FOR_DUMP, case)
    assert wall == Blocked(
        "none of apt-get, dnf, debuginfod-find here", "dnf install elfutils-debuginfod-client"
    )
    box = TOOLS["box"].plan(Case())
    assert isinstance(box, Command)
    assert {"apt-get", "dpkg-deb", "rpmkeys", "debuginfod-find"} <= set(box.stdin.split())


@pytest.mark.parametrize(
    ("count", "text"),
    [(12, "12 bytes"), (53_080, "53 kB"), (1_796_803_584, "1.8 GB"), (28_000_000_000, "28 GB")],
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert size_text(count) == text


def use(case: Case) -> tuple[Case, list[Result], Blocked | None]:
    """Use the tool on this machine, with consent to everything."""
    ran: list[Result] = []
    while isinstance(wanted := next_command(debug_files.FOR_DUMP, case), Command):
        assert len(ran) < 5
        ran.append(LocalHost().run(wanted))
        reading = debug_files.FOR_DUMP.read(ran[-1], case)
        case = learn(case, debug_files.FOR_DUMP.id, ran[-1], reading)
    return case, ran, wanted


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DEBUGINFOD_URLS", raising=False)
    return tmp_path / "cache" / "pfdoctor" / "debug"


RELEASE: Final = "6.1.0-0-imagined"
IMAGINED: Final = DUMP | {"dump.release": RELEASE}


def program(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program in front of all others."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    if not os.environ["PATH"].startswith(f"{folder}:"):
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(("tail", "counts"), [(".debug_info", True), (".BTF", False)])
def test_a_vmlinux_for_btf_alone_is_not_taken(cache: Path, tail: str, counts: bool) -> None:
    headers = cache / f"any/lib/modules/{RELEASE}/build"
    headers.mkdir(parents=True)
    (headers / "vmlinux").write_bytes(b"\x7fELF" + bytes(1 << 17) + tail.encode())
    command = next_command(debug_files.FOR_DUMP, known(IMAGINED))
    assert isinstance(command, Command)
    output = LocalHost().run(command).output
    assert (f"vmlinux={headers}/vmlinux" in output.splitlines()) is counts


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt that knows one package, built by dpkg-deb: a vmlinux, and things to beware of."""
    require_program("dpkg-deb")
    root = tmp_path / "root"
    boot = root / "usr/lib/debug/boot"
    boot.mkdir(parents=True)
    (boot / f"vmlinux-{RELEASE}").write_text("an image")
    (root / "usr/bin").mkdir()
    (root / "usr/bin/tool").write_text("x")
    (root / "usr/bin/tool").chmod(0o4755)
    os.mkfifo(root / "usr/bin/pipe")
    folder = root / "usr/lib/debug/lib/modules" / RELEASE
    folder.mkdir(parents=True)
    (folder / "vmlinux").symlink_to(f"../../../boot/vmlinux-{RELEASE}")
    (root / "usr/out").symlink_to("/etc")
    (root / "usr/up").symlink_to("../../../../../../../etc/passwd")
    (root / "DEBIAN").mkdir()
    control = f"Package: linux-image-{RELEASE}-dbg\nVersion: 1:2\nArchitecture: all\n"
    words = "Maintainer: nobody <nobody@example.org>\nDescription: for a test\n"
    (root / "DEBIAN/control").write_text(control + words)
    package = tmp_path / "package.deb"
    subprocess.run(("dpkg-deb", "-b", root, package), check=True, capture_output=True, timeout=60)
    record = f"{control}Installed-Size: 40\nSize: {package.stat().st_size}\n"
    (tmp_path / "record").write_text(record)
    programs = tmp_path / "bin"
    program(programs, "apt-cache", f"cat {tmp_path}/record", monkeypatch)
    program(programs, "apt-get", f'echo "$@" >&2; cp {package} .', monkeypatch)
    return package


def test_a_package_is_unpacked_into_the_cache_and_found_there_next_time(
    archive: Path, cache: Path
) -> None:
    case, ran, blocked = use(known(IMAGINED))
    assert blocked is None
    assert [result.status for result in ran] == [ResultStatus.OK] * 3
    assert f"download linux-image-{RELEASE}-dbg=1:2" in ran[-1].errors
    (tree,) = cache.iterdir()
    assert tree.name == f"linux-image-{RELEASE}-dbg_1%3a2"
    image = tree / "usr/lib/debug/boot" / f"vmlinux-{RELEASE}"
    assert case.get("dump.vmlinux", "") == str(image)
    assert image.read_text() == "an image"
    _, again, _ = use(known(IMAGINED))
    assert len(again) == 1


def test_nothing_in_the_cache_leads_out_of_it_or_runs_as_another(
    archive: Path, cache: Path
) -> None:
    before = os.umask(0)
    try:
        use(known(IMAGINED))
    finally:
        os.umask(before)
    (tree,) = cache.iterdir()
    assert cache.stat().st_mode & 0o077 == 0, "only its user looks into the cache"
    links = [path for path in tree.rglob("*") if path.is_symlink()]
    assert [path.name for path in links] == ["vmlinux"]
    assert not (tree / "usr/bin/pipe").exists()
    assert (tree / "usr/bin/tool").stat().st_mode & 0o7000 == 0


def test_a_cache_that_others_could_write_to_is_closed(archive: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    for folder in (cache, cache.parent):
        folder.chmod(0o777)
    use(known(IMAGINED))
    assert [folder.stat().st_mode & 0o777 for folder in (cache, cache.parent)] == [0o755] * 2


def test_a_cache_of_another_user_is_neither_used_nor_filled(archive: Path, cache: Path) -> None:
    require(os.geteuid() == 0, "only root can give a folder to another user")
    use(known(IMAGINED))
    os.chown(cache.parent, 65534, 65534)
    case, ran, blocked = use(known(IMAGINED))
    assert case.get("dump.vmlinux", "") == ""
    assert "belongs to another user" in ran[-1].errors
    assert blocked is not None


def test_half_done_work_is_swept_up(
    archive: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen(("true",))
    ended.wait()
    (cache / f".part-{ended.pid}").mkdir(parents=True)
    (cache / f".part-{ended.pid}/vmlinux").write_text("half")
    living = cache / f".part-{os.getpid()}"
    living.mkdir()
    program(tmp_path / "bin", "apt-get", "echo half > half.deb; exit 1", monkeypatch)
    _, _, blocked = use(known(IMAGINED))
    assert blocked is not None
    assert list(cache.iterdir()) == [living]


def test_a_package_that_lies_about_its_size_is_stopped(
    archive: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debug_files, "_MIN_FREE_BYTES", 1 << 20)
    grow = "head -c 8000000 /dev/zero > huge.deb"
    program(tmp_path / "bin", "apt-get", grow, monkeypatch)
    _, ran, blocked = use(known(IMAGINED))
    assert not ran[-1].ok
    assert blocked is not None
    assert list(cache.iterdir()) == []


def test_a_package_that_unpacks_to_more_than_announced_is_stopped(
    archive: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file of it is too large: all of them together are."""
    monkeypatch.setattr(debug_files, "_MIN_FREE_BYTES", 1 << 20)
    many = tmp_path / "root/usr/lib/debug/many"
    many.mkdir()
    for number in range(100):
        (many / str(number)).write_bytes(bytes(200_000))
    subprocess.run(("dpkg-deb", "-b", tmp_path / "root", archive), check=True, stdout=-3)
    _, ran, blocked = use(known(IMAGINED))
    assert not ran[-1].ok
    assert blocked is not None
    assert "larger than announced" in blocked.reason
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("build", ["../..", "..", "", "-x", "ab" * 20 + "/..", "AB" * 20])
def test_what_is_no_build_id_becomes_no_part_of_a_path(build: str) -> None:
    programs = ("debuginfod-find",)
    facts = DUMP | {"host.programs": programs, "host.family": "arch", "dump.build_id": build}
    looked = told(NOTHING.replace("end", "urls=https://debuginfod.example\nend"))
    _, ran, blocked = follow(debug_files.FOR_DUMP, known(facts), looked)
    assert blocked is not None
    assert all(command.risk is Risk.READ for command in ran)


@pytest.mark.parametrize(
    ("what", "name"),
    [("ab" * 20, "../.."), ("ab" * 20, ".."), ("ab" * 20, ""), ("../..", "x"), ("--help", "x")],
)
def test_the_script_itself_removes_nothing_outside_its_folder(
    what: str, name: str, tmp_path: Path
) -> None:
    cache = tmp_path / "a" / "b" / "cache"
    cache.mkdir(parents=True)
    (tmp_path / "a" / "mine").touch()
    fetch = shell_argv(*debug_files._FETCH, name="x")
    words = ("debuginfod-find", what, str(cache), name, "1", RELEASE, "")
    done = subprocess.run((*fetch, *words), input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "no name of a" in done.stderr
    assert (tmp_path / "a" / "mine").exists()
    assert list(cache.iterdir()) == []


def test_the_servers_asked_are_those_of_the_persons_own_environment(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = known(ARCH | {"dump.build_id": "ab" * 20, "host.urls": "http://from-a-log.example"})
    wanted = next_command(debug_files.FOR_DUMP, case)
    assert isinstance(wanted, Command)
    monkeypatch.setenv("DEBUGINFOD_URLS", "http://mine.example")
    assert "urls=http://mine.example" in LocalHost().run(wanted).output
    assert "from-a-log" not in " ".join(wanted.argv)


def test_a_fetched_file_is_its_owners_alone(archive: Path, cache: Path) -> None:
    use(known(IMAGINED))
    (tree,) = cache.iterdir()
    for path in (cache, tree):
        assert path.stat().st_mode & 0o077 == 0


def test_a_small_package_of_the_real_archive(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_program("apt-get")
    ask = ("apt-cache", "show", "hello")
    shown = subprocess.run(ask, capture_output=True, timeout=60, check=False)
    require(shown.returncode == 0, "an apt archive that has the package hello")
    hello = msgspec.structs.replace(PACKAGE_SOURCES[0], names=("hello",))
    monkeypatch.setattr(debug_files, "PACKAGE_SOURCES", (hello,))
    case, ran, _ = use(known(IMAGINED))
    require(ran[-1].ok or "Could not" not in ran[-1].errors, "a network")
    assert ran[-1].ok, ran[-1].errors
    assert "kB to fetch" in texts(case.findings)
    assert "has no vmlinux" in texts(case.findings)
    (tree,) = cache.iterdir()
    assert os.access(tree / "usr/bin/hello", os.X_OK)
    installed = subprocess.run(("dpkg", "-s", "hello"), capture_output=True, timeout=30)
    assert installed.returncode == (0 if shutil.which("hello") else 1)


SPEC: Final = f"""\
Name: kernel-debuginfo
Version: 6.1.0
Release: 0.imagined
Summary: for a test
License: none
BuildArch: noarch
%description
For a test.
%install
mkdir -p %{{buildroot}}/usr/lib/debug/lib/modules/{RELEASE}
echo image > %{{buildroot}}/usr/lib/debug/lib/modules/{RELEASE}/vmlinux
ln -s /etc %{{buildroot}}/usr/lib/out
%files
/usr/lib/debug
/usr/lib/out
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dnf whose only repository is one made here, and an rpm that trusts what is in it."""
    dnf = require_program("dnf")
    folder = tmp_path / "repository"
    (tmp_path / "x.spec").write_text(SPEC)
    defines = (("_topdir", tmp_path / "rpm"), ("_rpmdir", folder), ("_build_id_links", "none"))
    words = [w for name, value in defines for w in ("--define", f"{name} {value}")]
    build = (require_program("rpmbuild"), "-bb", "--quiet", *words, str(tmp_path / "x.spec"))
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    index = (require_program("createrepo_c"), "-q", str(folder))
    subprocess.run(index, check=True, capture_output=True, timeout=120)
    (tmp_path / "dnf.conf").write_text(
        f"[main]\nreposdir=/nonexistent\ncachedir={tmp_path}/dnf\ngpgcheck=0\n"
        f"[imagined-debug]\nname=x\nbaseurl=file://{folder}\nenabled=0\n"
    )
    script = f"exec {dnf} --config={tmp_path}/dnf.conf --installroot={tmp_path}/sys --releasever=1"
    program(tmp_path / "bin", "dnf", f'{script} "$@"', monkeypatch)
    program(tmp_path / "bin", "rpmkeys", 'echo "$2: digests signatures OK"', monkeypatch)


FEDORA: Final = IMAGINED | {"host.family": "fedora", "host.programs": ("dnf", "rpmkeys")}


@pytest.fixture
def fedora_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the package's version is the kernel's release; ours has an imagined one."""
    way = msgspec.structs.replace(PACKAGE_SOURCES[1], names=("kernel-debuginfo",))
    monkeypatch.setattr(debug_files, "PACKAGE_SOURCES", (way,))


@pytest.mark.usefixtures("repository", "fedora_name")
@pytest.mark.parametrize("unpacker", ["bsdtar", "rpm2cpio"])
def test_dnf_fetches_from_a_repository_that_is_not_enabled(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unpacker: str
) -> None:
    require_program(unpacker)
    if unpacker == "rpm2cpio":
        hide("bsdtar", tmp_path, monkeypatch)
    case, ran, blocked = use(known(FEDORA))
    assert blocked is None, (ran[-1].errors, ran[-1].output)
    assert ran[1].output.split()[0] == "kernel-debuginfo-6.1.0-0.imagined.noarch"
    assert "to fetch" in texts(case.findings)
    (tree,) = cache.iterdir()
    image = tree / "usr/lib/debug/lib/modules" / RELEASE / "vmlinux"
    assert case.get("dump.vmlinux", "") == str(image)
    assert not (tree / "usr/lib/out").is_symlink()


def hide(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a PATH have every program but one."""
    folder = tmp_path / "all"
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(":")):
        for file in Path(place).iterdir() if Path(place).is_dir() else ():
            if file.name != name:
                (folder / file.name).unlink(missing_ok=True)
                (folder / file.name).symlink_to(file)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.usefixtures("repository", "fedora_name")
def test_a_package_without_a_signature_is_not_unpacked(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "rpmkeys").unlink()
    require_program("rpmkeys")
    _, _, blocked = use(known(FEDORA))
    assert blocked is not None
    assert "no good signature" in blocked.reason
    assert list(cache.iterdir()) == []


@pytest.fixture
def served(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A debuginfod on the loopback that serves one program; the build id of that program."""
    require_program("debuginfod-find")
    debuginfod = require_program("debuginfod")
    folder = tmp_path / "served"
    folder.mkdir()
    (tmp_path / "x.c").write_text("int main(void) { return 0; }\n")
    build = "5f" * 20
    flags = ("-g", f"-Wl,--build-id=0x{build}", "-o", folder / "x", tmp_path / "x.c")
    subprocess.run((require_program("gcc"), *flags), check=True, timeout=60)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ("-F", "-p", str(port), "-d", str(tmp_path / "db"), "-t", "1", str(folder))
    running = subprocess.Popen((debuginfod, *options), stderr=subprocess.DEVNULL)
    try:
        wait_for(f"{url}/buildid/{build}/debuginfo")
        monkeypatch.setenv("DEBUGINFOD_URLS", url)
        yield build
    finally:
        running.terminate()
        running.wait(20)


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"{url} does not come up")


ARCH: Final = IMAGINED | {"host.family": "arch", "host.programs": ("debuginfod-find",)}


def test_a_debuginfod_server_gives_the_vmlinux_by_its_build_id(served: str, cache: Path) -> None:
    case, ran, blocked = use(known(ARCH | {"dump.build_id": served}))
    assert blocked is None, ran[-1].errors
    (tree,) = cache.iterdir()
    image = tree / "usr/lib/debug/boot" / f"vmlinux-{RELEASE}"
    assert case.get("dump.vmlinux", "") == str(image)
    assert image.read_bytes()[:4] == b"\x7fELF"


def test_a_build_that_no_server_knows_is_told(served: str, cache: Path) -> None:
    _, _, blocked = use(known(ARCH | {"dump.build_id": "00" * 20}))
    assert blocked is not None
    assert f"no debuginfod server has {'00' * 20}" in blocked.reason
    assert list(cache.iterdir()) == []


def test_debug_packages_are_asked_for_by_the_names_of_their_distributions() -> None:
    assert [way.names[0] for way in debug_packages.PACKAGE_SOURCES] == [
        "linux-image-{}-dbg",
        "kernel-debuginfo-{}",
    ]


LOOP: Final = OOPS.replace("wobble_init", "lo_ioctl").replace("[wobble]", "[loop]")
"""A fault in a module of the kernel's tree, on a kernel with a module from outside."""
IN_LOOP: Final = ("serial.log", BOOT + LOOP.replace("wobble(OE+)", "wobble(OE) loop"))
ELSEWHERE: Final[dict[str, Value]] = {
    "log.of": "another",
    "host.kernel": "6.9.0-1-other",
    "host.family": "debian",
    "host.programs": (*PROGRAMS, "gdb"),
}


def test_a_module_of_the_kernels_tree_is_looked_for_by_its_name_where_it_is_not_here() -> None:
    tree = f"{CACHE}/x/usr/lib/debug/lib/modules/{KERNEL}/kernel/drivers/block/loop.ko"
    answers = (told(NOTHING), told(APT), fetched(f"tree={CACHE}/x", f"module={tree}"))
    case, ran, blocked = follow(debug_files.FOR_LINE, known(ELSEWHERE, IN_LOOP), *answers)
    assert blocked is None
    assert ran[0].argv[-2:] == (KERNEL, "loop.ko*")
    assert ran[2].risk is Risk.CHANGE
    assert ran[2].argv[-2:] == (KERNEL, "loop.ko*")
    assert case.get("debug.module_file", "") == tree


@pytest.mark.parametrize(
    "log",
    [
        OOPS,
        LOOP.replace("wobble(OE+)", "loop(OE)"),
    ],
    ids=["a name that the tree lacks", "a module of that name from outside"],
)
def test_a_module_from_outside_is_in_no_package_of_the_kernel(log: str) -> None:
    case = known(ELSEWHERE, ("serial.log", BOOT + log))
    assert next_command(debug_files.FOR_LINE, case) is None


DPUT: Final = (
    "serial.log",
    (BOOT + OOPS)
    .replace("wobble_init+0x11/0x1000 [wobble]", "dput+0x2/0x9")
    .replace("do_one_initcall+0x56/0x230", "wobble_drop+0x20/0x40 [wobble]"),
)
"""A fault in the kernel's own code, which a module from outside called."""


def test_without_the_suspects_file_the_kernels_own_line_is_found() -> None:
    image = f"/usr/lib/debug/boot/vmlinux-{KERNEL}"
    case = known(ELSEWHERE | {"suspect.module": "wobble"}, DPUT)
    case, ran, _ = follow(debug_files.FOR_LINE, case, told(f"vmlinux={image}\n{NOTHING}"))
    assert ran[0].argv[-2:] == (KERNEL, "")
    wanted = next_command(gdb_module.TOOL, case)
    assert isinstance(wanted, Command)
    assert wanted.argv[-1] == image
    assert "info line *('dput'+0x2)" in wanted.argv
    line = told('Line 7 of "fs/dcache.c" starts at address 0x1 <dput+2>.\n', *wanted.argv)
    said = texts(gdb_module.TOOL.read(line, case).findings)
    assert "It faulted at fs/dcache.c:7" in said
    assert "which call of wobble led there is found in its file: --module-dir DIR" in said


def test_with_a_folder_for_the_suspects_file_no_vmlinux_is_fetched() -> None:
    facts = ELSEWHERE | {"suspect.module": "wobble", "given.module_dir": "/home/user/wobble"}
    assert next_command(debug_files.FOR_LINE, known(facts, DPUT)) is None


@pytest.mark.parametrize(
    ("release", "place"),
    [
        ("5.15.0-9-generic", "ddebs.ubuntu.com"),
        ("6.6.8-200.fc39.x86_64", "koji.fedoraproject.org"),
        ("6.1.0-9-amd64", "snapshot.debian.org"),
        ("6.7.9", "whoever built 6.7.9"),
    ],
)
def test_where_no_source_of_this_machine_has_them_it_is_told_who_has(
    release: str, place: str
) -> None:
    log = (IN_LOOP[0], IN_LOOP[1].replace(KERNEL, release))
    nothing = told("", errors="E: No packages found\n", exit_code=100)
    _, _, blocked = follow(debug_files.FOR_LINE, known(ELSEWHERE, log), told(NOTHING), nothing)
    assert blocked is not None
    assert release in blocked.reason
    assert place in blocked.remedy
    assert "name its loop.ko: --module-dir DIR" in blocked.remedy


def test_kernels_that_the_lab_has_fetched_are_looked_through(cache: Path) -> None:
    boot = cache.parent / "kernels/amd64/6.1/usr/lib/debug/boot"
    boot.mkdir(parents=True)
    cache.mkdir()
    (boot / f"vmlinux-{RELEASE}").write_text("an image")
    case, ran, _ = use(known(IMAGINED))
    assert len(ran) == 1
    assert case.get("dump.vmlinux", "") == str(boot / f"vmlinux-{RELEASE}")
