"""Which modules are of the kernel's own tree, and where they lie in it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pagefault_doctor.symbols import in_tree

SCRIPT = Path(__file__).parents[2] / "bench/in_tree_modules.py"


@pytest.mark.parametrize(
    ("module", "folder"),
    [
        ("ext4", "fs/ext4"),
        ("snd_hda_intel", "sound/hda/controllers"),
        ("snd-hda-intel", "sound/hda/controllers"),
        ("rtw88_core", "drivers/net/wireless/realtek/rtw88"),
        # Which no Debian kernel for PCs has, and which left the tree later.
        ("qcom_q6v5_mss", "drivers/remoteproc"),
        ("ashmem_linux", "drivers/staging/android"),
        # By an option of two lists, and by the list that another makefile's line names.
        ("l2tp_ppp", "net/l2tp"),
        ("rdma_cm", "drivers/infiniband/core"),
        # The first and the last of the list.
        ("srm_env", "arch/alpha/kernel"),
        ("irqbypass", "virt/lib"),
        # Several architectures have one.
        ("kvm", "arch"),
    ],
)
def test_a_module_of_the_tree_has_its_folder(module: str, folder: str) -> None:
    assert in_tree.path_of(module) == folder


@pytest.mark.parametrize(
    "module",
    # Drivers from outside, and what the list has beside names of modules.
    [
        "nvidia",
        "8188eu",
        "zfs",
        "vboxdrv",
        "r8168",
        "",
        " ",
        "ext",
        "fs/ext4",
        "releases",
        "7.2.13",
    ],
)
def test_what_is_no_module_of_the_tree_has_none(module: str) -> None:
    assert in_tree.path_of(module) is None


def test_the_list_names_its_releases() -> None:
    assert in_tree.releases()[0] == "5.10"
    assert len(in_tree.releases()) >= 4


def script() -> ModuleType:
    """Return the script that writes the list, as a module."""
    spec = importlib.util.spec_from_file_location("in_tree_modules", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_makefiles_tell_the_modules() -> None:
    files = {
        "drivers/a/Kconfig": "config ONE\n\ttristate \"One\"\n\tdepends on PCI\n\n"
        "config TWO\n\tbool \"Two\"\n\nmenuconfig THREE\n\tdepends on NET\n\tdef_tristate m\n",
        "drivers/a/Makefile": "# obj-m += said.o\n"
        "obj-$(CONFIG_ONE) += one-core.o \\\n\tone-usb.o sub/ # obj.o\n"
        "one-core-objs := part.o\nobj-$(CONFIG_TWO) += two.o\nobj-y += always.o\n"
        "obj-$(subst y,$(CONFIG_THREE),$(CONFIG_TWO)) += three.o\n"
        "more-$(CONFIG_TWO) := more.o\nobj-${CONFIG_THREE} := $(more-y)\nobj-m += deep/four.o\n",
        "tools/testing/Makefile": "obj-m += test.o\n",
        "arch/mips/b/Makefile": "obj-$(CONFIG_ONE) += five.o\n",
        "arch/x86/b/Makefile": "obj-$(CONFIG_ONE) += five.o\n",
    }  # fmt: skip
    assert script().modules_of(files) == {
        **dict.fromkeys(("one_core", "one_usb", "three", "more"), "drivers/a"),
        "four": "drivers/a/deep",
        "five": "arch",
    }
