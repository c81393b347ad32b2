"""The table of well-known modules from outside the kernel."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from pagefault_doctor.playbook.third_party import project_of, projects
from pagefault_doctor.symbols import in_tree


@pytest.mark.parametrize(
    ("module", "proprietary", "tracker"),
    [
        ("zfs", False, "https://github.com/openzfs/zfs/issues"),
        ("spl", False, "https://github.com/openzfs/zfs/issues"),
        ("nvidia", True, "https://forums.developer.nvidia.com/c/gpu-graphics/linux/148"),
        ("nvidia", False, "https://github.com/NVIDIA/open-gpu-kernel-modules/issues"),
        ("xone_dongle", False, "https://github.com/dlundqvist/xone/issues"),
        ("falcon_lsm_serviceable", True, "https://supportportal.crowdstrike.com"),
        ("openafs", True, None),
    ],
)
def test_a_known_module_has_its_project(
    module: str, proprietary: bool, tracker: str | None
) -> None:
    project = project_of(module, proprietary)
    assert project is not None
    assert project.tracker == tracker


@pytest.mark.parametrize("module", ["", "*", "demo", "zfs2", "xnvidia", "faulty", "ext4", "vbox"])
def test_an_unknown_module_has_none(module: str) -> None:
    assert project_of(module, True) is None


def test_each_row_tells_where_to_send_a_report() -> None:
    assert 40 <= len(projects()) <= 80
    names = [project.project for project in projects()]
    assert len(set(names)) == len(names)
    for project in projects():
        assert project.modules
        assert project.tracker or project.mailing_list
        if project.tracker:
            address = urlsplit(project.tracker)
            assert (address.scheme, bool(address.netloc), address.username) == ("https", True, None)
        if project.mailing_list:
            assert project.mailing_list.count("@") == 1


def test_no_pattern_takes_modules_of_the_tree_without_naming_them() -> None:
    """A `*` may not be so wide that it takes a driver of the tree that the project has not."""
    every = in_tree._text().split()
    wide = {p for project in projects() for p in project.modules if "*" in p}
    taken = {name for name in every for pattern in wide if name.startswith(pattern[:-1])}
    allowed = ("mlx4_", "mlx5_", "intel_ipu6_", "tuxedo_")
    assert not {name for name in taken if not name.startswith(allowed)}
