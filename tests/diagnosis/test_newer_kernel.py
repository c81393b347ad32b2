"""Where a newer kernel comes from, and which branches get no fixes any more."""

from __future__ import annotations

import pytest

from pagefault_doctor.diagnosis.newer_kernel import is_ended, newer_kernel


@pytest.mark.parametrize(
    ("builder", "release", "words"),
    [
        ("ubuntu", "6.8.0-41-generic", "HWE"),
        ("debian", "6.1.0-31-amd64", "backports"),
        ("red-hat", "4.16.2-1.el7.elrepo.x86_64", "kernel-ml or kernel-lt"),
        ("red-hat", "4.18.0-553.el8_10.x86_64", "dnf update"),
        ("arch", "6.10.7-arch1-1", "linux-lts"),
        ("development", "6.15.0-rc1", "-rc"),
        ("development", "6.17.0-rc3-next-20250826", "linux-next"),
        ("red-hat", "5.14.0-362.el9.s390x", "dnf update"),
        ("appliance", "4.4.180+", "the device's maker"),
        ("vendor", "5.10.110-rockchip-rk3588", "this board's maker"),
        (None, "6.9.0", "kernel.org"),
    ],
)
def test_each_distribution_has_its_way(builder: str | None, release: str, words: str) -> None:
    assert words in newer_kernel(builder, release)


def test_a_board_takes_a_whole_image_unless_a_distribution_built_its_kernel() -> None:
    assert "firmware or image" in newer_kernel(None, "6.6.93", "mips")
    assert "rpi-update" in newer_kernel("raspberry-pi", "6.6.31+rpt-rpi-v7", "arm")
    assert "kernel.org" in newer_kernel(None, "6.6.93", "x86_64")
    assert "firmware or image" in newer_kernel(None, "6.6.93", "arm64", on_board=True)
    # ELRepo builds for x86 alone.
    assert "ELRepo" not in newer_kernel("red-hat", "5.14.0-362.el9.s390x", "s390x")


@pytest.mark.parametrize(
    ("branch", "ended"),
    [((6, 10), True), ((4, 16), True), ((2, 6), True), ((6, 12), False), ((7, 9), False)],
)
def test_a_branch_ends_unless_it_is_kept_or_new(branch: tuple[int, int], *, ended: bool) -> None:
    assert is_ended(branch) is ended
