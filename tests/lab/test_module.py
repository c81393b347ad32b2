"""Modules for the lab: read from a file, or built from source."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
from pathlib import Path

import pytest

from pagefault_doctor.lab import module
from pagefault_doctor.lab.machine import DEFAULT_MACHINE
from pagefault_doctor.lab.stock import Stock
from pagefault_doctor.model.errors import MissingError, PfDoctorError, UsageError
from requirements import require_kernel, require_program

SCENARIO = Path(__file__).parents[2] / "playbooks/scenarios/null-deref-module"


@pytest.fixture
def release() -> str:
    """A kernel release that modules can be built for here."""
    for name in ("make", "gcc"):
        require_program(name)
    return require_kernel("/lib/modules/{}/build", "linux-headers-{}")


def test_a_module_tells_its_name_and_the_kernel_it_is_for() -> None:
    read = module.read(SCENARIO / "faulty.ko")
    assert (read.name, read.depends) == ("faulty", ())
    assert f"Linux version {read.release} (" in (SCENARIO / "serial.log").read_text()
    assert read.data == (SCENARIO / "faulty.ko").read_bytes()


def test_a_compressed_module_is_unpacked(tmp_path: Path) -> None:
    data = (SCENARIO / "faulty.ko").read_bytes()
    (tmp_path / "faulty.ko.gz").write_bytes(gzip.compress(data))
    assert module.read(tmp_path / "faulty.ko.gz") == module.read(SCENARIO / "faulty.ko")


def test_what_is_no_module_is_refused(tmp_path: Path) -> None:
    shutil.copy("/bin/true", tmp_path / "true.ko")
    (tmp_path / "text.ko").write_text("no ELF")
    (tmp_path / "a b.ko").touch()
    with pytest.raises(MissingError, match="no file"):
        module.read(tmp_path / "absent.ko")
    for name in ("true.ko", "text.ko", "a b.ko"):
        with pytest.raises(PfDoctorError, match=r"kernel module|name of a module"):
            module.read(tmp_path / name)


@pytest.mark.parametrize("keep", [0, 3, 64, 5000, -64])
def test_a_module_that_breaks_off_is_refused_in_words(tmp_path: Path, keep: int) -> None:
    (tmp_path / "faulty.ko").write_bytes((SCENARIO / "faulty.ko").read_bytes()[:keep])
    with pytest.raises(PfDoctorError, match=r"not a kernel module|damaged module"):
        module.read(tmp_path / "faulty.ko")


def test_a_module_with_any_damaged_header_is_read_or_refused_in_words(tmp_path: Path) -> None:
    whole = (SCENARIO / "faulty.ko").read_bytes()
    refused = 0
    for at in (*range(4, 64, 2), *range(len(whole) - 1024, len(whole), 8)):
        (tmp_path / "faulty.ko").write_bytes(whole[:at] + b"\xff\xff" + whole[at + 2 :])
        try:
            module.read(tmp_path / "faulty.ko")
        except PfDoctorError:
            refused += 1
    assert refused


def test_a_list_of_built_files_that_names_others_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "modules.order").write_bytes(b"/etc/passwd\n\xff.ko\n")
    assert module._built_files(tmp_path) == []
    (tmp_path / "own.ko").touch()
    (tmp_path / "modules.order").write_text(f"/etc/passwd\n{tmp_path}/own.o\n")
    assert module._built_files(tmp_path) == [tmp_path / "own.ko"]


def test_a_folder_without_a_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no Kbuild and no Makefile; name the module's own"):
        module.build(tmp_path, "9.9", tmp_path / "out")


def test_several_files_without_a_makefile_are_refused_with_how_to_write_one(
    tmp_path: Path,
) -> None:
    for name in ("a.c", "b.c", "old.mod.c"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"NAME-y := a\.o b\.o$"):
        module.build(tmp_path, "9.9", tmp_path / "out")


def test_one_file_without_a_makefile_gets_one_in_the_copy(release: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(SCENARIO / "src/faulty.c", source)
    built = module.build(source, release, tmp_path / "out")
    assert [m.name for m in built] == ["faulty"]
    assert [path.name for path in source.iterdir()] == ["faulty.c"]


def test_a_build_leaves_the_source_as_it_was(release: str, tmp_path: Path) -> None:
    before = sorted((SCENARIO / "src").iterdir())
    (built,) = module.build(SCENARIO / "src", release, tmp_path / "out")
    assert (built.name, built.release) == ("faulty", release)
    assert sorted((SCENARIO / "src").iterdir()) == before
    assert bytes(tmp_path) not in built.data
    assert bytes(SCENARIO / "src/faulty.c") in built.data


def test_what_an_earlier_build_left_is_not_taken(release: str, tmp_path: Path) -> None:
    source = tmp_path / "src"
    shutil.copytree(SCENARIO / "src", source)
    (source / "stale.ko").write_text("of another kernel")
    assert [m.name for m in module.build(source, release, tmp_path / "out")] == ["faulty"]


def test_a_build_that_fails_gives_the_compilers_complaint(release: str, tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "Kbuild").write_text("obj-m := broken.o\n")
    (source / "broken.c").write_text("int x = y;\n")
    with pytest.raises(PfDoctorError, match=r"; broken\.c:1:9: error: 'y' undeclared"):
        module.build(source, release, tmp_path / "out")


def test_modules_that_a_module_depends_on_are_found(release: str) -> None:
    require_program("modprobe")
    found = module.kernel_modules(release, ("qemu_fw_cfg",))
    assert [Path(path).name.partition(".")[0] for path in found] == ["qemu_fw_cfg"]
    assert module.kernel_modules(release, ("no_such_module",)) == {}


def test_a_compressed_module_of_the_kernel_is_unpacked_for_the_guest(
    release: str, tmp_path: Path
) -> None:
    require_program("modprobe")
    depmod = require_program("depmod")
    folder = tmp_path / f"lib/modules/{release}"
    folder.mkdir(parents=True)
    ((_, whole),) = module.kernel_modules(release, ("qemu_fw_cfg",)).items()
    (folder / "qemu_fw_cfg.ko.xz").write_bytes(lzma.compress(whole))
    subprocess.run((depmod, "-b", str(tmp_path), release), check=True)
    found = module.kernel_modules(release, ("qemu_fw_cfg",), Stock(DEFAULT_MACHINE, tmp_path))
    assert found == {f"/lib/modules/{release}/qemu_fw_cfg.ko": whole}


def test_a_program_is_compiled_for_guests(tmp_path: Path) -> None:
    require_program("gcc")
    (tmp_path / "part.h").write_text("#define STATUS 7\n")
    (tmp_path / "ends.c").write_text('#include "part.h"\nint main(void) { return STATUS; }\n')
    program = module.build_program(tmp_path / "ends.c", "ends", flags=())
    (tmp_path / "ends").write_bytes(program)
    (tmp_path / "ends").chmod(0o755)
    assert subprocess.run((str(tmp_path / "ends"),), check=False).returncode == 7
    (tmp_path / "broken.c").write_text("int x = y;\n")
    with pytest.raises(module.BuildError, match=r"; broken\.c:1:9: error: 'y' undeclared"):
        module.build_program(tmp_path / "broken.c", "broken", flags=())


def test_a_makefile_that_only_builds_by_its_own_target_is_built(
    release: str, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    shutil.copy(SCENARIO / "src/faulty.c", source / "inner")
    (source / "inner/Kbuild").write_text("obj-$(CONFIG_OF_ITS_OWN) += faulty.o\n")
    (source / "Makefile").write_text(
        "obj-y += inner/\nall:\n\t$(MAKE) -C $(KDIR) M=$(CURDIR) CONFIG_OF_ITS_OWN=m modules\n"
    )
    (built,) = module.build(source, release, tmp_path / "copy")
    assert (built.name, built.release) == ("faulty", release)
