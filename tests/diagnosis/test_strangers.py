"""What logs of strangers taught: one rule each, on logs made for these tests."""

from __future__ import annotations

import pytest

from diagnosis.test_crashes_of_many_kernels import verdict_on
from pagefault_doctor.model.diagnosis import Attribution, Diagnosis, RootCause


def hung(*frames: str, modules: str = "") -> Diagnosis:
    return verdict_on(
        "INFO: task logrotate:22250 blocked for more than 120 seconds.",
        "      Not tainted 6.1.0-1-amd64 #1",
        "task:logrotate       state:D stack:0     pid:22250 ppid:22248  flags:0x00000080",
        "Call Trace:",
        " <TASK>",
        " __schedule+0x293/0x8a0",
        " schedule+0x36/0x80",
        *(f" {frame}" for frame in frames),
        " do_fsync+0x3d/0x70",
        " </TASK>",
        *([modules] if modules else []),
    )


@pytest.mark.parametrize(
    "frame",
    ["io_schedule+0x46/0x70", "jbd2_log_wait_commit+0x98/0x120 [jbd2]", "xlog_wait+0x1/0x2 [xfs]"],
)
def test_who_waits_for_a_disk_in_vain_hangs_through_no_fault_of_the_file_system(frame: str) -> None:
    verdict = hung(frame, "ext4_sync_file+0x1ef/0x370 [ext4]")
    assert (verdict.root_cause, verdict.attribution) == (RootCause.LOCKUP_HANG, Attribution.KERNEL)


def test_a_module_from_outside_that_waits_is_still_asked() -> None:
    modules = "Modules linked in: quay(OE) jbd2"
    frames = ("quay_wait+0x1/0x9 [quay]", "jbd2_log_wait_commit+0x98/0x120 [jbd2]")
    assert hung(*frames, modules=modules).module == "quay"
    assert hung("io_schedule+0x46/0x70", frames[0], modules=modules).module == "quay"
    assert hung("quay_wait+0x1/0x9 [quay]", modules=modules).module == "quay"
