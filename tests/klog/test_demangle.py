"""Mangled names are shown as their source has them, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.klog.demangle import demangled


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("_RNvCs1234_7mycrate4main", "mycrate::main"),
        ("_RNvNtCs1234_3pfd5probe4init", "pfd::probe::init"),
        ("_RNvMCs1234_3pfdNtB2_6Device5write", "<pfd::Device>::write"),
        (
            "_RNvXs_Cs1234_3pfdNtB4_6DeviceNtNtCs5678_6kernel4file10Operations4read",
            "<pfd::Device as kernel::file::Operations>::read",
        ),
        ("_RINvCs1234_3pfd4copyhjE", "pfd::copy<u8, usize>"),
        ("_RNCNvCs1234_3pfd4init0", "pfd::init::{closure}"),
        ("_RNvMCs1234_3pfdINtB2_3BoxRhE3new", "<pfd::Box<&u8>>::new"),
        ("_RNvMCs1234_3pfdAhj10_3get", "<[u8; 16]>::get"),
        ("_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"),
        ("_ZN3pfd6Device5writeE", "pfd::Device::write"),
        ("_ZN3pfd11_$LT$u8$GT$1x17h0123456789abcdefE", "pfd::<u8>::x"),
    ],
)
def test_names_are_read_as_the_source_has_them(name: str, source: str) -> None:
    assert demangled(name) == source


@pytest.mark.parametrize(
    "name", ["pfd_write", "_Read", "_R", "_RNvC", "_RNvB_4main", "_ZN", "_ZN9shortE", "_RIC1aT"]
)
def test_what_is_not_a_whole_mangled_name_stays(name: str) -> None:
    assert demangled(name) == name


def test_a_name_that_doubles_itself_is_given_up() -> None:
    name = "_RINvC1a1b" + "".join(f"TB{c}_B{c}_E" for c in "89abcdefghijklmnop") + "E"
    assert demangled(name)


@given(st.text(alphabet="RNvXMICBTKLshju_0123456789abE", max_size=60))
def test_no_name_is_refused(text: str) -> None:
    assert isinstance(demangled("_R" + text), str)
    assert isinstance(demangled("_ZN" + text), str)
