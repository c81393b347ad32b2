"""The packages of a distribution's kernel, and how it is set up to write a dump, by its release.

`{}` stands for the release. Names are those of the distributions' own packages.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pagefault_doctor.model.kernel_builder import builder_of
from pagefault_doctor.model.pattern import regex


class KernelPackages(msgspec.Struct, frozen=True, kw_only=True):
    """What a distribution calls the packages of a kernel.

    `builder` is as in `model/kernel_builder.py`; `shape` narrows it to some of its releases.
    `image` has the kernel and `modules` its modules. `debug` has their debug information and comes
    `debug_from` there. `kdump` are commands for root, after which the next boot can write a dump.
    Each is empty where there is none.
    """

    builder: str
    shape: str = ""
    image: str
    modules: str = ""
    debug: str = ""
    debug_from: str = ""
    kdump: str = ""


_EL_OLD: Final = (
    "yum install -y kexec-tools && grubby --update-kernel=ALL --args=crashkernel=auto"
    " && systemctl enable kdump"
)
_EL: Final = (
    "dnf install -y kexec-tools && kdumpctl reset-crashkernel --kernel=ALL"
    " && systemctl enable kdump"
)
_FIXED: Final = (
    "yum install -y kexec-tools && grubby --update-kernel=ALL --args=crashkernel=256M"
    " && systemctl enable kdump"
)
_FEDORA: Final = {"builder": "fedora", "image": "kernel-core-{}", "debug": "kernel-debuginfo-{}"}
_FEDORA_MODULES: Final = "kernel-modules-core-{} or kernel-modules-{}"
_FEDORA_FROM: Final = "dnf debuginfo-install"
_SUSE_KDUMP: Final = "zypper install -y kdump && systemctl enable --now kdump"
_SUSE_FROM: Final = "its Debug repository"

_ROWS: Final = (
    KernelPackages(
        builder="ubuntu",
        image="linux-image-{}",
        modules="linux-modules-{} or linux-modules-extra-{}",
        debug="linux-image-unsigned-{}-dbgsym",
        debug_from="ddebs.ubuntu.com",
        kdump="apt install -y linux-crashdump",
    ),
    KernelPackages(
        builder="debian",
        image="linux-image-{}",
        debug="linux-image-{}-dbg",
        debug_from="Debian's archive",
        kdump="apt install -y kdump-tools",
    ),
    KernelPackages(
        builder="proxmox",
        shape=r"^(?:[2-5]\.|6\.[0-2]\.)",
        image="pve-kernel-{}",
        kdump="apt install -y kdump-tools",
    ),
    KernelPackages(
        builder="proxmox", image="proxmox-kernel-{}-signed", kdump="apt install -y kdump-tools"
    ),
    KernelPackages(
        **_FEDORA,
        shape=r"\.fc(?:4[1-9]|[5-9]\d)\b",
        modules=_FEDORA_MODULES,
        debug_from=_FEDORA_FROM,
        kdump=_EL.replace("kexec-tools", "kdump-utils"),
    ),
    KernelPackages(
        **_FEDORA,
        shape=r"\.fc(?:3[5-9]|40)\b",
        modules=_FEDORA_MODULES,
        debug_from=_FEDORA_FROM,
        kdump=_EL,
    ),
    KernelPackages(**_FEDORA, debug_from=_FEDORA_FROM, kdump=_FIXED.replace("yum", "dnf")),
    KernelPackages(builder="red-hat", shape=r"elrepo", image="kernel-ml-{} or kernel-lt-{}"),
    KernelPackages(
        builder="red-hat",
        shape=r"uek",
        image="kernel-uek-{}",
        debug="kernel-uek-debuginfo-{}",
        debug_from="oss.oracle.com",
        kdump=_FIXED,
    ),
    KernelPackages(
        builder="red-hat",
        shape=r"\.rt\d",
        image="kernel-rt-core-{}",
        debug="kernel-rt-debuginfo-{}",
        debug_from="its debuginfo repository",
        kdump=_FIXED,
    ),
    KernelPackages(
        builder="red-hat",
        shape=r"\.el[67]\b",
        image="kernel-{}",
        debug="kernel-debuginfo-{}",
        debug_from="debuginfo-install",
        kdump=_EL_OLD,
    ),
    KernelPackages(
        builder="red-hat",
        shape=r"\.el8",
        image="kernel-core-{}",
        modules="kernel-core-{} or kernel-modules-{}",
        debug="kernel-debuginfo-{}",
        debug_from="dnf debuginfo-install",
        kdump=_EL_OLD,
    ),
    KernelPackages(
        builder="red-hat",
        shape=r"\.el(?:9|[1-4]\d)",
        image="kernel-core-{}",
        modules=_FEDORA_MODULES,
        debug="kernel-debuginfo-{}",
        debug_from="dnf debuginfo-install",
        kdump=_EL,
    ),
    KernelPackages(
        builder="red-hat",
        image="kernel-{}",
        debug="kernel-debuginfo-{}",
        debug_from="its debuginfo repository",
        kdump=_FIXED,
    ),
    *(
        KernelPackages(
            builder="suse",
            shape=rf"-{flavour}$",
            image=f"kernel-{flavour}",
            debug=f"kernel-{flavour}-debuginfo",
            debug_from=_SUSE_FROM,
            kdump=_SUSE_KDUMP,
        )
        for flavour in ("default", "preempt", "pae")
    ),
    *(
        KernelPackages(
            builder="arch",
            shape=shape,
            image=package,
            debug=f"the debug information of {package}",
            debug_from="debuginfod.archlinux.org, by its build id",
        )
        for shape, package in (
            (r"-arch\d", "linux"),
            (r"-lts$", "linux-lts"),
            (r"-zen\d", "linux-zen"),
            (r"-hardened", "linux-hardened"),
        )
    ),
)
"""The first row that fits counts."""


def packages_of(release: str) -> KernelPackages | None:
    """Return the packages of a kernel with its release filled in, None where they are not known."""
    builder = builder_of(release)
    fits = (r for r in _ROWS if r.builder == builder and regex(r.shape).search(release))
    row = next(fits, None)
    if row is None:
        return None
    image, debug = (text.replace("{}", release) for text in (row.image, row.debug))
    modules = row.modules.replace("{}", release) or image
    return msgspec.structs.replace(row, image=image, modules=modules, debug=debug)
