"""How a person gets a newer kernel, by who built the one that runs."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex

_LONGTERM: Final = ((5, 10), (5, 15), (6, 1), (6, 6), (6, 12), (6, 18))
"""Branches that kernel.org keeps for years; it keeps any other until two months after the next."""
_WAYS: Final = {
    "proxmox": "the newest proxmox-kernel package (apt install proxmox-default-kernel)",
    "ubuntu": "the newest kernel of Ubuntu (apt full-upgrade, or the HWE kernel: "
    "linux-generic-hwe-NN.04), then a mainline build from kernel.ubuntu.com/mainline",
    "debian": "the kernel of Debian backports (apt install -t SUITE-backports linux-image-ARCH)",
    "fedora": "the newest kernel of Fedora (dnf upgrade kernel) of a release that is still kept",
    "elrepo": "a newer kernel-ml or kernel-lt of ELRepo",
    "red-hat": "the newest kernel of the distribution (dnf update kernel), or ELRepo's kernel-ml",
    "suse": "the newest kernel (zypper update), then the one of the repository Kernel:stable",
    "arch": "the newest kernel (pacman -Syu), or linux-lts beside it (pacman -S linux-lts)",
    "raspberry-pi": "the newest kernel (apt full-upgrade), then the one in test (rpi-update)",
    "wsl": "the newest kernel of WSL (wsl --update, in Windows)",
    "android": "the newest image of the maker or of the ROM",
    "development": "the newest -rc or stable kernel",
    "vendor": "the newest image or kernel of this board's maker (or Armbian), and a mainline "
    "kernel where one starts on it",
    "appliance": "the newest system of the device's maker",
    "router": "the newest firmware of this router (OpenWrt's newest release, or its maker's)",
    "self-built": "the newest kernel of the same branch, then the newest of kernel.org",
}
_NEXT: Final = "today's linux-next, and the newest -rc beside it"
_RC: Final = "the newest -rc, and the last release beside it"
_UNDER_WAY: Final = regex(r"-(?:next-|rc\d)")
_BOARDS: Final = ("arm", "mips", "ppc", "m68k", "xtensa", "sh")
"""Architectures of boards and routers, whose kernel comes with the rest in one image."""
_IMAGE: Final = "the newest firmware or image for this board (OpenWrt, Yocto, or its maker's)"
_OTHERWISE: Final = "the newest stable kernel of kernel.org"


def newer_kernel(
    builder: str | None, release: str, arch: str | None = None, *, on_board: bool = False
) -> str:
    """Return where a newer kernel comes from, as the object of `try`.

    Who runs a kernel under development has the newest one already, and is told what to compare.
    """
    if builder == "development" and _UNDER_WAY.search(release):
        return _NEXT if "-next-" in release else _RC
    if "elrepo" in release:
        return _WAYS["elrepo"]
    if builder == "red-hat" and arch not in (None, "x86_64", "i386"):
        return _WAYS[builder].partition(", or ELRepo")[0]
    if builder is None and (on_board or arch in _BOARDS):
        return _IMAGE
    return _WAYS.get(builder or "", _OTHERWISE)


def is_ended(branch: tuple[int, ...]) -> bool:
    """Return whether kernel.org gives a branch, such as (6, 10), no fixes any more.

    Of the branches since the last one that is known to be kept it is not known.
    """
    return branch < _LONGTERM[-1] and branch not in _LONGTERM
