"""Sizes of packages, as apt-cache prints them."""

from __future__ import annotations

import pytest

from pagefault_doctor.lab import packages

SHOWN = """\
Package: painter
Version: 1:7.2+b3
Installed-Size: 43488
Depends: libc6 (>= 2.34), brush | comb
Description: paints
 Size: 1 is no field here
Size: 9281168

Package: odd
Version: 1
Size: many
Installed-Size: 3

"""


def test_sizes_and_versions_are_read_and_what_is_odd_is_left_out() -> None:
    known = dict(packages.parse(SHOWN))
    assert set(known) == {"painter"}
    painter = known["painter"]
    assert painter.summary == "1:7.2+b3; 9 MB to fetch, 45 MB on the disk"
    assert painter.depends == ("libc6", "brush")


def test_a_package_that_only_wants_others_counts_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = {
        "whole": packages.Package("1", 1000, 10, ("part",)),
        "part": packages.Package("1", 70_000_000, 400_000, ("libc6",)),
    }
    monkeypatch.setattr(packages, "_show", lambda names: {n: shelf[n] for n in names if n in shelf})
    whole = packages.query({"whole"})["whole"]
    assert (whole.download, whole.installed) == (70_001_000, 400_010)


def test_any_text_is_no_package() -> None:
    assert not dict(packages.parse("\n\n: \nPackage: x\n\nPackage:\n"))
