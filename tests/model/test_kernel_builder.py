"""Who built a kernel, by its release."""

from __future__ import annotations

import pytest

from pagefault_doctor.model.kernel_builder import builder_of


@pytest.mark.parametrize(
    ("release", "builder"),
    [
        ("6.1.0-9-cloud-amd64", "debian"),
        ("6.12.5+deb13-arm64", "debian"),
        ("5.15.0-91-generic", "ubuntu"),
        ("6.8.12-4-pve", "proxmox"),
        ("6.6.8-200.fc39.x86_64", "fedora"),
        ("5.14.0-362.8.1.el9_3.x86_64", "red-hat"),
        ("5.3.18-59-default", "suse"),
        ("6.7.0-arch3-1", "arch"),
        ("6.7.0-rc3", "development"),
        ("6.7.9", ""),
        ("", ""),
    ],
)
def test_the_form_of_a_release_names_its_builder(release: str, builder: str) -> None:
    assert builder_of(release) == builder
