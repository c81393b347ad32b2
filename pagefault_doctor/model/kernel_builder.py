"""Who built a kernel, by how its release is written."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex

_RELEASES: Final = {
    name: regex(shape)
    for name, shape in {
        "proxmox": r"-pve$",
        "ubuntu": r"-\d+-(?:generic|lowlatency|aws|azure|gcp|oem|kvm|raspi|nvidia)",
        "debian": r"-(?:amd64|686|arm64|armmp|cloud|rt|s390x|powerpc64le|rpi|bpo)\b|[+~]deb\d",
        "fedora": r"\.fc\d+",
        "red-hat": r"\.el\d+|\.amzn\d|\.an\d|\.oe\d|\.uelc|\.el\duek",
        "suse": r"-default$|-preempt$|\d-pae$",
        "arch": r"-arch\d|-zen\d|-lts$|-MANJARO|-cachyos|-hardened",
        "raspberry-pi": r"-v[678]l?\+|\+rpt|-rpi",
        "wsl": r"-microsoft-",
        "android": r"-android\d*|-perf\b|-gki",
        "vendor": r"-(?:rockchip|rk\d+|sunxi|meson|odroid|tegra|imx|fslc|xilinx|yocto|ti\b|omap"
        r"|bone|qcom|toradex|starfive|spacemit|lpi4a|th1520|edge-|current-"
        r"|legacy-|bsp|sophgo|amlogic)"
        r"|\d\+g[0-9a-f]{7,}|-tegra$",
        "development": r"-rc\d|-next-|syzkaller|-g[0-9a-f]{7,}|\+$|-dirty|-test",
    }.items()
}


def builder_of(release: str) -> str:
    """Return who built a kernel of that release, such as `ubuntu`; empty where nothing tells."""
    return next((name for name, shape in _RELEASES.items() if shape.search(release)), "")
