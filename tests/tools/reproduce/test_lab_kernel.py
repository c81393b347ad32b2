"""The lab's kernels, and which of them is the nearest to the one in a log."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.tools.reproduce.lab_kernel import LabKernel, Listing, listing, nearest

KERNELS = [
    {"name": "8.1", "release": "8.1.0-9-cloud-amd64", "folder": None},
    {"name": "8.1-amd64", "release": "8.1.0-7-amd64", "folder": "/x"},
    {"name": "8.12", "release": "8.12.3+deb9-cloud-amd64", "folder": "/y"},
]
THERE = listing(json.dumps({"kernels": KERNELS, "fetchable": ["7.10", "forky", "9.2"]}))


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("8.1.0-9-cloud-amd64", "8.1"),
        ("8.1.0-3-amd64", "8.1-amd64"),
        ("8.1.55", "8.1"),
        ("8.13.7-200.fc99.x86_64", "8.12"),
        ("8.19.1-generic", "9.2"),
        ("9.0.0-rc4", "9.2"),
        ("3.2.1", "7.10"),
        ("", "8.1"),
        ("custom-build", "8.1"),
    ],
)
def test_the_nearest_kernel_is_the_same_one_else_the_nearest_version(
    release: str, name: str
) -> None:
    assert THERE is not None
    found = nearest(release, THERE)
    assert found is not None
    assert found.name == name


def test_a_kernel_that_has_to_be_fetched_says_so() -> None:
    assert THERE is not None
    assert nearest("7.10.1", THERE) == LabKernel("7.10")
    assert not LabKernel("7.10").is_here
    found = nearest("8.1.0-7-amd64", THERE)
    assert found is not None
    assert found.is_here


def test_without_any_kernel_there_is_none() -> None:
    assert nearest("8.1.0", Listing(())) is None
    assert nearest("8.1.0", Listing((), ("forky",))) is None


def test_names_that_are_no_names_are_left_out() -> None:
    odd = json.dumps({"kernels": [{"name": "--root=/"}], "fetchable": ["a b", "9.9"]})
    assert listing(odd) == Listing((), ("9.9",))


@given(st.text(), st.text())
def test_any_text_is_read_without_an_exception(output: str, release: str) -> None:
    listing(output)
    assert THERE is not None
    nearest(release, THERE)
