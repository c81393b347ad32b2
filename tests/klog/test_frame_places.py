"""Places in code that a line names: where they are, and whether an instruction was run there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.klog.frame_places import (
    KernelNamed,
    TraceReader,
    frame_places,
    kernel_named,
    modules_from_outside,
)

BUILD_ID = "0123456789abcdef0123456789abcdef01234567"

COUNTERS = (
    b"RIP: 0010:lamp_write+0x1f/0x80 [lamp]",
    b"RIP: 0010:[<ffffffffc0123456>]  [<ffffffffc0123456>] lamp_write+0x1f/0x80 [lamp]",
    b"IP: [<ffffffffc0123456>] lamp_write+0x1f/0x80 [lamp]",
    b"EIP: lamp_write+0x1f/0x80 [lamp]",
    b"EIP is at lamp_write+0x1f/0x80 [lamp]",
    b"[    1.5] pc : lamp_write+0x1f/0x80 [lamp]",
    b"PC is at lamp_write+0x1f/0x80 [lamp]",
    b"epc : lamp_write+0x1f/0x80 [lamp]",
    b"epc   : 80123456 lamp_write+0x1f/0x80 [lamp]",
    b"NIP [c000000000123456] lamp_write+0x1f/0x80 [lamp]",
    b"Krnl PSW : 0704c00180000000 000003ff80123456 (lamp_write+0x1f/0x80 [lamp])",
    b"   ERA: 9000000000123456 lamp_write+0x1f/0x80 [lamp]",
    b"--- interrupt: 300 at lamp_write+0x1f/0x80 [lamp]",
    b"WARNING: CPU: 1 PID: 77 at drivers/lamp.c:12 lamp_write+0x1f/0x80 [lamp]",
    b"WARNING: drivers/lamp.c:12 at lamp_write+0x1f/0x80 [lamp], CPU#1: sh/77",
    b"BUG: KFENCE: use-after-free read in lamp_write+0x1f/0x80 [lamp]",
    b" lamp_write+0x1f/0x80 [lamp] (P)",
)
RETURNS = (
    b" lamp_write+0x1f/0x80 [lamp]",
    b" ? lamp_write+0x1f/0x80 [lamp]",
    b" [<ffffffffc0123456>] lamp_write+0x1f/0x80 [lamp]",
    b"lr : lamp_write+0x1f/0x80 [lamp]",
    b"LR [c000000000123456] lamp_write+0x1f/0x80 [lamp]",
    b" ra : lamp_write+0x1f/0x80 [lamp]",
    b"BUG: KASAN: slab-out-of-bounds in lamp_write+0x1f/0x80 [lamp]",
    b"BUG: KFENCE: memory corruption in lamp_write+0x1f/0x80 [lamp]",
    b" lamp_write+0x1f/0x80 [lamp] (C)",
    b" #0: ffff888 (&x){+.+.}-{3:3}, at: lamp_write+0x1f/0x80 [lamp]",
)


@pytest.mark.parametrize("line", COUNTERS)
def test_a_program_counter_is_told_from_a_return_address(line: bytes) -> None:
    (place,) = frame_places(line)
    assert place.is_counter
    assert place.code == ("lamp_write", 0x1F, "lamp")
    assert line[place.begin : place.end] == b"lamp_write+0x1f/0x80 [lamp]"


@pytest.mark.parametrize("line", RETURNS)
def test_all_other_places_are_return_addresses(line: bytes) -> None:
    (place,) = frame_places(line)
    assert not place.is_counter
    assert (place.size, place.module) == (0x80, "lamp")


def test_several_places_of_a_line_come_in_their_order() -> None:
    line = b"[<c0>] (inner+0x1/0x2 [a]) from [<c0>] (outer+0x3/0x4)"
    assert [place.function for place in frame_places(line)] == ["inner", "outer"]


def test_a_build_id_belongs_to_the_module() -> None:
    (place,) = frame_places(f" f+0x1/0x20 [ext4 {BUILD_ID}]".encode())
    assert (place.module, place.build_id) == ("ext4", BUILD_ID)
    assert place.end == len(f" f+0x1/0x20 [ext4 {BUILD_ID}]")


NO_PLACES = (
    b"1+0x1/0x2", b"f+0x1", b"f+1/2", b"f+0x1/0x2g", b"f +0x1/0x2", b"+0x1/0x2", b"f-0x1/0x2",
    b"f+0x11111111111111111/0x2", b"\xff+0x1/0x2",
)  # fmt: skip


@pytest.mark.parametrize("line", NO_PLACES)
def test_what_is_no_place_is_left_alone(line: bytes) -> None:
    assert list(frame_places(line)) == []


def test_the_first_frame_of_arm64_is_the_counter_once_more() -> None:
    reader = TraceReader()
    lines = (b"pc : f+0x4/0x8", b"lr : g+0x4/0x8", b"sp : 0", b"Call trace:", b" f+0x4/0x8",
             b" g+0x4/0x8", b" f+0x4/0x8")  # fmt: skip
    found = [place.is_counter for line in lines for place in reader.places(line)]
    assert found == [True, False, True, False, False]


def test_a_kernel_is_named_by_its_banner_and_by_the_line_of_the_task() -> None:
    banner = b"[    0.000000] Linux version 6.1.0-9-amd64 (debian@example.org) (gcc-12) #1 SMP"
    assert kernel_named(banner) == KernelNamed("6.1.0-9-amd64", None)
    task = b"CPU: 1 PID: 7 Comm: sh Tainted: G           OE      6.1.0-9-amd64 #1  Debian 6.1.27-1"
    assert kernel_named(task) == KernelNamed("6.1.0-9-amd64", None)
    with_id = f"CPU: 1 UID: 0 PID: 7 Comm: sh Not tainted 6.12.0 #1 PREEMPT {BUILD_ID}".encode()
    assert kernel_named(with_id) == KernelNamed("6.12.0", BUILD_ID)
    assert kernel_named(b"it is not tainted by version 6.1 #1") is None


def test_modules_from_outside_carry_an_o() -> None:
    line = b"Modules linked in: lamp(OE+) ext4(E) nv(POE) bus"
    assert modules_from_outside(line) == ["lamp", "nv"]
    assert modules_from_outside(b"lamp(OE+)") == []


@given(st.binary(max_size=400))
def test_any_bytes_are_read(line: bytes) -> None:
    TraceReader().places(line)
    TraceReader().places(b"RIP: 0010:" + line + b" f+0x1/0x2 [" + line)
    kernel_named(b"Linux version " + line + b" Tainted: " + line)
