"""A next step is one that this person can take: by who built the kernel, the disk, the moment."""

from __future__ import annotations

from typing import Any

import pytest

from diagnosis.logs import diagnosed, page_fault, stamped
from pagefault_doctor.model.diagnosis import NextStep

DRIVER = {
    "place": "quay_poll+0x24/0x90 [uvcvideo]",
    "modules": "uvcvideo",
    "tainted": "Not tainted",
}


def step(text: str) -> NextStep:
    found = diagnosed(text)[0].next_step
    assert found
    return found


def fault(release: str = "6.12.1", **rest: Any) -> str:
    return page_fault("0000000000000148", **{**DRIVER, **rest}).replace("6.1.0-1-amd64", release)


SAID = "uvcvideo 3-2:1.0: Failed to resubmit video URB (-19)."


def test_a_driver_that_died_after_its_device_failed_is_told_with_that_line() -> None:
    found = step(stamped(SAID, at=50.0) + fault())
    assert found.situation == "died-after-the-device-failed"
    assert f'"{SAID}"' in found.why
    assert step(fault()).situation != "died-after-the-device-failed"
    # Success is no failure, and what others said is not this driver's.
    good = stamped("uvcvideo 3-2:1.0: device was reset successfully", at=50.0)
    assert step(good + fault()).situation != "died-after-the-device-failed"


@pytest.mark.parametrize(
    ("hardware", "release", "words"),
    [
        ("Synology Inc. DS3615xs/Type2, BIOS M.011 2012/12/17", "4.4.180+", "device's maker"),
        ("ACME Board/B1, BIOS 1.0 01/01/2020", "5.10.110-rockchip", "board's maker"),
        ("ACME Board/B1, BIOS 1.0 01/01/2020", "6.17.0-rc3-next-20250826", "linux-next"),
        ("ACME Board/B1, BIOS 1.0 01/01/2020", "6.17.0-rc3", "the newest -rc"),
    ],
)
def test_a_newer_kernel_comes_from_who_built_this_one(
    hardware: str, release: str, words: str
) -> None:
    assert words in step(stamped(SAID, at=50.0) + fault(release, hardware=hardware)).why


def test_modules_of_a_device_s_maker_are_not_asked_to_be_left_out() -> None:
    text = page_fault(
        "ffffc90012345678",
        place="demo_lookup+0x40/0x80",
        modules="nasbios(PO) ext4",
        tainted="Tainted: P           O",
        hardware="Synology Inc. DS3615xs/Type2, BIOS M.011 2012/12/17",
    )
    assert step(text).situation == "appliance-with-modules-of-its-maker"
    at_home = text.replace("Synology Inc. DS3615xs/Type2", "ACME Board/B1")
    assert step(at_home).situation == "chance-of-third-party"


@pytest.mark.parametrize(
    ("lines", "situation"),
    [
        (["blk_update_request: I/O error, dev vdb, sector 2097 op 0x1:(WRITE)"], "virtual-disk"),
        (["blk_update_request: I/O error, dev nbd0, sector 2097 op 0x1:(WRITE)"], "network-disk"),
        (["blk_update_request: I/O error, dev sdb, sector 2097 op 0x1:(WRITE)"], "drive-sectors"),
        (
            [
                "ata3.00: exception Emask 0x10 SAct 0x7 SErr 0x4890000 action 0xe frozen",
                "ata3.00: failed command: WRITE FPDMA QUEUED",
                "ata3: hard resetting link",
                "ata3: reset failed, giving up",
            ],
            "disk-gone",
        ),
        (
            [
                "[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx timeout, signaled seq=1, "
                "emitted seq=3",
                "amdgpu 0000:0b:00.0: amdgpu: GPU reset begin!",
                "amdgpu 0000:0b:00.0: amdgpu: GPU mode1 reset failed",
            ],
            "graphics-not-reset",
        ),
        (
            [
                "nvme nvme0: Disabling device after reset failure: -19",
                "I/O error, dev nvme0n1, sector 204812 op 0x1:(WRITE) flags 0x800",
            ],
            "disk-gone-just-before",
        ),
        (["EXT4-fs error (device sda2): bad entry in directory"], "file-system-damaged"),
    ],
)
def test_the_step_fits_what_became_of_the_device(lines: list[str], situation: str) -> None:
    assert step(stamped(*lines)).situation == situation


def test_the_check_that_is_named_is_that_of_the_file_system() -> None:
    assert "e2fsck -fn" in step(stamped("EXT4-fs error (device sda2): bad entry")).why
    assert "xfs_repair -n" in step(stamped("XFS (sda2): Metadata CRC error detected at x")).why


def test_an_interrupt_handler_that_sleeps_is_sent_to_a_thread() -> None:
    text = stamped(
        "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580",
        "in_atomic(): 1, irqs_disabled(): 128, non_block: 0, pid: 0, name: swapper/2",
        "CPU: 2 PID: 0 Comm: swapper/2 Tainted: G           O 6.1.77 #1",
        "Call trace:",
        " __might_sleep+0x50/0x90",
        " mutex_lock+0x2c/0x70",
        " quay_irq+0x44/0x90 [quay]",
        " __handle_irq_event_percpu+0x5c/0x220",
    )
    found = diagnosed(text)[0]
    assert found.next_step
    assert found.next_step.situation == "sleeping-in-interrupt"
    assert "sleep where none is allowed" in found.summary


def test_a_bus_error_is_told_with_what_failed_just_before() -> None:
    text = stamped("quay-pcie: phy link never came up", at=2.0) + stamped(
        "Unhandled fault: imprecise external abort (0x1406) at 0x00000000",
        "Internal error: : 1406 [#1] SMP ARM",
        "PC is at quay_pcie_host_init+0x1c4/0x5a0",
        "pc : [<c0411c2c>]    lr : [<c0411c20>]    psr: 60000013",
        at=2.1,
    )
    found = step(text)
    assert found.situation == "unclocked-device-that-spoke"
    assert "phy link never came up" in found.why
