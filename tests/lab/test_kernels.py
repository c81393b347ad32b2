"""Other kernels for guests: what they are called, how one is fetched, and what is built in it."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pagefault_doctor.cli.lab_commands.host import lab_host
from pagefault_doctor.cli.lab_commands.kernels import SCRIPT
from pagefault_doctor.cli.main import main
from pagefault_doctor.lab import kernels, machine, module, stock
from pagefault_doctor.lab.host_tools import HostTools
from pagefault_doctor.lab.kernels import fetched_kernels, kernel_name, kernel_stock
from pagefault_doctor.lab.machine import ARM64, X86_64
from pagefault_doctor.lab.stock import Stock, release_of
from pagefault_doctor.model.command import Command, Result, ResultStatus
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from pagefault_doctor.model.event import LabCase
from requirements import require, require_program

Capture = pytest.CaptureFixture[str]

DEBIAN = machine.DEFAULT_MACHINE.debian
RELEASE = f"9.1.2+deb1-cloud-{DEBIAN}"
OLDER = f"9.0.7-1-cloud-{DEBIAN}"
TOOLS = (
    *("base-files", "bash", "coreutils", "dash", "findutils", "grep", "gzip", "mawk", "make"),
    *("sed", "xz-utils"),
)
PROGRAMS = (
    *("busybox-static", "coreutils", "dash", "findutils", "grep", "hostname", "kmod"),
    *("memtester", "procps", "sed", "stress-ng", "util-linux"),
)
FOREIGN = next(one for one in (machine.S390X, machine.RISCV64) if not one.native)
FOREIGN_RELEASE = f"9.1.2+deb1-{FOREIGN.flavours[0]}"
CROSS = FOREIGN.cross.rstrip("-")


X86_64_SUITES = (*kernels.MOVING, *kernels.STABLE.values())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of this user's kernels; there are none of all users."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(stock, "SHARED_CACHE", tmp_path / "shared")
    return tmp_path / "cache/pfdoctor/lab/kernels" / machine.DEFAULT_MACHINE.arch


def put_kernel(folder: Path, name: str, release: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "complete").write_text(f"{release}\n")
    return folder / name


@pytest.mark.parametrize(
    ("said", "name", "version", "suites", "flavours"),
    [
        ("5.10", "5.10", "5.10", ("bullseye",), X86_64.flavours),
        ("trixie", "6.12", "6.12", ("trixie",), X86_64.flavours),
        ("bookworm-amd64", "6.1-amd64", "6.1", ("bookworm",), ("amd64",)),
        ("sid-cloud-amd64", "sid-cloud-amd64", "", ("sid",), ("cloud-amd64",)),
        ("forky", "forky", "", ("forky",), X86_64.flavours),
        ("7.2", "7.2", "7.2", X86_64_SUITES, X86_64.flavours),
        ("6.12.3", "6.12.3", "6.12.3", X86_64_SUITES, X86_64.flavours),
    ],
)
def test_a_kernel_is_called_by_its_version_or_its_suite(
    said: str, name: str, version: str, suites: tuple[str, ...], flavours: tuple[str, ...]
) -> None:
    assert kernel_name(said, X86_64) == kernels.KernelName(name, version, suites, flavours)


def test_a_flavour_is_not_taken_for_one_whose_name_ends_alike() -> None:
    assert kernels.fits("6.1.0-9-amd64", "6.1-amd64")
    assert kernels.fits("6.12.9+deb13-amd64", "6.12-amd64")
    assert kernels.fits("6.1.0-9-686-pae", "6.1-686-pae")
    for release in ("6.1.0-9-cloud-amd64", "6.1.0-9-rt-amd64", "6.12.9-amd64", "6.1.0-9"):
        assert not kernels.fits(release, "6.1-amd64"), release
    assert not kernels.fits("6.1.0-9-686-pae", "6.1-686")


@pytest.mark.parametrize(
    "said", ["", "latest", "../6.1", "6", "6.1\n", "-x", "6.1/..", "٦.١", "6.1-x", "-amd64"]
)
def test_what_no_kernel_is_called_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="no kernel is called"):
        kernel_name(said)


def test_a_fetched_kernel_is_found_by_name_suite_version_and_release(cache: Path) -> None:
    own = Stock(machine.DEFAULT_MACHINE, cache / "none")
    older = put_kernel(cache, "6.12", "6.12.9-cloud-amd64")
    newer = put_kernel(cache, "forky", "7.2.1+deb14-cloud-amd64")
    (cache / "half.partial").mkdir()
    put_kernel(cache, "damaged", "x").joinpath("complete").write_bytes(b"\xff")
    kinds = {
        **{"6.12": older, "trixie": older, "6.12.9": older, "6.12.9-cloud-amd64": older},
        **{"7.2": newer, "forky": newer, "7.2.1": newer},
    }
    for said, folder in kinds.items():
        assert kernel_stock(machine.DEFAULT_MACHINE, said, own).root == folder, said
    names = [kernel.name for kernel in fetched_kernels(machine.DEFAULT_MACHINE)]
    assert names == ["6.12", "forky"]
    for said in ("6.1", "7.21", "bullseye"):
        with pytest.raises((MissingError, UsageError)):
            kernel_stock(machine.DEFAULT_MACHINE, said, own)


def test_this_machines_own_kernel_is_not_fetched(tmp_path: Path) -> None:
    root = tmp_path / "own"
    (root / "boot").mkdir(parents=True)
    (root / "boot/vmlinuz-6.1.0-9-cloud").touch()
    (root / "lib/modules/6.1.0-9-cloud").mkdir(parents=True)
    own = Stock(machine.DEFAULT_MACHINE, root)
    assert kernel_stock(machine.DEFAULT_MACHINE, "6.1", own) is own
    with pytest.raises(MissingError) as refused:
        kernel_stock(machine.DEFAULT_MACHINE, "bullseye", own)
    assert refused.value.remedy == "pfdoctor lab kernels fetch 5.10"


def test_a_kernel_gets_a_processor_that_it_boots_on() -> None:
    older, newer = X86_64.cpu("6.1.0-9-amd64"), X86_64.cpu("6.12.1+deb13-amd64")
    assert older == X86_64.cpu("5.10.0-3-amd64") == "qemu64,+smap,+smep,-cx16"
    assert newer == X86_64.cpu("7.2.1-amd64") == "EPYC,-cx16"
    assert X86_64.cpu("no-numbers") == X86_64.cpus[-1][1]
    assert ARM64.cpu("7.2.1-arm64") == ARM64.cpu("6.1") == "cortex-a76"


def test_a_kernel_that_is_not_here_is_told_with_the_remedy(capsys: Capture) -> None:
    words = ["lab", "run", "--source", ".", "--kernel"]
    assert main([*words, "99.9"]) == 3
    assert "no kernel 99.9 is here" in (said := capsys.readouterr().err)
    assert "pfdoctor lab kernels fetch 99.9" in said
    assert main([*words, "99.9", "--arch", FOREIGN.arch]) == 3
    assert f"pfdoctor lab kernels fetch 99.9 --arch {FOREIGN.arch}" in capsys.readouterr().err
    assert main([*words, "x y"]) == 2
    assert main([*words, "6.1", "--root", "/"]) == 2
    assert "both name a kernel" in capsys.readouterr().err


class Repository:
    """A Debian repository of small packages, with two releases of a kernel in the suite forky.

    For another architecture there is the newer one. Its index names a yet newer one that is gone,
    and an image that was left without headers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index: dict[tuple[str, str], list[str]] = {}
        for name in dict.fromkeys((*TOOLS, *PROGRAMS, "libc6-dev")):
            self.add("trixie", name, {f"usr/bin/{name}": "program"})
            self.add("forky", name, {f"usr/bin/{name}": "program"})
        for release in (OLDER, RELEASE):
            self.add("forky", f"linux-image-{release}", {"usr/share/doc/x": ""})
            headers = f"linux-headers-{release}"
            link = (f"usr/lib/modules/{release}/build", f"/usr/src/{headers}")
            self.add("forky", headers, {f"usr/src/{headers}/Makefile": ""}, link)
        modules = f"usr/lib/modules/{RELEASE}"
        self.add("forky", f"linux-binary-{RELEASE}", {f"{modules}/vmlinuz": "kernel"})
        self.add("forky", f"linux-modules-{RELEASE}", {f"{modules}/kernel/x.ko": ""})
        vmlinux = f"usr/lib/debug/boot/vmlinux-{RELEASE}"
        there = f"lib/modules/{RELEASE}/vmlinux"
        files = {f"usr/lib/debug/{there}": "names", "usr/share/doc/y": ""}
        self.add("forky", f"linux-image-{RELEASE}-dbg", files, (vmlinux, f"../{there}"))
        older = {f"usr/lib/debug/boot/vmlinux-{OLDER}": "older"}
        self.add("forky", f"linux-image-{OLDER}-dbg", older)
        self._add_foreign()
        for (suite, arch), packages in self._index.items():
            place = folder / "dists" / suite / "main" / f"binary-{arch}"
            place.mkdir(parents=True)
            (place / "Packages").write_text("\n".join(packages))
        self.sources = folder / "test.list"
        self.sources.write_text(f"deb [trusted=yes] copy:{folder} any main\n")

    def _add_foreign(self) -> None:
        """Add a kernel of another architecture, and what modules for it are built with here."""
        foreign = FOREIGN.debian
        for version, suite in enumerate(("trixie", "forky"), 1):
            for name in PROGRAMS:
                files = {f"usr/bin/{name}": suite}
                self.add(suite, name, files, arch=foreign, version=version)
        gone = FOREIGN_RELEASE.replace("9.1.2", "9.1.3")
        for release in (FOREIGN_RELEASE, gone):
            headers = f"linux-headers-{release}"
            place = f"usr/lib/modules/{release}"
            image = {f"boot/vmlinux-{release}": "kernel", f"{place}/kernel/x.ko": ""}
            self.add("forky", f"linux-image-{release}", image, arch=foreign)
            needs = f"{headers}-common, linux-kbuild-9.1, gcc-15"
            link = (f"{place}/build", f"/usr/src/{headers}")
            files = {f"usr/src/{headers}/Makefile": ""}
            self.add("forky", headers, files, link, arch=foreign, depends=needs)
            files = {f"usr/src/{headers}-common/Makefile": ""}
            self.add("forky", f"{headers}-common", files, arch=foreign)
        self._file(f"linux-headers-{gone}", foreign).unlink()
        left = FOREIGN_RELEASE.replace("9.1.2", "9.1.4")
        self.add("forky", f"linux-image-{left}", {"usr/share/doc/x": ""}, arch=foreign)
        self.add("forky", "linux-kbuild-9.1", {"usr/lib/linux-kbuild-9.1/scripts/x": ""})
        self.add("forky", f"gcc-15-{CROSS}", {f"usr/bin/{CROSS}-gcc-15": "compiler"})
        self.add("forky", f"libc6-dev-{foreign}-cross", {f"usr/{CROSS}/include/stdio.h": ""})

    def _file(self, name: str, arch: str, version: int = 1) -> Path:
        return self.folder / f"{name}_{version}_{arch}.deb"

    def add(
        self,
        suite: str,
        name: str,
        files: dict[str, str],
        link: tuple[str, str] | None = None,
        *,
        arch: str = DEBIAN,
        version: int = 1,
        depends: str = "",
    ) -> None:
        """Build a package and put it into the index of a suite."""
        root = self.folder / "build" / arch / name
        (root / "DEBIAN").mkdir(parents=True, exist_ok=True)
        merged = root / "usr/lib"
        merged.mkdir(parents=True, exist_ok=True)
        if name == "base-files" and not (root / "lib").is_symlink():
            (root / "lib").symlink_to("usr/lib")
        control = (
            f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\n"
            "Maintainer: x <x@example>\nDescription: x\n"
        ) + (f"Depends: {depends}\n" if depends else "")
        (root / "DEBIAN/control").write_text(control)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        if link and not (root / link[0]).is_symlink():
            (root / link[0]).parent.mkdir(parents=True, exist_ok=True)
            (root / link[0]).symlink_to(link[1])
        package = self._file(name, arch, version)
        argv = ("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(package))
        subprocess.run(argv, check=True, capture_output=True)
        data = package.read_bytes()
        checksum = hashlib.sha256(data).hexdigest()
        place = f"Filename: {package.name}\nSize: {len(data)}\nSHA256: {checksum}\n"
        self._index.setdefault((suite, arch), []).append(control + place)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    for name in ("apt-get", "dpkg-deb", "depmod", "flock"):
        path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
        require(path, f"{name} is not here: packages apt, dpkg, kmod, util-linux")
    return Repository(tmp_path_factory.mktemp("debian"))


def fetch(repository: Repository, *words: str) -> int:
    return main(["lab", "kernels", "fetch", *words, "--sources", str(repository.sources)])


def test_without_consent_it_says_how_much_and_leaves_nothing(
    repository: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert fetch(repository, "forky") == 0
    out, err = capsys.readouterr()
    assert f"{RELEASE} of Debian's forky" in out
    assert "MB to download" in out
    assert "nothing was fetched" in err
    assert list(cache.iterdir()) == []


def test_it_is_fetched_whole_with_links_that_stay_within_it(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    assert fetch(repository, "9.1", "--yes") == 0
    root = cache / "9.1"
    assert [path.name for path in cache.iterdir()] == ["9.1"]
    assert (root / "complete").read_text() == f"{RELEASE}\n"
    assert (root / f"boot/vmlinuz-{RELEASE}").read_text() == "kernel"
    assert (root / f"lib/modules/{RELEASE}/build/Makefile").is_file()
    assert (root / f"lib/modules/{RELEASE}/modules.dep").is_file()
    links = [path for path in root.rglob("*") if path.is_symlink()]
    assert not [path for path in links if os.readlink(path).startswith("/")]
    others = set(root.rglob("*")) - set(links)
    assert not [path for path in others if path.stat().st_mode & stat.S_IWOTH]
    stock = kernel_stock(machine.DEFAULT_MACHINE, "9.1", Stock(machine.DEFAULT_MACHINE, cache))
    assert stock.kernel() == root / f"boot/vmlinuz-{RELEASE}"
    assert stock.has_compiler
    capsys.readouterr()
    assert fetch(repository, "9.1", "--yes") == 0
    assert "is already in" in capsys.readouterr().err
    assert main(["lab", "kernels"]) == 0
    assert RELEASE in capsys.readouterr().out
    assert main(["lab", "kernels", "remove", "9.1"]) == 0
    assert list(cache.iterdir()) == []


def test_a_kernel_for_which_there_is_no_room_is_not_fetched(
    repository: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    full = shutil._ntuple_diskusage(1 << 40, 1 << 40, 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert fetch(repository, "forky", "--yes") == 1
    assert "has 0 MB to spare" in capsys.readouterr().err
    assert fetched_kernels(machine.DEFAULT_MACHINE) == ()


def test_a_disk_that_fills_up_is_told(repository: Repository, cache: Path) -> None:
    """It had room when that was asked for."""
    for name in ("unshare", "mount"):
        require_program(name)
    allowed = subprocess.run(("unshare", "--user", "--map-root-user", "true"), check=False)
    require(allowed.returncode == 0, "an ordinary user may not make namespaces here")
    cache.mkdir(parents=True)
    program = (
        "import shutil, sys; from pagefault_doctor.cli.main import main; "
        "room = shutil.disk_usage('/')._replace(free=1 << 40); "
        "shutil.disk_usage = lambda folder: room; sys.exit(main(sys.argv[1:]))"
    )
    words = ("lab", "kernels", "fetch", "forky", "--yes", "--sources", str(repository.sources))
    mount = f'mount -t tmpfs -o size=400k small {cache} && exec "$@"'
    inside = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh")
    argv = (*inside, sys.executable, "-c", program, *words)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search("No space left on device.*; make room in", done.stderr)


def test_the_debug_information_comes_with_it_or_later(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    assert fetch(repository, "9.1", "--yes", "--debug") == 0
    assert fetch(repository, "forky", "--yes") == 0
    vmlinux = f"usr/lib/debug/boot/vmlinux-{RELEASE}"
    assert (cache / "9.1" / vmlinux).read_text() == "names"
    assert not (cache / "forky" / vmlinux).exists()
    assert fetch(repository, "forky", "--yes", "--debug") == 0
    assert (cache / "forky" / vmlinux).read_text() == "names"
    assert not (cache / "forky/usr/share/doc/y").exists()
    assert not (cache / "forky" / vmlinux).is_symlink()
    assert fetch(repository, "9.0", "--yes", "--debug") == 0
    assert (cache / f"9.0/usr/lib/debug/boot/vmlinux-{OLDER}").read_text() == "older"
    assert sorted(path.name for path in cache.iterdir()) == ["9.0", "9.1", "forky"]
    capsys.readouterr()
    assert fetch(repository, "forky", "--yes", "--debug") == 0
    assert "is already in" in capsys.readouterr().err
    (cache / "forky" / vmlinux).unlink()
    (cache / "forky" / vmlinux).symlink_to("nowhere")
    assert fetch(repository, "forky", "--yes", "--debug") == 0
    assert (cache / "forky" / vmlinux).read_text() == "names"


def test_an_older_version_is_fetched_by_its_number(repository: Repository, cache: Path) -> None:
    assert fetch(repository, "9.0", "--yes") == 0
    assert (cache / "9.0/complete").read_text() == f"{OLDER}\n"


def test_a_version_that_no_suite_has_is_told_with_those_they_have(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    assert fetch(repository, "6.12", "--yes") == 1
    said = capsys.readouterr().err
    assert said.count(f"no kernel 6.12 for {DEBIAN} in trixie") == 1
    assert "name one of these" in said
    assert list(cache.iterdir()) == []
    repository.sources.with_name("one.list").write_text(repository.sources.read_text())
    flavour = f"cloud-{DEBIAN}"
    script = ("sh", str(SCRIPT), "plan", str(cache / "x"), DEBIAN, flavour, "")
    words = (str(repository.sources), "", "9.2", "trixie", "forky")
    done = subprocess.run((*script, *words), capture_output=True, text=True)
    assert f"forky: {RELEASE}" in done.stderr
    assert not (cache / "6.12").exists()


def test_what_breaks_off_is_gone_on_with_and_half_a_kernel_is_none(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    package = repository.folder / f"linux-modules-{RELEASE}_1_{DEBIAN}.deb"
    away = package.rename(package.with_suffix(".away"))
    try:
        assert fetch(repository, "forky", "--yes") == 1
        out, err = capsys.readouterr()
        assert "could not be fetched" in err
        assert "it goes on where it stopped" in err
        assert "error: " not in out + err
    finally:
        away.rename(package)
    assert fetched_kernels(machine.DEFAULT_MACHINE) == ()
    assert [path.name for path in cache.iterdir()] == ["forky.partial"]
    assert fetch(repository, "forky", "--yes") == 0
    assert [path.name for path in cache.iterdir()] == ["forky"]


def test_a_download_that_is_damaged_is_told_in_one_line(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    package = repository.folder / f"linux-modules-{RELEASE}_1_{DEBIAN}.deb"
    whole = package.read_bytes()
    package.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        assert fetch(repository, "forky", "--yes") == 1
    finally:
        package.write_bytes(whole)
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "Hash Sum mismatch" in line] == said[-1:]
    assert fetch(repository, "forky", "--yes") == 0


def foreign_cache(cache: Path) -> Path:
    return cache.with_name(FOREIGN.arch)


def test_one_of_another_architecture_comes_with_a_root_to_build_in(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    assert fetch(repository, "forky", "--yes", "--arch", FOREIGN.arch) == 0
    said = capsys.readouterr()
    assert f"{FOREIGN_RELEASE} of Debian's forky" in said.out
    assert "is not there any more" in said.err
    stock = kernel_stock(FOREIGN, "9.1", Stock(FOREIGN, cache))
    root = foreign_cache(cache) / "forky"
    assert stock.kernel() == root / f"boot/vmlinux-{FOREIGN_RELEASE}"
    assert stock == kernels.usual_stock(FOREIGN)
    assert (root / f"lib/modules/{FOREIGN_RELEASE}/modules.dep").is_file()
    assert (root / "usr/bin/busybox-static").read_text() == "forky"
    assert not (root / "usr/bin/make").exists()
    assert stock.has_compiler
    assert (stock.build_folder(FOREIGN_RELEASE) / "Makefile").is_file()
    assert (stock.builder / f"usr/src/linux-headers-{FOREIGN_RELEASE}-common/Makefile").is_file()
    assert (stock.builder / f"usr/bin/{CROSS}-gcc").read_text() == "compiler"
    assert (stock.builder / "usr/lib/linux-kbuild-9.1/scripts/x").is_file()
    links = [path for path in root.rglob("*") if path.is_symlink()]
    assert not [path for path in links if os.readlink(path).startswith("/")]
    assert main(["lab", "kernels", "list", "--arch", FOREIGN.arch, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    here = {"name": "forky", "release": FOREIGN_RELEASE, "folder": str(root)}
    assert (listed["arch"], listed["kernels"]) == (FOREIGN.arch, [here])
    assert {"6.1", "6.12", "sid"} <= set(listed["fetchable"])
    assert main(["lab", "kernels", "remove", "forky", "--arch", FOREIGN.arch]) == 0
    assert not root.exists()


def test_programs_that_a_suite_lacks_come_from_another(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    package = repository.folder / f"kmod_2_{FOREIGN.debian}.deb"
    away = package.rename(package.with_suffix(".away"))
    try:
        assert fetch(repository, "forky", "--yes", "--arch", FOREIGN.arch) == 0
    finally:
        away.rename(package)
    assert "forky lacks packages" in capsys.readouterr().out
    root = foreign_cache(cache) / "forky"
    assert (root / "usr/bin/kmod").read_text() == (root / "usr/bin/grep").read_text() == "trixie"


def test_a_suite_without_a_kernel_for_an_architecture_is_told(capsys: Capture) -> None:
    assert main(["lab", "kernels", "fetch", "trixie", "--arch", "mips64el"]) == 2
    assert "Debian's trixie has no kernel for mips64el" in capsys.readouterr().err
    assert kernel_name("6.12", machine.MIPS64EL).suites == ("bookworm-backports", "bookworm")
    assert kernel_name("6.1", machine.MIPS64EL).suites == ("bookworm",)
    assert main(["lab", "kernels", "--arch", "vax"]) == 2
    assert "no guest of the architecture vax" in capsys.readouterr().err


def test_a_version_older_than_any_of_an_architecture_is_refused_at_once(capsys: Capture) -> None:
    for arch, version, oldest in (("s390x", "5.10", "6.1"), ("riscv64", "6.1", "6.12")):
        assert main(["lab", "kernels", "fetch", version, "--arch", arch]) == 2
        said = capsys.readouterr().err
        assert f"Debian has no kernel {version} for {arch}" in said
        assert f"such as 7.2, or {oldest}," in said
    assert kernel_name("6.12", machine.MIPS64EL).name == "6.12"


def test_two_do_not_fetch_the_same_kernel(
    repository: Repository, cache: Path, capsys: Capture
) -> None:
    partial = cache / "forky.partial"
    partial.mkdir(parents=True, mode=0o700)
    for folder in (partial, *list(partial.parents)[:4]):
        folder.chmod(0o700)
    with (partial / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert fetch(repository, "forky", "--yes") == 1
    assert "another pfdoctor fetches it now" in capsys.readouterr().err


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a fetched kernel, with a script as make; what that sees is real."""
    busybox = require_program("busybox")
    for name in ("unshare", "chroot", "mount"):
        require_program(name)
    allowed = subprocess.run(("unshare", "--user", "--map-root-user", "true"), check=False)
    require(allowed.returncode == 0, "an ordinary user may not make namespaces here")
    root = tmp_path / "root"
    for name in ("usr/bin", "proc", "dev", "tmp", "lib/modules/9.1/build"):
        (root / name).mkdir(parents=True)
    shutil.copy(busybox, root / "usr/bin/busybox")
    make = root / "usr/bin/make"
    make.write_text(
        "#!/usr/bin/busybox sh\n"
        'busybox=/usr/bin/busybox; echo "$* $KCFLAGS" >/tmp/source/words\n'
        "$busybox ls / >/tmp/source/top\n"
        "$busybox test -e /proc/self && echo yes >/tmp/source/proc\n"
        "echo /tmp/source/x.o >/tmp/source/modules.order\n"
        'echo "/tmp/source/x.c:3: error: no such thing" >&2; exit 2\n'
    )
    make.chmod(0o755)
    return root


def test_a_module_is_built_with_the_programs_of_the_fetched_root(
    root: Path, tmp_path: Path
) -> None:
    source, folder = tmp_path / "source", tmp_path / "copy"
    source.mkdir()
    (source / "Makefile").touch()
    with pytest.raises(PfDoctorError) as failed:
        module.build(source, "9.1", folder, stock=Stock(machine.DEFAULT_MACHINE, root))
    assert failed.value.remedy == "x.c:3: error: no such thing"
    # What Kbuild does not build is tried by its own Makefile as well: the words are the last ones.
    words = (folder / "words").read_text()
    assert words.startswith("-C /tmp/source KERNEL_SRC=/lib/modules/9.1/build ")
    assert f"-ffile-prefix-map=/tmp/source={source}" in words
    assert "lib" in (folder / "top").read_text().split()
    assert (folder / "proc").read_text() == "yes\n"
    assert list((root / "tmp").iterdir()) == []
    assert str(root) not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.parametrize("seen_as", ["/usr/src/x-1.0", ""])
def test_a_walk_builds_there_too_and_names_the_source_as_the_person_does(
    root: Path, tmp_path: Path, seen_as: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    place = seen_as or str(source)
    places = {seen_as: source} if seen_as else {}
    tools_here = HostTools("lab", places, Stock(machine.DEFAULT_MACHINE, root), source=place)
    shown: list[str] = []
    argv = ("make", "-C", "/lib/modules/9.1/build", f"M={place}", "modules")
    result = tools_here.run(Command(argv=argv, tool="module-build"), shown.append)
    words = "-C /lib/modules/9.1/build M=/tmp/source modules"
    named = f"-ffile-prefix-map=/tmp/source={place}"
    assert (source / "words").read_text() == f"{words} {named}\n"
    assert "lib" in (source / "top").read_text().split()
    assert result.errors == "".join(shown) == f"{place}/x.c:3: error: no such thing\n"
    assert result.command.argv == argv
    sparse = tools_here.run(Command(argv=("sh", "-c", "true"), tool="sparse"))
    assert sparse.status is ResultStatus.MISSING
    ask = Result(command=Command(argv=("true",), tool="box"), status=ResultStatus.OK, output="end=")
    lines = tools_here.with_programs(ask).output.splitlines()
    assert {"program=gcc", "program=make"} <= set(lines)
    assert "debug_remedy=pfdoctor lab kernels fetch root --debug" in lines


def test_a_walk_boots_the_kernel_of_its_case(kernel: Path, tmp_path: Path) -> None:
    release = release_of(kernel)
    require(Path("/lib/modules", release, "build").exists(), "no kernel headers")
    for name in ("make", "gcc"):
        require_program(name)
    case = LabCase(scenario="null-deref-module", kernel=release)
    with lab_host(case) as host:
        assert host.release == release
    with (
        pytest.raises(MissingError) as missing,
        lab_host(msgspec.structs.replace(case, kernel="99.9")),
    ):
        pass
    assert missing.value.remedy == "pfdoctor lab kernels fetch 99.9"


def test_a_case_with_a_kernel_of_its_own_takes_no_other() -> None:
    case = LabCase(scenario="machine-check", kernel="6.1")
    with pytest.raises(UsageError, match="a kernel of its own"), lab_host(case):
        pass


def test_the_kernels_that_are_here_are_listed_as_json(cache: Path, capsys: Capture) -> None:
    put_kernel(cache, "forky", RELEASE)
    assert main(["lab", "kernels", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    there = {"name": "forky", "release": RELEASE, "folder": str(cache / "forky")}
    assert there in listed["kernels"]
    assert "sid" in listed["fetchable"]
    assert "forky" not in listed["fetchable"]
